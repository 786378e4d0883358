package main

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/rogpeppe/go-internal/diff"
	"github.com/rogpeppe/go-internal/txtar"
)

// account answers, over AWS's own protocols, for a stack that an account has:
// the template as it was sent and as its macro made it, and a bucket that may
// not be read.
type account struct {
	original, processed string
	nested              map[string]string // logical ID → template; "" = may not be read
}

const stackID = "arn:aws:cloudformation:us-west-2:123456789012:stack/NotesStaging/1"

func (a account) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	r.ParseForm()
	switch action := r.Form.Get("Action"); {
	case action == "DescribeStacks":
		fmt.Fprintf(w, `<DescribeStacksResponse><DescribeStacksResult><Stacks><member><StackName>NotesStaging</StackName><StackId>%s</StackId>
			<StackStatus>UPDATE_COMPLETE</StackStatus><CreationTime>2026-01-01T00:00:00Z</CreationTime><Parameters><member><ParameterKey>ArtifactBucket</ParameterKey>
			<ParameterValue>private</ParameterValue></member></Parameters></member></Stacks></DescribeStacksResult></DescribeStacksResponse>`, stackID)
	case action == "GetCallerIdentity":
		fmt.Fprint(w, `<GetCallerIdentityResponse><GetCallerIdentityResult><Account>123456789012</Account></GetCallerIdentityResult></GetCallerIdentityResponse>`)
	case action == "GetTemplate":
		body := a.original
		if r.Form.Get("TemplateStage") == "Processed" {
			body = a.processed
		}
		if id, ok := strings.CutPrefix(r.Form.Get("StackName"), "arn:nested/"); ok {
			if body = a.nested[id]; body == "" {
				w.WriteHeader(http.StatusForbidden)
				fmt.Fprint(w, `<ErrorResponse><Error><Code>AccessDenied</Code><Message>User: arn:aws:iam::123456789012:user/me is not authorized</Message></Error></ErrorResponse>`)
				return
			}
		}
		fmt.Fprintf(w, `<GetTemplateResponse><GetTemplateResult><TemplateBody><![CDATA[%s]]></TemplateBody></GetTemplateResult></GetTemplateResponse>`, body)
	case action == "ListStackResources":
		fmt.Fprint(w, `<ListStackResourcesResponse><ListStackResourcesResult><StackResourceSummaries>`)
		for id := range a.nested {
			fmt.Fprintf(w, `<member><LogicalResourceId>%s</LogicalResourceId><PhysicalResourceId>arn:nested/%[1]s</PhysicalResourceId><ResourceType>AWS::CloudFormation::Stack</ResourceType><ResourceStatus>UPDATE_COMPLETE</ResourceStatus></member>`, id)
		}
		fmt.Fprint(w, `</StackResourceSummaries></ListStackResourcesResult></ListStackResourcesResponse>`)
	case strings.HasPrefix(r.Header.Get("X-Amz-Target"), "AmazonSSM"):
		fmt.Fprint(w, `{"Parameters": []}`)
	case strings.HasPrefix(r.URL.Path, "/private/"):
		w.WriteHeader(http.StatusForbidden)
		fmt.Fprint(w, `<Error><Code>AccessDenied</Code><Message>Access Denied</Message><RequestId>R4ND0M</RequestId></Error>`)
	default:
		w.WriteHeader(http.StatusBadRequest)
		fmt.Fprintf(w, "%s %s %s", r.Method, r.URL, action)
	}
}

// TestDiffWithAnAccount runs testdata/deployed/*.txtar: a project, the template
// of its stack (original; processed, when a macro made it; NAME.nested of each
// nested stack, empty when it may not be read), and what arc diff says.
func TestDiffWithAnAccount(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("../../testdata/deployed/*.txtar")
	if err != nil || len(files) == 0 {
		t.Fatalf("no cases: %v", err)
	}
	arc := buildArc(t)
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txtar"), func(t *testing.T) {
			archive, err := txtar.ParseFile(file)
			if err != nil {
				t.Fatal(err)
			}
			a := account{nested: map[string]string{}}
			project := fstest.MapFS{}
			for _, f := range archive.Files {
				body := string(f.Data)
				switch nested, isNested := strings.CutSuffix(f.Name, ".nested"); {
				case isNested:
					a.nested[nested] = strings.TrimSpace(body)
				case f.Name == "original":
					a.original = body
				case f.Name == "processed":
					a.processed = body
				case f.Name != "want.text":
					project[f.Name] = &fstest.MapFile{Data: f.Data}
				}
			}
			dir := t.TempDir()
			if err := os.CopyFS(dir, project); err != nil {
				t.Fatal(err)
			}
			endpoint := httptest.NewServer(a)
			defer endpoint.Close()
			got := diffAgainst(t, arc, dir, endpoint.URL)
			last := &archive.Files[len(archive.Files)-1]
			if *update {
				last.Data = got
				if err := os.WriteFile(file, txtar.Format(archive), 0o666); err != nil {
					t.Fatal(err)
				}
			}
			if d := diff.Diff("want", last.Data, "got", got); d != nil {
				t.Errorf("%s", d)
			}
		})
	}
}

// diffAgainst is what arc diff prints, and its exit code.
func diffAgainst(t *testing.T, arc, dir, endpoint string) []byte {
	t.Helper()
	cmd := exec.Command(arc, "diff")
	cmd.Dir = dir
	cmd.Env = append(arcEnv(dir), "AWS_ENDPOINT_URL="+endpoint, "AWS_ACCESS_KEY_ID=a", "AWS_SECRET_ACCESS_KEY=b", "AWS_REGION=us-west-2",
		"AWS_CONFIG_FILE="+os.DevNull, "AWS_SHARED_CREDENTIALS_FILE="+os.DevNull)
	out, err := cmd.CombinedOutput()
	if cmd.ProcessState == nil {
		t.Fatal(err)
	}
	return fmt.Appendf(out, "exit code %d\n", cmd.ProcessState.ExitCode())
}
