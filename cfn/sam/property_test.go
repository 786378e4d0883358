package sam

import (
	"fmt"
	"math/rand/v2"
	"regexp"
	"strings"
	"testing"

	"arc/cfn/registry"
)

// mutator changes a view at random, as plugins do.
type mutator struct {
	*rand.Rand
	resources map[string]any
	root      map[string]any
	done      []string
}

func (m *mutator) pick(holds func(id string, r object) bool) (string, object) {
	var ids []string
	for _, id := range sorted(m.resources) {
		if holds(id, asObject(m.resources[id])) {
			ids = append(ids, id)
		}
	}
	if len(ids) == 0 {
		return "", object{}
	}
	id := ids[m.IntN(len(ids))]
	return id, asObject(asObject(m.resources[id])["Properties"])
}

func (m *mutator) function() (string, object) {
	return m.pick(func(_ string, r object) bool { return asText(r["Type"]) == registry.ServerlessFunction })
}

// kinds are the ways to change a view.
var kinds = []func(m *mutator) string{
	func(m *mutator) string {
		id, p := m.function()
		p["MemorySize"], p["Timeout"] = number(128+m.IntN(5000)), number(1+m.IntN(800))
		return "settings of " + id
	},
	func(m *mutator) string {
		id, p := m.function()
		variables := asObject(asObject(p["Environment"])["Variables"])
		variables[fmt.Sprintf("RANDOM_%d", m.IntN(100))] = sub("${AWS::Region}-x", nil)
		if m.IntN(2) == 0 {
			delete(variables, "ARC_APP_NAME")
		}
		return "environment of " + id
	},
	func(m *mutator) string {
		id, p := m.function()
		p["Layers"] = append(asList(p["Layers"]), "arn:aws:lambda:us-east-1:111122223333:layer:l:1")
		p["Tags"] = object{"team": "a"}
		return "layers and tags of " + id
	},
	func(m *mutator) string {
		id, p := m.function()
		p["VpcConfig"], p["Tracing"] = object{"SubnetIds": []any{"s"}, "SecurityGroupIds": []any{"g"}}, "Active"
		return "network of " + id
	},
	func(m *mutator) string {
		id, p := m.function()
		delete(p, "Role")
		p["Policies"] = append(asList(p["Policies"]), "AmazonS3ReadOnlyAccess", object{"SQSSendMessagePolicy": object{"QueueName": "q"}})
		return "policies of " + id
	},
	func(m *mutator) string {
		id, p := m.function()
		events := asObject(p["Events"])
		for _, name := range sorted(events) {
			if name != "HTTPEvent" {
				delete(events, name)
				return "without event " + id + "." + name
			}
		}
		events["Nightly"] = object{"Type": "Schedule", "Properties": object{"Schedule": "rate(1 day)"}}
		return "schedule of " + id
	},
	func(m *mutator) string {
		id, p := m.function()
		asObject(p["Events"])["Extra"] = object{"Type": "HttpApi", "Properties": object{"Path": fmt.Sprintf("/extra/%d/{id}", m.IntN(9)), "Method": "POST", "ApiId": ref(httpAPI)}}
		if m.resources[httpAPI] == nil {
			delete(asObject(asObject(asObject(p["Events"])["Extra"])["Properties"]), "ApiId")
		}
		return "route of " + id
	},
	func(m *mutator) string {
		queue, _ := m.pick(func(_ string, r object) bool { return asText(r["Type"]) == registry.SQSQueue })
		id, p := m.function()
		if queue == "" {
			m.resources["Made"] = object{"Type": registry.SQSQueue}
			queue = "Made"
		}
		asObject(p["Events"])["Queued"] = object{"Type": "SQS", "Properties": object{"Queue": getAtt(queue, "Arn"), "BatchSize": number(1 + m.IntN(10))}}
		return "queue of " + id
	},
	func(m *mutator) string {
		role := asObject(asObject(m.resources[sharedRole])["Properties"])
		role["Policies"] = append(asList(role["Policies"]), inlinePolicy(fmt.Sprintf("Random%d", m.IntN(9)), allow("ses:SendEmail", "*")))
		return "shared role"
	},
	func(m *mutator) string {
		id := fmt.Sprintf("Own%d", m.IntN(9))
		m.resources[id] = object{"Type": registry.SNSTopic, "Properties": object{"DisplayName": "x"}}
		outputs := asObject(m.root["Outputs"])
		outputs[id] = object{"Value": ref(id)}
		m.root["Parameters"] = merged(m.root["Parameters"], object{"Own": object{"Type": "String", "Default": "y"}})
		return "topic " + id
	},
	func(m *mutator) string {
		id := fmt.Sprintf("Fn%d", m.IntN(9))
		m.resources[id] = object{"Type": registry.ServerlessFunction, "Properties": object{
			"Handler": "a.b", "Runtime": "nodejs22.x", "CodeUri": "plugin/fn", "Policies": "AmazonS3FullAccess",
			"Events": object{"R": object{"Type": "EventBridgeRule", "Properties": object{"Pattern": object{"source": []any{"a"}}}}},
		}}
		return "function " + id
	},
	func(m *mutator) string {
		m.resources["Simple"] = object{"Type": registry.ServerlessSimpleTable, "Properties": object{"PrimaryKey": object{"Name": "k", "Type": "Number"}}}
		m.resources["Fn0"] = object{"Type": registry.ServerlessFunction, "Properties": object{"Handler": "a.b", "Runtime": "nodejs22.x", "CodeUri": "x"}}
		m.resources["Join"] = object{"Type": registry.ServerlessConnector, "Properties": object{
			"Source": object{"Id": "Fn0"}, "Destination": object{"Id": "Simple"}, "Permissions": []any{"Read", "Write"},
		}}
		return "table and connector"
	},
	func(m *mutator) string {
		api := asObject(asObject(m.resources[httpAPI])["Properties"])
		if api == nil {
			return ""
		}
		api["CorsConfiguration"] = object{"AllowOrigins": []any{"https://example.com"}}
		api["DefaultRouteSettings"] = object{"ThrottlingBurstLimit": number(m.IntN(100) + 1)}
		api["StageVariables"] = object{"a": "b"}
		return "API"
	},
	func(m *mutator) string {
		id, p := m.function()
		p["FunctionUrlConfig"] = object{"AuthType": "NONE"}
		p["EventInvokeConfig"] = object{"MaximumRetryAttempts": number(1)}
		return "URL of " + id
	},
	func(m *mutator) string {
		id, p := m.pick(func(_ string, r object) bool { return asText(r["Type"]) == registry.DynamoDBTable })
		if id == "" {
			return ""
		}
		p["TableClass"] = "STANDARD_INFREQUENT_ACCESS"
		asObject(m.resources[id])["DeletionPolicy"] = "Retain"
		return "table " + id
	},
	func(m *mutator) string {
		outputs := asObject(m.root["Outputs"])
		for _, id := range sorted(outputs) {
			delete(outputs, id)
			return "without output " + id
		}
		return ""
	},
}

