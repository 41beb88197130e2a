package host

import "github.com/prometheus/client_golang/prometheus"

// metrics are those of all plugins.
type metrics struct {
	calls     *prometheus.CounterVec
	failures  *prometheus.CounterVec
	duration  *prometheus.HistogramVec
	fuel      *prometheus.HistogramVec
	instances *prometheus.GaugeVec
	dropped   *prometheus.CounterVec
}

func newMetrics(r prometheus.Registerer) *metrics {
	hook := []string{"plugin", "hook"}
	m := &metrics{
		calls: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "iamserver_plugin_calls_total",
			Help: "Answers of plugins, by hook and answer.",
		}, []string{"plugin", "hook", "answer"}),
		failures: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "iamserver_plugin_failures_total",
			Help: "Questions that plugins did not answer, by hook and sort of failure. Each denied or refused a request, unless on_error is abstain.",
		}, []string{"plugin", "hook", "class"}),
		duration: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name:    "iamserver_plugin_duration_seconds",
			Help:    "Time that plugins ran, with waiting for an instance.",
			Buckets: []float64{0.000001, 0.000003, 0.00001, 0.00003, 0.0001, 0.0003, 0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1},
		}, hook),
		fuel: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name:    "iamserver_plugin_fuel",
			Help:    "Fuel that calls used, about a unit for an instruction.",
			Buckets: prometheus.ExponentialBuckets(1000, 10, 7),
		}, hook),
		instances: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Name: "iamserver_plugin_instances",
			Help: "Instances of plugins, at work and idle.",
		}, []string{"plugin"}),
		dropped: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "iamserver_plugin_log_dropped_total",
			Help: "Lines that plugins wrote beyond their share of the log.",
		}, []string{"plugin"}),
	}
	if r != nil {
		r.MustRegister(m.calls, m.failures, m.duration, m.fuel, m.instances, m.dropped)
	}
	return m
}

// forget drops the series of a plugin that is gone.
func (m *metrics) forget(plugin string) {
	labels := prometheus.Labels{"plugin": plugin}
	m.calls.DeletePartialMatch(labels)
	m.failures.DeletePartialMatch(labels)
	m.duration.DeletePartialMatch(labels)
	m.fuel.DeletePartialMatch(labels)
	m.instances.DeletePartialMatch(labels)
	m.dropped.DeletePartialMatch(labels)
}

// hookMetrics are those of one hook of one plugin, looked up once.
type hookMetrics struct {
	answers  map[string]prometheus.Counter
	duration prometheus.Observer
	fuel     prometheus.Observer
}

func (m *metrics) of(plugin string, hook Hook, answers []string) *hookMetrics {
	h := &hookMetrics{answers: map[string]prometheus.Counter{}, duration: m.duration.WithLabelValues(plugin, string(hook)), fuel: m.fuel.WithLabelValues(plugin, string(hook))}
	for _, a := range answers {
		h.answers[a] = m.calls.WithLabelValues(plugin, string(hook), a)
	}
	return h
}
