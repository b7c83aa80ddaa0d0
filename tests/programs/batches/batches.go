// SPDX-License-Identifier: Apache-2.0

// Batches through the SDK: answers that fill more than one buffer, more than one list, and errors among them.
package main

import (
	"crypto/sha256"
	"errors"
	"fmt"

	"s3n.dev/s3n"
)

const space = s3n.KV("s")

func init() { s3n.Handle(batches) }
func main() {}

var names = map[s3n.Code]string{s3n.NotFound: "none", s3n.Unsupported: "Unsupported", s3n.Invalid: "Invalid", s3n.Limit: "Limit"}

func shown(answer s3n.Answer) string {
	var failed *s3n.Error
	switch {
	case errors.As(answer.Err, &failed):
		return fmt.Sprintf("%s: %s\n", names[failed.Code], failed.Text)
	case len(answer.Data) == 0:
		return fmt.Sprintf("%d\n", answer.Value)
	}
	digest := sha256.Sum256(answer.Data)
	return fmt.Sprintf("%d %x\n", answer.Value, digest[:2])
}

func batches(*s3n.Request) (*s3n.Response, error) {
	text := ""
	var batch s3n.Batch
	run := func() error {
		answers, err := batch.Run()
		for _, answer := range answers {
			text += shown(answer)
		}
		return err
	}
	for key, first := range map[string]int{"a": 1, "b": 2} {
		large := make([]byte, 200000)
		for i := range large {
			large[i] = byte(first + i%251)
		}
		batch.Set(space, key, large, 0)
		if err := run(); err != nil {
			return nil, err
		}
	}
	batch.Get(space, "a")
	batch.Get(space, "c")
	batch.Get(space, "b")
	batch.CompareAndSet(space, "c", nil, []byte("new"), 60000)
	batch.CompareAndSet(space, "c", nil, []byte("newer"), 0)
	batch.CompareAndSet(space, "c", []byte("new"), []byte{}, 0)
	batch.Get(space, "c")
	batch.Delete(space, "c")
	batch.Call(999, []uint64{1}, "x")
	if err := run(); err != nil {
		return nil, err
	}
	batch.Get(space, "c")
	answers, err := batch.Run()
	if err != nil {
		return nil, err
	}
	if value, err := answers[0].Found(); value == nil && err == nil {
		text += "none\n"
	}
	for range 65 {
		batch.Get(space, "c")
	}
	var failed *s3n.Error
	if errors.As(run(), &failed) {
		text += "65: " + names[failed.Code] + "\n"
	}
	return s3n.Text(text), nil
}
