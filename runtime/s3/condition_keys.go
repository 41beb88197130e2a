package s3

import (
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"iamserver/runtime/operation"
)

// Facts are what the authorization has to know of a body, by the names of the
// specification: tags, tag-keys, retention-mode, retain-until-date,
// legal-hold, location-constraint. A tag is "tags/NAME".
type Facts map[string][]string

// SetFacts tells the request what its body holds.
func (r *Request) SetFacts(f Facts) { r.facts = f }

// ConditionKey returns the row of a condition key that the operation supplies
// for a need, and, where the key is one of a tag, the name of the tag; nil if it
// does not supply it. Names of condition keys compare without regard to case.
func (r *Request) ConditionKey(n *Need, name string) (key *operation.Key, tag string) {
	for i := range r.Operation.Keys {
		k := &r.Operation.Keys[i]
		if len(k.Of) > 0 && !slices.Contains(k.Of, n.Action) {
			continue
		}
		if !strings.HasSuffix(k.Name, "/") {
			if strings.EqualFold(k.Name, name) {
				return k, ""
			}
			continue
		}
		if n := len(k.Name); len(name) > n && strings.EqualFold(name[:n], k.Name) {
			return k, name[n:]
		}
	}
	return nil, ""
}

// Values returns the values of a condition key for a need, on the clock now; ok
// is false where it is absent. It is for every source but the store: what that
// knows of the object of the need has to be asked for.
func (r *Request) Values(n *Need, k *operation.Key, tag string, now time.Time) (values []string, ok bool) {
	switch k.Source {
	case operation.FromHeader:
		if k.Param == copySource {
			// Not as the client wrote it: a policy must not be walked around with
			// another way to write the same source.
			return []string{r.Source.Bucket + "/" + r.Source.Key}, r.Source.Bucket != ""
		}
		return one(r.Header(k.Param))
	case operation.FromQuery:
		value, ok := r.Parameter(k.Param)
		if value == "" && k.Default != "" {
			value, ok = k.Default, true
		}
		return one(value, ok)
	case operation.FromTags, operation.FromTagKeys:
		header, ok := r.Header(k.Param)
		if !ok {
			return nil, false
		}
		tags, err := parseTags(header)
		if err != nil {
			return nil, false
		}
		if k.Source == operation.FromTagKeys {
			return tags.keys(), true
		}
		return one(tags.value(tag))
	case operation.FromDays:
		header, ok := r.Header(k.Param)
		if !ok {
			return nil, false
		}
		days, ok := daysUntil(header, now)
		return one(days, ok)
	case operation.FromBody:
		param := k.Param
		if tag != "" {
			key, ok := sameTagKey(r.facts["tag-keys"], tag)
			if !ok {
				return nil, false
			}
			param += "/" + key
		}
		if param == "remaining-retention-days" {
			date := r.facts["retain-until-date"]
			if len(date) == 0 {
				return nil, false
			}
			days, ok := daysUntil(date[0], now)
			return one(days, ok)
		}
		values, ok = r.facts[param]
		return values, ok
	case operation.Constant:
		return []string{k.Param}, true
	case operation.FromNeed:
		if k.Param == "etag" {
			return one(n.ETag, n.ETag != "")
		}
		return one(n.VersionID, n.VersionID != "")
	case operation.FromStore:
	}
	return nil, false
}

// sameTagKey finds the tag key that a condition key is about: the one that is
// written the same, and where there is none one that is without regard to case.
func sameTagKey(keys []string, key string) (string, bool) {
	i := slices.Index(keys, key)
	if i < 0 {
		i = slices.IndexFunc(keys, func(has string) bool { return strings.EqualFold(has, key) })
	}
	if i < 0 {
		return "", false
	}
	return keys[i], true
}

func one(value string, ok bool) ([]string, bool) {
	if !ok {
		return nil, false
	}
	return []string{value}, true
}

// daysUntil is the number of days until a date, begun ones included, so that
// "ten days from now" is ten however long the request took.
func daysUntil(date string, now time.Time) (string, bool) {
	t, err := time.Parse(time.RFC3339, date)
	if err != nil {
		return "", false
	}
	return strconv.FormatFloat(math.Ceil(t.Sub(now).Hours()/24), 'f', 0, 64), true
}
