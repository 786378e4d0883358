package manifest

import (
	"fmt"
	"path"
	"slices"
	"strings"
)

// corpusText and appText put the facts of one project, as the original and as
// arc see them, into lines that can be compared.

func corpusText(f corpusFacts) []string {
	var out []string
	add := func(format string, args ...any) { out = append(out, fmt.Sprintf(format, args...)) }
	add("app %s %s profile=%s bucket=%s api=%s", f.App, f.Region, str(f.AWS.Profile), str(f.AWS.Bucket), orElse(str(f.AWS.APIGateway), "http"))
	order := 0
	for _, fn := range f.HTTP {
		if fn.ASAP {
			add("http asset function")
			continue
		}
		add("http #%d %s %s", order, fn.Method, fn.Path)
		order++
	}
	for pragma, fns := range map[string][]corpusFunction{"http": f.HTTP, "ws": f.WS, "events": f.Events,
		"queues": f.Queues, "scheduled": f.Scheduled, "tables-streams": f.Streams} {
		for _, fn := range fns {
			if !fn.ASAP {
				out = append(out, corpusFunctionText(pragma, fn))
			}
		}
	}
	streamed := map[string]bool{} // arc's Table.Stream covers @tables-streams as well
	for _, s := range f.Streams {
		streamed[s.Table] = true
	}
	for _, t := range f.Tables {
		pitr := t.PITR
		if pitr == nil {
			pitr = t.PointInTimeRecovery
		}
		add("table %s %s:%s %s:%s ttl=%s stream=%t encrypt=%s pitr=%t", t.Name, t.PartitionKey, t.PartitionKeyType,
			str(t.SortKey), str(t.SortKeyType), str(t.TTL), truthy(t.Stream) || streamed[t.Name], word(t.Encrypt), truthy(pitr))
	}
	for _, ix := range f.Indexes {
		name := ix.IndexName
		if name == "" {
			name = ix.PartitionKey
			if ix.SortKey != nil {
				name += "-" + *ix.SortKey
			}
			name += "-index"
		}
		add("index %s.%s %s:%s %s:%s %s", ix.Name, name, ix.PartitionKey, ix.PartitionKeyType, str(ix.SortKey), str(ix.SortKeyType), ix.ProjectionType)
	}
	if s := f.Static; s != nil {
		add("static %s fingerprint=%s prefix=%s prune=%t ignore=%q compression=%s spa=%t %s %s", strings.TrimPrefix(s.Folder, "./"), word(s.Fingerprint),
			str(s.Prefix), truthy(s.Prune), s.Ignore, word(s.Compression), truthy(s.SPA), str(s.Staging), str(s.Production))
	}
	add("cdn %t", truthy(f.CDN))
	add("proxy %v", f.Proxy)
	if f.RootHandler != nil {
		add("root %s", *f.RootHandler)
	}
	return out
}

func corpusFunctionText(pragma string, fn corpusFunction) string {
	name := fn.Name
	s := fmt.Sprintf("%s %s in %s file=%s runtime=%s %dMB %ds /tmp=%d %s concurrency=%v shared=%t views=%t env=%t layers=%q policies=%q",
		pragma, name, path.Clean(strings.TrimPrefix(fn.Src, "<CWD>/")), strings.TrimPrefix(strings.TrimPrefix(fn.HandlerFile, fn.Src), "/"), modern(fn.Runtime),
		fn.Memory, fn.Timeout, fn.Storage, fn.Architecture, fn.Concurrency, isTrue(fn.Shared), isTrue(fn.Views), isTrue(fn.Env), fn.Layers, fn.Policies)
	switch {
	case fn.Rate != nil:
		s += " rate(" + fn.Rate.Expression + ")"
	case fn.Cron != nil:
		s += " cron(" + fn.Cron.Expression + ")"
	case pragma == "queues":
		s += fmt.Sprintf(" fifo=%t", isTrue(fn.Fifo))
	case pragma == "tables-streams":
		s += " of " + fn.Table
	}
	return s
}

// modern moves the defaults of Architect 11 to those of 12: an unset runtime
// and the alias node meant nodejs20.x. Whoever wrote nodejs20.x in full keeps
// it, which appText accounts for.
func modern(runtime string) string {
	if runtime == "nodejs20.x" {
		return "nodejs22.x"
	}
	return runtime
}

