// SPDX-License-Identifier: Apache-2.0

//go:build wasip1

package s3n

import (
	"bytes"
	"encoding/binary"
	"strconv"
	"strings"
	"unsafe"
)

// Code says why a call to the node failed.
type Code int64

const (
	Invalid     Code = -1
	Memory      Code = -2
	Denied      Code = -3 // the manifest does not permit it; the text names the line to add
	NotFound    Code = -4
	Limit       Code = -5
	Conflict    Code = -6
	Unavailable Code = -7
	Timeout     Code = -8
	Unsupported Code = -9
	Failed      Code = -10
	Internal    Code = -11
)

// Error is a failed call to the node.
type Error struct {
	Code Code
	Text string
}

func (err *Error) Error() string { return err.Text }

func checked(value int64) (int64, error) {
	if value >= 0 {
		return value, nil
	}
	text := make([]byte, 512)
	size := errorMessage(in(text))
	return 0, &Error{Code(value), string(text[:min(max(size, 0), int64(len(text)))])}
}

// all gives bytes of whatever size: what the first buffer has no room for is fetched behind it.
func all(call func(to unsafe.Pointer, room uint32) int64) ([]byte, error) { return allOf(0, call) }

// allOf does so for a list: for the call `index`, or for the list itself.
func allOf(index uint32, call func(to unsafe.Pointer, room uint32) int64) ([]byte, error) {
	data := make([]byte, 4096)
	size, err := checked(call(in(data)))
	if err != nil {
		return nil, err
	}
	return filled(index, data[:min(size, int64(len(data)))], size)
}

// filled fetches what is missing of `size` bytes.
func filled(index uint32, data []byte, size int64) ([]byte, error) {
	got := len(data)
	if int64(got) < size {
		data = append(make([]byte, 0, size), data...)[:size]
	}
	for got < len(data) {
		at, room := in(data[got:])
		part, err := checked(rest(index, uint32(got), at, room))
		if err != nil {
			return nil, err
		}
		if part == 0 {
			return nil, &Error{Internal, "the node's answer is cut"}
		}
		got += int(min(part, int64(len(data)-got)))
	}
	return data, nil
}

func isNotFound(err error) bool {
	failed, is := err.(*Error)
	return is && failed.Code == NotFound
}

// KV is a space of the application's sealed state. One invocation is one transaction.
type KV string

// Get gives the value, nil when there is none.
func (space KV) Get(key string) ([]byte, error) {
	value, err := all(func(to unsafe.Pointer, room uint32) int64 { return kvGet(string(space), key, to, room) })
	if isNotFound(err) {
		return nil, nil
	}
	return value, err
}

// Set writes a value; ttlMS 0: for ever.
func (space KV) Set(key string, value []byte, ttlMS uint64) error {
	_, err := checked(kvSet(string(space), key, string(value), ttlMS))
	return err
}

// Delete says whether it was there.
func (space KV) Delete(key string) (bool, error) {
	was, err := checked(kvDelete(string(space), key))
	return was == 1, err
}

// CompareAndSet sets it when it is `expected` (nil: when there is none); whether it did.
func (space KV) CompareAndSet(key string, expected, value []byte, ttlMS uint64) (bool, error) {
	exists := uint32(existsOf(expected))
	did, err := checked(kvCompareAndSet(string(space), key, exists, string(expected), string(value), ttlMS))
	return did == 1, err
}

func existsOf(expected []byte) uint64 {
	if expected == nil {
		return 0
	}
	return 1
}

// Entry of a list; ExpiresMS since 1970, 0: never.
type Entry struct {
	Key       string
	Value     []byte
	ExpiresMS uint64
}

// List gives the first `count` (at most 1000) entries behind `after`, and whether there are more.
func (space KV) List(prefix, after string, count uint32) ([]Entry, bool, error) {
	const withValues, headSize = 65536, 16
	data, err := all(func(to unsafe.Pointer, room uint32) int64 {
		return kvList(string(space), prefix, after, count|withValues, to, room)
	})
	if err != nil {
		return nil, false, err
	}
	cut := &Error{Internal, "the node's list is cut"}
	if len(data) < 8 {
		return nil, false, cut
	}
	le := binary.LittleEndian
	more, list := le.Uint32(data[4:]) == 1, []Entry{}
	count, data = le.Uint32(data), data[8:]
	for ; count > 0; count-- {
		if len(data) < headSize {
			return nil, false, cut
		}
		value := headSize + uint64(le.Uint32(data))
		end := value + uint64(le.Uint32(data[4:]))
		if end > uint64(len(data)) {
			return nil, false, cut
		}
		list = append(list, Entry{string(data[headSize:value]), data[value:end], le.Uint64(data[8:])})
		data = data[end:]
	}
	return list, more, nil
}

