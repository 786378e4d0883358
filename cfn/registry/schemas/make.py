#!/usr/bin/env python3
"""Writes updates.txt: what an update of each property of each resource type does.

The create-only properties are those of the public resource schemas, which
cfn-lint ships (pip install cfn-lint). The schemas do not tell which updates
interrupt, so those, and what the schemas leave out, are listed here; they are
from the "Update requires" lines of the CloudFormation template reference.

Run it after an update of cfn-lint and read the difference:

    python3 cfn/registry/schemas/make.py
"""
import importlib.util
import json
import pathlib

import cfnlint

# Updates in place during which the resource does not answer for a while.
INTERRUPTIONS = {
    "AmazonMQ::Broker": "Configuration HostInstanceType EngineVersion",
    "AutoScaling::AutoScalingGroup": "VPCZoneIdentifier",
    "DynamoDB::Table": "SSESpecification",
    "DocDB::DBInstance": "DBInstanceClass",
    "EC2::SecurityGroup": "SecurityGroupEgress SecurityGroupIngress",
    "EC2::NetworkInterface": "PrivateIpAddresses",
    "EMR::Cluster": "Instances",
    "ElastiCache::CacheCluster": "CacheNodeType EngineVersion NumCacheNodes PreferredAvailabilityZone PreferredAvailabilityZones",
    "ElastiCache::ReplicationGroup": "CacheNodeType EngineVersion NumNodeGroups",
    "ElasticLoadBalancing::LoadBalancer": "HealthCheck Subnets",
    "Elasticsearch::Domain": "AdvancedSecurityOptions ElasticsearchVersion EncryptionAtRestOptions NodeToNodeEncryptionOptions",
    "Lightsail::Container": "ContainerServiceDeployment",
    "MWAA::Environment": "AirflowConfigurationOptions AirflowVersion DagS3Path EnvironmentClass ExecutionRoleArn LoggingConfiguration "
    "PluginsS3ObjectVersion PluginsS3Path RequirementsS3ObjectVersion RequirementsS3Path SourceBucketArn WebserverAccessMode",
    "Neptune::DBInstance": "DBInstanceClass",
    "OpenSearchService::Domain": "VPCOptions",
    "RDS::DBCluster": "EngineVersion",
    "RDS::DBInstance": "DBInstanceClass EngineVersion Port",
    "Redshift::Cluster": "ClusterType NodeType NumberOfNodes",
    "SES::DedicatedIpPool": "ScalingMode",
    "SSM::Document": "Content",
}

# What the service cannot change in place although its schema does not say so.
REPLACEMENTS = {
    # DynamoDB makes keys and local indexes only together with their table.
    "DynamoDB::GlobalTable": "KeySchema LocalSecondaryIndexes",
    "DynamoDB::Table": "KeySchema LocalSecondaryIndexes",
    "KMS::Key": "KeySpec KeyUsage MultiRegion",
}

# What replaces with some values: the service decides, or the schema's own
# condition is not written down.
CONDITIONAL = {
    # An attribute may come; one of a key that gets another type replaces.
    "DynamoDB::GlobalTable": "AttributeDefinitions",
    "DynamoDB::Table": "AttributeDefinitions",
    "Lambda::EventSourceMapping": "AmazonManagedKafkaEventSourceConfig SelfManagedKafkaEventSourceConfig",
}

HEAD = """\
# Written by make.py from the resource schemas of cfn-lint {version}; do not edit.
# A line is a type without "AWS::" and its properties: plain = an update replaces
# the resource, ? = it may replace, ~ = it interrupts. All others update in place.
"""


def main():
    schemas = pathlib.Path(cfnlint.__file__).parent / "data" / "schemas"
    spec = importlib.util.spec_from_file_location("provider", schemas / "providers" / "us_east_1.py")
    provider = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(provider)
    lines = []
    for name, digest in sorted(provider.types.items()):
        short = name.removeprefix("AWS::")
        if short == name:
            continue
        schema = json.loads((schemas / "resources" / (digest + ".json")).read_text())
        mark = {}
        for prop in INTERRUPTIONS.get(short, "").split():
            mark[prop] = "~"
        for path in schema.get("conditionalCreateOnlyProperties", []):
            mark[dotted(path)] = "?"
        for prop in CONDITIONAL.get(short, "").split():
            mark[prop] = "?"
        for path in schema.get("createOnlyProperties", []):
            mark[dotted(path)] = ""
        for prop in REPLACEMENTS.get(short, "").split():
            mark[prop] = ""
        for path in schema.get("readOnlyProperties", []):
            mark.pop(dotted(path), None)
        lines.append(" ".join([short] + [mark[p] + p for p in sorted(mark)]))
    text = HEAD.format(version=cfnlint.version.__version__) + "\n".join(lines) + "\n"
    pathlib.Path(__file__).with_name("updates.txt").write_text(text)


def dotted(path):
    return path.removeprefix("/properties/").replace("/", ".")


main()
