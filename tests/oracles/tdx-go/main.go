// SPDX-License-Identifier: Apache-2.0

// Judges the cases on standard input (one JSON object a line, as intel-cases writes them) with go-tdx-guest:
// chain, revocation and collateral.  Answers one JSON object a line.
// With "bench COUNT" it judges the one case on standard input COUNT times and answers with microseconds of
// processor time each.
package main

import (
	"bufio"
	"crypto/x509"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/url"
	"os"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/google/go-tdx-guest/verify"
)

type sample struct {
	Index                            int
	At                               int64
	Quote, Root, Pck_crl, Root_crl   string
	Tcb_info, Qe_identity, Tcb_chain string
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

// What Intel's service would answer.
type service struct{ tcbInfo, qeIdentity, pckCrl, rootCrl, chain []byte }

func (s *service) Get(address string) (map[string][]string, []byte, error) {
	chain := []string{url.QueryEscape(string(s.chain))}
	switch {
	case strings.Contains(address, "/tcb?"):
		return map[string][]string{"Tcb-Info-Issuer-Chain": chain}, s.tcbInfo, nil
	case strings.Contains(address, "/qe/identity"):
		return map[string][]string{"Sgx-Enclave-Identity-Issuer-Chain": chain}, s.qeIdentity, nil
	case strings.Contains(address, "/pckcrl?"):
		return map[string][]string{"Sgx-Pck-Crl-Issuer-Chain": chain}, s.pckCrl, nil
	}
	return nil, s.rootCrl, nil
}

type scene struct {
	quote   []byte
	options verify.Options
}

func sceneOf(s *sample) (*scene, error) {
	root, err := x509.ParseCertificate(decode(s.Root))
	if err != nil {
		return nil, fmt.Errorf("root: %v", err)
	}
	roots := x509.NewCertPool()
	roots.AddCert(root)
	return &scene{decode(s.Quote), verify.Options{
		CheckRevocations: true,
		GetCollateral:    true,
		Getter: &service{decode(s.Tcb_info), decode(s.Qe_identity), decode(s.Pck_crl), decode(s.Root_crl),
			decode(s.Tcb_chain)},
		Now:          time.Unix(s.At, 0),
		TrustedRoots: roots,
	}}, nil
}

func judge(s *scene) (err error) {
	defer func() {
		if problem := recover(); problem != nil {
			err = fmt.Errorf("panic: %v", problem)
		}
	}()
	options := s.options
	return verify.RawTdxQuote(s.quote, &options)
}

func processorTime() time.Duration {
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		panic(err)
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}

func bench(s *sample, count int) {
	runtime.GOMAXPROCS(1)
	scene, err := sceneOf(s)
	if err != nil {
		panic(err)
	}
	start := processorTime()
	for i := 0; i < count; i++ {
		// Comparing FMSPC as text is among its last steps, and fails with Intel's documents.
		if err := judge(scene); err != nil && !strings.HasPrefix(err.Error(), "FMSPC from PCK Certificate") {
			panic(err)
		}
	}
	fmt.Printf("%.2f\n", float64((processorTime()-start).Nanoseconds())/1e3/float64(count))
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
		if len(os.Args) == 3 && os.Args[1] == "bench" {
			count, err := strconv.Atoi(os.Args[2])
			if err != nil {
				panic(err)
			}
			bench(&s, count)
			return
		}
		scene, err := sceneOf(&s)
		if err == nil {
			err = judge(scene)
		}
		reply := answer{Index: s.Index, Valid: err == nil}
		if err != nil {
			reply.Text = err.Error()
		}
		if err := output.Encode(reply); err != nil {
			panic(err)
		}
	}
}
