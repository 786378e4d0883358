package source

import "testing"

// TestToolErrorsAreErrors leaves out what pip and npm print besides.
func TestToolErrorsAreErrors(t *testing.T) {
	for output, want := range map[string]string{
		"npm error code ETARGET\nnpm error notarget No matching version found for x@^1.\nnpm notice\nnpm notice New minor version of npm available!\nnpm error A complete log of this run can be found in: /home/me/.npm/_logs/x.log\n": "code ETARGET; notarget No matching version found for x@^1.",
		"Collecting x\nERROR: No matching distribution found for x\n\n[notice] A new release of pip is available\n":                                                                                                                     "No matching distribution found for x",
		"one\ntwo\n": "one; two",
	} {
		if said := (toolError{"npm", output}).Error(); said != want {
			t.Errorf("%q\nreads as %q, not %q", output, said, want)
		}
	}
}
