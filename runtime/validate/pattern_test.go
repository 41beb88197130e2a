package validate

import (
	"regexp"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"
)

// patterns are those of AWS's models of IAM and STS, and some that only test
// the matcher. Expression is the same in Go's syntax, written by hand where the
// two differ.
var patterns = []struct {
	source     string
	expression string
	matches    []string
	refuses    []string
}{
	{`[\w+=,.@-]+`, ``, []string{"alice", "a+b=c,d.e@f-g_H0"}, []string{"", "a b", "a/b", "é", "alice\n", "a\x00"}},
	{`[\w+=,.@-]*`, ``, []string{"", "alice"}, []string{"a/b"}},
	{`[\w+=,.@:-]*`, ``, []string{"", "a:b"}, []string{"a/b"}},
	{`[\w+=,.@\:-]*`, ``, []string{"", "a:b"}, []string{"a/b", `a\b`}},
	{`[\w+=,.@:\/-]*`, ``, []string{"", "a:/b"}, []string{`a\b`}},
	{`[\w+=/:,.@-]+`, ``, []string{"arn:aws:iam::1:mfa/x"}, []string{"", "a b"}},
	{`[\w+=/:,.@-]*`, ``, []string{"", "arn:aws:iam::1:mfa/x"}, []string{"a b"}},
	{`[\w]+`, ``, []string{"AKIAIOSFODNN7EXAMPLE", "_"}, []string{"", "a-b", "\u017F", "\u212A"}},
	{`[\w]*`, ``, []string{"", "AKIA"}, []string{"-"}},
	{`[\w-]+`, ``, []string{"a-b"}, []string{"", "a.b"}},
	{`[\w-]*`, ``, []string{"", "a-b"}, []string{"a.b"}},
	{`[\w._-]+`, ``, []string{"a._-b"}, []string{"", "a+b"}},
	{`[:\w]+`, ``, []string{"12:ab"}, []string{"", "12-ab"}},
	{`[A-Z0-9]+`, ``, []string{"A1"}, []string{"", "a1"}},
	{`[\d]+`, ``, []string{"012345"}, []string{"", "a", "٣"}},
	{`[\d]*`, ``, []string{"", "012345"}, []string{"a"}},
	{`\d{12}`, ``, []string{"000000000000"}, []string{"", "00000000000", "0000000000000"}},
	{`[ -~]+`, ``, []string{" ~a"}, []string{"", "\x7F", "é", "\t"}},
	{`[\u0020-\u00FF]+`, `[\x{20}-\x{FF}]+`, []string{" aÿ"}, []string{"", "\x1F", "Ā"}},
	{`[\u0009\u000A\u000D\u0020-\u00FF]+`, `[\t\n\r -ÿ]+`, []string{"{\n\t\"a\": \"ÿ\"\r\n}"}, []string{"", "\x00", "Ā", "😀"}},
	{`[\u0009\u000A\u000D\u0020-\u007E\u00A1-\u00FF]*`, `[\t\n\r -~¡-ÿ]*`, []string{"", "a\n¡ÿ"}, []string{"\x7F", "\u00A0"}},
	{`[\u0009\u000A\u000D\u0020-\u007E\u00A1-\u00FF]+`, `[\t\n\r -~¡-ÿ]+`, []string{"a\n¡ÿ"}, []string{"", "\u00A0"}},
	// Java reads \u10000-\u10FFFF as U+1000, 0 to U+10FF, F, F.
	{
		`[\u0009\u000A\u000D\u0020-\u007E\u0085\u00A0-\uD7FF\uE000-\uFFFD\u10000-\u10FFFF]+`, `[\t\n\r -~\x{85}\x{A0}-\x{D7FF}\x{E000}-\x{FFFD}\x{1000}0-\x{10FF}F]+`,
		[]string{"arn:aws:iam::1:role/é", "日本", "\uFFFD"},
		[]string{"", "😀", "\x1F", "\uFFFE"},
	},
	{`\u002F[\u0021-\u007E]*`, `/[!-~]*`, []string{"/", "/a/b/", "//"}, []string{"", "a", "/a b", "/\x7F"}},
	{`\u002F[\u0021-\u007F]*`, `/[!-\x{7F}]*`, []string{"/", "/a/b/", "/\x7F"}, []string{"", "a", "/a b"}},
	{`(\u002F)|(\u002F[\u0021-\u007E]+\u002F)`, `/|/[!-~]+/`, []string{"/", "/a/", "///", "/a/b/"}, []string{"", "//", "/a", "a/", "/a b/"}},
	{`((/[A-Za-z0-9\.,\+@=_-]+)*)/`, ``, []string{"/", "/a/", "/a/b.c/"}, []string{"", "//", "/a", "/a//b/"}},
	{`[\p{L}\p{Z}\p{N}_.:/=+\-@]+`, ``, []string{"Кey 1/ü", "日\u2028本", "٣"}, []string{"", "a*b", "a\tb", "😀"}},
	{`[\p{L}\p{Z}\p{N}_.:/=+\-@]*`, ``, []string{"", "a b"}, []string{"a,b"}},
	{`v[1-9][0-9]*(\.[A-Za-z0-9-]*)?`, ``, []string{"v1", "v10.a-b", "v1."}, []string{"", "v0", "v", "v1.a.b", "1"}},
	{`^o-[a-z0-9]{10,32}$`, ``, []string{"o-0123456789"}, []string{"o-012345678", "o-" + strings.Repeat("a", 33), "xo-0123456789"}},
	{`^p-[0-9a-zA-Z_]{8,128}$`, ``, []string{"p-01234567"}, []string{"p-0123456", "p-" + strings.Repeat("a", 129)}},
	{`^o-[0-9a-z]{10,32}\/r-[0-9a-z]{4,32}[0-9a-z-\/]*`, ``, []string{"o-0123456789/r-0123/ou-1"}, []string{"o-0123456789/r-012"}},
	{`^[a-zA-Z0-9:_.-]+$`, ``, []string{"a:b"}, []string{"", "a/b"}},
	{`^[a-zA-Z0-9:/+=,.@_-]+$`, ``, []string{"a:/b"}, []string{"", "a b"}},
	{`^http(s?)://[a-zA-Z0-9._/-]*(\?[a-zA-Z0-9._=&-]*)?(#[a-zA-Z0-9._/-]*)?$`, ``, []string{"https://a.b/c?d=e#f", "http://"}, []string{"ftp://a", "https://a b"}},
	// The account alias, whose look-ahead Go does not have.
	{`[a-z0-9](-?[a-z0-9])*`, ``, []string{"a", "my-alias-1"}, []string{"", "-a", "a-", "a--b", "A"}},
	{`.`, ``, []string{"a", "é", "😀"}, []string{"", "\n", "ab"}},
	{`(?s).*`, ``, []string{"", "a\nb"}, nil},
	{`^$`, ``, []string{""}, []string{"a", "\n"}},
	{`$^`, ``, []string{""}, []string{"a"}},
	{`(^a|b$)*c?`, ``, []string{"", "a", "ac", "c", "b", "ab"}, []string{"bc", "aa", "ba"}},
	{`(a|ab)(c|bcd)(d*)`, ``, []string{"abcd", "ac", "abcdd"}, []string{"ab", "abdc"}},
	// These need regexp.
	{`(?i)k+`, ``, []string{"k", "kK\u212A"}, []string{"", "l"}},
	{`\bwords? \b.*`, ``, []string{"word x"}, []string{"word ", "words"}},
	{`(?m)a$\n^b`, ``, []string{"a\nb"}, []string{"a", "ab"}},
	{`[ab]*a[ab]{10}`, ``, []string{"abbbbbbbbbb"}, []string{"bbbbbbbbbbb"}},
}

