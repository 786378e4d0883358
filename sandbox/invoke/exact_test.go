package invoke

import (
	"fmt"
	"testing"
)

// TestExact reads names as they are written, and nothing else.
func TestExact(t *testing.T) {
	for data, want := range map[string]string{
		`{"statusCode":200,"body":"x"}`:                   "200 x <nil>",
		`{"StatusCode":200,"Body":"x"}`:                   "0  <nil>",
		`{"StatusCode":"no","body":"x"}`:                  "0 x <nil>",
		`{"StatusCode":1,"body":"the \"statusCode\" of"}`: `0 the "statusCode" of <nil>`,
		`{"status\u0043ode":200}`:                         "200  <nil>",
		`{"statusCode":"no"}`:                             "0  json: cannot unmarshal string into Go struct field .statusCode of type int",
		`{"statusCode":1,"statusCode":2}`:                 "2  <nil>",
		`{"statusCode":null,"STATUSCODE":3,"body":"x"}`:   "3 x <nil>", // both: the last of them, which nobody writes
		`{}`:   "0  <nil>",
		`null`: "0  <nil>",
		`[]`:   "0  json: cannot unmarshal array into Go value of type struct { StatusCode int \"json:\\\"statusCode\\\"\"; Body string \"json:\\\"body,omitempty\\\"\" }",
		`{`:    "0  unexpected end of JSON input",
	} {
		var r struct {
			StatusCode int    `json:"statusCode"`
			Body       string `json:"body,omitempty"`
		}
		err := Exact([]byte(data), &r)
		if got := fmt.Sprint(r.StatusCode, " ", r.Body, " ", err); got != want {
			t.Errorf("%s: %s, want %s", data, got, want)
		}
	}
}
