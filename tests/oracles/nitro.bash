#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Nitro documents of a PKI of our own, random fields and one fault each, judged by our verifier and by what AWS describes,
# made of veraison/go-cose, fxamacker/cbor and Go's crypto/x509.  Every disagreement must be one that compare.py understands.
# nitro.bash [SEED [COUNT]], at most 20000
set -u
source "$(dirname "$0")/../cases.bash"
S3N_SOURCE=${S3N_SOURCE:-$(cd "$(dirname "$0")/../.." && pwd)}
S3N_BUILD=${S3N_BUILD:-$S3N_SOURCE/build}
[ "${2:-2000}" -le 20000 ] || { echo "nitro.bash: at most 20000 cases" >&2; exit 2; }
go=$(command -v go || echo /usr/local/go/bin/go)
[ -x "$go" ] || skip_all "Nitro documents against Go's parts" "no Go here"

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
cp "$S3N_SOURCE"/tests/oracles/nitro-go/{main.go,go.mod,go.sum} "$scratch"
(cd "$scratch" && timeout 240 "$go" mod download 2>download.log) ||
  skip_all "Nitro documents against Go's parts" "its modules can't be had: $(tail -n 1 "$scratch/download.log")"
(cd "$scratch" && timeout 240 "$go" build -o oracle .) || { fail "build of the other verifier"; finish; }
"$S3N_BUILD/tests/nitro-cases" "${1:-1}" "${2:-2000}" >"$scratch/ours" || { fail "generation"; finish; }
"$scratch/oracle" <"$scratch/ours" >"$scratch/theirs" || { fail "the other verifier"; finish; }
exec python3 "$S3N_SOURCE/tests/oracles/compare.py" nitro "$scratch/ours" "$scratch/theirs"
