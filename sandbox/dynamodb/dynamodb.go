// Package dynamodb is DynamoDB on this machine: the program dynoxide (SQLite)
// behind the local cloud's own endpoint, or any DynamoDB endpoint that the user
// names. It provides AWS::DynamoDB::Table to the stack engine.
//
// Nobody but this package knows where dynoxide listens. What it says of itself
// is put into the terms of the cloud's account and region, and what it lacks
// (continuous backups) is answered here.
package dynamodb

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httputil"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"arc/sandbox/activity"
	"arc/sandbox/child"
	"arc/sandbox/journal"
	"arc/sandbox/rights"
	"arc/sandbox/stack"
	"arc/sandbox/wire"
)

// Options are what the service needs from its surroundings.
type Options struct {
	Account, Region string
	Path            string // where dynoxide and npm are looked for
	Project         string // absolute folder, whose node_modules may hold dynoxide
	Cache           string // the user's folder for programs; "" = none is installed
	File            string // absolute path of the database
	// URL is another DynamoDB endpoint, used instead of dynoxide; "" = none.
	URL  string
	Tell activity.Tell // nil = nobody
}

// Service answers DynamoDB's API.
type Service struct {
	options Options
	proxy   *httputil.ReverseProxy
	client  http.Client

	mu      sync.Mutex
	closed  bool
	running *child.Child
	host    string // where it listens
	port    int
	failed  error // why there is no program; kept, as looking again takes long
	since   time.Time
	backups map[string]bool // tables with continuous backups turned on
	more    chan struct{}   // closed when something was written
}

// New makes the service. The program starts with the first call.
func New(options Options) *Service {
	options.Tell = options.Tell.Or()
	s := &Service{
		options: options, backups: map[string]bool{}, more: make(chan struct{}),
	}
	s.proxy = &httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) {
			target := r.In.Context().Value(targetKey{}).(*url.URL)
			r.SetURL(target)
			r.Out.Host = target.Host
			r.Out.Header.Del("Accept-Encoding")
			if _, known := rights.Of(r.In.Context()); known {
				sameKey(r.Out.Header)
			}
		},
		Transport:    &http.Transport{MaxIdleConnsPerHost: 64, IdleConnTimeout: time.Minute, DisableCompression: true},
		ErrorHandler: s.unreachable, ModifyResponse: nameUnknown,
	}
	s.client.Transport = s.proxy.Transport
	return s
}

// nameUnknown names an operation that the program does not have, which it leaves out.
func nameUnknown(resp *http.Response) error {
	if resp.StatusCode != http.StatusBadRequest {
		return nil
	}
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxRequest))
	if err != nil {
		return err
	}
	resp.Body.Close()
	var said struct {
		Type    string `json:"__type"`
		Message string `json:"message"`
		Other   string `json:"Message"`
	}
	if json.Unmarshal(body, &said) == nil && strings.HasSuffix(said.Type, "UnknownOperationException") && said.Message == "" && said.Other == "" {
		_, operation, _ := strings.Cut(resp.Request.Header.Get("X-Amz-Target"), ".")
		body, err = json.Marshal(map[string]string{"__type": said.Type, "message": "the local cloud's DynamoDB does not run " + operation})
		resp.Header.Del("X-Amz-Crc32") // of what the program said
		resp.Header.Set("Content-Length", strconv.Itoa(len(body)))
		resp.ContentLength = int64(len(body))
	}
	resp.Body = io.NopCloser(bytes.NewReader(body))
	return err
}

type targetKey struct{}

// sameKey has a request signed as with the key that all of this cloud have had:
// some servers keep tables apart by it, and functions have keys of their roles.
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/DynamoDBLocal.UsageNotes.html
func sameKey(h http.Header) {
	front, rest, ok := strings.Cut(h.Get("Authorization"), "Credential=")
	_, scope, too := strings.Cut(rest, "/")
	if ok && too {
		h.Set("Authorization", front+"Credential=local/"+scope)
	}
}

// Endpoint is where clients find the service.
func (s *Service) Endpoint() wire.Endpoint {
	return wire.Endpoint{Service: "dynamodb", Variable: "DYNAMODB", Targets: []string{"DynamoDB_20120810", "DynamoDBStreams_20120810"}, Handler: s}
}