// TestCarryIsAsTranslated changes views at random. What AWS's translator makes
// otherwise of the changed view is otherwise in our template, too, and nothing
// else is. Code is left out of account: the translator takes none that is local.
func TestCarryIsAsTranslated(t *testing.T) {
	apps := compiledApps(t)
	type run struct {
		name    string
		app     compiled
		after   []byte
		changes []string
	}
	templates, runs := map[string]any{}, []run{}
	for at, name := range []string{"app-every", "app-notes", "queues", "events", "tables", "policies"} {
		app, ok := apps[name]
		if !ok {
			t.Fatalf("there is no app %s", name)
		}
		templates[name] = uploaded(tree(t, app.view))
		for seed := range 4 {
			root := tree(t, app.view).(map[string]any)
			m := &mutator{Rand: rand.New(rand.NewPCG(uint64(seed), uint64(at))), root: root, resources: asObject(root["Resources"])}
			if root["Outputs"] == nil {
				root["Outputs"] = object{}
			}
			for range 1 + seed%4 {
				m.done = append(m.done, kinds[m.IntN(len(kinds))](m))
			}
			after := encode(root)
			templates[fmt.Sprintf("%s/%d", name, seed)] = uploaded(tree(t, after))
			runs = append(runs, run{fmt.Sprintf("%s/%d", name, seed), app, after, m.done})
		}
	}
	done := translated(t, templates)
	for _, r := range runs {
		before, after := done[r.name[:strings.LastIndex(r.name, "/")]], done[r.name]
		carried, problems, err := Carry(r.app.plain, r.app.view, r.after)
		if err != nil {
			t.Fatal(err)
		}
		if after.Errors != nil || before.Errors != nil {
			if len(problems) == 0 {
				t.Errorf("%s (%v): the translator refuses it: %v %v", r.name, r.changes, before.Errors, after.Errors)
			}
			continue
		}
		for _, p := range problems {
			if !p.Warning {
				t.Errorf("%s (%v): %s", r.name, r.changes, p.Error())
			}
		}
		theirsBefore, theirsAfter := factsIn(before.Template), factsIn(after.Template)
		oursBefore, oursAfter := factsIn(tree(t, r.app.plain)), factsIn(tree(t, carried.Template))
		for fact := range theirsAfter {
			if !theirsBefore[fact] && !oursAfter[fact] {
				t.Errorf("%s (%v): not carried over: %s", r.name, r.changes, fact)
			}
		}
		for fact := range theirsBefore {
			if !theirsAfter[fact] && oursAfter[fact] {
				t.Errorf("%s (%v): still there: %s", r.name, r.changes, fact)
			}
		}
		for fact := range oursAfter {
			if !oursBefore[fact] && !theirsAfter[fact] {
				t.Errorf("%s (%v): nobody asked for: %s", r.name, r.changes, fact)
			}
		}
		for fact := range oursBefore {
			if !oursAfter[fact] && theirsAfter[fact] {
				t.Errorf("%s (%v): lost: %s", r.name, r.changes, fact)
			}
		}
	}
}

// uploaded gives a view whose code is in S3.
func uploaded(v any) any {
	for _, r := range asObject(asObject(v)["Resources"]) {
		p := asObject(asObject(r)["Properties"])
		if text, ok := p["CodeUri"].(string); ok {
			p["CodeUri"] = "s3://code/" + strings.ReplaceAll(text, ":", "/")
		}
	}
	return v
}

var hashed = regexp.MustCompile(`\b(WebsocketDeployment|[A-Za-z0-9]+LambdaVersion|Fn[0-9]Version)[0-9a-f]{8,10}\b`)

// factsIn writes a template down as a set of facts: each leaf with its path, each
// element of a list as a whole.
func factsIn(v any) map[string]bool {
	facts := map[string]bool{}
	var walk func(path string, v any)
	walk = func(path string, v any) {
		switch v := v.(type) {
		case object:
			if intrinsic(v) || len(v) == 0 {
				break
			}
			for key, e := range v {
				if strings.HasSuffix(path, ".Properties") && key == "Code" || path == "" && (key == "Transform" || key == "Metadata") || key == "ArcMetadata" {
					continue
				}
				walk(path+"."+key, e)
			}
			return
		case []any:
			for _, e := range v {
				facts[path+": "+hashed.ReplaceAllString(compact(e), "$1")] = true
			}
			return
		}
		facts[hashed.ReplaceAllString(path+": "+compact(v), "$1")] = true
	}
	walk("", v)
	return facts
}
