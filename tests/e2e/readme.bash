#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The session of the README, line by line as it stands there, but for its folder and port.
set -u
. "$(dirname "$0")/node.bash"
require_node readme
port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
sed -n '/^## Ten lines/,/^A program/p' "$S3N_SOURCE/README.md" | grep '^\$ ' | sed "s|^\$ ||; s|/tmp/s3n|$data|g; s|127.0.0.1:8443|127.0.0.1:$port|g" >"$scratch/lines"
cp -r "$S3N_SOURCE/examples" "$scratch/"
cd "$scratch" || exit 1
while read -r line <&7; do
  case $line in
    make\ build*) pass "README: the build is what runs here" ;;
    s3nd\ *\ \&)
      mkfifo ready
      (eval "exec ${line% &}") >ready 2>node.log &
      node=$!
      read -r -t 100 greeting <ready
      [[ $greeting == "ready url=https://127.0.0.1:$port admin=http://127.0.0.1:"* ]] && pass "README: $line" ||
        fail "README: $line" "$greeting"
      ;;
    *)
      output=$(eval "timeout 100 $line" 2>err) && pass "README: $line" || fail "README: $line" "$(cat err)"
      case $line in
        s3n\ invoke*) is "README: its output" "$output" "winner carol pays 90" ;;
        s3n\ run* | curl*) has "README: the same output" "$output" "winner carol pays 90" ;;
      esac
      ;;
  esac
done 7<lines
is "README: lines" "$(wc -l <lines)" 8
finish
