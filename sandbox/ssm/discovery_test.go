package ssm

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// Libraries that nobody started find the app that runs from its source and its
// ports; functions, which have both in their environment, find what they find
// when they are deployed.
func TestDiscovery(t *testing.T) {
	s := New("123456789012", "us-east-1")
	for i := range 12 { // more than a page
		if _, err := s.Put(Parameter{Name: fmt.Sprintf("/ShopTesting/tables/t%02d", i), Type: "String", Value: "x"}, false); err != nil {
			t.Fatal(err)
		}
	}
	running := ""
	s.Discover(func() (string, string) { return running, `{"tables":2222}` })
	web := httptest.NewServer(s.Endpoint().Handler)
	defer web.Close()
	ask := func(at, path, key string) (found []string) {
		t.Helper()
		for token := ""; ; {
			body := fmt.Sprintf(`{"Path":%q,"Recursive":true,"NextToken":%q}`, path, token)
			req, err := http.NewRequest("POST", web.URL+at, strings.NewReader(body))
			if err != nil {
				t.Fatal(err)
			}
			req.Header.Set("X-Amz-Target", "AmazonSSM.GetParametersByPath")
			req.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential="+key+"/20260101/us-east-1/ssm/aws4_request, SignedHeaders=host, Signature=0")
			resp, err := http.DefaultClient.Do(req)
			if err != nil {
				t.Fatal(err)
			}
			var out struct {
				Parameters []struct{ Name, Value string }
				NextToken  string
			}
			err = json.NewDecoder(resp.Body).Decode(&out)
			resp.Body.Close()
			if err != nil {
				t.Fatal(err)
			}
			for _, p := range out.Parameters {
				found = append(found, p.Name+" "+p.Value)
			}
			if token = out.NextToken; token == "" {
				return found
			}
		}
	}
	if got := ask(discoveryPath, "/ArcAppTesting", "mine"); len(got) != 0 {
		t.Errorf("without an app: %q", got)
	}
	running = "ShopTesting"
	for _, c := range []struct {
		at, path, key, first string
		count                int
	}{
		{discoveryPath, "/ArcAppTesting", "mine", `/ArcAppTesting/ARC_SANDBOX/ports {"tables":2222}`, 13},
		{discoveryPath, "/ShopTesting", "mine", `/ShopTesting/ARC_SANDBOX/ports {"tables":2222}`, 13},
		{discoveryPath, "/ShopTesting/tables", "mine", "/ShopTesting/tables/t00 x", 12},
		{discoveryPath, "/ShopTesting", "local", "/ShopTesting/tables/t00 x", 12},
		{"/", "/ShopTesting", "mine", "/ShopTesting/tables/t00 x", 12},
		{discoveryPath, "/ShopStaging", "mine", "", 0},
	} {
		got := ask(c.at, c.path, c.key)
		if len(got) != c.count || len(got) > 0 && got[0] != c.first {
			t.Errorf("%s %s %s: %q", c.at, c.path, c.key, got)
		}
	}
}
