package velocity_test

import (
	"strings"
	"testing"

	"arc/sandbox/velocity"
)

// object is a host of templates.
type object struct{}

func (object) Field(name string) any { return "field " + name }
func (object) Call(name string, args []any) (any, error) {
	return name + velocity.String(&velocity.List{Items: args}), nil
}
func (object) String() string { return "object" }

func vars(t testing.TB) map[string]any {
	t.Helper()
	v, err := velocity.FromJSON([]byte(`{"name":"Ann","n":3,"half":0.5,"tags":["a","b"],"nested":{"x":{"y":[10,20]}},"no":null,"yes":true}`))
	if err != nil {
		t.Fatal(err)
	}
	return map[string]any{"it": v, "host": object{}}
}

var hosts = velocity.Hosts{"host": {"call"}}

// TestRender renders what the language has.
// https://velocity.apache.org/engine/1.7/vtl-reference.html
func TestRender(t *testing.T) {
	for template, want := range map[string]string{
		`plain text`: `plain text`, `{"statusCode": 200}`: `{"statusCode": 200}`,
		`$it.name`: `Ann`, `${it.name}x`: `Annx`, `$it.name.`: `Ann.`, `$it.n`: `3`, `$it.half`: `0.5`, `$it.tags`: `[a, b]`, `$it.nested`: `{x={y=[10, 20]}}`,
		`$it.missing`: `$it.missing`, `$!it.missing|`: `|`, `$!{it.missing}|`: `|`, `$nothing.at.all`: `$nothing.at.all`, `costs $5 and $`: `costs $5 and $`,
		`\$it.name`: `$it.name`, `\#if`: `#if`, `#[[$it.name #if]]#`: `$it.name #if`, "a## not\nb": "ab", `a#* $it.name *#b`: `ab`, `# is text, #foo too`: `# is text, #foo too`,
		`$it.nested.x.y[1]`: `20`, `$it.tags[0]`: `a`, `$it["name"]`: `Ann`, `$it.get('name')`: `Ann`, `$it.tags.get(1)`: `b`, `$it.tags.size()`: `2`,
		`#set($a = 1)$a`: `1`, "#set($a = 1)\n$a": `1`, "x\n  #set($a = 1)  \ny": "x\ny", `#set( $a = $it.missing )$!a|`: `|`, `#set($a = "q")#set($a = $it.missing)$a`: `q`,
		`#set($a = "hi $it.name")$a`: `hi Ann`, `#set($a = 'hi $it.name')$a`: `hi $it.name`, `#set($a = 'it''s')$a`: `it's`,
		`#set($a = [1, "b", $it.n])$a`: `[1, b, 3]`, `#set($a = {"k": 1, "l": [2]})$a $a.k`: `{k=1, l=[2]} 1`, `#set($a = [1..3])$a`: `[1, 2, 3]`, `#set($a = [3..1])$a`: `[3, 2, 1]`,
		`#set($a = {})#set($a.b = 1)#set($a["c"] = 2)$a`: `{b=1, c=2}`, `#set($a = [0])#set($a[0] = 5)$a`: `[5]`,
		`#if($it.yes)y#end`: `y`, `#if($it.missing)y#{else}n#end`: `n`, `#if($it.no)y#elseif($it.yes)e#else n#end`: `e`, `#if(!$it.yes)a#else b#end`: ` b`, `#if("")y#end`: `y`,
		"#if(true)\n  a\n#end\nb":                   "  a\nb",
		`#if($it.n == 3 && $it.name == "Ann")y#end`: `y`, `#if($it.n > 3 || $it.n <= 2)y#{else}n#end`: `n`, `#if($it.n == "3")y#end`: `y`, `#if($it.n gt 2 and not ($it.n ne 3))y#end`: `y`,
		`#if($it.missing == $null)y#end`: `y`, `#if("$!it.missing" == "")y#end`: `y`,
		`#set($a = 1 + 2 * 3 - 4 / 2 % 3)$a`: `5`, `#set($a = 7 / 2)$a`: `3`, `#set($a = 7.0 / 2)$a`: `3.5`, `#set($a = -3)$a`: `-3`, `#set($a = "a" + 1)$a`: `a1`, `#set($a = (1 + 2) * 3)$a`: `9`,
		`#set($a = 1 / 0)$!a|`: `|`,
		`#foreach($x in $it.tags)$x#if($foreach.hasNext),#end#end`: `a,b`, `#foreach($x in $it.tags)$foreach.index$foreach.count$velocityCount #end`: `011 122 `,
		`#foreach($k in $it.nested.keySet())$k#end`: `x`, `#foreach($e in $it.nested.entrySet())$e.key=$e.value#end`: `x={y=[10, 20]}`, `#foreach($x in [1..9])#if($x == 3)#break#end$x#end`: `12`,
		`#foreach($x in $it.missing)x#end|`: `|`, `a#stop b`: `a`, `$x#foreach($x in [1])$x#end$x`: `$x1$x`,
		`$it.name.toUpperCase().substring(1)`: `NN`, `$it.name.length()`: `3`, `$it.name.replaceAll("n+", "[$0]")`: `A[nn]`, `$it.name.split("n").size()`: `1`, `$it.name.contains("nn")`: `true`,
		`$it.name.equals("Ann")`: `true`, `$it.name.indexOf("n")`: `1`, `$it.name.matches("A.*")`: `true`, `$it.name.charAt(0)`: `A`, `$it.name.replace("n", "m")`: `Amm`, `$it.tags.contains("b")`: `true`,
		`#set($a = [])#set($ok = $a.add("x"))$ok$a`: `true[x]`, `#set($a = {})$!a.put("k", "v")$a`: `{k=v}`, `$it.containsKey("no")`: `true`, `$it.size()`: `7`, `$it.getOrDefault("zz", 1)`: `1`,
		`$host.call(1, "b")`: `call[1, b]`, `$host.name`: `field name`, `$host`: `object`,
		`#set($x = 12345678.5)$x`: `1.23456785E7`, `#set($x = 1.0)$x`: `1.0`,
		`#define($b)[$x]#end#set($x = 1)$b#set($x = 2)$b"#if(true)$b#end"`: `[1][2]"[2]"`, `#define($b)x#end#set($y = "$b$b")$y`: `xx`,
	} {
		parsed, err := velocity.Parse(template, hosts)
		if err != nil {
			t.Errorf("%s: %v", template, err)
			continue
		}
		if got, err := parsed.Render(vars(t)); err != nil || got != want {
			t.Errorf("%s: %q %v, want %q", template, got, err, want)
		}
	}
}

