package source

import (
	"slices"
	"strings"
)

// addDependencies adds the packages that a Python or Ruby function's files ask for.
func (c *collector) addDependencies(b *Bundle, fn Function) error {
	packages, findings, err := c.dependencies(fn)
	b.Findings = append(b.Findings, findings...)
	if packages.at != "" {
		// The archives that they were installed from are of no use beside them.
		b.Files = slices.DeleteFunc(b.Files, func(f File) bool { return strings.HasPrefix(f.Path, "vendor/cache/") })
	}
	if err != nil || packages.dir == "" {
		return err
	}
	return b.addInstalled(packages.dir, packages.at)
}

// packages are installed ones.
type packages struct {
	dir string // on this machine; "" = none
	at  string // where they lie in the zip
}

// dependencies installs what a function's files ask for. What is wrong with
// them is a finding; an error is of this machine.
func (c *collector) dependencies(fn Function) (packages, []Finding, error) {
	switch {
	case fn.NoInstall:
		return packages{}, nil, nil
	case strings.HasPrefix(fn.Runtime, "python"):
		return c.pythonPackages(fn)
	case strings.HasPrefix(fn.Runtime, "ruby"):
		shared, err := c.sharedGems(fn)
		if err != nil {
			return packages{}, nil, err
		}
		own, findings, err := c.rubyPackages(fn)
		return own, append(shared, findings...), err
	}
	return packages{}, nil, nil
}

// interpreted reports whether a function is run by Python or Ruby.
func (fn Function) interpreted() bool { return fn.sourceExt() != "" }

// sourceExt is how the names of files of Python's or Ruby's code end; "" for others.
func (fn Function) sourceExt() string {
	switch {
	case strings.HasPrefix(fn.Runtime, "python"):
		return ".py"
	case strings.HasPrefix(fn.Runtime, "ruby"):
		return ".rb"
	}
	return ""
}
