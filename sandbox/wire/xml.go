package wire

import (
	"encoding/xml"
	"errors"
	"fmt"
	"net/http"

	"arc/sandbox/stack"
)

// WriteXMLError prints an error in S3's shape: a *stack.Error as what it says, any
// other as a failure of the service. HEAD has no body to say it in.
// https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html
func WriteXMLError(w http.ResponseWriter, r *http.Request, err error) {
	var api *stack.Error
	if !errors.As(err, &api) {
		api = &stack.Error{Code: "InternalError", Message: err.Error(), Status: http.StatusInternalServerError}
	}
	w.Header().Set("Content-Type", "application/xml")
	w.Header().Set("x-amz-request-id", "LOCAL")
	w.WriteHeader(api.HTTPStatus())
	if r.Method == http.MethodHead {
		return
	}
	fmt.Fprint(w, xml.Header)
	xml.NewEncoder(w).Encode(struct {
		XMLName   xml.Name `xml:"Error"`
		Code      string
		Message   string
		Resource  string
		RequestID string `xml:"RequestId"`
	}{Code: api.Code, Message: api.Message, Resource: r.URL.Path, RequestID: "LOCAL"})
}
