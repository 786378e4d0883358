package dynamodb

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"time"

	"arc/sandbox/stack"
)

// Registrations are the resource types that the service provides.
// https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-dynamodb-table.html
func (s *Service) Registrations() map[string]stack.Registration {
	return map[string]stack.Registration{
		"AWS::DynamoDB::Table":       {Keeps: true, Check: checkTable, Provider: stack.Steps{OnCreate: s.createTable, OnUpdate: s.updateTable, OnDelete: s.deleteTable}, Identifier: "TableName", Import: s.importTable},
		"AWS::DynamoDB::GlobalTable": {Keeps: true, Check: checkGlobalTable, Provider: stack.Steps{OnCreate: s.global(s.createTable), OnUpdate: s.global(s.updateTable), OnDelete: s.deleteTable}, Identifier: "TableName", Import: s.global(s.importTable)},
	}
}

type attribute struct {
	AttributeName string `cfn:"required"`
	AttributeType string `cfn:"required"`
}

type key struct {
	AttributeName string `cfn:"required"`
	KeyType       string `cfn:"required"`
}

type projection struct {
	ProjectionType   string   `json:",omitempty"`
	NonKeyAttributes []string `json:",omitempty"`
}

type throughput struct{ ReadCapacityUnits, WriteCapacityUnits int }

type onDemand struct{ MaxReadRequestUnits, MaxWriteRequestUnits int }

type index struct {
	IndexName                        string      `cfn:"required"`
	KeySchema                        []key       `cfn:"required"`
	Projection                       projection  `cfn:"required"`
	ProvisionedThroughput            *throughput `json:",omitempty"`
	OnDemandThroughput               *onDemand   `json:"-"`
	WarmThroughput                   any         `json:"-"`
	ContributorInsightsSpecification any         `json:"-"`
}

type tableProperties struct {
	TableName              string
	AttributeDefinitions   []attribute
	KeySchema              []key `cfn:"required"`
	BillingMode            string
	ProvisionedThroughput  *throughput
	GlobalSecondaryIndexes []index
	LocalSecondaryIndexes  []index
	SSESpecification       *struct {
		SSEEnabled              bool
		SSEType, KMSMasterKeyId string
	}
	StreamSpecification *struct {
		StreamViewType string `cfn:"required"`
		ResourcePolicy any
	}
	TimeToLiveSpecification          *expiry
	PointInTimeRecoverySpecification *struct {
		PointInTimeRecoveryEnabled bool
		RecoveryPeriodInDays       int
	}
	DeletionProtectionEnabled bool
}

type expiry struct {
	AttributeName string
	Enabled       bool `cfn:"required"`
}

func attributeOf(e *expiry) string {
	if e == nil {
		return ""
	}
	return e.AttributeName
}

func readTable(properties map[string]any) (p tableProperties, err error) {
	err = stack.Read(properties, &p, "ContributorInsightsSpecification", "KinesisStreamSpecification", "OnDemandThroughput",
		"ResourcePolicy", "TableClass", "Tags", "WarmThroughput")
	if err == nil && properties["ImportSourceSpecification"] != nil {
		err = errors.New("property ImportSourceSpecification: not emulated by the local cloud")
	}
	return p, err
}

// checkTable looks at a table before it is made.
func checkTable(properties map[string]any) error {
	p, err := readTable(properties)
	if err != nil && !errors.Is(err, stack.ErrUnknown) {
		return err
	}
	return p.defined(err == nil)
}

// defined refuses keys whose attributes are not defined, and, where all values
// are known, definitions that no key uses, in CloudFormation's words.
// https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_CreateTable.html
func (p tableProperties) defined(all bool) error {
	types, used := map[string]bool{}, map[string]bool{}
	for _, a := range p.AttributeDefinitions {
		types[a.AttributeName] = true
		all = all && a.AttributeName != ""
	}
	keys := slices.Clone(p.KeySchema)
	for _, i := range slices.Concat(p.GlobalSecondaryIndexes, p.LocalSecondaryIndexes) {
		keys = append(keys, i.KeySchema...)
	}
	wrong := ""
	for _, k := range keys {
		if k.AttributeName != "" && !types[k.AttributeName] && !types[""] && p.AttributeDefinitions != nil {
			wrong = k.AttributeName + " is a key and not among AttributeDefinitions"
		}
		used[k.AttributeName] = true
		all = all && k.AttributeName != ""
	}
	for _, a := range p.AttributeDefinitions {
		if all && !used[a.AttributeName] {
			wrong = a.AttributeName + " is among AttributeDefinitions and no key"
		}
	}
	if wrong == "" {
		return nil
	}
	return fmt.Errorf("Property AttributeDefinitions is inconsistent with the KeySchema of the table and the secondary indexes: %s", wrong) //nolint:staticcheck // CloudFormation's words
}

