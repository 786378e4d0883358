package ingress

import (
	"fmt"
	"strings"
)

// LambdaName takes the function's name out of an integration URI: API
// Gateway's "…:lambda:path/2015-03-31/functions/ARN/invocations", or the bare
// ARN, with the alias or version at its end; "" for none.
func LambdaName(uri string) (name, qualifier string, err error) {
	arn := uri
	if _, rest, ok := strings.Cut(uri, "/functions/"); ok {
		arn = strings.TrimSuffix(rest, "/invocations")
	}
	fields := strings.Split(arn, ":") // arn:aws:lambda:region:account:function:name[:alias]
	if len(fields) < 7 || len(fields) > 8 || fields[2] != "lambda" || fields[5] != "function" || fields[6] == "" {
		return "", "", fmt.Errorf("integration URI %q: not a Lambda function's; use arn:PARTITION:apigateway:REGION:lambda:path/2015-03-31/functions/ARN/invocations", uri)
	}
	if strings.Contains(fields[6], "${") {
		return "", "", fmt.Errorf("integration URI %q: stage variables in it are not emulated", uri)
	}
	if len(fields) == 8 {
		qualifier = fields[7]
	}
	return fields[6], qualifier, nil
}

// IsFunction reports whether the URI of an AWS integration is a function's.
func IsFunction(uri string) bool { return strings.Contains(uri, ":lambda:path/") }
