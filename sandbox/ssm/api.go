package ssm

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"strconv"
	"time"

	"arc/sandbox/stack"
)

// Handle answers one operation of the API ("GetParameter") with the JSON of
// its request. What it returns is printed as JSON.
// https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_Operations.html
func (s *Store) Handle(ctx context.Context, operation string, body []byte) (any, error) {
	op, known := operations[operation]
	if !known {
		return nil, &stack.Error{Code: "UnknownOperationException", Message: fmt.Sprintf("the local cloud's SSM does not run %s", operation)}
	}
	if wanted, is := ctx.Value(discovering{}).(bool); is && operation == "GetParametersByPath" {
		op = on(func(s *Store, in getParametersByPath) (any, error) {
			return s.page(in, func(path string, recursive bool) []Parameter { return s.discovered(path, recursive, wanted) })
		})
	}
	return op(s, body)
}

var operations = map[string]func(*Store, []byte) (any, error){
	"PutParameter":        on((*Store).putParameter),
	"GetParameter":        on((*Store).getParameter),
	"GetParameters":       on((*Store).getParameters),
	"GetParametersByPath": on((*Store).getParametersByPath),
	"GetParameterHistory": on((*Store).getParameterHistory),
	"DescribeParameters":  on((*Store).describeParameters),
	"DeleteParameter":     on((*Store).deleteParameter),
	"DeleteParameters":    on((*Store).deleteParameters),
	"AddTagsToResource":   on((*Store).addTags),
	"ListTagsForResource": on((*Store).listTags),
}

// on reads the request that an operation takes.
func on[In, Out any](do func(*Store, In) (Out, error)) func(*Store, []byte) (any, error) {
	return func(s *Store, body []byte) (any, error) {
		var in In
		if err := json.Unmarshal(body, &in); err != nil {
			return nil, &stack.Error{Code: "SerializationException", Message: "the request's JSON cannot be read: " + err.Error()}
		}
		return do(s, in)
	}
}

// shown is a parameter as the API tells it. Times are seconds.
type shown struct {
	ARN              string
	Name             string
	Type             string
	Value            string
	Version          int64
	LastModifiedDate seconds
	DataType         string
}

// seconds prints a time as a JSON number of seconds.
type seconds time.Time

func (t seconds) MarshalJSON() ([]byte, error) {
	return strconv.AppendFloat(nil, float64(time.Time(t).UnixMilli())/1000, 'f', 3, 64), nil
}

// show tells a parameter. A SecureString that is not to be decrypted is shown
// as something that is not its value, as on AWS.
func (s *Store) show(p Parameter, decrypt bool) shown {
	value := p.Value
	if p.Type == "SecureString" && !decrypt {
		value = base64.StdEncoding.EncodeToString([]byte("encrypted:" + p.Name))
	}
	return shown{s.arn(p.Name), p.Name, p.Type, value, p.Version, seconds(p.Modified), p.DataType}
}

type putParameter struct {
	Name, Type, Value, Description, Tier, DataType, KeyID, AllowedPattern string
	Overwrite                                                             bool
	Tags                                                                  []tag
}

type tag struct{ Key, Value string }

func (s *Store) putParameter(in putParameter) (any, error) {
	version, err := s.Put(Parameter{
		Name: in.Name, Type: in.Type, Value: in.Value, Description: in.Description,
		Tier: in.Tier, DataType: in.DataType, KeyID: in.KeyID, Pattern: in.AllowedPattern,
	}, in.Overwrite)
	if err != nil {
		return nil, err
	}
	if err := s.tag(in.Name, in.Tags); err != nil {
		return nil, err
	}
	p, err := s.Get(in.Name)
	return struct {
		Version int64
		Tier    string
	}{version, p.Tier}, err
}

type getParameter struct {
	Name           string
	WithDecryption bool
}

func (s *Store) getParameter(in getParameter) (any, error) {
	if in.Name == "" {
		return nil, &stack.Error{Code: "MissingRequiredParameter", Message: "Name is missing"}
	}
	p, err := s.Get(in.Name)
	if err != nil {
		return nil, err
	}
	return struct{ Parameter shown }{s.show(p, in.WithDecryption)}, nil
}

type getParameters struct {
	Names          []string
	WithDecryption bool
}

func (s *Store) getParameters(in getParameters) (any, error) {
	if len(in.Names) == 0 || len(in.Names) > 10 {
		return nil, &stack.Error{Code: "ValidationException", Message: fmt.Sprintf("1 validation error detected: Value at 'names' failed to satisfy constraint: Member must have length between 1 and 10, not %d", len(in.Names))}
	}
	out := struct {
		Parameters        []shown
		InvalidParameters []string
	}{[]shown{}, []string{}}
	for _, name := range in.Names {
		if p, err := s.Get(name); err == nil {
			out.Parameters = append(out.Parameters, s.show(p, in.WithDecryption))
		} else {
			out.InvalidParameters = append(out.InvalidParameters, name)
		}
	}
	return out, nil
}

type getParametersByPath struct {
	Path           string
	Recursive      bool
	WithDecryption bool
	MaxResults     int
	NextToken      string
}

func (s *Store) getParametersByPath(in getParametersByPath) (any, error) {
	return s.page(in, s.ByPath)
}

// page answers with a page of what list gives.
func (s *Store) page(in getParametersByPath, list func(path string, recursive bool) []Parameter) (any, error) {
	if in.Path == "" || in.Path[0] != '/' {
		return nil, &stack.Error{Code: "ValidationException", Message: fmt.Sprintf("The parameter doesn't meet the parameter name requirements. The path %q must begin with a forward slash.", in.Path)}
	}
	found, next, err := pageOf(list(in.Path, in.Recursive), in.NextToken, in.MaxResults, 10)
	if err != nil {
		return nil, err
	}
	out := struct {
		Parameters []shown
		NextToken  string `json:",omitempty"`
	}{[]shown{}, next}
	for _, p := range found {
		out.Parameters = append(out.Parameters, s.show(p, in.WithDecryption))
	}
	return out, nil
}

// pageOf cuts a page out of a list. Tokens count from the front: the list is
// sorted and changes seldom.
func pageOf[T any](list []T, token string, size, limit int) ([]T, string, error) {
	if size <= 0 || size > limit {
		size = limit
	}
	from := 0
	if token != "" {
		var err error
		if from, err = strconv.Atoi(token); err != nil || from < 0 || from > len(list) {
			return nil, "", &stack.Error{Code: "InvalidNextToken", Message: "The specified token isn't valid."}
		}
	}
	if from+size >= len(list) {
		return list[from:], "", nil
	}
	return list[from : from+size], strconv.Itoa(from + size), nil
}

func (s *Store) deleteParameter(in struct{ Name string }) (any, error) {
	there, err := s.Delete(in.Name)
	if err != nil {
		return nil, err
	}
	if !there {
		return nil, &stack.Error{Code: "ParameterNotFound", Message: ""}
	}
	return struct{}{}, nil
}

func (s *Store) deleteParameters(in struct{ Names []string }) (any, error) {
	out := struct{ DeletedParameters, InvalidParameters []string }{[]string{}, []string{}}
	for _, name := range in.Names {
		there, err := s.Delete(name)
		if err != nil {
			return nil, err
		}
		if there {
			out.DeletedParameters = append(out.DeletedParameters, name)
		} else {
			out.InvalidParameters = append(out.InvalidParameters, name)
		}
	}
	return out, nil
}