// matchers pairs each pattern with the regexp that defines it.
func matchers() (fast []*Pattern, slow []*regexp.Regexp) {
	for _, tt := range patterns {
		expression := tt.expression
		if expression == "" {
			expression = tt.source
		}
		fast = append(fast, MustPattern(tt.source))
		slow = append(slow, regexp.MustCompile(`^(?:`+expression+`)$`))
	}
	return fast, slow
}

func TestPattern(t *testing.T) {
	for _, tt := range patterns {
		t.Run(tt.source, func(t *testing.T) {
			p := MustPattern(tt.source)
			require.Equal(t, tt.source, p.String())
			for _, s := range tt.matches {
				require.True(t, p.Match(s), "%q", s)
			}
			for _, s := range tt.refuses {
				require.False(t, p.Match(s), "%q", s)
			}
			require.False(t, p.Match("\xFF"), "not UTF-8")
			require.False(t, p.Match("a\xC3"), "not UTF-8")
		})
	}
}

func TestPatternsOfAWSNeedNoRegexp(t *testing.T) {
	for _, tt := range patterns {
		p := MustPattern(tt.source)
		needsRegexp := strings.HasPrefix(tt.source, "(?i)") || strings.HasPrefix(tt.source, "(?m)") || strings.HasPrefix(tt.source, `\b`) || strings.HasPrefix(tt.source, "[ab]")
		require.Equal(t, needsRegexp, p.fast == nil, tt.source)
		require.Equal(t, needsRegexp, p.slow != nil, tt.source)
	}
}

