package s3

import (
	"encoding/json"
	"encoding/xml"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"

	"github.com/johannesboyne/gofakes3"

	"arc/sandbox/stack"
)

const namespace = "http://s3.amazonaws.com/doc/2006-03-01/"

// setting is a subresource of a bucket that is kept as it was sent.
type setting struct {
	missing string // error code when there is none
	initial string // what a new bucket has; "" = none
}

// settings are the subresources that are kept and shown. Of these only CORS,
// notifications and, on each other, the policy and the public access block have an
// effect.
var settings = map[string]setting{
	"publicAccessBlock": {missing: "NoSuchPublicAccessBlockConfiguration", initial: `<PublicAccessBlockConfiguration xmlns="` + namespace + `"><BlockPublicAcls>true</BlockPublicAcls><IgnorePublicAcls>true</IgnorePublicAcls><BlockPublicPolicy>true</BlockPublicPolicy><RestrictPublicBuckets>true</RestrictPublicBuckets></PublicAccessBlockConfiguration>`},
	"encryption":        {missing: "ServerSideEncryptionConfigurationNotFoundError", initial: `<ServerSideEncryptionConfiguration xmlns="` + namespace + `"><Rule><ApplyServerSideEncryptionByDefault><SSEAlgorithm>AES256</SSEAlgorithm></ApplyServerSideEncryptionByDefault><BucketKeyEnabled>false</BucketKeyEnabled></Rule></ServerSideEncryptionConfiguration>`},
	"ownershipControls": {missing: "OwnershipControlsNotFoundError", initial: `<OwnershipControls xmlns="` + namespace + `"><Rule><ObjectOwnership>BucketOwnerEnforced</ObjectOwnership></Rule></OwnershipControls>`},
	"policy":            {missing: "NoSuchBucketPolicy"},
	"tagging":           {missing: "NoSuchTagSet"},
	"cors":              {missing: "NoSuchCORSConfiguration"},
	"lifecycle":         {missing: "NoSuchLifecycleConfiguration"},
	"website":           {missing: "NoSuchWebsiteConfiguration"},
	"replication":       {missing: "ReplicationConfigurationNotFoundError"},
	"object-lock":       {missing: "ObjectLockConfigurationNotFoundError"},
	"logging":           {initial: `<BucketLoggingStatus xmlns="` + namespace + `"/>`},
	"notification":      {initial: `<NotificationConfiguration xmlns="` + namespace + `"/>`},
	"accelerate":        {initial: `<AccelerateConfiguration xmlns="` + namespace + `"/>`},
	"requestPayment":    {initial: `<RequestPaymentConfiguration xmlns="` + namespace + `"><Payer>BucketOwner</Payer></RequestPaymentConfiguration>`},
	"acl":               {initial: `<AccessControlPolicy xmlns="` + namespace + `"><Owner><ID>local</ID></Owner><AccessControlList><Grant><Grantee xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:type="CanonicalUser"><ID>local</ID></Grantee><Permission>FULL_CONTROL</Permission></Grant></AccessControlList></AccessControlPolicy>`},
}

// notRun are the subresources that the local S3 does not have. Their requests are
// refused: without the subresource each would be another, which lists a bucket or
// writes an object.
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_Operations_Amazon_Simple_Storage_Service.html
var notRun = []string{
	"abac", "analytics", "intelligent-tiering", "inventory", "legal-hold", "metadataConfiguration", "metadataInventoryTable", "metadataJournalTable",
	"metadataTable", "metrics", "renameObject", "restore", "retention", "select", "session", "torrent",
}

// missing is the subresource of a request that the local S3 does not have; "" = none.
func missing(query url.Values) string {
	for _, name := range notRun {
		if query.Has(name) {
			return name
		}
	}
	return ""
}

// setting answers the requests about a bucket's settings, and those about an
// object's tags and ACL. It reports whether the request was one.
func (s *Server) setting(w http.ResponseWriter, r *http.Request, bucket, key string) bool {
	query := r.URL.Query()
	if bucket != "" && key == "" && query.Has("location") && r.Method == http.MethodGet {
		s.location(w, r, bucket)
		return true
	}
	if query.Has("attributes") && key != "" && r.Method == http.MethodGet {
		s.attributes(w, r, bucket, key)
		return true
	}
	if query.Has("versioning") && key == "" && r.Method == http.MethodGet && s.store.unversioned(bucket) {
		// A bucket that was never versioned has no status.
		// https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetBucketVersioning.html
		w.Header().Set("Content-Type", "application/xml")
		fmt.Fprintf(w, "%s<VersioningConfiguration xmlns=%q/>", xml.Header, namespace)
		return true
	}
	if query.Has("policyStatus") && key == "" {
		s.policyStatus(w, r, bucket)
		return true
	}
	for name, kind := range settings {
		if !query.Has(name) {
			continue
		}
		if key != "" {
			// Kept beside the bucket's own, under the object's key.
			name, kind.initial = name+"/"+key, objectSetting(name, kind)
		}
		if err := s.answerSetting(w, r, bucket, name, kind); err != nil {
			writeError(w, r, err)
		}
		return true
	}
	return false
}

func objectSetting(name string, kind setting) string {
	if name == "tagging" {
		return `<Tagging xmlns="` + namespace + `"><TagSet/></Tagging>`
	}
	return kind.initial
}

