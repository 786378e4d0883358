package values

import (
	"regexp"
	"slices"
	"strings"
	"sync"

	"arc/cfn"
	"arc/cfn/registry"
)

// Hidden stands for a literal value that may be a secret. Templates of other
// tools hold the user's secrets in plain text.
const Hidden = "(hidden)"

// MayBeSecret reports whether a property of a resource of a type may hold a
// secret, by the keys of its path.
func MayBeSecret(typ, path string) bool {
	if path == "Value" && typ == registry.SSMParameter {
		return true
	}
	for path != "" {
		var name string
		name, path, _ = strings.Cut(path, ".")
		if SecretKey(name) {
			return true
		}
	}
	return false
}

// SecretKey reports whether a key of this name may hold a secret.
func SecretKey(name string) bool {
	switch name {
	case "Environment", "EnvironmentVariables", "StageVariables", "UserData", "Secrets", "ZipFile":
		return true
	}
	lower := strings.NewReplacer("_", "", "-", "", ".", "").Replace(strings.ToLower(name))
	if notSecret[lower] || strings.HasSuffix(lower, "arn") || strings.HasSuffix(lower, "id") || strings.HasSuffix(lower, "name") {
		return false
	}
	return lower == "pass" || lower == "pwd" || slices.ContainsFunc(secretWords, func(word string) bool { return strings.Contains(lower, word) })
}

var secretWords = []string{"password", "passwd", "passphrase", "secret", "token", "credential", "apikey", "privatekey", "signingkey", "accesskey", "connectionstring"}

// notSecret are keys that only sound like it.
var notSecret = map[string]bool{
	"servicetoken": true, "apikeyrequired": true, "apikeysourcetype": true, "generatesecret": true,
	"passwordpolicy": true, "eventsourcetoken": true, "authorizercredentials": true, "tokenvalidityunits": true,
	"accesstokenvalidity": true, "refreshtokenvalidity": true, "idtokenvalidity": true, "explicitauthflows": true,
	"managemasteruserpassword": true, "httptokens": true,
}

// given are texts around a secret: a password in a URL, an assignment in a
// command or a connection string, and keys that are known by their form.
var given = sync.OnceValue(func() []*regexp.Regexp {
	return []*regexp.Regexp{
		regexp.MustCompile(`(://[^/:@\s"]*:)[^/@\s"]+(@)`),
		regexp.MustCompile(`(?i)((?:password|passwd|pwd|secret|token|api_?-?key|access_?-?key)"?'?\s*[=:]\s*"?'?)[^\s;,&"'$({]+()`),
		regexp.MustCompile(`()\b(?:AKIA[0-9A-Z]{16}|gh[a-z]_[0-9A-Za-z]{20,}|xox[a-z]-[0-9A-Za-z-]{10,}|sk_live_[0-9A-Za-z]+)()`),
		regexp.MustCompile(`(?s)()-----BEGIN [A-Z ]*PRIVATE KEY-----.*()`),
	}
})

// Conceal hides what of a text is a secret by its form.
func Conceal(text string) string {
	for _, form := range given() {
		text = form.ReplaceAllString(text, "${1}"+Hidden+"${2}")
	}
	return text
}

// Hide hides all literals of a value. References say nothing secret and stay;
// of a text around references only these do.
func Hide(v any) any {
	switch v := v.(type) {
	case nil:
		return nil
	case map[string]any:
		if !IsIntrinsic(v) {
			out := make(map[string]any, len(v))
			for k, x := range v {
				out[k] = Hide(x)
			}
			return out
		}
		if v["Ref"] != nil || v["Fn::GetAtt"] != nil {
			return v
		}
		if names := cfn.References(v); len(names) > 0 {
			return Hidden + " with " + strings.Join(names, ", ")
		}
	case []any:
		out := make([]any, len(v))
		for i, x := range v {
			out[i] = Hide(x)
		}
		return out
	}
	return Hidden
}

// HideBelow hides what stands below keys that may hold secrets.
func HideBelow(v any) any {
	switch v := v.(type) {
	case string:
		return Conceal(v)
	case map[string]any:
		out := make(map[string]any, len(v))
		named := namesSecret(v)
		for k, x := range v {
			if SecretKey(k) || named && k == "Value" {
				out[k] = Hide(x)
			} else {
				out[k] = HideBelow(x)
			}
		}
		return out
	case []any:
		out := make([]any, len(v))
		for i, x := range v {
			out[i] = HideBelow(x)
		}
		return out
	}
	return v
}

// namesSecret reports whether an element of a list says by its name that its
// value is a secret.
func namesSecret(element map[string]any) bool {
	for _, key := range []string{"Name", "Key", "OptionName", "ParameterKey"} {
		if name, ok := element[key].(string); ok && SecretKey(name) {
			return true
		}
	}
	return false
}
