package gateway

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"arc/sandbox/ingress"
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
	claims, err := z.bearer.Read(ctx, g.options.Keys, strings.TrimSpace(text), now)
	if err != nil {
		refused := unauthorized("authorizer %s: %v", z.name, err)
		refused.header = challenge("", "invalid_token", err)
		return nil, refused
	}
	who := &caller{claims: claims}
	if len(scopes) == 0 {
		return who, nil
	}
	has := ingress.TokenScopes(claims)
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
	quoted := strings.NewReplacer(`"`, "'", `\`, "").Replace(ingress.OneLine(err.Error()))
	return http.Header{"Www-Authenticate": {fmt.Sprintf(`Bearer scope="%s" error="%s" error_description="%s"`, scope, code, quoted)}}
}
