package manifest

import (
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"

	"arc/manifest/syntax"
)

// AWS is the @aws pragma: where the app lives. Function defaults set there are
// already folded into each Function's Config.
type AWS struct {
	Region  string // resolved: @aws region, else Options.Region, else us-west-2
	Guessed bool   // nothing names a region: a profile's own counts before Region
	Profile string // "" when not set
	Bucket  string // "" when arc keeps its own artifact bucket
	// Boundary is the ARN of the permissions boundary of every role, or a name
	// for a policy a stage (BoundaryPolicy); "" when there is none.
	Boundary   string
	APIGateway string // "http" (payload 2.0, the default), "httpv1", "httpv2"; "rest" is refused
	LogDays    int    // @aws logs; 30 when not set
}

const (
	defaultRegion  = "us-west-2"
	defaultLogDays = 30
)

// logDays are the retention times that CloudWatch Logs knows, in days
// (PutRetentionPolicy).
var logDays = []int{1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653}

// readAWS reads @aws: the project's own settings into App.AWS, those of
// functions into the base that every function starts from.
func (l *loader) readAWS() {
	l.app.AWS = AWS{Region: l.opts.Region, APIGateway: "http", LogDays: defaultLogDays}
	if l.app.AWS.Region == "" {
		l.app.AWS.Region, l.app.AWS.Guessed = defaultRegion, true
	}
	l.base = builtinSettings()
	p := l.pragma("aws")
	if p == nil {
		return
	}
	spec := findPragma(pragmas, "aws")
	lines := pragmaLines(p)
	// Layers are checked against the region, wherever it stands.
	for _, ln := range lines {
		if ln.key.Text == "region" && len(ln.values) == 1 {
			l.app.AWS.Region, l.app.AWS.Guessed = ln.values[0].Text, false
		}
	}
	layer := newLayer(&l.base, spec)
	for _, ln := range lines {
		s := l.settingOf(spec, ln)
		if s == nil || l.projectSetting(layer, s, ln) {
			continue
		}
		l.functionSetting(layer, s, ln)
	}
}

// projectSetting reads one line of @aws that is about the project, and reports
// whether it was one.
func (l *loader) projectSetting(layer *layer, s *setting, ln line) bool {
	aws := &l.app.AWS
	switch s.name {
	case "region":
		l.readRegion(s, ln)
	case "profile":
		l.textSetting(s, ln, &aws.Profile)
	case "bucket":
		l.bucketSetting(s, ln, &aws.Bucket)
	case "boundary":
		l.readBoundary(s, ln)
	case "apigateway":
		if l.choiceSetting(s, ln, &aws.APIGateway) && aws.APIGateway == "rest" {
			l.errorf(ln.where(), "apigateway-rest", "write apigateway http, or keep deploying this app with Architect",
				"a REST API comes from a plugin of Architect, which arc does not run")
		}
	case "logs":
		if l.integerSetting(s, ln, &aws.LogDays) && !slices.Contains(logDays, aws.LogDays) {
			i, _ := slices.BinarySearch(logDays, aws.LogDays)
			l.errorf(ln.where(), "log-days", "write logs "+strconv.Itoa(logDays[i]),
				"CloudWatch Logs cannot keep logs for %d days", aws.LogDays)
		}
	default:
		return false
	}
	l.repeats(layer.seen, s.name, ln)
	return true
}

func (l *loader) readRegion(s *setting, ln line) {
	v, ok := l.single(s, ln)
	if !ok {
		return
	}
	l.app.AWS.Region = v.Text
	if !looksLikeRegion(v.Text) {
		l.warnf(at(v), "region", "regions look like us-west-2", "%s does not look like an AWS region", v.Text)
	}
}

// A policy's name has 128 characters at most; the longest stage and a hyphen
// have 11.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html
var (
	boundaryName = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^[A-Za-z0-9+=,.@_-]{1,117}$`) })
	boundaryARN  = sync.OnceValue(func() *regexp.Regexp {
		return regexp.MustCompile(`^arn:[a-z-]+:iam::([0-9]{12}|aws):policy/[A-Za-z0-9+=,.@_/-]{1,512}$`)
	})
)

func (l *loader) readBoundary(s *setting, ln line) {
	v, ok := l.single(s, ln)
	if !ok {
		return
	}
	l.app.AWS.Boundary = v.Text
	if !boundaryName().MatchString(v.Text) && !boundaryARN().MatchString(v.Text) {
		l.errorf(at(v), "boundary", "write its ARN, arn:aws:iam::ACCOUNT:policy/NAME; or NAME alone for the policies NAME-preview, NAME-staging and NAME-production",
			"%s is not the name of an IAM policy", v.Text)
	}
}

// BoundaryPolicy is the name of the policy that bounds the roles of a stage's
// stacks, in the account that these are deployed to; "" when Boundary is an ARN.
func (a AWS) BoundaryPolicy(stage string) string {
	if a.Boundary == "" || strings.HasPrefix(a.Boundary, "arn:") {
		return ""
	}
	return a.Boundary + "-" + stage
}

// looksLikeRegion accepts any region AWS may yet open: two letters, words, a
// number.
func looksLikeRegion(s string) bool {
	parts := strings.Split(s, "-")
	if len(parts) < 3 || len(parts[0]) < 2 {
		return false
	}
	for i, p := range parts {
		last := i == len(parts)-1
		for _, r := range p {
			if digit := '0' <= r && r <= '9'; digit != last || !digit && (r < 'a' || r > 'z') {
				return false
			}
		}
		if p == "" {
			return false
		}
	}
	return true
}

// checkLayers checks the ARNs of one layers setting: their form, their region
// and their number.
func (l *loader) checkLayers(values []syntax.Value, count int) {
	for _, v := range values {
		parts := strings.Split(v.Text, ":")
		if len(parts) != 8 || parts[0] != "arn" || parts[2] != "lambda" || parts[5] != "layer" {
			l.errorf(at(v), "layer-arn", "write arn:aws:lambda:REGION:ACCOUNT:layer:NAME:VERSION",
				"%s is not the ARN of a layer's version", v.Text)
			continue
		}
		if parts[3] != l.app.AWS.Region {
			l.errorf(at(v), "layer-region", "use the layer's ARN in "+l.app.AWS.Region,
				"the layer is in %s, but the app is in %s", parts[3], l.app.AWS.Region)
		}
	}
	if count > maxLayers {
		l.errorf(at(values[len(values)-1]), "layer-count", "remove "+strconv.Itoa(count-maxLayers),
			"a function takes up to %d layers, but this is number %d", maxLayers, count)
	}
}

// maxLayers is Lambda's limit of layers a function.
const maxLayers = 5
