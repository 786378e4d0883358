package sandbox

import (
	"arc/cfn/registry"
	"context"
	"errors"
	"fmt"
	"net/http"
	"path/filepath"
	"strings"
	"time"

	"arc/cfn/sam"
	"arc/sandbox/activity"
	"arc/sandbox/cloudformation"
	"arc/sandbox/cloudwatch"
	"arc/sandbox/custom"
	"arc/sandbox/dynamodb"
	"arc/sandbox/events"
	"arc/sandbox/gateway"
	"arc/sandbox/invoke"
	"arc/sandbox/journal"
	"arc/sandbox/lambda"
	"arc/sandbox/logs"
	"arc/sandbox/recorded"
	"arc/sandbox/restapi"
	"arc/sandbox/rights"
	"arc/sandbox/s3"
	"arc/sandbox/scheduler"
	"arc/sandbox/secretsmanager"
	"arc/sandbox/sns"
	"arc/sandbox/sqs"
	"arc/sandbox/ssm"
	"arc/sandbox/stack"
	"arc/sandbox/states"
	"arc/sandbox/sts"
	"arc/sandbox/wire"
)

// Service is a service of the local cloud: a folder beside this file and a line
// in services. One that takes messages from others is an invoke.Receiver, too.
type Service interface {
	// Endpoint is its name and how clients reach it; without a handler they do
	// not.
	Endpoint() wire.Endpoint
	// Registrations are the resource types that it provides to stacks.
	Registrations() map[string]stack.Registration
	// Restore takes what a log holds from an earlier run, and from then on
	// appends every change before it is acknowledged. A nil log keeps nothing.
	// What stacks alone make comes back with them and needs no log.
	Restore(*journal.Log) error
	// Close ends what it has running; ctx bounds how long that may take.
	Close(ctx context.Context) error
}

// patience is how long a client that asks after a stack under way waits for it:
// most are done by then, and no client that waits so long gives up.
const patience = 2 * time.Second

