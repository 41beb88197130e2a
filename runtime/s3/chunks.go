package s3

import (
	"bufio"
	"crypto/sha256"
	"errors"
	"hash"
	"io"
	"strings"

	"iamserver/generated/s3err"
	"iamserver/runtime/sigv4"
)

const (
	// All chunks but the last have at least this many bytes.
	minChunk = 8 << 10
	// The longest line before a chunk, and the longest trailer.
	maxChunkLine = 256
	maxTrailer   = 1 << 10
)

// A chunkReader decodes a body in the coding aws-chunked:
//
//	400;chunk-signature=ad80…\r\n
//	… 1024 bytes …\r\n
//	0;chunk-signature=b6c6…\r\n
//	x-amz-checksum-crc32c:sOO8/Q==\r\n
//	x-amz-trailer-signature:d81f…\r\n
//	\r\n
//
// The signatures, and the trailer, are there according to the kind of payload.
// What Read returns has not been verified before Read has returned io.EOF.
type chunkReader struct {
	src       *bufio.Reader
	key       *sigv4.ChunkKey // nil if the chunks are not signed
	signed    bool            // the trailer is signed too
	checksum  *checksum       // that of the trailer; nil if there is none
	left      int64           // of the current chunk
	short     bool            // a chunk shorter than minChunk has been read
	signature string          // of the current chunk
	hash      hash.Hash       // of the data of the current chunk
	begun     bool
	err       error
}

// Read returns data of the chunks.
func (c *chunkReader) Read(p []byte) (int, error) {
	for c.err == nil && c.left == 0 {
		c.err = c.next()
	}
	if c.err != nil {
		return 0, c.err
	}
	if int64(len(p)) > c.left {
		p = p[:c.left]
	}
	n, err := c.src.Read(p)
	c.left -= int64(n)
	if c.hash != nil {
		c.hash.Write(p[:n])
	}
	if err != nil {
		c.err = unfinished(err)
	}
	return n, c.err
}

// unfinished is the error of a body that ends too early.
func unfinished(err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return s3err.BodyTooShort()
	}
	return err
}

// next finishes the current chunk and begins the next one; io.EOF says that
// there was none, and that everything has been verified.
func (c *chunkReader) next() error {
	if c.begun {
		if err := c.crlf(); err != nil {
			return err
		}
		if err := c.verifyChunk(); err != nil {
			return err
		}
	}
	size, err := c.header()
	if err != nil {
		return err
	}
	c.begun = true
	if size == 0 {
		if err := c.verifyChunk(); err != nil {
			return err
		}
		if err := c.trailer(); err != nil {
			return err
		}
		return io.EOF
	}
	if c.short {
		return s3err.ChunkTooSmall()
	}
	c.short = size < minChunk
	c.left = size
	return nil
}

func (c *chunkReader) verifyChunk() error {
	if c.key == nil {
		return nil
	}
	var sum [sha256.Size]byte
	c.hash.Sum(sum[:0])
	c.hash.Reset()
	return c.key.Chunk(c.signature, sum)
}

func (c *chunkReader) crlf() error {
	var end [2]byte
	if _, err := io.ReadFull(c.src, end[:]); err != nil {
		return unfinished(err)
	}
	if string(end[:]) != "\r\n" {
		return s3err.MalformedChunks()
	}
	return nil
}

// header reads the line before a chunk.
func (c *chunkReader) header() (size int64, err error) {
	line, err := c.line()
	if err != nil {
		return 0, err
	}
	digits, extension, extended := strings.Cut(line, ";")
	if c.key != nil {
		var ok bool
		if c.signature, ok = strings.CutPrefix(extension, "chunk-signature="); !ok {
			return 0, s3err.MalformedChunks()
		}
	} else if extended {
		return 0, s3err.MalformedChunks()
	}
	if digits == "" || len(digits) > 12 {
		return 0, s3err.MalformedChunks()
	}
	for i := range len(digits) {
		v := unhex(digits[i])
		if v > 0xF {
			return 0, s3err.MalformedChunks()
		}
		size = size<<4 | int64(v)
	}
	return size, nil
}

// line reads a line that ends in CRLF, without it.
func (c *chunkReader) line() (string, error) {
	line, err := c.src.ReadSlice('\n')
	switch {
	case errors.Is(err, bufio.ErrBufferFull):
		return "", s3err.MalformedChunks()
	case err != nil:
		return "", unfinished(err)
	case len(line) > maxChunkLine || len(line) < 2 || line[len(line)-2] != '\r':
		return "", s3err.MalformedChunks()
	}
	return string(line[:len(line)-2]), nil
}

// trailer reads what follows the last chunk, to the end of the body. Clients
// differ in how they end its lines, and the body: with LF, CRLF, or both.
func (c *chunkReader) trailer() error {
	text, err := io.ReadAll(io.LimitReader(c.src, maxTrailer+1))
	switch {
	case err != nil:
		return unfinished(err)
	case len(text) > maxTrailer:
		return s3err.MalformedTrailer()
	}
	var signature, lines string
	for line := range strings.SplitSeq(string(text), "\n") {
		line = strings.Trim(line, "\r")
		if line == "" {
			continue
		}
		name, value, ok := strings.Cut(line, ":")
		name, value = strings.ToLower(name), strings.TrimSpace(value)
		switch {
		case !ok:
			return s3err.MalformedTrailer()
		case name == "x-amz-trailer-signature" && c.signed && signature == "":
			signature = value
		case c.checksum != nil && name == strings.ToLower(c.checksum.header) && lines == "":
			lines = name + ":" + value + "\n"
			if err := c.checksum.expect(value); err != nil {
				return err
			}
		default:
			return s3err.MalformedTrailer()
		}
	}
	if c.checksum != nil && lines == "" {
		return s3err.MalformedTrailer()
	}
	if c.signed {
		return c.key.Trailer(signature, sha256.Sum256([]byte(lines)))
	}
	return nil
}
