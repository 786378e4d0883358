package lambda

import (
	"fmt"
	"net/http"
	"strconv"

	"arc/sandbox/stack"
	"arc/sandbox/wire"
)

// functionsPage is how many functions an answer of ListFunctions holds at most.
// https://docs.aws.amazon.com/lambda/latest/api/API_ListFunctions.html
const functionsPage = 50

// list answers ListFunctions, a page at a time. A marker is the number
// of functions that were told before.
func (s *Service) list(w http.ResponseWriter, r *http.Request) {
	all := []map[string]any{}
	for _, fn := range s.Functions() {
		all = append(all, configuration(fn))
	}
	query := r.URL.Query()
	from, size := 0, functionsPage
	var err error
	if text := query.Get("Marker"); text != "" {
		from, err = strconv.Atoi(text)
	}
	if text := query.Get("MaxItems"); err == nil && text != "" {
		size, err = strconv.Atoi(text)
	}
	if err != nil || from < 0 || size < 1 {
		wire.WriteJSONError(w, &stack.Error{Code: "InvalidParameterValueException", Status: http.StatusBadRequest, Message: fmt.Sprintf("Marker and MaxItems: %q is no page of the functions", r.URL.RawQuery)})
		return
	}
	from = min(from, len(all))
	to := min(from+min(size, functionsPage), len(all))
	page := map[string]any{"Functions": all[from:to]}
	if to < len(all) {
		page["NextMarker"] = strconv.Itoa(to)
	}
	wire.WriteJSON(w, http.StatusOK, page)
}
