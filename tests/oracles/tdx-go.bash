#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# TDX quotes and collateral of our own makers, random fields and one fault each, judged by our verifier and by
# go-tdx-guest v0.3.1.  Every disagreement must be one that compare.py understands.
# tdx-go.bash [SEED [COUNT]], at most 20000
set -u
source "$(dirname "$0")/../cases.bash"
S3N_SOURCE=${S3N_SOURCE:-$(cd "$(dirname "$0")/../.." && pwd)}
S3N_BUILD=${S3N_BUILD:-$S3N_SOURCE/build}
[ "${2:-2000}" -le 20000 ] || { echo "tdx-go.bash: at most 20000 cases" >&2; exit 2; }
go=$(command -v go || echo /usr/local/go/bin/go)
[ -x "$go" ] || skip_all "TDX against go-tdx-guest" "no Go here"

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
cp "$S3N_SOURCE"/tests/oracles/tdx-go/{main.go,go.mod,go.sum} "$scratch"
(cd "$scratch" && timeout 240 "$go" mod download 2>download.log) ||
  skip_all "TDX against go-tdx-guest" "its module can't be had: $(tail -n 1 "$scratch/download.log")"
(cd "$scratch" && timeout 240 "$go" build -o oracle .) || { fail "build of the other verifier"; finish; }
"$S3N_BUILD/tests/intel-cases" "${1:-1}" "${2:-2000}" tdx-4 >"$scratch/ours" || { fail "generation"; finish; }
"$scratch/oracle" <"$scratch/ours" >"$scratch/theirs" || { fail "the other verifier"; finish; }
exec python3 "$S3N_SOURCE/tests/oracles/compare.py" tdx-go "$scratch/ours" "$scratch/theirs"
