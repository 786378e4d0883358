package asl

import (
	"fmt"
	"slices"
	"strings"
	"unicode"
)

// Call is a request of a distributed map to S3.
type Call struct {
	Resource   string // "arn:aws:states:::s3:getObject"; "" = there is none
	Parameters *Template
	Arguments  *Query // of JSONata
}

// ItemReader says where the items of a distributed map come from.
// https://docs.aws.amazon.com/step-functions/latest/dg/input-output-itemreader.html
type ItemReader struct {
	Call
	InputType      string // CSV, JSON, JSONL, MANIFEST; "" = a list of objects
	HeaderLocation string // FIRST_ROW, GIVEN
	Headers        []string
	Delimiter      rune
	Pointer        string // to the items in a JSON object
	MaxItems       int    // 0 = all
	MaxItemsPath   *Path
}

// ItemBatcher says how items are gathered.
// https://docs.aws.amazon.com/step-functions/latest/dg/input-output-itembatcher.html
type ItemBatcher struct {
	MaxItems, MaxBytes         int // 0 = as many as go
	MaxItemsPath, MaxBytesPath *Path
	Input                      *Template
	InputQuery                 *Query // of JSONata
}

// ResultWriter says what the results look like, and where they are written.
// https://docs.aws.amazon.com/step-functions/latest/dg/input-output-resultwriter.html
type ResultWriter struct {
	Call
	Transformation string // NONE, COMPACT, FLATTEN
	OutputType     string // JSON, JSONL
}

// delimiters are those of CSV files by their names.
var delimiters = map[string]rune{"COMMA": ',', "PIPE": '|', "SEMICOLON": ';', "SPACE": ' ', "TAB": '\t'}

// part reads an object within a state; what is not among the fields is a mistake.
func (r *reader) part(v any, at string, fields ...string) map[string]any {
	m, ok := v.(map[string]any)
	if !ok {
		r.wrong(at, "Expected value of type Object")
		return nil
	}
	for _, key := range sorted(m) {
		if !slices.Contains(fields, key) {
			r.wrong(at, "Field '%s' is not supported", key)
		}
	}
	return m
}

// one reads a text that is one of some.
func (r *reader) one(v any, at string, of ...string) string {
	text, _ := v.(string)
	if v != nil && !slices.Contains(of, text) {
		r.wrong(at, "The field '%s' should have one of these values: [%s]", at[strings.LastIndexByte(at, '/')+1:], strings.Join(of, ", "))
	}
	return text
}

// given is the field of a request: Parameters, or Arguments in JSONata.
func (r *reader) given() string {
	if r.jsonataIn {
		return "Arguments"
	}
	return "Parameters"
}

func (r *reader) call(m map[string]any, at string, actions ...string) (c Call) {
	c.Resource, _ = m["Resource"].(string)
	front, action, _ := strings.Cut(c.Resource, ":::")
	if !slices.Contains(actions, action) || !strings.HasPrefix(front, "arn:") || !strings.HasSuffix(front, ":states") {
		r.wrong(at+"/Resource", "The field 'Resource' should be arn:aws:states::: and one of these: [%s]", strings.Join(actions, ", "))
	}
	if !r.required(m, at, r.given()) {
		return c
	}
	if v := m[r.given()]; r.jsonataIn {
		c.Arguments = r.query(v, at+"/Arguments", before)
	} else {
		c.Parameters = r.template(v, at+"/Parameters")
	}
	return c
}

// bound reads a number that may stand at a path, or be an expression; the state's
// Computed has that.
func (r *reader) bound(s *State, m map[string]any, name, at string, least int) (n int, p *Path) {
	if v := m[name+"Path"]; v != nil {
		p = r.path(v, at+"/"+name+"Path")
		if m[name] != nil {
			r.wrong(at, "Only one of these fields is allowed: [%s, %sPath]", name, name)
		}
	}
	v := m[name]
	if v == nil {
		return 0, p
	}
	if text, _ := v.(string); r.jsonataIn {
		if _, is, _ := expressionIn(text); is {
			if s.Computed == nil {
				s.Computed = map[string]*Query{}
			}
			s.Computed[name] = r.query(v, at+"/"+name, before)
			return 0, p
		}
	}
	return r.whole(v, at+"/"+name, least), p
}

