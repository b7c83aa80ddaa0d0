#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# An ordinary user: children are separated by namespaces and system-call filters alone.  With the process backend
# that user needs nothing but user namespaces, and has no way to /dev/kvm here.
set -u
. "$(dirname "$0")/node.bash"
require_node user
if [ "$(id -u)" != 0 ]; then
  skip_all user "needs root to become another user; the other tests run as an ordinary user already"
fi
command -v setpriv >/dev/null || skip_all user "setpriv is not there"
backend=${S3N_BACKEND:-kvm}
AS_USER=(setpriv --reuid=65534 --regid=65534 --clear-groups --inh-caps=-all)
RUN_AS=("${AS_USER[@]}")
# The build folder may stand where another user can't go.
mkdir "$scratch/bin"
cp "$S3N_BUILD"/bin/{s3n,s3nd,s3n-keeper,s3n-compile,s3n-outbound,slipstream} "$scratch/bin"
cp "$modules"/{echo,loop,trap,hog,exit}.wasm "$scratch"
chmod 644 "$scratch"/*.wasm
PATH=$scratch/bin:$PATH
"${AS_USER[@]}" unshare --user true 2>/dev/null || skip_all user "this kernel refuses user namespaces to ordinary users"

# --- where there are none to be had: said, not skipped
cat >"$scratch/no-namespaces.py" <<'PY'
# A user namespace with all users in it, where no other can be made; then the command.
import ctypes, os, sys
outside, inside = os.pipe(), os.pipe()
child = os.fork()
if child == 0:
    if ctypes.CDLL(None).unshare(0x10000000) != 0:
        os._exit(99)
    os.write(inside[1], b"x")
    os.read(outside[0], 1)
    with open("/proc/sys/user/max_user_namespaces", "w") as limit:
        limit.write("0")
    os.execvp(sys.argv[1], sys.argv[1:])
os.read(inside[0], 1)
for kind in "uid", "gid":
    with open(f"/proc/{child}/{kind}_map", "w") as table:
        table.write("0 0 65536")
os.write(outside[1], b"x")
sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
PY
no_namespaces=(python3 "$scratch/no-namespaces.py" "${AS_USER[@]}")
if [ "$backend" = process ] && "${no_namespaces[@]}" true 2>/dev/null; then
  output=$("${no_namespaces[@]}" s3n run --backend process "$scratch/echo.wasm" </dev/null 2>&1)
  is "no user namespaces: exit code" $? 7
  has "no user namespaces: s3n run says so" "$output" "this kernel refuses namespaces to ordinary users"
  output=$("${no_namespaces[@]}" s3n doctor 2>&1)
  is "no user namespaces: doctor's exit code" $? 7
  has "no user namespaces: doctor says so" "$output" "this user may not make namespaces"
  mkdir -m 777 "$scratch/none"
  output=$("${no_namespaces[@]}" timeout 90 s3nd --data-dir "$scratch/none/data" --listen 127.0.0.1:0 --backend process 2>&1)
  is "no user namespaces: a node's exit code" $? 7
  has "no user namespaces: a node says so" "$output" "this kernel refuses namespaces to ordinary users"
else
  skip "no user namespaces" "only with the process backend, and where a namespace without can be made"
fi

if [ "$backend" = kvm ] && ! "${AS_USER[@]}" test -w /dev/kvm && mknod -m 666 "$scratch/kvm" c 10 232 2>/dev/null &&
  unshare --mount sh -c 'mount --bind "$0" /dev/kvm && exec "$@"' "$scratch/kvm" "${AS_USER[@]}" test -w /dev/kvm 2>/dev/null; then
  # Where only root may open /dev/kvm, the node gets one of its own that anybody may open, in a mount namespace.
  RUN_AS=(unshare --mount sh -c 'mount --bind "$0" /dev/kvm && exec "$@"' "$scratch/kvm" "${AS_USER[@]}")
fi
if [ "$backend" = process ] && [ -e /dev/kvm ]; then
  # And here nobody may.
  : >"$scratch/kvm"
  chmod 000 "$scratch/kvm"
  RUN_AS=(unshare --mount sh -c 'mount --bind "$0" /dev/kvm && exec "$@"' "$scratch/kvm" "${AS_USER[@]}")
  "${RUN_AS[@]}" test -r /dev/kvm && fail "/dev/kvm can be opened" || pass "/dev/kvm can't be opened"
fi

# --- one program
can_run=1
"${RUN_AS[@]}" test -w /dev/kvm || [ "$backend" = process ] || can_run=''
if [ -n "$can_run" ]; then
  is "run" "$("${RUN_AS[@]}" s3n -q run --backend "$backend" "$scratch/echo.wasm" <<<hello)" hello
  output=$("${RUN_AS[@]}" s3n -q run --backend "$backend" "$scratch/trap.wasm" 2>&1 </dev/null)
  is "run: a trap" $? 1
  has "run: says which" "$output" unreachable
  output=$("${RUN_AS[@]}" s3n -q run --backend "$backend" --timeout-ms 300 "$scratch/loop.wasm" 2>&1 </dev/null)
  is "run: a time limit" $? 8
  "${RUN_AS[@]}" s3n -q run --backend "$backend" --memory-mib 16 "$scratch/hog.wasm" >/dev/null 2>&1 </dev/null
  is "run: all memory it may have, then the trap" $? 1
fi
if [ "$backend" = process ] && [ -e /dev/kvm ]; then
  # The process backend is used where it was asked for, never for want of the other.
  output=$("${RUN_AS[@]}" s3n -q run --backend kvm "$scratch/echo.wasm" 2>&1 </dev/null)
  is "run with kvm: exit code" $? 7
  has "run with kvm: why not" "$output" "/dev/kvm"
  mkdir -p "$data"
  chown 65534:65534 "$data"
  if S3N_BACKEND=kvm node_start && claim; then
    application echo echo
    deploy echo
    is "a node with kvm: deploys" $? 0
    is "a node with kvm: answers 503" "$(fetch --data-binary x -o "$scratch/body" -w '%{http_code}' "$url/a/echo/run")" 503
    has "a node with kvm: does not pretend" "$(fetch "$url/.well-known/s3n/info")" '"backend":"kvm"'
    has "a node with kvm: the log says why" "$(cat "$scratch/node.log")" "/dev/kvm"
    node_stop
  else
    fail "a node with kvm starts"
  fi
  rm -rf "$data" "$XDG_CONFIG_HOME"
fi

# --- a node
mkdir -p "$data"
chown 65534:65534 "$data"
node_start || { fail "start"; finish; }
pass "start"
is "claim" "$(claim; echo $?)" 0
is "the claim code is the user's" "$(stat -c %u "$data")" 65534
application echo echo
application loop loop 'limits = { timeout_ms = 300 }'
application trap trap
application flood flood 'limits = { output_kib = 4 }'
application hog hog 'limits = { memory_mib = 16 }'
deploy echo && deploy loop && deploy trap && deploy flood && deploy hog
is "deploy (a jailed compiler ran)" $? 0
if [ -n "$can_run" ]; then
  is "invoke" "$(invoke echo --data hello --receipt "$scratch/receipt.json" | tee "$scratch/answer")" hello
  printf hello >"$scratch/input"
  output=$(timeout 90 s3n verify "$scratch/receipt.json" --input "$scratch/input" --output "$scratch/answer" --trust-simulated 2>&1)
  is "the receipt verifies" $? 0
  has "and names the backend" "$output" ", backend $backend"
  # answer_of APP: status and code
  answer_of() { fetch --data-binary x -w ' %{http_code}' "$url/a/$1/run" | sed 's/.*"code":"\([^"]*\)".* \([0-9]*\)$/\2 \1/'; }
  is "a time limit" "$(answer_of loop)" "504 timeout"
  is "a trap" "$(answer_of trap)" "500 trapped"
  is "an output limit" "$(answer_of flood)" "507 limit"
  is "a memory limit" "$(answer_of hog)" "500 trapped"
  is "and all goes on" "$(invoke echo --data again)" again
  wrong=0
  for i in {1..40}; do [ "$(fetch --data-binary "$i" "$url/a/echo/run")" = "$i" ] || wrong=$((wrong + 1)); done
  is "forty in a row" "$wrong" 0
else
  output=$(invoke echo --data hello 2>&1)
  is "invoke without /dev/kvm: exit code" $? 7
  skip "invoke" "user 65534 may not open /dev/kvm"
fi
for kind in server keeper slipstream; do
  pid=$(pid_of "$kind")
  is "$kind: is the user" "$(sed -n 's/^Uid:\t\([0-9]*\).*/\1/p' "/proc/$pid/status")" 65534
  is "$kind: no capabilities" "$(sed -n 's/^CapEff:\t//p' "/proc/$pid/status")" 0000000000000000
  is "$kind: no new privileges" "$(sed -n 's/^NoNewPrivs:\t//p' "/proc/$pid/status")" 1
  is "$kind: system-call filter" "$(sed -n 's/^Seccomp:\t//p' "/proc/$pid/status")" 2
  [ "$(readlink "/proc/$pid/ns/mnt")" != "$(readlink /proc/self/ns/mnt)" ] && pass "$kind: its own files" || fail "$kind: its own files"
done
node_stop
is "stop" $? 0
finish
