package ssm

import (
	"maps"
	"slices"
	"strings"

	"arc/sandbox/stack"
)

// metadata is a parameter without its value.
type metadata struct {
	ARN              string
	Name             string
	Type             string
	KeyID            string `json:"KeyId,omitempty"`
	LastModifiedDate seconds
	LastModifiedUser string
	Description      string `json:",omitempty"`
	AllowedPattern   string `json:",omitempty"`
	Version          int64
	Tier             string
	Policies         []string
	DataType         string
}

type describeParameters struct {
	ParameterFilters []struct {
		Key, Option string
		Values      []string
	}
	Filters []struct {
		Key    string
		Values []string
	}
	MaxResults int
	NextToken  string
}

func (s *Store) describeParameters(in describeParameters) (any, error) {
	all := s.list(func(name string) bool {
		for _, f := range in.ParameterFilters {
			if !s.matches(name, f.Key, f.Option, f.Values) {
				return false
			}
		}
		for _, f := range in.Filters {
			if !s.matches(name, f.Key, "Contains", f.Values) {
				return false
			}
		}
		return true
	})
	found, next, err := pageOf(all, in.NextToken, in.MaxResults, 50)
	if err != nil {
		return nil, err
	}
	out := struct {
		Parameters []metadata
		NextToken  string `json:",omitempty"`
	}{[]metadata{}, next}
	for _, p := range found {
		out.Parameters = append(out.Parameters, metadata{
			s.arn(p.Name), p.Name, p.Type, p.KeyID, seconds(p.Modified), s.user(),
			p.Description, p.Pattern, p.Version, p.Tier, []string{}, p.DataType,
		})
	}
	return out, nil
}

// matches tries one filter. The caller holds the lock.
func (s *Store) matches(name, key, option string, values []string) bool {
	return slices.ContainsFunc(values, func(v string) bool {
		switch key {
		case "Name":
			switch option {
			case "BeginsWith":
				return strings.HasPrefix(name, v)
			case "Contains":
				return strings.Contains(name, v)
			}
			return name == v
		case "Type":
			return s.parameters[name].Type == v
		case "Path":
			rest, below := strings.CutPrefix(name, strings.TrimSuffix(v, "/")+"/")
			return below && (option == "Recursive" || !strings.Contains(rest, "/"))
		case "KeyId":
			return s.parameters[name].KeyID == v
		}
		return false
	})
}

func (s *Store) user() string {
	return stack.ARN(s.region, "iam", "", s.account, "user/local")
}

type getParameterHistory struct {
	Name           string
	WithDecryption bool
}

func (s *Store) getParameterHistory(in getParameterHistory) (any, error) {
	p, err := s.Get(in.Name)
	if err != nil {
		return nil, err
	}
	s.mu.RLock()
	versions := append(slices.Clone(s.history[p.Name]), p)
	s.mu.RUnlock()
	out := struct{ Parameters []shown }{}
	for _, v := range versions {
		out.Parameters = append(out.Parameters, s.show(v, in.WithDecryption))
	}
	return out, nil
}

func (s *Store) tag(name string, tags []tag) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, t := range tags {
		if s.tags[name] == nil {
			s.tags[name] = map[string]string{}
		}
		s.tags[name][t.Key] = t.Value
	}
	if len(tags) == 0 {
		return nil
	}
	return s.keep(name)
}

func (s *Store) addTags(in struct {
	ResourceID string `json:"ResourceId"`
	Tags       []tag
}) (any, error) {
	if _, err := s.Get(in.ResourceID); err != nil {
		return nil, &stack.Error{Code: "InvalidResourceId", Message: "there is no parameter " + in.ResourceID}
	}
	return struct{}{}, s.tag(in.ResourceID, in.Tags)
}

func (s *Store) listTags(in struct {
	ResourceID string `json:"ResourceId"`
}) (any, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	out := struct{ TagList []tag }{[]tag{}}
	for _, key := range slices.Sorted(maps.Keys(s.tags[in.ResourceID])) {
		out.TagList = append(out.TagList, tag{key, s.tags[in.ResourceID][key]})
	}
	return out, nil
}
