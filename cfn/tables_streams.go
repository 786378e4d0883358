package cfn

import (
	"arc/manifest"

	"github.com/awslabs/goformation/v7/cloudformation/lambda"
	"github.com/awslabs/goformation/v7/cloudformation/s3"
)

// streamBatch is how many changes a function gets at most at a time.
const streamBatch = 10

// streams compiles @tables-streams: for each a function that is given the
// changes of a table, from the oldest that the stream still has. Changes that it
// fails on hold up those behind them until they are given up.
func (c *compiler) streams() {
	items := make([]naming, len(c.app.Streams))
	for i, s := range c.app.Streams {
		items[i] = naming{base: logicalName(s.Name), key: s.Name, pos: s.Pos}
	}
	for i, name := range c.names("tables-streams", items) {
		s := c.app.Streams[i]
		stream := GetAtt(c.tableIDs[s.Table], "StreamArn")
		f := c.function(name+"TableStreamLambda", s.Function)
		f.needs = append(f.needs, right{
			actions:   []string{"dynamodb:DescribeStream", "dynamodb:GetRecords", "dynamodb:GetShardIterator"},
			resources: []string{stream},
		}, right{
			// ListStreams is asked for beside the stream's own ARN, and can be
			// granted for the table's streams only as a whole.
			actions:   []string{"dynamodb:ListStreams"},
			resources: []string{Sub("${" + c.tableIDs[s.Table] + ".Arn}/stream/*")},
		})
		mapping := &lambda.EventSourceMapping{
			BatchSize:                  new(streamBatch),
			BisectBatchOnFunctionError: new(s.Bisect),
			DestinationConfig: &lambda.EventSourceMapping_DestinationConfig{
				OnFailure: &lambda.EventSourceMapping_OnFailure{Destination: new(c.streamFailures(name, s, f))},
			},
			EventSourceArn:            new(stream),
			FunctionName:              f.arn(),
			MaximumRecordAgeInSeconds: new(s.MaxAge),
			MaximumRetryAttempts:      new(s.Retries),
			StartingPosition:          new("TRIM_HORIZON"),
		}
		if s.ReportsFailures {
			mapping.FunctionResponseTypes = reportBatchItemFailures
		}
		c.place(boundPart, f.id, c.add(name+"TableStreamEvent", s.Pos, mapping))
	}
}

// failuresDays is how long a bucket keeps changes that were given up.
const failuresDays = 30

// streamFailures makes what takes the changes that are given up, and gives its
// ARN. A queue gets their place in the stream, where they are for 24 hours; a
// bucket gets themselves.
// https://docs.aws.amazon.com/lambda/latest/dg/services-dynamodb-errors.html
func (c *compiler) streamFailures(name string, s manifest.Stream, f *lambdaFunction) string {
	if !s.ToBucket {
		queue := c.deadLetterQueue(name+"TableStreamDeadLetterQueue", s.Pos, false, "the stream "+s.Name)
		f.needs = append(f.needs, right{actions: []string{"sqs:SendMessage"}, resources: []string{GetAtt(queue, "Arn")}})
		return GetAtt(queue, "Arn")
	}
	resource := c.privateBucket()
	resource.LifecycleConfiguration = &s3.Bucket_LifecycleConfiguration{
		Rules: []s3.Bucket_Rule{{Status: "Enabled", ExpirationInDays: new(failuresDays)}},
	}
	bucket := c.add(name+"TableStreamFailures", s.Pos, resource)
	c.keepers = append(c.keepers, keeper{bucket, "bucket with the changes that the stream " + s.Name + " gave up"})
	f.needs = append(f.needs,
		right{actions: []string{"s3:PutObject"}, resources: []string{Sub("${" + bucket + ".Arn}/*")}},
		right{actions: []string{"s3:ListBucket"}, resources: []string{GetAtt(bucket, "Arn")}},
	)
	return GetAtt(bucket, "Arn")
}

// hasStream reports whether a table's stream is on: it says so, or a function
// reads it.
func (c *compiler) hasStream(t manifest.Table) bool {
	for _, s := range c.app.Streams {
		if s.Table == t.Name {
			return true
		}
	}
	return t.Stream
}
