package lambda

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"math/rand/v2"
	"net/http"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"arc/sandbox/stack"
	"arc/sandbox/wire"
)

// frozenVersion begins the keys of versions in the log: what of a function's
// resource each was made of, by its own stack and logical ID.
const frozenVersion = "version "

// createVersion freezes the code and the configuration of a function under a
// number. A function that runs from its folders is not frozen: each of its versions
// runs what is saved.
// https://docs.aws.amazon.com/lambda/latest/dg/configuration-versions.html
func (s *Service) createVersion(ctx context.Context, req stack.Request) (stack.Resource, error) {
	var p struct{ FunctionName, Description, CodeSha256 string }
	if err := stack.Read(req.Properties, &p, "FunctionScalingConfig", "ProvisionedConcurrencyConfig", "RuntimePolicy"); err != nil {
		return stack.Resource{}, err
	}
	was := s.thawed(ctx, req, p.FunctionName)
	s.mu.Lock()
	defer s.mu.Unlock()
	f, err := s.owner(p.FunctionName)
	if err != nil {
		return stack.Resource{}, err
	}
	fn, note := f.Function, ""
	_, live := s.resources.live[f.Name]
	switch {
	case live:
		note = "runs what is saved, as the function does: a deploy freezes it"
	case was != nil:
		fn = *was
	case p.CodeSha256 != "" && fn.CodeSHA256 != "" && p.CodeSha256 != fn.CodeSHA256:
		return stack.Resource{}, invalid("CodeSHA256 (%s) is different from current CodeSHA256 in $LATEST (%s). Please try again with the CodeSHA256 in $LATEST.", p.CodeSha256, fn.CodeSHA256)
	case !req.Restored:
		if last := s.unchanged(f); last != "" {
			return stack.Resource{}, fmt.Errorf("A version for this Lambda function exists ( %s ). Modify the function to create a new version.", last) //nolint:staticcheck // Lambda's words
		}
	}
	number := s.number(f.ARN, req)
	s.qualify(f.Name, number)
	if !live {
		s.freeze(fn, number, p.Description)
		if s.positions != nil && was == nil {
			if err := s.positions.Put(frozenVersion+originOf(req), s.resources.properties[f.Name]); err != nil {
				return stack.Resource{}, err
			}
		}
	}
	id := f.ARN + ":" + number
	req.PhysicalID = id
	return stack.Resource{PhysicalID: id, Attributes: versionAttributes(req), Note: note}, nil
}

// originOf names a resource over all runs.
func originOf(req stack.Request) string { return req.Stack.Name + "/" + req.LogicalID }

// thawed is what an earlier run froze for a version; nil = nothing, or it cannot be
// had any more.
func (s *Service) thawed(ctx context.Context, req stack.Request, function string) *Function {
	s.mu.Lock()
	raw := s.resources.frozen[originOf(req)]
	f, _ := s.owner(function)
	s.mu.Unlock()
	if raw == nil || f == nil || !req.Restored {
		return nil
	}
	of := stack.Request{Stack: req.Stack, LogicalID: f.Label}
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber()
	if d.Decode(&of.Properties) != nil {
		return nil
	}
	p, err := readFunction(of)
	if err != nil {
		return nil
	}
	fn, err := describe(of, p, f.Name)
	if err == nil {
		err = s.layered(&fn, p.Layers)
	}
	if err == nil {
		var code Unpacked
		code, err = s.unpack(ctx, p)
		fn.Dir, fn.CodeSHA256 = code.Dir, code.SHA256
	}
	if err != nil {
		s.options.Tell.Or().Notice("a version of %s is not what it was in the run before: it runs what the function does now: %v", f.Name, err)
		return nil
	}
	if f.Runtime == "deno" {
		fn.Runtime = f.Runtime // which is provided.al2023, with its layer
	}
	return &fn
}

// freeze makes a version of a function, with a description of its own if that is not
// "". The caller holds the lock.
func (s *Service) freeze(fn Function, number, description string) {
	fn.Env = maps.Clone(fn.Env)
	of := fn
	fn.Version, fn.Reserved, fn.Description = number, nil, cmp.Or(description, fn.Description)
	s.functions[fn.key()] = &function{Function: fn, of: of, workers: map[*worker]bool{}}
}

// unchanged is the newest version of a function when it is what the function is
// now: Lambda makes no other of it. "" = there is none, or it is another. The caller
// holds the lock.
func (s *Service) unchanged(f *function) string {
	newest := strconv.Itoa(s.resources.numbers[f.ARN])
	last := s.functions[f.Name+":"+newest]
	if last == nil {
		return ""
	}
	now := f.Function
	now.Reserved, now.Provisioned = last.of.Reserved, last.of.Provisioned // which are no part of a version
	if !reflect.DeepEqual(now, last.of) {
		return ""
	}
	return newest
}

// number gives a version of a function or a layer the next number, or the one
// that it had in an earlier run. The caller holds the lock.
func (s *Service) number(of string, req stack.Request) string {
	next := s.resources.numbers[of] + 1
	if had, err := strconv.Atoi(req.PhysicalID[strings.LastIndexByte(req.PhysicalID, ':')+1:]); req.Restored && err == nil {
		next = had
	}
	s.resources.numbers[of] = max(next, s.resources.numbers[of])
	return strconv.Itoa(next)
}

func versionAttributes(req stack.Request) map[string]any {
	_, number := splitName(req.PhysicalID)
	return map[string]any{"FunctionArn": req.PhysicalID, "Version": number}
}