// Restore has nothing to do: the database is a file of its own.
func (s *Service) Restore(*journal.Log) error { return nil }

// Close ends the program. SQLite has everything on disk that was acknowledged.
func (s *Service) Close(context.Context) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed = true
	if s.running != nil {
		s.running.Kill()
	}
	return nil
}

// own is how ARNs begin for who asks: in the region of the request.
func (s *Service) own(ctx context.Context) string {
	region := stack.RegionIn(ctx, s.options.Region)
	return fmt.Sprintf("arn:%s:dynamodb:%s:%s:", stack.Partition(region), region, s.options.Account)
}

// in gives the context of a request about an ARN, which is for the ARN's region.
func in(ctx context.Context, arn string) context.Context {
	if parts := strings.SplitN(arn, ":", 5); len(parts) == 5 && stack.RegionOf(ctx) == "" {
		return stack.WithRegion(ctx, parts[3])
	}
	return ctx
}

// theirs is how ARNs begin in dynoxide, whose region and account are fixed.
const theirs = "arn:aws:dynamodb:dynoxide:000000000000:"

// managing are the operations whose answers speak of tables and streams rather
// than of items. Only those are put into our terms: an item is never touched.
var managing = map[string]bool{
	"CreateTable": true, "DeleteTable": true, "DescribeTable": true, "UpdateTable": true, "DescribeTimeToLive": true, "UpdateTimeToLive": true,
	"TagResource": true, "UntagResource": true, "ListTagsOfResource": true,
	"DescribeLimits": true, "DescribeEndpoints": true,
}

// maxRequest is what DynamoDB takes at most: 16 MB of a batch, and some more.
const maxRequest = 17 << 20

// ServeHTTP answers one request.
func (s *Service) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	_, operation, _ := strings.Cut(r.Header.Get("X-Amz-Target"), ".")
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxRequest))
	if err != nil {
		fail(w, &stack.Error{Code: "SerializationException", Message: "the request cannot be read: " + err.Error(), Status: http.StatusRequestEntityTooLarge})
		return
	}
	if answer, known := s.backup(r.Context(), operation, body); known {
		if err, failed := answer.(error); failed {
			fail(w, err)
			return
		}
		reply(w, answer)
		return
	}
	target, err := s.target(r.Context())
	if err != nil {
		fail(w, &stack.Error{Code: "InternalServerError", Message: err.Error(), Status: http.StatusInternalServerError})
		return
	}
	defer s.wrote(operation)
	if s.options.URL == "" {
		if streaming[operation] {
			s.serveStream(w, r, operation, body)
			return
		}
		body = s.translate(r.Context(), body)
		if managing[operation] {
			status, answer, err := s.send(r.Context(), target, r.Header.Get("X-Amz-Target"), body)
			if err != nil {
				s.unreachable(w, r, err)
				return
			}
			w.Header().Set("Content-Type", "application/x-amz-json-1.0")
			w.Header().Set("x-amzn-RequestId", wire.NewRequestID())
			w.WriteHeader(status)
			w.Write(answer)
			return
		}
	}
	r = r.WithContext(context.WithValue(r.Context(), targetKey{}, target))
	r.Body, r.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
	s.proxy.ServeHTTP(w, r)
}

// send asks dynoxide and gives its answer in our terms.
func (s *Service) send(ctx context.Context, target *url.URL, operation string, body []byte) (status int, answer []byte, err error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, target.String(), bytes.NewReader(body))
	if err != nil {
		return 0, nil, err
	}
	req.Header.Set("X-Amz-Target", operation)
	req.Header.Set("Content-Type", "application/x-amz-json-1.0")
	// Some servers tell callers apart by the key they sign with.
	now := time.Now().UTC()
	req.Header.Set("X-Amz-Date", now.Format("20060102T150405Z"))
	req.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential=local/"+now.Format("20060102")+"/"+s.options.Region+"/dynamodb/aws4_request, SignedHeaders=host;x-amz-date, Signature=0")
	resp, err := s.client.Do(req)
	if err != nil {
		return 0, nil, err
	}
	defer resp.Body.Close()
	answer, err = io.ReadAll(io.LimitReader(resp.Body, maxRequest))
	if s.options.URL != "" {
		return resp.StatusCode, answer, err
	}
	answer = bytes.ReplaceAll(answer, []byte(theirs), []byte(s.own(ctx)))
	if _, name, _ := strings.Cut(operation, "."); managing[name] {
		answer = relabel(answer)
	}
	return resp.StatusCode, answer, err
}

