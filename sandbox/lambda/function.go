package lambda

import (
	"context"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"strings"

	"arc/sandbox/stack"
)

// functionProperties are those of AWS::Lambda::Function that make a difference
// on one machine.
type functionProperties struct {
	FunctionName, Handler, Runtime, PackageType, Description, Role string
	Timeout, MemorySize                                            int
	ReservedConcurrentExecutions                                   *int
	Environment                                                    struct{ Variables map[string]string }
	DeadLetterConfig                                               struct{ TargetArn string }
	LoggingConfig                                                  struct {
		LogGroup                                       string
		LogFormat, ApplicationLogLevel, SystemLogLevel any
	}
	Layers           []string
	EphemeralStorage *struct {
		Size int `cfn:"required"`
	}
	Code struct {
		S3Bucket, S3Key, ZipFile, ImageUri string
		S3ObjectVersion, SourceKMSKeyArn   any
	}
}

// harmlessToFunctions is what a function may have without being run any other
// way here.
var harmlessToFunctions = []string{
	"Architectures", "CapacityProviderConfig", "CodeSigningConfigArn", "DurableConfig",
	"FunctionScalingConfig", "KmsKeyArn", "PublishToLatestPublished", "RecursiveLoop", "RuntimeManagementConfig", "SnapStart", "Tags", "TenancyConfig",
	"TracingConfig", "VpcConfig",
}

func (s *Service) createFunction(ctx context.Context, req stack.Request) (stack.Resource, error) {
	p, err := readFunction(req)
	if err != nil {
		return stack.Resource{}, err
	}
	name := p.FunctionName
	if name == "" {
		name = req.Name(64)
	}
	s.mu.Lock()
	taken := s.functions[name] != nil
	s.mu.Unlock()
	if taken {
		return stack.Resource{}, fmt.Errorf("property FunctionName: Function already exists: %s", name)
	}
	fn, err := describe(req, p, name)
	if err != nil {
		return stack.Resource{}, err
	}
	if err := s.mayRun(ctx, fn); err != nil && !req.Whole() {
		return stack.Resource{}, err
	}
	if err := s.layered(&fn, p.Layers); err != nil {
		return stack.Resource{}, err
	}
	if err := s.locate(ctx, req, p, &fn, false); err != nil {
		return stack.Resource{}, err
	}
	s.Put(fn)
	s.keepProperties(name, req.Properties)
	s.adopt(req, name)
	s.bringPublished(name, req.Whole())
	s.tag(name, req.Properties)
	made := functionResource(fn)
	made.Note = noteOf(req.Properties)
	return made, nil
}

// noteOf says what of a function's properties makes no difference here.
func noteOf(properties map[string]any) string {
	var names []string
	for _, name := range harmlessToFunctions {
		if properties[name] != nil && name != "Tags" && name != "Architectures" {
			names = append(names, name)
		}
	}
	for _, inner := range [][2]string{{"LoggingConfig", "LogFormat"}, {"LoggingConfig", "ApplicationLogLevel"}, {"LoggingConfig", "SystemLogLevel"}, {"Code", "S3ObjectVersion"}, {"Code", "SourceKMSKeyArn"}} {
		if outer, _ := properties[inner[0]].(map[string]any); outer[inner[1]] != nil && outer[inner[1]] != "Text" {
			names = append(names, inner[0]+"."+inner[1])
		}
	}
	if len(names) == 0 {
		return ""
	}
	return "makes no difference here: " + strings.Join(names, ", ")
}

func functionResource(fn Function) stack.Resource {
	return stack.Resource{PhysicalID: fn.Name, Attributes: map[string]any{"Arn": fn.ARN}}
}

// updateFunction puts new code or settings in place, and waits until nothing
// of the old is at work any more.
func (s *Service) updateFunction(ctx context.Context, req stack.Request) (stack.Resource, error) {
	p, err := readFunction(req)
	if err != nil {
		return stack.Resource{}, err
	}
	fn, err := describe(req, p, req.PhysicalID)
	if err != nil {
		return stack.Resource{}, err
	}
	if err := s.mayRun(ctx, fn); err != nil {
		return stack.Resource{}, err
	}
	if err := s.layered(&fn, p.Layers); err != nil {
		return stack.Resource{}, err
	}
	same := func(property string) bool { return reflect.DeepEqual(req.Properties[property], req.Old[property]) }
	if err := s.locate(ctx, req, p, &fn, same("Code") && same("Runtime")); err != nil {
		return stack.Resource{}, err
	}
	s.Put(fn)
	s.keepProperties(fn.Name, req.Properties)
	s.tag(fn.Name, req.Properties)
	s.mu.Lock()
	_, live := s.resources.live[fn.Name]
	s.mu.Unlock()
	if live {
		return functionResource(fn), nil // who saves a file does not wait for a call that takes long
	}
	return functionResource(fn), s.settle(ctx, fn.Name)
}