func (p tableProperties) stream() map[string]any {
	if p.StreamSpecification == nil {
		return map[string]any{"StreamEnabled": false}
	}
	return map[string]any{"StreamEnabled": true, "StreamViewType": p.StreamSpecification.StreamViewType}
}

// createTable makes a table with CreateTable, and what that does not take with
// the calls that do. Where there is no program for tables, the table is only
// recorded: everything else of the stack still runs.
func (s *Service) createTable(ctx context.Context, req stack.Request) (stack.Resource, error) {
	p, err := readTable(req.Properties)
	if err != nil {
		return stack.Resource{}, err
	}
	name := p.TableName
	if name == "" {
		name = req.Name(255)
	}
	if req.Restored && (p.TableName == "" || p.TableName == req.PhysicalID) {
		made, there, err := s.restoreTable(ctx, req.PhysicalID, p)
		if there || err != nil && !errors.Is(err, errNoProgram) {
			return made, err
		}
	}
	in := map[string]any{"TableName": name, "AttributeDefinitions": p.AttributeDefinitions, "KeySchema": p.KeySchema}
	if p.BillingMode != "" {
		in["BillingMode"] = p.BillingMode
	}
	if p.ProvisionedThroughput != nil {
		in["ProvisionedThroughput"] = p.ProvisionedThroughput
	}
	if len(p.GlobalSecondaryIndexes) > 0 {
		in["GlobalSecondaryIndexes"] = p.GlobalSecondaryIndexes
	}
	if len(p.LocalSecondaryIndexes) > 0 {
		in["LocalSecondaryIndexes"] = p.LocalSecondaryIndexes
	}
	if p.StreamSpecification != nil {
		in["StreamSpecification"] = p.stream()
	}
	if p.SSESpecification != nil {
		in["SSESpecification"] = map[string]any{"Enabled": p.SSESpecification.SSEEnabled}
	}
	var made struct{}
	switch err := s.call(ctx, "CreateTable", in, &made); {
	case errors.Is(err, errNoProgram):
		arn := s.own(ctx) + "table/" + name
		s.say(err)
		return stack.Resource{
			PhysicalID: name, Attributes: map[string]any{"Arn": arn, "StreamArn": arn + "/stream/2020-01-01T00:00:00.000"},
			Note: "recorded only: " + err.Error(),
		}, nil
	case isCode(err, "ResourceInUseException"):
		return stack.Resource{}, fmt.Errorf("%s already exists", name)
	case err != nil:
		return stack.Resource{}, err
	}
	made2, err := s.settle(ctx, name, p, tableProperties{})
	if err != nil {
		s.deleteTable(ctx, stack.Request{PhysicalID: name}) // Create leaves nothing behind
	}
	return made2, err
}

// restoreTable brings a table that an earlier run made to what the template
// says; there is false when it is gone, or has other keys and so must be made anew.
func (s *Service) restoreTable(ctx context.Context, name string, p tableProperties) (made stack.Resource, there bool, err error) {
	d, err := s.active(ctx, name)
	if isCode(err, "ResourceNotFoundException") {
		return made, false, nil
	}
	if err != nil {
		return made, false, err
	}
	keys := func(list []attribute, of []key) map[string]string {
		types := map[string]string{}
		for _, k := range of {
			for _, a := range list {
				if a.AttributeName == k.AttributeName {
					types[k.KeyType+" "+k.AttributeName] = a.AttributeType
				}
			}
		}
		return types
	}
	if !maps.Equal(keys(p.AttributeDefinitions, p.KeySchema), keys(d.Table.AttributeDefinitions, d.Table.KeySchema)) {
		return made, false, nil
	}
	// Indexes come and go one at a time; here they may, as nobody waits for them.
	for {
		steps, err := updates(p, tableProperties{BillingMode: p.BillingMode, ProvisionedThroughput: p.ProvisionedThroughput}, d, true)
		if err != nil {
			return made, false, err
		}
		if len(steps) == 0 {
			break
		}
		in := map[string]any{"TableName": name}
		maps.Copy(in, steps[0])
		var out struct{}
		if err := s.call(ctx, "UpdateTable", in, &out); err != nil {
			return made, false, err
		}
		if d, err = s.active(ctx, name); err != nil {
			return made, false, err
		}
	}
	ttl := p.TimeToLiveSpecification
	if err := s.expire(ctx, name, ttl != nil && ttl.Enabled, attributeOf(ttl)); err != nil {
		return made, false, err
	}
	made, err = s.settle(ctx, name, p, p)
	if err == nil {
		made.Note = "with the items of an earlier run"
	}
	return made, true, err
}

