package sam

type deployments struct{}

func (x *expander) finishDeployments() {}
func (x *expander) unexpanded(typ string) {
	x.fail(x.at, "write the plain resources that you want of it", "%s is not expanded here yet", typ)
}
func (x *expander) restAPI(r object)      { x.unexpanded("an Api") }
func (x *expander) stateMachine(r object) { x.unexpanded("a StateMachine") }
func (x *expander) apiEvent(e event, to target) {
	x.fail(e.path, "write the plain resources that you want of it", "an event of a REST API is not expanded here yet")
}
func (x *expander) deploymentPreference(p, r object, alias string) {
	if given(p["DeploymentPreference"]) {
		x.fail(x.property("DeploymentPreference"), "write the plain resources that you want of it", "gradual deployment is not expanded here yet")
	}
}
func swaggerSkeleton() object {
	return object{"swagger": "2.0", "info": object{"version": "1.0", "title": ref("AWS::StackName")}, "paths": object{}}
}
