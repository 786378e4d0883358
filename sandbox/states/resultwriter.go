package states

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"arc/sandbox/states/asl"
)

// written makes the output of a map of how the executions of its items have ended,
// and writes them into files where that is asked for.
// https://docs.aws.amazon.com/step-functions/latest/dg/input-output-resultwriter.html
func (f *frame) written(ctx context.Context, s *asl.State, input any, run *mapRun, results []summary) (any, *asl.Failure) {
	w := s.Writer
	if w == nil {
		w = &asl.ResultWriter{Transformation: "COMPACT"}
	}
	if w.Resource == "" {
		list := transformed(w.Transformation, results)
		if w.OutputType == "JSONL" {
			return lines(list), nil
		}
		return list, nil
	}
	given, failure := f.callOf(s, "ResultWriter", w.Call, input)
	if failure != nil {
		return nil, failure
	}
	prefix := strings.Trim(plainOr(given["Prefix"]), "/")
	if prefix != "" {
		prefix += "/"
	}
	prefix += run.ID + "/"
	put := func(name string, body string) *asl.Failure {
		_, failure := f.s3(ctx, "putObject", map[string]any{"Bucket": given["Bucket"], "Key": prefix + name, "Body": body, "ContentType": "application/json"})
		if failure != nil {
			return &asl.Failure{Name: asl.ErrResultWriter, Cause: failure.Cause}
		}
		return nil
	}
	files := map[string]any{}
	for _, kind := range []string{"FAILED", "PENDING", "SUCCEEDED"} {
		list := []any{}
		var some []summary
		for _, is := range results {
			if (is.Status == succeeded) == (kind == "SUCCEEDED") && kind != "PENDING" {
				some = append(some, is)
			}
		}
		if len(some) > 0 {
			body, ending := asl.Encode(transformed(w.Transformation, some)), ".json"
			if w.OutputType == "JSONL" {
				body, ending = lines(transformed(w.Transformation, some)), ".jsonl"
			}
			if failure := put(kind+"_0"+ending, body); failure != nil {
				return nil, failure
			}
			list = append(list, map[string]any{"Key": prefix + kind + "_0" + ending, "Size": json.Number(fmt.Sprint(len(body)))})
		}
		files[kind] = list
	}
	manifest := map[string]any{"DestinationBucket": given["Bucket"], "MapRunArn": run.ARN, "ResultFiles": files}
	if failure := put("manifest.json", asl.Encode(manifest)); failure != nil {
		return nil, failure
	}
	return map[string]any{"MapRunArn": run.ARN, "ResultWriterDetails": map[string]any{"Bucket": given["Bucket"], "Key": prefix + "manifest.json"}}, nil
}

func plainOr(v any) string {
	if v == nil {
		return ""
	}
	return plain(v)
}

// transformed are results as a Transformation wants them. Of an execution that has
// failed it is what the execution itself is.
func transformed(transformation string, results []summary) []any {
	list := []any{}
	for _, is := range results {
		output, _ := asl.Decode([]byte(is.Output))
		inner, isList := output.([]any)
		switch {
		case is.Status == succeeded && transformation == "FLATTEN" && isList:
			list = append(list, inner...)
		case is.Status == succeeded && transformation != "NONE":
			list = append(list, output)
		default:
			list = append(list, is.told())
		}
	}
	return list
}

// told is an execution as results have it.
func (is summary) told() map[string]any {
	included := map[string]any{"Included": true}
	out := map[string]any{
		"ExecutionArn": is.ARN, "Input": is.Input, "InputDetails": included, "Name": is.Name, "StartDate": stamp(is.Started), "StateMachineArn": is.Machine.ARN, "Status": is.Status, "StopDate": stamp(is.Ended),
	}
	if is.HasOutput {
		out["Output"], out["OutputDetails"] = is.Output, included
	}
	if is.HasFailure {
		out["Error"], out["Cause"] = is.Error, is.Cause
	}
	return out
}

// lines are values in JSON, a line each.
func lines(list []any) string {
	var out strings.Builder
	for _, v := range list {
		out.WriteString(asl.Encode(v) + "\n")
	}
	return out.String()
}
