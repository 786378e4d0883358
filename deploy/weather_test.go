package deploy

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/smithy-go"

	"arc/cfn"
)

// foggy lets the first calls of the one kind or of both fail once a change set is
// being executed.
type foggy struct {
	Stacks
	code      string
	events    int // how many calls of DescribeStackEvents fail; -1 = all
	describes int
	executing bool
}

func (f *foggy) refuse(left *int) error {
	if !f.executing || *left == 0 {
		return nil
	}
	*left--
	return &smithy.OperationError{ServiceID: "CloudFormation", OperationName: "DescribeStackEvents", Err: &smithy.GenericAPIError{Code: f.code, Message: "Rate exceeded"}}
}

func (f *foggy) ExecuteChangeSet(ctx context.Context, in *cloudformation.ExecuteChangeSetInput, opts ...func(*cloudformation.Options)) (*cloudformation.ExecuteChangeSetOutput, error) {
	f.executing = true
	return f.Stacks.ExecuteChangeSet(ctx, in, opts...)
}

func (f *foggy) DescribeStackEvents(ctx context.Context, in *cloudformation.DescribeStackEventsInput, opts ...func(*cloudformation.Options)) (*cloudformation.DescribeStackEventsOutput, error) {
	if err := f.refuse(&f.events); err != nil {
		return nil, err
	}
	return f.Stacks.DescribeStackEvents(ctx, in, opts...)
}

func (f *foggy) DescribeStacks(ctx context.Context, in *cloudformation.DescribeStacksInput, opts ...func(*cloudformation.Options)) (*cloudformation.DescribeStacksOutput, error) {
	if err := f.refuse(&f.describes); err != nil {
		return nil, err
	}
	return f.Stacks.DescribeStacks(ctx, in, opts...)
}

// TestProgressThatCannotBeRead: CloudFormation goes on whether it is watched or
// not, so what keeps the events from being read is no failure of the deploy. Only
// credentials that ran out end the watch, and that is said.
func TestProgressThatCannotBeRead(t *testing.T) {
	for _, c := range []struct {
		name              string
		code              string
		events, describes int
		goesOn            bool
		said              []string
	}{
		{"throttled", "Throttling", 5, 0, false, []string{"the progress of stack DemoStaging cannot be read (Throttling); AWS goes on with it", "can be read again"}},
		{"refused", "AccessDenied", -1, 0, false, []string{"cannot be read (access is denied); AWS goes on with it"}},
		{"refused altogether", "AccessDenied", -1, -1, true, nil},
		{"expired", "ExpiredToken", -1, 0, true, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				cloud := inBubble(t)
				clients := (&session{account: cloud}).clients()
				clients.Stacks = &foggy{Stacks: clients.Stacks, code: c.code, events: c.events, describes: c.describes}
				var log strings.Builder
				dp := Deployer{Clients: clients, Progress: func(s Step) { fmt.Fprintln(&log, s.Message) }}
				out, err := dp.Deploy(t.Context(), demo("aaaa", "s3cr3t", nil))
				var left *GoesOnError
				if errors.As(err, &left) != c.goesOn || (err == nil) == c.goesOn {
					t.Fatalf("%+v %v", out, err)
				}
				if c.goesOn && !strings.Contains(err.Error(), "AWS goes on with stack DemoStaging, deploy again to follow it") {
					t.Error(err)
				}
				for _, text := range c.said {
					if strings.Count(log.String(), text) != 1 {
						t.Errorf("%q is not said once:\n%s", text, log.String())
					}
				}
				// Whatever was seen of it, the stack is there, and the next deploy follows.
				if _, out := mustDeploy(t, cloud, demo("aaaa", "s3cr3t", nil)); out.Created {
					t.Errorf("the first deploy made nothing: %+v", out)
				}
			})
		})
	}
}

