// Package sts is as much of STS as clients need to find out where they are, and
// to take roles. Whoever's keys are not known is the account's local user.
// https://docs.aws.amazon.com/STS/latest/APIReference/API_Operations.html
package sts

import (
	"context"
	"net/url"
	"strconv"
	"strings"
	"time"

	"arc/sandbox/journal"
	"arc/sandbox/rights"
	"arc/sandbox/stack"
	"arc/sandbox/wire"
)

// Service answers for one account.
type Service struct {
	account, region string
	guard           *rights.Guard
}

// New makes the service; the guard makes keys of sessions, and tells who asks.
func New(account, region string, guard *rights.Guard) *Service {
	return &Service{account: account, region: region, guard: guard}
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
		"GetCallerIdentity": func(ctx context.Context, _ url.Values) (any, error) {
			who := identity{stack.ARN(s.region, "iam", "", s.account, "user/local"), "AIDALOCALLOCALLOCAL", s.account}
			if c, ok := rights.Of(ctx); ok {
				who.Arn, who.UserID = c.ARN, c.ID
			}
			return who, nil
		},
		"AssumeRole": s.assumeRole,
	}})}
}

// assumeRole begins a session of a role. Whether the caller may, its trust policy
// among others, was asked before.
// https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html
func (s *Service) assumeRole(_ context.Context, form url.Values) (any, error) {
	role, label := form.Get("RoleArn"), form.Get("RoleSessionName")
	name := role[strings.LastIndex(role, "/")+1:]
	if name == "" || label == "" {
		return nil, &stack.Error{Code: "ValidationError", Message: "AssumeRole needs RoleArn and RoleSessionName"}
	}
	lasts := time.Hour
	if n, err := strconv.Atoi(form.Get("DurationSeconds")); err == nil {
		lasts = time.Duration(n) * time.Second
	}
	until := time.Now().UTC().Add(lasts).Truncate(time.Second)
	id := "AROALOCALLOCALLOCAL"
	arn := stack.ARN(s.region, "sts", "", s.account, "assumed-role/"+name+"/"+label)
	keys := rights.Credentials{AccessKeyID: "ASIALOCALLOCALLOCAL", SecretAccessKey: "local", SessionToken: "local"}
	// A role that is not one of this cloud's bounds nobody.
	if known, ok := s.guard.RoleID(role); ok {
		id = known
		caller := rights.Caller{ARN: arn, ID: id + ":" + label, Role: role, Until: until}
		if policy := form.Get("Policy"); policy != "" {
			caller.Session = []string{policy}
		}
		keys = s.guard.Keys.New(caller)
	}
	return assumed{
		Credentials:     session{keys.AccessKeyID, keys.SecretAccessKey, keys.SessionToken, until},
		AssumedRoleUser: assumedUser{AssumedRoleID: id + ":" + label, Arn: arn},
	}, nil
}

type identity struct {
	Arn     string
	UserID  string `xml:"UserId"`
	Account string
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
