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
		"AWS::S3::Bucket":       {Keeps: true, Provider: stack.Steps{OnCreate: s.createBucket, OnUpdate: s.updateBucket, OnDelete: s.deleteBucket}, Identifier: "BucketName", Import: s.importBucket},
		"AWS::S3::BucketPolicy": {Provider: stack.Steps{OnCreate: s.putPolicy, OnUpdate: s.putPolicy, OnDelete: s.deletePolicy}},
	}
}

// bucketProperties are those of a bucket that make a difference here.
type bucketProperties struct {
	BucketName                     string
	CorsConfiguration              *corsProperties
	VersioningConfiguration        struct{ Status string }
	NotificationConfiguration      *notificationProperties
	Tags                           []bucketTag
	PublicAccessBlockConfiguration *struct {
		BlockPublicAcls, IgnorePublicAcls, BlockPublicPolicy, RestrictPublicBuckets bool
	}
}

// bucketTag is a tag as templates have it, and as clients read it.
type bucketTag struct{ Key, Value string }

// tagging is what GetBucketTagging answers; nil = there are no tags.
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetBucketTagging.html
func tagging(tags []bucketTag) ([]byte, error) {
	if len(tags) == 0 {
		return nil, nil
	}
	return xml.Marshal(struct {
		XMLName xml.Name    `xml:"Tagging"`
		Xmlns   string      `xml:"xmlns,attr"`
		Tags    []bucketTag `xml:"TagSet>Tag"`
	}{Xmlns: namespace, Tags: tags})
}

// harmlessToBuckets is what a bucket may have without being any other here.
var harmlessToBuckets = []string{
	"AbacStatus", "AccelerateConfiguration", "AccessControl", "AnalyticsConfigurations", "BucketEncryption", "BucketNamePrefix", "BucketNamespace",
	"IntelligentTieringConfigurations", "InventoryConfigurations", "LifecycleConfiguration", "LoggingConfiguration", "MetadataConfiguration",
	"MetadataTableConfiguration", "MetricsConfigurations", "ObjectLockConfiguration", "ObjectLockEnabled",
	"OwnershipControls", "ReplicationConfiguration", "WebsiteConfiguration",
}

func readBucket(req stack.Request) (p bucketProperties, err error) {
	return p, stack.Read(req.Properties, &p, harmlessToBuckets...)
}

func (s *Server) createBucket(ctx context.Context, req stack.Request) (stack.Resource, error) {
	p, err := readBucket(req)
	if err != nil {
		return stack.Resource{}, err
	}
	name := p.BucketName
	if name == "" {
		name = strings.ToLower(req.Name(63))
	}
	if err := gofakes3.ValidateBucketName(name); err != nil {
		return stack.Resource{}, fmt.Errorf("bucket name %s: %w", name, err)
	}
	if there := req.PhysicalID; req.Restored && s.store.has(there) && (p.BucketName == "" || p.BucketName == there) {
		if req.Whole() {
			return s.resource(req.Stack.Region, there), nil
		}
		return s.resource(req.Stack.Region, there), s.configure(ctx, there, p, req.Old)
	}
	if err := s.store.CreateBucket(name); err != nil {
		if gofakes3.IsAlreadyExists(err) {
			return stack.Resource{}, fmt.Errorf("%s already exists", name)
		}
		return stack.Resource{}, err
	}
	if err := s.configure(ctx, name, p, nil); err != nil {
		s.store.ForceDeleteBucket(name)
		return stack.Resource{}, err
	}
	return s.resource(req.Stack.Region, name), nil
}

// importBucket finds a bucket that a stack is to have from now on, as it is.
func (s *Server) importBucket(_ context.Context, req stack.Request) (stack.Resource, error) {
	if !s.store.has(req.PhysicalID) {
		return stack.Resource{}, stack.NotThere(req)
	}
	return s.resource(req.Stack.Region, req.PhysicalID), nil
}

func (s *Server) updateBucket(ctx context.Context, req stack.Request) (stack.Resource, error) {
	p, err := readBucket(req)
	if err != nil {
		return stack.Resource{}, err
	}
	return s.resource(req.Stack.Region, req.PhysicalID), s.configure(ctx, req.PhysicalID, p, req.Old)
}

func (s *Server) deleteBucket(_ context.Context, req stack.Request) error {
	err := s.store.DeleteBucket(req.PhysicalID)
	if gofakes3.HasErrorCode(err, gofakes3.ErrNoSuchBucket) {
		return nil
	}
	return err
}

