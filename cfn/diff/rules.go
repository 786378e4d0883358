package diff

import (
	_ "embed"
	"fmt"
	"slices"
	"strings"
)

// Rule names why a review warns. Each has an explanation in rules.txt, which
// arc diff --explain prints.
type Rule string

// The rules, by the class that they are of most often.
const (
	DataRemoved  Rule = "data-removed"
	DataReplaced Rule = "data-replaced"

	StoreReplaced   Rule = "store-replaced"
	AddressReplaced Rule = "address-replaced"
	AddressMoved    Rule = "address-moved"
	OtherStack      Rule = "other-stack"

	RightsWidened      Rule = "rights-widened"
	RoleTrustWidened   Rule = "role-trust-widened"
	RoleUnknown        Rule = "role-unknown"
	BoundaryRemoved    Rule = "boundary-removed"
	BoundaryChanged    Rule = "boundary-changed"
	PolicyWidened      Rule = "policy-widened"
	InvokerAdded       Rule = "invoker-added"
	AuthorizerChanged  Rule = "authorizer-changed"
	RouteGuardChanged  Rule = "route-guard-changed"
	RouteOpen          Rule = "route-open"
	DistributionOpen   Rule = "distribution-open"
	CORSOpen           Rule = "cors-open"
	SignUpOpen         Rule = "sign-up-open"
	PolicyOpen         Rule = "policy-open"
	PolicyRefused      Rule = "policy-refused"
	AddressPublic      Rule = "address-public"
	FunctionURLOpen    Rule = "function-url-open"
	PermissionOpen     Rule = "permission-open"
	BucketOpen         Rule = "bucket-open"
	RoleOpen           Rule = "role-open"
	PortsOpen          Rule = "ports-open"
	GuestsHaveRights   Rule = "guests-have-rights"
	LayerOpen          Rule = "layer-open"
	APIKeyOnly         Rule = "api-key-only"
	SafeguardOff       Rule = "safeguard-off"
	ServiceStops       Rule = "service-stops"
	HostRights         Rule = "host-rights"
	GateOpened         Rule = "gate-opened"
	SecretWritten      Rule = "secret-written"
	NameChanged        Rule = "name-changed"
	LeftBehind         Rule = "left-behind"
	SnapshotLeft       Rule = "snapshot-left"
	CustomGone         Rule = "custom-gone"
	EndsForOthers      Rule = "ends-for-others"
	WatchGone          Rule = "watch-gone"
	ResourceGone       Rule = "resource-gone"
	RuntimeRetired     Rule = "runtime-retired"
	MacroUnread        Rule = "macro-not-expanded"
	NestedUnread       Rule = "nested-not-read"
	RecordRemade       Rule = "record-remade"
	DeploymentStale    Rule = "deployment-stale"
	RetentionShortened Rule = "retention-shortened"
	NoLongerKept       Rule = "no-longer-kept"
	BackupsOff         Rule = "backups-off"
	DeletionUnguarded  Rule = "deletion-protection-off"
	EncryptionOff      Rule = "encryption-off"
	ObjectsExpire      Rule = "objects-expire"
	VersioningOff      Rule = "versioning-off"
	ItemsExpire        Rule = "items-expire"
	Interrupted        Rule = "interrupted"
	AddressGone        Rule = "address-gone"
	ScheduleGone       Rule = "schedule-gone"
	RouteGone          Rule = "route-gone"
	ExportGone         Rule = "export-gone"
	ExportChanged      Rule = "export-changed"
	AliasGone          Rule = "alias-gone"
	LogDeleted         Rule = "log-deleted"
)

// Explanation is what is to be known of a rule: why it is a danger, and how to
// do what is wanted without it.
type Explanation struct {
	Rule     Rule
	Class    Class    // that it is of, or was made to be of most often
	Title    string   // a sentence
	Property string   // what of a template brings it about
	Page     string   // AWS's own words
	Order    []string // what happens, one after another
	Instead  []string // how to do it without the danger
}

//go:embed rules.txt
var rules string

// Explanations lists what is known of every rule, in the order of the classes.
func Explanations() ([]Explanation, error) {
	var all []Explanation
	for i, block := range strings.Split(strings.TrimSpace(rules), "\n\n") {
		e, err := readExplanation(block)
		if err != nil {
			return nil, fmt.Errorf("rules.txt, block %d: %w", i+1, err)
		}
		all = append(all, e)
	}
	return all, nil
}

// readExplanation reads one block of rules.txt:
//
//	rule: class
//	Title.
//	property: what of a template
//	page: https://docs.aws.amazon.com/…
//	order: the first thing that happens
//	order: the second
//	instead: a way around
func readExplanation(block string) (Explanation, error) {
	var e Explanation
	for i, line := range strings.Split(block, "\n") {
		name, text, ok := strings.Cut(line, ": ")
		switch {
		case i == 0 && ok && slices.Contains(classes, Class(text)):
			e.Rule, e.Class = Rule(name), Class(text)
		case i == 1:
			e.Title = line
		case i > 1 && ok && name == "property":
			e.Property = text
		case i > 1 && ok && name == "page":
			e.Page = text
		case i > 1 && ok && name == "order":
			e.Order = append(e.Order, text)
		case i > 1 && ok && name == "instead":
			e.Instead = append(e.Instead, text)
		default:
			return e, fmt.Errorf("line %d: %q is no part of an explanation", i+1, line)
		}
	}
	return e, nil
}
