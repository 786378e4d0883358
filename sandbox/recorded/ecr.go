package recorded

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"arc/sandbox/stack"
	"arc/sandbox/wire"
)

// Endpoint is that of ECR, whose repositories clients look for when they remove an
// app (osls does): they are told of those that stacks made. Of all else that is
// recorded no client can do anything.
func (s *Store) Endpoint() wire.Endpoint {
	return wire.Endpoint{Service: "ecr", Targets: []string{"AmazonEC2ContainerRegistry_V20150921"}, Handler: wire.JSON("ECR", s)}
}

// repository is an image repository as DescribeRepositories tells it.
type repository struct {
	ARN      string `json:"repositoryArn"`
	Registry string `json:"registryId"`
	Name     string `json:"repositoryName"`
	URI      string `json:"repositoryUri"`
}

// Handle answers the one operation.
// https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_DescribeRepositories.html
func (s *Store) Handle(ctx context.Context, operation string, body []byte) (any, error) {
	if operation != "DescribeRepositories" {
		return nil, &stack.Error{Code: "UnknownOperationException", Status: http.StatusNotImplemented, Message: "the local cloud's ECR does not run " + operation}
	}
	var in struct {
		RepositoryNames []string
		RegistryID      string
	}
	if err := json.Unmarshal(body, &in); err != nil {
		return nil, &stack.Error{Code: "InvalidParameterException", Message: err.Error()}
	}
	region := stack.RegionOf(ctx)
	s.mu.Lock()
	defer s.mu.Unlock()
	found := []repository{}
	for key, made := range s.made {
		name, ok := strings.CutPrefix(key, repositoryType+" ")
		arn := fmt.Sprint(made.Attributes["Arn"])
		parts := strings.Split(arn, ":")
		if !ok || region != "" && parts[3] != region || len(in.RepositoryNames) > 0 && !slices.Contains(in.RepositoryNames, name) {
			continue
		}
		found = append(found, repository{ARN: arn, Registry: parts[4], Name: name, URI: fmt.Sprint(made.Attributes["RepositoryUri"])})
	}
	slices.SortFunc(found, func(a, b repository) int { return strings.Compare(a.Name, b.Name) })
	for _, name := range in.RepositoryNames {
		if !slices.ContainsFunc(found, func(r repository) bool { return r.Name == name }) {
			return nil, &stack.Error{Code: "RepositoryNotFoundException", Message: fmt.Sprintf("The repository with name '%s' does not exist in the registry", name)}
		}
	}
	return map[string]any{"repositories": found}, nil
}
