package lambda

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"arc/sandbox/lambda/opt"
	"arc/sandbox/stack"
	"arc/source/interpreter"
)

// Layers of the local cloud's own stacks are unpacked, and mounted at /opt for
// each process of a function that has some. Where that cannot be, the variables by
// which runtimes look for what layers hold lead to the unpacked folder instead.
// https://docs.aws.amazon.com/lambda/latest/dg/packaging-layers.html

// createLayer unpacks a layer version and gives it its ARN.
func (s *Service) createLayer(ctx context.Context, req stack.Request) (stack.Resource, error) {
	var p struct {
		LayerName string
		Content   struct {
			S3Bucket        string `cfn:"required"`
			S3Key           string `cfn:"required"`
			S3ObjectVersion any
		} `cfn:"required"`
	}
	if err := stack.Read(req.Properties, &p, "CompatibleArchitectures", "CompatibleRuntimes", "Description", "LicenseInfo"); err != nil {
		return stack.Resource{}, err
	}
	if p.LayerName == "" {
		p.LayerName = req.Name(140)
	}
	if s.options.Code == nil {
		return stack.Resource{}, errors.New("property Content: there is no S3 to read it from")
	}
	code, err := s.options.Code(ctx, p.Content.S3Bucket, p.Content.S3Key)
	if err != nil {
		return stack.Resource{}, fmt.Errorf("property Content: %w", err)
	}
	arn := stack.ARN(req.Stack.Region, "lambda", req.Stack.Region, req.Stack.Account, "layer:"+p.LayerName)
	s.mu.Lock()
	defer s.mu.Unlock()
	arn += ":" + s.number(arn, req)
	s.resources.layers[arn] = code.Dir
	return stack.Resource{PhysicalID: arn, Attributes: map[string]any{"LayerVersionArn": arn}}, nil
}

// deleteLayer keeps a layer version from being used by further functions: those
// that have it keep it.
// https://docs.aws.amazon.com/lambda/latest/api/API_DeleteLayerVersion.html
func (s *Service) deleteLayer(_ context.Context, req stack.Request) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.resources.layers, req.PhysicalID)
	return nil
}

// layered gives a function its layers: the folder that holds them all, in their
// order, what a later one brings over what an earlier one does. Those of other
// accounts cannot be had here, which is said once, and again where code misses
// something.
func (s *Service) layered(fn *Function, arns []string) error {
	var dirs []string
	for _, arn := range arns {
		s.mu.Lock()
		dir, here := s.resources.layers[arn]
		said := s.resources.told[arn]
		s.resources.told[arn] = true
		s.mu.Unlock()
		switch {
		case here:
			dirs = append(dirs, dir)
			continue
		case strings.Contains(arn, ":"+s.options.Account+":layer:"):
			return fmt.Errorf("property Layers: Layer version %s does not exist", arn)
		case strings.Contains(strings.ToLower(arn), "deno"): // what it brings is on this machine
			continue
		}
		fn.Missing = append(fn.Missing, arn)
		if !said {
			s.options.Tell.Or().Notice("the layer %s is another account's and cannot be had here: functions run without what it holds", arn)
		}
	}
	var err error
	if fn.Opt, err = s.merge(dirs); err != nil {
		return fmt.Errorf("property Layers: %w", err)
	}
	if fn.Opt != "" {
		s.mount(fn.Opt)
		s.tellExtensions(fn.Opt)
	}
	return nil
}

// mount is how layers get to /opt; nil where they cannot, which is said once. It is
// asked of the machine with the first function that has some.
func (s *Service) mount(layers string) *opt.Way {
	s.mounting.Do(func() {
		way, err := opt.Probe(s.ending, s.options.Self, layers)
		if err != nil {
			s.options.Tell.Or().Notice("layers are not mounted at /opt here: %v. What they hold is found through NODE_PATH, PYTHONPATH, GEM_PATH, RUBYLIB, PATH and LD_LIBRARY_PATH, but code that opens files below /opt by that name finds none", err)
		}
		s.way = way
	})
	return s.way
}

// tellExtensions says, once a name, which programs Lambda would run beside functions.
// https://docs.aws.amazon.com/lambda/latest/dg/extensions-configuration.html
func (s *Service) tellExtensions(layers string) {
	entries, _ := os.ReadDir(filepath.Join(layers, "extensions"))
	for _, entry := range entries {
		name := "/opt/extensions/" + entry.Name()
		s.mu.Lock()
		said := s.resources.told[name]
		s.resources.told[name] = true
		s.mu.Unlock()
		if !said && !entry.IsDir() {
			s.options.Tell.Or().Notice("%s of a layer is not run here, as extensions are on Lambda: functions do without it", name)
		}
	}
}

