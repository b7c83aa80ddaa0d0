#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Control groups: where the node has one of its own, each child runs in its group with the limits of the
# configuration, and a worker that takes too much memory is ended alone; where it has none, it runs without, unless
# the configuration demands it.  tests/machine.bash runs this on a kernel that has all of it.
set -u
. "$(dirname "$0")/node.bash"
require_node cgroup

# The node's group is a new one below ours.  RUN_AS puts the node, and nothing else, into it.
own=$(sed -n 's/^0:://p' /proc/self/cgroup)
mount=$(sed -n 's/^[0-9]* [0-9]* [0-9:]* [^ ]* \([^ ]*\) .* - cgroup2 .*/\1/p' /proc/self/mountinfo | head -n 1)
group=$mount${own%/}/s3n-e2e-$$
has_group='' has_memory=''
if [ -n "$mount" ] && mkdir "$group" 2>/dev/null; then
  has_group=1
  RUN_AS=(sh -c 'echo 0 >"$0/cgroup.procs" && exec "$@"' "$group")
  for controller in memory pids cpu; do grep -qw $controller "$group/cgroup.controllers" || missing=$controller; done
  [ -n "${missing:-}" ] || has_memory=1
  remove_group() { clean_up; for _ in 1 2 3 4 5 6 7 8 9; do find "$group" -depth -type d -exec rmdir {} + 2>/dev/null; [ -d "$group" ] || break; sleep 0.1; done; }
  trap remove_group EXIT
fi

# --- configuration
refused() {
  local name=$1 wanted=$2 text=$3 output status
  printf '%b' "$4" >"$scratch/s3nd.toml"
  output=$("${RUN_AS[@]}" timeout 90 s3nd --data-dir "$data" --listen 127.0.0.1:0 --config "$scratch/s3nd.toml" 2>&1)
  status=$?
  is "$name" $status "$wanted"
  has "$name: says why" "$output" "$text"
}
refused "an unknown key" 3 'did you mean' '[cgroup]\nworker_pid = 3\n'
refused "an unknown use" 3 'cgroup.use: must be "auto", "required" or "off"' '[cgroup]\nuse = "perhaps"\n'
refused "a weight of 0" 3 'worker_weight' '[cgroup]\nworker_weight = 0\n'
refused "a weight beyond what the kernel takes" 3 'worker_weight' '[cgroup]\nworker_weight = 10001\n'
if [ -z "$has_memory" ]; then
  refused "demanded where there are none" 7 'required\", but ' '[cgroup]\nuse = "required"\n'
fi

# --- off, and as it comes
printf '[cgroup]\nuse = "off"\n' >"$scratch/s3nd.toml"
node_start --config "$scratch/s3nd.toml" || { fail "start without"; finish; }
is "off: the node stays where it was" "$(sed -n 's/^0:://p' "/proc/$node/cgroup")" "${own%/}${has_group:+/s3n-e2e-$$}$([ -n "$has_group$own" ] && [ "$own$has_group" = / ] && echo /)"
node_stop
is "stop" $? 0
printf '[limits]\nready_max = 2\n[cgroup]\n%sworker_memory_mib = 40\nworker_pids = 100\nworker_weight = 70\ncompiler_pids = 33\n' \
  "${has_memory:+use = \"required\"
}" >"$scratch/s3nd.toml"
node_start --config "$scratch/s3nd.toml" && claim || { fail "start"; finish; }
has "the log tells what is limited" "$(cat "$scratch/node.log")" 'event="control groups" limits='
application echo echo
application eat eat 'limits = { memory_mib = 512, timeout_ms = 25000 }'
application small eat 'limits = { memory_mib = 24, timeout_ms = 25000 }'
deploy echo && deploy eat && deploy small
is "deploy" $? 0
is "invoke" "$(invoke echo --data hello)" hello
# The kernel ends a cell: its worker lives on.
lost() { curl -sS --max-time 60 "$admin/metrics" | sed -n 's/^s3n_workers_lost_total //p'; }

