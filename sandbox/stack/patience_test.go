package stack

import (
	"context"
	"testing"
	"testing/synctest"
	"time"
)

// Who asks after one stack that is under way waits for it, not for longer than the
// engine's patience, and nobody else does.
func TestPatience(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		takes := time.Second
		e := New(Options{Account: "123456789012", Region: "us-east-1", Patience: 2 * time.Second, Registrations: map[string]Registration{"Test::Thing": {Provider: &counter{}}},
			Fault: func(op, id string) error {
				if id == "A" && (op == "Create" || op == "Delete") {
					time.Sleep(takes)
				}
				return nil
			}})
		defer e.Close()
		ctx := t.Context()
		create := func(name string) {
			t.Helper()
			if _, err := e.CreateStack(ctx, CreateStackInput{StackName: name, TemplateBody: "Resources: {A: {Type: Test::Thing}}"}); err != nil {
				t.Fatal(err)
			}
		}
		status := func(ctx context.Context, name, want string, after time.Duration) {
			t.Helper()
			began := time.Now()
			out, err := e.DescribeStacks(ctx, DescribeStacksInput{StackName: name})
			if err != nil {
				t.Fatal(err)
			}
			if took := time.Since(began); out.Stacks[0].StackStatus != want || took != after {
				t.Errorf("%s: %s after %v, want %s after %v", name, out.Stacks[0].StackStatus, took, want, after)
			}
		}
		create("quick")
		status(ctx, "", CreateInProgress, 0)
		status(ctx, "quick", CreateComplete, time.Second)
		status(ctx, "quick", CreateComplete, 0)

		takes = 4 * time.Second
		create("slow")
		gone, cancel := context.WithTimeout(ctx, time.Second)
		defer cancel()
		status(gone, "slow", CreateInProgress, time.Second)
		status(ctx, "slow", CreateInProgress, 2*time.Second)
		status(ctx, "slow", CreateComplete, time.Second)

		takes = time.Second
		if _, err := e.DeleteStack(ctx, DeleteStackInput{StackName: "quick"}); err != nil {
			t.Fatal(err)
		}
		if out, err := e.DescribeStacks(ctx, DescribeStacksInput{StackName: "quick"}); err == nil {
			t.Errorf("a deleted stack is %s", out.Stacks[0].StackStatus)
		}

		// A change set is told when it has been compared.
		if _, err := e.CreateChangeSet(ctx, CreateChangeSetInput{StackName: "slow", ChangeSetName: "next", TemplateBody: "Resources: {A: {Type: Test::Thing}, B: {Type: Test::Thing}}"}); err != nil {
			t.Fatal(err)
		}
		if set, err := e.DescribeChangeSet(ctx, DescribeChangeSetInput{StackName: "slow", ChangeSetName: "next"}); err != nil || set.Status != CreateComplete {
			t.Errorf("the change set is %s, %v", set.Status, err)
		}
	})
}
