package lambda

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io/fs"
	"maps"
	"net/http"
	"net/url"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"arc/sandbox/stack"
	"arc/sandbox/wire"
)

// Paths of the operations that read what stacks make beside functions.
// https://docs.aws.amazon.com/lambda/latest/api/API_Operations.html
const (
	mappingsPath = "/2015-03-31/event-source-mappings"
	layersPath   = "/2018-10-31/layers"
	tagsPath     = "/2017-03-31/tags/"
	reservedPath = "/2019-09-30/functions"
	accountPath  = "/2016-08-19/account-settings"
)

// read answers an operation that only tells; ok is false when it is none.
func (s *Service) read(r *http.Request) (out any, ok bool, err error) {
	if r.Method != http.MethodGet {
		return nil, false, nil
	}
	path := r.URL.EscapedPath()
	below := func(prefix string) ([]string, bool) {
		rest, ok := strings.CutPrefix(path, prefix)
		if !ok || rest != "" && rest[0] != '/' && !strings.HasSuffix(prefix, "/") {
			return nil, false
		}
		var parts []string
		for _, part := range strings.Split(strings.Trim(rest, "/"), "/") {
			if text, err := url.PathUnescape(part); err == nil && text != "" {
				parts = append(parts, text)
			}
		}
		return parts, true
	}
	if parts, ok := below(mappingsPath); ok {
		out, err = s.readMappings(parts, r.URL.Query())
		return out, true, err
	}
	if parts, ok := below(layersPath); ok {
		out, err = s.readLayers(parts, r)
		return out, true, err
	}
	if parts, ok := below(tagsPath); ok && len(parts) == 1 {
		fn, err := s.find(parts[0])
		return map[string]any{"Tags": s.tagsOf(fn.Name)}, true, err
	}
	if parts, ok := below(reservedPath); ok && len(parts) == 2 && parts[1] == "concurrency" {
		fn, err := s.find(parts[0])
		return reserved(fn), true, err
	}
	if path == accountPath || path == accountPath+"/" {
		return s.account(), true, nil
	}
	if parts, ok := below(functionsPath); ok && len(parts) > 1 {
		return s.readOf(parts, r.URL.Query())
	}
	return nil, false, nil
}

// readOf answers what is asked of one function.
func (s *Service) readOf(parts []string, query url.Values) (out any, ok bool, err error) {
	switch parts[1] {
	case "policy", "versions", "aliases":
	default:
		return nil, false, nil
	}
	fn, err := s.find(parts[0])
	if err != nil {
		return nil, true, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case parts[1] == "policy" && len(parts) == 2:
		out, err = s.policyOf(fn, query.Get("Qualifier"))
	case parts[1] == "versions" && len(parts) == 2:
		out = map[string]any{"Versions": s.versionsOf(fn)}
	case parts[1] == "aliases" && len(parts) == 2:
		out = map[string]any{"Aliases": s.aliasesOf(fn, query.Get("FunctionVersion"))}
	case parts[1] == "aliases":
		all := s.aliasesOf(fn, "")
		i := slices.IndexFunc(all, func(a map[string]any) bool { return a["Name"] == parts[2] })
		if i < 0 {
			return nil, true, notFound("Cannot find alias arn: %s:%s", fn.ARN, parts[2])
		}
		out = all[i]
	default:
		return nil, false, nil
	}
	return out, true, err
}

func notFound(format string, args ...any) error {
	return &stack.Error{Code: "ResourceNotFoundException", Status: http.StatusNotFound, Message: fmt.Sprintf(format, args...)}
}

// policyOf is the policy of a function, or of one of its aliases and versions:
// the permissions that stacks gave it. The caller holds the lock.
// https://docs.aws.amazon.com/lambda/latest/api/API_GetPolicy.html
func (s *Service) policyOf(fn Function, qualifier string) (any, error) {
	var statements []any
	for _, p := range s.permissionsOf(fn.Name, unlatest("x:"+qualifier)) {
		statements = append(statements, p.statement)
	}
	if statements == nil {
		return nil, notFound("The resource you requested does not exist.")
	}
	text, err := json.Marshal(map[string]any{"Version": "2012-10-17", "Id": "default", "Statement": statements})
	return map[string]string{"Policy": string(text), "RevisionId": wire.NewRequestID()}, err
}

// principalOf is a principal as a policy has it.
func principalOf(name string) any {
	switch {
	case name == "*":
		return "*"
	case strings.HasSuffix(name, ".amazonaws.com") || strings.HasSuffix(name, ".amazonaws.com.cn"):
		return map[string]any{"Service": name}
	}
	return map[string]any{"AWS": name}
}

