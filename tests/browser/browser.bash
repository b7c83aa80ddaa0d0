#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The verifier as WebAssembly.  In Node: the package's own tests, and every vector and receipt, changed and unchanged, against the
# native command.  In Chromium: the same vectors, and tools/verify.html driven as a person would.  browser.bash [MUTATIONS [SEED]]
set -u
source "$(dirname "$0")/../cases.bash"
source "$(dirname "$0")/find.bash"
export S3N_SOURCE=${S3N_SOURCE:-$(cd "$(dirname "$0")/../.." && pwd)}
S3N_BUILD=${S3N_BUILD:-$S3N_SOURCE/build}
package=$S3N_BUILD/sdk/verify-js
command -v node >/dev/null || skip_all "the verifier in Node and Chromium" "no node"
[ -f "$package/wasm.js" ] || skip_all "the verifier in Node and Chromium" "not built: clang-19 has no wasm32 libraries here"

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
if timeout 300 node --test "$package/test" >"$scratch/package" 2>&1; then
  passed=$(sed -n 's/^# pass //p' "$scratch/package")
else
  cat "$scratch/package"
  fail "the package's own tests"
fi
"$S3N_BUILD/tests/receipts" "$scratch" >/dev/null || fail "receipts to judge"
common=("$S3N_SOURCE" "$scratch" "${1:-200}" "${2:-1}")
timeout 60 node "$S3N_SOURCE/tests/browser/differential.mjs" prepare "${common[@]}" || fail "cases to judge"
timeout 300 python3 "$S3N_SOURCE/tests/browser/native.py" "$S3N_BUILD/bin/s3n" "$scratch/commands.json" "$scratch/answers.json" ||
  fail "the native command"
timeout 200 node "$S3N_SOURCE/tests/browser/differential.mjs" compare "${common[@]}" "$S3N_BUILD" >"$scratch/out"
sed '$d' "$scratch/out"
add() {
  local more_passed more_failed
  read -r more_passed _ more_failed _ < <(tail -n 1 "$scratch/out")
  passed=$((passed + ${more_passed:-0})) failed=$((failed + ${more_failed:-1}))
}
add

# --- Chromium
chromium_find || { skip "the verifier in Chromium" "$why"; finish; }
HOME=$scratch timeout 400 node "$S3N_SOURCE/tests/browser/chromium.mjs" "$S3N_SOURCE" "$S3N_BUILD" "$scratch" \
  "$playwright" "$chromium" >"$scratch/out" 2>"$scratch/err" || cat "$scratch/err"
sed '$d' "$scratch/out"
add
[ -z "${S3N_SCREENSHOTS:-}" ] || cp "$scratch"/*.png "$S3N_SCREENSHOTS"
finish
