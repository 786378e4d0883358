package cfn

import "testing"

// TestNumbersOfYAML11 reads numbers as YAML 1.1 spells them, and leaves text.
// https://yaml.org/type/int.html, https://yaml.org/type/float.html
func TestNumbersOfYAML11(t *testing.T) {
	for text, want := range map[string]string{
		"017": "15", "-017": "-15", "+017": "15", "00": "0", "0_17": "15", "018": "", "0": "",
		"0x1F": "31", "-0x1f": "-31", "0x": "", "0x-5": "", "0xG": "", "0x0": "0",
		"0b101": "5", "0b102": "", "0b-1": "", "+0b11": "3",
		"1:30": "90", "1:30:00": "5400", "-1:30": "-90", "0:30": "", "1:60": "", "1:59": "119", "1:030": "", "1:": "", "1:-5": "", "100:00": "6000", "61:01": "3661",
		"1_000": "1000", "1_0.5": "10.5", "0_0.5": "", "0_.5": "0.5", "1_000.": "", "1_0.0.1": "", "-1_000": "-1000", "0_": "0",
		"": "", "-": "", "+": "", "_1": "", "a": "", ":30": "", "--1": "", "1000": "", "1.5": "", "1_a": "",
	} {
		got, ok := numberOf11(text)
		if ok != (want != "") || ok && got != want {
			t.Errorf("%q: %q %v, want %q", text, got, ok, want)
		}
	}
	for text, want := range map[string]bool{"017": true, "-07": true, "+00": true, "0": false, "08": false, "17": false, "0_7": false, "": false, "0x7": false} {
		if got := isOctal(text); got != want {
			t.Errorf("%q is octal: %v", text, got)
		}
	}
}
