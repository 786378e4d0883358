package manifest

import (
	"fmt"
	"slices"
	"strings"
)

// dump prints an App for goldens: a line a thing, and of a configuration only
// what is not the built-in default.
func dump(a *App) string {
	if a == nil {
		return "no app\n"
	}
	var b strings.Builder
	line := func(format string, args ...any) { fmt.Fprintf(&b, format+"\n", args...) }
	line("app %s at %s", a.Name, a.Pos)
	line("aws region=%s%s%s api=%s logs=%d", a.AWS.Region, setTo("profile", a.AWS.Profile), setTo("bucket", a.AWS.Bucket)+setTo("boundary", a.AWS.Boundary), a.AWS.APIGateway, a.AWS.LogDays)
	for _, r := range a.HTTP {
		line("http %s %s%s", r.Method, r.Path, function(r.Function))
	}
	for _, w := range a.WS {
		line("ws %s%s", w.Name, function(w.Function))
	}
	for _, e := range a.Events {
		line("event %s%s", e.Name, function(e.Function))
	}
	for _, q := range a.Queues {
		line("queue %s fifo=%t%s%s%s", q.Name, q.Fifo, number("batch", q.BatchSize, 0), number("window", q.BatchWindow, 0), function(q.Function))
	}
	for _, s := range a.Schedules {
		line("schedule %s %s%s%s", s.Name, s.Expression, setTo("zone", s.Timezone), function(s.Function))
	}
	for _, t := range a.Tables {
		line("table %s %s%s%s", t.Name, keyText(&t.PartitionKey), keyText(t.SortKey), tableText(t))
		for _, ix := range t.Indexes {
			line("  index %s %s%s %s%s at %s", ix.Name, keyText(&ix.PartitionKey), keyText(ix.SortKey), ix.Projection, list("", ix.Attributes), ix.Pos)
		}
	}
	for _, s := range a.Streams {
		line("stream %s of %s%s", s.Name, s.Table, function(s.Function))
	}
	if s := a.Static; s != nil {
		line("static %s%s%s%s%s%s%s%s%s", s.Folder, setTo("fingerprint", s.Fingerprint), setTo("prefix", s.Prefix), mark("prune", s.Prune),
			list("ignore", s.Ignore), setTo("compression", s.Compression), mark("spa", s.SPA),
			setTo("staging", s.Staging)+setTo("production", s.Production), mark("implied", s.Implied))
	}
	if a.CDN != nil {
		line("cdn enabled=%t", a.CDN.Enabled)
	}
	if p := a.Proxy; p != nil {
		line("proxy testing=%s staging=%s production=%s", p.Testing, p.Staging, p.Production)
	}
	if a.Shared != nil {
		line("shared %s", a.Shared.Dir)
	}
	if a.Views != nil {
		line("views %s", a.Views.Dir)
	}
	for _, custom := range a.Custom {
		line("custom %s%s", custom.Name, function(custom.Function))
	}
	for _, r := range a.Runtimes {
		line("runtime %s is %s on %s, built into %q by %s", r.Name, r.Type, r.BaseRuntime, r.Build, r.Plugin)
	}
	for _, p := range a.Plugins {
		line("plugin @%s %s%s at %s", p.Pragma, p.Name, setTo("src", p.Src), p.Pos)
	}
	for _, stage := range stages {
		for _, v := range a.Env[stage] {
			line("env %s %s=%q at %s", stage, v.Name, v.Value, v.Pos)
		}
	}
	b.WriteString(preferencesText(a.Prefs))
	return b.String()
}

func function(fn *Function) string {
	if fn.Asset {
		return " asset function" + config(fn)
	}
	built := ""
	if fn.Build != "" {
		built = " built to " + fn.Build
	}
	return " " + fn.Dir + built + " at " + fn.Pos.String() + config(fn)
}

