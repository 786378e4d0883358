package sam

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"arc/cfn"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/txtar"
)

// translatorVersion is the release of aws-sam-translator that made the goldens.
const translatorVersion = "1.110.0"

// translate is Python that expands JSON templates with AWS's own translator, all
// in one process: it reads {name: template} and writes {name: {"template": …} or
// {"errors": […]}}. Nothing is asked of AWS.
const translate = `
import json, logging, os, sys, warnings
warnings.filterwarnings("ignore")
logging.disable(logging.CRITICAL)
os.environ["AWS_DEFAULT_REGION"] = "us-east-1"
import boto3, samtranslator
from samtranslator.internal.managed_policies import get_bundled_managed_policy_map
from samtranslator.model.exceptions import InvalidDocumentException
from samtranslator.parser.parser import Parser
from samtranslator.translator.translator import Translator
from samtranslator.utils.py27hash_fix import to_py27_compatible_template, undo_mark_unicode_str_in_template
session = boto3.Session(region_name="us-east-1", aws_access_key_id="x", aws_secret_access_key="x")
out = {"version": samtranslator.__version__}
for name, t in json.load(sys.stdin).items():
    params = {k: v["Default"] for k, v in (t.get("Parameters") or {}).items() if isinstance(v, dict) and "Default" in v}
    to_py27_compatible_template(t, params)
    try:
        done = Translator(get_bundled_managed_policy_map("aws"), Parser(), boto_session=session).translate(t, parameter_values=params)
        out[name] = {"template": undo_mark_unicode_str_in_template(done)}
    except InvalidDocumentException as e:
        out[name] = {"errors": sorted(getattr(c, "message", str(c)) for c in (e.causes or [e]))}
    except Exception as e:
        out[name] = {"errors": [repr(e)]}
json.dump(out, sys.stdout)
`

type translation struct {
	Template any
	Errors   []string
}

// translated runs AWS's translator over templates by name. It skips, or fails
// under CI, where there is none, or another release than the goldens are of.
func translated(t testing.TB, templates map[string]any) map[string]translation {
	t.Helper()
	if err := exec.Command("python3", "-c", "import samtranslator, boto3").Run(); err != nil {
		if os.Getenv("CI") != "" {
			t.Fatalf("aws-sam-translator is missing: pip install aws-sam-translator==%s boto3", translatorVersion)
		}
		t.Skip("aws-sam-translator is not installed")
	}
	cmd := exec.Command("python3", "-c", translate)
	cmd.Stdin = bytes.NewReader(encode(templates))
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%v\n%s", err, stderr.Bytes())
	}
	var raw map[string]json.RawMessage
	if err := json.Unmarshal(out, &raw); err != nil {
		t.Fatal(err)
	}
	if version := strings.Trim(string(raw["version"]), `"`); version != translatorVersion {
		if os.Getenv("CI") != "" {
			t.Fatalf("aws-sam-translator is %s, and the goldens are of %s", version, translatorVersion)
		}
		t.Skipf("aws-sam-translator is %s, and the goldens are of %s", version, translatorVersion)
	}
	delete(raw, "version")
	done := map[string]translation{}
	for name, body := range raw {
		m := tree(t, body).(map[string]any)
		tr := translation{Template: m["template"]}
		for _, e := range asList(m["errors"]) {
			tr.Errors = append(tr.Errors, asText(e))
		}
		done[name] = tr
	}
	return done
}

type expandCase struct {
	file     string
	archive  *txtar.Archive
	template map[string]any // in.yaml
}

func expandCases(t testing.TB) map[string]expandCase {
	t.Helper()
	files, err := filepath.Glob("testdata/expand/*.txtar")
	if err != nil || len(files) < 60 {
		t.Fatalf("%d cases: %v", len(files), err)
	}
	cases := map[string]expandCase{}
	for _, file := range files {
		ar, err := txtar.ParseFile(file)
		if err != nil || len(ar.Files) == 0 || ar.Files[0].Name != "in.yaml" {
			t.Fatalf("%s: in.yaml comes first: %v", file, err)
		}
		doc, err := cfn.Parse(ar.Files[0].Data)
		if err != nil || doc.Written == nil {
			t.Fatalf("%s: %v", file, err)
		}
		cases[strings.TrimSuffix(filepath.Base(file), ".txtar")] = expandCase{file, ar, doc.Written}
	}
	return cases
}

