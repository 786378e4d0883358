#!/usr/bin/env python3
"""Writes updates.txt: what an update of each property of each resource type does,
and holds.txt: which properties hold a policy, name a role or name the resource.

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
import re

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

# What the schema calls conditional and the service changes in place.
# https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/Overview.DBInstance.Modifying.html
# https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-ec2-instance.html
IN_PLACE = {
    "EC2::Instance": "SecurityGroupIds",
    "Neptune::DBInstance": "AutoMinorVersionUpgrade DBParameterGroupName PreferredMaintenanceWindow",
    "RDS::DBInstance": "AutoMinorVersionUpgrade BackupRetentionPeriod DBParameterGroupName MultiAZ PreferredMaintenanceWindow StorageType",
}

# What is conditional on the root device: instances whose root is a volume, as
# those of all current types are, stop and start.
RESTARTS = {"EC2::Instance": "Affinity EbsOptimized HostId InstanceType KernelId RamdiskId UserData"}

# Properties that are called a policy and hold no document of IAM's language, or
# hold one that only limits what others allow.
NOT_IAM = re.compile(
    r"(Security|Sec|Pull|Dns|Protocol|Referrer|Default|Safeguard|Lifecycle|Import|Snapshot|Rate|Protection|Selection|Tls|Https|Ssl|TLSSecurity"
    r"|Delivery|Filter|Redrive|RedriveAllow|Replay|Archive|Routing|Browser|Session|ArnFor)Policy(Text)?$|AssumeRole|^Policies"
)
NO_POLICIES = (
    "Config:: EC2::VerifiedAccess EKS::PodIdentityAssociation Logs::AccountPolicy NetworkManager:: ODB:: OpenSearchServerless:: "
    "SES:: SSM::Parameter Transfer::User IAM:: DLM:: CloudFront::"
).split()
POLICY = re.compile(r"Polic(y|ies)(Document|Text)?$")
ROLE = re.compile(r"Role(Arn|ARN|Name)?$|^IamInstanceProfile$|RoleArn$")
NOT_ROLE = re.compile(r"ServiceLinked|(Contributor|Reader|Admin|User|Geographic|Data|Channel|DatabaseAccessControl)Role(Name)?$|CreateRole|AssumedRole")

HOLDS = """\
# Written by make.py from the resource schemas of cfn-lint {version}; do not edit.
# A line is a type without "AWS::" and its properties: p= holds a policy in IAM's
# language, r= names the role that it acts as, n= is a name that it keeps for life.
"""

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
    lines, held = [], []
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
        for prop in IN_PLACE.get(short, "").split():
            mark.pop(prop, None)
        for prop in RESTARTS.get(short, "").split():
            mark[prop] = "~"
        for prop in CONDITIONAL.get(short, "").split():
            mark[prop] = "?"
        for path in schema.get("createOnlyProperties", []):
            mark[dotted(path)] = ""
        for prop in REPLACEMENTS.get(short, "").split():
            mark[prop] = ""
        for path in schema.get("readOnlyProperties", []):
            mark.pop(dotted(path), None)
        lines.append(" ".join([short] + [mark[p] + p for p in sorted(mark)]))
        if words := sorted(holds(short, schema)):
            held.append(" ".join([short] + words))
    text = HEAD.format(version=cfnlint.version.__version__) + "\n".join(lines) + "\n"
    pathlib.Path(__file__).with_name("updates.txt").write_text(text)
    text = HOLDS.format(version=cfnlint.version.__version__) + "\n".join(held) + "\n"
    pathlib.Path(__file__).with_name("holds.txt").write_text(text)


def holds(short, schema):
    """What the properties of a type hold, each as its word of holds.txt."""
    words = set()

    def walk(node, path, seen):
        if "$ref" in node:
            ref = node["$ref"]
            if ref in seen:
                return
            to = schema
            for key in ref.removeprefix("#/").split("/"):
                to = to.get(key, {})
            return walk(to, path, seen | {ref})
        types = node.get("type")
        types = types if isinstance(types, list) else [types]
        name = path.removesuffix(".*").split(".")[-1]
        if "string" in types and ROLE.search(name) and not NOT_ROLE.search(name):
            words.add("r=" + path)
        elif (
            POLICY.search(name)
            and not NOT_IAM.search(name)
            and not short.startswith(tuple(NO_POLICIES))
            and not node.get("properties")
            and path
            and not path.endswith(".*")
            and "enum" not in node
            and {"object", "string"} & set(types)
        ):
            words.add("p=" + path)
        for key, below in node.get("properties", {}).items():
            walk(below, (path + "." + key).strip("."), seen)
        if "items" in node:
            walk(node["items"], path + ".*", seen)

    walk(schema, "", frozenset())
    given = {dotted(p) for p in schema.get("createOnlyProperties", [])} - {dotted(p) for p in schema.get("readOnlyProperties", [])}
    words |= {"n=" + dotted(p) for p in schema.get("primaryIdentifier", []) if dotted(p) in given}
    words |= {"n=" + p for p in given if p.endswith("Name") and "." not in p}
    if short.startswith("IAM::"):
        words = {w for w in words if w[0] == "n"}
    if short == "IAM::InstanceProfile":
        words.add("r=Roles.*")
    return words


def dotted(path):
    return path.removeprefix("/properties/").replace("/", ".")


main()