func config(fn *Function) string {
	c := fn.Config
	d := builtinSettings().Config
	var b strings.Builder
	b.WriteString(" " + c.HandlerFile)
	if !c.HandlerExists {
		b.WriteString("(missing)")
	}
	if c.Runtime != d.Runtime {
		b.WriteString(setTo("runtime", c.Runtime))
	}
	b.WriteString(setTo("alias", c.RuntimeAlias))
	if c.Handler != "index.handler" {
		b.WriteString(setTo("handler", c.Handler))
	}
	b.WriteString(number("memory", c.Memory, d.Memory) + number("timeout", c.Timeout, d.Timeout) + number("storage", c.Storage, d.Storage))
	if c.Architecture != d.Architecture {
		b.WriteString(setTo("architecture", c.Architecture))
	}
	if c.Concurrency != nil {
		fmt.Fprintf(&b, " concurrency=%d", *c.Concurrency)
	}
	b.WriteString(number("provisioned", c.ProvisionedConcurrency, 0))
	b.WriteString(list("layers", c.Layers) + list("policies", c.Policies) + list("ignoreDependencies", c.IgnoreDependencies))
	if c.Uses != nil {
		var uses []string
		for _, u := range c.Uses {
			uses = append(uses, strings.TrimSpace(u.Kind+" "+u.Name)+" "+u.Action)
		}
		fmt.Fprintf(&b, " uses=%q", uses)
	}
	if c.Fifo != nil {
		fmt.Fprintf(&b, " fifo=%t", *c.Fifo)
	}
	if c.ReportsFailures != nil {
		fmt.Fprintf(&b, " reports=%t", *c.ReportsFailures)
	}
	b.WriteString(mark("no-shared", !c.Shared) + mark("views", c.Views) + mark("no-env", !c.Env) + mark("no-hydrate", !c.Hydrate))
	if c.Pos.IsValid() {
		b.WriteString(" config " + c.Pos.File)
	}
	return b.String()
}

func tableText(t Table) string {
	s := setTo("ttl", t.TTL) + mark("stream", t.Stream) + mark("encrypt", t.Encrypt) + setTo("kms", t.KMSKey) + mark("pitr", t.PITR)
	return s + " at " + t.Pos.String()
}

func keyText(k *Key) string {
	if k == nil {
		return ""
	}
	return "(" + k.Name + " " + k.Type + ")"
}

func preferencesText(p Preferences) string {
	var b strings.Builder
	b.WriteString(setTo("file", p.File) + mark("autocreate", p.Autocreate) + setTo("env", p.SandboxEnv) + mark("useAWS", p.UseAWS))
	for _, word := range append(p.AllowOrigin, p.AllowHost...) {
		b.WriteString(" allows=" + word)
	}
	if p.LiveReload != nil {
		fmt.Fprintf(&b, " livereload=%t", *p.LiveReload)
	}
	b.WriteString(number("http", p.Ports.HTTP, 0) + number("events", p.Ports.Events, 0) + number("tables", p.Ports.Tables, 0))
	b.WriteString(mark("external-db", p.ExternalDB) + setTo("seed-data", p.SeedData) + mark("coldstart", p.Coldstart) + mark("no-hydrate", p.NoHydrate))
	if p.DeleteVendor != nil {
		fmt.Fprintf(&b, " delete-vendor=%t", *p.DeleteVendor)
	}
	var templates []string
	for k, v := range p.Templates {
		templates = append(templates, k+":"+v)
	}
	slices.Sort(templates)
	b.WriteString(list("templates", templates) + list("startup", p.Startup))
	if b.Len() == 0 {
		return ""
	}
	return "preferences" + b.String() + "\n"
}

func setTo(name, value string) string {
	if value == "" {
		return ""
	}
	return " " + name + "=" + value
}

func number(name string, n, usual int) string {
	if n == usual {
		return ""
	}
	return fmt.Sprintf(" %s=%d", name, n)
}

func mark(name string, on bool) string {
	if !on {
		return ""
	}
	return " " + name
}

func list(name string, items []string) string {
	if len(items) == 0 {
		return ""
	}
	if name != "" {
		name += "="
	}
	return fmt.Sprintf(" %s%q", name, items)
}