// TestTranslator: the goldens of testdata/expand, out.json or errors.txt, are what
// AWS's translator makes of in.yaml.
func TestTranslator(t *testing.T) {
	cases := expandCases(t)
	templates := map[string]any{}
	for name, c := range cases {
		templates[name] = c.template
	}
	for name, tr := range translated(t, templates) {
		c := cases[name]
		golden := txtar.File{Name: "out.json"}
		if tr.Errors != nil {
			golden = txtar.File{Name: "errors.txt", Data: []byte(strings.Join(tr.Errors, "\n") + "\n")}
		} else {
			golden.Data = encode(canonicalTemplate(tr.Template))
		}
		want := &txtar.Archive{Comment: c.archive.Comment, Files: []txtar.File{c.archive.Files[0], golden}}
		if bytes.Equal(txtar.Format(want), txtar.Format(c.archive)) {
			continue
		}
		if *update {
			if err := os.WriteFile(c.file, txtar.Format(want), 0o644); err != nil {
				t.Fatal(err)
			}
			continue
		}
		t.Errorf("%s: run go test ./cfn/sam -update and read the difference\n%s", name, cmp.Diff(string(txtar.Format(c.archive)), string(txtar.Format(want))))
	}
}

// TestExpand: we make the same of each case, or refuse it as the translator does.
func TestExpand(t *testing.T) {
	for name, c := range expandCases(t) {
		t.Run(name, func(t *testing.T) {
			written := encode(c.template)
			got, problems := Expand(c.template)
			if !bytes.Equal(encode(c.template), written) {
				t.Error("what was handed in is changed")
			}
			if len(c.archive.Files) < 2 {
				t.Fatal("there is no golden: run go test ./cfn/sam -update")
			}
			golden := c.archive.Files[1]
			if golden.Name == "errors.txt" {
				if len(problems) == 0 {
					t.Fatalf("it is expanded, and the translator refuses it: %s", golden.Data)
				}
				for _, p := range problems {
					if p.Path == "" || p.Message == "" {
						t.Errorf("a problem without place or words: %+v", p)
					}
				}
				return
			}
			for _, p := range problems {
				t.Error(p.Error())
			}
			if diff := cmp.Diff(tree(t, golden.Data), canonicalTemplate(got)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// canonicalTemplate gives a template with what has no order in order, and with one
// name for deployments, whose logical IDs end in a hash of the API's body.
func canonicalTemplate(v any) any {
	v = clone(v)
	root := asObject(v)
	ids := map[string]string{}
	for _, id := range sorted(asObject(root["Resources"])) {
		if m := deploymentName.FindStringSubmatch(id); m != nil {
			ids[id] = m[1] + "HASH"
		}
	}
	text := string(encode(ordered(v)))
	for id, to := range ids {
		text = strings.ReplaceAll(text, id, to)
	}
	text = deploymentHash.ReplaceAllString(text, "RestApi deployment id: HASH")
	dec := json.NewDecoder(strings.NewReader(text))
	dec.UseNumber()
	var out any
	_ = dec.Decode(&out)
	return out
}

var (
	deploymentName = regexp.MustCompile(`^([A-Za-z0-9]+Deployment)[0-9a-f]{10}$`)
	deploymentHash = regexp.MustCompile(`RestApi deployment id: [0-9a-f]{40}`)
)

func ordered(v any) any {
	switch v := v.(type) {
	case object:
		for key, e := range v {
			e = ordered(e)
			if list, ok := e.([]any); ok && (key == "DependsOn" || key == "Tags" || key == "tags" || key == "ManagedPolicyArns" || key == "ApiStages" || key == "StageKeys" || key == "Fn::Or") {
				slices.SortFunc(list, func(a, b any) int { return strings.Compare(compact(a), compact(b)) })
			}
			v[key] = e
		}
		return v
	case []any:
		for i, e := range v {
			v[i] = ordered(e)
		}
	}
	return v
}
