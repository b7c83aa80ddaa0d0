// SPDX-License-Identifier: Apache-2.0

// Package s3n is for functions of S3N in Go: a handler takes a request and gives a response, and
// the program becomes a reactor (docs/abi.md).
//
//	package main
//
//	import "s3n.dev/s3n"
//
//	func init() { s3n.Handle(hello) }
//	func main() {}
//
//	func hello(request *s3n.Request) (*s3n.Response, error) {
//		return s3n.Text("hello, " + string(request.Body)), nil
//	}
//
// Build it with GOOS=wasip1 GOARCH=wasm go build -buildmode=c-shared, or with TinyGo:
// tinygo build -target=wasip1 -buildmode=c-shared.
package s3n

import (
	"encoding/binary"
	"errors"
	"strings"
)

// Trigger says what started the invocation.
type Trigger uint16

const (
	Run  Trigger = iota // s3n run
	Call                // by the function's name
	HTTP                // a route of the application
)

// Pair is a header or a fact.
type Pair struct{ Name, Value string }

// Request is what the function was asked.
type Request struct {
	Method  string
	Path    string // percent-encoded, behind /a/<application>
	Query   string // behind '?'
	Body    []byte
	Trigger Trigger
	ID      [16]byte // of the invocation
	Headers []Pair   // names in lower case
	Facts   []Pair   // S3N_FUNCTION, REMOTE_ADDR, the manifest's `environment`
}

// Header gives the value of a header (name in lower case), "" when there is none.
func (request *Request) Header(name string) string { return find(request.Headers, name) }

// Fact gives the value of a fact, "" when there is none.
func (request *Request) Fact(name string) string { return find(request.Facts, name) }

func find(pairs []Pair, name string) string {
	for _, pair := range pairs {
		if pair.Name == name {
			return pair.Value
		}
	}
	return ""
}

// Response is what the caller gets. Status 0 is 200; at most 24 headers, 8 KiB together.
type Response struct {
	Status  int
	Headers []Pair
	Body    []byte
}

// Text is a response of plain text.
func Text(text string) *Response { return Of("text/plain; charset=utf-8", []byte(text)) }

// JSON is a response of JSON text.
func JSON(text []byte) *Response { return Of("application/json", text) }

// Of is a response of this content type.
func Of(contentType string, body []byte) *Response {
	return &Response{Status: 200, Headers: []Pair{{"content-type", contentType}}, Body: body}
}

// With appends a header.
func (response *Response) With(name, value string) *Response {
	response.Headers = append(response.Headers, Pair{strings.ToLower(name), value})
	return response
}

// WithStatus sets the status.
func (response *Response) WithStatus(status int) *Response {
	response.Status = status
	return response
}

// Handler is a function of S3N. An error becomes status 500 with its text, and a line in the log.
type Handler func(request *Request) (*Response, error)

var handler Handler

// Handle says which function answers; to be called in an init function.
func Handle(function Handler) { handler = function }

const (
	requestHeadSize = 64
	answerHeadSize  = 32
)

var errEnvelope = errors.New("s3n: not a request's envelope")

// ParseRequest reads an envelope.
func ParseRequest(envelope []byte) (*Request, error) {
	if len(envelope) < requestHeadSize || string(envelope[:4]) != "S3NQ" {
		return nil, errEnvelope
	}
	number := func(at int) uint64 { return uint64(binary.LittleEndian.Uint32(envelope[at:])) }
	offset, size := number(12), number(16)
	if number(8) != uint64(len(envelope)) || offset < requestHeadSize || offset+size > number(8) {
		return nil, errEnvelope
	}
	head, cut := envelope[requestHeadSize:offset], false
	take := func(size uint64) string {
		if cut = cut || size > uint64(len(head)); cut {
			return ""
		}
		part := string(head[:size])
		head = head[size:]
		return part
	}
	request := &Request{Trigger: Trigger(binary.LittleEndian.Uint16(envelope[6:])), Body: envelope[offset : offset+size]}
	copy(request.ID[:], envelope[40:56])
	request.Method, request.Path, request.Query = take(number(20)), take(number(24)), take(number(28))
	pairs := func(count uint64) (list []Pair) {
		for i := uint64(0); i < count && !cut; i++ {
			sizes := take(8)
			if cut {
				break
			}
			name := uint64(binary.LittleEndian.Uint32([]byte(sizes[:4])))
			value := uint64(binary.LittleEndian.Uint32([]byte(sizes[4:])))
			list = append(list, Pair{take(name), take(value)})
		}
		return list
	}
	request.Headers, request.Facts = pairs(number(32)), pairs(number(36))
	if cut {
		return nil, errEnvelope
	}
	return request, nil
}

// Envelope is the response as the node reads it.
func (response *Response) Envelope() []byte {
	le := binary.LittleEndian
	all := make([]byte, answerHeadSize, answerHeadSize+256+len(response.Body))
	for _, header := range response.Headers {
		all = le.AppendUint32(all, uint32(len(header.Name)))
		all = le.AppendUint32(all, uint32(len(header.Value)))
		all = append(append(all, header.Name...), header.Value...)
	}
	for len(all)%8 != 0 {
		all = append(all, 0)
	}
	status := response.Status
	if status == 0 {
		status = 200
	}
	copy(all, "S3NA")
	le.PutUint16(all[4:], 1)
	le.PutUint16(all[6:], uint16(status))
	le.PutUint32(all[8:], uint32(len(all)+len(response.Body)))
	le.PutUint32(all[12:], uint32(len(all)))
	le.PutUint32(all[16:], uint32(len(response.Body)))
	le.PutUint32(all[20:], uint32(len(response.Headers)))
	return append(all, response.Body...)
}