func (s *Service) deleteFunction(_ context.Context, req stack.Request) error {
	s.Remove(req.PhysicalID)
	s.mu.Lock()
	defer s.mu.Unlock()
	for id, p := range s.resources.permissions {
		if p.function == req.PhysicalID {
			delete(s.resources.permissions, id)
		}
	}
	s.resources.decided = nil
	s.forgetPublished(req.PhysicalID)
	delete(s.resources.qualifiers, req.PhysicalID)
	delete(s.resources.code, req.PhysicalID)
	delete(s.resources.properties, req.PhysicalID)
	delete(s.resources.origins, req.PhysicalID)
	delete(s.resources.live, req.PhysicalID)
	for key := range s.resources.policies {
		if strings.HasPrefix(key, req.PhysicalID+":") {
			delete(s.resources.policies, key)
		}
	}
	return nil
}

// keepProperties notes what a function's resource has set.
func (s *Service) keepProperties(name string, properties map[string]any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.resources.properties[name] = properties
}

func readFunction(req stack.Request) (*functionProperties, error) {
	p := &functionProperties{Timeout: defaultTimeout, MemorySize: 128}
	if err := stack.Read(req.Properties, p, harmlessToFunctions...); err != nil {
		return nil, err
	}
	switch {
	case p.PackageType == "Image" || p.Code.ImageUri != "":
		return nil, fmt.Errorf("property PackageType: container images are not run by the local cloud; give the function a zip")
	case p.Runtime == "":
		return nil, fmt.Errorf("property Runtime: is required")
	case p.Handler == "":
		return nil, fmt.Errorf("property Handler: is required")
	case p.Timeout < 1 || p.Timeout > 900:
		return nil, fmt.Errorf("property Timeout: %d: must be 1 to 900 seconds", p.Timeout)
	case p.EphemeralStorage != nil && checkStorage(p.EphemeralStorage.Size) != nil:
		return nil, fmt.Errorf("property EphemeralStorage.Size: %w", checkStorage(p.EphemeralStorage.Size))
	case p.MemorySize < 128 || p.MemorySize > 10240:
		return nil, fmt.Errorf("property MemorySize: %d: must be 128 to 10240 MB", p.MemorySize)
	}
	return p, nil
}

// describe makes the function of a resource, without its code.
func describe(req stack.Request, p *functionProperties, name string) (Function, error) {
	fn := Function{
		Name: name,
		ARN:  stack.ARN(req.Stack.Region, "lambda", req.Stack.Region, req.Stack.Account, "function:"+name),
		Role: p.Role, Runtime: p.Runtime, Handler: p.Handler, Timeout: p.Timeout, MemoryMB: p.MemorySize,
		Env: map[string]string{}, Description: p.Description, Label: req.LogicalID, LogicalID: req.LogicalID, LogGroup: p.LoggingConfig.LogGroup, DeadLetter: p.DeadLetterConfig.TargetArn,
	}
	for key, value := range p.Environment.Variables {
		fn.Env[key] = value
	}
	if p.EphemeralStorage != nil {
		fn.Storage = p.EphemeralStorage.Size
	}
	if p.ReservedConcurrentExecutions != nil {
		n := *p.ReservedConcurrentExecutions
		if n < 0 {
			return fn, fmt.Errorf("property ReservedConcurrentExecutions: %d: must be 0 or more", n)
		}
		fn.Reserved = &n
	}
	return fn, nil
}

