package main

import (
	"bufio"
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"regexp"
	"strings"

	"arc/deploy"

	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"
	"golang.org/x/term"
)

// goesOn tells that AWS is at work on a stack that nobody here follows any more.
func goesOn(err error) bool {
	if left, ok := errors.AsType[*deploy.InterruptedError](err); ok && left.Executing {
		return true
	}
	_, ok := errors.AsType[*deploy.GoesOnError](err)
	return ok
}

// plain is an error in other words.
type plain struct {
	error
	text string
}

func (p plain) Error() string { return p.text }
func (p plain) Unwrap() error { return p.error }

// plainly puts what AWS and its SDK answered into words of ours: which right is
// missing, whose credentials they were, how to get new ones.
func (s *session) plainly(err error) error {
	call, ok := errors.AsType[*smithy.OperationError](err)
	if !ok {
		return err
	}
	before, after, _ := strings.Cut(err.Error(), call.Error())
	whose := cmp.Or(s.credentials, "the credentials in use")
	said, hint := "", ""
	var api smithy.APIError
	switch {
	case deploy.IsExpired(err):
		said, hint = fmt.Sprintf("AWS does not take %s any more (%s)", whose, codeOf(err)), s.signIn
	case errors.As(err, &api) && isDenied(api.ErrorCode()):
		said = fmt.Sprintf("%s may not %s", whose, rightOf(call, api))
		hint = "give them that right; arc ci writes the policy that a deploy of this app needs"
	case errors.As(err, &api):
		said = cmp.Or(api.ErrorMessage(), api.ErrorCode())
	case errors.As(err, new(*smithy.DeserializationError)):
		said, hint = fmt.Sprintf("what answered %s is not AWS, or was cut off", call.Operation()), "is there a proxy in between that wants a password?"
	case errors.As(err, new(*smithyhttp.RequestSendError)):
		said = "no answer: " + lastError(call).Error()
	default:
		said = lastError(call).Error()
	}
	told := error(plain{err, before + strings.TrimRight(said, " .") + after})
	var h hinted
	if hint != "" && !errors.As(err, &h) {
		told = withHint(told, "%s", hint)
	}
	return told
}

func codeOf(err error) string {
	var api smithy.APIError
	if errors.As(err, &api) {
		return api.ErrorCode()
	}
	return "no code"
}

func isDenied(code string) bool {
	switch code {
	case "AccessDenied", "AccessDeniedException", "UnauthorizedOperation", "AuthorizationError", "Forbidden", "UnauthorizedAccess":
		return true
	}
	return false
}

// rightOf is the right that an answer says is missing: the action, and on what.
func rightOf(call *smithy.OperationError, api smithy.APIError) string {
	m := regexp.MustCompile(`not authorized to perform: (\S+)(?: on resource: (\S+))?`).FindStringSubmatch(api.ErrorMessage())
	if m == nil {
		return strings.ToLower(strings.ReplaceAll(call.Service(), " ", "")) + ":" + call.Operation()
	}
	if m[2] == "" {
		return m[1]
	}
	return m[1] + " on " + strings.TrimRight(m[2], ".,")
}

// lastError is the innermost error: what happened, without who passed it on.
func lastError(err error) error {
	for {
		inner := errors.Unwrap(err)
		if inner == nil {
			return err
		}
		err = inner
	}
}

// askMFA gives what asks a person for the code of their device; nil where nobody
// sits at a terminal.
func (s *session) askMFA() func(device string) (string, error) {
	in, ok := s.stdin.(*os.File)
	if !ok || s.env("CI") != "" || !term.IsTerminal(int(in.Fd())) {
		return nil
	}
	return func(device string) (string, error) {
		fmt.Fprintf(s.stderr, "MFA code of %s: ", device)
		line, err := bufio.NewReader(in).ReadString('\n')
		if code := strings.TrimSpace(line); code != "" {
			return code, nil
		}
		return "", cmp.Or(err, errors.New("no MFA code was typed"))
	}
}

// where says which account, region and identity a deploy is about to work with,
// and gives the name of who that is.
func (s *session) where(ctx context.Context, clients deploy.Clients) (by string, err error) {
	if clients.Credentials == "" {
		return "", nil // a local cloud
	}
	account, identity, err := clients.Caller(ctx)
	if err != nil {
		return "", err
	}
	s.note("account %s, %s, as %s (%s)", account, clients.Region, identity, clients.Credentials)
	return identity[strings.LastIndex(identity, "/")+1:], nil
}
