package sam

// deploymentPreference would make what shifts calls to a new version step by step.
func (x *expander) deploymentPreference(p object) {
	preference := asObject(p["DeploymentPreference"])
	if len(preference) == 0 || preference["Enabled"] != nil && !given(x.mapped(x.known(preference["Enabled"]))) {
		return
	}
	x.fail(x.property("DeploymentPreference"), "write the plain resources that you want of it", "gradual deployment is not expanded here")
}
