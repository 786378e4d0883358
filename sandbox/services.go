package sandbox

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"sync"

	"arc/sandbox/gateway"
	"arc/sandbox/iam"
	"arc/sandbox/lambda"
	"arc/sandbox/logs"
	"arc/sandbox/recorded"
	"arc/sandbox/s3"
	"arc/sandbox/ssm"
	"arc/sandbox/stack"
	"arc/sandbox/wire"
	"arc/source"
)

// assemble makes the services and puts them together: each gives the stack
// engine its resource types, and all stand behind one endpoint.
func (c *Cloud) assemble() {
	account, region := Account, c.opts.Region
	c.s3 = s3.New(s3.Options{Account: account, Region: region})
	c.ssm = ssm.New(account, region)
	identities := iam.New(account, region)
	c.logs = logs.New(account, region)
	c.code = &codeStore{root: filepath.Join(c.scratch, "code"), get: c.s3.Get, ready: map[string]*unpacked{}}
	c.lambda = lambda.New(lambda.Options{
		Env:     c.environment,
		Path:    c.opts.Path,
		User:    c.opts.User,
		Warn:    c.opts.Warn,
		Cache:   c.opts.Cache,
		Scratch: c.scratch,
		Workers: c.opts.Workers,
		Log:     c.functionLog,
		Keep:    c.logs.Append,
		Code:    c.code.unpack,
		Live:    c.liveFunction,
	})
	c.undo = append(c.undo, func() { c.lambda.Close() })
	c.gateway = gateway.New(gateway.Options{
		Invoker:   c.lambda,
		Bind:      c.bind,
		Called:    c.called,
		Log:       func(line string) { c.opts.Log("%s", line) },
		Developer: true,
	})
	c.undo = append(c.undo, func() {
		ctx, cancel := context.WithTimeout(context.Background(), stopTimeout)
		defer cancel()
		c.gateway.Close(ctx)
	})
	types := map[string]stack.Registration{}
	for _, more := range []map[string]stack.Registration{
		c.s3.Registrations(), c.ssm.Registrations(), identities.Registrations(), c.logs.Registrations(),
		recorded.New(account, region).Registrations(), c.lambda.Registrations(), c.gateway.Registrations(),
	} {
		maps.Copy(types, more)
	}
	c.engine = stack.New(stack.Options{
		Account: account, Region: region, Registrations: types,
		Fetch: c.s3.Fetch, Parameter: c.ssm.Value,
	})
	c.undo = append(c.undo, c.engine.Close)
	c.wire = wire.New(wire.Options{
		Account: account, Region: region,
		Stacks: c.engine, Objects: c.s3, Parameters: c.ssm, Logs: c.logs, Identities: identities,
		Functions: functionList{c.lambda}, Invoker: c.lambda,
	})
}

// functionLog prints a line that a function wrote.
func (c *Cloud) functionLog(label, _, line string) { c.opts.Log("%s | %s", label, line) }

// called gives the words by which people know a function: the manifest's for
// the live app, else the logical ID.
func (c *Cloud) called(function string) string {
	for _, fn := range c.lambda.Functions() {
		if fn.Name != function && fn.ARN != function {
			continue
		}
		if strings.HasPrefix(fn.Label, "@") {
			return fn.Label
		}
		return "function " + fn.Label
	}
	return ""
}

// codeStore unpacks uploaded zips, each once. Keys are hashes of content, so
// what was unpacked under one stays right.
type codeStore struct {
	root  string
	get   func(bucket, key string) ([]byte, error)
	mu    sync.Mutex
	ready map[string]*unpacked
}

type unpacked struct {
	once sync.Once
	dir  string
	err  error
}

// unpack gives the folder with the code of an uploaded zip.
func (s *codeStore) unpack(_ context.Context, bucket, key string) (lambda.Unpacked, error) {
	zip, err := s.get(bucket, key)
	if err != nil {
		return lambda.Unpacked{}, fmt.Errorf("code s3://%s/%s: %w", bucket, key, err)
	}
	s.mu.Lock()
	sum := sha256.Sum256(zip)
	id := hex.EncodeToString(sum[:])
	u := s.ready[id]
	if u == nil {
		u = &unpacked{dir: filepath.Join(s.root, id)}
		s.ready[id] = u
	}
	s.mu.Unlock()
	u.once.Do(func() { u.err = unpackTo(u.dir, zip) })
	if u.err != nil {
		return lambda.Unpacked{}, fmt.Errorf("code s3://%s/%s: %w", bucket, key, u.err)
	}
	return lambda.Unpacked{Dir: u.dir, SHA256: base64.StdEncoding.EncodeToString(sum[:])}, nil
}

func unpackTo(dir string, zip []byte) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return err
	}
	defer root.Close()
	return source.Unzip(bytes.NewReader(zip), int64(len(zip)), root)
}

// liveFunction is where lambda finds the code of the live app's functions.
func (c *Cloud) liveFunction(ref stack.Ref, logicalID string) (lambda.Folders, bool) {
	fn, ok := c.live.function(ref.Name, logicalID)
	return lambda.Folders(fn), ok
}

// functionList shows the functions to clients of the Lambda API.
type functionList struct{ *lambda.Service }

// List describes all functions.
func (l functionList) List() []map[string]any {
	list := []map[string]any{}
	for _, fn := range l.Functions() {
		list = append(list, configuration(fn))
	}
	return list
}

// Function describes one, by name or ARN.
func (l functionList) Function(name string) (map[string]any, bool) {
	for _, fn := range l.Functions() {
		if fn.Name == name || fn.ARN == name {
			return configuration(fn), true
		}
	}
	return nil, false
}

// configuration is Lambda's FunctionConfiguration, without the environment's
// values: they may be secrets.
func configuration(fn lambda.Function) map[string]any {
	is := map[string]any{
		"FunctionName": fn.Name,
		"FunctionArn":  fn.ARN,
		"Runtime":      fn.Runtime,
		"Handler":      fn.Handler,
		"Timeout":      fn.Timeout,
		"MemorySize":   fn.MemoryMB,
		"PackageType":  "Zip",
		"State":        "Active",
		// A function is listed when it is ready, and its update takes no time.
		"LastUpdateStatus": "Successful",
		"Version":          "$LATEST",
		"LoggingConfig":    map[string]any{"LogFormat": "Text", "LogGroup": fn.Logs()},
	}
	if fn.CodeSHA256 != "" {
		is["CodeSha256"] = fn.CodeSHA256
	}
	return is
}
