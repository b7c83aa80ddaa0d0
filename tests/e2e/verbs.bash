#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Every verb of `s3n node`, and `s3nd`: their help, their data as JSON, and what they can't do: wrong arguments, a
# configuration that is missing or not one, a user who may not, an address that is taken, a folder that can't be
# written.  Each says why, by its exit code too, and as JSON on stderr with --json.
set -u
. "$(dirname "$0")/node.bash"
require_node verbs
export HOME=$scratch
# errors_json FILE: lines of an exit code, a tab, what --json wrote: each an error whose code has that exit code
errors_json() {
  python3 -c 'import json, re, sys
rows = re.findall(r"X\([A-Z_]+, \"([a-z-]+)\", \d+, (\d+),", open(sys.argv[1]).read())
for line in open(sys.argv[2]):
    code, text = line.rstrip("\n").split("\t", 1)
    try:
        error = json.loads(text)["error"]
        if (error["code"], code) not in rows or not error["message"] or set(error) - {"code", "message", "hint"}:
            print(line)
    except ValueError as problem:
        print(problem, line)' "$S3N_SOURCE/src/base/error.h" "$1" 2>&1
}
# refused NAME CODE TEXT COMMAND...
refused() {
  local name=$1 code=$2 text=$3
  shift 3
  timeout 60 "$@" >"$scratch/out" 2>"$scratch/err" 9<&-
  is "$name" $? "$code"
  has "$name: says so" "$(cat "$scratch/err")" "$text"
  [ "$1" = s3n ] && [ "${3:-}" != run ] || return 0 # which becomes s3nd, and that logs
  shift
  timeout 60 s3n --json "$@" >"$scratch/out" 2>"$scratch/err" 9<&-
  is "$name: --json" "$? $(cat "$scratch/out")" "$code "
  printf '%s\t%s\n' "$code" "$(cat "$scratch/err")" >>"$scratch/errors"
}
# answers NAME KEYS COMMAND...: with --json, one object on stdout with these keys, nothing on stderr
answers() {
  local name=$1 keys=$2
  shift 2
  timeout 60 "$@" --json >"$scratch/out" 2>"$scratch/err" 9<&-
  is "$name: --json: exit code" "$? $(cat "$scratch/err")" "0 "
  is "$name: --json: its keys" "$(python3 -c 'import json,sys; print(*sorted(json.load(open(sys.argv[1]))))' "$scratch/out" 2>&1)" "$keys"
}
answers init "data_dir node platform settings" s3n node init --data-dir "$data" --listen 127.0.0.1:0 --backend "${S3N_BACKEND:-kvm}"

# --- help
verbs="init run status backup restore check accept upgrade"
usages=$(s3n node --help | head -n 1)
for verb in $verbs; do
  has "node --help knows $verb" "${usages//|/ } " " $verb "
  for words in "node $verb --help" "node $verb -h" "help node $verb" "--json node $verb --help"; do
    # shellcheck disable=SC2086 # words
    output=$(timeout 20 s3n $words 2>"$scratch/err")
    is "$words" "$? $(cat "$scratch/err")" "0 "
    has "$words: its usage" "$output" "usage: s3n node $verb [options]"
    for option in --data-dir --settings --tee --json --quiet --verbose --help; do
      [[ $output == *" $option"* ]] || fail "$words: $option"
    done
  done
done
output=$(timeout 20 s3nd --help 2>"$scratch/err")
is "s3nd --help" "$? $(cat "$scratch/err")" "0 "
for option in --config --data-dir --listen --admin --tee --backend --version --help; do has "s3nd --help: $option" "$output" " $option"; done
has "s3nd --version" "$(timeout 20 s3nd --version) $?" "s3nd 0."

# --- the server's own command line
while IFS='|' read -r code text words; do
  # shellcheck disable=SC2086 # words
  refused "s3nd $words" "$code" "$text" s3nd $words
done <<TABLE
2|unknown option --nonsense|--nonsense
2|unexpected argument|extra
2|--listen wants a value|--listen
2|for s3nd's own use|--role nonsense
2|for s3nd's own use|--restoring 7
3|not an address|--listen nonsense --data-dir $scratch/nowhere
3|not an address|--listen 127.0.0.1:65536 --data-dir $scratch/nowhere
3|loopback|--admin 0.0.0.0:1 --data-dir $scratch/nowhere
3|tee nonsense|--tee nonsense --data-dir $scratch/nowhere
3|backend "nonsense"|--backend nonsense --data-dir $scratch/nowhere
5|open $scratch/absent.toml|--config $scratch/absent.toml
3|Is a directory|--config $scratch
TABLE

