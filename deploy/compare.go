package deploy

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"unicode/utf8"

	"arc/deploy/ssm"

	"arc/cfn"
)

// unchanged tells whether the stack is already what the run would make of it.
// It only reads.
func (r *run) unchanged(ctx context.Context, stack Stack) (bool, error) {
	if !sameStack(stack.Template, r.d.Template) {
		return false, nil
	}
	for name, def := range r.template.Parameters {
		if def.NoEcho {
			continue
		}
		now, ok := stack.Parameters[name]
		if want, known := r.parameter(name, stack.Parameters[cfn.ArtifactBucketParameter]); !ok || !known || now != want {
			return false, nil
		}
	}
	if len(r.d.Tags) > 0 && !maps.Equal(stack.Tags, r.d.Tags) {
		return false, nil
	}
	return r.sameSecrets(ctx, stack)
}

// parameter gives the value that a parameter of the template gets; not known
// when the template leaves it open and the deployment names none.
func (r *run) parameter(name, bucket string) (value string, known bool) {
	if name == cfn.ArtifactBucketParameter {
		if r.d.Bucket != "" {
			bucket = r.d.Bucket
		}
		return bucket, true
	}
	if value, ok := r.d.Parameters[name]; ok {
		return value, true
	}
	def := r.template.Parameters[name].Default
	if def == nil {
		return "", false
	}
	return fmt.Sprint(def), true
}

// sameTemplate compares what two templates say: CloudFormation may hand a
// template back with other spaces than it was sent with, and with a question mark
// for each character that is not ASCII.
// https://github.com/aws/aws-cdk/issues/10523
func sameTemplate(got, sent []byte) bool {
	if bytes.Equal(got, sent) {
		return true
	}
	var x, y, z any
	return json.Unmarshal(got, &x) == nil && json.Unmarshal(sent, &y) == nil &&
		(reflect.DeepEqual(x, y) || json.Unmarshal(inASCII(sent), &z) == nil && reflect.DeepEqual(x, z))
}

func inASCII(text []byte) []byte {
	return bytes.Map(func(r rune) rune {
		if r >= utf8.RuneSelf {
			return '?'
		}
		return r
	}, text)
}

// sameStack is sameTemplate without Metadata, whose mark a stack from before the
// marks lacks: CloudFormation brings another Metadata to a stack only together
// with changes of resources.
// https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/metadata-section-structure.html
func sameStack(deployed, wanted []byte) bool {
	return sameTemplate(withoutMetadata(deployed), withoutMetadata(wanted))
}

func withoutMetadata(template []byte) []byte {
	var sections map[string]json.RawMessage
	if json.Unmarshal(template, &sections) != nil || sections["Metadata"] == nil {
		return template
	}
	delete(sections, "Metadata")
	text, err := json.Marshal(sections)
	if err != nil {
		return template
	}
	return text
}

// CloudFormation never tells the value of a NoEcho parameter, so whether a
// secret changed cannot be read off the stack. What was deployed last is
// therefore remembered as one keyed hash over all of the stack's secrets, the
// stack's ID and the version of the stack that they were deployed with. It is
// kept as an SSM SecureString: reading it takes the right to decrypt, which
// the secrets themselves are guarded by. A stack tag would be readable by
// anyone who may describe the stack, invite guessing, and touch every resource.
// A stack that something else has updated since has another version, and is
// compared by CloudFormation itself.

func secretsParameter(app, stackName string) string {
	return OwnFolder(app) + "/secrets/" + stackName
}

func (r *run) sameSecrets(ctx context.Context, stack Stack) (bool, error) {
	seal := r.secretsSeal(stack)
	if seal == "" {
		return true, nil
	}
	name := secretsParameter(r.d.App, r.d.StackName)
	got, err := r.readParameters(ctx, name)
	if err != nil {
		return false, err
	}
	return hmac.Equal([]byte(got[name]), []byte(seal)), nil
}

// The versions of the values are remembered as well, in the parameter's
// description, which is told without the right to read any value. They are no
// secrets: counters and times.

// SameVersions tells whether the values of an app's environment variables, of
// which only the versions are given (by name), are those that the stack was last
// deployed with. It is not known of a stack that only other tools deployed. When
// one of them has updated the stack since, the answer is no.
func (c Clients) SameVersions(ctx context.Context, app string, versions map[string]string, stack Stack) (same, known bool, err error) {
	name := secretsParameter(app, stack.Name)
	found, err := c.describeParameters(ctx, "Name", "Equals", name)
	if err != nil {
		return false, false, err
	}
	for _, p := range found {
		if seal, sealed := strings.CutPrefix(p.Description, versionsMark); sealed {
			return seal == versionsSeal(stack, versions), true, nil
		}
	}
	return false, false, nil
}

const versionsMark = "deployed with versions "

func versionsSeal(stack Stack, versions map[string]string) string {
	sum := sha256.New()
	fmt.Fprintf(sum, "%q%q", stack.ID, stack.version)
	for _, name := range slices.Sorted(maps.Keys(versions)) {
		fmt.Fprintf(sum, "%q=%q", name, versions[name])
	}
	return hex.EncodeToString(sum.Sum(nil))
}

// rememberSecrets is called once the stack holds the run's secrets.
func (r *run) rememberSecrets(ctx context.Context, stack Stack) error {
	seal := r.secretsSeal(stack)
	if seal == "" {
		return nil
	}
	name := secretsParameter(r.d.App, r.d.StackName)
	_, err := r.Clients.Parameters.PutParameter(ctx, &ssm.PutParameterInput{
		Name: name, Value: seal, Description: versionsMark + versionsSeal(stack, r.d.Versions), Type: ssm.SecureString, Overwrite: true,
	})
	if err != nil {
		return fmt.Errorf("record in SSM as %s which secrets are deployed: %w", name, err)
	}
	return nil
}

// secretsSeal is "" for a template without secrets.
func (r *run) secretsSeal(stack Stack) string {
	secrets := map[string]string{}
	for name, def := range r.template.Parameters {
		if def.NoEcho {
			secrets[name], _ = r.parameter(name, "")
		}
	}
	if len(secrets) == 0 {
		return ""
	}
	mac := hmac.New(sha256.New, []byte(stack.ID))
	fmt.Fprintf(mac, "%q", stack.version)
	for _, name := range slices.Sorted(maps.Keys(secrets)) {
		fmt.Fprintf(mac, "%q=%q", name, secrets[name])
	}
	return hex.EncodeToString(mac.Sum(nil))
}
