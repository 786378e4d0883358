package deploy

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"regexp"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/credentials/stscreds"
)

// keysInEnvironment tells credentials that the environment has, as in continuous
// integration: they count before the manifest's profile, which is a person's.
// https://docs.aws.amazon.com/sdkref/latest/guide/standardized-credentials.html
func keysInEnvironment() bool {
	return os.Getenv("AWS_ACCESS_KEY_ID") != "" && os.Getenv("AWS_SECRET_ACCESS_KEY") != "" ||
		os.Getenv("AWS_WEB_IDENTITY_TOKEN_FILE") != "" ||
		os.Getenv("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI") != "" || os.Getenv("AWS_CONTAINER_CREDENTIALS_FULL_URI") != ""
}

// partitions are the patterns of the regions of AWS's partitions.
// https://github.com/boto/botocore/blob/develop/botocore/data/partitions.json
const partitions = `^((us|eu|ap|sa|ca|me|af|il|mx)-\w+-\d+|cn-\w+-\d+|eusc-(de)-\w+-\d+|(us-iso|us-isob|us-isof|eu-isoe|us-gov)-\w+-\d+)$`

// ErrRegion tells a region that AWS cannot have.
var ErrRegion = errors.New("no region of AWS")

// checkRegion refuses what no partition has, which no call could reach. An
// endpoint of the user's own may call its region as it likes.
func checkRegion(region string) error {
	if region == "" || os.Getenv("AWS_ENDPOINT_URL") != "" {
		return nil
	}
	if ok, err := regexp.MatchString(partitions, region); err != nil || ok {
		return err
	}
	return fmt.Errorf("%w: %q; write one like eu-west-1, in AWS_REGION, the profile or @aws region", ErrRegion, region)
}

// withMFA has a person asked for the code of their device.
func withMFA(ask func(device string) (string, error)) func(*config.LoadOptions) error {
	return config.WithAssumeRoleCredentialOptions(func(o *stscreds.AssumeRoleOptions) {
		o.TokenProvider = func() (string, error) {
			if ask == nil {
				return "", errNobody
			}
			return ask(aws.ToString(o.SerialNumber))
		}
	})
}

// errNobody: a code of an MFA device is wanted, and nobody is there to type it.
var errNobody = errors.New("nobody is there to type the code of an MFA device")

// slowAfter is how long something may take without a word.
const slowAfter = 3 * time.Second

// slowly says what is waited for when it takes long; done ends that.
func slowly(note func(string), what string) (done func()) {
	if note == nil {
		return func() {}
	}
	timer := time.AfterFunc(slowAfter, func() { note(what) })
	return func() { timer.Stop() }
}

// keysFrom is where credentials come from.
type keysFrom struct{ what, remedy string }

// credentialsOf says where a configuration's credentials come from, and how to
// get new ones.
func credentialsOf(cfg aws.Config) keysFrom {
	var env config.EnvConfig
	var shared config.SharedConfig
	for _, s := range cfg.ConfigSources {
		switch s := s.(type) {
		case config.EnvConfig:
			env = s
		case config.SharedConfig:
			shared = s
		}
	}
	if keysInEnvironment() {
		return keysFrom{"the keys in the environment", "get new ones for AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN; or unset them, so that the profile counts"}
	}
	profile := cmp.Or(shared.Profile, env.SharedConfigProfile, "default")
	from := keysFrom{what: "profile " + profile}
	at := &shared
	for at.Source != nil && at.SSOSessionName == "" && at.SSOStartURL == "" && at.CredentialProcess == "" {
		at = at.Source
	}
	switch {
	case at.SSOSessionName != "" || at.SSOStartURL != "":
		from.remedy = "aws sso login --profile " + cmp.Or(at.Profile, profile)
	case at.CredentialProcess != "":
		from.remedy = "run the program that credential_process of the profile names by hand: it has to give new keys"
	case shared.RoleARN != "":
		from.remedy = fmt.Sprintf("whoever keeps %s has to let the keys of its source_profile take it on", shared.RoleARN)
	default:
		from.remedy = "aws configure --profile " + profile + " takes new keys"
	}
	return from
}

// withoutCredentials tells apart that nothing is set up, where the SDK only
// says what it tried last, from what is set up but does not work: a session
// that ran out, a role that may not be assumed.
func withoutCredentials(err error, from keysFrom) error {
	text := err.Error()
	switch {
	case strings.Contains(text, "EC2 IMDS"):
		return fmt.Errorf("%w: neither the environment nor ~/.aws has any", ErrNoCredentials)
	case errors.Is(err, errNobody) || strings.Contains(text, errNobody.Error()):
		return fmt.Errorf("%w that work: %s wants the code of an MFA device, and nobody is there to type it; sign in where somebody is, and pass on the session's keys", ErrNoCredentials, from.what)
	case strings.Contains(text, "SSO") && (strings.Contains(text, "token") || strings.Contains(text, "expired") || strings.Contains(text, "refresh")):
		return fmt.Errorf("%w that work: the single sign-on of %s ran out, or was never begun; %s", ErrNoCredentials, from.what, from.remedy)
	case isCode(err, "AccessDenied", "AccessDeniedException"):
		return fmt.Errorf("%w that work: %s may not take on its role; %s", ErrNoCredentials, from.what, from.remedy)
	case isExpired(err):
		return fmt.Errorf("%w that work: those of %s ran out; %s", ErrNoCredentials, from.what, from.remedy)
	}
	return fmt.Errorf("%w that work: %s: %s; %s", ErrNoCredentials, from.what, lastOf(err), from.remedy)
}

// lastOf is what the innermost error says: the SDK wraps what happened in the
// names of all that it went through.
func lastOf(err error) string {
	for {
		inner := errors.Unwrap(err)
		if inner == nil {
			return err.Error()
		}
		err = inner
	}
}

// isExpired tells an answer of AWS to credentials that are no good any more, or
// never were. https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/CommonErrors.html
func isExpired(err error) bool {
	return isCode(err, "ExpiredToken", "ExpiredTokenException", "RequestExpired", "InvalidClientTokenId", "UnrecognizedClientException",
		"InvalidAccessKeyId", "SignatureDoesNotMatch", "InvalidSignatureException", "AuthFailure", "IncompleteSignature", "InvalidToken", "MissingAuthenticationToken", "NotAuthorized")
}

// IsExpired tells that credentials are not good any more, or never were.
func IsExpired(err error) bool { return isExpired(err) }