// TestWhoseCredentials: keys of the environment count before the manifest's
// profile, a profile's own region before the default, a region that is none is
// told before any call, and what does not work says whose it is and what to do.
func TestWhoseCredentials(t *testing.T) {
	const profiles = `
[profile team]
region = eu-north-1
aws_access_key_id = AKIDTEAM
aws_secret_access_key = team
[profile phone]
role_arn = arn:aws:iam::111122223333:role/Admin
mfa_serial = arn:aws:iam::111122223333:mfa/ann
source_profile = team
[profile signed-out]
sso_session = work
sso_account_id = 111122223333
sso_role_name = Admin
[profile over-sso]
role_arn = arn:aws:iam::111122223333:role/Admin
source_profile = signed-out
[profile program]
credential_process = /nowhere/keys
[sso-session work]
sso_start_url = https://work.awsapps.com/start
sso_region = eu-central-1
`
	connect := func(t *testing.T, opts ConnectOptions) (Clients, error) {
		t.Helper()
		if err := os.WriteFile(os.Getenv("AWS_CONFIG_FILE"), []byte(profiles), 0o600); err != nil {
			t.Fatal(err)
		}
		return Connect(t.Context(), opts)
	}
	t.Run("profile", func(t *testing.T) {
		noAWS(t)
		clients, err := connect(t, ConnectOptions{Profile: "team"})
		if err != nil || clients.Region != "eu-north-1" || clients.Credentials != "profile team" {
			t.Errorf("%s %s %v", clients.Region, clients.Credentials, err)
		}
	})
	t.Run("environment", func(t *testing.T) {
		noAWS(t)
		t.Setenv("AWS_ACCESS_KEY_ID", "AKIDCI")
		t.Setenv("AWS_SECRET_ACCESS_KEY", "ci")
		clients, err := connect(t, ConnectOptions{Profile: "team", Region: "eu-west-1"})
		if err != nil || clients.Credentials != "the keys in the environment" {
			t.Errorf("%s %v", clients.Credentials, err)
		}
	})
	for profile, want := range map[string]string{
		"phone":      "no AWS credentials that work: profile phone wants the code of an MFA device, and nobody is there to type it",
		"signed-out": "the single sign-on of profile signed-out ran out, or was never begun; aws sso login --profile signed-out",
		"over-sso":   "the single sign-on of profile over-sso ran out, or was never begun; aws sso login --profile signed-out",
		"program":    "run the program that credential_process of the profile names by hand",
		"nobody":     `profile "nobody" is in neither`,
	} {
		t.Run(profile, func(t *testing.T) {
			noAWS(t)
			t.Setenv("HOME", t.TempDir())
			_, err := connect(t, ConnectOptions{Profile: profile})
			if !errors.Is(err, ErrNoCredentials) || !strings.Contains(fmt.Sprint(err), want) {
				t.Errorf("%v\nwant %s", err, want)
			}
		})
	}
	t.Run("code", func(t *testing.T) {
		noAWS(t)
		asked := ""
		_, err := connect(t, ConnectOptions{Profile: "phone", AskMFA: func(device string) (string, error) {
			asked = device
			return "", errors.New("no code")
		}})
		if asked != "arn:aws:iam::111122223333:mfa/ann" || err == nil {
			t.Errorf("asked for %q: %v", asked, err)
		}
	})
	for _, region := range []string{"us-west", "europe", "eu-west-1a", "us-west-2.evil.example", "xx-west-1"} {
		t.Run(region, func(t *testing.T) {
			noAWS(t)
			t.Setenv("AWS_REGION", region)
			if _, err := connect(t, ConnectOptions{Profile: "team"}); !errors.Is(err, ErrRegion) {
				t.Error(err)
			}
			if _, err := connect(t, ConnectOptions{Region: region}); !errors.Is(err, ErrRegion) {
				t.Error(err)
			}
		})
	}
	for _, region := range []string{"us-west-2", "cn-north-1", "us-gov-east-1", "eusc-de-east-1", "us-isob-east-1", "mx-central-1"} {
		if err := checkRegion(region); err != nil {
			t.Error(err)
		}
	}
}

// TestRemedies: what to do about keys that do not work depends on where they come
// from.
func TestRemedies(t *testing.T) {
	noAWS(t)
	keys := &config.SharedConfig{Profile: "keys", Credentials: aws.Credentials{AccessKeyID: "A", SecretAccessKey: "b"}}
	for _, c := range []struct {
		shared config.SharedConfig
		want   string
	}{
		{*keys, "aws configure --profile keys takes new keys"},
		{config.SharedConfig{Profile: "p", RoleARN: "arn:aws:iam::1:role/R", Source: keys}, "whoever keeps arn:aws:iam::1:role/R has to let the keys of its source_profile take it on"},
		{config.SharedConfig{Profile: "p", SSOSessionName: "work"}, "aws sso login --profile p"},
		{config.SharedConfig{Profile: "p", SSOStartURL: "https://x"}, "aws sso login --profile p"},
		{config.SharedConfig{Profile: "p", RoleARN: "r", Source: &config.SharedConfig{Profile: "q", SSOSessionName: "work"}}, "aws sso login --profile q"},
		{config.SharedConfig{Profile: "p", RoleARN: "r", Source: &config.SharedConfig{Profile: "q", CredentialProcess: "x"}}, "run the program that credential_process of the profile names by hand: it has to give new keys"},
	} {
		got := credentialsOf(aws.Config{ConfigSources: []any{c.shared}})
		if got.remedy != c.want || got.what != "profile "+c.shared.Profile {
			t.Errorf("%+v\nwant %s", got, c.want)
		}
	}
}

// TestWhoseOperation: who comes second is told who began what is under way.
func TestWhoseOperation(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cloud := inBubble(t)
		first, second := demo("aaaa", "s3cr3t", nil), demo("aaaa", "s3cr3t", nil)
		first.By, first.NoWait, second.By = "ann.o'neil@example.com", true, "bob"
		if _, out, err := deployTo(t, cloud, first); err != nil || !out.Running || out.StackID == "" {
			t.Fatalf("%+v %v", out, err)
		}
		var log strings.Builder
		dp := Deployer{Clients: cloud.clients(), Progress: func(s Step) { fmt.Fprintln(&log, s.Message) }}
		if out, err := dp.Deploy(t.Context(), second); err != nil || !out.Unchanged {
			t.Errorf("%+v %v", out, err)
		}
		if want := "which ann-o-neil-example-com began; following that operation"; !strings.Contains(log.String(), want) {
			t.Errorf("%q is not in\n%s", want, log.String())
		}
		if out, err := dp.Follow(t.Context(), "DemoStaging"); err != nil || out.StackName != "DemoStaging" {
			t.Errorf("%+v %v", out, err)
		}
	})
}

