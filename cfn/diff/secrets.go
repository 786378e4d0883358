package diff

import (
	"regexp"
	"slices"
	"strings"

	"arc/cfn"
)

// Hidden stands for a literal value that may be a secret. Templates of other
// tools hold the user's secrets in plain text.
const Hidden = "(hidden)"

// withoutSecrets hides literal values where secrets are: in environments, in
// parameters, and below keys that sound like one.
func withoutSecrets(typ string, props []Property) []Property {
	for i, p := range props {
		if secret(typ, p.Path) {
			props[i].Before, props[i].After = hide(p.Before), hide(p.After)
		} else {
			props[i].Before, props[i].After = hideBelow(p.Before), hideBelow(p.After)
		}
	}
	return props
}

func secret(typ, path string) bool {
	if path == "Value" && typ == "AWS::SSM::Parameter" {
		return true
	}
	for path != "" {
		var name string
		name, path, _ = strings.Cut(path, ".")
		if secretKey(name) {
			return true
		}
	}
	return false
}

// secretKey reports whether a key of this name may hold a secret.
func secretKey(name string) bool {
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
var given = []*regexp.Regexp{
	regexp.MustCompile(`(://[^/:@\s"]*:)[^/@\s"]+(@)`),
	regexp.MustCompile(`(?i)((?:password|passwd|pwd|secret|token|api_?-?key|access_?-?key)"?'?\s*[=:]\s*"?'?)[^\s;,&"'$({]+()`),
	regexp.MustCompile(`()\b(?:AKIA[0-9A-Z]{16}|gh[a-z]_[0-9A-Za-z]{20,}|xox[a-z]-[0-9A-Za-z-]{10,}|sk_live_[0-9A-Za-z]+)()`),
	regexp.MustCompile(`(?s)()-----BEGIN [A-Z ]*PRIVATE KEY-----.*()`),
}

// conceal hides what of a text is a secret by its form.
func conceal(text string) string {
	for _, form := range given {
		text = form.ReplaceAllString(text, "${1}"+Hidden+"${2}")
	}
	return text
}

// hide hides all literals of a value. References say nothing secret and stay;
// of a text around references only these do.
func hide(v any) any {
	switch v := v.(type) {
	case nil:
		return nil
	case map[string]any:
		if !isIntrinsic(v) {
			out := make(map[string]any, len(v))
			for k, x := range v {
				out[k] = hide(x)
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
			out[i] = hide(x)
		}
		return out
	}
	return Hidden
}

// hideBelow hides what stands below keys that may hold secrets.
func hideBelow(v any) any {
	switch v := v.(type) {
	case string:
		return conceal(v)
	case map[string]any:
		out := make(map[string]any, len(v))
		named := namesSecret(v)
		for k, x := range v {
			if secretKey(k) || named && k == "Value" {
				out[k] = hide(x)
			} else {
				out[k] = hideBelow(x)
			}
		}
		return out
	case []any:
		out := make([]any, len(v))
		for i, x := range v {
			out[i] = hideBelow(x)
		}
		return out
	}
	return v
}

// namesSecret reports whether an element of a list says by its name that its
// value is a secret.
func namesSecret(element map[string]any) bool {
	for _, key := range []string{"Name", "Key", "OptionName", "ParameterKey"} {
		if name, ok := element[key].(string); ok && secretKey(name) {
			return true
		}
	}
	return false
}