// qualify makes an alias or version known. The caller holds the lock.
func (s *Service) qualify(function, qualifier string) {
	if s.resources.qualifiers[function] == nil {
		s.resources.qualifiers[function] = map[string]bool{}
	}
	s.resources.qualifiers[function][qualifier] = true
}

func (s *Service) deleteQualifier(_ context.Context, req stack.Request) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	name, qualifier := splitName(req.PhysicalID)
	delete(s.resources.qualifiers[name], qualifier)
	delete(s.resources.aliases, req.PhysicalID)
	s.remove(name + ":" + qualifier)
	if s.positions == nil {
		return nil
	}
	return s.positions.Delete(frozenVersion + originOf(req))
}

// alias is what an alias stands for: a version, and others that it gives a share of
// the calls to.
// https://docs.aws.amazon.com/lambda/latest/dg/configuring-alias-routing.html
type alias struct {
	version     string
	description string
	routing     map[string]float64 // by version: of 1
}

// pick is the version that a call goes to.
func (a alias) pick() string {
	at := rand.Float64()
	for _, version := range slices.Sorted(maps.Keys(a.routing)) {
		if at -= a.routing[version]; at < 0 {
			return version
		}
	}
	return a.version
}

// told is the alias as Lambda tells it.
// https://docs.aws.amazon.com/lambda/latest/api/API_AliasConfiguration.html
func (a alias) told(arn, name string) map[string]any {
	is := map[string]any{"AliasArn": arn, "Name": name, "FunctionVersion": a.version, "Description": a.description, "RevisionId": wire.NewRequestID()}
	if len(a.routing) > 0 {
		is["RoutingConfig"] = map[string]any{"AdditionalVersionWeights": a.routing}
	}
	return is
}

// pointAlias says what an alias stands for. The caller holds the lock.
func (s *Service) pointAlias(f *function, name string, to alias) error {
	if len(to.routing) > 1 {
		return invalid("RoutingConfig: an alias gives a share of its calls to one further version at most")
	}
	for _, version := range append(slices.Sorted(maps.Keys(to.routing)), to.version) {
		if _, isAlias := s.resources.aliases[f.ARN+":"+version]; isAlias || version != latest && !s.resources.qualifiers[f.Name][version] {
			return &stack.Error{Code: "ResourceNotFoundException", Status: http.StatusNotFound, Message: "Function not found: " + f.ARN + ":" + version}
		}
		if share, ok := to.routing[version]; ok && (share < 0 || share > 1 || version == latest || to.version == latest) {
			return invalid("RoutingConfig: %s: %v: a share is 0 to 1, of calls to a version; $LATEST has none", version, share)
		}
	}
	s.resources.aliases[f.ARN+":"+name] = to
	return nil
}

func (s *Service) createAlias(_ context.Context, req stack.Request) (stack.Resource, error) {
	p, err := readAlias(req)
	if err != nil {
		return stack.Resource{}, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	f, err := s.owner(p.FunctionName)
	if err != nil {
		return stack.Resource{}, err
	}
	if s.resources.qualifiers[f.Name][p.Name] {
		return stack.Resource{}, fmt.Errorf("property Name: Alias already exists: %s:%s", f.ARN, p.Name)
	}
	if err := s.pointAlias(f, p.Name, p.alias()); err != nil {
		return stack.Resource{}, err
	}
	s.qualify(f.Name, p.Name)
	s.provision(f, p)
	id := f.ARN + ":" + p.Name
	return stack.Resource{PhysicalID: id, Attributes: map[string]any{"AliasArn": id}}, nil
}

// provision notes whether an alias keeps environments of what it stands for ready.
// The caller holds the lock.
func (s *Service) provision(f *function, p *aliasProperties) {
	if version := s.functions[f.Name+":"+p.FunctionVersion]; version != nil {
		version.Provisioned = p.provisioned()
		return
	}
	f.Provisioned = p.provisioned()
}

func (s *Service) updateAlias(_ context.Context, req stack.Request) (stack.Resource, error) {
	p, err := readAlias(req)
	if err != nil {
		return stack.Resource{}, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	f, err := s.owner(p.FunctionName)
	if err != nil {
		return stack.Resource{}, err
	}
	if err := s.pointAlias(f, p.Name, p.alias()); err != nil {
		return stack.Resource{}, err
	}
	s.provision(f, p)
	return stack.Resource{PhysicalID: req.PhysicalID, Attributes: map[string]any{"AliasArn": req.PhysicalID}}, nil
}

type aliasProperties struct {
	Name, FunctionName, Description string
	FunctionVersion                 string
	RoutingConfig                   struct {
		AdditionalVersionWeights []struct {
			FunctionVersion string  `cfn:"required"`
			FunctionWeight  float64 `cfn:"required"`
		}
	}

	ProvisionedConcurrencyConfig struct{ ProvisionedConcurrentExecutions int }
}

func (p *aliasProperties) alias() alias {
	a := alias{version: p.FunctionVersion, description: p.Description}
	for _, w := range p.RoutingConfig.AdditionalVersionWeights {
		if a.routing == nil {
			a.routing = map[string]float64{}
		}
		a.routing[w.FunctionVersion] = w.FunctionWeight
	}
	return a
}

// provisioned reports whether the alias keeps environments of its function ready.
func (p *aliasProperties) provisioned() bool {
	return p.ProvisionedConcurrencyConfig.ProvisionedConcurrentExecutions > 0
}

func readAlias(req stack.Request) (*aliasProperties, error) {
	p := &aliasProperties{}
	if err := stack.Read(req.Properties, p); err != nil {
		return nil, err
	}
	if p.Name == "" || p.FunctionVersion == "" {
		return nil, fmt.Errorf("properties Name and FunctionVersion: are required")
	}
	return p, nil
}