// TestDestructionThatCannotBeRead: what goes on at AWS is told as a deploy tells it,
// so that the exit code is the same; what was not begun does not go on.
func TestDestructionThatCannotBeRead(t *testing.T) {
	order := Destruction{App: "demo", Mark: cfn.Mark{App: "demo", Stage: "staging"}, StackName: "DemoStaging", Force: true}
	for _, c := range []struct {
		code              string
		events, describes int
		goesOn            bool
	}{
		{"Throttling", 5, 0, false},
		{"AccessDenied", -1, 0, false},
		{"ExpiredToken", -1, 0, true},
	} {
		t.Run(c.code, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				cloud := inBubble(t)
				mustDeploy(t, cloud, demo("aaaa", "s3cr3t", nil))
				clients := (&session{account: cloud}).clients()
				clients.Stacks = &foggyDeletion{Stacks: clients.Stacks, fog: foggy{Stacks: clients.Stacks, code: c.code, events: c.events, describes: c.describes, executing: true}}
				_, err := (&Deployer{Clients: clients}).Destroy(t.Context(), order)
				left, ok := errors.AsType[*GoesOnError](err)
				if ok != c.goesOn || (err == nil) == c.goesOn {
					t.Fatal(err)
				}
				if ok && (!left.Deleting || !strings.Contains(err.Error(), "AWS goes on with stack DemoStaging, destroy it again to follow it to its end")) {
					t.Error(err)
				}
				if _, err := (&Deployer{Clients: cloud.clients()}).Destroy(t.Context(), order); err != nil || cloud.status(t, "DemoStaging") != "DELETE_COMPLETE" {
					t.Error(err)
				}
			})
		})
	}
	t.Run("refused", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			cloud := inBubble(t)
			mustDeploy(t, cloud, demo("aaaa", "s3cr3t", nil))
			clients := (&session{account: cloud}).clients()
			clients.Stacks = &foggyDeletion{Stacks: clients.Stacks, refuses: true}
			_, err := (&Deployer{Clients: clients}).Destroy(t.Context(), order)
			if _, ok := errors.AsType[*GoesOnError](err); ok || err == nil {
				t.Error(err)
			}
		})
	})
	t.Run("interrupted", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			cloud := inBubble(t)
			mustDeploy(t, cloud, demo("aaaa", "s3cr3t", nil))
			cloud.mu.Lock()
			cloud.resourceTime = time.Minute // or it is over before the first look
			cloud.mu.Unlock()
			ctx, cancel := context.WithCancel(t.Context())
			dp := Deployer{Clients: cloud.clients(), Progress: func(s Step) {
				if s.Kind == "event" {
					cancel()
				}
			}}
			_, err := dp.Destroy(ctx, order)
			if left, ok := errors.AsType[*InterruptedError](err); !ok || !left.Executing || !left.Deleting || !strings.Contains(err.Error(), "AWS goes on with it; destroy it again") {
				t.Error(err)
			}
			_, err = (&Deployer{Clients: cloud.clients()}).Destroy(ctx, order)
			if left, ok := errors.AsType[*InterruptedError](err); !ok || left.Executing || !strings.Contains(err.Error(), "before the deletion of stack DemoStaging began") {
				t.Error(err)
			}
		})
	})
}

// foggyDeletion hides events from the deletion of a stack on, or refuses it.
type foggyDeletion struct {
	Stacks
	fog     foggy
	refuses bool
	begun   bool
}

func (f *foggyDeletion) DeleteStack(ctx context.Context, in *cloudformation.DeleteStackInput, opts ...func(*cloudformation.Options)) (*cloudformation.DeleteStackOutput, error) {
	if f.refuses {
		return nil, &smithy.GenericAPIError{Code: "AccessDenied", Message: "no"}
	}
	f.begun = true
	return f.Stacks.DeleteStack(ctx, in, opts...)
}

func (f *foggyDeletion) DescribeStackEvents(ctx context.Context, in *cloudformation.DescribeStackEventsInput, opts ...func(*cloudformation.Options)) (*cloudformation.DescribeStackEventsOutput, error) {
	if f.begun {
		return f.fog.DescribeStackEvents(ctx, in, opts...)
	}
	return f.Stacks.DescribeStackEvents(ctx, in, opts...)
}

func (f *foggyDeletion) DescribeStacks(ctx context.Context, in *cloudformation.DescribeStacksInput, opts ...func(*cloudformation.Options)) (*cloudformation.DescribeStacksOutput, error) {
	if f.begun {
		return f.fog.DescribeStacks(ctx, in, opts...)
	}
	return f.Stacks.DescribeStacks(ctx, in, opts...)
}