# --- wrong arguments
for verb in $verbs; do
  refused "$verb: an option of no verb" 2 "unknown option --nonsense" s3n node "$verb" --data-dir "$data" --nonsense
  refused "$verb: too many arguments" 2 "unexpected argument" s3n node "$verb" --data-dir "$data" one two
  refused "$verb: an option without its value" 2 "--data-dir wants a value" s3n node "$verb" --data-dir
done
for verb in backup restore; do refused "$verb: without FILE" 2 "argument missing" s3n node $verb --data-dir "$data"; done
refused "no verb" 2 "node what?" s3n node
refused "no such verb" 2 "fly" s3n node fly
refused "init: no such platform" 3 "tee nonsense" s3n node init --data-dir "$scratch/none" --tee nonsense
refused "init: no address" 3 "not an address" s3n node init --data-dir "$scratch/none" --listen nonsense
refused "init: an open address for the operator's port" 3 "loopback" s3n node init --data-dir "$scratch/none" --admin 0.0.0.0:1
is "init: what is refused makes nothing" "$(ls "$scratch/none" 2>/dev/null)" ""

# --- configuration
echo 'nonsense = 1' >"$scratch/unknown.toml"
echo 'listen = ' >"$scratch/broken.toml"
: >"$scratch/file"
for verb in run status "backup $scratch/b" "restore $scratch/file" check accept upgrade; do
  # shellcheck disable=SC2086 # a verb and its file
  refused "${verb%% *}: no configuration" 5 "open $scratch/absent.toml" s3n node $verb --data-dir "$data" --settings "$scratch/absent.toml"
  # shellcheck disable=SC2086
  refused "${verb%% *}: a key that there is not" 3 'no key "nonsense"' s3n node $verb --data-dir "$data" --settings "$scratch/unknown.toml"
  # shellcheck disable=SC2086
  refused "${verb%% *}: not a configuration" 3 "broken.toml:1" s3n node $verb --data-dir "$data" --settings "$scratch/broken.toml"
done
is "no backup was begun" "$(ls "$scratch"/b* 2>/dev/null | grep -v broken)" ""

# --- a node runs there, and another user asks
node_start --config "$data/s3nd.toml" || { fail "start"; finish; }
refused "run: a node runs there" 9 "another process runs a node" s3n node run --data-dir "$data"
s3n -q node init --data-dir "$scratch/second" --listen "${url#https://}" || fail "init of a second"
answers status "applications backend free_bytes listen node platform problems process server upgrades_failed uptime_s version" s3n node status --data-dir "$data"
answers "check of a node that works" "applications audit_entries blobs bytes good log_segments problem_count problems records states versions" s3n node check --data-dir "$data"
answers "backup of a node that works" "bytes file" s3n node backup --data-dir "$data" "$scratch/good.backup"
answers upgrade "applications backend free_bytes listen node platform problems server upgrades_failed uptime_s version" s3n node upgrade --data-dir "$data"
refused "run: the address is taken" 7 "Address already in use; stop what listens there, or choose another" s3n node run --data-dir "$scratch/second"
user=(setpriv --reuid=65534 --regid=65534 --clear-groups --inh-caps=-all)
if [ "$(id -u)" = 0 ] && "${user[@]}" true 2>/dev/null; then
  for verb in run status "backup $scratch/b" "restore $scratch/file" check accept upgrade; do
    # shellcheck disable=SC2086
    refused "${verb%% *}: another user" 4 "Permission denied" "${user[@]}" "$S3N_BUILD/bin/s3n" node $verb --data-dir "$data"
  done
  is "the node goes on" "$(fetch -o /dev/null -w '%{http_code}' "$url/.well-known/s3n/health")" 200
else
  skip "another user" "needs root"
fi

# --- the one who logged in finds another node at the address, or none
claim || fail "claim"
refused "invoke: no function's name" 2 "is not APPLICATION/FUNCTION (\`s3n ls\` lists yours)" s3n invoke greeting
refused "invoke: no such function" 5 "\`s3n ls\` lists your applications" s3n invoke greeting/hello
refused "invoke: no such file" 5 "open $scratch/none: No such file" s3n invoke greeting/hello --data "@$scratch/none"
is "invoke: of a file the node knows nothing" "$(grep -c hint "$scratch/err")" 0
timeout 60 s3n login "$url" 2>"$scratch/err"
is "login: simulated evidence" $? 6
is "login: one line for each piece" "$(grep -c '^  · collateral .*Z$' "$scratch/err")" 4
node_stop
is "stop" $? 0
first=$data data=$scratch/second
node_start --config "$data/s3nd.toml" --listen "${url#https://}" || { fail "start another"; finish; }
refused "ls: another node" 6 "the node's key has changed: another node answers at $url than at login" s3n ls
has "ls: and what to do" "$(cat "$scratch/err")" "if that is meant, \`s3n login URL\` checks and remembers it"
node_stop
data=$first

