package action

// Value returns what an optional parameter holds, "" where the request lacks it.
func Value(parameter *string) string {
	if parameter == nil {
		return ""
	}
	return *parameter
}
