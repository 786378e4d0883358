package deploy

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"reflect"
	"slices"
	"time"
)

// functionState is what Lambda tells of a function.
// https://docs.aws.amazon.com/lambda/latest/api/API_GetFunctionConfiguration.html
type functionState struct {
	CodeSHA256           string `json:"CodeSha256"`
	Description          string
	Handler, Runtime     string
	MemorySize, Timeout  int
	Architectures        []string
	Environment          struct{ Variables map[string]string }
	EphemeralStorage     struct{ Size int }
	Layers               []struct{ Arn string }
	Version              string
	LastUpdateStatus     string
	LastUpdateReason     string `json:"LastUpdateStatusReason"`
	LastUpdateReasonCode string `json:"LastUpdateStatusReasonCode"`
}

// bringFunction brings one function to what was packaged. mark is its description
// then; "" = the template's.
func (r *run) bringFunction(ctx context.Context, f directFunction, mark, bucket string) error {
	began := time.Now()
	now, err := r.settled(ctx, f.name, functionState{LastUpdateStatus: "InProgress"})
	if err != nil {
		return err
	}
	changed, err := r.bringCode(ctx, f, &now, bucket)
	if err != nil {
		return err
	}
	config, err := r.directConfiguration(f, now)
	if err != nil {
		return err
	}
	if mark != "" && (changed || len(config) > 0) {
		config["Description"] = mark
	} else if description, _ := f.want["Description"].(string); mark == "" && description != now.Description {
		config["Description"] = description
	}
	if len(config) > 0 {
		changed = true
		var answer functionState
		if err := r.Functions.Send(ctx, http.MethodPut, "UpdateFunctionConfiguration", f.name, "configuration", config, &answer); err != nil {
			return fmt.Errorf("change its configuration: %w", err)
		}
		if _, err := r.settled(ctx, f.name, answer); err != nil {
			return err
		}
	}
	reserved, err := r.bringConcurrency(ctx, f)
	if err != nil {
		return err
	}
	if changed && f.alias != "" {
		if err := r.moveAlias(ctx, f, mark); err != nil {
			return err
		}
	}
	if mark == "" {
		return nil
	}
	said := "is as it was packaged"
	if changed || reserved {
		r.outcome.Direct = r.addDirect(f.logicalID)
		said = "changed directly in " + time.Since(began).Round(time.Millisecond).String()
	}
	r.note("%s %s", f.logicalID, said)
	return nil
}

func (r *run) addDirect(logicalID string) []string {
	r.proofs.Lock()
	defer r.proofs.Unlock()
	list := append(r.outcome.Direct, logicalID)
	slices.Sort(list)
	return list
}

// bringCode gives the function its zip, unless it runs it already. What is too
// large for a call is read from the bucket; "" = it is in none.
func (r *run) bringCode(ctx context.Context, f directFunction, now *functionState, bucket string) (changed bool, err error) {
	code, _ := f.want["Code"].(map[string]any)
	key, _ := code["S3Key"].(string)
	at := slices.IndexFunc(r.d.Artifacts, func(a Artifact) bool { return a.Key == key })
	if at < 0 {
		return false, errors.New("its code is none that was packaged: deploy in full")
	}
	var zip bytes.Buffer
	if err := r.d.Artifacts[at].Write(&zip); err != nil {
		return false, err
	}
	sum := sha256Base64(zip.Bytes())
	if sum == now.CodeSHA256 {
		return false, nil
	}
	in := map[string]any{"ZipFile": zip.Bytes()}
	if zip.Len() > MaxDirect && bucket != "" {
		in = map[string]any{"S3Bucket": bucket, "S3Key": key}
	} else if zip.Len() > MaxDirect {
		return false, fmt.Errorf("its zip has %d MB, and Lambda takes %d in a call: deploy in full", zip.Len()>>20, MaxDirect>>20)
	}
	if architectures, ok := f.want["Architectures"]; ok {
		in["Architectures"] = architectures
	}
	if err := r.Functions.Send(ctx, http.MethodPut, "UpdateFunctionCode", f.name, "code", in, now); err != nil {
		return false, fmt.Errorf("change its code: %w", err)
	}
	if *now, err = r.settled(ctx, f.name, *now); err == nil && now.CodeSHA256 != sum {
		err = fmt.Errorf("it runs code of the hash %s, and what was packaged has %s", now.CodeSHA256, sum)
	}
	return true, err
}

