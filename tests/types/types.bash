#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The types of the packages for JavaScript, by the TypeScript compiler: a program that uses all of them compiles (with
# `strict`, the declarations themselves included), what they must refuse is refused, and the program runs.
set -u
S3N_SOURCE=${S3N_SOURCE:-$(cd "$(dirname "$0")/../.." && pwd)}
S3N_BUILD=${S3N_BUILD:-$S3N_SOURCE/build}
. "$S3N_SOURCE/tests/cases.bash"
command -v node >/dev/null && command -v npm >/dev/null || skip_all types "no Node.js with npm"
[ -s "$S3N_BUILD/sdk/verify-js/wasm.js" ] || skip_all types "the verifier for JavaScript is not built"
folder=$(mktemp -d "${TMPDIR:-/tmp}/s3n-types.XXXXXX")
trap 'rm -rf "$folder"' EXIT
npm=$S3N_BUILD/tests/typescript # kept: fetched once
mkdir -p "$npm" "$folder/node_modules/@s3n/verify"
if [ ! -x "$npm/node_modules/.bin/tsc" ]; then
  cp "$S3N_SOURCE"/tests/types/npm/package*.json "$npm"
  (cd "$npm" && timeout 200 npm ci --silent --no-audit --no-fund) >"$npm/log" 2>&1 ||
    skip_all types "the TypeScript compiler can't be had: $(tail -n 1 "$npm/log")"
fi
cp "$S3N_SOURCE"/tests/types/{consumer.ts,tsconfig.json} "$folder"
echo '{ "private": true, "type": "module" }' >"$folder/package.json"
cp -r "$S3N_SOURCE/sdk/js" "$folder/node_modules/@s3n/sealed"
# Only what would be published.
for file in package.json $(node -p 'JSON.parse(require("fs").readFileSync(process.argv[1])).files.join(" ")' "$S3N_BUILD/sdk/verify-js/package.json"); do
  cp "$S3N_BUILD/sdk/verify-js/$file" "$folder/node_modules/@s3n/verify/" || fail "$file is built"
done
if (cd "$folder" && timeout 100 "$npm/node_modules/.bin/tsc") >"$folder/said" 2>&1; then
  pass "a program with both packages compiles, and its mistakes don't"
else
  fail "a program with both packages compiles, and its mistakes don't" "$(head -n 5 "$folder/said")"
fi
said=$(cd "$folder" && timeout 60 node --no-warnings out/consumer.js 2>&1)
wanted="false null invalid 16 true true function /.well-known/ohttp-gateway 65536 8388608 x"
[ "$said" = "$wanted" ] && pass "it runs" || fail "it runs" "«$said», not «$wanted»"
finish