func (r *reader) itemReader(s *State, v any, at string) *ItemReader {
	m := r.part(v, at, "Resource", r.given(), "ReaderConfig")
	if m == nil {
		return nil
	}
	out := &ItemReader{Call: r.call(m, at, "s3:getObject", "s3:listObjectsV2"), Delimiter: ','}
	lists := strings.HasSuffix(out.Resource, "listObjectsV2")
	if m["ReaderConfig"] == nil {
		if !lists {
			r.required(m, at, "ReaderConfig")
		}
		return out
	}
	at += "/ReaderConfig"
	fields := []string{"InputType", "MaxItems", "CSVHeaderLocation", "CSVHeaders", "CSVDelimiter", "ItemsPointer", "ManifestType", "Transformation"}
	if !r.jsonataIn {
		fields = append(fields, "MaxItemsPath")
	}
	config := r.part(m["ReaderConfig"], at, fields...)
	if !lists && config != nil {
		r.required(config, at, "InputType")
	}
	out.InputType = r.one(config["InputType"], at+"/InputType", "CSV", "JSON", "JSONL", "PARQUET", "MANIFEST")
	out.HeaderLocation = r.one(config["CSVHeaderLocation"], at+"/CSVHeaderLocation", "FIRST_ROW", "GIVEN")
	manifest := r.one(config["ManifestType"], at+"/ManifestType", "S3_INVENTORY", "ATHENA_DATA")
	transformation := r.one(config["Transformation"], at+"/Transformation", "NONE", "LOAD_AND_FLATTEN")
	for name, is := range map[string]bool{"InputType PARQUET": out.InputType == "PARQUET", "ManifestType ATHENA_DATA": manifest == "ATHENA_DATA", "Transformation LOAD_AND_FLATTEN": transformation == "LOAD_AND_FLATTEN"} {
		if is {
			s.Unsupported = append(s.Unsupported, name)
		}
	}
	slices.Sort(s.Unsupported)
	if name := r.one(config["CSVDelimiter"], at+"/CSVDelimiter", "COMMA", "PIPE", "SEMICOLON", "SPACE", "TAB"); name != "" {
		out.Delimiter = delimiters[name]
	}
	if out.InputType == "CSV" && out.HeaderLocation == "" {
		r.required(config, at, "CSVHeaderLocation")
	}
	if list, ok := config["CSVHeaders"].([]any); ok {
		for _, v := range list {
			out.Headers = append(out.Headers, r.text(v, at+"/CSVHeaders"))
		}
	} else if config["CSVHeaders"] != nil || out.HeaderLocation == "GIVEN" {
		r.wrong(at, "CSVHeaderLocation GIVEN needs CSVHeaders, a list of names")
	}
	if v := config["ItemsPointer"]; v != nil {
		if out.Pointer = r.text(v, at+"/ItemsPointer"); !strings.HasPrefix(out.Pointer, "/") {
			r.wrong(at+"/ItemsPointer", "Value is not a valid JSON pointer")
		}
	}
	out.MaxItems, out.MaxItemsPath = r.bound(s, config, "MaxItems", at, 0)
	return out
}

func (r *reader) itemBatcher(s *State, v any, at string) *ItemBatcher {
	fields := []string{"MaxItemsPerBatch", "MaxInputBytesPerBatch", "BatchInput"}
	if !r.jsonataIn {
		fields = append(fields, "MaxItemsPerBatchPath", "MaxInputBytesPerBatchPath")
	}
	m := r.part(v, at, fields...)
	if m == nil {
		return nil
	}
	out := &ItemBatcher{}
	out.MaxItems, out.MaxItemsPath = r.bound(s, m, "MaxItemsPerBatch", at, 1)
	out.MaxBytes, out.MaxBytesPath = r.bound(s, m, "MaxInputBytesPerBatch", at, 1)
	bounded := slices.ContainsFunc(sorted(m), func(name string) bool { return strings.HasPrefix(name, "Max") })
	if !bounded {
		r.wrong(at, "One of these fields is required: [MaxItemsPerBatch, MaxInputBytesPerBatch]")
	}
	if input := m["BatchInput"]; input != nil && r.jsonataIn {
		out.InputQuery = r.query(input, at+"/BatchInput", before)
	} else if input != nil {
		out.Input = r.template(input, at+"/BatchInput")
	}
	return out
}

func (r *reader) resultWriter(v any, at string) *ResultWriter {
	m := r.part(v, at, "Resource", r.given(), "WriterConfig")
	if m == nil {
		return nil
	}
	out := &ResultWriter{Transformation: "NONE", OutputType: "JSON"}
	if m["Resource"] != nil || m[r.given()] != nil {
		out.Call = r.call(m, at, "s3:putObject")
	} else if m["WriterConfig"] == nil {
		r.wrong(at, "One of these fields is required: [Resource, WriterConfig]")
	}
	if v := m["WriterConfig"]; v != nil {
		config := r.part(v, at+"/WriterConfig", "Transformation", "OutputType")
		if t := r.one(config["Transformation"], at+"/WriterConfig/Transformation", "NONE", "COMPACT", "FLATTEN"); t != "" {
			out.Transformation = t
		}
		if t := r.one(config["OutputType"], at+"/WriterConfig/OutputType", "JSON", "JSONL"); t != "" {
			out.OutputType = t
		}
	}
	return out
}

// label reads what map runs are called.
// https://docs.aws.amazon.com/step-functions/latest/dg/state-map-distributed.html#dist-map-orch-map-label
func (r *reader) label(v any, at string) string {
	text := r.text(v, at)
	bad := strings.IndexFunc(text, func(c rune) bool {
		return unicode.IsSpace(c) || unicode.IsControl(c) || strings.ContainsRune("?*<>{}[]:;,\\|^~$#%&`\"", c)
	})
	switch n := len([]rune(text)); {
	case n == 0:
		r.wrong(at, "Label cannot be empty")
	case n > 40:
		r.wrong(at, "Label cannot exceed 40 characters")
	case bad >= 0:
		r.wrong(at, "Label contains invalid character: %q", string([]rune(text[bad:])[0]))
	}
	return text
}

// alone is the processor of a distributed map as the machine that its items run.
func alone(processor map[string]any, jsonata bool) string {
	m := map[string]any{"StartAt": processor["StartAt"], "States": processor["States"]}
	if jsonata {
		m["QueryLanguage"] = "JSONata"
	}
	return Encode(m)
}

// kindOf reads the ExecutionType of a processor; true = EXPRESS.
func (r *reader) kindOf(config map[string]any, at string) bool {
	if config["ExecutionType"] == nil {
		r.wrong(at, "These fields are required: [ExecutionType]")
	}
	return r.one(config["ExecutionType"], fmt.Sprint(at, "/ExecutionType"), "STANDARD", "EXPRESS") == "EXPRESS"
}