func appText(a *App) []string {
	var out []string
	add := func(format string, args ...any) { out = append(out, fmt.Sprintf(format, args...)) }
	add("app %s %s profile=%s bucket=%s api=%s", a.Name, a.AWS.Region, a.AWS.Profile, a.AWS.Bucket, a.AWS.APIGateway)
	order := 0
	for _, r := range a.HTTP {
		if r.Function.Asset {
			add("http asset function")
			continue
		}
		add("http #%d %s %s", order, r.Method, r.Path)
		order++
	}
	extra := map[*Function]string{}
	for _, q := range a.Queues {
		extra[q.Function] = fmt.Sprintf(" fifo=%t", q.Fifo)
	}
	for _, s := range a.Schedules {
		extra[s.Function] = " " + s.Expression
	}
	for _, s := range a.Streams {
		extra[s.Function] = " of " + s.Table
	}
	for _, fn := range a.Functions() {
		if !fn.Asset {
			add("%s%s", functionText(fn), extra[fn])
		}
	}
	for _, t := range a.Tables {
		encrypt := word(t.Encrypt)
		if t.KMSKey != "" {
			encrypt = t.KMSKey
		}
		add("table %s %s:%s %s ttl=%s stream=%t encrypt=%s pitr=%t", t.Name, t.PartitionKey.Name, t.PartitionKey.Type,
			sortKeyText(t.SortKey), t.TTL, t.Stream, encrypt, t.PITR)
		for _, ix := range t.Indexes {
			add("index %s.%s %s:%s %s %s", t.Name, ix.Name, ix.PartitionKey.Name, ix.PartitionKey.Type, sortKeyText(ix.SortKey), ix.Projection)
		}
	}
	if s := a.Static; s != nil {
		add("static %s fingerprint=%s prefix=%s prune=%t ignore=%q compression=%s spa=%t %s %s", s.Folder, s.Fingerprint,
			s.Prefix, s.Prune, s.Ignore, s.Compression, s.SPA, s.Staging, s.Production)
	}
	add("cdn %t", a.CDN != nil && a.CDN.Enabled)
	proxy := map[string]string{}
	if p := a.Proxy; p != nil {
		proxy = map[string]string{"testing": p.Testing, "staging": p.Staging, "production": p.Production}
	}
	add("proxy %v", proxy)
	if root := rootText(a); root != "" {
		add("root %s", root)
	}
	return out
}

func functionText(fn *Function) string {
	c := fn.Config
	concurrency := "unthrottled"
	if c.Concurrency != nil {
		concurrency = fmt.Sprint(*c.Concurrency)
	}
	return fmt.Sprintf("%s %s in %s file=%s runtime=%s %dMB %ds /tmp=%d %s concurrency=%s shared=%t views=%t env=%t layers=%q policies=%q",
		fn.Pragma, fn.Name, fn.Dir, c.HandlerFile, modern(c.Runtime), c.Memory, c.Timeout, c.Storage, c.Architecture, concurrency,
		c.Shared, c.Views, c.Env, c.Layers, c.Policies)
}

// rootText names the root handler as the original does.
func rootText(a *App) string {
	root := a.RootRoute()
	switch {
	case a.Proxy != nil:
		return "proxy"
	case root != nil && root.Function.Asset, len(a.HTTP) == 0 && a.Static != nil && !a.Static.Implied:
		return "arcStaticAssetProxy"
	case root != nil:
		return root.Function.Name
	}
	return ""
}

func sortKeyText(k *Key) string {
	if k == nil {
		return ":"
	}
	return k.Name + ":" + k.Type
}

func str(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}

func orElse(s, otherwise string) string {
	if s == "" {
		return otherwise
	}
	return s
}

func isTrue(b *bool) bool { return b != nil && *b }

func truthy(v any) bool { return v != nil && v != false }

// word prints a setting that is false, true or a word.
func word(v any) string {
	if v == nil || v == false {
		return ""
	}
	return fmt.Sprint(v)
}

// diffLines gives the lines that only one side has, as -line and +line.
func diffLines(want, got []string) []string {
	slices.Sort(want)
	slices.Sort(got)
	var odd []string
	for _, w := range want {
		if _, ok := slices.BinarySearch(got, w); !ok {
			odd = append(odd, "-"+w)
		}
	}
	for _, g := range got {
		if _, ok := slices.BinarySearch(want, g); !ok {
			odd = append(odd, "+"+g)
		}
	}
	return odd
}
