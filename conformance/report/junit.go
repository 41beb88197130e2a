package report

import (
	"encoding/xml"
	"io"
	"path"
	"strings"

	"iamserver/conformance/replay"
)

type junitSuites struct {
	XMLName xml.Name     `xml:"testsuites"`
	Suites  []junitSuite `xml:"testsuite"`
}

type junitSuite struct {
	Name      string      `xml:"name,attr"`
	Tests     int         `xml:"tests,attr"`
	Failures  int         `xml:"failures,attr"`
	Skipped   int         `xml:"skipped,attr"`
	Timestamp string      `xml:"timestamp,attr"`
	Cases     []junitCase `xml:"testcase"`
}

type junitCase struct {
	Class   string        `xml:"classname,attr"`
	Name    string        `xml:"name,attr"`
	Seconds float64       `xml:"time,attr"`
	Failure *junitMessage `xml:"failure,omitempty"`
	Skipped *junitMessage `xml:"skipped,omitempty"`
}

type junitMessage struct {
	Message string `xml:"message,attr"`
	Text    string `xml:",chardata"`
}

// JUnit writes runs as JUnit XML, a suite for each.
func JUnit(to io.Writer, runs []*Run) error {
	var all junitSuites
	for _, r := range runs {
		n := r.Count()
		s := junitSuite{
			Name: r.Target, Tests: len(r.Results), Failures: n[replay.Failed], Skipped: n[replay.Skipped],
			Timestamp: r.Began.UTC().Format("2006-01-02T15:04:05"),
		}
		for i := range r.Results {
			s.Cases = append(s.Cases, junitOf(r.Target, &r.Results[i]))
		}
		all.Suites = append(all.Suites, s)
	}
	if _, err := io.WriteString(to, xml.Header); err != nil {
		return err
	}
	e := xml.NewEncoder(to)
	e.Indent("", " ")
	return e.Encode(all)
}

func junitOf(target string, r *replay.Result) junitCase {
	c := junitCase{Class: target + "." + path.Dir(r.Case), Name: path.Base(r.Case), Seconds: r.Duration.Seconds()}
	switch r.Outcome {
	case replay.Failed:
		c.Failure = &junitMessage{r.Sentence, explain(r)}
	case replay.Skipped:
		c.Skipped = &junitMessage{r.Reason, ""}
	case replay.Passed:
	}
	return c
}

// explain says what went wrong, in plain text.
func explain(r *replay.Result) string {
	var b strings.Builder
	if r.Reason != "" {
		b.WriteString(r.Reason + "\n")
	}
	for _, d := range r.Differences {
		b.WriteString(d.String() + "\n")
	}
	for _, l := range r.Left {
		b.WriteString("left behind: " + l + "\n")
	}
	return b.String()
}
