package gateway

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
	"net/http"
	"slices"
	"strings"
	"time"
)

// checkToken asks a JWT authorizer whether a token lets its bearer in. Keys are
// looked up for each request, where API Gateway may keep them for two hours.
// https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-jwt-authorizer.html
func (g *Gateway) checkToken(ctx context.Context, z *authorizer, s *surroundings, scopes []string, now time.Time) (*caller, *refusal) {
	text, _ := s.lookup(z.identity[0])
	if prefix := "bearer "; len(text) > len(prefix) && strings.EqualFold(text[:len(prefix)], prefix) {
		text = text[len(prefix):]
	}
	if text == "" {
		refused := unauthorized("the request has no token in %s", z.identity[0])
		refused.header = http.Header{"Www-Authenticate": {"Bearer"}}
		return nil, refused
	}
	claims, err := g.readToken(ctx, z, strings.TrimSpace(text), now)
	if err != nil {
		refused := unauthorized("authorizer %s: %v", z.name, err)
		refused.header = challenge("", "invalid_token", err)
		return nil, refused
	}
	who := &caller{claims: claims}
	if len(scopes) == 0 {
		return who, nil
	}
	has := tokenScopes(claims)
	for _, scope := range scopes {
		if slices.Contains(has, scope) {
			who.scopes = append(who.scopes, scope)
		}
	}
	if len(who.scopes) == 0 {
		err := fmt.Errorf("the token has none of the scopes that the route wants: %s", strings.Join(scopes, " "))
		refused := denied("authorizer %s: %v", z.name, err)
		refused.header = challenge(strings.Join(scopes, " "), "insufficient_scope", err)
		return nil, refused
	}
	return who, nil
}

// challenge says in a header what is wrong with a token.
// https://www.rfc-editor.org/rfc/rfc6750#section-3
func challenge(scope, code string, err error) http.Header {
	quoted := strings.NewReplacer(`"`, "'", `\`, "").Replace(oneLine(err.Error()))
	return http.Header{"Www-Authenticate": {fmt.Sprintf(`Bearer scope="%s" error="%s" error_description="%s"`, scope, code, quoted)}}
}

// tokenScopes are those of the claim scope, one text, or scp, a text or a list.
func tokenScopes(claims map[string]json.RawMessage) []string {
	for _, name := range []string{"scope", "scp"} {
		var list []string
		if json.Unmarshal(claims[name], &list) == nil && list != nil {
			return list
		}
		if text, ok := plain(claims[name]); ok {
			return strings.Fields(text)
		}
	}
	return nil
}

// hashes are of the algorithms that JWT authorizers take.
var hashes = map[string]crypto.Hash{"RS256": crypto.SHA256, "RS384": crypto.SHA384, "RS512": crypto.SHA512}

// readToken checks a token's signature and claims.
func (g *Gateway) readToken(ctx context.Context, z *authorizer, token string, now time.Time) (map[string]json.RawMessage, error) {
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
	key, err := g.publicKey(ctx, z.issuer, header.Kid)
	if err != nil {
		return nil, err
	}
	sum := hash.New()
	sum.Write([]byte(parts[0] + "." + parts[1]))
	if rsa.VerifyPKCS1v15(key, hash, sum.Sum(nil), signature) != nil {
		return nil, errors.New("the token's signature is not that of its key")
	}
	return claims, z.checkClaims(claims, now)
}

func decodePart(part string, into any) error {
	data, err := base64.RawURLEncoding.DecodeString(part)
	if err != nil {
		return err
	}
	return json.Unmarshal(data, into)
}

// checkClaims checks issuer, audience and times.
func (z *authorizer) checkClaims(claims map[string]json.RawMessage, now time.Time) error {
	if issuer, _ := plain(claims["iss"]); issuer != z.issuer {
		return fmt.Errorf("the token's issuer is %q, not %s", issuer, z.issuer)
	}
	var audience words
	name := "aud"
	if claims[name] == nil {
		name = "client_id"
	}
	if json.Unmarshal(claims[name], &audience) != nil || !slices.ContainsFunc(audience, func(a string) bool { return slices.Contains(z.audience, a) }) {
		return fmt.Errorf("the token's audience is %s, none of %s", claims[name], strings.Join(z.audience, ", "))
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
func (g *Gateway) publicKey(ctx context.Context, issuer, id string) (*rsa.PublicKey, error) {
	if g.options.Keys == nil {
		return nil, fmt.Errorf("nobody knows the keys of %s", issuer)
	}
	data, err := g.options.Keys(ctx, issuer)
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