// merge makes one folder of those of layers; "" of none.
func (s *Service) merge(dirs []string) (string, error) {
	if len(dirs) < 2 {
		return strings.Join(dirs, ""), nil
	}
	scratch, err := s.scratch()
	if err != nil {
		return "", err
	}
	to := filepath.Join(scratch, "opt", digest(dirs...))
	if _, err := os.Stat(to); err == nil {
		return to, nil
	}
	if err := os.MkdirAll(filepath.Dir(to), 0o700); err != nil {
		return "", err
	}
	half, err := os.MkdirTemp(filepath.Dir(to), "half-")
	if err != nil {
		return "", err
	}
	for _, dir := range dirs {
		if err := lay(half, dir); err != nil {
			return "", err
		}
	}
	if err := os.Rename(half, to); err != nil && !errors.Is(err, fs.ErrExist) {
		if _, there := os.Stat(to); there != nil {
			return "", err
		}
	}
	return to, nil
}

// lay puts the files of a folder into another, over what is there.
func lay(to, from string) error {
	return filepath.WalkDir(from, func(path string, d fs.DirEntry, err error) error {
		name, _ := filepath.Rel(from, path)
		at := filepath.Join(to, name)
		switch {
		case err != nil || name == ".":
			return err
		case d.IsDir():
			if info, err := os.Lstat(at); err == nil && !info.IsDir() {
				os.Remove(at)
			}
			return os.MkdirAll(at, 0o700)
		}
		if err := os.RemoveAll(at); err != nil {
			return err
		}
		if d.Type()&fs.ModeSymlink != 0 {
			target, err := os.Readlink(path)
			if err != nil {
				return err
			}
			return os.Symlink(target, at)
		}
		return os.Link(path, at) // both are of the local cloud
	})
}

// layersAt notes where the worker finds its layers.
func (w *worker) layersAt() {
	if w.opt = w.fn.Opt; w.opt == "" {
		return
	}
	if w.way = w.service.mount(w.opt); w.way != nil {
		w.opt = opt.Folder
	}
}

// inLayers is a path as it is on Lambda, where the worker finds it.
func (w *worker) inLayers(name string) string {
	rest, ok := strings.CutPrefix(name, opt.Folder)
	if !ok || rest != "" && rest[0] != '/' || w.opt == "" || w.way != nil {
		return name
	}
	return filepath.Join(w.opt, filepath.FromSlash(rest))
}

// search has the variables of a worker lead to its layers. What the function sets
// itself stays.
func (w *worker) search(env map[string]string) {
	if w.opt == "" {
		return
	}
	version := interpreter.Wanted(w.fn.Runtime)
	defaults := map[string][]string{"LD_LIBRARY_PATH": {"lib"}}
	switch l := languageOf(w.fn.Runtime); {
	case l == nil:
	case l.prefix == "nodejs":
		defaults["NODE_PATH"] = []string{"nodejs/node" + version + "/node_modules", "nodejs/node_modules"}
	case l.prefix == "python":
		env["ARC_OPT"] = w.opt
		defaults["PYTHONPATH"] = []string{"python/lib/python" + version + "/site-packages", "python"}
	case l.prefix == "ruby":
		defaults["RUBYLIB"] = []string{"ruby/lib"}
	}
	for name, folders := range defaults {
		var there []string
		for _, folder := range folders {
			// What this machine may have of that name below its own /opt is no layer's.
			if isFolder(filepath.Join(w.fn.Opt, filepath.FromSlash(folder))) {
				there = append(there, w.inLayers(opt.Folder+"/"+folder))
			}
		}
		if own, ok := env[name]; ok {
			there = there[:0]
			for _, dir := range filepath.SplitList(own) {
				there = append(there, w.inLayers(dir))
			}
		}
		if len(there) > 0 {
			env[name] = strings.Join(there, string(filepath.ListSeparator))
		}
	}
	if isFolder(filepath.Join(w.fn.Opt, "bin")) { // Lambda's PATH ends with it, too
		env["PATH"] += string(filepath.ListSeparator) + w.inLayers("/opt/bin")
	}
}

// gems are the folders of layers in which Ruby looks for gems.
func (w *worker) gems() []string {
	if w.opt == "" {
		return nil
	}
	return []string{w.inLayers("/opt/ruby/gems/" + interpreter.Wanted(w.fn.Runtime) + ".0")}
}

// isThere reports whether a folder of layers, "" = none, has a file of that name.
func isThere(layers, name string) bool {
	_, err := os.Stat(filepath.Join(layers, filepath.FromSlash(name)))
	return err == nil && layers != ""
}

func isFolder(dir string) bool {
	info, err := os.Stat(dir)
	return err == nil && info.IsDir()
}
