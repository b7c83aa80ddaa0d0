#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Ten thousand functions deployed and idle: no process of theirs remains, the server keeps little for each, and any
# of them answers when it is asked.  And how many workers wait ahead of need: the floor while nothing comes, more the
# more applications wake up, never above the ceiling.
set -u
. "$(dirname "$0")/node.bash"
require_node idle
applications=160 functions=64 # the most that one manifest may have
kib_max=16
printf '[limits]\nidle_s = 1\nready_min = 2\nready_max = 4\n' >"$scratch/s3nd.toml"
node_start --config "$scratch/s3nd.toml" && claim || { fail "start"; finish; }
server=$(pid_of 'role server')

resident_kib() { sed -n 's/^VmRSS:[^0-9]*\([0-9]*\) kB/\1/p' "/proc/$server/status"; }
workers() { pgrep -c -P "$node" -f slipstream; }
has_workers() { [ "$(workers)" = "$1" ]; }

# many NAME FUNCTIONS: an application of so many functions, each answers its own name
many() {
  local i
  mkdir -p "$scratch/$1"
  cp "$modules/environment.wasm" "$scratch/$1/module.wasm"
  {
    printf 's3n_manifest_version = 1\ncompatibility_date = "2026-11-01"\n[application]\nname = "%s"\nversion = "1.0.0"\n' "$1"
    for ((i = 0; i < $2; i++)); do
      printf '[function.f%d]\nsource = "module.wasm"\nlimits = { memory_mib = 2 }\nenvironment = { WHO = "%s/f%d" }\n' "$i" "$1" "$i"
      printf '[[trigger.http]]\nroute = "/f%d"\nfunction = "f%d"\n' "$i" "$i"
    done
  } >"$scratch/$1/s3n.toml"
}

until_true 10 has_workers 2
is "the floor before anything comes" "$(workers)" 2
many warm $functions
deploy warm
is "deploy a first" $? 0
before=$(resident_kib)
began=$SECONDS
for ((n = 0; n < applications; n++)); do
  many a$n $functions
  deploy a$n || { fail "deploy a$n"; break; }
done
count=$((n * functions))
is "all are deployed" $count $((applications * functions))
echo "$count functions in $((SECONDS - began)) s"
until_true 30 has_workers 2
is "no process of an idle function remains" "$(workers)" 2
# little_each WHAT
little_each() {
  local each=$((($(resident_kib) - before) * 1024 / count))
  [ $each -le $((kib_max * 1024)) ]
  is "$1: at most $kib_max KiB resident for each ($each bytes)" $? 0
}
little_each "deployed"

wrong=''
RANDOM=20261
for _ in {1..50}; do
  a=$((RANDOM % applications)) f=$((RANDOM % functions))
  answer=$(fetch "$url/a/a$a/f$f" | tr '\0' '\n')
  [[ $answer$'\n' == *"WHO=a$a/f$f"$'\n'* ]] || wrong+=" a$a/f$f: ${answer:0:100}"
done
is "fifty of them answer" "$wrong" ""
none_in_use() { curl -sS --max-time 60 "$admin/metrics" | grep -q '^s3n_workers 0$'; }
until_true 10 none_in_use
is "their workers end when they are idle" $? 0
little_each "some used and idle again"
sleep 1.2 # the grace of one that was told to end
is "after many woke up the ceiling waits" "$(workers)" 4
until_true 60 has_workers 2
is "and the floor again, later" "$(workers)" 2
! grep -E 'event=ended .*child=worker' "$scratch/node.log"
is "all of them ended in order" $? 0
node_stop

# refused FLOOR VALUE CEILING VALUE
refused() {
  printf '[limits]\n%s = %s\n%s = %s\n' "$@" >"$scratch/s3nd.toml"
  has "a floor above the ceiling is refused: $1" "$(timeout 90 s3nd --config "$scratch/s3nd.toml" --data-dir "$data" --listen 127.0.0.1:0 2>&1)" "limits.$1 ($2) must not exceed limits.$3 ($4)"
}
refused ready_min 5 ready_max 4
refused lanes_min 3 lanes_max 2
refused idle_min_s 11 idle_s 10
finish
