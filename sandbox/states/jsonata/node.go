package jsonata

// kind is what a node of an expression does.
type kind int

const (
	kindEnd    kind = iota // nothing, where something should be
	kindWord               // an operator that stands where a value should: and, or, in are names there
	kindHole               // ? among the arguments of a call
	kindBinary             // left op right, until resolve
	kindUnary              // -, [ and {
	kindName
	kindText
	kindNumber
	kindValue
	kindRegex
	kindVariable
	kindWildcard
	kindDescendant
	kindParent
	kindPath
	kindSort
	kindCondition
	kindBlock
	kindBind
	kindApply
	kindCall
	kindPartial
	kindLambda
	kindTransform
)

// kindNames are those that messages have.
var kindNames = map[kind]string{
	kindBinary: "binary", kindUnary: "unary", kindName: "name", kindText: "string", kindNumber: "number", kindValue: "value", kindRegex: "regex",
	kindVariable: "variable", kindWildcard: "wildcard", kindDescendant: "descendant", kindParent: "parent", kindPath: "path", kindSort: "sort",
	kindCondition: "condition", kindBlock: "block", kindBind: "bind", kindApply: "apply", kindCall: "function", kindPartial: "partial",
	kindLambda: "lambda", kindTransform: "transform",
}

// node is a part of an expression. Which fields one has is its kind's.
type node struct {
	kind  kind
	op    string // of kindBinary, kindUnary and kindWord
	text  string // a name, a variable without $, a text, the source of a regular expression
	value any    // of literals and regular expressions
	at    int    // where it ends in the source

	left, right *node       // operands; the condition and what is then; the procedure of a call
	other       *node       // what is else; what a transform deletes
	list        []*node     // steps, expressions, arguments
	pairs       [][2]*node  // of objects
	terms       []term      // of an order
	signature   *signature  // of a lambda
	group       *grouping   // what a step's values are grouped by
	predicates  []stage     // of what is no step
	stages      []stage     // of a step
	keep        bool        // followed by []: a list though it has one value
	keepPath    bool        // a step of the path is
	cons        bool        // a list that was written as one
	tuple       bool        // values go on with what is bound beside them
	thunk       bool        // a call in the last place, made by the caller
	focus       string      // what @ binds
	index       string      // what # binds
	ancestor    *ancestor   // what % asks this step for
	asks        *ancestor   // of kindParent
	seeks       []*ancestor // what % within asks for
}

// term is one of an order.
type term struct {
	by         *node
	descending bool
}

// stage is a filter of a step, or where its values are counted.
type stage struct {
	filter *node
	index  string
	at     int
}

// grouping makes an object of the values of a step.
type grouping struct {
	pairs [][2]*node
	at    int
}

// ancestor is what a % asks for: the value so many levels up, bound to a label.
type ancestor struct {
	label string
	level int
}
