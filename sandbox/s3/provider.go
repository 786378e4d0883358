package s3

import (
	"context"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"strings"

	"github.com/johannesboyne/gofakes3"

	"arc/sandbox/stack"
)

// Registrations are the resource types that the server provides.
// https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/AWS_S3.html
func (s *Server) Registrations() map[string]stack.Registration {
	return map[string]stack.Registration{
		"AWS::S3::Bucket":       {Provider: bucketProvider{s}, CreateOnly: []string{"BucketName"}},
		"AWS::S3::BucketPolicy": {Provider: policyProvider{s}, CreateOnly: []string{"Bucket"}},
	}
}

type bucketProvider struct{ server *Server }

func (p bucketProvider) Create(ctx context.Context, req stack.Request) (stack.Resource, error) {
	name, _ := req.Properties["BucketName"].(string)
	if name == "" {
		name = strings.ToLower(req.Name(63))
	}
	if err := gofakes3.ValidateBucketName(name); err != nil {
		return stack.Resource{}, fmt.Errorf("bucket name %s: %w", name, err)
	}
	if err := p.server.store.CreateBucket(name); err != nil {
		if gofakes3.IsAlreadyExists(err) {
			return stack.Resource{}, fmt.Errorf("%s already exists", name)
		}
		return stack.Resource{}, err
	}
	if err := p.configure(name, req.Properties); err != nil {
		p.server.store.ForceDeleteBucket(name)
		return stack.Resource{}, err
	}
	return p.resource(name), nil
}

func (p bucketProvider) Update(ctx context.Context, req stack.Request) (stack.Resource, error) {
	return p.resource(req.PhysicalID), p.configure(req.PhysicalID, req.Properties)
}

func (p bucketProvider) Delete(ctx context.Context, req stack.Request) error {
	err := p.server.store.DeleteBucket(req.PhysicalID)
	if gofakes3.HasErrorCode(err, gofakes3.ErrNoSuchBucket) {
		return nil
	}
	return err
}

// configure gives a bucket the settings that the local S3 acts on.
func (p bucketProvider) configure(name string, properties map[string]any) error {
	versioning, _ := properties["VersioningConfiguration"].(map[string]any)
	status, _ := versioning["Status"].(string)
	if status != "" {
		if err := p.server.store.SetVersioningConfiguration(name, gofakes3.VersioningConfiguration{Status: gofakes3.VersioningStatus(status)}); err != nil {
			return err
		}
	}
	p.server.store.mu.Lock()
	defer p.server.store.mu.Unlock()
	b := p.server.store.buckets[name]
	if b == nil {
		return noBucket(name)
	}
	block, ok := properties["PublicAccessBlockConfiguration"].(map[string]any)
	if !ok {
		delete(b.settings, "publicAccessBlock")
		return nil
	}
	var err error
	b.settings["publicAccessBlock"], err = xml.Marshal(struct {
		XMLName                                                                     xml.Name `xml:"PublicAccessBlockConfiguration"`
		Xmlns                                                                       string   `xml:"xmlns,attr"`
		BlockPublicAcls, IgnorePublicAcls, BlockPublicPolicy, RestrictPublicBuckets bool
	}{
		Xmlns: namespace, BlockPublicAcls: isTrue(block["BlockPublicAcls"]), IgnorePublicAcls: isTrue(block["IgnorePublicAcls"]),
		BlockPublicPolicy: isTrue(block["BlockPublicPolicy"]), RestrictPublicBuckets: isTrue(block["RestrictPublicBuckets"]),
	})
	return err
}

// isTrue reads a boolean, which templates may spell as a string.
func isTrue(v any) bool { return v == true || v == "true" }

func (p bucketProvider) resource(name string) stack.Resource {
	region := p.server.options.Region
	return stack.Resource{PhysicalID: name, Attributes: map[string]any{
		"Arn":                 fmt.Sprintf("arn:%s:s3:::%s", stack.Partition(region), name),
		"DomainName":          name + ".s3.amazonaws.com",
		"DualStackDomainName": name + ".s3.dualstack." + region + ".amazonaws.com",
		"RegionalDomainName":  name + ".s3." + region + ".amazonaws.com",
		"WebsiteURL":          "http://" + name + ".s3-website-" + region + ".amazonaws.com",
	}}
}

type policyProvider struct{ server *Server }

func (p policyProvider) Create(ctx context.Context, req stack.Request) (stack.Resource, error) {
	bucket, _ := req.Properties["Bucket"].(string)
	policy, err := json.Marshal(req.Properties["PolicyDocument"])
	if err != nil {
		return stack.Resource{}, err
	}
	p.server.store.mu.Lock()
	defer p.server.store.mu.Unlock()
	b := p.server.store.buckets[bucket]
	if b == nil {
		return stack.Resource{}, noBucket(bucket)
	}
	if err := b.checkPolicy(policy); err != nil {
		return stack.Resource{}, err
	}
	b.settings["policy"] = policy
	return stack.Resource{PhysicalID: bucket}, nil
}

func (p policyProvider) Update(ctx context.Context, req stack.Request) (stack.Resource, error) {
	return p.Create(ctx, req)
}

func (p policyProvider) Delete(ctx context.Context, req stack.Request) error {
	p.server.store.mu.Lock()
	defer p.server.store.mu.Unlock()
	if b := p.server.store.buckets[req.PhysicalID]; b != nil {
		delete(b.settings, "policy")
	}
	return nil
}
