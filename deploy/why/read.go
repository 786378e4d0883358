package why

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
)

// Read reads saved events: the answer of aws cloudformation describe-stack-events,
// the list in it, or an event a line.
func Read(data []byte) ([]Event, error) {
	data = bytes.TrimSpace(bytes.TrimPrefix(data, []byte("\ufeff")))
	var events []Event
	switch {
	case len(data) == 0:
		return nil, errors.New("the file is empty")
	case data[0] == '[':
		if err := json.Unmarshal(data, &events); err != nil {
			return nil, fmt.Errorf("the file is no list of stack events: %w", err)
		}
	default:
		for d := json.NewDecoder(bytes.NewReader(data)); d.More(); {
			var one struct {
				StackEvents []Event
				Event
			}
			if err := d.Decode(&one); err != nil {
				return nil, fmt.Errorf("the file holds no stack events: %w", err)
			}
			events = append(events, one.StackEvents...)
			if one.Status != "" || one.HookStatus != "" {
				events = append(events, one.Event)
			}
		}
	}
	if len(events) == 0 {
		return nil, errors.New("the file holds no stack events")
	}
	for i, e := range events {
		if e.StackID == "" { // written by hand, or by a tool that leaves it out
			events[i].StackID = e.StackName
		}
	}
	return events, nil
}
