package wire

import (
	"encoding/binary"
	"encoding/xml"
	"fmt"
	"net/http"
	"strings"

	"arc/sandbox/door"
	"arc/sandbox/stack"
)

// cborProtocol is what clients of the protocol with binary bodies send, and are sent.
// https://smithy.io/2.0/additional-specs/protocols/smithy-rpc-v2.html
const cborProtocol = "rpc-v2-cbor"

// Refusal is a door.Guard's Answer: it says why a request is not let in, in the
// error form of the protocol that it speaks, so that an SDK prints the reason and
// not that it cannot read it. Whatever is no SDK's gets text.
func Refusal(w http.ResponseWriter, r *http.Request, why string) {
	service := door.ScopeOf(r).Service
	if service == "" && r.Header.Get("X-Amz-Target") == "" && r.Header.Get("Amz-Sdk-Invocation-Id") == "" && r.Header.Get("Smithy-Protocol") == "" {
		http.Error(w, "403 Forbidden: "+why, http.StatusForbidden)
		return
	}
	WriteError(w, r, service, &stack.Error{Code: "AccessDeniedException", Message: why, Status: http.StatusForbidden})
}

// WriteError prints an error in the form of the protocol that a request to a
// service speaks, as far as the request tells; service "" = it is not signed. The
// code is that of a JSON protocol: others have AccessDenied for
// AccessDeniedException, and words of their own for operations that there are not.
// https://smithy.io/2.0/aws/protocols/index.html
func WriteError(w http.ResponseWriter, r *http.Request, service string, e *stack.Error) {
	said := *e
	other := func(unknown string) {
		said.Code = strings.TrimSuffix(said.Code, "Exception")
		if said.Code == "UnknownOperation" {
			said.Code = unknown
		}
	}
	switch {
	case r.Header.Get("Smithy-Protocol") == cborProtocol:
		writeCBORError(w, &said)
	case r.Header.Get("X-Amz-Target") != "":
		if strings.HasPrefix(r.Header.Get("Content-Type"), "application/x-amz-json-1.0") {
			w.Header().Set("Content-Type", "application/x-amz-json-1.0")
		}
		WriteJSONError(w, &said)
	case service == "s3":
		other("NotImplemented")
		WriteXMLError(w, r, &said)
	case service == "cloudfront", service == "route53", service == "s3-outposts":
		// Their protocol is REST with XML.
		// https://docs.aws.amazon.com/cloudfront/latest/APIReference/CommonErrors.html
		other("NotImplemented")
		WriteQueryError(w, "", &said)
	case service == "ec2":
		other("InvalidAction")
		writeEC2Error(w, &said)
	case isForm(r):
		other("InvalidAction")
		WriteQueryError(w, "", &said)
	default: // REST with JSON
		w.Header().Set("Content-Type", "application/json")
		WriteJSONError(w, &said)
	}
}

// writeEC2Error prints an error as EC2 does, as no other service does.
// https://docs.aws.amazon.com/AWSEC2/latest/APIReference/errors-overview.html
func writeEC2Error(w http.ResponseWriter, e *stack.Error) {
	w.Header().Set("Content-Type", "text/xml;charset=UTF-8")
	w.WriteHeader(e.HTTPStatus())
	fmt.Fprint(w, xml.Header)
	xml.NewEncoder(w).Encode(struct {
		XMLName   xml.Name `xml:"Response"`
		Code      string   `xml:"Errors>Error>Code"`
		Message   string   `xml:"Errors>Error>Message"`
		RequestID string
	}{Code: e.Code, Message: e.Message, RequestID: NewRequestID()})
}

// writeCBORError prints an error as a map of two texts.
// https://www.rfc-editor.org/rfc/rfc8949.html#section-3
func writeCBORError(w http.ResponseWriter, e *stack.Error) {
	w.Header().Set("Content-Type", "application/cbor")
	w.Header().Set("Smithy-Protocol", cborProtocol)
	w.WriteHeader(e.HTTPStatus())
	body := []byte{0xa2}
	for _, text := range []string{"__type", e.Code, "message", e.Message} {
		body = append(binary.BigEndian.AppendUint32(append(body, 0x7a), uint32(len(text))), text...)
	}
	w.Write(body)
}

// asked is the operation that a request names, else its method and path.
func asked(r *http.Request) string {
	if _, operation, ok := strings.Cut(r.Header.Get("X-Amz-Target"), "."); ok {
		return operation
	}
	if _, operation, ok := strings.Cut(r.URL.Path, "/operation/"); ok {
		return operation
	}
	if isForm(r) {
		if form, err := formOf(r); err == nil && form.Get("Action") != "" {
			return form.Get("Action")
		}
	}
	return r.Method + " " + r.URL.Path
}