answers check "applications audit_entries blobs bytes good log_segments problem_count problems records states versions" s3n node check --data-dir "$data"
answers accept "accepted" s3n node accept --data-dir "$data"
answers backup "bytes file" s3n node backup --data-dir "$data" "$scratch/good.backup"
answers restore "applications id node states time_s versions" s3n node restore --data-dir "$data" "$scratch/good.backup" --replace

# --- what a node says steers no terminal
python3 - "$scratch/said" <<'PY' &
import http.server, json, os, socket, struct, sys, threading
ill = "A\x1b]0;title\x07\x1b[2J\u009b31m\u202eB\u2066\x7f"
status = {"ready": False, "node": ill, "version": ill, "backend": ill, "started": ill, "causes": [{"message": ill}],
          "telemetry": {"error": ill}, "tee": {"platform": ill, "keyset": {"until": ill}, "evidence": {"last": ill},
                                               "collateral": {"until": ill, "error": ill}}}
class Admin(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        text = json.dumps(status).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)
    def log_message(self, *_): pass
server = http.server.HTTPServer(("127.0.0.1", 0), Admin)
threading.Thread(target=server.serve_forever, daemon=True).start()
os.mkdir(sys.argv[1])
listener = socket.socket(socket.AF_UNIX)
listener.bind(sys.argv[1] + "/control")
listener.listen()
with open(sys.argv[1] + "/port.new", "w") as file: file.write(str(server.server_port))
os.rename(sys.argv[1] + "/port.new", sys.argv[1] + "/port")
frame = lambda kind, identity, text: struct.pack("<IHHI", len(text), kind, 0, identity) + text
while True: # the running node's socket (operations/control.h)
    peer, _ = listener.accept()
    _, kind, _, identity = struct.unpack("<IHHI", peer.recv(12))
    peer.sendall(frame(100, 0, struct.pack("<QQ", 1, 2) + ill.encode()))
    if kind == 1:
        peer.sendall(frame(0xfffe, identity, json.dumps({"node": ill, "platform": ill, "version": ill, "listen": ill, "problems": [ill]}).encode()))
    else:
        peer.sendall(frame(0xffff, identity, struct.pack("<I", 3) + ill.encode()))
    peer.close()
PY
speaker=$!
until_true 20 test -s "$scratch/said/port"
# masked NAME COMMAND...: on a terminal, where steps are shown too; all of ours but colours and the step's line
masked() {
  local name=$1
  shift
  output=$(python3 - "$@" <<'PY'
import os, pty, re, sys
text = b""
def read(descriptor):
    global text
    piece = os.read(descriptor, 65536)
    text += piece
    return b""
os.environ["NO_COLOR"] = "1"
sys.stdout.flush()
pty.spawn(sys.argv[1:], read)
text = text.replace(b"\r\x1b[K", b"").replace(b"\r\n", b"\n").decode("utf-8", "surrogateescape")
print(text.count("A"), sorted(set(re.findall("[^\n\t -~]", text))))
PY
  )
  has "$name: controls of a terminal" "$output" " []"
  [ "${output%% *}" -gt 0 ] && pass "$name: the text is there" || fail "$name: the text is there" "$output"
}
masked "node status" s3n node status --data-dir "$scratch/said"
masked "node check" s3n node check --data-dir "$scratch/said"
masked "status --admin" s3n status --admin "http://127.0.0.1:$(cat "$scratch/said/port")"
kill "$speaker"
wait "$speaker" 2>/dev/null

# --- a file system that can't be written
mkdir "$scratch/fixed"
cp -a "$data" "$scratch/fixed/data"
if mount --bind "$scratch/fixed" "$scratch/fixed" 2>/dev/null && mount -o remount,bind,ro "$scratch/fixed"; then
  for verb in run "backup $scratch/b" "restore $scratch/file" check; do
    # shellcheck disable=SC2086
    refused "${verb%% *}: read-only" 4 "Read-only file system" s3n node $verb --data-dir "$scratch/fixed/data"
  done
  refused "init: read-only" 4 "Read-only file system" s3n node init --data-dir "$scratch/fixed/new"
  refused "backup: to a read-only place" 4 "Read-only file system" s3n node backup --data-dir "$data" "$scratch/fixed/b"
  for verb in status upgrade; do refused "$verb: no node runs there" 7 "no node runs" s3n node $verb --data-dir "$scratch/fixed/data"; done
  umount "$scratch/fixed"
else
  ! mountpoint -q "$scratch/fixed" || umount "$scratch/fixed"
  skip "read-only" "nothing can be mounted here"
fi
[ "$(wc -l <"$scratch/errors")" -gt 50 ] && is "each error as JSON" "$(errors_json "$scratch/errors")" "" || fail "errors as JSON"
finish
