package why

import (
	"regexp"
	"strings"
	"sync"

	"arc/cfn/registry"
)

// rule recognises a cause by what CloudFormation says. The first that fits counts.
type rule struct {
	code string
	typ  string // the resource type begins so; "" = any
	says string // a pattern, letters in any case
	// what and remedy may hold $1, what the pattern found.
	what, remedy string
	on           string // the status begins so; "" = any
}

// rules are in order: what tells more stands before what tells less. The texts are
// those that CloudFormation and the services answer; testdata has where each was seen.
var rules = []rule{
	// Of the local cloud, whose own words have the remedy.
	{"local-cloud", "", `not emulated by the local cloud`, "AWS takes it, and the local cloud does not run it", "do as its words say, or leave this resource out of the local stack with a Condition", ""},

	// Of custom resources and of functions behind them.
	{"custom-resource-failed", "", `Received response status \[FAILED\] from custom resource\. Message returned: (?:See the details in CloudWatch Log Stream: )?(.*?)(?: \(RequestId: .*)?$`, "the function behind this custom resource answered that it failed: $1", "its log has the whole error: open the log group of the function that its ServiceToken names", ""},
	{"custom-resource-silent", "", `did not receive a response from your Custom Resource|Custom Resource failed to stabilize in expected time`, "the function behind this custom resource never answered", "look at its log: it crashed, ran out of time, or has no way to the internet to send its answer", ""},
	{"custom-resource-id", "", `Invalid PhysicalResourceId`, "the custom resource answered without a valid PhysicalResourceId", "have its function send one, the same on every update of the same resource", ""},
	{"custom-resource-answer", "", `Data returned must be|Response (?:object )?is too long|Response is not valid JSON|Vendor response doesn't contain`, "what the custom resource answered cannot be read: it is too long, no JSON, or lacks a value that the template asks for", "have its function send less than 4 KB of JSON, with every attribute that the template reads in Data", ""},
	{"custom-resource-function-missing", "", `Modifying service token is not allowed|Lambda function associated with .*is not found|The function behind.*ServiceToken`, "the function that a custom resource names in ServiceToken cannot be reached or was exchanged", "give the custom resource another logical ID when its function changes", ""},

	// Of functions.
	{"code-missing", "AWS::Lambda::", `Error occurred while GetObject\. S3 Error Code: NoSuch(?:Key|Bucket)`, "the function's zip is not in the artifact bucket any more", "deploy again: arc uploads what is missing", ""},
	{"code-region", "AWS::Lambda::", `S3 Error Code: PermanentRedirect|is in this region: (\S+)\. Please use this region`, "the artifact bucket is in another region than the stack", "name a bucket of the stack's region with @aws bucket, or leave it out: arc makes one", ""},
	{"code-denied", "AWS::Lambda::", `Your access has been denied by S3|S3 Error Code: (?:AccessDenied|Forbidden)`, "Lambda may not read the function's zip in the artifact bucket", "let the deploying role s3:GetObject from the bucket, and the key that encrypts it be used", ""},
	{"code-size", "AWS::Lambda::", `Unzipped size must be smaller than (\d+) bytes`, "the function's code is larger than Lambda takes: $1 bytes unpacked, with its layers", "arc package --sizes shows what is in the zip, and who asks for it", ""},
	{"code-size", "AWS::Lambda::", `Function code combined with layers exceeds the maximum allowed size of (\d+) bytes`, "the function's code and its layers together are larger than Lambda takes: $1 bytes", "arc package --sizes shows what is in the zip; leave a layer out", ""},
	{"code-unreadable", "AWS::Lambda::", `Could not unzip uploaded file|Uploaded file must be a non-empty zip`, "Lambda cannot unpack the function's zip", "deploy again; if it stays so, delete the object in the artifact bucket that the function names", ""},
	{"code-inline", "AWS::Lambda::", `ZipFile length cannot exceed (\d+) characters`, "the code in the template itself is longer than $1 characters", "let it be a zip in the artifact bucket, as arc has all code", ""},
	{"code-storage", "AWS::Lambda::", `Code storage limit exceeded|CodeStorageExceeded`, "the account has no room for more code of functions in this region", "delete versions and functions that nobody calls, or ask for more under Service Quotas, Function and layer storage", ""},
	{"env-size", "AWS::Lambda::", `environment variables you have provided exceeded the 4KB limit|Request must be smaller than 5120 bytes for the UpdateFunctionConfiguration`, "the function's environment variables have more than the 4 KB that Lambda takes", "say with @uses env which variables it gets, or keep large values elsewhere and read them from there", ""},
	{"env-reserved", "AWS::Lambda::", `reserved keys? that (?:is|are) currently not supported for modification\.? ?(?:Reserved keys used in this request: )?([A-Z_, ]*)`, "an environment variable has a name that Lambda keeps for itself: $1", "arc env --remove removes it; set the value under another name", ""},
	{"role-not-assumable", "AWS::Lambda::", `role defined for the function cannot be assumed by Lambda`, "Lambda may not take on the function's role yet: the role is new, or its trust policy does not name Lambda", "deploy again: a new role takes some seconds to be known everywhere; otherwise let lambda.amazonaws.com assume it", ""},
	{"role-lacks-right", "AWS::Lambda::", `(?:provided execution role does not have permissions to call (\w+) on (\w+))`, "the function's role may not $1 on $2, which what is set up needs", "add the right to the function's role in config.arc, or wait and deploy again when the role is new", ""},
	{"reserved-concurrency", "AWS::Lambda::", `decreases account's UnreservedConcurrentExecution below its minimum value of \[(\d+)\]`, "the account has too little concurrency left: it keeps $1 instances unreserved", "lower concurrency in config.arc, or ask for more under Service Quotas, Lambda, Concurrent executions", ""},
	{"version-exists", registry.LambdaVersion, `A version for this Lambda function exists \( ?(\d+) ?\)`, "nothing of the function changed since its version $1, and Lambda publishes no second one", "change the function's code or configuration, or take the version out of the template", ""},
	{"runtime-retired", "AWS::Lambda::", `runtime parameter of ([\w.]+) is no longer supported for creating or updating`, "Lambda takes no functions with the runtime $1 any more", "write a newer runtime in the manifest or in config.arc; arc check names those that are on their way out", ""},
	{"runtime-unknown", "AWS::Lambda::", `Value (\S+) at 'runtime' failed to satisfy constraint|\S+ is not a valid runtime|Runtime.*failed to satisfy enum`, "Lambda knows no such runtime in this region", "write a runtime that AWS has: arc check tells the names", ""},
	{"memory-size", "AWS::Lambda::", `'MemorySize' value failed to satisfy constraint: Member must have value less than or equal to (\d+)|'memorySize' failed`, "the account may not have functions with so much memory", "lower memory in config.arc, or ask AWS support: new accounts are given up to 3008 MB", ""},
	{"queue-visibility", registry.LambdaEventSourceMapping, `Queue visibility timeout: (\d+) seconds is less than Function timeout: (\d+) seconds`, "the queue shows a message again after $1 seconds, but the function may take $2", "lower the function's timeout, or raise the queue's visibility timeout to six times that", ""},
	{"event-source-taken", registry.LambdaEventSourceMapping, `An event source mapping with .* already exists|The event source mapping .*already exists`, "the function is fed from this source already, by a mapping that the stack did not make", "delete the other mapping: aws lambda list-event-source-mappings, then delete-event-source-mapping", ""},
	{"stream-disabled", registry.LambdaEventSourceMapping, `Stream .*(?:does not exist|not found)|Unrecognized event source|Cannot access stream`, "the table's stream is not there, or the function's role may not read it", "deploy again when the table was only just changed; otherwise let the role read the stream", ""},
	{"function-busy", "AWS::Lambda::", `concurrent update operation|update is in progress for resource|ResourceConflictException|The function is currently in the following state: Pending|resource is currently in the following state`, "Lambda was still at an earlier change of the function", "deploy again in a minute", ""},
	{"layer-denied", "AWS::Lambda::", `not authorized to perform: lambda:GetLayerVersion on resource: (\S+)`, "the deploying identity may not use the layer $1, or it is in another region", "name a layer of this region and account, or have its owner share it", ""},
	{"layer-missing", "AWS::Lambda::", `Layer version (\S+) does not exist`, "there is no such version of the layer: $1", "name a version that there is: aws lambda list-layer-versions", ""},
	{"vpc-limit", "AWS::Lambda::", `\bENIs?\b|network interfaces.*(?:limit|exceeded)|EC2ThrottledException`, "Lambda could not make the function's network interfaces", "see whether the subnets have addresses left, and the account interfaces; then deploy again", ""},
	{"permission-policy-size", registry.LambdaPermission, `The final policy size \((\d+)\) is bigger than the limit`, "the function has so many permissions that its policy is too long", "let fewer routes and rules call one function", ""},
	{"image-invalid", "AWS::Lambda::", `Source image (\S+) is not valid`, "the container image $1 is not there, or in another region", "push the image to a repository in the stack's region", ""},

	// Of roles and rights.
	{"explicit-deny", "", `is not authorized to perform: ([\w:*-]+)(?: on resource: (\S+))?.* with an explicit deny in an? ([\w-]+(?: [\w-]+)*)`, "a policy forbids $1 outright ($3)", "whoever keeps that policy has to allow it: an explicit deny outweighs every allow", ""},
	{"not-authorized", "", `(?:User|Role|identity)?:? ?(\S*) ?is not authorized to perform: ([\w:*-]+)`, "the deploying identity may not $2", "give it that right, as AWS names it; arc ci writes the policy that a deploy of this app needs", ""},
	{"pass-role", "", `iam:PassRole`, "the deploying identity may not hand the role to the service", "allow iam:PassRole on the role", ""},
	{"boundary-missing", "AWS::IAM::", `Scope ARN: .* does not exist or is not attachable|permissions boundary`, "the permissions boundary that the role names is not there", "make it first (arc ci github says how), or take boundary out of @aws", ""},
	{"policies-per-role", "AWS::IAM::", `Cannot exceed quota for PoliciesPerRole: (\d+)`, "the role has more than the $1 managed policies that a role takes", "leave out policies in config.arc, or ask for more under Service Quotas, IAM", ""},
	{"role-policy-size", "AWS::IAM::", `Maximum policy size of (\d+) bytes exceeded|Cannot exceed quota for (?:PolicySize|ACLSizePerRole): (\d+)`, "the role's policy is longer than IAM takes", "narrow what the function uses with @uses, so that its role names fewer resources", ""},
	{"roles-quota", "AWS::IAM::", `Cannot exceed quota for RolesPerAccount: (\d+)`, "the account has all the roles that it may: $1", "delete roles that nobody uses, or ask for more under Service Quotas, IAM", ""},
	{"role-exists", "AWS::IAM::", `already exists|EntityAlreadyExists`, "there is a role or policy of that name already", "leave the name out, so that CloudFormation makes one, or delete the other", ""},
	{"policy-malformed", "", `MalformedPolicyDocument|Syntax errors? in policy|Policy document should not specify a principal|must be in ARN format or "\*"|Invalid principal in policy|PolicyNotAttachable`, "IAM cannot read the policy", "correct it in config.arc: ARNs whole, actions as service:Action, principals that there are", ""},
	{"capabilities", "", `Requires capabilities : \[([A-Z_, ]+)\]`, "CloudFormation was not told that it may make roles: $1", "deploy with arc, which says so; by hand add --capabilities $1", ""},
	{"token-expired", "", `security token included in the request is (?:expired|invalid)|ExpiredToken|InvalidClientTokenId|Token has expired`, "the credentials that CloudFormation was given ran out, or are none that the service takes", "sign in again and deploy anew; for long deploys let CloudFormation have a service role", ""},
	{"role-deleted", "", `Role (\S+) is invalid or cannot be assumed|role cannot be assumed`, "the role that CloudFormation works with is gone, or may not be assumed", "make it again, or name another: aws cloudformation continue-update-rollback --role-arn", ""},
	{"region-disabled", "", `not (?:subscribed|opted) (?:to|in)|OptInRequired|needs a subscription for the service`, "the account has not been let into this service or region", "turn the region on in the account's settings, or wait: a new account takes up to a day", ""},

	// Of names that are taken.
	{"exists-in-stack", "", `^(.+?) already exists in stack (\S+)`, "$1 belongs to another stack: $2", "give the resource another name, or delete it from that stack first", ""},
	{"log-group-exists", registry.LogsLogGroup, `already exists`, "the log group is there already: Lambda, or an earlier stack, made it", "delete it when its lines are of no use, aws logs delete-log-group --log-group-name NAME, and deploy again", ""},
	{"bucket-taken", registry.S3Bucket, `already exists|BucketAlready(?:Exists|OwnedByYou)`, "a bucket of that name is there already, in this account or in somebody else's", "leave the name out, so that CloudFormation makes one, or choose another", ""},
	{"bucket-conflict", "AWS::S3::", `conflicting conditional operation is currently in progress`, "S3 is still at work on a bucket of that name, which was deleted or made a moment ago", "deploy again in some minutes", ""},
	{"index-exists", "AWS::DynamoDB::", `Attempting to create an index which already exists`, "the index is there already, which CloudFormation does not know: it was made by hand, or in a deploy that failed", "delete the index of the table by hand, and deploy again", ""},
	{"index-changed", "AWS::DynamoDB::", `Cannot update GSI's properties`, "an index that is there cannot get other keys or another projection", "give the changed index another name: leave the old one out, deploy, and add the new", ""},
	{"table-exists", "AWS::DynamoDB::", `Table already exists|already exists`, "a table of that name is there already: kept from an earlier stack, or made by hand", "delete it when its data is of no use, rename it in the manifest, or import it into the stack", ""},
	{"domain-taken", "AWS::CloudFront::", `CNAMEs you provided are already associated|CNAMEAlreadyExists|incorrectly configured DNS record that points to another CloudFront`, "another CloudFront distribution answers for this domain already", "take the alias off the other distribution first", ""},
	{"record-exists", "AWS::Route53::", `but it already exists`, "the DNS record is there already", "delete the record in the zone, or leave it out of the template", ""},
	{"already-exists", "", `already exists|AlreadyExists|Already Exists`, "something of that name is there already, which the stack did not make", "delete it, or give the resource another name", ""},
	{"custom-name-replace", "", `cannot update a stack when a custom-named resource requires replacing\. Rename (\S+)`, "the change needs a new resource beside the old one, and both cannot be named $1", "give it another name; what it holds is not copied", ""},

	// Of buckets and files.
	{"bucket-not-empty", "AWS::S3::", `bucket you tried to delete is not empty`, "the bucket still holds objects or versions of them", "empty it, aws s3 rm s3://NAME --recursive and its versions, and delete the stack again; arc destroy --allow-loss does both", ""},
	{"bucket-policy-blocked", registry.S3BucketPolicy, `Access Denied|AccessDenied|BlockPublicPolicy`, "S3 refuses the bucket's policy: it would make files public, which the bucket or the account blocks", "leave the public policy out: arc serves files through the asset function; or turn the account's block off", ""},
	{"bucket-acl", "AWS::S3::", `Bucket cannot have ACLs set with ObjectOwnership|AccessControlListNotSupported|InvalidBucketAclWithObjectOwnership`, "the bucket has an access control list, which S3 takes no more where the owner owns every object", "leave AccessControl out, or set OwnershipControls to ObjectWriter", ""},
	{"bucket-notification", "AWS::S3::", `Unable to validate the following destination configurations`, "S3 may not reach the function, queue or topic that it is to notify", "let the permission be made before the bucket, with the bucket's ARN as its source", ""},
	{"bucket-name", "AWS::S3::", `Bucket name should not contain|specified bucket is not valid|InvalidBucketName`, "that cannot be the name of a bucket", "use 3 to 63 small letters, digits and hyphens", ""},
	{"buckets-quota", "AWS::S3::", `TooManyBuckets|attempted to create more buckets than allowed`, "the account has all the buckets that it may", "delete some, or ask for more under Service Quotas, S3", ""},

	// Of tables.
	{"index-one-at-a-time", "AWS::DynamoDB::", `Cannot perform more than one GSI creation or deletion in a single update`, "DynamoDB adds or removes one index of a table in an update", "deploy the indexes one after another: leave all but one out of @tables-indexes, deploy, and add the next", ""},
	{"table-keys-unused", "AWS::DynamoDB::", `Number of attributes in KeySchema does not exactly match|Some AttributeDefinitions are not used|Some index key attributes are not defined`, "the table's attributes and its keys do not fit together", "define an attribute for each key and index, and no other", ""},
	{"table-throughput", "AWS::DynamoDB::", `Subscriber limit exceeded: (?:Provisioned throughput (?:decreases|increases) are limited|There is a limit|Only (\d+) online index)`, "the table was changed as often as DynamoDB allows today, or is at an index already", "wait until that is over, and deploy again", ""},
	{"tables-quota", "AWS::DynamoDB::", `Subscriber limit exceeded|There is a limit of \d+ (?:concurrent|simultaneous)`, "DynamoDB has all the tables, or all the changes at once, that it takes of an account", "deploy again when the others are done, or ask for more under Service Quotas", ""},
	{"table-protected", "AWS::DynamoDB::", `Resource cannot be deleted as it is currently protected against deletion|Disable deletion protection`, "the table is protected against deletion", "take deletion protection off when its data is to go", ""},
	{"table-busy", "AWS::DynamoDB::", `Attempt to change a resource which is still in use|Table is being (?:created|updated|deleted)|ResourceInUseException`, "the table was still at an earlier change", "deploy again when it is ACTIVE", ""},
	{"table-ttl", "AWS::DynamoDB::", `TimeToLive is active on a different AttributeName|Time to live has been modified multiple times`, "DynamoDB changes the TTL of a table once an hour, and only by turning it off first", "take the TTL out, deploy, wait an hour, and set the new one", ""},

	// Of APIs.
	{"api-logs-role", "AWS::ApiGateway", `CloudWatch Logs role ARN must be set in account settings`, "API Gateway has no role in this account and region to write logs with", "set one once: an AWS::ApiGateway::Account with a role that has AmazonAPIGatewayPushToCloudWatchLogs", ""},
	{"api-log-policy", "AWS::ApiGateway", `Insufficient permissions to enable logging|Resource policy.*limit.*logs|Policy document length breaking Cloudwatch Logs Constraints`, "the policy that lets API Gateway write logs is full or lacks a right", "name log groups /aws/vendedlogs/…, or clear out the account's resource policies of CloudWatch Logs", ""},
	{"api-routes-quota", "AWS::ApiGateway", `Max number of (?:routes|resources|integrations|stages)|(?:routes|APIs).*(?:limit|quota).*(?:exceeded|reached)|LimitExceeded`, "API Gateway takes no more of these", "ask for more under Service Quotas, API Gateway, or split the API", ""},
	{"api-body", "AWS::ApiGateway", `Errors found during import|Unable to put integration on|Warnings found during import`, "API Gateway refuses the API's description", "the words behind name the path and the method", ""},
	{"api-concurrent", "AWS::ApiGateway", `Unable to complete operation due to concurrent modification|ConflictException`, "API Gateway was still at another change of the API", "deploy again", ""},
	{"api-domain-certificate", "AWS::ApiGateway", `certificate.*(?:not found|does not exist|must|cannot)|UnsupportedCertificate`, "the domain's certificate is not one that API Gateway takes here", "make it in ACM, in the API's region, and let it be validated first", ""},
	{"api-stage-deployment", "AWS::ApiGateway", `Active stages pointing to this deployment must be moved or deleted|Invalid deployment identifier`, "a stage points to the deployment that was to go, or to one that is gone", "deploy again; a stage that was made by hand has to be moved", ""},
	{"api-stage-missing", "AWS::ApiGateway", `(?i)Invalid stage identifier specified|API Stage not found`, "the stage that it names is not there, or not yet", "let it depend on the stage: DependsOn with the logical ID of the stage, HTTPApiGatewayDefaultStage of an app's HTTP API", ""},
	{"api-domain-missing", "AWS::ApiGateway", `(?i)Invalid domain name identifier specified`, "the domain that it names is not there, or not yet", "refer to the domain with Ref, so that it is made first", ""},
	{"api-no-methods", registry.ApiGatewayDeployment, `The REST API doesn't contain any methods|No integration defined for method|At least one route is required`, "the API was deployed before it had a route, or a route had nothing behind it", "make the deployment depend on its routes and their integrations", ""},
	{"certificate-region", "AWS::CloudFront::", `certificate doesn't exist, isn't in us-east-1|InvalidViewerCertificate`, "CloudFront takes certificates of us-east-1 alone, and this is none", "make the certificate in us-east-1", ""},
	{"cloudfront-quota", "AWS::CloudFront::", `TooMany\w+|account must be verified before you can add new CloudFront`, "CloudFront takes no more of this account, or wants it verified first", "ask AWS support", ""},
	{"distribution-enabled", "AWS::CloudFront::", `distribution you are trying to delete has not been disabled`, "a distribution must be turned off before it can go", "turn it off, wait until it is deployed, and delete the stack again", ""},

	// Of queues, topics, rules and parameters.
	{"queue-recent", "AWS::SQS::", `wait (\d+) seconds after deleting a queue|QueueDeletedRecently`, "a queue of that name was deleted less than a minute ago", "wait a minute and deploy again", ""},
	{"dead-letter-missing", "AWS::", `Dead letter target does not exist|DeadLetterTarget.*(?:not exist|invalid)`, "the dead-letter queue that it names is not there, or not yet", "refer to the queue's ARN with GetAtt, so that it is made first", ""},
	{"queue-attribute", "AWS::SQS::", `Invalid value for the parameter|Unknown Attribute|can only include alphanumeric`, "SQS refuses a setting or the name of the queue", "the words behind name it", ""},
	{"topic-fifo", "AWS::SNS::", `FIFO`, "a FIFO topic and a plain queue, or the other way round, cannot be joined", "make both FIFO, or neither", ""},
	{"subscription-exists", "AWS::SNS::", `Subscription already exists with different attributes`, "the queue or function is subscribed already, with other settings", "delete the subscription in SNS, and deploy again", ""},
	{"schedule-expression", "AWS::", `ScheduleExpression is not valid|Invalid Schedule Expression`, "AWS cannot read the schedule's expression", "arc check tells what is wrong with it", ""},
	{"rule-targets", "AWS::Events::", `Rule can't be deleted since it has targets|RoleArn is not supported|exceed.*targets`, "the rule has targets that the stack did not make, or too many", "remove them: aws events remove-targets", ""},
	{"parameter-throttled", "AWS::SSM::", `Rate exceeded|Throttling|TooManyUpdates`, "the Parameter Store was asked too much at once", "deploy again", ""},
	{"parameter-value", "", `Parameters: \[(.+?)\] (?:must have values|do not exist in the template)|Parameter (\S+) failed to satisfy constraint`, "a parameter is given that the template does not have, or has no value that it takes: $1", "deploy with arc, which gives every parameter its value", ""},
	{"ssm-missing", "", `Unable to fetch parameters \[(.+?)\] from parameter store|Parameters: \[ssm:(.+?)\] cannot be found|Could not find a value .*ssm`, "the template reads a parameter that is not in the Parameter Store: $1", "set it: aws ssm put-parameter", ""},
	{"secret-missing", "", `Secrets Manager can't find the (?:specified secret|resource with)|Could not parse SecretString JSON|Could not find a value associated with JSONKey`, "the template reads a secret, or a key of one, that is not there", "make it in Secrets Manager, in this region", ""},

	// Of stacks.
	{"export-in-use", "", `(?:Export |Cannot delete export |Cannot update export )(\S+)(?: cannot be (?:updated|deleted))? as it is in use by (.+?)(?:\. Rollback requested by user)?\.?$`, "the output $1 cannot change or go: $2 reads it", "take the import out of that stack first, and deploy it", ""},
	{"export-missing", "", `No export named (.+?) found`, "no stack of this account and region exports $1", "deploy the stack that exports it first, or correct the name", ""},
	{"export-exists", "", `Export with name (.+?) is already exported by stack (\S+?)\.?$`, "the stack $2 exports $1 already", "export it under another name", ""},
	{"attribute-missing", "", `Requested attribute (\S+) (?:does not exist|must be a readonly property) in schema for (\S+)|Attribute '?(\S+?)'? does not exist|CustomResource attribute error: Vendor response doesn't contain (\S+)`, "the template reads an attribute that the resource does not have: $1", "AWS's page of the resource type lists those that there are", ""},
	{"template-format", "", `Template (?:format|validation) error|Unresolved resource dependencies|Template error: `, "CloudFormation cannot read the template: a reference leads nowhere, or a section is not as it should be", "arc package prints the template; report it when arc made it", ""},
	{"nested-template", registry.CloudFormationStack, `TemplateURL must be|S3 error: (?:Access Denied|The specified key does not exist)|URL.*template`, "CloudFormation cannot read the template of the nested stack in the artifact bucket", "deploy again: arc uploads what is missing; the deploying identity has to be able to read the bucket", ""},
	{"nested-failed", registry.CloudFormationStack, `Embedded stack (\S+) was not successfully (\w+).*resource\(s\) failed to \w+: \[(.+?)\]`, "in the nested stack, $3 failed", "its own events say why: arc why takes its name or ARN, also after it is gone", ""},
	{"transform-failed", "", `Transform \S+ failed with|Failed to execute transform|Invalid Serverless Application Specification`, "a macro or transform that the template asks for failed", "the words behind say where; plain CloudFormation needs none", ""},
	{"circular", "", `Circular dependency between resources: \[(.+?)\]`, "these resources need each other before they are made: $1", "break the circle: a name in place of a reference, or a resource of its own for what joins them", ""},
	{"properties-invalid", "", `Properties validation failed for resource (\S+) with message:?\s*(.+)|Model validation failed \((.+?)\)|extraneous key \[(\S+)\] is not permitted|Encountered unsupported property (\S+)|Property \S+ cannot be empty|Value of property (\S+) must be`, "the resource has a property that CloudFormation does not take there", "the words behind name it; AWS's page of the type has what it takes", ""},
	{"hook-failed", "", `The following hook\(s\) (?:failed|returned)|HOOK_COMPLETE_FAILED|Hook failed with message|failed.*hook`, "a hook of the account refused the resource", "the words behind say what it asks for; whoever set the hook up can tell more", ""},
	{"alarm-rollback", "", `(?:Rollback triggered by|following (?:CloudWatch )?[Aa]larms?|monitored alarm)`, "an alarm went off while the stack was being changed, and took the change back", "look at what the alarm watches before the next deploy", ""},
	{"by-user", "", `User Initiated|Rollback requested by user$|(?:Update|Rollback) cancelled by user|Cancel(?:l)?ed by user|Stack update cancelled|Rollback initiated by user`, "somebody called the operation off", "deploy again when that was not meant", ""},
	{"protected-policy", "", `Action denied by stack policy|Action not allowed by stack policy`, "the stack's policy protects this resource from changes", "change the stack policy, if whoever set it agrees", ""},
	{"termination-protected", "", `TerminationProtection is enabled|termination protection`, "the stack is protected against deletion", "turn that off: aws cloudformation update-termination-protection --no-enable-termination-protection", ""},
	{"rollback-resource-gone", "", `(?:does not exist|NotFound|not found|NoSuch\w+|could not be found)`, "what the resource was is not there any more: somebody deleted it past CloudFormation", "make it again by hand under the same name, or, on the way back, skip it: aws cloudformation continue-update-rollback --resources-to-skip", "UPDATE"},
	{"is-gone", "", `(?:does not exist|NotFound|not found|NoSuch\w+|could not be found)`, "what was to be deleted is gone already, or hangs on something that is", "delete the stack again, and keep this resource: aws cloudformation delete-stack --retain-resources", "DELETE"},
	{"names-missing", "", `(?:does not exist|do not exist|NotFound|not found|NoSuch\w+|could not be found)`, "it names something that is not there, or not yet", "correct the name, or let what it names be made first", ""},
	{"dependency-remains", "", `has (?:a )?dependent object|DependencyViolation|must detach all policies|DeleteConflict|Cannot delete entity|is in use by|resource.*in use|still has`, "something else still hangs on the resource", "take that off first, and go on", ""},
	{"delete-replicated", "AWS::Lambda::", `replicated function`, "the function runs at CloudFront's edge, and its copies take hours to go", "try again in some hours", ""},
	{"signal-missing", "", `Received 0 (?:SUCCESS )?signal|WaitCondition timed out|Failed to receive \d+ resource signal|Received (?:\d+ )?FAILURE signal`, "what was to report that it is ready did not, or reported a failure", "look at its own log", ""},
	{"timeout", "", `timed out waiting for|Exceeded attempts to wait|Stack (?:creation|update) time exceeded|Resource timed out|Time exceeded`, "the resource did not get ready in the time that CloudFormation waits", "look at the resource itself in the console, and deploy again", ""},
	{"not-stabilized", "", `did not stabilize|NotStabilized|failed to stabilize|cannot be stabilized`, "AWS made the resource, and it did not become ready", "deploy again; if it stays so, look at the resource itself in the console", ""},
	{"throttled", "", `Rate [Ee]xceeded|Throttl|TooManyRequests|Too Many Requests|RequestLimitExceeded`, "AWS was asked for too much at once", "deploy again; a large stack may need to be split", ""},
	{"quota", "", `(?:limit|quota)s? (?:has been |have been |was )?(?:exceeded|reached)|LimitExceeded|ServiceQuotaExceeded|ServiceLimitExceeded|Cannot exceed quota|maximum number of`, "the account has all of these that it may", "delete some, or ask for more under Service Quotas", ""},
	{"aws-down", "", `Internal ?Failure|InternalServiceError|InternalError|ServiceUnavailable|internal error|Service Unavailable|InternalServerError|An unexpected error`, "AWS failed, and says no more", "deploy again; AWS's health page tells of its own trouble", ""},
	{"access-denied", "", `Access ?Denied|AccessDenied|UnauthorizedOperation|Forbidden|not authorized`, "the deploying identity lacks a right that this resource needs", "arc ci writes the policy that a deploy of this app needs; CloudTrail names the call that was denied", ""},
	{"value-invalid", "", `Invalid request|InvalidParameter|ValidationException|validation error detected|is not valid|InvalidRequest|Invalid value|must (?:be|have|match)|failed to satisfy`, "the service refuses a value of this resource", "the words behind name it", ""},
}

