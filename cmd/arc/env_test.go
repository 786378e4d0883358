package main

import (
	"strings"
	"testing"

	"arc/deploy"
)

// TestEnvTellsOthers: whose value takes the place of another that was set at the
// same time is told where that one is, and who set it alone is told nothing.
func TestEnvTellsOthers(t *testing.T) {
	for _, c := range []struct {
		set  deploy.SetOutcome
		want []string
	}{
		{deploy.SetOutcome{Changed: true, Version: 2}, nil},
		{deploy.SetOutcome{Changed: true, Version: 9, Lost: []int64{7, 8}}, []string{"warning: /shop/staging/KEY was set from elsewhere", "version 9, is the one", "version 8: aws ssm get-parameter --with-decryption --name /shop/staging/KEY:8\n"}},
		{deploy.SetOutcome{Changed: true, Version: 1, Removed: true}, []string{"warning: /shop/staging/KEY was removed from elsewhere"}},
	} {
		var stderr strings.Builder
		(&session{stderr: &stderr}).tellOthers(envChanged{From: "/shop/staging/KEY"}, c.set)
		if (c.want == nil) != (stderr.Len() == 0) {
			t.Errorf("%+v: %q", c.set, stderr.String())
		}
		for _, text := range c.want {
			if !strings.Contains(stderr.String(), text) {
				t.Errorf("%+v: no %q in %q", c.set, text, stderr.String())
			}
		}
	}
}