// importTable finds a table that a stack is to have from now on, as it is.
func (s *Service) importTable(ctx context.Context, req stack.Request) (stack.Resource, error) {
	p := tableProperties{}
	if req.Properties != nil {
		given, err := readTable(req.Properties)
		if err != nil {
			return stack.Resource{}, err
		}
		p.StreamSpecification = given.StreamSpecification
	}
	found, err := s.settle(ctx, req.PhysicalID, p, tableProperties{})
	if isCode(err, "ResourceNotFoundException") {
		err = stack.NotThere(req)
	}
	return found, err
}

// say tells once that there are no tables.
func (s *Service) say(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.since.IsZero() {
		s.since = time.Now()
		s.options.Tell.Notice("%v; everything else runs", err)
	}
}

// description is what DescribeTable says of a table.
type description struct {
	Table struct {
		TableArn, TableStatus, LatestStreamArn string
		TableID                                string `json:"TableId"`
		AttributeDefinitions                   []attribute
		KeySchema                              []key
		GlobalSecondaryIndexes                 []indexStatus
		StreamSpecification                    struct {
			StreamEnabled  bool
			StreamViewType string
		}
	}
}

type indexStatus struct {
	IndexName, IndexStatus string
	KeySchema              []key
	Projection             projection
}

// active waits until a table and its indexes can be used.
func (s *Service) active(ctx context.Context, name string) (d description, err error) {
	for {
		d = description{}
		if err := s.call(ctx, "DescribeTable", map[string]string{"TableName": name}, &d); err != nil {
			return d, err
		}
		ready := d.Table.TableStatus == "ACTIVE"
		for _, i := range d.Table.GlobalSecondaryIndexes {
			ready = ready && (i.IndexStatus == "ACTIVE" || i.IndexStatus == "")
		}
		if ready {
			return d, nil
		}
		select {
		case <-ctx.Done():
			return d, context.Cause(ctx)
		case <-time.After(2 * time.Millisecond):
		}
	}
}

// settle waits for a table and brings what has calls of its own from old to p.
func (s *Service) settle(ctx context.Context, name string, p, old tableProperties) (stack.Resource, error) {
	d, err := s.active(ctx, name)
	if err != nil {
		return stack.Resource{}, err
	}
	if next, before := p.TimeToLiveSpecification, old.TimeToLiveSpecification; !reflect.DeepEqual(next, before) {
		if err := s.expire(ctx, name, next != nil && next.Enabled, cmp.Or(next, before).AttributeName); err != nil {
			return stack.Resource{}, err
		}
	}
	if p.PointInTimeRecoverySpecification != nil || old.PointInTimeRecoverySpecification != nil {
		on := p.PointInTimeRecoverySpecification != nil && p.PointInTimeRecoverySpecification.PointInTimeRecoveryEnabled
		s.mu.Lock()
		s.setBackup(name, on)
		s.mu.Unlock()
	}
	arn := d.Table.TableArn
	if s.options.URL != "" {
		arn = s.own(ctx) + "table/" + name // by which roles are asked, wherever the table is
	}
	made := stack.Resource{PhysicalID: name, Attributes: map[string]any{"Arn": arn}}
	if p.StreamSpecification != nil {
		made.Attributes["StreamArn"] = d.Table.LatestStreamArn
	}
	return made, nil
}

// expire turns the expiry of items on or off. One that is as it should be is
// left alone: DynamoDB refuses to do that again.
func (s *Service) expire(ctx context.Context, name string, on bool, attribute string) error {
	var is struct {
		TimeToLiveDescription struct{ TimeToLiveStatus, AttributeName string }
	}
	if err := s.call(ctx, "DescribeTimeToLive", map[string]string{"TableName": name}, &is); err != nil {
		return err
	}
	there := is.TimeToLiveDescription
	update := func(on bool, attribute string) error {
		var out struct{}
		return s.call(ctx, "UpdateTimeToLive", map[string]any{"TableName": name, "TimeToLiveSpecification": map[string]any{"AttributeName": attribute, "Enabled": on}}, &out)
	}
	if there.TimeToLiveStatus == "ENABLED" && (!on || there.AttributeName != attribute) {
		if err := update(false, there.AttributeName); err != nil {
			return err
		}
		there.TimeToLiveStatus = "DISABLED"
	}
	if on && there.TimeToLiveStatus != "ENABLED" {
		return update(true, attribute)
	}
	return nil
}