func (s *Server) answerSetting(w http.ResponseWriter, r *http.Request, bucket, name string, kind setting) error {
	if !s.store.has(bucket) {
		return noBucket(bucket)
	}
	// Small as settings are, aws-chunked is not used for them. They are read
	// before the lock is taken: a client may be slow.
	var value []byte
	if r.Method == http.MethodPut {
		var err error
		if value, err = io.ReadAll(http.MaxBytesReader(w, r.Body, maxDocument)); err != nil {
			return broken(err)
		}
	}
	if name == "notification" && r.Method == http.MethodPut {
		var set notifications
		if err := xml.Unmarshal(value, &set); err != nil {
			return &stack.Error{Code: "MalformedXML", Message: "The XML you provided was not well-formed: " + err.Error()}
		}
		if err := s.checkNotifications(r.Context(), bucket, set); err != nil {
			return err
		}
	}
	s.store.mu.Lock()
	defer s.store.mu.Unlock()
	b := s.store.buckets[bucket]
	if b == nil {
		return noBucket(bucket)
	}
	switch r.Method {
	case http.MethodGet, http.MethodHead:
		value, ok := b.settings[name]
		if !ok {
			value = []byte(kind.initial)
		}
		if len(value) == 0 {
			return &stack.Error{Code: kind.missing, Message: "bucket " + bucket + " has no " + name, Status: http.StatusNotFound}
		}
		w.Header().Set("Content-Type", "application/xml")
		if name == "policy" {
			w.Header().Set("Content-Type", "application/json")
		}
		w.Write(value)
	case http.MethodPut:
		if name == "policy" {
			if err := b.checkPolicy(value); err != nil {
				return err
			}
		}
		if name == "cors" {
			if err := checkCORS(value); err != nil {
				return err
			}
		}
		if err := s.store.set(b, name, value, false); err != nil {
			return err
		}
		if name == "policy" {
			w.WriteHeader(http.StatusNoContent)
		}
	case http.MethodDelete:
		if err := s.store.set(b, name, nil, false); err != nil {
			return err
		}
		w.WriteHeader(http.StatusNoContent)
	default:
		return &stack.Error{Code: "MethodNotAllowed", Message: r.Method + " is not for " + name, Status: http.StatusMethodNotAllowed}
	}
	return nil
}

func (s *Server) location(w http.ResponseWriter, r *http.Request, bucket string) {
	if !s.store.has(bucket) {
		writeError(w, r, noBucket(bucket))
		return
	}
	region := stack.RegionIn(r.Context(), s.options.Region)
	if region == "us-east-1" {
		region = "" // so it is on AWS
	}
	w.Header().Set("Content-Type", "application/xml")
	fmt.Fprint(w, xml.Header)
	xml.NewEncoder(w).Encode(gofakes3.GetBucketLocation{Xmlns: namespace, LocationConstraint: region})
}

func (s *Server) policyStatus(w http.ResponseWriter, r *http.Request, bucket string) {
	s.store.mu.RLock()
	b := s.store.buckets[bucket]
	var policy []byte
	if b != nil {
		policy = b.settings["policy"]
	}
	s.store.mu.RUnlock()
	if b == nil {
		writeError(w, r, noBucket(bucket))
		return
	}
	w.Header().Set("Content-Type", "application/xml")
	fmt.Fprintf(w, `%s<PolicyStatus xmlns="%s"><IsPublic>%t</IsPublic></PolicyStatus>`, xml.Header, namespace, len(policy) > 0 && public(policy))
}

// checkPolicy refuses what S3 refuses: a policy that is no JSON object, and a
// public one while the bucket blocks those, which is where every bucket starts.
func (b *bucket) checkPolicy(policy []byte) error {
	var any map[string]json.RawMessage
	if err := json.Unmarshal(policy, &any); err != nil {
		return &stack.Error{Code: "MalformedPolicy", Message: "Policies must be valid JSON and the first byte must be '{': " + err.Error()}
	}
	block, set := b.settings["publicAccessBlock"]
	if !set {
		block = []byte(settings["publicAccessBlock"].initial)
	}
	var blocks struct{ BlockPublicPolicy bool }
	if len(block) > 0 && xml.Unmarshal(block, &blocks) == nil && blocks.BlockPublicPolicy && public(policy) {
		return &stack.Error{Code: "AccessDenied", Status: http.StatusForbidden, Message: "User is not authorized to perform: s3:PutBucketPolicy because public policies are prevented by the BlockPublicPolicy setting in S3 Block Public Access."}
	}
	return nil
}

// public reports whether a policy lets anybody in: a statement that allows
// something to everyone and has no condition on where it comes from.
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/access-control-block-public-access.html
func public(policy []byte) bool {
	var doc struct{ Statement any }
	if json.Unmarshal(policy, &doc) != nil {
		return false
	}
	statements, ok := doc.Statement.([]any)
	if !ok {
		statements = []any{doc.Statement}
	}
	for _, st := range statements {
		m, _ := st.(map[string]any)
		if m["Effect"] == "Allow" && everyone(m["Principal"]) && !restricts(m["Condition"]) {
			return true
		}
	}
	return false
}

func everyone(principal any) bool {
	switch p := principal.(type) {
	case string:
		return p == "*"
	case []any:
		for _, el := range p {
			if everyone(el) {
				return true
			}
		}
	case map[string]any:
		return everyone(p["AWS"])
	}
	return false
}

// restricts reports whether a condition names who may come, by a fixed value.
func restricts(condition any) bool {
	operators, _ := condition.(map[string]any)
	for _, keys := range operators {
		m, _ := keys.(map[string]any)
		for key, value := range m {
			switch strings.ToLower(key) {
			case "aws:sourcearn", "aws:sourceaccount", "aws:sourcevpc", "aws:sourcevpce", "aws:principalorgid",
				"aws:principalarn", "aws:principalaccount", "aws:sourceip", "aws:sourceowner", "aws:userid":
				if value != "*" {
					return true
				}
			}
		}
	}
	return false
}
