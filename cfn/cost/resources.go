package cost

import (
	"errors"
	"fmt"
	"strings"

	"arc/cfn/registry"
)

// hours are those of a month, as AWS counts in its own examples.
const hours = 730

// charge is what a resource costs by the month, used or not.
type charge struct {
	usd float64
	how string // "2 × 512 MB arm64, kept ready"
}

// chargeOf gives what prices the resources of a type; nil = nothing does. An
// error says why a resource cannot be priced; a charge of nothing is free.
func chargeOf(typ string) func(r resource) (charge, error) {
	switch typ {
	case registry.ApiGatewayStage:
		return (resource).restStage
	case registry.CloudFormationStack:
		return func(resource) (charge, error) { return charge{}, errors.New("its template is not at hand") }
	case registry.CloudFrontDistribution:
		return (resource).distribution
	case registry.CloudWatchAlarm:
		return (resource).alarm
	case registry.DynamoDBTable:
		return (resource).table
	case registry.EC2VPCEndpoint:
		return (resource).endpoint
	case registry.ElasticLoadBalancingV2LoadBalancer:
		return (resource).balancer
	case registry.KinesisStream:
		return (resource).stream
	case registry.LambdaAlias, registry.LambdaVersion:
		return (resource).concurrency
	case registry.LambdaEventSourceMapping:
		return (resource).mapping
	case registry.LambdaFunction:
		return (resource).snapStart
	case registry.SSMParameter:
		return (resource).parameter
	case registry.SecretsManagerSecret:
		return (resource).secret
	case registry.WAFv2WebACL:
		return (resource).webACL
	}
	flat := registry.Of(typ).Charge
	if flat.Item == "" {
		return nil
	}
	times := 1.0
	if flat.Hourly {
		times = hours
	}
	return func(r resource) (charge, error) { return charge{times * r.e.prices.of(item(flat.Item)), flat.How}, nil }
}

// concurrency prices instances that are kept ready.
// https://aws.amazon.com/lambda/pricing/
func (r resource) concurrency() (charge, error) {
	property, path := "ProvisionedConcurrencyConfig", "ProvisionedConcurrentExecutions"
	n, err := r.number(0, property, path)
	if err != nil || n == 0 {
		return charge{}, err
	}
	f, err := r.e.functionOf(r.def.Properties["FunctionName"])
	if err != nil {
		return charge{}, err
	}
	what := provisionedX86
	if f.arm {
		what = provisionedArm
	}
	usd := n * f.memory / 1024 * hours * 3600 * r.e.prices.of(what)
	return charge{usd, fmt.Sprintf("%v × %s, kept ready", n, f.size())}, nil
}

// snapStart: the kept snapshot is free for Java only.
func (r resource) snapStart() (charge, error) {
	on, err := r.text("SnapStart", "ApplyOn")
	if err != nil || on != "PublishedVersions" {
		return charge{}, err
	}
	runtime, err := r.text("Runtime")
	if err != nil || strings.HasPrefix(runtime, "java") {
		return charge{}, err
	}
	return charge{}, errors.New("what SnapStart keeps is not in the table")
}

func (r resource) mapping() (charge, error) {
	if r.def.Properties["ProvisionedPollerConfig"] == nil {
		return charge{}, nil
	}
	return charge{}, errors.New("provisioned pollers are not in the table")
}

// table prices the capacity of a table and its indexes, where it is provisioned.
// https://aws.amazon.com/dynamodb/pricing/provisioned/
func (r resource) table() (charge, error) {
	onDemand, err := r.onDemand()
	if err != nil || onDemand {
		return charge{}, err
	}
	if class, err := r.text("TableClass"); err != nil || class == "STANDARD_INFREQUENT_ACCESS" {
		return charge{}, errors.Join(err, errors.New("the infrequent access class is not in the table"))
	}
	reads, err := r.number(0, "ProvisionedThroughput", "ReadCapacityUnits")
	if err != nil {
		return charge{}, err
	}
	writes, err := r.number(0, "ProvisionedThroughput", "WriteCapacityUnits")
	if err != nil {
		return charge{}, err
	}
	indexes, err := r.value("GlobalSecondaryIndexes")
	if err != nil {
		return charge{}, err
	}
	list, _ := indexes.([]any)
	for _, v := range list {
		index, _ := v.(map[string]any)
		throughput, _ := index["ProvisionedThroughput"].(map[string]any)
		for name, sum := range map[string]*float64{"ReadCapacityUnits": &reads, "WriteCapacityUnits": &writes} {
			n, err := number(throughput[name])
			if err != nil {
				return charge{}, err
			}
			*sum += n
		}
	}
	usd := hours * (reads*r.e.prices.of(dynamoReadCapacity) + writes*r.e.prices.of(dynamoWriteCapacity))
	return charge{usd, fmt.Sprintf("capacity for %v reads and %v writes a second", reads, writes)}, nil
}

// onDemand reports whether a table is paid for by its use.
func (r resource) onDemand() (bool, error) {
	mode, err := r.text("BillingMode")
	return mode == "PAY_PER_REQUEST", err
}

