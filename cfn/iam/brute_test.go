package iam

import (
	"math/rand/v2"
	"path"
	"slices"
	"strings"
	"testing"
)

// request is one request over small alphabets.
type request struct{ action, resource, principal, key string }

// requests are all there are: texts over a, b and z, two principals and a
// stranger, and a condition key that is missing, x or y.
var requests = allRequests()

func allRequests() []request {
	texts := []string{""}
	for from := 0; len(texts[from]) < 3; from++ {
		for _, letter := range []string{"a", "b", "z"} {
			texts = append(texts, texts[from]+letter)
		}
	}
	var out []request
	for _, a := range texts {
		for _, r := range texts {
			for _, p := range []string{"P", "Q", "other"} {
				for _, k := range []string{"", "x", "y"} {
					out = append(out, request{a, r, p, k})
				}
			}
		}
	}
	return out
}

// bruteStatement is a statement in the plainest form there is.
type bruteStatement struct {
	deny                   bool
	action, resource       []string
	notAction, notResource bool
	principal              []string
	operator               string
	values                 []string
}

func (s bruteStatement) matches(r request) bool {
	glob := func(patterns []string, text string) bool {
		return slices.ContainsFunc(patterns, func(p string) bool {
			ok, _ := path.Match(p, text) // no slash in any text: * crosses nothing it should not
			return ok
		})
	}
	return glob(s.action, r.action) != s.notAction && glob(s.resource, r.resource) != s.notResource &&
		(slices.Contains(s.principal, "*") || slices.Contains(s.principal, r.principal)) && s.meets(r)
}

func (s bruteStatement) meets(r request) bool {
	is := slices.Contains(s.values, r.key)
	switch s.operator {
	case "StringEquals":
		return r.key != "" && is
	case "StringEqualsIfExists":
		return r.key == "" || is
	case "StringNotEquals":
		return !is
	case "Null":
		return (r.key == "") == (s.values[0] == "true")
	}
	return true
}

func allowed(policy []bruteStatement, r request) bool {
	yes := false
	for _, s := range policy {
		if s.matches(r) {
			if s.deny {
				return false
			}
			yes = true
		}
	}
	return yes
}

// document writes the statements as a policy document.
func document(policy []bruteStatement) any {
	statements := []any{}
	anyList := func(list []string) []any {
		var out []any
		for _, s := range list {
			out = append(out, s)
		}
		return out
	}
	for _, s := range policy {
		m := map[string]any{"Effect": "Allow"}
		if s.deny {
			m["Effect"] = "Deny"
		}
		m[map[bool]string{true: "NotAction", false: "Action"}[s.notAction]] = anyList(s.action)
		m[map[bool]string{true: "NotResource", false: "Resource"}[s.notResource]] = anyList(s.resource)
		if slices.Contains(s.principal, "*") {
			m["Principal"] = "*"
		} else {
			m["Principal"] = map[string]any{"AWS": anyList(s.principal)}
		}
		if s.operator != "" {
			m["Condition"] = map[string]any{s.operator: map[string]any{"k": anyList(s.values)}}
		}
		statements = append(statements, m)
	}
	return map[string]any{"Statement": statements}
}

// randomPolicy makes statements with patterns of up to so many symbols.
func randomPolicy(r *rand.Rand, longest int) []bruteStatement {
	texts := func() []string {
		var out []string
		for range 1 + r.IntN(2) {
			var b strings.Builder
			for range 1 + r.IntN(longest) {
				b.WriteByte("aabb**?"[r.IntN(7)])
			}
			out = append(out, b.String())
		}
		return out
	}
	var policy []bruteStatement
	for range 1 + r.IntN(3) {
		s := bruteStatement{
			deny: r.IntN(4) == 0, action: texts(), resource: texts(),
			notAction: r.IntN(5) == 0, notResource: r.IntN(5) == 0,
			principal: [][]string{{"P"}, {"Q"}, {"P", "Q"}, {"*"}}[r.IntN(4)],
		}
		if r.IntN(3) == 0 {
			s.operator = []string{"StringEquals", "StringEqualsIfExists", "StringNotEquals", "Null"}[r.IntN(4)]
			s.values = [][]string{{"x"}, {"y"}, {"x", "y"}}[r.IntN(3)]
			if s.operator == "Null" {
				s.values = []string{[]string{"true", "false"}[r.IntN(2)]}
			}
		}
		policy = append(policy, s)
	}
	return policy
}

// edited is a policy with one statement more, less or other.
func edited(r *rand.Rand, longest int, policy []bruteStatement) []bruteStatement {
	out := slices.Clone(policy)
	i := r.IntN(len(out))
	other := randomPolicy(r, longest)[0]
	switch r.IntN(6) {
	case 0:
		return append(out, other)
	case 1:
		return slices.Delete(out, i, i+1)
	case 2:
		out[i].action = other.action
	case 3:
		out[i].resource = append(slices.Clip(out[i].resource), other.resource...)
	case 4:
		out[i].operator, out[i].values = other.operator, other.values
	default:
		out[i].principal = other.principal
	}
	return out
}

// FuzzCompare checks Compare against an evaluator that tries every request.
// Where a request is newly allowed, rights must be called widened. Without
// conditions the reverse holds too; the alphabet's texts are long enough to
// show it for patterns of two symbols.
func FuzzCompare(f *testing.F) {
	for seed := range uint64(500) {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, seed uint64) {
		r := rand.New(rand.NewPCG(seed, 1))
		longest := 2 + r.IntN(2)
		before := randomPolicy(r, longest)
		after := edited(r, longest, before)
		if r.IntN(3) == 0 {
			after = randomPolicy(r, longest)
		}
		result := Compare(Parse(document(before)), Parse(document(after)))
		more, less := false, false
		var witness request
		for _, q := range requests {
			b, a := allowed(before, q), allowed(after, q)
			if a && !b {
				more, witness = true, q
			}
			less = less || b && !a
		}
		narrows := result.Verdict == Narrowed || result.Verdict == Both
		if more && !result.Widens() {
			t.Fatalf("%+v is newly allowed, but rights are %s\nbefore %+v\nafter  %+v", witness, result.Verdict, before, after)
		}
		if less && !narrows {
			t.Fatalf("something is no longer allowed, but rights are %s\nbefore %+v\nafter  %+v", result.Verdict, before, after)
		}
		conditional := slices.ContainsFunc(slices.Concat(before, after), func(s bruteStatement) bool { return s.operator != "" })
		if !conditional && longest == 2 && result.Sure && (result.Widens() != more || narrows != less) {
			t.Fatalf("rights are %s, but no request shows it: added %v, removed %v\nbefore %+v\nafter  %+v", result.Verdict, result.Added, result.Removed, before, after)
		}
	})
}
