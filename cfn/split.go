package cfn

import (
	"crypto/sha256"
	"encoding/binary"
	"maps"
	"slices"
	"strconv"

	"github.com/awslabs/goformation/v7/cloudformation/logs"
)

// A stack takes 500 resources. A larger app becomes a root stack and nested
// ones. Which nested stack a resource goes to depends on its function's name
// alone, so a route that is added or removed moves no other. Two things move
// resources, none of which holds data or has an address: passing 450 resources
// (log groups and permissions leave the root), and so many functions that they
// leave it as well.
//
// What a nested stack needs from elsewhere comes in as a parameter, and what
// others need of it goes out as an output. So that no circle arises, the parts
// are of three kinds: log groups, which need nothing; functions, which need
// what the root holds (and have their log groups with them); triggers, which
// need functions and APIs, while an API's routes need functions.

// A resource that leaves one stack for another is made there before it is
// deleted here. What there can be only one of does not survive that: a parameter
// by its name, a route by its key, a subscription or an event source mapping by
// its two ends, a queue's policy. These are bound to the root for as long as it
// holds them, and then join the triggers: the one change that CloudFormation
// refuses, of an app with some hundred queues or actions.

// partKind is one of the three, or what is bound; "" is the root, which holds
// APIs, tables, buckets, topics, queues and roles in any case.
type partKind string

const (
	logsPart      partKind = "Logs"
	functionsPart partKind = "Functions"
	triggersPart  partKind = "Triggers"
	boundPart     partKind = "Bound"
)

// place is where a resource goes when the stack is split: to the same part as
// all of its kind and owner.
type place struct {
	kind  partKind
	owner string // a logical ID
}

// place says where the resource may go, and gives its logical ID back.
func (c *compiler) place(kind partKind, owner, id string) string {
	c.places[id] = place{kind, owner}
	return id
}

const (
	// splitAbove is how many resources stay in one stack. CloudFormation takes
	// 500; the rest is room for what a release may add.
	splitAbove = 450
	// rootBytes is how long the root template may become with all functions
	// in it, of the million bytes that CloudFormation takes.
	rootBytes = 800_000
)

// How many parts of a kind there are. No part of a kind gets more than about
// ninety functions, so that neither its resources (500) nor its parameters and
// outputs (200 each) run out.
const (
	fewParts  = 8   // functions are in the root
	someParts = 32  // up to manyFunctions
	manyParts = 120 // beyond

	manyFunctions = 2_400
)

// split spreads a large stack over nested ones.
func (c *compiler) split() {
	if len(c.t.Resources) <= splitAbove {
		return
	}
	// Where each kind goes; a kind that goes nowhere stays in the root.
	to, parts := map[partKind]partKind{logsPart: logsPart, triggersPart: triggersPart}, fewParts
	if !c.fitsRoot(to, parts) {
		to = map[partKind]partKind{logsPart: functionsPart, functionsPart: functionsPart, triggersPart: triggersPart}
		parts = someParts
		if len(c.lambdas) > manyFunctions {
			parts = manyParts
		}
		if !c.fitsRoot(to, parts) {
			to[boundPart] = triggersPart
		}
	}
	l := newLayout(c.t, c.opts.ArtifactKey)
	for _, id := range slices.Sorted(maps.Keys(c.t.Resources)) {
		at := c.places[id]
		kind := to[at.kind]
		if kind == "" {
			continue
		}
		name := partName(kind, at.owner, parts)
		l.move(id, name, string(kind)+" of "+c.t.Description)
		if group, ok := c.t.Resources[id].(*logs.LogGroup); ok {
			// Another name than in the root: when it moves, the new one is made
			// before the old one is deleted.
			group.LogGroupName = new(Sub(logGroupPrefix + name + "/" + at.owner))
		}
	}
	c.stack.Parts = l.finish()
	for _, part := range c.stack.Parts {
		c.stack.Origins[part.LogicalID] = c.app.Pos
	}
	if size := len(l.root.body); size > MaxTemplate {
		c.warnf(c.app.Pos, "template-size", "divide the app into several, each with a manifest of its own",
			"the template of the stack has %d bytes, but CloudFormation takes %d", size, MaxTemplate)
	}
}

// fitsRoot reports whether the root holds what is left when the kinds of to
// have gone.
func (c *compiler) fitsRoot(to map[partKind]partKind, parts int) bool {
	var stay []Resource
	for id, r := range c.t.Resources {
		if to[c.places[id].kind] == "" {
			stay = append(stay, r)
		}
	}
	if len(stay)+len(to)*parts > splitAbove {
		return false
	}
	size := 0
	for _, r := range stay {
		raw, err := rawJSON(r)
		if err != nil {
			continue // Template.JSON tells
		}
		size += len(raw)
	}
	return size <= rootBytes
}

// partName gives the part that an owner's resources of a kind go to, out of so
// many.
func partName(kind partKind, owner string, parts int) string {
	sum := sha256.Sum256([]byte(owner))
	return string(kind) + strconv.Itoa(1+int(binary.BigEndian.Uint32(sum[:])%uint32(parts)))
}
