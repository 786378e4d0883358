package rights

import (
	"net/http"

	"arc/sandbox/stack"
	"arc/sandbox/wire"
)

// refuse answers a request in the form in which the service tells of errors.
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Programming.Errors.html
// https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html
// https://docs.aws.amazon.com/sns/latest/api/CommonErrors.html
func refuse(w http.ResponseWriter, r *http.Request, service string, why *Denial) {
	e := &stack.Error{Code: "AccessDeniedException", Message: why.Message, Status: http.StatusForbidden}
	if why.Expired {
		e.Code = "ExpiredTokenException"
	}
	switch {
	case r.Header.Get("X-Amz-Target") != "":
		e.Status = http.StatusBadRequest
		if service == "dynamodb" || service == "sqs" {
			e.Code = "com.amazon.coral.service#" + e.Code
		}
		if service == "sqs" {
			e.Status = http.StatusForbidden
			w.Header().Set("x-amzn-query-error", "AccessDenied;Sender")
		}
		wire.WriteJSONError(w, e)
	case service == "s3":
		e.Code = "AccessDenied"
		if why.Expired {
			e.Code, e.Status = "ExpiredToken", http.StatusBadRequest
		}
		wire.WriteXMLError(w, r, e)
	case service == "lambda" || service == "scheduler":
		wire.WriteJSONError(w, e)
	default:
		e.Code = "AccessDenied"
		switch {
		case why.Expired:
			e.Code = "ExpiredToken"
		case service == "sns":
			e.Code = "AuthorizationError"
		}
		wire.WriteQueryError(w, "", e)
	}
}
