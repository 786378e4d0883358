package deploy

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"

	"arc/cfn"
	"arc/deploy/s3"
	"arc/deploy/ssm"
)

// attacker may write to the artifact bucket, and nothing else: the preview's
// role, in the files of arc ci.
type attacker struct {
	t       *testing.T
	clients Clients
	bucket  string
}

// attackerOf finds the artifact bucket that an app's first deployment made.
func attackerOf(t *testing.T, endpoint, app string) *attacker {
	t.Helper()
	clients := connectTo(t, endpoint)
	name := bucketParameter(app)
	got, err := clients.Parameters.GetParameters(t.Context(), &ssm.GetParametersInput{Names: []string{name}, WithDecryption: true})
	if err != nil || len(got.Parameters) != 1 {
		t.Fatalf("%+v %v", got, err)
	}
	return &attacker{t, clients, got.Parameters[0].Value}
}

// plant stores other bytes under a key, with their own right checksum.
func (a *attacker) plant(key, body string) {
	a.t.Helper()
	err := a.clients.Uploads.PutObject(a.t.Context(), s3.Bucket{Name: a.bucket}, s3.Put{Key: key, Body: strings.NewReader(body), Checksum: sha256Text([]byte(body))})
	if err != nil {
		a.t.Error(err)
	}
}

// plantPlain stores other bytes without a checksum that says so.
func (a *attacker) plantPlain(key, body string) {
	a.t.Helper()
	if err := a.clients.Uploads.PutObject(a.t.Context(), s3.Bucket{Name: a.bucket}, s3.Put{Key: key, Body: strings.NewReader(body)}); err != nil {
		a.t.Error(err)
	}
}

// runs is the hash of the code that the function of a stack runs.
func runs(t *testing.T, clients Clients, stackName string) string {
	t.Helper()
	all, err := clients.listResources(t.Context(), stackName)
	if err != nil {
		t.Fatal(err)
	}
	for marker := ""; ; {
		page, next, err := clients.Functions.ListFunctions(t.Context(), marker)
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range page {
			for _, res := range all {
				if aws.ToString(res.PhysicalResourceId) == f.Name {
					return f.CodeSHA256
				}
			}
		}
		if marker = next; marker == "" {
			t.Fatalf("no function of %s", stackName)
		}
	}
}

// hashOf is the hash of what an artifact of the tests holds.
func hashOf(t *testing.T, a Artifact) string {
	t.Helper()
	var zip bytes.Buffer
	if err := a.Write(&zip); err != nil {
		t.Fatal(err)
	}
	return sha256Text(zip.Bytes())
}

// TestPlantedCodeIsNotDeployed stores other bytes under a key before it is
// deployed, both in the local cloud and in moto, which has an S3 and a Lambda
// that are not ours.
func TestPlantedCodeIsNotDeployed(t *testing.T) {
	for where, endpoint := range map[string]string{"local cloud": newLocalCloud(t).endpoint, "moto": moto(t)} {
		t.Run(where, func(t *testing.T) {
			app := "planted"
			var said []string
			dp := Deployer{Clients: connectTo(t, endpoint), Progress: func(s Step) { said = append(said, s.Message) }}
			if _, err := dp.Deploy(t.Context(), motoDemo(app, "aaaa")); err != nil {
				t.Fatal(err)
			}
			attacker := attackerOf(t, endpoint, app)
			for name, plant := range map[string]func(key, body string){"bbbb": attacker.plant, "cccc": attacker.plantPlain} {
				said = nil
				plant(name+".zip", "evil")
				out, err := dp.Deploy(t.Context(), motoDemo(app, name))
				if err != nil || out.Uploaded != 1 {
					t.Errorf("%s: %+v %v", name, out, err)
				}
				if got, want := runs(t, dp.Clients, "PlantedStaging"), hashOf(t, artifact(name)); got != want {
					t.Errorf("%s: runs %s, and %s was packaged", name, got, want)
				}
				warned := strings.Contains(strings.Join(said, "\n"), name+".zip in bucket "+attacker.bucket+" is not what its name says")
				if known := name == "bbbb"; warned != known && where != "local cloud" || known && !warned {
					t.Errorf("%s: said %q", name, said)
				}
			}
			// The key that the deployed template names already: the function is
			// changed otherwise, and its code would be read again with a new role.
			said = nil
			attacker.plant("cccc.zip", "evil")
			d := motoDemo(app, "cccc")
			d.Template = bytes.Replace(d.Template, []byte(`"Runtime": "nodejs22.x"`), []byte(`"Runtime": "nodejs24.x"`), 1)
			if out, err := dp.Deploy(t.Context(), d); err != nil || out.Uploaded != 1 {
				t.Errorf("a key that is deployed: %+v %v", out, err)
			}
			if got, want := runs(t, dp.Clients, "PlantedStaging"), hashOf(t, artifact("cccc")); got != want {
				t.Errorf("a key that is deployed: runs %s, and %s was packaged", got, want)
			}
		})
	}
}