// directConfiguration is what of the configuration is not as packaged.
func (r *run) directConfiguration(f directFunction, now functionState) (map[string]any, error) {
	config := map[string]any{}
	differs := func(name string, is any) {
		if want, ok := f.want[name]; ok && !sameJSON(want, is) {
			config[name] = want
		}
	}
	differs("Handler", now.Handler)
	differs("Runtime", now.Runtime)
	differs("MemorySize", now.MemorySize)
	differs("Timeout", now.Timeout)
	if now.EphemeralStorage.Size > 0 {
		differs("EphemeralStorage", map[string]any{"Size": now.EphemeralStorage.Size})
	}
	if !reflect.DeepEqual(f.want["Layers"], f.was["Layers"]) {
		for _, layer := range asList(f.want["Layers"]) {
			if _, text := layer.(string); !text {
				return nil, errors.New("its Layers come of another resource: deploy in full")
			}
		}
		config["Layers"] = asList(f.want["Layers"])
	}
	variables := map[string]string{}
	for name, value := range variablesOf(f.want) {
		text, plain := value.(string)
		if parameter, given := f.outerParameterOf(value); given {
			if text, plain = r.d.Parameters[parameter]; !plain {
				text, plain = now.Environment.Variables[name] // a resource, which is what it was
			}
		} else if !plain {
			text, plain = now.Environment.Variables[name]
		}
		if !plain {
			return nil, fmt.Errorf("its variable %s is not there yet: deploy in full", name)
		}
		variables[name] = text
	}
	if !maps.Equal(variables, now.Environment.Variables) {
		config["Environment"] = map[string]any{"Variables": variables}
	}
	return config, nil
}

func asList(value any) []any {
	list, _ := value.([]any)
	if list == nil {
		list = []any{}
	}
	return list
}

func sameJSON(a, b any) bool {
	x, errX := json.Marshal(a)
	y, errY := json.Marshal(b)
	return errX == nil && errY == nil && bytes.Equal(x, y)
}

// bringConcurrency changes how many instances there may be, which Lambda keeps
// apart from the configuration.
func (r *run) bringConcurrency(ctx context.Context, f directFunction) (changed bool, err error) {
	want, was := f.want["ReservedConcurrentExecutions"], f.was["ReservedConcurrentExecutions"]
	if sameJSON(want, was) {
		return false, nil
	}
	if want == nil {
		err = r.Functions.Send(ctx, http.MethodDelete, "DeleteFunctionConcurrency", f.name, "concurrency", nil, &struct{}{})
	} else {
		err = r.Functions.Send(ctx, http.MethodPut, "PutFunctionConcurrency", f.name, "concurrency", map[string]any{"ReservedConcurrentExecutions": want}, &struct{}{})
	}
	if err != nil {
		return false, fmt.Errorf("change its reserved concurrency: %w", err)
	}
	return true, nil
}

// moveAlias has the alias point to a new version, or, when the function is put
// back, to the stack's.
func (r *run) moveAlias(ctx context.Context, f directFunction, mark string) error {
	version := f.version
	if mark != "" {
		var made functionState
		if err := r.Functions.Send(ctx, http.MethodPost, "PublishVersion", f.name, "versions", map[string]any{}, &made); err != nil {
			return fmt.Errorf("publish a version of it: %w", err)
		}
		version = made.Version
	}
	if version == "" {
		return nil
	}
	if err := r.Functions.Send(ctx, http.MethodPut, "UpdateAlias", f.name, "aliases/"+url.PathEscape(f.alias), map[string]any{"FunctionVersion": version}, &struct{}{}); err != nil {
		return fmt.Errorf("point its alias %s to version %s: %w", f.alias, version, err)
	}
	return nil
}

// settled waits until Lambda is done with a function's last change.
// https://docs.aws.amazon.com/lambda/latest/dg/functions-states.html
func (r *run) settled(ctx context.Context, name string, now functionState) (functionState, error) {
	for pace := r.functionPace(); ; {
		switch now.LastUpdateStatus {
		case "InProgress", "":
		case "Failed":
			return now, fmt.Errorf("Lambda could not change it: %s (%s)", now.LastUpdateReason, now.LastUpdateReasonCode)
		default:
			return now, nil
		}
		// What a list holds would be added to, and a map's keys would stay.
		now = functionState{}
		if err := r.Functions.Send(ctx, http.MethodGet, "GetFunctionConfiguration", name, "configuration", nil, &now); err != nil {
			return now, fmt.Errorf("read its configuration: %w", err)
		}
		if now.LastUpdateStatus != "InProgress" {
			if now.LastUpdateStatus == "" {
				return now, nil // some that stand in for AWS do not tell
			}
			continue
		}
		if err := pace.wait(ctx); err != nil {
			return now, err
		}
	}
}

// functionPace is brisker than a stack's: a function is changed within a second.
func (c Clients) functionPace() *pace {
	if c.Local {
		return c.newPace()
	}
	return &pace{next: 150 * time.Millisecond, max: 2 * time.Second}
}
