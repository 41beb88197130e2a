package report_test

import (
	"bytes"
	"encoding/xml"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"iamserver/conformance"
	"iamserver/conformance/replay"
	"iamserver/conformance/report"
)

func runs() []*report.Run {
	began := time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC)
	result := func(name, action string, o replay.Outcome) replay.Result {
		return replay.Result{Case: name, Sentence: "It is so.", Level: conformance.AWS, Actions: []string{action}, Outcome: o, Duration: time.Second / 4}
	}
	failed := result("users/b", "GetUser", replay.Failed)
	failed.Differences = []replay.Difference{{Step: 2, Where: "/A/B", Want: `"<1>"`, Got: `"2"`, Why: "programs act on the value"}}
	failed.Request, failed.Answer = "POST /\nAction=GetUser", "200\n<script>alert(1)</script>"
	failed.Sources = []string{"https://docs.aws.amazon.com/IAM/latest/APIReference/API_GetUser.html", "javascript:alert(1)"}
	failed.Left = []string{"user x"}
	skipped := result("users/c", "ListUsers", replay.Skipped)
	skipped.Reason = "the target has no ListUsers"
	return []*report.Run{
		{Target: "ours", Began: began, Levels: []string{"aws"}, Results: []replay.Result{
			result("users/a", "GetUser", replay.Passed), result("users/b", "GetUser", replay.Passed), result("users/c", "ListUsers", replay.Passed),
		}},
		{Target: "a|nother", Version: "1.0", Began: began, Levels: []string{"aws"}, Results: []replay.Result{
			result("users/a", "GetUser", replay.Passed), failed, skipped,
		}},
	}
}

func TestSamples(t *testing.T) {
	var b bytes.Buffer
	require.NoError(t, report.Samples(&b, runs(), "seed", 3))
	require.Equal(t, "| target | case | where | expected | got |\n|---|---|---|---|---|\n"+
		"| a\\|nother | users/b | step 2, /A/B | \"<1>\" | \"2\" |\n", b.String())
}

// The same seed chooses the same, in whatever order the results are; another
// seed does not.
func TestSampleIsReproducible(t *testing.T) {
	var r report.Run
	for _, name := range strings.Split("abcdefghij", "") {
		r.Results = append(r.Results, replay.Result{Case: name, Outcome: replay.Failed})
	}
	r.Results = append(r.Results, replay.Result{Case: "passed", Outcome: replay.Passed})
	names := func(seed string, n int) (names []string) {
		for _, f := range report.Sample(&r, seed, n) {
			names = append(names, f.Case)
		}
		return names
	}
	first := names("1", 4)
	require.Len(t, first, 4)
	slices.Reverse(r.Results)
	require.Equal(t, first, names("1", 4))
	require.NotEqual(t, first, names("2", 4))
	require.Len(t, names("1", 100), 10)
}

func TestMarkdown(t *testing.T) {
	var b bytes.Buffer
	require.NoError(t, report.Markdown(&b, runs()))
	require.Equal(t, `| action | ours | a\|nother |
|---|---|---|
| GetUser | 2/2 | 1/2 |
| ListUsers | 1/1 | – |
| **all** | **3/3** | **1/2** |
`, b.String())
}

func TestJUnit(t *testing.T) {
	var b bytes.Buffer
	require.NoError(t, report.JUnit(&b, runs()[1:]))
	require.Equal(t, xml.Header+`<testsuites>
 <testsuite name="a|nother" tests="3" failures="1" skipped="1" timestamp="2026-03-04T05:06:07">
  <testcase classname="a|nother.users" name="a" time="0.25"></testcase>
  <testcase classname="a|nother.users" name="b" time="0.25">
   <failure message="It is so.">step 2, /A/B: programs act on the value&#xA;  want &#34;&lt;1&gt;&#34;&#xA;  got  &#34;2&#34;&#xA;left behind: user x&#xA;</failure>
  </testcase>
  <testcase classname="a|nother.users" name="c" time="0.25">
   <skipped message="the target has no ListUsers"></skipped>
  </testcase>
 </testsuite>
</testsuites>`, b.String())
}

// What is written is read again as it was.
func TestJSON(t *testing.T) {
	for _, r := range runs() {
		var b bytes.Buffer
		require.NoError(t, report.JSON(&b, r))
		again, err := report.Read(&b)
		require.NoError(t, err)
		require.Equal(t, r, again)
	}
	_, err := report.Read(bytes.NewBufferString(`{"Target":"x"}`))
	require.EqualError(t, err, "results of a run: there is no target, or no result")
	_, err = report.Read(bytes.NewBufferString(`{"Targets":"x"}`))
	require.EqualError(t, err, `results of a run: json: unknown field "Targets"`)
}

// The page needs nothing from elsewhere, every link of the matrix leads
// somewhere on it, and what a target answered is shown and not run.
func TestHTML(t *testing.T) {
	var b bytes.Buffer
	require.NoError(t, report.HTML(&b, runs()))
	page := b.String()
	require.NotRegexp(t, `<(script|link|img|iframe|object)\b|@import|url\(`, page)
	require.NotContains(t, page, `href="javascript:`)
	require.Contains(t, page, "&lt;script&gt;alert(1)&lt;/script&gt;")
	links := regexp.MustCompile(`href="#([^"]+)"`).FindAllStringSubmatch(page, -1)
	require.NotEmpty(t, links)
	for _, l := range links {
		require.Contains(t, page, `id="`+l[1]+`"`)
	}
	require.Contains(t, page, `<td class="some"><a href="#GetUser-1">1/2</a></td>`)
	require.Contains(t, page, "Expected <code>&#34;&lt;1&gt;&#34;</code>")
}
