#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Programs that work with files (C with wasi-libc, Rust with std::fs): the same lines from a micro-VM as from Node's WASI.
set -u
. "$(dirname "$0")/programs.bash"
require_runner files
command -v node >/dev/null || skip_all files "no node to compare with"

folder_make() {
  rm -rf "$scratch/$1"
  mkdir -p "$scratch/$1/folder/inner"
  printf 'one\ntwo words\nlast' >"$scratch/$1/words.txt"
  printf 'within' >"$scratch/$1/folder/inner/file"
  ln -s folder/inner/file "$scratch/$1/link"
}

# same NAME MODULE: with a folder each, which is also how the host's must look when ours has run.
same() {
  folder_make theirs
  folder_make ours
  folder_make before
  record theirs /dev/null node_wasi --dir "$scratch/theirs" "$2" /
  record ours /dev/null timeout 60 "$S3N_BUILD/bin/s3n" -q run --backend "${S3N_BACKEND:-kvm}" --dir "$scratch/ours::/" "$2" /
  compare "$1"
  if diff -r "$scratch/before" "$scratch/ours" >"$scratch/diff"; then
    pass "$1 leaves the host's folder alone"
  else
    fail "$1 leaves the host's folder alone" "$(head -3 "$scratch/diff")"
  fi
}

for program in c rust; do
  status=0
  "build_files_$program" || status=$?
  case $status in
  0) same "$program" "$built/files-$program.wasm" ;;
  1) skip "$program" "$why" ;;
  *) fail "$program" "$why" ;;
  esac
done
finish
