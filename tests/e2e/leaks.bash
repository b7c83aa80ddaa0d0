#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# One invocation leaves a secret wherever it can, later ones hunt for it: every abi, on both backends, reset by the
# guest in batches and by the VMM.  tests/data/functions/leaks.wat and tests/data/native/leaks.c say where.
set -u
. "$(dirname "$0")/node.bash"
S3N_BACKEND=process require_node leaks
flags=(-O2 -ffreestanding -fPIE -fno-stack-protector -fcf-protection=none -static -nostdlib -no-pie
  -Wl,-T,"$S3N_SOURCE/sdk/c/native.ld" -Wl,--build-id=none -Wl,--entry=probe_entry -I "$S3N_SOURCE/sdk/c")

# add NAME MODULE LINES: with a file of its own, so that there is a folder to write into
add() {
  application "$1" leaks "$3"
  cp "$2" "$scratch/$1/module.wasm"
  deploy "$1" || fail "deploy $1"
}
hunt_of() { [ "$1" = cgi ] && echo H || echo h; }
plant_of() { [ "$1" = cgi ] && echo P || echo p; }

# hunt LABEL APP ABI: one after the other, then many at once, which are served in batches
hunt() {
  local plant hunt wanted=clean answers
  plant=$(plant_of "$3") hunt=$(hunt_of "$3")
  is "$1: clean before" "$(fetch --data-binary "$hunt" "$url/a/$2/run")" clean
  for _ in 1 2 3; do
    fetch -o /dev/null --data-binary "$plant" "$url/a/$2/run"
    answers=$(fetch --data-binary "$hunt" "$url/a/$2/run")
    [ "$answers" = clean ] || wanted="after one: $answers"
  done
  for round in 1 2 3; do
    answers=$(for i in {1..24}; do [ $((i % 2)) = 0 ] && echo "$plant" || echo "$hunt"; done |
      xargs -P 12 -I{} curl -sS --max-time 60 --cacert "$data/tls.crt" -w '\n' --data-binary {} "$url/a/$2/run" | sort -u | tr '\n' ' ')
    [[ $answers == *leak* || $answers != *clean* ]] && wanted="among many: $answers"
  done
  for _ in {1..30}; do
    answers=$(fetch --data-binary "$hunt" "$url/a/$2/run")
    [ "$answers" = clean ] || wanted="later: $answers"
  done
  is "$1: clean after" "$wanted" clean
}

has_native=
if cc "${flags[@]}" "$S3N_SOURCE/sdk/c/s3n.c" "$S3N_SOURCE/tests/data/native/leaks.c" -o "$scratch/leaks.elf" 2>/dev/null; then
  has_native=1
else
  skip "native" "no C compiler"
fi
note=$'files = ["note.txt"]\n'
# The process backend once more with each way to restore memory, which otherwise costs decide.
for run in ${S3N_BACKENDS:-kvm process process:track process:copy process:discard}; do
  backend=${run%%:*} way=''
  isolations='batch invocation'
  rm -f "$scratch/s3nd.toml"
  if [ "$run" != $backend ]; then
    way=${run#*:} isolations=batch
    printf '[process]\nreset = "%s"\n' "$way" >"$scratch/s3nd.toml"
  fi
  if [ $backend = kvm ] && [ ! -w /dev/kvm ]; then
    skip kvm "/dev/kvm can't be opened here"
    continue
  fi
  S3N_BACKEND=$backend node_start ${way:+--config "$scratch/s3nd.toml"} || { fail "start on $run"; continue; }
  if [ $backend = process ]; then
    has "$run: info tells the way" "$(fetch "$url/.well-known/s3n/info")" "\"way\":\"${way:-auto}\""
    has "$run: the log too" "$(cat "$scratch/node.log")" "event=\"reset of memory\" way=${way:-auto}"
  fi
  claim || fail "claim"
  for abi in command cgi reactor; do
    for isolation in $isolations; do
      name=$abi-$isolation
      mkdir -p "$scratch/$name"
      echo 'a file of the function' >"$scratch/$name/note.txt"
      add $name "$modules/leaks.wasm" "${note}abi = \"$abi\"
isolation = \"$isolation\"
limits = { concurrency = 4, memory_mib = 8 }"
      hunt "$run $abi $isolation" $name $abi
    done
  done
  # the hunter finds what is there
  mkdir -p "$scratch/control"
  echo 'a file of the function' >"$scratch/control/note.txt"
  add control "$modules/leaks.wasm" "${note}abi = \"reactor\"
reuse = \"instance\"
limits = { concurrency = 1, memory_mib = 8 }"
  fetch -o /dev/null --data-binary p "$url/a/control/run"
  has "$run: kept on purpose, it is found" "$(fetch --data-binary h "$url/a/control/run")" "leak: "
  if [ $backend = kvm ] && [ -n "$has_native" ]; then
    add native "$scratch/leaks.elf" $'kind = "native"\nlimits = { concurrency = 4, memory_mib = 16 }'
    hunt "kvm native" native native
  fi
  node_stop
  rm -rf "$data" "$XDG_CONFIG_HOME"
done
finish