// Secret gives a secret of the application; version 0: the present one.
func Secret(name string, version uint32) ([]byte, error) {
	return all(func(to unsafe.Pointer, room uint32) int64 { return secretGet(name, version, to, room) })
}

// Algorithm of a key of the application's own (docs/keys.md).
type Algorithm uint32

const (
	P256      Algorithm = 1 // public half 65 bytes, signature 64
	Secp256k1 Algorithm = 2 // 65; 65, the last one for recovery
	Ed25519   Algorithm = 3 // 32; 64
	X25519    Algorithm = 4 // 32; to be sealed to
	// Digest beside the first two: the message is a digest of 32 bytes.
	Digest Algorithm = 256
)

// Public gives the public half of a key.
func Public(path string, algorithm Algorithm) ([]byte, error) {
	return all(func(to unsafe.Pointer, room uint32) int64 { return keyPublic(path, uint32(algorithm), to, room) })
}

// Sign signs a message with a key that stays in the keeper.
func Sign(path string, algorithm Algorithm, message []byte) ([]byte, error) {
	return all(func(to unsafe.Pointer, room uint32) int64 {
		return keySign(path, uint32(algorithm), string(message), to, room)
	})
}

// Derive gives 1 to 1024 bytes that only this application has.
func Derive(path string, size uint32) ([]byte, error) {
	return all(func(to unsafe.Pointer, room uint32) int64 { return keyDerive(path, size, to, room) })
}

// HPKEOpen gives what was sealed (base mode) to the X25519 key of this path.
func HPKEOpen(path, info string, enc, aad, text []byte) ([]byte, error) {
	return all(func(to unsafe.Pointer, room uint32) int64 {
		return hpkeOpen(path, info, string(enc), string(aad), string(text), to, room)
	})
}

// Fetched is the answer of whoever was asked, after redirects.
type Fetched struct {
	Status  int
	URL     string // where it came from in the end
	Headers []Pair // names in lower case
	Body    []byte
}

// Header gives the value of a header (name in lower case), "" when there is none.
func (fetched *Fetched) Header(name string) string { return find(fetched.Headers, name) }

// Fetch asks somebody else: any status is an answer; an error is when there was none.
func Fetch(method, url string, headers []Pair, body []byte) (*Fetched, error) {
	lines := strings.Builder{}
	for _, header := range headers {
		lines.WriteString(header.Name + ": " + header.Value + "\n")
	}
	data, err := all(func(to unsafe.Pointer, room uint32) int64 {
		return httpFetch(method, url, lines.String(), string(body), to, room)
	})
	if err != nil {
		return nil, err
	}
	head, rest, found := bytes.Cut(data, []byte("\n\n"))
	fields := strings.Split(string(head), "\n")
	status, from, spaced := strings.Cut(fields[0], " ")
	number, err := strconv.Atoi(status)
	if !found || !spaced || err != nil {
		return nil, &Error{Internal, "the node's answer is not a response"}
	}
	fetched := &Fetched{Status: number, URL: from, Body: rest}
	for _, field := range fields[1:] {
		name, value, _ := strings.Cut(field, ":")
		fetched.Headers = append(fetched.Headers, Pair{name, strings.TrimPrefix(value, " ")})
	}
	return fetched, nil
}

// Attest gives what /.well-known/s3n/attestation gives for this nonce.
func Attest(nonce [32]byte) ([]byte, error) {
	return all(func(to unsafe.Pointer, room uint32) int64 { return attest(string(nonce[:]), to, room) })
}

// About gives {"application":…,"function":…,"invocation":…,"version":…}.
func About() ([]byte, error) { return all(about) }

// Level of a line in the log.
type Level uint32

const (
	LevelError       Level = 3
	LevelWarning     Level = 4
	LevelInformation Level = 6
	LevelDebug       Level = 7
)

// Log writes a line to the function's log, which its owner alone can read.
func Log(level Level, text string) { log(uint32(level), text) }
