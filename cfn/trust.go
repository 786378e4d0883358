package cfn

import "regexp"

// Trusts are the kinds of deployments by who may start them: whoever may open a
// pull request, whoever may push to the branch, whoever approves production.
// What one of them writes into the artifact bucket no other one can write over:
// each has a folder of its own there.
const (
	PreviewTrust    = "preview"
	StagingTrust    = "staging"
	ProductionTrust = "production"
)

// previewName is how the workflow of arc ci names the stack of a pull request.
var previewName = regexp.MustCompile(`^pr-[0-9]+$`)

// Trust is the first element of the key of every object that a deploy of this
// stage and name writes to the artifact bucket. A further stack of staging is
// staging's, unless it has the name of a pull request's.
func Trust(stage, name string) string {
	if stage == StagingTrust && previewName.MatchString(name) {
		return PreviewTrust
	}
	return stage
}

// ArtifactKey is the key of an object of the stack in the artifact bucket.
func (o Options) ArtifactKey(name string) string { return Trust(o.Stage, o.Name) + "/" + name }
