package diff

import (
	"strings"

	"arc/cfn"
	"arc/cfn/diff/compare"
)

// plumbing are the types whose coming and going is told by what they serve.
var plumbing = map[string]bool{
	"AWS::ApiGatewayV2::Deployment":   true,
	"AWS::ApiGatewayV2::Integration":  true,
	"AWS::ApiGatewayV2::Route":        true,
	"AWS::ApiGatewayV2::Stage":        true,
	"AWS::Lambda::EventSourceMapping": true,
	"AWS::Lambda::Permission":         true,
	"AWS::Lambda::Version":            true,
	"AWS::Lambda::Alias":              true,
	"AWS::SNS::Subscription":          true,
	"AWS::SQS::QueuePolicy":           true,
	"AWS::SNS::TopicPolicy":           true,
	"AWS::SSM::Parameter":             true,
}

// otherResources tells of all resources that nothing before told of, but for plumbing
// that endangers nothing.
func (r *reviewer) otherResources() []Item {
	var items []Item
	for _, id := range ids(r.changes) {
		if r.told[id] {
			continue
		}
		c := r.changes[id]
		it := r.item(c.Action, r.describe(id), strings.TrimPrefix(c.Type, "AWS::"), id)
		if plumbing[c.Type] && len(it.Risks) == 0 && c.Update < cfn.MayReplace {
			continue
		}
		if plumbing[c.Type] && len(it.Risks) == 0 && (c.Action != compare.Modify || !ownReason(*c)) {
			continue
		}
		if c.Action == compare.Modify {
			it.Details = r.settingsOf(*c)
			if c.Update >= cfn.MayReplace {
				it.Details = append(it.Details, c.Update.String()+because(*c))
			}
		}
		items = append(items, it)
	}
	return sortItems(items)
}

// ownReason reports whether a change is more than what follows from another.
func ownReason(c compare.Change) bool {
	for _, p := range c.Properties {
		if p.Because == "" {
			return true
		}
	}
	return false
}