// TestCodePlantedInBetween writes the key again after it was proven and before
// CloudFormation hands it to Lambda. The deploy ends as failed, with the
// function named, and so does the next one, which finds nothing to change.
func TestCodePlantedInBetween(t *testing.T) {
	for where, endpoint := range map[string]string{"local cloud": newLocalCloud(t).endpoint, "moto": moto(t)} {
		t.Run(where, func(t *testing.T) {
			const app = "between"
			proxy := &faultProxy{target: endpoint}
			dp := Deployer{Clients: connectTo(t, proxy.start(t))}
			if _, err := dp.Deploy(t.Context(), motoDemo(app, "aaaa")); err != nil {
				t.Fatal(err)
			}
			attacker := attackerOf(t, endpoint, app)
			proxy.before = func(call string) {
				if call == "ExecuteChangeSet" {
					attacker.plant("bbbb.zip", "evil")
				}
			}
			for range 2 {
				var tampered *TamperedError
				_, err := dp.Deploy(t.Context(), motoDemo(app, "bbbb"))
				if !errors.As(err, &tampered) || !tampered.Changed || !strings.Contains(err.Error(), "GetIndexHTTPLambda (") || !strings.Contains(err.Error(), sha256Text([]byte("evil"))) {
					t.Fatalf("deployed planted code: %v", err)
				}
			}
			proxy.before = nil
			if _, err := dp.Deploy(t.Context(), motoDemo(app, "cccc")); err != nil {
				t.Error(err)
			}
		})
	}
}

// keptSums are hashes that a test keeps between deploys.
type keptSums map[string]string

func (k keptSums) Get(name string) string { return k[name] }
func (k keptSums) Put(name, sum string)   { k[name] = sum }

// TestKeptSums deploys with the hashes that an earlier deploy kept: nothing is
// packed again, what was planted is found all the same, and a hash that is wrong
// is worked out anew before anybody is accused.
func TestKeptSums(t *testing.T) {
	endpoint := newLocalCloud(t).endpoint
	kept, packed, said := keptSums{}, 0, ""
	demo := func(code string) Deployment {
		d := motoDemo("kept", code)
		for i, a := range d.Artifacts {
			d.Artifacts[i].Write = func(w io.Writer) error { packed++; return a.Write(w) }
		}
		return d
	}
	dp := Deployer{Clients: connectTo(t, endpoint), Sums: kept, Progress: func(s Step) { said += s.Message + "\n" }}
	deploy := func(code string) error {
		packed, said = 0, ""
		_, err := dp.Deploy(t.Context(), demo(code))
		return err
	}
	if err := deploy("aaaa"); err != nil || packed != 1 {
		t.Fatalf("%v, packed %d times", err, packed)
	}
	if err := deploy("aaaa"); err != nil || packed != 0 {
		t.Errorf("unchanged: %v, packed %d times", err, packed)
	}
	kept["aaaa.zip"] = sha256Text([]byte("something else"))
	if err := deploy("aaaa"); err != nil || packed != 1 || strings.Contains(said, "not what its name says") || kept["aaaa.zip"] != hashOf(t, artifact("aaaa")) {
		t.Errorf("a wrong hash: %v, packed %d times, keeps %s: %s", err, packed, kept["aaaa.zip"], said)
	}

	// Planted under a key whose hash is known: found, and stored anew.
	attacker := attackerOf(t, endpoint, "kept")
	kept["bbbb.zip"] = hashOf(t, artifact("bbbb"))
	attacker.plant("bbbb.zip", "evil")
	if err := deploy("bbbb"); err != nil || !strings.Contains(said, "bbbb.zip in bucket "+attacker.bucket+" is not what its name says") {
		t.Errorf("%v: %s", err, said)
	}
	if got := runs(t, dp.Clients, "KeptStaging"); got != hashOf(t, artifact("bbbb")) {
		t.Errorf("runs %s", got)
	}
	// Planted after the proof.
	proxy := &faultProxy{target: endpoint}
	dp.Clients = connectTo(t, proxy.start(t))
	proxy.before = func(call string) {
		if call == "ExecuteChangeSet" {
			attacker.plant("cccc.zip", "evil")
		}
	}
	kept["cccc.zip"] = hashOf(t, artifact("cccc"))
	for range 2 {
		if err := deploy("cccc"); !errors.As(err, new(*TamperedError)) {
			t.Errorf("deployed planted code: %v", err)
		}
	}
}

