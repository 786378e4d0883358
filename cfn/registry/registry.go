// Package registry describes AWS's resource types, each in one place: what
// replaces it, what it holds, how it is named, what identifies it, what it
// costs. The public schemas are the base; descriptions add what they do not
// tell. Whoever must know something of a type asks here: the comparison, the
// deploy's refusals, the local stack engine, the estimate.
package registry

import (
	"cmp"
	_ "embed"
	"slices"
	"strings"
)

// Type is what is known of a resource type beyond its schema.
type Type struct {
	Name string // "AWS::DynamoDB::Table"
	Word string // what people call one: "table"
	// HoldsData: its replacement or removal loses what nobody can make again
	// from the template: rows, files, messages, users, keys. Queues hold data as
	// well, if on its way through. Log groups are not among them: a log goes with
	// the function that wrote it. Nor are nested stacks: what is in them counts.
	HoldsData bool
	Retention Retention // how long it keeps what it holds
	// CustomName is the property with which the user names a resource for the
	// whole account and region. While one stands, a replacement would need the
	// name twice at a time, so CloudFormation refuses it.
	// https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-properties-name.html
	CustomName string
	// ARN is the resource's ARN without "arn:PARTITION:" and up to its Ref, for
	// types whose ARN is made of it.
	ARN   string
	Parts []Part // what the ends of its ARN stand for
	// Addressed: others find it by a name or URL which the deploy makes up, so
	// another one has another address.
	Addressed bool
	// ByContent: one that goes and one that comes with the same content are one
	// thing under another logical ID: clients of the old address are left without.
	ByContent bool
	Wiring    bool   // its coming and going is told by what it serves
	Rights    Rights // what it has to do with rights
	Policy    Policy // where its resource policy stands
	// HeldBy is the property that names another resource, which holds the data in
	// its place.
	HeldBy string
	// Snapshots: CloudFormation can take a snapshot before it deletes one.
	Snapshots bool
	// Names are the properties by which others hold it, so that another value is
	// another address.
	Names []string
	Gone  string // what ends for others when it goes: "the name is answered no more"
	// Unique: one that is made again is another one to others, with other keys or
	// other name servers.
	Unique bool
	// Inner: its policy holds for those only who reach it otherwise, and where it
	// says nothing everything is allowed.
	Inner bool
	// Watches is what ends when it goes, where it only watches over others.
	Watches  string
	Settings []Setting // what keeps it safe and at work
	// PublicAddress is the property that gives it an address for everyone.
	PublicAddress string
	InPlace       bool     // updated in place, whatever its properties say
	Settled       []string // properties that the service never changes
	Charge        Charge   // a flat price by the month
}

// Retention is the property that says how long data is kept. A shorter time
// deletes what is older, as data that ages out is anyway.
type Retention struct {
	Property, What, Unit string
	Default              int // when the property is absent; 0 = for ever
}

// Part is what the end of an ARN stands for: "/index/*" for "the indexes".
type Part struct{ End, What string }

// Rights is what a type has to do with rights.
type Rights int

// Types that have rights, and those that give them to these.
const (
	HasRights Rights = iota + 1
	GivesRights
)

// Policy is the property that holds a resource policy, and the one that names
// what the policy is about; "" = the resource itself.
type Policy struct{ Property, Of string }

// Charge is a flat price, used or not.
type Charge struct {
	Item   string // in the table of prices
	How    string // "a hosted zone"
	Hourly bool   // the price is by the hour; otherwise by the month
}

// Of gives the description of a type; one that has none has its name only.
func Of(name string) Type {
	at, found := slices.BinarySearchFunc(descriptions[:], name, func(t Type, name string) int { return cmp.Compare(t.Name, name) })
	if !found {
		return Type{Name: name}
	}
	return descriptions[at]
}

// All lists the names of the types of which something holds, sorted.
func All(holds func(Type) bool) []string {
	var names []string
	for _, t := range descriptions {
		if holds(t) {
			names = append(names, t.Name)
		}
	}
	return names
}

// IsCustom reports whether the type is a custom resource, of which a function
// of the user's decides everything.
func IsCustom(name string) bool {
	return name == CloudFormationCustomResource || strings.HasPrefix(name, "Custom::")
}

//go:embed free.txt
var free string

// IsFree reports whether resources of a type cost nothing by the month: they
// are free, or what is paid for is their use.
func IsFree(name string) bool {
	if strings.HasPrefix(name, "Custom::") {
		return true
	}
	name = strings.TrimPrefix(name, "AWS::")
	for line := range strings.SplitSeq(free, "\n") {
		start, open := strings.CutSuffix(line, "*")
		if line == name || open && strings.HasPrefix(name, start) {
			return true
		}
	}
	return false
}
