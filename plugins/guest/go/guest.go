//go:build wasip1

// Package guest is what a plugin in Go is made of: the exports that every
// module has, and Answer, which a hook's export calls. It is not for the
// server; see package host for what is on the other side.
//
//	//go:wasmexport iam_v1_authorize
//	func authorize(question, length uint32) uint64 {
//		return guest.Answer(question, length, func(r *pluginapi.AuthorizeRequest) *pluginapi.AuthorizeResponse {
//			return nil // abstains
//		})
//	}
//
//	func main() {}
//
// It is built with GOOS=wasip1 GOARCH=wasm go build -buildmode=c-shared. A
// panic is a failure of the plugin: the server denies or refuses.
package guest

import (
	"unsafe"

	"iamserver/plugins/wire"
)

// input and output stay where they are until the next question.
var input, output []byte

//go:wasmexport iam_v1_buffer
func buffer(size uint32) unsafe.Pointer {
	if uint32(len(input)) < size {
		input = make([]byte, size)
	}
	return unsafe.Pointer(unsafe.SliceData(input))
}

// A Question is a message that can be read.
type Question[Q any] interface {
	*Q
	wire.Decoder
}

// An Answerer is a message that can be written, or nil.
type Answerer[A any] interface {
	*A
	wire.Message
}

// Answer reads the question, calls hook, and writes its answer; nil is the
// empty answer, which abstains or accepts. The question is a copy that hook
// may keep.
func Answer[Q, A any, PQ Question[Q], PA Answerer[A]](question, length uint32, hook func(PQ) PA) uint64 {
	request := PQ(new(Q))
	if length > uint32(len(input)) || question != uint32(uintptr(unsafe.Pointer(unsafe.SliceData(input)))) {
		panic("the question is not in the buffer")
	}
	if err := request.Decode(string(input[:length])); err != nil {
		panic(err)
	}
	response := hook(request)
	if response == nil {
		return 0
	}
	output = response.Append(output[:0])
	if len(output) == 0 {
		return 0
	}
	return uint64(uintptr(unsafe.Pointer(unsafe.SliceData(output))))<<32 | uint64(len(output))
}

// A Level is how important a line of the log is.
type Level int32

// The levels.
const (
	Debug Level = iota
	Info
	Warn
	Error
)

//go:wasmimport iam_v1 log
func hostLog(level Level, text unsafe.Pointer, length uint32)

// Log writes a line to the server's log.
func Log(level Level, text string) {
	hostLog(level, unsafe.Pointer(unsafe.StringData(text)), uint32(len(text)))
}
