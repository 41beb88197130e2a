package awsxml

// RESTError writes the answer to a request of S3 that failed. It has no
// namespace. resource is the path that the request named, requestID and hostID
// identify the request to whoever is asked for help.
func (w *Writer) RESTError(code, message, resource, requestID, hostID string) {
	w.buf = append(w.buf, `<?xml version="1.0" encoding="UTF-8"?>`+"\n"...)
	w.open("Error")
	w.String("Code", code)
	w.String("Message", message)
	w.String("Resource", resource)
	w.String("RequestId", requestID)
	w.String("HostId", hostID)
	w.close("Error")
}

// Owner writes who owns something, in an element with that name.
func (w *Writer) Owner(name, id string) {
	w.open(name)
	w.String("ID", id)
	w.String("DisplayName", id)
	w.close(name)
}

// DeletionError writes that an object of several could not be deleted.
func (w *Writer) DeletionError(key, versionID, code, message string) {
	w.open("Error")
	w.String("Key", key)
	if versionID != "" {
		w.String("VersionId", versionID)
	}
	w.String("Code", code)
	w.String("Message", message)
	w.close("Error")
}
