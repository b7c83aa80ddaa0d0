// SPDX-License-Identifier: Apache-2.0

//go:build wasip1

package s3n

import (
	"encoding/binary"
	"unsafe"
)

// Batch is a list of calls that are made in one exit, one after the other: at most 64, with arguments of at most
// 272 KiB. Each method adds a call; Run makes them and leaves the batch empty.
//
//	var batch s3n.Batch
//	batch.Get("prices", "neo")
//	batch.Set("seen", "neo", []byte("1"), 0)
//	answers, err := batch.Run()
type Batch struct {
	records []byte
	count   uint32
}

// Answer is what a call of a batch gave.
type Answer struct {
	Value int64 // of calls that give a number: 1 when it was set, was there
	Data  []byte
	Err   error
}

// Found gives the data, nil when there is none of this name.
func (answer Answer) Found() ([]byte, error) {
	if isNotFound(answer.Err) {
		return nil, nil
	}
	return answer.Data, answer.Err
}

const (
	listHeadSize   = 16
	recordHeadSize = 24
	wholeList      = 0xffffffff
)

// Call adds any call: its row in the table of docs/abi.md from 1, its parameters in their order without the buffer.
func (batch *Batch) Call(call uint16, numbers []uint64, strings ...string) {
	le, at := binary.LittleEndian, len(batch.records)
	record := le.AppendUint16(append(batch.records, 0, 0, 0, 0), call)
	record = append(record, byte(len(numbers)), byte(len(strings)))
	for _, number := range numbers {
		record = le.AppendUint64(record, number)
	}
	for _, text := range strings {
		record = le.AppendUint32(record, uint32(len(text)))
	}
	for _, text := range strings {
		record = append(record, text...)
	}
	for len(record)%8 != 0 {
		record = append(record, 0)
	}
	le.PutUint32(record[at:], uint32(len(record)-at))
	batch.records = record
	batch.count++
}

// Get adds KV.Get; Answer.Found has the value.
func (batch *Batch) Get(space KV, key string) { batch.Call(1, nil, string(space), key) }

// Set adds KV.Set.
func (batch *Batch) Set(space KV, key string, value []byte, ttlMS uint64) {
	batch.Call(2, []uint64{ttlMS}, string(space), key, string(value))
}

// Delete adds KV.Delete.
func (batch *Batch) Delete(space KV, key string) { batch.Call(3, nil, string(space), key) }

// CompareAndSet adds KV.CompareAndSet.
func (batch *Batch) CompareAndSet(space KV, key string, expected, value []byte, ttlMS uint64) {
	batch.Call(5, []uint64{existsOf(expected), ttlMS}, string(space), key, string(expected), string(value))
}

// Secret adds Secret.
func (batch *Batch) Secret(name string, version uint32) {
	batch.Call(6, []uint64{uint64(version)}, name)
}

// Sign adds Sign.
func (batch *Batch) Sign(path string, algorithm Algorithm, message []byte) {
	batch.Call(8, []uint64{uint64(algorithm)}, path, string(message))
}

// Run makes the calls: as many answers, in their order. An error is when none was made.
func (batch *Batch) Run() ([]Answer, error) {
	le := binary.LittleEndian
	list := le.AppendUint32([]byte("SCQ1"), uint32(listHeadSize+len(batch.records)))
	list = le.AppendUint64(list, uint64(batch.count))
	list = append(list, batch.records...)
	count := batch.count
	*batch = Batch{}
	given, err := allOf(wholeList, func(to unsafe.Pointer, room uint32) int64 { return makeBatch(string(list), to, room) })
	if err != nil {
		return nil, err
	}
	answers, cut := make([]Answer, count), &Error{Internal, "the node's list is cut"}
	if len(given) < listHeadSize {
		return nil, cut
	}
	given = given[listHeadSize:]
	for i := range answers {
		if len(given) < recordHeadSize || uint64(len(given)) < uint64(le.Uint32(given)) ||
			uint64(le.Uint32(given)) < recordHeadSize+uint64(le.Uint32(given[4:])) {
			return nil, cut
		}
		answers[i] = answerOf(uint32(i), given)
		given = given[le.Uint32(given):]
	}
	return answers, nil
}

// answerOf reads a record: size (4), size of the data here (4), value (8), size of all the data (8), the data.
func answerOf(index uint32, record []byte) Answer {
	le := binary.LittleEndian
	value, here := int64(le.Uint64(record[8:])), record[recordHeadSize:][:le.Uint32(record[4:])]
	if value < 0 {
		return Answer{value, nil, &Error{Code(value), string(here)}}
	}
	data, err := filled(index, here, int64(le.Uint64(record[16:])))
	return Answer{value, data, err}
}
