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
		`#set($x = "")$x.empty $it.name.empty $it.tags.empty $it.nested.empty`: `true false false false`, `#if($x && !$x.empty)y#end|`: `|`, `$it.name.other`: `$it.name.other`,
		`#define($b)[$x]#end#set($x = 1)$b#set($x = 2)$b"#if(true)$b#end"`: `[1][2]"[2]"`, `#define($b)x#end#set($y = "$b$b")$y`: `xx`,

		`$it.nested.entrySet()`: `[x={y=[10, 20]}]`, `#foreach($e in $it.nested.entrySet())$e.getKey()=$e.getValue()$!e.other#end`: `x={y=[10, 20]}`, `$it.nested.values()`: `[{y=[10, 20]}]`,
		`#set($Az_1-b = 1)$Az_1-b`: `1`, `#set($Z = 1)$Z`: `1`, `#set($z = 1)$z`: `1`, `#set($a9 = 1)$a9`: `1`, `$9`: `$9`, `a\`: `a\`, `\n`: `\n`, `#`: `#`, `#{`: `#{`, `#{else`: `#{else`, `#{elsee}`: `#{elsee}`, `#setz`: `#setz`, `#seta`: `#seta`,
		`#if(false)a#elsefoo#endbar`: `foobar`, `#if(true)a#{end}bar`: `abar`, `#if(true) #end|`: ` |`, "#if(true)\ta#end \r\nb": "\tab", "#if(true)\r\na#end\rb": "ab", "a##": "a", "a## b": "a",
		`#if("null" == $it.missing)y#{else}n#end`: `n`, `#if($it.missing == "null")y#{else}n#end`: `n`, `#if($it.missing != "null")y#{else}n#end`: `y`, `#if($it.name != "Ann")y#{else}n#end`: `n`, `#if($it.half == 0.5 and 1 == 1.0)y#end`: `y`,
		`#if($it.tags == ["a", "b"])y#end`: `y`, `#if(1 < 2 && 2 > 1 && 1 <= 1 && 1 >= 1 && 1 lt 2 && 2 gt 1 && 1 le 1 && 1 ge 1 && 1 eq 1 && 1 ne 2)y#end`: `y`, `#if(2 < 1 || 1 > 2 || 2 <= 1 || 1 >= 2 or 1 < 1 or 1 > 1)y#{else}n#end`: `n`,
		`#if("a" < "b")y#{else}n#end`: `n`, `#if(1 < "b")y#{else}n#end`: `n`, `#if($it.missing && $it.name.length() > 0)y#{else}n#end`: `n`, `#if(!$it.missing)y#end`: `y`, `#if(not true)y#{else}n#end`: `n`,
		`#set($a = "a" - "b")$!a|`: `|`, `#set($a = 1 + "a")$a`: `1a`, `#set($a = $it.name + $it.n)$a`: `Ann3`, `#set($a = 5 % 3)$a`: `2`, `#set($a = 5.5 % 3)$a`: `2.5`, `#set($a = 5 % 0)$!a|`: `|`, `#set($a = 5.0 % 0)$!a|`: `|`, `#set($a = 5.0 / 0)$!a|`: `|`,
		`#set($a = 1.5 + 1)$a`: `2.5`, `#set($a = 1.5 - 1)$a`: `0.5`, `#set($a = 1.5 * 2)$a`: `3.0`, `#set($a = 2 - 3)$a`: `-1`, `#set($a = 2 * 3)$a`: `6`, `#set($a = 10 - 2 - 3)$a`: `5`, `#set($a = .5)$a`: `0.5`, `#set($a = -1.5)$a`: `-1.5`, `#set($a = 0)$a`: `0`,
		`#set($a = true)$a`: `true`, `#set($a = false)$a`: `false`, `#set($a = [])$a`: `[]`, `#set($a = {})$a`: `{}`, `#set($a = [1 .. 1])$a`: `[1]`, `#set($a = [1.."b"])$!a|`: `|`, `#set($a = [-1..1])$a`: `[-1, 0, 1]`, `#set($a = ["a".."b"])$!a|`: `|`,
		`#set($a = {"a": 1, "b": 2})$a.size()$a.isEmpty()$a.empty$a.containsValue(2)$a.containsValue(3)$a.containsKey("b")$a.containsKey("c")`: `2falsefalsetruefalsetruefalse`, `#set($a = {})$a.isEmpty()$a.empty`: `truetrue`,
		`#set($a = {"a": 1, "b": 2, "c": 3})$a.remove("b")$a$!a.remove("b")|`: `2{a=1, c=3}|`, `#set($a = {"a": 1})$a.put("a", 2)$a`: `1{a=2}`, `#set($a = {"a": 1})#set($b = {"b": 2, "a": 3})$!a.putAll($b)$a`: `{a=3, b=2}`, `#set($a = {"a": 1})$!a.putAll(1)$a`: `{a=1}`,
		`#set($a = {"a": 1})$a.getOrDefault("a", 2)`: `1`, `#set($a = {"a": 1})$!a.get()$!a.put("b")$!a.remove()$!a.getOrDefault("b")$a`: `{a=1}`, `#set($a = {"empty": 1})$a.empty`: `1`,
		`#set($a = [1, 2, 3])$a.size()$a.isEmpty()$a.empty$a.contains(3)$a.contains(4)$a.indexOf(2)$a.indexOf(4)`: `3falsefalsetruefalse1-1`, `#set($a = [])$a.isEmpty()$a.empty$a.size()`: `truetrue0`,
		`#set($a = [1, 2, 3])$a.set(1, 5)$a`: `2[1, 5, 3]`, `#set($a = ["x", "y", "z"])$a.remove(1)$a`: `y[x, z]`, `#set($a = ["x", "y", "x"])$a.remove("x")$a$a.remove("q")`: `true[y, x]false`, `#set($a = [1])$a.addAll([2, 3])$a`: `true[1, 2, 3]`, `#set($a = [1])$a.addAll({"k": 2})$a`: `true[1, 2]`,
		`#set($a = [1])$!a.set(1, 2)$!a.set(0)$!a.add()$!a.addAll()$!a.contains()$!a.remove()$a`: `[1]`, `#set($a = [1, 2])#set($b = $a)$!b.remove(0)$a`: `1[2]`, `#set($a = [1])#set($a[1] = 2)#set($a[-1] = 3)$a`: `[1]`, `$it.tags[-1]`: `$it.tags[-1]`, `$it.tags[2]`: `$it.tags[2]`, `$!it.tags["x"]|`: `|`,
		`$it.name.isEmpty()`: `false`, `$it.name.equalsIgnoreCase("ANN")$it.name.equalsIgnoreCase("Bob")`: `truefalse`, `$it.name.startsWith("A")$it.name.startsWith("n")$it.name.endsWith("n")$it.name.endsWith("A")`: `truefalsetruefalse`,
		`$it.name.lastIndexOf("n")$it.name.indexOf("z")$it.name.lastIndexOf("z")$it.name.contains("z")`: `2-1-1false`, `$it.name.toLowerCase()`: `ann`, `$it.name.concat("ie")`: `Annie`, `#set($a = " 	x ")$a.trim()|`: `x|`, `#set($a = " x")$a.trim()`: " x",
		`$it.name.compareTo("Ann")$it.name.compareTo("Anna")$it.name.compareTo("An")$it.name.compareTo("Aba")`: `0-1112`, `$it.name.substring(1,1)|`: `|`, `$it.name.substring(1,3)`: `nn`, `$it.name.substring(3)|`: `|`, `$it.name.charAt(2)`: `n`,
		`$it.name.equals("Bob")$it.n.equals(3)$it.n.toString()$it.tags.toString()`: `falsetrue3[a, b]`, `$it.n.intValue()$it.n.longValue()$it.n.doubleValue()`: `333.0`, `$it.half.intValue()$it.half.longValue()$it.half.doubleValue()`: `000.5`, `$!it.n.length()|`: `|`,
		`$it.name.matches("nn")$it.name.matches("A|Ann")`: `falsetrue`, `$it.name.replaceFirst("n", "[$0]")$it.name.replaceFirst("z", "")`: `A[n]nAnn`, `$it.name.replaceAll("(A)(n)", "$2$1\\$")`: `nA$n`, `#set($a = "a,b,,c,,")$a.split(",")$a.split(",", 2)$a.split(",", -1)$a.split(",", 0).size()`: `[a, b, , c][a, b,,c,,][a, b, , c, , ]4`, `#set($a = "")$a.split(",").size()`: `1`,
		`#foreach($x in $it.nested)$x#end`: `{y=[10, 20]}`, `#foreach($x in [1, 2])$foreach.first$foreach.last#end`: `truefalsefalsetrue`, `#foreach($x in "abc")x#end|`: `|`, `#foreach($x in [1,2])#foreach($y in [3])$foreach.parent.index#end#end`: `01`,
		`#set($a = "say ""hi"" $it.n")$a`: `say "hi" 3`, `#set($a = "no reference")$a`: `no reference`, `#set($a = "#if(true)in#end")$a`: `in`, `$it.get('no')`: `$it.get('no')`, `a[$it.n]`: `a[3]`, `$it.n[x`: `3[x`, `$it.n[0`: `3[0`, `$5.00`: `$5.00`,
		`$!nothing.x.y|`: `|`, `$!{nothing}|`: `|`, `${it.tags[0]}b`: `ab`, `$it.half.x`: `$it.half.x`, `#set($a.b = 1)|`: `|`, `#set($it.nested.x.y[0] = 5)$it.nested`: `{x={y=[5, 20]}}`, `#set($it.new = {})#set($it.new.a = 1)$it.new`: `{a=1}`,
		`#set($x = 1234567.0)$x`: `1234567.0`, `#set($x = 10000000.0)$x`: `1.0E7`, `#set($x = 0.001)$x`: `0.001`, `#set($x = 0.0001)$x`: `1.0E-4`, `#set($x = 0.0)$x`: `0.0`, `#set($x = 0.00012)$x`: `1.2E-4`, `#if(0)y#end`: `y`, `#break x`: ``, `a#stop`: `a`, "a#if(true)#stop\n#end b": "a",
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
		`#foreach($a.b in [1])#end`: "is to be followed by a $name", `#define($a.b)x#end`: "is to be followed by a $name", `#foreach($a of [1])#end`: "no in after $a", `#foreach($a inside [1])#end`: "no in after $a", `#foreach $a`: `#foreach: "(" is expected before "$a"`, `#define $a`: "#define: \"(\" is expected", `#set $a`: "#set: \"(\" is expected",
		`#if true`: "#if: \"(\" is expected", `#if(true)a#elseif`: "#elseif: \"(\" is expected", `#if(true]`: "#if: \")\" is expected", `#set($a = 1]`: "#set: \")\" is expected", `#foreach($a in [1]]`: "#foreach: \")\" is expected", `#define($a]`: "#define: \")\" is expected",
		`#set($a = $)`: "$ is to be followed by a name", `#set($a = (1]`: `")" is expected`, `#set($a = [1`: `"," is expected`, `#set($a = [1..2)`: `"]" is expected`, `#set($a = [)`: "is no expression", `#set($a = [1..`: "an expression ends", `#set($a = {"k" 1})`: `":" is expected`, `#set($a = {"k": })`: "is no expression", `#set($a = {: 1})`: "is no expression", `#set($a = {"k": 1)`: `"," is expected`,
		`#set($a = 1 + )`: "is no expression", `#set($a = -)`: `"-" is no number`, `#set($a = .)`: `"." is no number`, `#set($a = "#end")`: "#end without its #if or #foreach in a text", `#set($a = "#if(")`: "an expression ends", `$it.get(1`: `"," is expected`, `$it.get(1,)`: "is no expression", `#if(notary)#end`: "is no expression", `$it.get()$it.foo()`: ".foo() is not evaluated",
		"\n$it.split(\"(\")": "line 2: .split(): the pattern cannot be evaluated", `$it.replaceAll("(", "")`: "the pattern cannot be evaluated", `$it.replaceFirst("(", "")`: "the pattern cannot be evaluated", `#set($a = tru)`: `"tru)" is no expression`, `#set($a = "x" $b)`: `")" is expected`, `#{macro}x`: "#macro is not evaluated",
		`$it.matches("a(?=b)")`: "the pattern cannot be evaluated", `#set($x = 99999999999999999999)`: "is no number",
	} {
		if _, err := velocity.Parse(template, hosts); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %s", template, err, want)
		}
	}
}

