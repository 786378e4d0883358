package stack

import (
	"slices"
	"strings"

	"arc/cfn"
	"arc/cfn/registry"
)

// autoExpand is the capability that a stack needs whose template is expanded
// without anybody looking at what comes out. Change sets do not need it.
// https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_CreateStack.html
const autoExpand = "CAPABILITY_AUTO_EXPAND"

// neededCapability is the capability that a template needs: "" for none.
// https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/using-iam-template.html
func neededCapability(doc *cfn.Document) string {
	needed := ""
	for _, r := range doc.Resources {
		if !strings.HasPrefix(r.Type, "AWS::IAM::") {
			continue
		}
		if _, named := r.Properties[registry.Of(r.Type).CustomName]; named {
			return "CAPABILITY_NAMED_IAM"
		}
		needed = "CAPABILITY_IAM"
	}
	return needed
}

func missingCapabilities(doc *cfn.Document, given []string) string {
	needed := neededCapability(doc)
	if slices.Contains(given, needed) || needed == "CAPABILITY_IAM" && slices.Contains(given, "CAPABILITY_NAMED_IAM") {
		return ""
	}
	return needed
}

// iamTypes lists the types that need a capability.
func iamTypes(doc *cfn.Document) string {
	var types []string
	for _, r := range doc.Resources {
		if strings.HasPrefix(r.Type, "AWS::IAM::") {
			types = append(types, r.Type)
		}
	}
	slices.Sort(types)
	return strings.Join(slices.Compact(types), ", ")
}
