package ingress

import (
	"context"
	"crypto"
	"crypto/rsa"
	_ "crypto/sha256" // RS256
	_ "crypto/sha512" // RS384, RS512
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"math/big"
	"slices"
	"strings"
	"time"
)

// hashes are of the algorithms that JWT authorizers take.
var hashes = map[string]crypto.Hash{"RS256": crypto.SHA256, "RS384": crypto.SHA384, "RS512": crypto.SHA512}

// KeySets gives the JSON Web Key Set of an issuer of tokens; nil = nobody's.
type KeySets func(ctx context.Context, issuer string) ([]byte, error)

// Bearer is whose tokens are taken: those of an issuer, for one of an audience;
// an audience of nobody is everybody.
type Bearer struct {
	Issuer   string
	Audience []string
}

// Read checks a token's signature and claims, and gives the claims.
func (b Bearer) Read(ctx context.Context, keys KeySets, token string, now time.Time) (map[string]json.RawMessage, error) {
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		return nil, errors.New("the token is no JWT")
	}
	var header struct{ Alg, Kid string }
	var claims map[string]json.RawMessage
	signature, err := base64.RawURLEncoding.DecodeString(parts[2])
	if err = errors.Join(err, decodePart(parts[0], &header), decodePart(parts[1], &claims)); err != nil || claims == nil {
		return nil, errors.New("the token is no JWT")
	}
	hash, ok := hashes[header.Alg]
	if !ok {
		return nil, fmt.Errorf("the token's algorithm is %q; RS256, RS384 and RS512 are taken", header.Alg)
	}
	key, err := keys.publicKey(ctx, b.Issuer, header.Kid)
	if err != nil {
		return nil, err
	}
	sum := hash.New()
	sum.Write([]byte(parts[0] + "." + parts[1]))
	if rsa.VerifyPKCS1v15(key, hash, sum.Sum(nil), signature) != nil {
		return nil, errors.New("the token's signature is not that of its key")
	}
	return claims, b.checkClaims(claims, now)
}

func decodePart(part string, into any) error {
	data, err := base64.RawURLEncoding.DecodeString(part)
	if err != nil {
		return err
	}
	return json.Unmarshal(data, into)
}

// checkClaims checks issuer, audience and times.
func (b Bearer) checkClaims(claims map[string]json.RawMessage, now time.Time) error {
	if issuer, _ := Plain(claims["iss"]); issuer != b.Issuer {
		return fmt.Errorf("the token's issuer is %q, not %s", issuer, b.Issuer)
	}
	var audience words
	name := "aud"
	if claims[name] == nil {
		name = "client_id"
	}
	if len(b.Audience) > 0 && (json.Unmarshal(claims[name], &audience) != nil || !slices.ContainsFunc(audience, func(a string) bool { return slices.Contains(b.Audience, a) })) {
		return fmt.Errorf("the token's audience is %s, none of %s", claims[name], strings.Join(b.Audience, ", "))
	}
	for _, name := range []string{"exp", "nbf", "iat"} {
		var seconds float64
		raw, given := claims[name]
		if given && json.Unmarshal(raw, &seconds) != nil {
			return fmt.Errorf("the token's %s is no number", name)
		}
		at := time.Unix(0, 0).Add(time.Duration(seconds * float64(time.Second)))
		switch {
		case name == "exp" && (!given || !now.Before(at)):
			return errors.New("the token has expired")
		case name != "exp" && given && now.Before(at):
			return fmt.Errorf("the token's %s is still to come", name)
		}
	}
	return nil
}

// publicKey is an issuer's key of an ID.
// https://www.rfc-editor.org/rfc/rfc7517
func (keys KeySets) publicKey(ctx context.Context, issuer, id string) (*rsa.PublicKey, error) {
	if keys == nil {
		return nil, fmt.Errorf("nobody knows the keys of %s", issuer)
	}
	data, err := keys(ctx, issuer)
	if err != nil {
		return nil, fmt.Errorf("keys of %s: %w", issuer, err)
	}
	var set struct {
		Keys []struct{ Kid, Kty, N, E string }
	}
	if err := json.Unmarshal(data, &set); err != nil {
		return nil, fmt.Errorf("keys of %s: %w", issuer, err)
	}
	for _, key := range set.Keys {
		if key.Kid != id || id == "" || key.Kty != "RSA" {
			continue
		}
		n, err := base64.RawURLEncoding.DecodeString(key.N)
		e, errE := base64.RawURLEncoding.DecodeString(key.E)
		exponent := new(big.Int).SetBytes(e)
		if err != nil || errE != nil || !exponent.IsInt64() || exponent.Int64() < 3 || exponent.Int64() > 1<<31-1 || len(n) < 128 {
			return nil, fmt.Errorf("keys of %s: key %s cannot be read", issuer, id)
		}
		return &rsa.PublicKey{N: new(big.Int).SetBytes(n), E: int(exponent.Int64())}, nil
	}
	return nil, fmt.Errorf("the token's kid %q is none of %s's RSA keys", id, issuer)
}

// words are one text or a list of them.
type words []string

// UnmarshalJSON reads either.
func (w *words) UnmarshalJSON(data []byte) error {
	var one string
	if json.Unmarshal(data, &one) == nil {
		*w = words{one}
		return nil
	}
	return json.Unmarshal(data, (*[]string)(w))
}

// TokenScopes are those of the claim scope, one text, or scp, a text or a list.
func TokenScopes(claims map[string]json.RawMessage) []string {
	for _, name := range []string{"scope", "scp"} {
		var list []string
		if json.Unmarshal(claims[name], &list) == nil && list != nil {
			return list
		}
		if text, ok := Plain(claims[name]); ok {
			return strings.Fields(text)
		}
	}
	return nil
}

// ClaimTexts are a token's claims as functions see them: each one is text, a list
// in square brackets.
func ClaimTexts(claims map[string]json.RawMessage) map[string]string {
	texts := map[string]string{}
	for name, value := range claims {
		texts[name], _ = Plain(value)
		var list []json.RawMessage
		if json.Unmarshal(value, &list) == nil && list != nil {
			items := make([]string, len(list))
			for i, item := range list {
				items[i], _ = Plain(item)
			}
			texts[name] = "[" + strings.Join(items, " ") + "]"
		}
	}
	return texts
}

// Field is what a path of names leads to in JSON: text as it is, all else as JSON.
func Field(body []byte, names []string) (string, bool) {
	value := json.RawMessage(body)
	for _, name := range names {
		var object map[string]json.RawMessage
		if json.Unmarshal(value, &object) != nil {
			return "", false
		}
		var ok bool
		if value, ok = object[name]; !ok {
			return "", false
		}
	}
	return Plain(value)
}

// Plain is a JSON value as text: a string without its quotes; null is none.
func Plain(value json.RawMessage) (string, bool) {
	var text string
	switch trimmed := strings.TrimSpace(string(value)); {
	case trimmed == "null" || trimmed == "":
		return "", false
	case trimmed[0] == '"':
		err := json.Unmarshal(value, &text)
		return text, err == nil
	default:
		return trimmed, true
	}
}
