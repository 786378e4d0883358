package lambda

// latest is the version of code that has none.
const latest = "$LATEST"

type resources struct{}

func (r *resources) clear() {}

// resolve finds a function by name or ARN; nil when there is none.
func (s *Service) resolve(name string) *function { return s.functions[name] }
