package secretsmanager

import (
	"crypto/rand"
	"math/big"
	"slices"
	"strings"

	"arc/sandbox/stack"
)

// password says how a random one is to be, for GetRandomPassword and for
// GenerateSecretString alike.
// https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_GetRandomPassword.html
type password struct {
	PasswordLength          int
	ExcludeCharacters       string
	ExcludeNumbers          bool
	ExcludePunctuation      bool
	ExcludeUppercase        bool
	ExcludeLowercase        bool
	IncludeSpace            bool
	RequireEachIncludedType *bool
}

// make draws a password; of each kind of letters one is in it, unless that is not
// wanted.
func (p password) make() (string, error) {
	length := p.PasswordLength
	if length == 0 {
		length = 32
	}
	if length < 1 || length > 4096 {
		return "", &stack.Error{Code: "InvalidParameterException", Message: "The password length must be between 1 and 4096 characters."}
	}
	var kinds []string
	for _, kind := range []struct {
		excluded bool
		letters  string
	}{
		{p.ExcludeUppercase, "ABCDEFGHIJKLMNOPQRSTUVWXYZ"}, {p.ExcludeLowercase, "abcdefghijklmnopqrstuvwxyz"}, {p.ExcludeNumbers, "0123456789"},
		{p.ExcludePunctuation, "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~"}, {!p.IncludeSpace, " "},
	} {
		letters := strings.Map(func(r rune) rune {
			if strings.ContainsRune(p.ExcludeCharacters, r) {
				return -1
			}
			return r
		}, kind.letters)
		if !kind.excluded && letters != "" {
			kinds = append(kinds, letters)
		}
	}
	if len(kinds) == 0 {
		return "", &stack.Error{Code: "InvalidParameterException", Message: "The password can't be generated: no characters are left."}
	}
	var out []byte
	if p.RequireEachIncludedType == nil || *p.RequireEachIncludedType {
		for _, letters := range kinds {
			out = append(out, letters[draw(len(letters))])
		}
	}
	all := strings.Join(kinds, "")
	for len(out) < length {
		out = append(out, all[draw(len(all))])
	}
	out = out[:length]
	for i := len(out) - 1; i > 0; i-- { // the required ones stand anywhere
		j := draw(i + 1)
		out[i], out[j] = out[j], out[i]
	}
	return string(slices.Clone(out)), nil
}

// draw is a random number below n.
func draw(n int) int {
	drawn, err := rand.Int(rand.Reader, big.NewInt(int64(n)))
	if err != nil {
		return 0 // it never fails
	}
	return int(drawn.Int64())
}

func (s *Store) randomPassword(in request) (any, error) {
	made, err := in.password.make()
	return map[string]string{"RandomPassword": made}, err
}
