package host

import (
	"bytes"
	"context"
	"log/slog"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/prometheus/client_golang/prometheus"
	"golang.org/x/time/rate"
)

const (
	logBytesPerCall = 4 << 10
	logLinesPerTime = 100 // a second, for each plugin
)

// A guestLog takes what the instances of a plugin write to the server's log.
type guestLog struct {
	logger  *slog.Logger // has the plugin's name and hash
	limiter *rate.Limiter
	now     func() time.Time
	dropped prometheus.Counter
}

// A logWriter is the log of one instance.
type logWriter struct {
	*guestLog

	left  int    // bytes that the present call may still write
	begun []byte // the beginning of a line written to standard output or error
}

// reset allows a new call its share.
func (l *logWriter) reset() { l.left = logBytesPerCall }

// line logs text, as far as the call and the plugin may.
func (l *logWriter) line(requestID string, level slog.Level, text []byte) {
	if l.left <= 0 {
		l.dropped.Inc()
		return
	}
	text = text[:min(len(text), l.left)]
	l.left -= max(len(text), 1)
	if !l.limiter.AllowN(l.now(), 1) {
		l.dropped.Inc()
		return
	}
	ctx := context.Background()
	if !l.logger.Enabled(ctx, level) {
		return
	}
	l.logger.LogAttrs(ctx, level, "plugin says", slog.String("text", printable(text)), slog.String("request_id", requestID))
}

// write logs each line of what is written bit by bit.
func (l *logWriter) write(requestID string, data []byte) {
	for len(data) > 0 {
		if l.left <= 0 {
			// However many lines there are, none of them takes time.
			l.dropped.Inc()
			l.begun = l.begun[:0]
			return
		}
		line, rest, ended := bytes.Cut(data, []byte("\n"))
		room := max(logBytesPerCall-len(l.begun), 0)
		l.begun = append(l.begun, line[:min(len(line), room)]...)
		if !ended {
			return
		}
		l.line(requestID, slog.LevelInfo, l.begun)
		l.begun, data = l.begun[:0], rest
	}
}

// printable replaces what could pretend to be another line, or confuse a terminal.
func printable(text []byte) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f || r == utf8.RuneError || r >= 0x80 && r < 0xa0 || r == 0x2028 || r == 0x2029 || r >= 0x202a && r <= 0x202e || r >= 0x2066 && r <= 0x2069 {
			return '\uFFFD'
		}
		return r
	}, string(text))
}
