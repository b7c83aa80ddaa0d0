// SPDX-License-Identifier: Apache-2.0

// Judges the cases on standard input (one JSON object a line, as snp-cases writes them) with
// go-sev-guest: its verification of chain and signature, then its validation of TCB and chip.
// Answers one JSON object a line.
package main

import (
	"bufio"
	"crypto/x509"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"time"

	"github.com/google/go-sev-guest/abi"
	spb "github.com/google/go-sev-guest/proto/sevsnp"
	"github.com/google/go-sev-guest/validate"
	"github.com/google/go-sev-guest/verify"
	"github.com/google/go-sev-guest/verify/trust"
)

type sample struct {
	Index                           int
	Product                         string
	Vlek                            bool
	At                              int64
	Report, Vek, Intermediate, Root string
}

type answer struct {
	Index int    `json:"index"`
	Valid bool   `json:"valid"`
	Text  string `json:"text"`
}

func decode(text string) []byte {
	bytes, err := hex.DecodeString(text)
	if err != nil {
		panic(err)
	}
	return bytes
}

func judge(s *sample) error {
	report, err := abi.ReportToProto(decode(s.Report))
	if err != nil {
		return err
	}
	root, err := x509.ParseCertificate(decode(s.Root))
	if err != nil {
		return fmt.Errorf("root: %v", err)
	}
	intermediate, err := x509.ParseCertificate(decode(s.Intermediate))
	if err != nil {
		return fmt.Errorf("intermediate: %v", err)
	}
	certs := &trust.ProductCerts{Ark: root}
	chain := &spb.CertificateChain{}
	if s.Vlek {
		certs.Asvk = intermediate
		chain.VlekCert = decode(s.Vek)
	} else {
		certs.Ask = intermediate
		chain.VcekCert = decode(s.Vek)
	}
	attestation := &spb.Attestation{Report: report, CertificateChain: chain}
	options := &verify.Options{
		DisableCertFetching: true,
		Now:                 time.Unix(s.At, 0),
		TrustedRoots: map[string][]*trust.AMDRootCerts{
			s.Product: {{Product: s.Product, ProductCerts: certs}},
		},
	}
	if err := verify.SnpAttestation(attestation, options); err != nil {
		return err
	}
	return validate.SnpAttestation(attestation, &validate.Options{
		GuestPolicy:               abi.SnpPolicy{SMT: true, MigrateMA: true, Debug: true, CXLAllowed: true},
		PermitProvisionalFirmware: true,
	})
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
			reply.Text = err.Error()
		}
		if err := output.Encode(reply); err != nil {
			panic(err)
		}
	}
}