// secret: each replica costs as much as the secret.
func (r resource) secret() (charge, error) {
	replicas, ok := r.def.Properties["ReplicaRegions"].([]any)
	if !ok && r.def.Properties["ReplicaRegions"] != nil {
		return charge{}, errors.New("its replicas are known only when it is deployed")
	}
	how := "a secret"
	if n := len(replicas); n > 0 {
		how += fmt.Sprintf(" and %d replicas", n)
	}
	return charge{float64(1+len(replicas)) * r.e.prices.of(secret), how}, nil
}

func (r resource) parameter() (charge, error) {
	tier, err := r.text("Tier")
	switch {
	case err != nil || tier == "" || tier == "Standard":
		return charge{}, err
	case tier == "Advanced":
		return charge{r.e.prices.of(parameterAdvanced), "an advanced parameter"}, nil
	}
	return charge{}, errors.New("its tier follows from its value")
}

func (r resource) alarm() (charge, error) {
	period, err := r.number(60, "Period")
	if err != nil {
		return charge{}, err
	}
	metrics := 1
	if list, ok := r.def.Properties["Metrics"].([]any); ok {
		metrics = 0
		for _, v := range list {
			m, _ := v.(map[string]any)
			stat, ok := m["MetricStat"].(map[string]any)
			if !ok {
				continue // an expression costs nothing
			}
			metrics++
			if n, err := number(stat["Period"]); err == nil {
				period = min(period, n)
			}
		}
	}
	if r.def.Properties["ThresholdMetricId"] != nil {
		metrics *= 3 // an anomaly alarm watches the metric and the two bounds
	}
	what, how := alarm, "an alarm"
	if period < 60 {
		what, how = alarmHighResolution, "an alarm of high resolution"
	}
	if metrics > 1 {
		how += fmt.Sprintf(" on %d metrics", metrics)
	}
	return charge{float64(metrics) * r.e.prices.of(what), how}, nil
}

// endpoint: those for S3 and DynamoDB are free; an interface is paid for in
// each of its subnets.
func (r resource) endpoint() (charge, error) {
	kind, err := r.text("VpcEndpointType")
	if err != nil || kind == "" || kind == "Gateway" {
		return charge{}, err
	}
	if kind != "Interface" {
		return charge{}, fmt.Errorf("endpoints of the type %s are not in the table", kind)
	}
	subnets, ok := r.def.Properties["SubnetIds"].([]any)
	if !ok {
		return charge{}, errors.New("its subnets are known only when it is deployed")
	}
	n := float64(len(subnets))
	return charge{n * hours * r.e.prices.of(endpoint), fmt.Sprintf("an endpoint in %v subnets", n)}, nil
}

func (r resource) balancer() (charge, error) {
	kind, err := r.text("Type")
	if err != nil {
		return charge{}, err
	}
	switch kind {
	case "", "application":
		return charge{hours * r.e.prices.of(applicationBalancer), "an application load balancer"}, nil
	case "network":
		return charge{hours * r.e.prices.of(networkBalancer), "a network load balancer"}, nil
	}
	return charge{}, fmt.Errorf("load balancers of the type %s are not in the table", kind)
}

func (r resource) webACL() (charge, error) {
	rules, ok := r.def.Properties["Rules"].([]any)
	if !ok && r.def.Properties["Rules"] != nil {
		return charge{}, errors.New("its rules are known only when it is deployed")
	}
	n := float64(len(rules))
	return charge{r.e.prices.of(wafACL) + n*r.e.prices.of(wafRule), fmt.Sprintf("a web ACL with %v rules", n)}, nil
}

func (r resource) stream() (charge, error) {
	mode, err := r.text("StreamModeDetails", "StreamMode")
	if err != nil {
		return charge{}, err
	}
	if mode == "ON_DEMAND" {
		return charge{hours * r.e.prices.of(kinesisOnDemand), "a stream on demand"}, nil
	}
	shards, err := r.number(1, "ShardCount")
	return charge{hours * shards * r.e.prices.of(kinesisShard), fmt.Sprintf("%v shards", shards)}, err
}

func (r resource) restStage() (charge, error) {
	on, err := r.value("CacheClusterEnabled")
	if err != nil || on != true && on != "true" {
		return charge{}, err
	}
	size, err := r.number(0.5, "CacheClusterSize")
	if err != nil {
		return charge{}, err
	}
	if size != 0.5 {
		return charge{}, errors.New("only the smallest cache is in the table")
	}
	return charge{hours * r.e.prices.of(restCache), "a cache of 0.5 GB"}, nil
}

// distribution: only addresses of its own have a price by the month.
func (r resource) distribution() (charge, error) {
	config, _ := r.def.Properties["DistributionConfig"].(map[string]any)
	certificate, _ := config["ViewerCertificate"].(map[string]any)
	if certificate["SslSupportMethod"] == "vip" {
		return charge{}, errors.New("addresses of its own are not in the table")
	}
	return charge{}, nil
}
