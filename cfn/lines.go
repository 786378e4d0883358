package cfn

import (
	"bytes"
	"encoding/json"

	"arc/manifest/syntax"

	"go.yaml.in/yaml/v4"
)

// ResourceLines tells where each resource of a template begins: the place of its
// logical ID, for what is said about it. A text that cannot be read has none.
func ResourceLines(data []byte) map[string]syntax.Pos {
	trimmed := bytes.TrimLeft(data, " \t\r\n\ufeff")
	if len(trimmed) > 0 && trimmed[0] == '{' {
		return linesOfJSON(data)
	}
	var node yaml.Node
	if yaml.Unmarshal(data, &node) != nil || len(node.Content) == 0 {
		return nil
	}
	lines := map[string]syntax.Pos{}
	top := node.Content[0].Content
	for i := 0; i+1 < len(top); i += 2 {
		if top[i].Value != "Resources" || top[i+1].Kind != yaml.MappingNode {
			continue
		}
		for j := 0; j+1 < len(top[i+1].Content); j += 2 {
			id := top[i+1].Content[j]
			lines[id.Value] = syntax.Pos{Line: id.Line, Col: id.Column}
		}
	}
	return lines
}

// linesOfJSON reads the keys below the top level's Resources.
func linesOfJSON(data []byte) map[string]syntax.Pos {
	lines := map[string]syntax.Pos{}
	start := bytes.IndexByte(data, '{')
	d := json.NewDecoder(bytes.NewReader(data[start:]))
	line, from := 1+bytes.Count(data[:start], []byte{'\n'}), start
	var path []string // the keys above, "" for a list
	key := true       // a key is next
	for {
		token, err := d.Token()
		if err != nil {
			return lines
		}
		at := start + int(d.InputOffset())
		line, from = line+bytes.Count(data[from:at], []byte{'\n'}), at
		inList := len(path) > 0 && path[len(path)-1] == "[" // path ends with what is open
		switch v := token.(type) {
		case json.Delim:
			switch v {
			case '{':
				path, key = append(path, "{"), true
				continue
			case '[':
				path, key = append(path, "["), false
				continue
			}
			path = path[:len(path)-1]
			for len(path) > 0 && path[len(path)-1] != "{" && path[len(path)-1] != "[" {
				path = path[:len(path)-1]
			}
			key = len(path) > 0 && path[len(path)-1] == "{"
		case string:
			if inList || !key {
				if !inList {
					path = path[:len(path)-1] // the value of a key
				}
				key = !inList
				continue
			}
			if len(path) == 3 && path[1] == "Resources" {
				begin := bytes.LastIndexByte(data[:at], '\n')
				width := len(v) + 2
				lines[v] = syntax.Pos{Line: line, Col: max(at-begin-width, 1)}
			}
			path, key = append(path, v), false
		default:
			if !inList {
				path = path[:len(path)-1]
				key = true
			}
		}
	}
}