// locate finds the folder of a function's code: the source folder of a live
// function, or that of what its Code property names, which is made again unless
// it is the same as before.
func (s *Service) locate(ctx context.Context, req stack.Request, p *functionProperties, fn *Function, same bool) error {
	if s.options.Live != nil {
		if folders, live := s.options.Live(req.Stack, req.LogicalID); live {
			fn.stand(folders)
			s.remember(fn.Name, Unpacked{})
			s.mu.Lock()
			s.resources.live[fn.Name] = liveRef{req.Stack, req.LogicalID}
			s.mu.Unlock()
			return nil
		}
	}
	s.mu.Lock()
	code := s.resources.code[fn.Name]
	s.mu.Unlock()
	if code.Dir == "" || !same {
		var err error
		if code, err = s.unpack(ctx, p); err != nil {
			return err
		}
		s.remember(fn.Name, code)
	}
	fn.Dir, fn.CodeSHA256 = code.Dir, code.SHA256
	// A layer brings Deno to AWS; where it is not here, Deno is the one that is installed.
	if strings.HasPrefix(fn.Runtime, "provided") && !isThere(fn.Dir, "bootstrap") && !isThere(fn.Opt, "bootstrap") {
		for _, layer := range p.Layers {
			if strings.Contains(strings.ToLower(layer), "deno") {
				fn.Runtime = "deno"
			}
		}
	}
	return nil
}

// liveRef is the resource that a function run from its folders stands for.
type liveRef struct {
	stack     stack.Ref
	logicalID string
}

// stand says where the code of a live function is.
func (fn *Function) stand(folders Folders) {
	fn.Dir, fn.Shared, fn.Views, fn.Code, fn.LocalEnv = folders.Dir, folders.Shared, folders.Views, folders.Code, folders.Env
	fn.Remedy, fn.Static = folders.Remedy, folders.Static
	if folders.Label != "" {
		fn.Label = folders.Label
	}
}

// Relocate asks again where the code of each live function is. Its template
// does not tell, so that a folder that moves, or shared code that comes or goes,
// may be no change of its resource.
func (s *Service) Relocate() {
	for _, fn := range s.Functions() {
		s.mu.Lock()
		ref, live := s.resources.live[fn.Name]
		s.mu.Unlock()
		if !live {
			continue
		}
		next := fn
		if folders, ok := s.options.Live(ref.stack, ref.logicalID); ok {
			next.stand(folders)
		}
		if next.Dir != fn.Dir || next.Shared != fn.Shared || next.Views != fn.Views || next.Label != fn.Label || next.LocalEnv != fn.LocalEnv || next.Remedy != fn.Remedy || next.Static != fn.Static || next.Code.Settings() != fn.Code.Settings() {
			s.Put(next)
		}
	}
}

// RetireLive retires the live functions whose code has changed.
func (s *Service) RetireLive(changed func(ref stack.Ref, logicalID string) bool) {
	s.mu.Lock()
	live := maps.Clone(s.resources.live)
	s.mu.Unlock()
	for name, ref := range live {
		if changed(ref.stack, ref.logicalID) {
			s.Retire(name)
		}
	}
}

// remember notes what was unpacked for a function; the zero value = nothing.
func (s *Service) remember(name string, code Unpacked) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.resources.code[name] = code
}

// unpack makes a folder of what the Code property names.
func (s *Service) unpack(ctx context.Context, p *functionProperties) (Unpacked, error) {
	switch {
	case p.Code.ZipFile != "":
		dir, err := s.writeInline(p)
		return Unpacked{Dir: dir}, err
	case p.Code.S3Bucket == "" || p.Code.S3Key == "":
		return Unpacked{}, fmt.Errorf("property Code: needs S3Bucket and S3Key, or ZipFile")
	case s.options.Code == nil:
		return Unpacked{}, fmt.Errorf("property Code: there is no S3 to read it from")
	}
	return s.options.Code(ctx, p.Code.S3Bucket, p.Code.S3Key)
}

// writeInline writes code that stands in the template itself to a folder.
func (s *Service) writeInline(p *functionProperties) (string, error) {
	names := map[string]string{"nodejs": "index.js", "python": "index.py"}
	l := languageOf(p.Runtime)
	if l == nil || names[l.prefix] == "" {
		return "", fmt.Errorf("property Code.ZipFile: is for Node and Python only, not %s", p.Runtime)
	}
	scratch, err := s.scratch()
	if err != nil {
		return "", err
	}
	dir := filepath.Join(scratch, "inline", digest(p.Runtime, p.Code.ZipFile))
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return "", fmt.Errorf("code of the template: %w", err)
	}
	if err := os.WriteFile(filepath.Join(dir, names[l.prefix]), []byte(p.Code.ZipFile), 0o600); err != nil {
		return "", fmt.Errorf("code of the template: %w", err)
	}
	return dir, addResponder(dir, l.prefix, p.Code.ZipFile)
}
