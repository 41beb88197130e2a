package server

import (
	"github.com/prometheus/client_golang/prometheus"

	"iamserver/runtime/apierror"
)

// metrics are what operators watch. Labels take their values from the
// specification, never from a request.
type metrics struct {
	requests *prometheus.CounterVec
	duration *prometheus.HistogramVec
	audit    prometheus.Counter
}

func newMetrics(r prometheus.Registerer) *metrics {
	m := &metrics{
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "iamserver_requests_total",
			Help: "Requests by service, action (empty: not known) and error code (empty: success).",
		}, []string{"service", "action", "code"}),
		duration: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name:    "iamserver_request_duration_seconds",
			Help:    "Time from the headers of a request to its response, by service.",
			Buckets: []float64{0.0001, 0.0005, 0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 30},
		}, []string{"service"}),
		audit: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "iamserver_audit_failures_total",
			Help: "Requests that could not be written to the audit log. Alarm on any increase.",
		}),
	}
	if r != nil {
		r.MustRegister(m.requests, m.duration, m.audit)
	}
	return m
}

// observe counts the call.
func (c *call) observe(err error) {
	if err == nil {
		c.row.succeeded().Inc()
	} else {
		action := ""
		if c.row != nil {
			action = c.row.Name
		}
		c.server.metrics.requests.WithLabelValues(c.service.Name, action, apierror.CodeOf(err)).Inc()
	}
	c.service.duration.Observe(c.server.config.Now().Sub(c.start).Seconds())
}