// Every short string of these characters, and many single characters of the
// first two planes.
func TestPatternIsRegexp(t *testing.T) {
	alphabet := []string{"/", "a", "b", "0", "1", "v", ".", "-", " ", "\n", "é", "😀", "\xFF", "\xC3"}
	words := []string{""}
	for _, a := range alphabet {
		words = append(words, a)
		for _, b := range alphabet {
			words = append(words, a+b)
			for _, c := range alphabet {
				words = append(words, a+b+c)
			}
		}
	}
	for r := rune(0); r < 0x20000; r++ {
		if r < 0x300 || r%31 == 0 || (r > 0xD700 && r < 0xE010) || (r > 0xFFF0 && r < 0x10010) {
			words = append(words, string(r))
		}
	}
	fast, slow := matchers()
	for i, p := range fast {
		for _, s := range words {
			if got, want := p.Match(s), utf8.ValidString(s) && slow[i].MatchString(s); got != want {
				t.Fatalf("%s matches %q: %v, regexp: %v", p, s, got, want)
			}
		}
	}
}

func TestMustPatternPanicsOnWhatCannotBeCompiled(t *testing.T) {
	for _, source := range []string{`a(?!b)`, `[`, `\u12`, `\`, `\u00G0`} {
		require.Panics(t, func() { MustPattern(source) }, source)
	}
}

func TestFromJava(t *testing.T) {
	for _, tt := range []struct{ name, source, want string }{
		{"an escape", `[\u0020-\u00ff]`, `[\x{0020}-\x{00ff}]`},
		{"exactly four digits", `\u10000`, `\x{1000}0`},
		{"an escaped backslash before a u", `\\u0041`, `\\u0041`},
		{"other escapes", `\w\.`, `\w\.`},
		{"a backslash at the end", `a\`, `a\`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			require.Equal(t, tt.want, fromJava(tt.source))
		})
	}
}

func FuzzPattern(f *testing.F) {
	for _, tt := range patterns {
		for _, s := range tt.matches {
			f.Add(s)
		}
		for _, s := range tt.refuses {
			f.Add(s)
		}
	}
	fast, slow := matchers()
	f.Fuzz(func(t *testing.T, s string) {
		for i, p := range fast {
			if got, want := p.Match(s), utf8.ValidString(s) && slow[i].MatchString(s); got != want {
				t.Fatalf("%s matches %q: %v, regexp: %v", p, s, got, want)
			}
		}
	})
}

func BenchmarkPattern(b *testing.B) {
	for _, bb := range []struct{ name, source, value string }{
		{"user name", `[\w+=,.@-]+`, "some.body@example.com"},
		{"path", `(\u002F)|(\u002F[\u0021-\u007E]+\u002F)`, "/division/department/"},
		{"tag key", `[\p{L}\p{Z}\p{N}_.:/=+\-@]+`, "Kostenstelle für Bücher"},
		{"policy document", `[\u0009\u000A\u000D\u0020-\u00FF]+`, strings.Repeat(`{"Version":"2012-10-17"}`, 100)},
	} {
		p, re := MustPattern(bb.source), regexp.MustCompile(`^(?:`+fromJava(bb.source)+`)$`)
		b.Run(bb.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if !p.Match(bb.value) {
					b.Fatal("no match")
				}
			}
		})
		b.Run(bb.name+" regexp", func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if !re.MatchString(bb.value) {
					b.Fatal("no match")
				}
			}
		})
	}
}

// All patterns of a service are prepared when a program starts.
func BenchmarkMustPattern(b *testing.B) {
	for _, source := range []string{`[\w+=,.@-]+`, `[\p{L}\p{Z}\p{N}_.:/=+\-@]+`, `^p-[0-9a-zA-Z_]{8,128}$`} {
		b.Run(source, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				MustPattern(source)
			}
		})
	}
}