// versionsOf lists the versions of a function, the one without a number first. The
// caller holds the lock.
func (s *Service) versionsOf(fn Function) []map[string]any {
	all := []map[string]any{configuration(fn)}
	all[0]["FunctionArn"] = fn.ARN + ":" + latest
	var numbers []int
	for qualifier := range s.resources.qualifiers[fn.Name] {
		if n, err := strconv.Atoi(qualifier); err == nil {
			numbers = append(numbers, n)
		}
	}
	slices.Sort(numbers)
	for _, n := range numbers {
		all = append(all, s.versioned(fn, strconv.Itoa(n)))
	}
	return all
}

// versioned is the configuration of a version. The caller holds the lock.
func (s *Service) versioned(fn Function, number string) map[string]any {
	if version := s.functions[fn.Name+":"+number]; version != nil {
		fn = version.Function
	}
	is := configuration(fn)
	is["Version"], is["FunctionArn"] = number, fn.ARN+":"+number
	return is
}

// aliasesOf lists the aliases of a function, of one version if that is not "". The
// caller holds the lock.
func (s *Service) aliasesOf(fn Function, version string) []map[string]any {
	all := []map[string]any{}
	for _, name := range slices.Sorted(maps.Keys(s.resources.qualifiers[fn.Name])) {
		if _, err := strconv.Atoi(name); err == nil {
			continue
		}
		if a := s.resources.aliases[fn.ARN+":"+name]; version == "" || version == a.version {
			all = append(all, a.told(fn.ARN+":"+name, name))
		}
	}
	return all
}