// services makes the services, in the order in which they start; they are
// closed the other way round. Of two that provide a resource type the later
// one does.
func (c *Cloud) services() []Service {
	account, region := Account, c.opts.Region
	c.guardRights()
	objects := s3.New(s3.Options{Account: account, Region: region, Send: c.send, Tell: c.tell, Permit: func(function, principal string, sources ...string) error {
		return c.unlessUnasked(c.lambda.Permit(function, principal, sources...))
	}, Scratch: c.scratch, Kept: c.objectsFolder(), Warn: func(text string) { c.tell.Notice("%s", text) }, Refused: func(file string, why error) {
		c.tell.Notice("the static file %s is %v: it is not followed here, and not published", file, why)
	}})
	parameters := ssm.New(account, region)
	secrets := secretsmanager.New(account, region)
	lines, others := logs.New(account, region), recorded.New()
	figures := cloudwatch.New()
	code := &codeStore{root: filepath.Join(c.scratch, "code"), get: objects.Get, ready: map[string]*unpacked{}}
	c.queues = sqs.New(sqs.Options{Account: account, Region: region, URL: c.url, Tell: c.tell})
	parameters.Discover(c.discovered)
	c.s3, c.parameters = objects, parameters
	c.tables = dynamodb.New(dynamodb.Options{
		Account: account, Region: region, Path: c.opts.Path, Project: c.opts.Project, URL: c.opts.Tables, Tell: c.tell,
		Cache: filepath.Join(filepath.Dir(c.opts.Registry.Dir), "programs"), File: c.tablesFile(),
	})
	c.lambda = lambda.New(lambda.Options{
		Account: account, Region: region,
		Env: c.environment, Path: c.opts.Path, User: c.opts.User, Warn: c.opts.Warn, Cache: c.opts.Cache, Scratch: c.scratch, Published: c.publishedFolder(), Self: c.opts.Self, Workers: c.opts.Workers, Inspect: c.opts.Inspect,
		Log: c.functionLog, Keep: lines.Append, Count: figures.Invoked, Tail: lines.Tail,
		Code: code.unpack, Zip: code.unzip, Live: c.liveFunction, Permit: c.permit, Lets: c.guard.Lets, Offer: c.opts.Offer, Fresh: c.freshen,
		Send: c.send, Queues: c.queues, Streams: c.tables, Called: c.called, Tell: c.tell,
	})
	firing := invoke.Firing{Account: account, Region: region, Send: c.send, Permit: c.permit, Called: c.called, Tell: c.tell, Silent: c.opts.NoSchedules, Clock: c.opts.Clock}
	c.gateway = gateway.New(gateway.Options{Invoker: c.lambda, Unhurried: c.lambda.Inspected, Permit: c.permitGateway, PermitURL: c.permitURL, Bind: c.bind, Called: c.known, Tell: c.tell, Lenient: c.live.is, May: c.mayManage, Keys: c.keySet, Signer: c.signer, Decide: c.decideInvoke, Developer: true, Announce: c.announce, Known: c.knowsREST, Other: c.otherAPI, Errand: c.permit, Call: c.callAs, Send: c.send})
	c.rest = restapi.New(restapi.Options{
		Invoker: c.lambda, Unhurried: c.lambda.Inspected, Permit: c.permitGateway, Unasked: c.opts.NoRights, Bind: c.bind, Called: c.known, Tell: c.tell, Send: c.send, Announce: c.announce,
		Keys: c.keySet, Signer: c.signer, Decide: c.decideInvoke, KeyOf: c.gateway.KeyOf, Domain: c.gateway.Domain, Object: objects.Get,
		Errand: c.permit, Call: c.callAs,
	})
	c.states = states.New(states.Options{
		Account: account, Region: region, Invoker: c.lambda, Permit: c.permit, Call: c.callAs, Runs: rights.Known, Object: objects.Get, Called: c.called, Tell: c.tell, Clock: c.opts.Clock,
	})
	services := []Service{
		others,
		sts.New(account, region, c.guard),
		c.roles,
		objects,
		parameters,
		secrets,
		lines,
		figures,
		c.tables,
		c.queues,
		c.lambda,
		events.New(firing),
		scheduler.New(firing),
		c.states,
	}
	topics := sns.New(sns.Options{Account: account, Region: region, URL: c.url, Send: c.send, Tell: c.tell})
	services = append(services, topics, c.gateway, c.rest, gateway.Control{Gateway: c.gateway, Account: account, Region: region})
	c.custom = custom.New(custom.Options{
		Account: account, Call: c.lambda.DeliverHeard, Publish: topics.Hand, Led: c.led, Endpoint: c.url, Host: c.answerHost,
		Called: c.called, Tell: c.tell, Run: c.lambda.Invoke, May: c.mayInvoke,
	})
	services = append(services, c.custom)
	c.engine = stack.New(stack.Options{
		Account: account, Region: region, Registrations: registrations(services), Custom: c.custom.Registration(),
		Fetch: objects.Fetch, Parameter: parameters.Value, Secret: secrets.Value, May: c.mayHandle, Transforms: transforms(), Macro: c.custom.Expand, SetAside: c.live.is, Patience: patience, Recorded: others.Other,
		Warn: func(text string) { c.tell.Notice("%s", text) },
		NotRun: func(name string, types []string) {
			c.tell.Notice("stack %s holds what does not run here: %s; it is made in name only, nothing reaches or leaves it, and calls of it fail", name, strings.Join(types, ", "))
		},
	})
	return append(services, cloudformation.New(c.engine))
}

// transforms are what a template may ask for by name, besides what the engine of
// stacks knows itself.
func transforms() map[string]func(map[string]any) (map[string]any, error) {
	return map[string]func(map[string]any) (map[string]any, error){sam.Transform: expandSAM}
}

// expandSAM makes plain CloudFormation of a SAM template. What cannot be expanded
// is told, all at once.
func expandSAM(template map[string]any) (map[string]any, error) {
	out, problems := sam.Expand(template)
	var wrong []string
	for _, p := range problems {
		if !p.Warning {
			wrong = append(wrong, p.Error())
		}
	}
	if len(wrong) > 0 {
		return nil, errors.New(strings.Join(wrong, "; "))
	}
	return out, nil
}

// registrations are the resource types of all services.
func registrations(services []Service) map[string]stack.Registration {
	types := map[string]stack.Registration{}
	for _, s := range services {
		_, recorded := s.(*recorded.Store) // which reads nothing that it does not use
		for name, r := range s.Registrations() {
			r.Reads = !recorded
			types[name] = r
		}
	}
	return types
}

// Recorded reports whether resources of a type are kept in mind here and do
// nothing, in the stack of the app that runs from its source at least.
func (c *Cloud) Recorded(resourceType string) bool {
	r, ok := registrations(c.all)[resourceType]
	return r.Recorded || !ok && registry.Known(resourceType)
}

