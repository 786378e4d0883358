package dynamodb

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"arc/sandbox/stack"
)

// AWS::DynamoDB::GlobalTable is the table of which the CDK's TableV2 makes one:
// here it is its replica in the region of its stack.
// https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-dynamodb-globaltable.html

// scaling is a capacity that AWS would scale: its least.
type scaling struct {
	MinCapacity                              int
	MaxCapacity, SeedCapacity                any
	TargetTrackingScalingPolicyConfiguration any
}

type writeSettings struct{ WriteCapacityAutoScalingSettings scaling }

type readSettings struct {
	ReadCapacityUnits               int
	ReadCapacityAutoScalingSettings scaling
}

func (r *readSettings) units() int {
	if r == nil {
		return 0
	}
	return max(r.ReadCapacityUnits, r.ReadCapacityAutoScalingSettings.MinCapacity)
}

type globalIndex struct {
	IndexName                          string `cfn:"required"`
	KeySchema                          []any  `cfn:"required"`
	Projection                         any    `cfn:"required"`
	WriteProvisionedThroughputSettings *writeSettings
	WriteOnDemandThroughputSettings    any
	WarmThroughput                     any
}

type replicaIndex struct {
	IndexName                         string `cfn:"required"`
	ReadProvisionedThroughputSettings *readSettings
	ReadOnDemandThroughputSettings    any
	ContributorInsightsSpecification  any
}

type replica struct {
	Region                            string `cfn:"required"`
	GlobalSecondaryIndexes            []replicaIndex
	ReadProvisionedThroughputSettings *readSettings
	PointInTimeRecoverySpecification  any
	DeletionProtectionEnabled         any

	ContributorInsightsSpecification, GlobalTableSettingsReplicationMode, KinesisStreamSpecification, ReadOnDemandThroughputSettings,
	ReplicaStreamSpecification, ResourcePolicy, SSESpecification, TableClass, Tags any
}

type globalProperties struct {
	Replicas                           []replica `cfn:"required"`
	GlobalSecondaryIndexes             []globalIndex
	WriteProvisionedThroughputSettings *writeSettings
}

// asTable gives the properties of a global table as those of a table in a region,
// and the other regions in which AWS would have it.
func asTable(properties map[string]any, region string) (table map[string]any, others []string, err error) {
	const same = "TableName AttributeDefinitions KeySchema BillingMode LocalSecondaryIndexes SSESpecification StreamSpecification TimeToLiveSpecification"
	var p globalProperties
	err = stack.Read(properties, &p, append(strings.Fields(same), "GlobalTableSettingsReplicationMode", "GlobalTableSourceArn", "GlobalTableWitnesses", "MultiRegionConsistency",
		"WarmThroughput", "WriteOnDemandThroughputSettings")...)
	if err != nil && !errors.Is(err, stack.ErrUnknown) {
		return nil, nil, err
	}
	here := slices.IndexFunc(p.Replicas, func(r replica) bool { return r.Region == region })
	for i, r := range p.Replicas {
		if i != here {
			others = append(others, r.Region)
		}
	}
	switch {
	case here < 0 && err == nil && region != "":
		return nil, nil, fmt.Errorf("property Replicas: Table must have a replica in the region %s of its stack", region)
	case len(others) > 0 && properties["StreamSpecification"] == nil && here >= 0:
		return nil, nil, errors.New("property StreamSpecification: is required where there is more than one replica")
	}
	var own replica
	if here >= 0 {
		own = p.Replicas[here]
	}
	table = map[string]any{}
	for _, name := range strings.Fields(same) {
		if value, given := properties[name]; given {
			table[name] = value
		}
	}
	for name, value := range map[string]any{"PointInTimeRecoverySpecification": own.PointInTimeRecoverySpecification, "DeletionProtectionEnabled": own.DeletionProtectionEnabled, "Tags": own.Tags} {
		if value != nil {
			table[name] = value
		}
	}
	provisioned := func(read *readSettings, write *writeSettings) map[string]any {
		units := 0
		if write != nil {
			units = write.WriteCapacityAutoScalingSettings.MinCapacity
		}
		return map[string]any{"ReadCapacityUnits": max(read.units(), 1), "WriteCapacityUnits": max(units, 1)}
	}
	if _, given := table["BillingMode"]; !given {
		table["BillingMode"] = "PROVISIONED"
	}
	scaled := table["BillingMode"] == "PROVISIONED"
	if scaled {
		table["ProvisionedThroughput"] = provisioned(own.ReadProvisionedThroughputSettings, p.WriteProvisionedThroughputSettings)
	}
	var indexes []any
	for _, i := range p.GlobalSecondaryIndexes {
		index := map[string]any{"IndexName": i.IndexName, "KeySchema": i.KeySchema, "Projection": i.Projection}
		if scaled {
			var read *readSettings
			for _, of := range own.GlobalSecondaryIndexes {
				if of.IndexName == i.IndexName {
					read = of.ReadProvisionedThroughputSettings
				}
			}
			index["ProvisionedThroughput"] = provisioned(read, i.WriteProvisionedThroughputSettings)
		}
		indexes = append(indexes, index)
	}
	if indexes != nil {
		table["GlobalSecondaryIndexes"] = indexes
	}
	return table, others, err
}

// checkGlobalTable looks at a global table before it is made.
func checkGlobalTable(properties map[string]any) error {
	table, _, err := asTable(properties, "")
	if err != nil && !errors.Is(err, stack.ErrUnknown) {
		return err
	}
	p, wrong := readTable(table)
	if wrong != nil && !errors.Is(wrong, stack.ErrUnknown) {
		return wrong
	}
	return p.defined(err == nil && wrong == nil)
}

// global has a step of tables work on a global one.
func (s *Service) global(step func(context.Context, stack.Request) (stack.Resource, error)) func(context.Context, stack.Request) (stack.Resource, error) {
	return func(ctx context.Context, req stack.Request) (stack.Resource, error) {
		var others []string
		for _, properties := range []*map[string]any{&req.Old, &req.Properties} {
			if *properties == nil {
				continue
			}
			var err error
			if *properties, others, err = asTable(*properties, req.Stack.Region); err != nil {
				return stack.Resource{}, err
			}
		}
		made, err := step(ctx, req)
		if err != nil {
			return made, err
		}
		made.Attributes["TableId"] = stack.UUIDOf(fmt.Sprint(made.Attributes["Arn"]))
		if d, err := s.active(ctx, made.PhysicalID); err == nil && d.Table.TableID != "" {
			made.Attributes["TableId"] = d.Table.TableID
		}
		if len(others) > 0 {
			made.Note = strings.TrimPrefix(made.Note+"; the replicas in "+strings.Join(others, ", ")+" are not made here", "; ")
		}
		return made, nil
	}
}
