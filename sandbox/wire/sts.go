package wire

import (
	"context"
	"net/url"
	"strings"
	"time"

	"arc/sandbox/stack"
)

// sts is as much of STS as clients need to find out where they are. Every
// caller is the account's local user.
// https://docs.aws.amazon.com/STS/latest/APIReference/API_Operations.html
func (h *Handler) sts() map[string]operation {
	partition := stack.Partition(h.options.Region)
	return map[string]operation{
		"GetCallerIdentity": func(context.Context, url.Values) (any, error) {
			return struct {
				Arn     string
				UserID  string `xml:"UserId"`
				Account string
			}{"arn:" + partition + ":iam::" + h.options.Account + ":user/local", "AIDALOCALLOCALLOCAL", h.options.Account}, nil
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
					Arn:           "arn:" + partition + ":sts::" + h.options.Account + ":assumed-role/" + name + "/" + label,
				},
			}, nil
		},
	}
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
