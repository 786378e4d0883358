package deploy

import (
	"fmt"
	"maps"
	"slices"
	"time"

	"arc/cfn"
)

func (c *fakeCloud) deleteStack(nameOrID string) error {
	stack, err := c.find(nameOrID)
	if err != nil || stack.busy() {
		return nil
	}
	if stack.protected {
		return validation("Stack [%s] cannot be deleted while TerminationProtection is enabled", stack.id)
	}
	if stack.status == "REVIEW_IN_PROGRESS" {
		c.event(stack, "", "DELETE_COMPLETE", "")
		return nil
	}
	c.event(stack, "", "DELETE_IN_PROGRESS", "User Initiated")
	go c.remove(stack)
	return nil
}

// remove deletes the resources one after the other, those that can be.
func (c *fakeCloud) remove(stack *fakeStack) {
	doc, err := cfn.Parse([]byte(stack.template))
	if err != nil {
		doc = &cfn.Document{}
	}
	var failed []string
	for _, id := range slices.Sorted(maps.Keys(stack.resources)) {
		res := stack.resources[id]
		if res.status == "DELETE_COMPLETE" {
			continue
		}
		if doc.Resources[id].DeletionPolicy == "Retain" {
			c.locked(func() { res.status = "DELETE_SKIPPED"; c.event(stack, id, "DELETE_SKIPPED", "") })
			continue
		}
		time.Sleep(c.resourceTime)
		c.locked(func() {
			res.status, res.reason = "DELETE_COMPLETE", c.stuck[id]
			bucket := c.buckets[res.physicalID]
			if bucket != nil && len(bucket.objects) > 0 {
				res.reason = "The bucket you tried to delete is not empty"
			}
			if res.reason != "" {
				res.status = "DELETE_FAILED"
				failed = append(failed, id)
			} else if bucket != nil {
				delete(c.buckets, res.physicalID)
			}
			c.event(stack, id, res.status, res.reason)
		})
	}
	time.Sleep(c.resourceTime)
	c.locked(func() {
		if len(failed) > 0 {
			c.event(stack, "", "DELETE_FAILED", fmt.Sprintf("The following resource(s) failed to delete: %v. ", failed))
			return
		}
		c.event(stack, "", "DELETE_COMPLETE", "")
	})
}