// assemble starts the services and puts them behind one handler.
func (c *Cloud) assemble() (http.Handler, error) {
	c.all = c.services()
	var endpoints []wire.Endpoint
	for _, s := range c.all {
		log, err := c.log(s.Endpoint().Service)
		if err != nil {
			return nil, err
		}
		c.undo = append(c.undo, func() {
			ctx, cancel := context.WithTimeout(context.Background(), stopTimeout)
			defer cancel()
			if err := s.Close(ctx); err != nil {
				c.tell.Notice("%s: closing: %v", s.Endpoint().Service, err)
			}
		})
		if err := s.Restore(log); err != nil {
			return nil, err
		}
		if e := s.Endpoint(); e.Handler != nil {
			endpoints = append(endpoints, c.guard.Wrap(e))
		}
	}
	c.answers = wire.New(endpoints...)
	return c.custom.Before(c.answers), nil
}

// servicesOf are the services of a name, as ARNs have it. They are asked for with each
// call that somebody signs, and making an endpoint to see its name takes long.
func (c *Cloud) servicesOf(service string) []Service {
	c.named.Do(func() {
		c.byName = map[string][]Service{}
		for _, s := range c.all {
			name := s.Endpoint().Service
			c.byName[name] = append(c.byName[name], s)
		}
	})
	return c.byName[service]
}

// announce tells where an API of a stack answers here: one that was written for
// AWS prints the address that it would have there. The app that runs from its
// source has told its own.
func (c *Cloud) announce(of stack.Ref, what, url string) {
	if !c.live.is(of.Name) || of.Region != c.opts.Region {
		c.tell.Notice("stack %s: %s answers at %s", of.Name, what, url)
	}
}

// send hands a message to the service that an ARN names.
func (c *Cloud) send(ctx context.Context, arn string, m invoke.Message) error {
	parts := strings.SplitN(arn, ":", 6)
	if len(parts) < 6 {
		return fmt.Errorf("%q is not an ARN", arn)
	}
	if action := invoke.ActionOf(arn); action != "" && m.Role != "" {
		err := c.permit(ctx, invoke.Errand{Service: m.Principal, Role: m.Role, Session: m.Session, For: m.Source, Called: c.called(m.Source), Action: action, Resource: arn})
		if err != nil {
			return fmt.Errorf("%w: %w", invoke.ErrForbidden, err)
		}
	}
	m.Unasked = c.opts.NoRights
	for _, s := range c.servicesOf(parts[2]) {
		if r, ok := s.(invoke.Receiver); ok {
			return r.Receive(ctx, arn, m)
		}
	}
	return fmt.Errorf("the local cloud does not run %s yet", parts[2])
}

// permitGateway asks a function's policy whether API Gateway may invoke it.
func (c *Cloud) permitGateway(function string, sources ...string) error {
	return c.unlessUnasked(c.lambda.Permit(function, "apigateway.amazonaws.com", sources...))
}

// permitURL asks a function's policy whether everybody may call it by its URL.
func (c *Cloud) permitURL(function string) error {
	return c.unlessUnasked(c.lambda.PermitURL(function))
}

// unlessUnasked is what a policy of a resource says, or nothing where nobody is asked
// for rights; that something is not there is said all the same.
func (c *Cloud) unlessUnasked(err error) error {
	if c.opts.NoRights && !errors.Is(err, invoke.ErrNotFound) {
		return nil
	}
	return err
}

// url is where the cloud answers, by the name that the guard of its ports knows.
func (c *Cloud) url() string { return fmt.Sprintf("http://localhost:%d", c.endpoint.Number) }

// knowsREST and otherAPI are the REST APIs, as domains and usage plans ask for them.
func (c *Cloud) knowsREST(id, stage string) bool { return c.rest.Has(id, stage) }

func (c *Cloud) otherAPI(id string) http.Handler { return c.rest.Site(id) }

// functionLog tells of a line that a function wrote.
func (c *Cloud) functionLog(label, requestID, line string) {
	c.tell(activity.Event{Kind: activity.Output, Function: label, RequestID: requestID, Text: line})
}

// called gives the words by which people know a function: the manifest's for
// the live app, else the logical ID.
func (c *Cloud) called(function string) string {
	fn, ok := c.lambda.Function(function)
	switch {
	case !ok:
		return ""
	case strings.HasPrefix(fn.Label, "@"):
		return fn.Label
	}
	return "function " + fn.Label
}

// known is called with the logical ID behind the manifest's words, as the one name
// that the app has wherever it runs: a deployed app is known by nothing else.
func (c *Cloud) known(function string) string {
	words := c.called(function)
	if fn, _ := c.lambda.Function(function); strings.HasPrefix(words, "@") && fn.LogicalID != "" {
		words += " (" + fn.LogicalID + ")"
	}
	return words
}
