package diff

import "testing"

// TestCovers: an acceptance names all resources of an item, and "-" one of none.
func TestCovers(t *testing.T) {
	for _, c := range []struct {
		named     string
		resources []string
		want      bool
	}{
		{"-", nil, true}, {"-", []string{"A"}, false}, {"A", []string{"A"}, true}, {"A", []string{"A", "B"}, false}, {"B,A", []string{"A", "B"}, true}, {"A,B", []string{"A"}, true},
	} {
		if got := (Acceptance{Resources: c.named}).covers(c.resources); got != c.want {
			t.Errorf("%s covers %v: %v", c.named, c.resources, got)
		}
	}
}

// TestUnreadText: what of a policy cannot be read is called by what it is.
func TestUnreadText(t *testing.T) {
	for text, want := range map[string]string{
		`{"Ref":"Policy"}`:                         "what ${Policy} gives",
		`{"Fn::GetAtt":["Maker","Statement"]}`:     "what ${Maker.Statement} gives",
		`{"Fn::If":["Live",{"Sid":"a"},{}]}`:       "what the condition Live decides",
		`{"Fn::ImportValue":"x"}`:                  "what Fn::ImportValue gives",
		`{"Fn::Sub":"x"}`:                          "a policy that is text, and no JSON before the deploy",
		`{"Sid":"Read","Effect":"Allow"}`:          "the statement Read",
		`{"Effect":"Allow","Action":"*"}`:          "a statement",
		`{"Action":"*","Resource":"*"}`:            "a policy of another form",
		`arn:aws:iam::aws:policy/SomethingManaged`: "",
	} {
		if got := unreadText(text); got != want {
			t.Errorf("%s: %q", text, got)
		}
	}
}

// TestPortsWithin: of two that open ports of one protocol, one lies within the other
// also where they begin or end together.
func TestPortsWithin(t *testing.T) {
	wide := ports{"G", "tcp", "80", "90"}
	for _, c := range []struct {
		from, to, protocol string
		want               bool
	}{
		{"80", "85", "tcp", true}, {"85", "90", "tcp", true}, {"81", "82", "tcp", true}, {"80", "90", "tcp", true},
		{"79", "85", "tcp", false}, {"85", "91", "tcp", false}, {"81", "82", "udp", false}, {"", "", "tcp", false}, {"x", "82", "tcp", false},
	} {
		if got := (ports{"G", c.protocol, c.from, c.to}).within(wide); got != c.want {
			t.Errorf("%s to %s of %s: %v", c.from, c.to, c.protocol, got)
		}
	}
}

// TestRenamed: a name that is a part of a longer one is not the name.
func TestRenamed(t *testing.T) {
	for text, want := range map[string]string{
		"Job runs":           "Task runs",
		"the Job, twice":     "the Task, twice",
		"Job: no Job":        "Task: no Task",
		"Custom::Job":        "Custom::Job",
		"Job::Of":            "Job::Of",
		"JobZ":               "JobZ",
		"ZJob aJob zJob":     "ZJob aJob zJob",
		"AJob Job_ 0Job9":    "AJob Job_ 0Job9",
		"Joba Jobz JobA Job": "Joba Jobz JobA Task",
	} {
		if got := renamed(text, "Job", "Task"); got != want {
			t.Errorf("%s: %s", text, got)
		}
	}
}
