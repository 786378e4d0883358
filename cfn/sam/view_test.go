package sam

import (
	"bytes"
	"encoding/json"
	"testing"
	"testing/fstest"

	"arc/manifest"
)

// TestRoleView: plugins see what Architect's shared role may do, each policy with
// its statements, and of the static bucket the one that the app has.
func TestRoleView(t *testing.T) {
	for _, c := range []struct{ name, static, bucket string }{
		{"arc's own bucket", "", `{"Ref":"StaticBucket"}`},
		{"a bucket of the user's", "staging my-own-bucket\n", `"my-own-bucket"`},
	} {
		t.Run(c.name, func(t *testing.T) {
			app, ok := compileApp(t, manifest.Load(fstest.MapFS{
				"app.arc":                      {Data: []byte("@app\nview\n@static\nfolder public\n" + c.static + "@http\nget /\n@tables\nthings\n  id *String\n")},
				"public/index.html":            {Data: []byte("hello")},
				"src/http/get-index/index.mjs": {},
			}, manifest.Options{Region: "us-east-1"}))
			if !ok {
				t.Fatal("it does not compile")
			}
			var view struct {
				Resources struct {
					Role struct {
						Properties struct {
							Policies []struct {
								PolicyName     string
								PolicyDocument struct {
									Statement []struct{ Action, Resource json.RawMessage }
								}
							}
						}
					}
				}
			}
			if err := json.Unmarshal(app.view, &view); err != nil {
				t.Fatal(err)
			}
			resources := map[string]string{}
			for _, p := range view.Resources.Role.Properties.Policies {
				if len(p.PolicyDocument.Statement) == 0 {
					t.Errorf("%s allows nothing", p.PolicyName)
				}
				for _, s := range p.PolicyDocument.Statement {
					if len(s.Action) == 0 || len(s.Resource) == 0 {
						t.Errorf("%s: %+v", p.PolicyName, s)
					}
					var compact bytes.Buffer
					if err := json.Compact(&compact, s.Resource); err != nil {
						t.Fatal(err)
					}
					resources[p.PolicyName] = compact.String()
				}
			}
			want := `[{"Fn::Sub":["arn:aws:s3:::${bukkit}",{"bukkit":` + c.bucket + `}]},{"Fn::Sub":["arn:aws:s3:::${bukkit}/*",{"bukkit":` + c.bucket + `}]}]`
			if got := resources["ArcStaticBucketPolicy"]; got != want {
				t.Errorf("the role reaches %s, want %s", got, want)
			}
			if resources["ArcDynamoPolicy"] == "" || resources["ArcGlobalPolicy"] == "" {
				t.Errorf("the role has %v", resources)
			}
		})
	}
}

// TestPolicyNames: a plugin that goes through the Policies of all resources finds a
// name at each, as with Architect, whose functions have the shared role.
func TestPolicyNames(t *testing.T) {
	app, ok := compileApp(t, manifest.Load(fstest.MapFS{
		"app.arc":                      {Data: []byte("@app\nview\n@static\nfolder public\n@http\nget /\n")},
		"public/index.html":            {Data: []byte("hello")},
		"src/http/get-index/index.mjs": {},
	}, manifest.Options{Region: "us-east-1"}))
	if !ok {
		t.Fatal("it does not compile")
	}
	var view struct {
		Resources map[string]struct {
			Properties struct{ Policies []struct{ PolicyName string } }
		}
	}
	if err := json.Unmarshal(app.view, &view); err != nil {
		t.Fatal(err)
	}
	for id, r := range view.Resources {
		for i, p := range r.Properties.Policies {
			if p.PolicyName == "" {
				t.Errorf("%s: policy %d has no name", id, i)
			}
		}
	}
	if len(view.Resources["StaticAssetHTTPLambdaRole"].Properties.Policies) == 0 {
		t.Error("the role of the asset function allows nothing")
	}
}
