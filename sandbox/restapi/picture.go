package restapi

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"

	"arc/sandbox/stack"
)

// A deployment is a picture of what an API was. Resources change after it was taken,
// so that the next run of the cloud could not take it again: it is kept as the
// properties of all that made it.

// pictureAttribute keeps a deployment's picture for the next run. No template can name
// it.
const pictureAttribute = " picture"

// picture is what an API was made of.
type picture struct {
	API       map[string]any
	Resources []pictured // parents go first
	Methods   []map[string]any
	// By physical ID: the properties of what else belongs to the API.
	Authorizers, Validators, Models, Responses map[string]map[string]any
}

// pictured is a resource that the template made.
type pictured struct{ ID, Parent, Part string }

// picture writes down what the API is made of.
func (a *api) picture() string {
	p := picture{
		API: a.raw, Authorizers: map[string]map[string]any{}, Validators: map[string]map[string]any{}, Models: map[string]map[string]any{}, Responses: map[string]map[string]any{},
	}
	paths := slices.SortedFunc(maps.Values(a.resources), func(x, y *resource) int { return strings.Compare(x.path, y.path) })
	for _, r := range paths {
		if !r.imported && r.id != a.root {
			p.Resources = append(p.Resources, pictured{r.id, r.parent, r.part})
		}
		for _, verb := range slices.Sorted(maps.Keys(r.methods)) {
			if m := r.methods[verb]; !m.imported {
				p.Methods = append(p.Methods, m.raw)
			}
		}
	}
	for id, z := range a.authorizers {
		p.Authorizers[id] = z.raw
	}
	for id, v := range a.validators {
		p.Validators[id] = v.raw
	}
	for name, m := range a.models {
		p.Models[name] = m.raw
	}
	for kind, r := range a.responses {
		p.Responses[kind] = r.raw
	}
	text, err := json.Marshal(p)
	if err != nil {
		return "" // then the next run takes another
	}
	return string(text)
}

// develop makes of a picture what it was taken of.
func (g *APIs) develop(a *api, text string) (*snapshot, error) {
	var p picture
	dec := json.NewDecoder(strings.NewReader(text))
	dec.UseNumber()
	if err := dec.Decode(&p); err != nil {
		return nil, err
	}
	was := newAPI(a.stack, a.logical, a.id)
	room := &APIs{options: Options{Object: g.options.Object}, apis: map[string]*api{a.id: was}}
	if err := room.configure(was, p.API); err != nil {
		return nil, err
	}
	for _, r := range p.Resources {
		next := &resource{id: r.ID, parent: r.Parent, part: r.Part, methods: map[string]*method{}}
		next.path = was.pathOf(next)
		was.resources[r.ID] = next
	}
	put := func(id string, properties map[string]any, step func(stack.Request) (stack.Resource, error)) error {
		_, err := step(stack.Request{Stack: a.stack, LogicalID: "Restored", PhysicalID: id, Properties: properties, Restored: true})
		return err
	}
	for _, kind := range []struct {
		all  map[string]map[string]any
		step func(stack.Request) (stack.Resource, error)
	}{{p.Authorizers, room.putAuthorizer}, {p.Validators, room.putValidator}, {p.Models, room.putModel}, {p.Responses, room.putGatewayResponse}} {
		for _, id := range slices.Sorted(maps.Keys(kind.all)) {
			if err := put(id, kind.all[id], kind.step); err != nil {
				return nil, err
			}
		}
	}
	for _, properties := range p.Methods {
		if err := put("restored", properties, room.putMethod); err != nil {
			return nil, err
		}
	}
	return was.snapshot(), nil
}
