package main

import (
	"crypto/sha256"
	"encoding/base32"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"arc/sandbox"
)

// callers is who arc sandbox --as makes: a user named after the file, with a key
// that is the same whenever the file is where it was. It prints the keys.
func (s *session) callers(file string) ([]sandbox.As, error) {
	if file == "" {
		return nil, nil
	}
	file, err := filepath.Abs(file)
	if err != nil {
		return nil, err
	}
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, withHint(fmt.Errorf("--as: %w", err), "name a file with a policy in JSON, as IAM takes it")
	}
	var policy struct{ Statement json.RawMessage }
	if err := json.Unmarshal(text, &policy); err != nil || len(policy.Statement) == 0 {
		return nil, withHint(fmt.Errorf("--as %s: no policy", filepath.Base(file)),
			`write one as IAM takes it: {"Version":"2012-10-17","Statement":[{"Effect":"Allow",...}]}`)
	}
	sum := sha256.Sum256([]byte(file))
	as := sandbox.As{
		Name:        strings.TrimSuffix(filepath.Base(file), filepath.Ext(file)),
		AccessKeyID: "AKIA" + base32.StdEncoding.EncodeToString(sum[:])[:16],
		Policy:      string(text),
	}
	s.note("who may do what %s allows signs with\n  AWS_ACCESS_KEY_ID=%s AWS_SECRET_ACCESS_KEY=local", filepath.Base(file), as.AccessKeyID)
	return []sandbox.As{as}, nil
}
