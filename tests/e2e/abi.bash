#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Every way to enter a function, from deployment to receipt: command, cgi, reactor.
set -u
. "$(dirname "$0")/node.bash"
require_node abi
node_start || { fail "start"; finish; }
claim || { fail "claim"; finish; }

# --- deployment finds out, or is told
application reactor reactor 'environment = { COLOUR = "blue" }'
deploy reactor
is "a reactor is known by its exports" $? 0
application cgi echo 'abi = "cgi"'
deploy cgi
is "a command deploys as cgi" $? 0
application command echo
deploy command
application wrong echo 'abi = "reactor"'
output=$(deploy wrong 2>&1)
is "a command is no reactor" $? 3
has "and the deployment says so" "$output" "does not export s3n_alloc and s3n_handle"
application wrong reactor 'abi = "command"'
output=$(deploy wrong 2>&1)
is "a reactor is no command" $? 3
has "and the deployment says so" "$output" "no function _start"
for name in init-exit init-print start-trap start-loop; do
  application wrong $name 'limits = { timeout_ms = 300 }'
  [ "$name" = init-exit ] || [ "$name" = init-print ] || sed -i 's/^source.*/&\nabi = "command"/' "$scratch/wrong/s3n.toml"
  output=$(deploy wrong 2>&1)
  [ $? != 0 ] && [[ $output == *initialisation:* ]]
  is "$name fails at deployment" $? 0
done
output=$(invoke wrong 2>&1)
is "nothing of that is served" $? 5

# --- reactor
sed -i 's|^route = .*|route = "/*"|' "$scratch/reactor/s3n.toml"
deploy reactor
is "a call by name" "$(invoke reactor --data hello)" hello
output=$(fetch -D "$scratch/head" "$url/a/reactor/show?x=1&y" -H 'X-Test: yes' -H 'Cookie: a=b' --data-binary body)
is "a status of its own" "$(sed -n '1s/^[^ ]* \([0-9]*\).*/\1/p' "$scratch/head")" 201
has "headers of its own" "$(tr -d '\r' <"$scratch/head")" "x-method: POST"
has "path, query, trigger" "$output" "/show?x=1&y trigger 2"
has "request headers" "$output" "header x-test: yes"
has "cookies" "$output" "header cookie: a=b"
has "facts" "$output" "fact S3N_FUNCTION=f"
has "the manifest's variables" "$output" "fact COLOUR=blue"
has "the body" "$output" "
body body"
id=$(tr -d '\r' <"$scratch/head" | sed -n 's/^s3n-invocation-id: //pI')
has "the invocation's id" "$output" "id $id"
first=$(fetch "$url/a/reactor/count")
second=$(fetch "$url/a/reactor/count")
is "every request starts from the snapshot" "${first% fresh *}" "${second% fresh *}"
has "which is initialised" "$first" "prepared 500500 requests 1 "
[ "${first##* fresh }" != "${second##* fresh }" ]
is "and is not asked for the same random numbers again" $? 0
is "a trap" "$(fetch -o "$scratch/answer" -w '%{http_code}' "$url/a/reactor/trap")" 500
has "is told" "$(cat "$scratch/answer")" "unreachable"
is "a loop" "$(sed -i 's|^source.*|&\nlimits = { timeout_ms = 200 }|' "$scratch/reactor/s3n.toml"; deploy reactor; fetch -o /dev/null -w '%{http_code}' "$url/a/reactor/loop")" 504
is "a flood" "$(fetch -o /dev/null -w '%{http_code}' "$url/a/reactor/flood")" 507
is "an exit code" "$(fetch -o /dev/null -w '%{http_code}' "$url/a/reactor/exit")" 500
is "and it still answers" "$(fetch --data-binary again "$url/a/reactor/")" again
fetch -D "$scratch/head" -o /dev/null "$url/v1/applications/reactor/functions/f/invoke" --data-binary x
has "a call by name gives the status apart" "$(tr -d '\r' <"$scratch/head")" "s3n-status: 200"

