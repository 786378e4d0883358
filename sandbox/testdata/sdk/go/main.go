// A function in Go that calls services with AWS's own SDK, and says over its
// WebSocket what came of it.
package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/apigatewaymanagementapi"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	bus "github.com/aws/aws-sdk-go-v2/service/eventbridge/types"
	function "github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/aws/aws-sdk-go-v2/service/sts"
)

func main() { lambda.Start(handle) }

func handle(ctx context.Context, e events.APIGatewayWebsocketProxyRequest) (events.APIGatewayProxyResponse, error) {
	ok := events.APIGatewayProxyResponse{StatusCode: 200}
	if e.RequestContext.EventType != "MESSAGE" {
		return ok, nil
	}
	cfg, err := config.LoadDefaultConfig(ctx)
	if err != nil {
		return ok, err
	}
	text, err := calls(ctx, cfg)
	if err != nil {
		text = err.Error()
	}
	api := apigatewaymanagementapi.NewFromConfig(cfg, func(o *apigatewaymanagementapi.Options) {
		o.BaseEndpoint = aws.String("https://" + e.RequestContext.DomainName + "/" + e.RequestContext.Stage)
	})
	_, err = api.PostToConnection(ctx, &apigatewaymanagementapi.PostToConnectionInput{ConnectionId: &e.RequestContext.ConnectionID, Data: []byte(text)})
	return ok, err
}

func calls(ctx context.Context, cfg aws.Config) (string, error) {
	env := func(name string) *string { return aws.String(os.Getenv(name)) }
	var said []string
	table := dynamodb.NewFromConfig(cfg)
	key := map[string]types.AttributeValue{"id": &types.AttributeValueMemberS{Value: "go"}}
	if _, err := table.PutItem(ctx, &dynamodb.PutItemInput{TableName: env("TABLE"), Item: key}); err != nil {
		return "", err
	}
	item, err := table.GetItem(ctx, &dynamodb.GetItemInput{TableName: env("TABLE"), Key: key})
	if err != nil {
		return "", err
	}
	said = append(said, item.Item["id"].(*types.AttributeValueMemberS).Value)

	queue := sqs.NewFromConfig(cfg)
	if _, err := queue.SendMessage(ctx, &sqs.SendMessageInput{QueueUrl: env("QUEUE"), MessageBody: aws.String("queued")}); err != nil {
		return "", err
	}
	messages, err := queue.ReceiveMessage(ctx, &sqs.ReceiveMessageInput{QueueUrl: env("QUEUE"), WaitTimeSeconds: 10})
	if err != nil {
		return "", err
	}
	said = append(said, *messages.Messages[0].Body)

	if _, err := sns.NewFromConfig(cfg).Publish(ctx, &sns.PublishInput{TopicArn: env("TOPIC"), Message: aws.String("published")}); err != nil {
		return "", err
	}
	objects := s3.NewFromConfig(cfg)
	if _, err := objects.PutObject(ctx, &s3.PutObjectInput{Bucket: env("BUCKET"), Key: aws.String("go/a.txt"), Body: strings.NewReader("stored")}); err != nil {
		return "", err
	}
	object, err := objects.GetObject(ctx, &s3.GetObjectInput{Bucket: env("BUCKET"), Key: aws.String("go/a.txt")})
	if err != nil {
		return "", err
	}
	body, err := io.ReadAll(object.Body)
	if err != nil {
		return "", err
	}
	said = append(said, string(body))

	parameter, err := ssm.NewFromConfig(cfg).GetParameter(ctx, &ssm.GetParameterInput{Name: env("PARAMETER")})
	if err != nil {
		return "", err
	}
	secret, err := secretsmanager.NewFromConfig(cfg).GetSecretValue(ctx, &secretsmanager.GetSecretValueInput{SecretId: env("SECRET")})
	if err != nil {
		return "", err
	}
	said = append(said, *parameter.Parameter.Value, *secret.SecretString)

	put, err := eventbridge.NewFromConfig(cfg).PutEvents(ctx, &eventbridge.PutEventsInput{Entries: []bus.PutEventsRequestEntry{{Source: aws.String("sdk"), DetailType: aws.String("call"), Detail: aws.String("{}")}}})
	if err != nil {
		return "", err
	}
	called, err := function.NewFromConfig(cfg).Invoke(ctx, &function.InvokeInput{FunctionName: env("OTHER"), Payload: []byte(`{}`)})
	if err != nil {
		return "", err
	}
	who, err := sts.NewFromConfig(cfg).GetCallerIdentity(ctx, nil)
	if err != nil {
		return "", err
	}
	said = append(said, fmt.Sprint(put.FailedEntryCount), string(called.Payload), strings.Split(*who.Arn, "/")[0])
	return strings.Join(said, " "), nil
}