# group_of PID: the name of its last group
group_of() { sed -n 's/^0::.*\///p' "/proc/$1/cgroup"; }
value() { cat "$group/s3n-$node/$(group_of "$1")/$2"; }
if [ -n "$has_memory" ]; then
  is "the supervisor has a leaf of its own" "$(group_of "$node")" self
  worker=$(pid_of slipstream) server=$(pid_of 'role server') keeper=$(pid_of s3n-keeper)
  names=$(for pid in $worker $server $keeper; do group_of "$pid"; done | sort -u | grep -c '^child-')
  is "each child has one" "$names" 3
  is "a worker's memory" "$(value "$worker" memory.max)" $((40 << 20))
  is "and none of it is swapped" "$(value "$worker" memory.swap.max)" 0
  is "a worker's processes" "$(value "$worker" pids.max)" 100
  is "a worker's share" "$(value "$worker" cpu.weight)" 70
  is "the server's share" "$(value "$server" cpu.weight)" 500
  is "the server's memory is its own" "$(value "$server" memory.max)" max
  # A compiler lives for milliseconds: its groups are gone with it, as those of all that ended.
  living() { pgrep -P "$node" | wc -l; }
  tidy() { [ "$(find "$group/s3n-$node" -mindepth 1 -type d -name 'child-*' | wc -l)" = "$(living)" ]; }
  until_true 10 tidy && pass "what ended has no group any more" || fail "what ended has no group any more"
  limit_of() { fetch --data-binary x -o "$scratch/body" -w '%{http_code}' "$url/a/$1/run"; }
  is "what fits is answered" "$(limit_of small)" 200
  is "too much memory: 503" "$(limit_of eat)" 503
  has "and its code" "$(cat "$scratch/body")" '"code":"crashed"'
  is "others run on" "$(invoke echo --data after)" after
  is "no worker was lost" "$(lost)" 0
  is "and this one too, with less" "$(limit_of small)" 200
  # A supervisor that replaces its own program keeps the groups, and those of its children.
  is "upgrade" "$(timeout 100 s3n -q node upgrade --data-dir "$data" >/dev/null 2>"$scratch/err"; echo $?)" 0
  upgraded() { grep -q 'event=upgraded' "$scratch/node.log"; }
  until_true 30 upgraded && pass "upgrade: the supervisor too" || fail "upgrade: the supervisor too"
  until_true 30 invoke echo --data x
  is "upgrade: answers" "$(invoke echo --data new)" new
  is "upgrade: the supervisor has its leaf" "$(group_of "$node")" self
  is "upgrade: the server's share" "$(value "$(pid_of 'role server')" cpu.weight)" 500
  is "upgrade: a worker's processes" "$(value "$(pid_of slipstream)" pids.max)" 100
  until_true 20 tidy && pass "upgrade: what ended has no group any more" || fail "upgrade: what ended has no group any more"
elif memory=/sys/fs/cgroup/memory/s3n-e2e-$$ && mkdir "$memory" 2>/dev/null; then
  # The kernel has memory groups of version 1 only: the worker is put into one by hand, so that it is the kernel that
  # ends it.
  echo 41943040 >"$memory/memory.limit_in_bytes"
  for pid in $(pgrep -P "$node" -f slipstream); do
    for task in $pid $(pgrep -P "$pid"); do echo "$task" >"$memory/cgroup.procs"; done
  done
  status=$(fetch --data-binary x -o "$scratch/body" -w '%{http_code}' "$url/a/eat/run")
  is "too much memory: 503" "$status" 503
  has "and its code" "$(cat "$scratch/body")" '"code":"crashed"'
  is "others run on" "$(invoke echo --data after)" after
  is "no worker was lost" "$(lost)" 0
  emptied() { rmdir "$memory"; }
  skip "limits of control groups" "this group is offered none of memory, pids, cpu of version 2"
else
  skip "a worker killed for memory" "there are no memory groups here"
fi
node_stop
is "stop" $? 0
[ -z "$has_memory" ] || has "the log tells that memory ran out" "$(cat "$scratch/node.log")" "its control group's memory ran out"
if [ -n "$has_group" ]; then
  is "no group is left" "$(find "$group" -mindepth 1 -type d | wc -l)" 0
  is "and nothing is switched on" "$(cat "$group/cgroup.subtree_control")" ""
fi
if [ -n "${memory:-}" ] && [ -d "$memory" ]; then
  until_true 10 emptied || fail "remove $memory"
fi
finish
