package diff_test

import (
	"testing"

	"arc/cfn/diff"
)

// TestRegion: what is the same in the stack's own region is the same where that is
// known, and another value where it is not; what is another one in the region is told
// although it is the same in others.
func TestRegion(t *testing.T) {
	parts := func(arn, image string) string {
		return `Parameters: {Unused: {Type: String}}
Mappings: {Images: {eu-west-1: {Id: ` + image + `}, us-east-1: {Id: ami-2}}}
Conditions: {Europe: !Equals [!Ref AWS::Region, eu-west-1]}
Resources:
  R:
    Type: AWS::IAM::Role
    Properties:
      AssumeRolePolicyDocument: {Statement: [{Effect: Allow, Action: 'sts:AssumeRole', Principal: {Service: lambda.amazonaws.com}}]}
      Policies: [{PolicyName: p, PolicyDocument: {Statement: [{Effect: Allow, Action: 's3:GetObject', Resource: ` + arn + `}]}}]
  I: {Type: AWS::EC2::LaunchTemplate, Properties: {LaunchTemplateData: {ImageId: !FindInMap [Images, !Ref AWS::Region, Id]}}}
`
	}
	for _, c := range []struct {
		name, was, is, image, region string
		want                         diff.Verdict
	}{
		{"the region written out, in it", `!Sub "arn:aws:s3:::files-${AWS::Region}/*"`, `"arn:aws:s3:::files-eu-west-1/*"`, "ami-1", "eu-west-1", diff.NoChanges},
		{"the region written out, in another", `!Sub "arn:aws:s3:::files-${AWS::Region}/*"`, `"arn:aws:s3:::files-eu-west-1/*"`, "ami-1", "us-east-1", diff.Dangerous},
		{"the region written out, who knows where", `!Sub "arn:aws:s3:::files-${AWS::Region}/*"`, `"arn:aws:s3:::files-eu-west-1/*"`, "ami-1", "", diff.Dangerous},
		{"China's partition, there", `!Sub "arn:${AWS::Partition}:s3:::files/*"`, `"arn:aws-cn:s3:::files/*"`, "ami-1", "cn-north-1", diff.NoChanges},
		{"China's partition, elsewhere", `!Sub "arn:${AWS::Partition}:s3:::files/*"`, `"arn:aws-cn:s3:::files/*"`, "ami-1", "eu-west-1", diff.Dangerous},
		{"a condition that holds there", `!If [Europe, "arn:aws:s3:::a/*", "arn:aws:s3:::b/*"]`, `"arn:aws:s3:::a/*"`, "ami-1", "eu-west-1", diff.NoChanges},
		{"a condition that does not", `!If [Europe, "arn:aws:s3:::a/*", "arn:aws:s3:::b/*"]`, `"arn:aws:s3:::a/*"`, "ami-1", "us-east-1", diff.Dangerous},
		{"an image of the region", `"*"`, `"*"`, "ami-9", "eu-west-1", diff.Safe},
		{"an image of another region", `"*"`, `"*"`, "ami-9", "us-east-1", diff.NoChanges},
		{"an image of some region", `"*"`, `"*"`, "ami-9", "", diff.Safe},
	} {
		review := diff.Compose(parse(t, []byte(parts(c.was, "ami-1"))), parse(t, []byte(parts(c.is, c.image))), diff.Options{Region: c.region})
		if review.Verdict != c.want {
			t.Errorf("%s: %s, want %s", c.name, review.Headline(), c.want)
		}
	}
}
