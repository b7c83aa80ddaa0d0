// SPDX-License-Identifier: Apache-2.0

// Judges the Nitro documents on standard input (one JSON object a line, as nitro-cases writes them) as AWS
// describes it, out of parts of others: veraison/go-cose, fxamacker/cbor and Go's crypto/x509.  Answers one
// JSON object a line.
package main

import (
	"bufio"
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/x509"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/fxamacker/cbor/v2"
	"github.com/veraison/go-cose"
)

type sample struct {
	Index          int
	At             int64
	Document, Root string
}

type answer struct {
	Index int    `json:"index"`
	Valid bool   `json:"valid"`
	Text  string `json:"text"`
}

type payload struct {
	ModuleID    string            `cbor:"module_id"`
	Digest      string            `cbor:"digest"`
	Timestamp   uint64            `cbor:"timestamp"`
	PCRs        map[uint64][]byte `cbor:"pcrs"`
	Certificate []byte            `cbor:"certificate"`
	CABundle    [][]byte          `cbor:"cabundle"`
	PublicKey   []byte            `cbor:"public_key"`
	UserData    []byte            `cbor:"user_data"`
	Nonce       []byte            `cbor:"nonce"`
}

func decode(text string) []byte {
	bytes, err := hex.DecodeString(text)
	if err != nil {
		panic(err)
	}
	return bytes
}

// AWS' list of what a payload must hold.
func (p *payload) check() error {
	switch {
	case p.ModuleID == "" || p.Digest != "SHA384" || p.Timestamp == 0:
		return errors.New("module id, digest or timestamp")
	case len(p.PCRs) < 1 || len(p.PCRs) > 32:
		return errors.New("number of PCRs")
	case len(p.Certificate) < 1 || len(p.Certificate) > 1024 || len(p.CABundle) < 1:
		return errors.New("certificates")
	case p.PublicKey != nil && len(p.PublicKey) < 1 || len(p.PublicKey) > 1024 || len(p.UserData) > 1024 || len(p.Nonce) > 1024:
		return errors.New("public key, user data or nonce")
	}
	for index, value := range p.PCRs {
		if index > 31 || (len(value) != 32 && len(value) != 48 && len(value) != 64) {
			return errors.New("PCR")
		}
	}
	for _, certificate := range p.CABundle {
		if len(certificate) < 1 || len(certificate) > 1024 {
			return errors.New("certificate of the bundle")
		}
	}
	return nil
}

func judge(s *sample) error {
	raw := decode(s.Document)
	var message cose.Sign1Message
	var untagged cose.UntaggedSign1Message
	if err := untagged.UnmarshalCBOR(raw); err == nil {
		message = cose.Sign1Message(untagged)
	} else if err := message.UnmarshalCBOR(raw); err != nil {
		return err
	}
	options := cbor.DecOptions{DupMapKey: cbor.DupMapKeyEnforcedAPF, TimeTag: cbor.DecTagIgnored, UTF8: cbor.UTF8RejectInvalid}
	mode, err := options.DecMode()
	if err != nil {
		panic(err)
	}
	var p payload
	if err := mode.Unmarshal(message.Payload, &p); err != nil {
		return err
	}
	if err := p.check(); err != nil {
		return err
	}
	rootDer := decode(s.Root)
	if !bytes.Equal(rootDer, p.CABundle[0]) {
		return errors.New("root is not the trusted one")
	}
	root, err := x509.ParseCertificate(rootDer)
	if err != nil {
		return err
	}
	leaf, err := x509.ParseCertificate(p.Certificate)
	if err != nil {
		return err
	}
	verify := x509.VerifyOptions{Roots: x509.NewCertPool(), Intermediates: x509.NewCertPool(), CurrentTime: time.Unix(s.At, 0),
		KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageAny}}
	verify.Roots.AddCert(root)
	for _, der := range p.CABundle[1:] {
		certificate, err := x509.ParseCertificate(der)
		if err != nil {
			return err
		}
		verify.Intermediates.AddCert(certificate)
	}
	if _, err := leaf.Verify(verify); err != nil {
		return err
	}
	key, ok := leaf.PublicKey.(*ecdsa.PublicKey)
	if !ok || key.Curve != elliptic.P384() {
		return errors.New("key of the certificate")
	}
	verifier, err := cose.NewVerifier(cose.AlgorithmES384, key)
	if err != nil {
		return err
	}
	return message.Verify(nil, verifier)
}

func main() {
	input := bufio.NewScanner(os.Stdin)
	input.Buffer(make([]byte, 1<<20), 1<<20)
	output := json.NewEncoder(os.Stdout)
	for input.Scan() {
		var s sample
		if err := json.Unmarshal(input.Bytes(), &s); err != nil {
			panic(err)
		}
		err := judge(&s)
		reply := answer{Index: s.Index, Valid: err == nil}
		if err != nil {
			reply.Text = fmt.Sprint(err)
		}
		if err := output.Encode(reply); err != nil {
			panic(err)
		}
	}
}
