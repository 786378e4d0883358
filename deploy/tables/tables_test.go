package tables

import (
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestPlain: every type of a value as JSON that people write.
// https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_AttributeValue.html
func TestPlain(t *testing.T) {
	const item = `{"s":{"S":""},"n":{"N":"1.50"},"yes":{"BOOL":true},"no":{"BOOL":false},"nothing":{"NULL":true},"bytes":{"B":"AQI="},
		"map":{"M":{"a":{"N":"1"}}},"list":{"L":[{"S":"x"},{"L":[]},{"NULL":true}]},"ss":{"SS":["b","a"]},"ns":{"NS":["2","1"]},"bs":{"BS":["AQ=="]}}`
	var in Item
	if err := json.Unmarshal([]byte(item), &in); err != nil {
		t.Fatal(err)
	}
	out, err := Plain(in)
	if err != nil {
		t.Fatal(err)
	}
	text, err := json.Marshal(out)
	if err != nil {
		t.Fatal(err)
	}
	const want = `{"bs":["AQ=="],"bytes":"AQI=","list":["x",[],null],"map":{"a":1},"no":false,"nothing":null,"ns":["2","1"],"n":1.50,"s":"","ss":["b","a"],"yes":true}`
	var a, b any
	json.Unmarshal(text, &a)
	json.Unmarshal([]byte(want), &b)
	if diff := cmp.Diff(b, a); diff != "" {
		t.Error(diff)
	}
	for _, wrong := range []Item{{"a": []byte(`{"S":1}`)}, {"a": []byte(`{"L":[{"S":1}]}`)}, {"a": []byte(`{"M":{"b":[]}}`)}} {
		if _, err := Plain(wrong); err == nil || err.Error()[:12] != "attribute a:" {
			t.Errorf("%s: %v", wrong, err)
		}
	}
}
