package awsxml

import "iamserver/runtime/apierror"

// Response writes the answer to an action: its result, which encode writes,
// inside AWS's envelope. An action without output has no Result element, and
// encode is not called.
func (w *Writer) Response(action, namespace, requestID string, hasResult bool, encode func(*Writer)) {
	root, result := action+"Response", action+"Result"
	w.openRoot(root, namespace)
	if hasResult {
		w.open(result)
		encode(w)
		w.close(result)
	}
	w.open("ResponseMetadata")
	w.String("RequestId", requestID)
	w.close("ResponseMetadata")
	w.close(root)
}

// ErrorResponse writes the answer to a request that failed.
func (w *Writer) ErrorResponse(namespace string, fault apierror.Fault, code, message, requestID string) {
	w.openRoot("ErrorResponse", namespace)
	w.open("Error")
	w.String("Type", fault.String())
	w.String("Code", code)
	w.String("Message", message)
	w.close("Error")
	w.String("RequestId", requestID)
	w.close("ErrorResponse")
}

func (w *Writer) openRoot(name, namespace string) {
	w.buf = append(w.buf, '<')
	w.buf = append(w.buf, name...)
	w.buf = append(w.buf, ` xmlns="`...)
	w.buf = appendText(w.buf, namespace)
	w.buf = append(w.buf, '"', '>')
}
