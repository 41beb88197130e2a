package s3

import (
	"bytes"
	"context"
	"errors"
	"net"
	"sync/atomic"
	"syscall"
)

// answeredDial dials connections that let a store answer before it has the whole
// request. A store that refuses an upload for its headers answers and closes; what
// is written after that fails, and net/http then forgets the answer that lies there.
func answeredDial(dial func(ctx context.Context, network, address string) (net.Conn, error)) func(ctx context.Context, network, address string) (net.Conn, error) {
	return func(ctx context.Context, network, address string) (net.Conn, error) {
		conn, err := dial(ctx, network, address)
		if err != nil {
			return nil, err
		}
		return &answeredConn{Conn: conn}, nil
	}
}

// An answeredConn takes no notice of a store that stops to read in the middle of a
// request: whether there is an answer, reading tells. Where nothing of a request has
// been written yet, the failure is told, so that it is sent again over another
// connection.
type answeredConn struct {
	net.Conn

	asked  atomic.Bool // something was written since the last answer began
	closed atomic.Bool // the store reads no more
}

// Write implements net.Conn.
func (c *answeredConn) Write(p []byte) (int, error) {
	if c.closed.Load() {
		return len(p), nil
	}
	n, err := c.Conn.Write(p)
	if (errors.Is(err, syscall.EPIPE) || errors.Is(err, syscall.ECONNRESET)) && (c.asked.Load() || n > 0) {
		c.closed.Store(true)
		return len(p), nil
	}
	if n > 0 {
		c.asked.Store(true)
	}
	return n, err
}

// Read implements net.Conn.
func (c *answeredConn) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	if n > 0 && !bytes.HasPrefix(p[:n], []byte("HTTP/1.1 1")) { // 100 is no answer yet
		c.asked.Store(false)
	}
	return n, err
}
