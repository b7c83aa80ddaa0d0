// SPDX-License-Identifier: Apache-2.0

// A webhook that takes only what its sender signed: HMAC-SHA256 over the body with a shared secret,
// in the header that GitHub and others use. Each delivery counts once, however often it is sent.
package main

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strings"

	"s3n.dev/s3n"
)

const (
	deliveries = s3n.KV("deliveries")
	counts     = s3n.KV("counts")
	day        = 24 * 60 * 60 * 1000 // in ms: how long a delivery is remembered
)

func init() { s3n.Handle(receive) }
func main() {}

func receive(request *s3n.Request) (*s3n.Response, error) {
	if request.Method == "GET" {
		return tally()
	}
	ok, err := isSigned(request)
	if err != nil {
		return nil, err
	}
	if !ok {
		s3n.Log(s3n.LevelWarning, "a signature that does not match")
		return s3n.Text("signature refused\n").WithStatus(401), nil
	}
	delivery := request.Header("x-github-delivery")
	if delivery == "" {
		return s3n.Text("no delivery id\n").WithStatus(400), nil
	}
	var event struct {
		Action string `json:"action"`
	}
	if err := json.Unmarshal(request.Body, &event); err != nil {
		return s3n.Text("not JSON\n").WithStatus(400), nil
	}
	name := request.Header("x-github-event") + "/" + event.Action
	// Both in one exit.
	var batch s3n.Batch
	batch.CompareAndSet(deliveries, delivery, nil, []byte(event.Action), day)
	batch.Get(counts, name)
	answers, err := batch.Run()
	if err != nil {
		return nil, err
	}
	first, number := answers[0], answers[1]
	if first.Err != nil {
		return nil, first.Err
	}
	if first.Value == 0 {
		return s3n.Text("seen before\n"), nil
	}
	before, err := number.Found()
	if err != nil {
		return nil, err
	}
	count := 0
	fmt.Sscan(string(before), &count)
	s3n.Log(s3n.LevelInformation, "delivery "+delivery+": "+name)
	return s3n.Text("accepted\n").WithStatus(202), counts.Set(name, []byte(fmt.Sprint(count+1)), 0)
}

// isSigned compares in constant time.
func isSigned(request *s3n.Request) (bool, error) {
	given, err := hex.DecodeString(strings.TrimPrefix(request.Header("x-hub-signature-256"), "sha256="))
	if err != nil {
		return false, nil
	}
	secret, err := s3n.Secret("WEBHOOK_SECRET", 0)
	if err != nil {
		return false, err
	}
	mac := hmac.New(sha256.New, secret)
	mac.Write(request.Body)
	return hmac.Equal(given, mac.Sum(nil)), nil
}

func tally() (*s3n.Response, error) {
	list, _, err := counts.List("", "", 100)
	if err != nil {
		return nil, err
	}
	events := map[string]string{}
	for _, entry := range list {
		events[entry.Key] = string(entry.Value)
	}
	text, err := json.Marshal(events)
	return s3n.JSON(append(text, '\n')), err
}
