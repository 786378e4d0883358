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
// are another type, which an update cannot change. What Scheduler cannot bring to
// the function, and what that fails on three times, goes to a dead-letter queue:
// one for all, since an event names its schedule, and roles hold some 450 names.
// https://docs.aws.amazon.com/scheduler/latest/UserGuide/what-is-scheduler.html
func (c *compiler) scheduled() {
	if len(c.app.Schedules) == 0 {
		return
	}
	items := make([]naming, len(c.app.Schedules))
	for i, s := range c.app.Schedules {
		items[i] = naming{base: logicalName(s.Name), key: s.Name, pos: s.Pos}
	}
	queue := c.deadLetterQueue("ScheduleDeadLetterQueue", c.app.Schedules[0].Pos, false, "schedules")
	invoke, keep := right{actions: []string{"lambda:InvokeFunction"}}, right{actions: []string{"sqs:SendMessage"}, resources: []string{GetAtt(queue, "Arn")}}
	for i, name := range c.names("scheduled", items) {
		s := c.app.Schedules[i]
		f := c.function(name+"ScheduledLambda", s.Function)
		f.deadLetters = queue
		f.needs = append(f.needs, right{actions: []string{"sqs:SendMessage"}, resources: []string{GetAtt(queue, "Arn")}})
		schedule := &scheduler.Schedule{
			FlexibleTimeWindow: &scheduler.Schedule_FlexibleTimeWindow{Mode: "OFF"},
			ScheduleExpression: s.Expression,
			Target: &scheduler.Schedule_Target{
				Arn: f.arn(), RoleArn: GetAtt(schedulerRole, "Arn"),
				DeadLetterConfig: &scheduler.Schedule_DeadLetterConfig{Arn: new(GetAtt(queue, "Arn"))},
			},
		}
		if s.Timezone != "" {
			schedule.ScheduleExpressionTimezone = new(s.Timezone)
		}
		c.place(triggersPart, f.id, c.add(name+"ScheduleEvent", s.Pos, schedule))
		invoke.resources = append(invoke.resources, f.arn())
	}
	assume := trust("scheduler")
	assume.Statement[0].Condition = map[string]map[string]string{"StringEquals": {"aws:SourceAccount": Ref("AWS::AccountId")}}
	c.roleWith(schedulerRole, c.app.Schedules[0].Pos, &iam.Role{AssumeRolePolicyDocument: assume}, []right{invoke, keep}, nil)
}