# --- an answer that breaks the rules
application raw raw
deploy raw
output=$(printf 'nonsense' | fetch -w ' %{http_code}' --data-binary @- "$url/a/raw/run")
has "a malformed answer" "$output" "malformed answer: it is shorter"
has "is a failure" "$output" " 500"
output=$(invoke raw --data 'nonsense' 2>&1)
is "invoke says so" $? 1
# an envelope by hand: status 200, one header that would split the answer
printf 'S3NA\1\0\310\0\60\0\0\0\60\0\0\0\0\0\0\0\1\0\0\0\0\0\0\0\0\0\0\0\1\0\0\0\6\0\0\0ab\r\nc: \0' >"$scratch/split"
output=$(fetch -D "$scratch/head" --data-binary "@$scratch/split" "$url/a/raw/run")
has "a header can't split the answer" "$output" "control characters"
is "nor reach the client" "$(grep -ci '^c:' "$scratch/head")" 0

# --- cgi and command
output=$(printf 'Status: 404 Not Found\nContent-Type: text/html\nX-A: b\n\nnot here' | fetch -D "$scratch/head" --data-binary @- "$url/a/cgi/run")
is "cgi: body" "$output" "not here"
is "cgi: status" "$(sed -n '1s/^[^ ]* \([0-9]*\).*/\1/p' "$scratch/head")" 404
has "cgi: headers" "$(tr -d '\r' <"$scratch/head")" "x-a: b"
is "cgi: by name the body alone" "$(printf 'Content-Type: a/b\n\nbody' | invoke cgi --data -)" body
is "cgi without lines is a failure" "$(fetch -o "$scratch/answer" -w '%{http_code}' --data-binary 'plain text' "$url/a/cgi/run")" 500
has "that says why" "$(cat "$scratch/answer")" "malformed answer: its header lines do not end"
is "command without lines is an answer" "$(fetch --data-binary 'plain text' "$url/a/command/run")" "plain text"
is "command by name is raw" "$(printf 'Status: 404\n\nx' | invoke command --data -)" "$(printf 'Status: 404\n\nx')"

# --- receipts
for name in reactor cgi command; do
  input=hello wanted=hello
  [ $name = cgi ] && { input=$'Content-Type: a/b\n\nhello'; }
  printf %s "$input" >"$scratch/input"
  invoke $name --data "@$scratch/input" --receipt "$scratch/receipt.json" >"$scratch/answer"
  is "$name: answer" "$(cat "$scratch/answer")" "$wanted"
  timeout 90 s3n verify "$scratch/receipt.json" --input "$scratch/input" --output "$scratch/answer" --trust-simulated >/dev/null 2>&1
  is "$name: its receipt verifies" $? 0
done

# --- state that is kept on purpose
application reuse reactor $'reuse = "instance"\nlimits = { concurrency = 1 }'
sed -i 's|^route = .*|route = "/*"|' "$scratch/reuse/s3n.toml"
deploy reuse
first=$(fetch "$url/a/reuse/count")
second=$(fetch "$url/a/reuse/count")
has "reuse: the first" "$first" "requests 1 "
has "reuse: the second goes on" "$second" "requests 2 "
fetch -o /dev/null "$url/a/reuse/trap"
has "reuse: a trap starts anew" "$(fetch "$url/a/reuse/count")" "requests 1 "

# --- an answer that is held back keeps its head
application held reactor $'pad_time = "50ms"\npad_output = 4096'
sed -i 's|^route = .*|route = "/*"|' "$scratch/held/s3n.toml"
deploy held
output=$(fetch -D "$scratch/head" "$url/a/held/show" --data-binary body)
is "held back: status" "$(sed -n '1s/^[^ ]* \([0-9]*\).*/\1/p' "$scratch/head")" 201
has "held back: headers" "$(tr -d '\r' <"$scratch/head")" "x-method: POST"
has "held back: body" "$output" "body body"
finish
