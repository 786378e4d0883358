package cfn

import (
	"github.com/awslabs/goformation/v7/cloudformation/iam"
	"github.com/awslabs/goformation/v7/cloudformation/scheduler"
)

// schedulerRole is what EventBridge Scheduler invokes functions with; one for
// all schedules, under the logical ID that Architect 12 gives it.
const schedulerRole = "SchedulerRole"

// scheduled compiles @scheduled. The functions keep the logical IDs that they
// have under Architect 11. The schedules cannot keep those of its rules: they
// are another type, which an update cannot change.
// https://docs.aws.amazon.com/scheduler/latest/UserGuide/what-is-scheduler.html
func (c *compiler) scheduled() {
	if len(c.app.Schedules) == 0 {
		return
	}
	items := make([]naming, len(c.app.Schedules))
	for i, s := range c.app.Schedules {
		items[i] = naming{base: logicalName(s.Name), key: s.Name, pos: s.Pos}
	}
	invoke := right{actions: []string{"lambda:InvokeFunction"}}
	for i, name := range c.names("scheduled", items) {
		s := c.app.Schedules[i]
		f := c.function(name+"ScheduledLambda", s.Function)
		schedule := &scheduler.Schedule{
			FlexibleTimeWindow: &scheduler.Schedule_FlexibleTimeWindow{Mode: "OFF"},
			ScheduleExpression: s.Expression,
			Target:             &scheduler.Schedule_Target{Arn: f.arn(), RoleArn: GetAtt(schedulerRole, "Arn")},
		}
		if s.Timezone != "" {
			schedule.ScheduleExpressionTimezone = new(s.Timezone)
		}
		c.place(triggersPart, f.id, c.add(name+"ScheduleEvent", s.Pos, schedule))
		invoke.resources = append(invoke.resources, f.arn())
	}
	assume := trust("scheduler")
	assume.Statement[0].Condition = map[string]map[string]string{"StringEquals": {"aws:SourceAccount": Ref("AWS::AccountId")}}
	c.roleWith(schedulerRole, c.app.Schedules[0].Pos, &iam.Role{AssumeRolePolicyDocument: assume}, []right{invoke}, nil)
}
