// SPDX-License-Identifier: Apache-2.0

//go:build wasip1

package s3n

import (
	"errors"
	"unsafe"
)

// What the node holds addresses of, so that the collector keeps it where it is.
var room, answered []byte

//go:wasmexport s3n_alloc
func s3nAlloc(size uint32) uint32 {
	room = make([]byte, max(size, 1))
	return uint32(uintptr(unsafe.Pointer(unsafe.SliceData(room))))
}

//go:wasmexport s3n_handle
func s3nHandle(at, size uint32) uint64 {
	answered = answer(room[:size])
	return uint64(uintptr(unsafe.Pointer(unsafe.SliceData(answered))))<<32 | uint64(len(answered))
}

func answer(envelope []byte) []byte {
	request, err := ParseRequest(envelope)
	var response *Response
	if err == nil && handler == nil {
		err = errors.New("s3n: no init function called s3n.Handle")
	}
	if err == nil {
		response, err = handler(request)
	}
	if err != nil {
		Log(LevelError, err.Error())
		response = Text(err.Error() + "\n").WithStatus(500)
	}
	return response.Envelope()
}