// compiled are the rules' patterns.
var compiled = sync.OnceValue(func() []*regexp.Regexp {
	list := make([]*regexp.Regexp, len(rules))
	for i, r := range rules {
		list[i] = regexp.MustCompile("(?is)" + r.says)
	}
	return list
})

// Recognise says in plain words what an event's reason means, and what to do.
// code is "" when nobody has taught it.
func Recognise(typ, status, reason string) (code, says, remedy string) {
	plain := Clean(reason)
	for i, pattern := range compiled() {
		r := rules[i]
		if !strings.HasPrefix(typ, r.typ) || !strings.HasPrefix(status, r.on) {
			continue
		}
		// Who answers, and with which code, is in the wrapping.
		text := plain
		found := pattern.FindStringSubmatchIndex(text)
		if found == nil {
			text = reason
			if found = pattern.FindStringSubmatchIndex(text); found == nil {
				continue
			}
		}
		return r.code, expand(pattern, r.what, text, found), expand(pattern, r.remedy, text, found)
	}
	return "", "", ""
}

// expand puts what was found into words; what was not found leaves no gap.
func expand(pattern *regexp.Regexp, words, text string, found []int) string {
	if !strings.Contains(words, "$") {
		return words
	}
	out := strings.TrimSpace(string(pattern.ExpandString(nil, words, text, found)))
	out = strings.TrimSuffix(strings.TrimSuffix(out, " ()"), ":")
	return strings.TrimRight(out, " .")
}
