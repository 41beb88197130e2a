package server

import (
	"sync"
	"sync/atomic"

	"github.com/prometheus/client_golang/prometheus"

	"iamserver/runtime/action"
	"iamserver/runtime/awsquery"
	"iamserver/runtime/identity"
	"iamserver/runtime/policy"
)

// A service is the table of one API with its transaction type taken out, so
// that all of them go through the same pipeline.
type service struct {
	action.Service

	rows     map[string]*row
	duration prometheus.Observer
}

// A row is one action.
type row struct {
	*action.Info

	permission policy.Action // iam:CreateUser
	parse      func(*awsquery.Decoder) action.Request
	handle     func(*identity.Tx, *call) (action.Response, error)
	single     atomic.Bool // read a single record, the last time that it succeeded
	succeeded  func() prometheus.Counter
}

// newService takes the rows of a table whose handlers run in what enter makes
// of a transaction and a call.
func newService[Tx any](m *metrics, vocabulary *policy.Vocabulary, table *action.Table[Tx], enter func(*identity.Tx, *call) Tx) *service {
	s := &service{Service: table.Service(), rows: map[string]*row{}}
	s.duration = m.duration.WithLabelValues(s.Name)
	for _, r := range table.Rows() {
		s.rows[r.Info.Name] = &row{
			Info:       r.Info,
			permission: vocabulary.Action(s.Name + ":" + r.Info.Name),
			parse:      r.Parse,
			succeeded:  sync.OnceValue(func() prometheus.Counter { return m.requests.WithLabelValues(s.Name, r.Info.Name, "") }),
			handle: func(tx *identity.Tx, c *call) (action.Response, error) {
				if c.prepared.Request != nil {
					return r.Handle(enter(tx, c), c.prepared.Request)
				}
				return r.Handle(enter(tx, c), c.input)
			},
		}
	}
	return s
}