// TestRefused reads what is no template, or is not evaluated: its name is told.
func TestRefused(t *testing.T) {
	for template, want := range map[string]string{
		`#macro(x)#end`: "#macro is not evaluated", `#include("x")`: "#include", `#parse("x")`: "#parse", `#define($x)`: "#define has no #end", `#define(x)#end`: "#define( is to be followed", `#evaluate("x")`: "#evaluate",
		`#if(true)`: "#if has no #end", `#end`: "#end without", "\n\n#else": "line 3", `#foreach($x in [1])`: "#foreach has no #end", `#foreach(x in [1])#end`: "#foreach( is to be followed",
		`#set(x = 1)`: "#set( is to be followed", `#set($x 1)`: `"=" is expected`, `#set($x = )`: "is no expression", `#set($x = "abc)`: "a text has no end", `#if(true)a#else b#else c#end`: "#if has no #end",
		`$host.other()`: "$host.other() is not evaluated", `$it.frobnicate()`: ".frobnicate() is not evaluated", `${it.name`: "${it has no }", `#* open`: "no *#", `#[[ open`: "no ]]#",
		`$it.matches("a(?=b)")`: "the pattern cannot be evaluated", `#set($x = 99999999999999999999)`: "is no number",
	} {
		if _, err := velocity.Parse(template, hosts); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %s", template, err, want)
		}
	}
}

// TestBounds renders what would never end, or fill the memory.
func TestBounds(t *testing.T) {
	for template, want := range map[string]string{
		`#foreach($x in [1..100])#foreach($y in [1..100])$y#end#end`: "more than 1000 iterations",
		`#set($x = [1..99999999])`:                                   "longer than", `#set($x = "0123456789012345678901234567890123456789")#foreach($i in [1..999])#set($x = "$x$x")#end`: "more than",
		`#define($b)x$b#end$b`: "too deep within itself", `#define($b)#set($y = "$b")#end$b`: "too deep within itself",
		`#set($x = [])$x.get(0)`: "the list has 0 elements", `$it.name.substring(9)`: "the text has 3 characters",
	} {
		parsed, err := velocity.Parse(template, hosts)
		if err != nil {
			t.Errorf("%s: %v", template, err)
			continue
		}
		if _, err := parsed.Render(vars(t)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %s", template, err, want)
		}
	}
	if _, err := velocity.Parse(strings.Repeat("#if(true)", 500), nil); err == nil {
		t.Error("500 directives within each other are read")
	}
	if _, err := velocity.Parse("#set($x = "+strings.Repeat("(", 5000)+"1", nil); err == nil {
		t.Error("5000 parentheses within each other are read")
	}
}

// FuzzParse reads and renders anything: it ends, and does not panic.
func FuzzParse(f *testing.F) {
	for _, seed := range []string{
		"#set($a = $it.name)$a", "#foreach($x in $it.tags)$x#if($foreach.hasNext),#end#end", `{"a": $host.call('$.x'), "b": "${it.n}"}`, "#if($it.n > 1)a#elseif(false)b#else c#end",
		`#define($b)$it.n#end$b`, `#set($m = {"a": [1..3]})$m.a[0]`, "\\$x #[[ x ]]# ##c\n#* *#",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, source string) {
		parsed, err := velocity.Parse(source, hosts)
		if err != nil {
			return
		}
		if out, err := parsed.Render(vars(t)); err == nil && len(out) > 2*velocity.MaxOutput {
			t.Errorf("%d bytes", len(out))
		}
	})
}
