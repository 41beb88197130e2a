package host

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/tetratelabs/wazero/sys"
)

// A Class is a sort of failure, for metrics and for the audit log.
type Class string

// The sorts of failures.
const (
	OutOfFuel    Class = "fuel"        // executed more than the limit
	OutOfTime    Class = "time"        // took longer than the limit
	Trapped      Class = "trap"        // trapped, exited, or could not be started
	BadOutput    Class = "output"      // answered what is not a message, too long or out of range
	BadAnswer    Class = "answer"      // answered a message that breaks the rules of the hook
	TooMuchInput Class = "input"       // the question is too long for it
	Busy         Class = "busy"        // no instance became free in time
	Broken       Class = "breaker"     // failed so often that it is not asked for a while
	Cancelled    Class = "cancelled"   // the request ended before the plugin did
	Unavailable  Class = "unavailable" // was closed, or the server could not make the question
)

// A PluginError says that a plugin did not do its work. Whoever asked must deny
// or refuse; the client is told nothing of it.
type PluginError struct {
	Plugin string // empty where all of them are meant
	Hook   Hook
	Class  Class
	Err    error
}

func (f *PluginError) Error() string {
	who := "plugins"
	if f.Plugin != "" {
		who = "plugin " + f.Plugin
	}
	return fmt.Sprintf("%s: %s: %s: %v", who, f.Hook, f.Class, f.Err)
}

// Unwrap returns what went wrong.
func (f *PluginError) Unwrap() error { return f.Err }

// blames tells whether the plugin is at fault, and its breaker counts it.
func (c Class) blames() bool {
	switch c {
	case OutOfFuel, OutOfTime, Trapped, BadOutput, BadAnswer:
		return true
	default:
		return false
	}
}

// callers tells whether it was up to whoever made the request, who must not choose
// that a plugin has no say in it.
func (c Class) callers() bool { return c == TooMuchInput || c == Cancelled }

// Reasons for which running code is stopped: host functions panic with them,
// and the runtime returns them wrapped.
var (
	errFuel = errors.New("fuel is used up")
	errTime = errors.New("time is used up")
	errHost = errors.New("a host function was called with a bad pointer")
)

var errClosed = errors.New("the set was closed")

// classOf sorts an error of running code.
func classOf(err error) Class {
	switch {
	case errors.Is(err, errFuel):
		return OutOfFuel
	case errors.Is(err, errTime):
		return OutOfTime
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return Cancelled
	default:
		return Trapped
	}
}

// brief is the first line of an error of the runtime, which may go on with a
// stack trace of any length.
func brief(err error) error {
	var exit *sys.ExitError
	if errors.As(err, &exit) {
		return fmt.Errorf("exited with code %d", exit.ExitCode())
	}
	line, _, more := strings.Cut(err.Error(), "\n")
	if !more {
		return err
	}
	// What our functions panic with.
	return &briefError{strings.TrimSuffix(line, " (recovered by wazero)"), err}
}

type briefError struct {
	text string
	err  error
}

func (e *briefError) Error() string { return e.text }
func (e *briefError) Unwrap() error { return e.err }