// call is an operation for this package's own use.
func (s *Service) call(ctx context.Context, operation string, in, out any) error {
	target, err := s.target(ctx)
	if err != nil {
		return err
	}
	body, err := json.Marshal(in)
	if err != nil {
		return err
	}
	defer s.wrote(operation)
	api := "DynamoDB_20120810."
	if streaming[operation] {
		api = "DynamoDBStreams_20120810."
	}
	status, answer, err := s.send(ctx, target, api+operation, body)
	if s.options.URL != "" && errors.Is(err, syscall.ECONNREFUSED) {
		return fmt.Errorf("%s: nobody answers at %s, where --db or @sandbox external-db has the tables: start that database first, or leave it to arc", operation, s.options.URL)
	}
	if err != nil {
		return fmt.Errorf("%s: %w", operation, err)
	}
	if status/100 != 2 {
		var said struct {
			Type    string `json:"__type"`
			Message string `json:"message"`
		}
		json.Unmarshal(answer, &said) // what is no JSON has neither
		return &stack.Error{Code: said.Type[strings.LastIndex(said.Type, "#")+1:], Message: said.Message, Status: status}
	}
	return json.Unmarshal(answer, out)
}

func isCode(err error, code string) bool {
	var api *stack.Error
	return errors.As(err, &api) && api.Code == code
}

// unreachable answers for a program that ended in the middle of a request.
// SDKs try again, and the program is started again then.
func (s *Service) unreachable(w http.ResponseWriter, _ *http.Request, err error) {
	fail(w, &stack.Error{Code: "InternalServerError", Message: "the local cloud's tables: " + err.Error(), Status: http.StatusInternalServerError})
}

func fail(w http.ResponseWriter, err error) {
	w.Header().Set("Content-Type", "application/x-amz-json-1.0")
	wire.WriteJSONError(w, err)
}

func reply(w http.ResponseWriter, out any) { wire.WriteJSON(w, http.StatusOK, out) }

// backup answers for continuous backups, which are kept as a setting: there is
// nothing here to restore from.
// https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_UpdateContinuousBackups.html
func (s *Service) backup(ctx context.Context, operation string, body []byte) (answer any, known bool) {
	if s.options.URL != "" || operation != "UpdateContinuousBackups" && operation != "DescribeContinuousBackups" {
		return nil, false
	}
	var in struct {
		TableName                        string
		PointInTimeRecoverySpecification *struct{ PointInTimeRecoveryEnabled bool }
	}
	if err := json.Unmarshal(body, &in); err != nil {
		return &stack.Error{Code: "SerializationException", Message: err.Error()}, true
	}
	name := in.TableName[strings.LastIndex(in.TableName, "/")+1:]
	var table struct{}
	if err := s.call(ctx, "DescribeTable", map[string]string{"TableName": name}, &table); err != nil {
		if isCode(err, "ResourceNotFoundException") {
			err = &stack.Error{Code: "TableNotFoundException", Message: "Table not found: " + name}
		}
		return err, true
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if in.PointInTimeRecoverySpecification != nil {
		s.setBackup(name, in.PointInTimeRecoverySpecification.PointInTimeRecoveryEnabled)
	}
	status := "DISABLED"
	if s.backups[name] {
		status = "ENABLED"
	}
	return map[string]any{"ContinuousBackupsDescription": map[string]any{
		"ContinuousBackupsStatus": "ENABLED", "PointInTimeRecoveryDescription": map[string]any{"PointInTimeRecoveryStatus": status},
	}}, true
}

// setBackup keeps the setting, and says once what it is worth. The caller holds
// the lock.
func (s *Service) setBackup(name string, on bool) {
	if on && len(s.backups) == 0 {
		s.options.Tell.Notice("point-in-time recovery is kept as a setting: the local cloud makes no backups of tables")
	}
	s.backups[name] = on
}