// qualified is the configuration of what a function was asked for by: of the
// version that an alias names, too.
func (s *Service) qualified(fn Function, called, qualifier string) map[string]any {
	if _, in := splitName(called); qualifier == "" {
		qualifier = in
	}
	if qualifier == "" || qualifier == latest {
		return configuration(fn)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	is := s.versioned(fn, qualifier)
	if to, ok := s.resources.aliases[fn.ARN+":"+qualifier]; ok {
		is = s.versioned(fn, to.version)
		is["FunctionArn"] = fn.ARN + ":" + qualifier
	}
	return is
}

func reserved(fn Function) map[string]int {
	if fn.Reserved == nil {
		return map[string]int{}
	}
	return map[string]int{"ReservedConcurrentExecutions": *fn.Reserved}
}

func (s *Service) tagsOf(function string) map[string]string {
	s.mu.Lock()
	defer s.mu.Unlock()
	if tags := s.resources.tags[function]; tags != nil {
		return tags
	}
	return map[string]string{}
}

// tag notes the tags of a function.
func (s *Service) tag(function string, properties map[string]any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.resources.tags[function] = readTags(properties)
}

// readTags are the tags of a resource's properties.
func readTags(properties map[string]any) map[string]string {
	tags := map[string]string{}
	list, _ := properties["Tags"].([]any)
	for _, el := range list {
		m, _ := el.(map[string]any)
		key, isKey := stack.Text(m["Key"])
		value, isValue := stack.Text(m["Value"])
		if isKey && isValue {
			tags[key] = value
		}
	}
	return tags
}

// readMappings answers ListEventSourceMappings and GetEventSourceMapping.
// https://docs.aws.amazon.com/lambda/latest/api/API_ListEventSourceMappings.html
func (s *Service) readMappings(parts []string, query url.Values) (any, error) {
	of, _ := splitName(query.Get("FunctionName"))
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(parts) == 1 {
		if source, there := s.resources.sources[parts[0]]; there {
			return s.mapping(source), nil
		}
		return nil, notFound("The resource you requested does not exist.")
	}
	all := []map[string]any{}
	for _, id := range slices.Sorted(maps.Keys(s.resources.sources)) {
		source := s.resources.sources[id]
		if (of == "" || source.Function == of) && (query.Get("EventSourceArn") == "" || query.Get("EventSourceArn") == source.Source) {
			all = append(all, s.mapping(source))
		}
	}
	return map[string]any{"EventSourceMappings": all}, nil
}

// mapping is an event source mapping as the API tells it. The caller holds the lock.
func (s *Service) mapping(source EventSource) map[string]any {
	is := map[string]any{
		"UUID": source.ID, "EventSourceArn": source.Source, "State": "Enabled", "StateTransitionReason": "User action",
		"BatchSize": source.BatchSize, "MaximumBatchingWindowInSeconds": source.BatchingWindow, "FunctionResponseTypes": []string{},
	}
	if source.BatchSize == 0 {
		is["BatchSize"] = 10
		if isTableStream(source.Source) {
			is["BatchSize"] = 100
		}
	}
	if source.Disabled {
		is["State"] = "Disabled"
	}
	if source.ReportsFailures {
		is["FunctionResponseTypes"] = []string{"ReportBatchItemFailures"}
	}
	if source.StartingPosition != "" {
		is["StartingPosition"] = source.StartingPosition
	}
	if source.MaximumConcurrency > 0 {
		is["ScalingConfig"] = map[string]int{"MaximumConcurrency": source.MaximumConcurrency}
	}
	if f := s.functions[source.Function]; f != nil {
		is["FunctionArn"] = f.ARN + strings.TrimPrefix(source.Called, f.Name)
		is["EventSourceMappingArn"] = strings.Replace(f.ARN, ":function:"+f.Name, ":event-source-mapping:"+source.ID, 1)
	}
	return is
}

// readLayers answers ListLayers, ListLayerVersions and GetLayerVersion, also by ARN.
// https://docs.aws.amazon.com/lambda/latest/api/API_ListLayers.html
func (s *Service) readLayers(parts []string, r *http.Request) (any, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if r.URL.Query().Get("find") == "LayerVersion" {
		if dir, there := s.resources.layers[r.URL.Query().Get("Arn")]; there {
			return layerVersion(r.URL.Query().Get("Arn"), dir, true), nil
		}
		return nil, notFound("The resource you requested does not exist.")
	}
	versions := map[string][]map[string]any{} // by the layer's ARN, newest first
	for _, arn := range slices.SortedFunc(maps.Keys(s.resources.layers), func(a, b string) int { return cmp.Or(cmp.Compare(len(b), len(a)), cmp.Compare(b, a)) }) {
		layer := arn[:strings.LastIndexByte(arn, ':')]
		versions[layer] = append(versions[layer], layerVersion(arn, s.resources.layers[arn], false))
	}
	if len(parts) == 0 {
		all := []any{}
		for _, layer := range slices.Sorted(maps.Keys(versions)) {
			all = append(all, map[string]any{"LayerName": layer[strings.LastIndexByte(layer, ':')+1:], "LayerArn": layer, "LatestMatchingVersion": versions[layer][0]})
		}
		return map[string]any{"Layers": all}, nil
	}
	var found string
	for layer := range versions {
		if layer == parts[0] || strings.HasSuffix(layer, ":layer:"+parts[0]) {
			found = layer
		}
	}
	switch {
	case len(parts) == 2 && parts[1] == "versions":
		return map[string]any{"LayerVersions": append([]map[string]any{}, versions[found]...)}, nil
	case len(parts) == 3 && parts[1] == "versions":
		if dir, there := s.resources.layers[found+":"+parts[2]]; there {
			return layerVersion(found+":"+parts[2], dir, true), nil
		}
	}
	return nil, notFound("The resource you requested does not exist.")
}

// layerVersion is a layer version as the API tells it. Its size is that of its
// files: the zip that they came in is not kept.
func layerVersion(arn, dir string, whole bool) map[string]any {
	number, _ := strconv.Atoi(arn[strings.LastIndexByte(arn, ':')+1:])
	is := map[string]any{"LayerVersionArn": arn, "Version": number, "CreatedDate": "1970-01-01T00:00:00.000+0000"}
	if !whole {
		return is
	}
	size := int64(0)
	_ = filepath.WalkDir(dir, func(_ string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return nil // what cannot be read does not count
		}
		if info, err := d.Info(); err == nil {
			size += info.Size()
		}
		return nil
	})
	is["LayerArn"] = arn[:strings.LastIndexByte(arn, ':')]
	is["Content"] = map[string]any{"CodeSize": size}
	return is
}

// account is what GetAccountSettings tells: Lambda's own limits, which do not hold
// here, and what there is.
// https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
func (s *Service) account() any {
	s.mu.Lock()
	defer s.mu.Unlock()
	return map[string]any{
		"AccountLimit": map[string]int64{"TotalCodeSize": 80530636800, "CodeSizeUnzipped": 262144000, "CodeSizeZipped": 52428800, "ConcurrentExecutions": 1000, "UnreservedConcurrentExecutions": 1000},
		"AccountUsage": map[string]int{"TotalCodeSize": 0, "FunctionCount": len(s.functions)},
	}
}
