package cfn

import (
	"strconv"

	"arc/manifest"

	"github.com/awslabs/goformation/v7/cloudformation/s3"
)

const (
	staticBucket = "StaticBucket" // logical ID, as existing stacks have it
	staticPath   = "/_static/*"
	staticLambda = "StaticAssetHTTPLambda"
)

// bucketName is the static bucket's name: the app's own bucket, or the one
// that @static names for the stage.
func (c *compiler) bucketName() string {
	if name := c.givenBucket(); name != "" {
		return name
	}
	return Ref(staticBucket)
}

// bucketARN is the bucket's ARN with more text behind it.
func (c *compiler) bucketARN(more string) string {
	if name := c.givenBucket(); name != "" {
		return Sub("arn:${AWS::Partition}:s3:::" + SubText(name) + more)
	}
	if more == "" {
		return GetAtt(staticBucket, "Arn")
	}
	return Sub("${" + staticBucket + ".Arn}" + more)
}

// givenBucket is the bucket that the user keeps for the stage. A preview has
// none: who opens a pull request must not write over what staging shows.
func (c *compiler) givenBucket() string {
	switch c.opts.Stage {
	case "staging":
		return c.app.Static.Staging
	case "production":
		return c.app.Static.Production
	}
	return ""
}

// staticBucket compiles @static: a private bucket, which the asset function
// reads, and what the runtime library looks up.
func (c *compiler) staticBucket() {
	st := c.app.Static
	if st == nil {
		return
	}
	if c.givenBucket() == "" {
		b := c.privateBucket()
		b.CorsConfiguration = readableByPages()
		c.add(staticBucket, st.Pos, b)
	}
	c.discoverable("StaticBucketParam", st.Pos, "static/bucket", c.bucketName())
	c.discoverable("StaticFingerprintParam", st.Pos, "static/fingerprint", strconv.FormatBool(st.Fingerprint != ""))
	c.rights = append(c.rights,
		right{kind: "static", action: "read", id: staticBucket, actions: []string{"s3:GetObject"}, resources: []string{c.bucketARN("/*")}},
		right{kind: "static", action: "read", id: staticBucket, actions: []string{"s3:ListBucket"}, resources: []string{c.bucketARN("")}},
		right{kind: "static", action: "write", id: staticBucket, actions: []string{"s3:PutObject", "s3:DeleteObject"}, resources: []string{c.bucketARN("/*")}},
	)
	c.output("BucketURL", "URL of the static files, which the HTTP API serves from a private bucket",
		Sub("${"+httpAPI+".ApiEndpoint}/_static"))
}

// readableByPages lets scripts read the files that are too large to pass through
// the asset function: it redirects to a link into the bucket, which is another
// origin than the page's. Which origins the pages have is not known here, as
// domains are put in front of an app elsewhere. Every website may be let in, as
// CORS gives nobody a link: a site that has one can read the file without it.
// A page asks its own site, so any header may come along and any may be read.
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/ManageCorsUsing.html
// https://fetch.spec.whatwg.org/#http-redirect-fetch
func readableByPages() *s3.Bucket_CorsConfiguration {
	return &s3.Bucket_CorsConfiguration{CorsRules: []s3.Bucket_CorsRule{{
		AllowedMethods: []string{"GET", "HEAD"},
		AllowedOrigins: []string{"*"},
		AllowedHeaders: []string{"*"},
		ExposedHeaders: []string{"Accept-Ranges", "Content-Encoding", "Content-Range", "Date", "ETag"},
	}}}
}

// privateBucket is a bucket that nobody but the account can read, and that keeps
// what it holds.
func (c *compiler) privateBucket() *s3.Bucket {
	return &s3.Bucket{
		BucketEncryption: &s3.Bucket_BucketEncryption{
			ServerSideEncryptionConfiguration: []s3.Bucket_ServerSideEncryptionRule{{
				ServerSideEncryptionByDefault: &s3.Bucket_ServerSideEncryptionByDefault{SSEAlgorithm: "AES256"},
			}},
		},
		OwnershipControls: &s3.Bucket_OwnershipControls{
			Rules: []s3.Bucket_OwnershipControlsRule{{ObjectOwnership: new("BucketOwnerEnforced")}},
		},
		PublicAccessBlockConfiguration: &s3.Bucket_PublicAccessBlockConfiguration{
			BlockPublicAcls: new(true), BlockPublicPolicy: new(true), IgnorePublicAcls: new(true), RestrictPublicBuckets: new(true),
		},
		AWSCloudFormationDeletionPolicy:      c.onDelete(),
		AWSCloudFormationUpdateReplacePolicy: "Retain",
	}
}

// staticRoutes adds to the routes of @http what serves the bucket: /_static/*,
// by the asset function that is there already, or one of its own. An app of
// static files only gets / and all below it as well, in place of the bucket's
// public web site.
func (c *compiler) staticRoutes(routes []manifest.Route) []manifest.Route {
	if c.app.Static == nil {
		return routes
	}
	var asset *manifest.Function
	for _, r := range routes {
		if r.Function.Asset {
			asset = r.Function
		}
		if r.Method == "get" && r.Path == staticPath {
			return routes // the app serves them itself
		}
	}
	pos := c.app.Static.Pos
	own := func(path string) *manifest.Function {
		return &manifest.Function{Pragma: "http", Name: "get " + path, Asset: true, Pos: pos, Config: manifest.AssetConfig()}
	}
	routes = append([]manifest.Route{}, routes...)
	if len(routes) == 0 && c.app.Proxy == nil {
		asset = own("/*")
		routes = append(routes, manifest.Route{Method: "get", Path: "/*", Function: asset, Pos: pos})
	}
	if asset == nil {
		asset = own(staticPath)
	}
	return append(routes, manifest.Route{Method: "get", Path: staticPath, Function: asset, Pos: pos})
}

// assetRights are those of the asset function: to read the bucket. With
// ListBucket, S3 says "not found" for what is not there, and not "forbidden".
func (c *compiler) assetRights() []right { return c.rightsTo("static", "", "read") }

// staticEnvironment adds what a function needs to find the bucket. How the files
// are served is told to whoever answers GET /: the root's own function or, when
// the app has none, the asset function and with it every other one of @http, as
// Architect has it, so that any of them can hand a request on to arc.http.proxy.
func (c *compiler) staticEnvironment(f *lambdaFunction, vars map[string]string) {
	st := c.app.Static
	if st == nil {
		return
	}
	vars["ARC_STATIC_BUCKET"] = c.bucketName()
	told := f.Asset || f.Function == c.root
	if c.root == nil || c.root.Asset {
		told = told || f.Pragma == "http"
	}
	if !told || c.app.Proxy != nil && !f.Asset {
		return
	}
	vars["ARC_STATIC_SPA"] = strconv.FormatBool(st.SPA)
	if st.Prefix != "" {
		vars["ARC_STATIC_PREFIX"] = st.Prefix
	}
}
