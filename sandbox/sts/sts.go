// Package sts is as much of STS as clients need to find out where they are.
// Every caller is the account's local user.
// https://docs.aws.amazon.com/STS/latest/APIReference/API_Operations.html
package sts

import (
	"context"
	"net/url"
	"strings"
	"time"

	"arc/sandbox/journal"
	"arc/sandbox/stack"
	"arc/sandbox/wire"
)

// Service answers for one account.
type Service struct{ account, region string }

// New makes the service.
func New(account, region string) *Service {
	return &Service{account: account, region: region}
}

// Registrations are none: STS has no resources.
func (s *Service) Registrations() map[string]stack.Registration { return nil }

// Restore has nothing to do: the service keeps nothing.
func (s *Service) Restore(*journal.Log) error { return nil }

// Close has nothing to do.
func (s *Service) Close(context.Context) error { return nil }

// Endpoint is where clients find the service.
func (s *Service) Endpoint() wire.Endpoint {
	return wire.Endpoint{Service: "sts", Variable: "STS", Version: "2011-06-15", Handler: wire.Query("https://sts.amazonaws.com/doc/2011-06-15/", wire.Operations{Service: "sts", ByName: map[string]wire.Operation{
		"GetCallerIdentity": func(context.Context, url.Values) (any, error) {
			return struct {
				Arn     string
				UserID  string `xml:"UserId"`
				Account string
			}{stack.ARN(s.region, "iam", "", s.account, "user/local"), "AIDALOCALLOCALLOCAL", s.account}, nil
		},
		"AssumeRole": func(_ context.Context, form url.Values) (any, error) {
			role, label := form.Get("RoleArn"), form.Get("RoleSessionName")
			name := role[strings.LastIndex(role, "/")+1:]
			if name == "" || label == "" {
				return nil, &stack.Error{Code: "ValidationError", Message: "AssumeRole needs RoleArn and RoleSessionName"}
			}
			return assumed{
				Credentials: session{
					AccessKeyID: "ASIALOCALLOCALLOCAL", SecretAccessKey: "local", SessionToken: "local",
					Expiration: time.Now().UTC().Add(time.Hour).Truncate(time.Second),
				},
				AssumedRoleUser: assumedUser{
					AssumedRoleID: "AROALOCALLOCALLOCAL:" + label,
					Arn:           stack.ARN(s.region, "sts", "", s.account, "assumed-role/"+name+"/"+label),
				},
			}, nil
		},
	}})}
}

type assumed struct {
	Credentials     session
	AssumedRoleUser assumedUser
}

type session struct {
	AccessKeyID     string `xml:"AccessKeyId"`
	SecretAccessKey string
	SessionToken    string
	Expiration      time.Time
}

type assumedUser struct {
	AssumedRoleID string `xml:"AssumedRoleId"`
	Arn           string
}