// TestFromJSON reads what is no JSON value, or more than one.
func TestFromJSON(t *testing.T) {
	for text, want := range map[string]string{
		`{"a":1`: "EOF", `[1`: "EOF", `{"a":}`: "invalid character", `[1,]`: "invalid character", `{1:2}`: "invalid character", `1 2`: "more follows", `{} x`: "more follows", ``: "EOF", strings.Repeat("[", 1100): "nested too deeply",
	} {
		if v, err := velocity.FromJSON([]byte(text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%.20s: %v %v, want %s", text, v, err, want)
		}
	}
	v, err := velocity.FromJSON([]byte(`{"b":[1,2.5,"x",true,null],"a":9007199254740993,"c":{"<":"é"}}`))
	if got := velocity.JSON(v); err != nil || got != `{"b":[1,2.5,"x",true,null],"a":9007199254740993,"c":{"<":"é"}}` {
		t.Errorf("%s %v", got, err)
	}
	list := &velocity.List{}
	list.Items = []any{list}
	if got := velocity.JSON(list); !strings.Contains(got, "[null]") {
		t.Errorf("%s", got)
	}
	if got := velocity.String(list); !strings.Contains(got, "[...]") {
		t.Errorf("%s", got)
	}
}

// TestBounds renders what would never end, or fill the memory.
func TestBounds(t *testing.T) {
	for template, want := range map[string]string{
		`#foreach($x in [1..100])#foreach($y in [1..100])$y#end#end`: "more than 1000 iterations",
		`#set($x = [1..99999999])`:                                   "longer than", `#set($x = "0123456789012345678901234567890123456789")#foreach($i in [1..999])#set($x = "$x$x")#end`: "more than",
		`#define($b)x$b#end$b`: "too deep within itself", `#define($b)#set($y = "$b")#end$b`: "too deep within itself",
		`#set($x = [])#set($x.get(0).y = 1)`: "the list has 0 elements", `#set($x = [])#set($x[$x.get(0)] = 1)`: "the list has 0 elements", `#set($x = [])#set($x.size() = 1)`: "is no place for a value", `#set($x = [])$it.get($x.get(0))`: "the list has 0 elements", `#set($x = [])$it[$x.get(0)]`: "the list has 0 elements",
		`#set($x = [])#set($y = [$x.get(0)])`: "the list has 0", `#set($x = [])#set($y = [$x.get(0)..1])`: "the list has 0", `#set($x = [])#set($y = [1..$x.get(0)])`: "the list has 0", `#set($x = [])#set($y = {$x.get(0): 1})`: "the list has 0", `#set($x = [])#set($y = {"k": $x.get(0)})`: "the list has 0", `#set($x = [])#set($y = $x.get(0) + 1)`: "the list has 0", `#set($x = [])#set($y = 1 + $x.get(0))`: "the list has 0",
		`#set($x = [])#if($x.get(0))#end`: "the list has 0", `#set($x = [])#if(!$x.get(0))#end`: "the list has 0", `#set($x = [])#foreach($y in $x.get(0))#end`: "the list has 0", `#set($x = [])#set($y = "$x.get(0)")`: "the list has 0", `#set($x = [])$x.get("a")`: "get(a): the list has 0", `#set($x = [1])$x.get(1)`: "the list has 1", `#set($x = [1])$x.get(-1)`: "the list has 1", `#set($x = [1])$x.get()`: "the list has 1",
		`#set($x = [1])$x.remove(1)`: "remove(1): the list has 1 elements", `#set($x = [1])$x.remove(-1)`: "remove(-1): the list has 1 elements", `$it.name.substring(2,1)`: "substring(2, 1): the text has 3", `$it.name.substring(-1)`: "the text has 3", `$it.name.substring(0,4)`: "the text has 3", `$it.name.substring("a")`: "the text has 3", `$it.name.substring(0,"a")`: "the text has 3", `$it.name.charAt(3)`: "charAt(3): the text has 3", `$it.name.charAt()`: "the text has 3",
		`#set($p = "(")$it.name.matches($p)`: "matches(): the pattern cannot be evaluated", `#set($p = "(")$it.name.split($p)`: "split(): the pattern cannot be evaluated", `#set($x = [99999999..1])`: "longer than", `#set($x = [-1..-1048578])`: "longer than",
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
