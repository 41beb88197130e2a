package action

// ConditionKeys are the values of the condition keys that the parameters of a
// request give; what is empty is absent.
type ConditionKeys struct {
	// Tags are those of aws:RequestTag and aws:TagKeys.
	Tags []Tag
	// TagKeys are further values of aws:TagKeys.
	TagKeys []string
	// PolicyARN is that of iam:PolicyARN.
	PolicyARN string
	// PermissionsBoundary is the ARN that iam:PermissionsBoundary has where the
	// request names it; elsewhere it is that of the resource.
	PermissionsBoundary string
}

// A Tag is a tag that a request gives.
type Tag struct {
	Key, Value string
}

// Conditioned is implemented by the requests whose parameters are values of
// condition keys.
type Conditioned interface {
	Request
	// ConditionKeys sets the fields of k that the request gives.
	ConditionKeys(k *ConditionKeys)
}
