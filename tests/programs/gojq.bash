#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# gojq (Go, wasip1; 8 MB, nobody here wrote it) in a micro-VM against the same program built natively.
set -u
. "$(dirname "$0")/programs.bash"
require_runner gojq

require_program gojq build_gojq
compile "$built/gojq.wasm" || { fail "compile"; finish; }

cat >"$scratch/input.json" <<'JSON'
{"users":[{"name":"alice","age":31,"tags":["a","b"]},{"name":"bob","age":27,"tags":[]},{"name":"carol","age":45,"tags":["b","c","d"]}],
 "text":"Grüße, \u4e16\u754c \ud83d\ude00","number":1.5e300,"big":123456789012345678901234567890,"nothing":null}
JSON
for i in $(seq 1 3000); do echo "{\"id\":$i,\"group\":$((i * 7919 % 13)),\"value\":$((i * i % 1009))}"; done >"$scratch/many.json"
echo '{"broken": [1, 2' >"$scratch/broken.json"
: >"$scratch/empty"

# same NAME INPUT ARGUMENTS...
same() {
  local name=$1 input=$2
  shift 2
  record theirs "$scratch/$input" env -i "${ENVIRONMENT[@]}" "$built/gojq" "$@"
  record ours "$scratch/$input" run_image "$built/gojq.wasm.image" "$@"
  compare "$name"
}

same identity input.json .
same compact input.json -c .
same paths input.json -c 'paths'
same select input.json -r '.users[] | select(.age > 30) | .name'
same string-functions input.json -r '.text | ascii_downcase, length, utf8bytelength, @base64, @uri, (explode | tostring)'
same numbers input.json '.number, .big, (.big + 1), (7 / 2), (1 / 3), infinite, -1e1000, (0.1 + 0.2)'
same regular-expressions input.json -c '[.users[].name | test("^[a-c].*[el]$"), sub("[aeiou]"; "*"; "g")]'
same sort-and-group many.json -s -c 'group_by(.group) | map({group: .[0].group, sum: (map(.value) | add), most: (max_by(.value) | .id)})'
same reduce many.json -n 'reduce inputs as $row (0; . + $row.value * $row.id)'
same generators empty -n -c '[limit(20; recurse(. * 2 + 1; . < 1000000)?)], [range(0; 10; 3)], ([range(200000)] | add)'
same dates empty -n -r '1700000000 | todate, (strftime("%A %d %B %Y")), (gmtime | mktime)'
same arguments empty -n -c --arg name "O'Brien \"x\"" --argjson n '[1,{"a":2}]' '{$name, $n, rest: $ARGS.named}'
same yaml input.json --yaml-output .users
same raw-input input.json -R -s 'split("\n") | length'
same recursion empty -n 'def fib: if . < 2 then . else (. - 1 | fib) + (. - 2 | fib) end; 18 | fib'
ENVIRONMENT=(GREETING=hello WHO=world)
same environment empty -n -r 'env.GREETING + " " + $ENV.WHO'
ENVIRONMENT=()
same exit-status input.json -e '.nothing'
same halt empty -n '"bye\n" | halt_error(3)'
same runtime-error input.json '.users.name'
same syntax-error empty -n '.a | ['
same broken-input broken.json .
same help empty --help
finish
