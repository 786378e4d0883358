package sandbox_test

import (
	"strings"
	"testing"

	"arc/sandbox"
)

const secretTemplate = `{"Resources": {
  "Maker": {"Type": "AWS::Lambda::Function", "Properties": {"Runtime": "nodejs22.x", "Handler": "index.handler", "Role": "arn:aws:iam::000000000000:role/r", "Code": {"ZipFile": "const r = require('cfn-response'); exports.handler = (e, c) => { console.log('asked to ' + e.RequestType + ' ' + e.PhysicalResourceId); r.send(e, c, r.SUCCESS, { Word: 'sesame' }, 'it', true) }"}}},
  "Thing": {"Type": "Custom::Thing", "Properties": {"ServiceToken": {"Fn::GetAtt": ["Maker", "Arn"]}}},
  "Topic": {"Type": "AWS::SNS::Topic", "Properties": {"DisplayName": {"Fn::GetAtt": ["Thing", "Word"]}}}},
  "Outputs": {"Word": {"Value": {"Fn::GetAtt": ["Thing", "Word"]}}}}`

// A custom resource is there in the next run without being asked for again, what it
// keeps secret is in no event and no line of the log, and its Delete has its ID.
func TestCustomResourceStays(t *testing.T) {
	need(t, "node")
	p := newProject(t)
	opts := p.options()
	opts.State = sandbox.State{Dir: t.TempDir()}
	start := func() *sandbox.Cloud {
		c, err := sandbox.Start(opts)
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	c := start()
	s := &publicStack{t: t, c: c, name: "Kept", files: map[string][]byte{"template.yaml": []byte(secretTemplate)}}
	s.up()
	if events := s.events(); s.outputs["Word"] != "*****" || strings.Contains(events, "sesame\"") {
		t.Errorf("the word is shown: %s\n%s", s.outputs, events)
	}
	c.Close()
	c = start()
	defer c.Close()
	s.c = c
	s.settled()
	if s.outputs["Word"] != "*****" {
		t.Errorf("the word is shown by the next run: %s", s.outputs)
	}
	s.step("delete")
	wait(t, func() bool { return p.logged("Maker | asked to Delete it") }, func() string { return strings.Join(p.lines, "\n") })
	p.mu.Lock()
	defer p.mu.Unlock()
	log := strings.Join(p.lines, "\n")
	if strings.Count(log, "asked to Create") != 1 || strings.Contains(log, "sesame") {
		t.Error("asked twice, or the word is in the log:\n" + log)
	}
}
