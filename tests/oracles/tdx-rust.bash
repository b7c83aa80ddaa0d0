#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# TDX and SGX quotes and collateral of our own makers, random fields and one fault each, judged by our verifier and
# by dcap-qvl 0.7.1: verdict, TCB status and advisories.  Every disagreement must be one that compare.py understands.
# tdx-rust.bash [SEED [COUNT]], at most 20000.  Built once in the build folder, which takes two minutes.
set -u
source "$(dirname "$0")/../cases.bash"
S3N_SOURCE=${S3N_SOURCE:-$(cd "$(dirname "$0")/../.." && pwd)}
S3N_BUILD=${S3N_BUILD:-$S3N_SOURCE/build}
[ "${2:-2000}" -le 20000 ] || { echo "tdx-rust.bash: at most 20000 cases" >&2; exit 2; }
cargo=$(command -v cargo || echo "${HOME:-/root}/.cargo/bin/cargo")
[ -x "$cargo" ] || skip_all "Intel quotes against dcap-qvl" "no cargo here"

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
crate=$S3N_SOURCE/tests/oracles/tdx-rust/Cargo.toml
timeout 240 "$cargo" fetch --quiet --locked --manifest-path "$crate" 2>"$scratch/fetch.log" ||
  skip_all "Intel quotes against dcap-qvl" "its crate can't be had: $(tail -n 1 "$scratch/fetch.log")"
CARGO_TARGET_DIR=$S3N_BUILD/oracle-tdx timeout 600 "$cargo" build --quiet --release --locked --manifest-path "$crate" ||
  { fail "build of the other verifier"; finish; }
"$S3N_BUILD/tests/intel-cases" "${1:-1}" "${2:-2000}" >"$scratch/ours" || { fail "generation"; finish; }
"$S3N_BUILD/oracle-tdx/release/oracle" <"$scratch/ours" >"$scratch/theirs" || { fail "the other verifier"; finish; }
exec python3 "$S3N_SOURCE/tests/oracles/compare.py" tdx-rust "$scratch/ours" "$scratch/theirs"