// largeDemo is the demo app with a template that has to go through the bucket.
func largeDemo(app, code string) Deployment {
	d := motoDemo(app, code)
	d.Template = append(d.Template, bytes.Repeat([]byte(" \n"), cfn.MaxInlineTemplate)...)
	return d
}

// TestPlantedTemplate plants a long template: before it is deployed, and between
// the upload and the change set.
func TestPlantedTemplate(t *testing.T) {
	endpoint := newLocalCloud(t).endpoint
	proxy := &faultProxy{target: endpoint}
	dp := Deployer{Clients: connectTo(t, proxy.start(t))}
	if _, err := dp.Deploy(t.Context(), motoDemo("long", "aaaa")); err != nil {
		t.Fatal(err)
	}
	attacker := attackerOf(t, endpoint, "long")
	d := largeDemo("long", "bbbb")
	sum := sha256.Sum256(d.Template)
	key := "staging/" + hex.EncodeToString(sum[:]) + "-template.json"
	evil := strings.Replace(string(d.Template), `"Handler": "index.handler"`, `"Handler": "evil.handler"`, 1)

	attacker.plant(key, evil)
	proxy.before = func(call string) {
		if call == "CreateChangeSet" {
			attacker.plant(key, evil)
		}
	}
	before, err := dp.Clients.Describe(t.Context(), "LongStaging")
	if err != nil {
		t.Fatal(err)
	}
	var tampered *TamperedError
	if _, err := dp.Deploy(t.Context(), d); !errors.As(err, &tampered) || tampered.Changed || !strings.Contains(err.Error(), key) {
		t.Fatalf("planted in between: %v", err)
	}
	after, err := dp.Clients.Describe(t.Context(), "LongStaging")
	if err != nil || after.version != before.version {
		t.Errorf("the stack was changed: %+v %v", after, err)
	}
	proxy.before = nil
	if _, err := dp.Deploy(t.Context(), d); err != nil {
		t.Fatal(err)
	}
	if after, err = dp.Clients.Describe(t.Context(), "LongStaging"); err != nil || bytes.Contains(after.Template, []byte("evil")) || !bytes.Contains(after.Template, []byte("bbbb")) {
		t.Errorf("deployed: %v\n%.300s", err, after.Template)
	}
}