// updateTable goes through UpdateTable step by step, as CloudFormation does:
// one call changes an index, or the stream, or the capacity.
func (s *Service) updateTable(ctx context.Context, req stack.Request) (stack.Resource, error) {
	p, err := readTable(req.Properties)
	if err != nil {
		return stack.Resource{}, err
	}
	old, err := readTable(req.Old)
	if err != nil {
		return stack.Resource{}, err
	}
	name := req.PhysicalID
	now, err := s.active(ctx, name)
	if err != nil {
		return stack.Resource{}, err
	}
	steps, err := updates(p, old, now, false)
	if err != nil {
		return stack.Resource{}, err
	}
	for _, step := range steps {
		in := map[string]any{"TableName": name}
		maps.Copy(in, step)
		var out struct{}
		if err := s.call(ctx, "UpdateTable", in, &out); err != nil {
			return stack.Resource{}, err
		}
		if _, err := s.active(ctx, name); err != nil {
			return stack.Resource{}, err
		}
	}
	return s.settle(ctx, name, p, old)
}

// updates are the calls of UpdateTable that bring a table from old to p. Which
// indexes and what stream it has the table itself says: an update that failed
// half-way is taken back, too. anyNumber lets more than one index come or go.
func updates(p, old tableProperties, now description, anyNumber bool) (steps []map[string]any, err error) {
	named := func(list []index, name string) *index {
		if i := slices.IndexFunc(list, func(i index) bool { return i.IndexName == name }); i >= 0 {
			return &list[i]
		}
		return nil
	}
	var moved []map[string]any
	for _, there := range now.Table.GlobalSecondaryIndexes {
		next := named(p.GlobalSecondaryIndexes, there.IndexName)
		switch {
		case next == nil:
			moved = append(moved, map[string]any{"Delete": map[string]any{"IndexName": there.IndexName}})
		case reflect.DeepEqual(next.KeySchema, there.KeySchema) && sameProjection(next.Projection, there.Projection):
		case anyNumber:
			moved = append(moved, map[string]any{"Delete": map[string]any{"IndexName": there.IndexName}})
		default:
			return nil, fmt.Errorf("Cannot update GSI's properties other than Provisioned Throughput and Contributor Insights Specification. You can create a new GSI with a different name.") //nolint:staticcheck // DynamoDB's words
		}
	}
	for _, next := range p.GlobalSecondaryIndexes {
		if !slices.ContainsFunc(now.Table.GlobalSecondaryIndexes, func(i indexStatus) bool { return i.IndexName == next.IndexName }) {
			moved = append(moved, map[string]any{"Create": next})
		}
	}
	// https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_UpdateTable.html
	if len(moved) > 1 && !anyNumber {
		return nil, fmt.Errorf("Cannot perform more than one GSI creation or deletion in a single update") //nolint:staticcheck // DynamoDB's words
	}
	if p.BillingMode != old.BillingMode || !reflect.DeepEqual(p.ProvisionedThroughput, old.ProvisionedThroughput) {
		step := map[string]any{}
		if p.BillingMode != "" {
			step["BillingMode"] = p.BillingMode
		}
		if p.ProvisionedThroughput != nil {
			step["ProvisionedThroughput"] = p.ProvisionedThroughput
		}
		if len(step) > 0 {
			steps = append(steps, step)
		}
	}
	for _, change := range moved {
		steps = append(steps, map[string]any{"AttributeDefinitions": p.AttributeDefinitions, "GlobalSecondaryIndexUpdates": []any{change}})
	}
	is, next := now.Table.StreamSpecification, p.StreamSpecification
	if is.StreamEnabled && (next == nil || next.StreamViewType != is.StreamViewType) {
		steps = append(steps, map[string]any{"StreamSpecification": map[string]any{"StreamEnabled": false}})
		is.StreamEnabled = false
	}
	if next != nil && !is.StreamEnabled {
		steps = append(steps, map[string]any{"StreamSpecification": p.stream()})
	}
	return steps, nil
}

func sameProjection(a, b projection) bool {
	sorted := func(p projection) []string { return slices.Sorted(slices.Values(p.NonKeyAttributes)) }
	return a.ProjectionType == b.ProjectionType && slices.Equal(sorted(a), sorted(b))
}

func (s *Service) deleteTable(ctx context.Context, req stack.Request) error {
	var out struct{}
	err := s.call(ctx, "DeleteTable", map[string]string{"TableName": req.PhysicalID}, &out)
	if isCode(err, "ResourceNotFoundException") || errors.Is(err, errNoProgram) {
		err = nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.backups, req.PhysicalID)
	return err
}
