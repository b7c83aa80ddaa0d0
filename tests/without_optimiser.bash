#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# A build without LLVM configures and has no optimising program; what it compiles is what the build with LLVM compiles,
# by the same commands, or is compiled here, without a warning; and it passes: the compiler's tests, the command
# line's, and generated modules.
set -u
. "$(dirname "$0")/cases.bash"
S3N_SOURCE=${S3N_SOURCE:-$(cd "$(dirname "$0")/.." && pwd)}
S3N_BUILD=${S3N_BUILD:-$S3N_SOURCE/build}
for tool in meson ninja python3; do
  command -v $tool >/dev/null || skip_all without_optimiser "no $tool"
done
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
build=$scratch/build

mapfile -t options < <(python3 - "$S3N_BUILD/meson-info/intro-buildoptions.json" <<'PY'
import json, sys
for option in json.load(open(sys.argv[1])):
    if option["name"] in ("b_sanitize", "b_lundef", "buildtype"):
        print(f"-D{option['name']}={str(option['value']).lower()}")
PY
)
meson setup "$build" "$S3N_SOURCE" -Doptimiser=disabled "${options[@]}" >"$scratch/log" 2>&1 && pass configures ||
  { fail configures "$(tail -n 5 "$scratch/log")"; finish; }
grep -q LLVM "$build/build.ninja" && fail "links no LLVM" "$(grep -m 3 LLVM "$build/build.ninja")" || pass "links no LLVM"

# The objects that the other build has not, or has by another command.
python3 - "$S3N_SOURCE" "$S3N_BUILD" "$build" >"$scratch/others" 2>"$scratch/log" <<'PY' || { fail "commands" "$(cat "$scratch/log")"; finish; }
import json, os, sys

source, whole, without = map(os.path.realpath, sys.argv[1:])

def commands(folder):
    up = os.path.relpath(source, folder)
    with open(os.path.join(folder, "compile_commands.json"), encoding="utf-8") as rows:
        return {row["output"]: row["command"].replace(up, "..").replace(folder, "@") for row in json.load(rows)}

have = commands(whole)
for target, command in commands(without).items():
    if have.get(target) != command:
        print(target)
PY
# Only these know of the optimiser: were it more, the rest would be another build.
unlike=$(grep -vE '^bin/spectest|generat|fuzz_replay' "$scratch/others" | head -n 5)
[ -z "$unlike" ] && pass "everything else is compiled by the same commands" || fail "everything else is compiled by the same commands" "$unlike"
ninja -C "$build" -j2 bin/s3n-compile bin/spectest tests/fuzz/replay-cross-generated >"$scratch/log" 2>&1 && pass compiles ||
  { fail compiles "$(grep -E 'error|FAILED' "$scratch/log" | head -n 5)"; finish; }
meson test -C "$build" --no-rebuild --print-errorlogs cross-generated-corpus >"$scratch/log" 2>&1 &&
  pass cross-generated-corpus || fail cross-generated-corpus "$(tail -n 20 "$scratch/log")"

# --- the same programs where there is no optimising one
for program in "$S3N_BUILD"/bin/*; do
  [ ! -f "$program" ] || [ -e "$build/bin/${program##*/}" ] || [ "${program##*/}" = s3n-optimise ] || cp "$program" "$build/bin/"
done
[ ! -e "$build/bin/s3n-optimise" ] && pass "no s3n-optimise" || fail "no s3n-optimise"
ldd "$build"/bin/s3n* "$build/bin/slipstream" 2>/dev/null | grep -q LLVM && fail "nothing loads LLVM" || pass "nothing loads LLVM"
for test in "$S3N_BUILD"/test-wasm-{compile,linker,metering} "$S3N_SOURCE/tests/cli_test.sh"; do
  S3N_BUILD=$build "$test" >"$scratch/log" 2>&1 && pass "${test##*/}" || fail "${test##*/}" "$(tail -n 20 "$scratch/log")"
done
finish