// nestedDemo is an app whose table is in a nested stack.
func nestedDemo(app, attribute string) Deployment {
	body, _ := json.Marshal(map[string]any{"Resources": map[string]any{"NotesTable": map[string]any{"Type": "AWS::DynamoDB::Table", "Properties": map[string]any{
		"BillingMode": "PAY_PER_REQUEST", "KeySchema": []any{map[string]any{"AttributeName": "id", "KeyType": "HASH"}},
		"AttributeDefinitions":    []any{map[string]any{"AttributeName": "id", "AttributeType": "S"}},
		"TimeToLiveSpecification": map[string]any{"AttributeName": attribute, "Enabled": true},
	}}}})
	sum := sha256.Sum256(body)
	key := "staging/" + hex.EncodeToString(sum[:]) + ".json"
	d := motoDemo(app, "aaaa")
	d.Template = bytes.Replace(d.Template, []byte(`"Resources": {`), fmt.Appendf(nil,
		`"Resources": {"Inner": {"Type": "AWS::CloudFormation::Stack", "Properties": {"TemplateURL": {"Fn::Sub": "https://s3.${AWS::Region}.${AWS::URLSuffix}/${ArtifactBucket}/%s"}}},`, key), 1)
	d.Artifacts = append(d.Artifacts, Artifact{Key: key, Label: "template of Inner", Write: func(w io.Writer) error { _, err := w.Write(body); return err }})
	return d
}

// TestPlantedNestedTemplate plants the template of a nested stack: before, which
// is stored anew; before the change set is made, which is seen in it where
// CloudFormation makes one for the nested stack, and otherwise afterwards.
func TestPlantedNestedTemplate(t *testing.T) {
	endpoint := newLocalCloud(t).endpoint
	proxy := &faultProxy{target: endpoint}
	dp := Deployer{Clients: connectTo(t, proxy.start(t))}
	if _, err := dp.Deploy(t.Context(), motoDemo("nest", "aaaa")); err != nil {
		t.Fatal(err)
	}
	attacker := attackerOf(t, endpoint, "nest")
	evil := func(d Deployment) string {
		var body strings.Builder
		if err := d.Artifacts[1].Write(&body); err != nil {
			t.Fatal(err)
		}
		return strings.Replace(body.String(), "PAY_PER_REQUEST", "PROVISIONED", 1)
	}

	first := nestedDemo("nest", "one")
	attacker.plant(first.Artifacts[1].Key, evil(first))
	if _, err := dp.Deploy(t.Context(), first); err != nil {
		t.Fatalf("planted before: %v", err)
	}
	second := nestedDemo("nest", "two")
	proxy.before = func(call string) {
		if call == "CreateChangeSet" {
			attacker.plant(second.Artifacts[1].Key, evil(second))
		}
	}
	var tampered *TamperedError
	if _, err := dp.Deploy(t.Context(), second); !errors.As(err, &tampered) || tampered.Changed || !strings.Contains(err.Error(), "Inner: ") {
		t.Errorf("planted before the change set: %v", err)
	}
	third := nestedDemo("late", "one")
	proxy.before = nil
	if _, err := dp.Deploy(t.Context(), motoDemo("late", "aaaa")); err != nil {
		t.Fatal(err)
	}
	attacker = attackerOf(t, endpoint, "late")
	proxy.before = func(call string) {
		if call == "ExecuteChangeSet" {
			attacker.plant(third.Artifacts[1].Key, evil(third))
		}
	}
	if _, err := dp.Deploy(t.Context(), third); !errors.As(err, &tampered) || !tampered.Changed || !strings.Contains(err.Error(), "Inner: another template than "+third.Artifacts[1].Key) {
		t.Errorf("planted before the execution: %v", err)
	}
}

// TestWordsOfMoreThanASCII: CloudFormation tells them as question marks.
func TestWordsOfMoreThanASCII(t *testing.T) {
	for _, c := range []struct {
		got, sent string
		same      bool
	}{
		{`{"Description":"caf?"}`, `{"Description": "café"}`, true}, {`{"Description":"??"}`, `{"Description":"請月"}`, true},
		{`{"Description":"cafe"}`, `{"Description":"café"}`, false}, {`{"a":"x?"}`, `{"a":"xy"}`, false}, {`{"a":"é"}`, `{"a":"é"}`, true},
	} {
		if got := sameTemplate([]byte(c.got), []byte(c.sent)); got != c.same {
			t.Errorf("%s and %s: %v", c.got, c.sent, got)
		}
	}
	if !sameStack([]byte(`{"Resources":{"A":1}}`), []byte(`{"Metadata":{"arc":{}},"Resources":{"A":1}}`)) {
		t.Error("a stack from before the marks has to change for the mark alone")
	}
}
