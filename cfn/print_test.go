package cfn

import (
	"bytes"
	"encoding/json"
	"testing"
)

// FuzzPrint prints any JSON that encoding/json can have made, and reads the
// same back.
func FuzzPrint(f *testing.F) {
	for _, seed := range []string{
		`{}`, `[]`, `"a\u0000b"`, `{"a":[1,-2.5e9,true,{"b":"<&>\u2028\\\"\ud83d\ude00"}],"":{}}`,
		`{"Ref":"x"}`, `{"Fn::GetAtt":["x","y"]}`, `{"Fn::Sub":["${a}${!b}${","x"]}`, `{"DependsOn":["a","a"]}`, `{"Ref":[{"Fn::Sub":1}]}`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, src []byte) {
		var v any
		if json.Unmarshal(src, &v) != nil {
			t.Skip()
		}
		compact, err := json.Marshal(v)
		if err != nil || bytes.Contains(compact, jsonMark) {
			t.Skip()
		}
		p := &printer{known: func(string) (bool, bool) { return true, true }}
		if rest := p.value(compact); len(rest) != 0 {
			t.Fatalf("left over: %s", rest)
		}
		var got any
		if err := json.Unmarshal(p.buf, &got); err != nil {
			t.Fatalf("%v in %s", err, p.buf)
		}
		again, _ := json.Marshal(got)
		if !bytes.Equal(again, compact) {
			t.Fatalf("%s became %s", compact, again)
		}
	})
}
