package asl

import "encoding/json"

// Machine is a state machine, or a branch of one.
type Machine struct {
	StartAt        string
	States         map[string]*State
	TimeoutSeconds int // 0 = none
}

// State is one state of any type.
// https://states-language.net/spec.html#states-fields
type State struct {
	Name, Type, Next string
	End              bool
	JSONata          bool // its QueryLanguage; that of its fields follows from it

	// Of JSONata: what it hands over and gives, nil where that is what it has got.
	Arguments, Output, Items, Variables *Query
	// Selector is ItemSelector, and the others are those fields where they are no
	// constants, by name: "TimeoutSeconds".
	Selector *Query
	Computed map[string]*Query

	// InputPath, OutputPath and ResultPath are nil where null is written: {} in the
	// place of the input and of the output, and a result that is dropped.
	InputPath, OutputPath, ResultPath *Path
	// Parameters, ResultSelector, ItemSelector and Assign are nil where there are none.
	Parameters, ResultSelector, ItemSelector, Assign *Template

	Result    any // of Pass
	HasResult bool

	Error, Cause         string // of Fail
	ErrorExpr, CauseExpr *Expression

	Seconds       *int // of Wait
	Timestamp     string
	SecondsPath   *Path
	TimestampPath *Path

	Choices []*Rule
	Default string

	Resource             string // of Task
	Credentials          *Template
	CredentialsQuery     *Query // of JSONata
	TimeoutSeconds       int    // 0 = none
	TimeoutSecondsPath   *Path
	HeartbeatSeconds     int // 0 = none
	HeartbeatSecondsPath *Path

	Branches []*Machine // of Parallel; of Map, the one that each item goes through

	ItemsPath                      *Path // of Map
	MaxConcurrency                 int   // 0 = as many as there are items
	MaxConcurrencyPath             *Path
	ToleratedFailureCount          int
	ToleratedFailureCountPath      *Path
	ToleratedFailurePercentage     float64
	ToleratedFailurePercentagePath *Path
	Tolerates                      bool // one of the four is given
	Distributed                    bool
	Processor                      string // of a distributed map: the machine that its items run
	Express                        bool   // of that type
	Label                          string
	Reader                         *ItemReader
	Batcher                        *ItemBatcher
	Writer                         *ResultWriter
	Unsupported                    []string // its fields that nothing here goes by

	Retry []Retrier
	Catch []Catcher
}

// Retrier says which errors are tried again, and when.
// https://states-language.net/spec.html#retrying-after-error
type Retrier struct {
	ErrorEquals     []string
	IntervalSeconds int
	MaxAttempts     int
	BackoffRate     float64
	MaxDelaySeconds int // 0 = none
	FullJitter      bool
}

// Catcher says where errors lead.
// https://states-language.net/spec.html#fallback-states
type Catcher struct {
	ErrorEquals []string
	Next        string
	ResultPath  *Path // nil = the error is dropped
	Assign      *Template
	// Of JSONata; nil = the error is what it gives, and there is nothing to assign.
	Output, Variables *Query
}

// Expression is a path or a call of an intrinsic function where a text may be one.
type Expression struct{ of expression }

// Eval is its value; field is where it stands.
func (e *Expression) Eval(field string, s Scope, by Chance) (any, *Failure) {
	return e.of.eval(field, s, by)
}

// terminal reports whether the machine may end at the state.
func (s *State) terminal() bool { return s.End || s.Type == "Succeed" || s.Type == "Fail" }

// Matches reports whether errors that are named so include one. None includes
// States.Runtime: what is wrong with the machine itself is neither tried again nor
// caught.
// https://docs.aws.amazon.com/step-functions/latest/dg/concepts-error-handling.html#error-handling-error-representation
func Matches(names []string, name string) bool {
	if name == ErrRuntime {
		return false
	}
	for _, n := range names {
		switch {
		case n == name || n == ErrAll:
			return true
		case n == ErrTaskFailed:
			if name != ErrTimeout {
				return true
			}
		case n == ErrTimeout && name == ErrHeartbeatTimeout:
			return true
		}
	}
	return false
}

// number64 is a JSON number as float64; ok is false for any other value.
func number64(v any) (float64, bool) {
	n, ok := v.(json.Number)
	f, err := n.Float64()
	return f, ok && err == nil
}
