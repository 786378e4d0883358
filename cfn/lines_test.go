package cfn

import (
	"fmt"
	"strings"
	"testing"
)

// TestResourceLines: where each resource begins, in JSON of any shape and in YAML.
func TestResourceLines(t *testing.T) {
	for _, c := range []struct{ text, want string }{
		{"Description: x\nResources:\n  A:\n    Type: T\n  # between\n  B: {Type: T}\nOutputs:\n  C: {Value: 1}\n", "A 3:3 B 6:3"},
		{"{\n  \"Parameters\": {\"Resources\": {\"X\": {}}, \"L\": [1, \"Resources\", {\"Y\": [null]}]},\n  \"Resources\": {\n    \"A\": {\"Type\": \"T\", \"Properties\": {\"Resources\": {\"N\": [{\"M\": true}]}}},\n    \"B\": {\n      \"Type\": \"T\"}\n  },\n  \"Outputs\": {\"C\": 1}\n}", "A 4:5 B 5:5"},
		{"\n\n{\"Resources\":{\"A\":{\"Type\":\"{\"},\"B\":{\"Type\":\"[\",\"DependsOn\":[\"A\"]}}}", "A 3:15 B 3:32"},
		{"{\"Resources\": 3, \"A\": {\"B\": {}}}", ""},
		{"{", ""}, {"", ""}, {"- a", ""}, {"Resources: [1]", ""},
	} {
		lines := ResourceLines([]byte(c.text))
		var got []string
		for _, id := range []string{"A", "B", "C", "M", "N", "X", "Y"} {
			if p, ok := lines[id]; ok {
				got = append(got, fmt.Sprintf("%s %d:%d", id, p.Line, p.Col))
			}
		}
		if strings.Join(got, " ") != c.want {
			t.Errorf("%s\n%v, want %s", c.text, got, c.want)
		}
	}
}