// configure gives a bucket the settings that the local S3 acts on; old are the
// properties that it had before, nil = it is new. What clients notify of stays where
// templates say nothing.
func (s *Server) configure(ctx context.Context, name string, p bucketProperties, old map[string]any) error {
	var notification []byte
	if p.NotificationConfiguration != nil {
		set := p.NotificationConfiguration.document()
		if err := s.checkNotifications(ctx, name, set); err != nil {
			return err
		}
		var err error
		if notification, err = xml.Marshal(set); err != nil {
			return fmt.Errorf("NotificationConfiguration: %w", err)
		}
	}
	if status := p.VersioningConfiguration.Status; status != "" {
		if err := s.store.SetVersioningConfiguration(name, gofakes3.VersioningConfiguration{Status: gofakes3.VersioningStatus(status)}); err != nil {
			return err
		}
	}
	var cors []byte
	if p.CorsConfiguration != nil {
		var err error
		if cors, err = p.CorsConfiguration.document(); err != nil {
			return fmt.Errorf("CorsConfiguration: %w", err)
		}
	}
	s.store.mu.Lock()
	defer s.store.mu.Unlock()
	b := s.store.buckets[name]
	if b == nil {
		return noBucket(name)
	}
	if err := s.store.set(b, "cors", cors, cors == nil); err != nil {
		return err
	}
	if notification != nil || old["NotificationConfiguration"] != nil {
		if err := s.store.set(b, "notification", notification, notification == nil); err != nil {
			return err
		}
	}
	if p.Tags != nil || old["Tags"] != nil {
		tags, err := tagging(p.Tags)
		if err != nil {
			return err
		}
		if err := s.store.set(b, "tagging", tags, tags == nil); err != nil {
			return err
		}
	}
	block := p.PublicAccessBlockConfiguration
	if block == nil {
		return s.store.set(b, "publicAccessBlock", nil, true)
	}
	text, err := xml.Marshal(struct {
		XMLName                                                                     xml.Name `xml:"PublicAccessBlockConfiguration"`
		Xmlns                                                                       string   `xml:"xmlns,attr"`
		BlockPublicAcls, IgnorePublicAcls, BlockPublicPolicy, RestrictPublicBuckets bool
	}{
		Xmlns: namespace, BlockPublicAcls: block.BlockPublicAcls, IgnorePublicAcls: block.IgnorePublicAcls,
		BlockPublicPolicy: block.BlockPublicPolicy, RestrictPublicBuckets: block.RestrictPublicBuckets,
	})
	if err != nil {
		return err
	}
	return s.store.set(b, "publicAccessBlock", text, false)
}

func (s *Server) resource(region, name string) stack.Resource {
	return stack.Resource{PhysicalID: name, Attributes: map[string]any{
		"Arn":                 stack.ARN(region, "s3", "", "", name),
		"DomainName":          name + ".s3.amazonaws.com",
		"DualStackDomainName": name + ".s3.dualstack." + region + ".amazonaws.com",
		"RegionalDomainName":  name + ".s3." + region + ".amazonaws.com",
		"WebsiteURL":          "http://" + name + ".s3-website-" + region + ".amazonaws.com",
	}}
}

func (s *Server) putPolicy(_ context.Context, req stack.Request) (stack.Resource, error) {
	var p struct {
		Bucket         string `cfn:"required"`
		PolicyDocument any    `cfn:"required"`
	}
	if err := stack.Read(req.Properties, &p); err != nil {
		return stack.Resource{}, err
	}
	policy, err := json.Marshal(p.PolicyDocument)
	if err != nil {
		return stack.Resource{}, err
	}
	s.store.mu.Lock()
	defer s.store.mu.Unlock()
	b := s.store.buckets[p.Bucket]
	if b == nil {
		return stack.Resource{}, noBucket(p.Bucket)
	}
	if err := b.checkPolicy(policy); err != nil {
		return stack.Resource{}, err
	}
	return stack.Resource{PhysicalID: p.Bucket}, s.store.set(b, "policy", policy, false)
}

// Policies are those of a bucket itself, for it and its objects, as JSON.
func (s *Server) Policies(arn string) []string {
	_, name, _ := strings.Cut(arn, ":::")
	name, _, _ = strings.Cut(name, "/")
	s.store.mu.Lock()
	defer s.store.mu.Unlock()
	if b := s.store.buckets[name]; b != nil && len(b.settings["policy"]) > 0 {
		return []string{string(b.settings["policy"])}
	}
	return nil
}

func (s *Server) deletePolicy(_ context.Context, req stack.Request) error {
	s.store.mu.Lock()
	defer s.store.mu.Unlock()
	if b := s.store.buckets[req.PhysicalID]; b != nil {
		return s.store.set(b, "policy", nil, true)
	}
	return nil
}
