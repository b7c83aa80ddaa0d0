#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The verifier's WebAssembly, built again in another folder, without a cache: the same bytes.
set -u
source "$(dirname "$0")/../cases.bash"
S3N_SOURCE=${S3N_SOURCE:-$(cd "$(dirname "$0")/../.." && pwd)}
S3N_BUILD=${S3N_BUILD:-$S3N_SOURCE/build}
module=src/cmd/s3n-verify-wasm/s3n-verify.wasm
[ -f "$S3N_BUILD/$module" ] || skip_all "the verifier is reproducible" "not built: clang-19 has no wasm32 libraries here"

source_folder=$(realpath "$S3N_SOURCE") build_folder=$(realpath "$S3N_BUILD")
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
# Another name at another depth; the build folder stands to its source as here.
copy=$scratch/some/other/folder-of-s3n
build=$copy/${build_folder#"$source_folder"/}
[ "$build_folder" != "${build_folder#"$source_folder"/}" ] || skip_all "the verifier is reproducible" "the build folder is elsewhere"
mkdir -p "$build/src/cmd/s3n-verify-wasm"
cp -r "$source_folder/src" "$copy"
# What the build made for it: tables.
(cd "$build_folder" && find src/crypto -name '*.c' -o -path 'src/crypto/*' -name '*.h') | while read -r file; do
  mkdir -p "$build/$(dirname "$file")" && cp "$build_folder/$file" "$build/$file"
done
ninja -C "$build_folder" -t commands "$module" | grep -- '--target=wasm32' |
  sed "s|$source_folder|$copy|g; s|^[^ ]*/ccache ||" >"$scratch/commands"
head -n -1 "$scratch/commands" >"$scratch/compile"
[ "$(wc -l <"$scratch/compile")" -gt 20 ] || fail "the build's commands" "$(cat "$scratch/commands")"
export CCACHE_DISABLE=1
(cd "$build" && tr '\n' '\0' <"$scratch/compile" | xargs -0 -n 1 -P 2 sh -c) >"$scratch/out" 2>&1 ||
  fail "it compiles elsewhere" "$(head -c 2000 "$scratch/out")"
(cd "$build" && sh -c "$(tail -n 1 "$scratch/commands")") >"$scratch/out" 2>&1 ||
  fail "it links elsewhere" "$(head -c 2000 "$scratch/out")"
if cmp "$S3N_BUILD/$module" "$build/$module"; then
  pass "two builds in different folders are the same bytes ($(stat -c %s "$build/$module"))"
else
  fail "two builds in different folders differ"
fi
if grep -aq -e "$source_folder" -e "$scratch" "$build/$module" "$S3N_BUILD/$module"; then
  fail "the module names a folder of the machine it was built on"
else
  pass "the module names no folder of the machine it was built on"
fi
finish
