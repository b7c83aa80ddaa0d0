#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The applications of examples/, as their READMEs say: built by `s3n deploy` with each language's own SDK, deployed
# to a node, and used.
set -u
. "$(dirname "$0")/node.bash"
require_node examples
node_start || { fail "start"; finish; }
claim || fail "claim"
# Builds leave files behind: not in the source tree.
mkdir "$scratch/tree"
cp -r "$S3N_SOURCE/examples" "$S3N_SOURCE/sdk" "$scratch/tree/"
examples=$scratch/tree/examples

# example NAME: deploys it; 1: it didn't.
example() {
  if timeout 300 s3n -q deploy "$examples/$1" >"$scratch/deploy.log" 2>&1; then
    pass "$1: deploy"
  else
    fail "$1: deploy" "$(tail -n 5 "$scratch/deploy.log")"
    return 1
  fi
}
ask() { timeout 30 curl -sk "$@"; }
code() { ask -o /dev/null -w '%{http_code}' "$@"; }

# --- counter: AssemblyScript, sealed requests, state
counter() {
  local number
  example counter || return
  is "counter: a plain request" "$(code --data 3 "$url/a/counter/add")" 403
  for number in 40 1; do timeout 30 s3n -q invoke counter/add --seal --data "$number" >/dev/null || fail "counter: add $number"; done
  is "counter: two are too few to show" "$(ask "$url/a/counter/")" '{"count":2}'
  is "counter: the third" "$(timeout 30 s3n -q invoke counter/add --seal --data 1)" '{"count":3}'
  is "counter: the sum" "$(ask "$url/a/counter/")" '{"count":3,"sum":42}'
  has "counter: no number" "$(timeout 30 s3n invoke counter/add --seal --data -1 2>&1)" "a number from 0 to 1000000000 is needed"
  is "counter: nothing was added" "$(ask "$url/a/counter/")" '{"count":3,"sum":42}'
}
if ! command -v npm >/dev/null; then
  skip counter "no npm"
elif ! (cd "$examples/counter" && timeout 200 npm ci --silent --no-audit --no-fund) >"$scratch/npm.log" 2>&1; then
  skip counter "its compiler can't be fetched: $(tail -n 1 "$scratch/npm.log")"
else
  counter
fi

# --- webhook: Go, a secret, state
webhook() {
  local body='{"action":"opened","number":1}' right
  example webhook || return
  signed() { # signed DELIVERY SIGNATURE BODY
    code -H "X-Hub-Signature-256: $2" -H "X-GitHub-Delivery: $1" -H "X-GitHub-Event: issue" --data-binary "$3" "$url/a/webhook/"
  }
  mac() { printf %s "$2" | openssl dgst -sha256 -hmac "$1" | sed 's/.* /sha256=/'; }
  has "webhook: no secret yet" "$(ask -H "X-Hub-Signature-256: sha256=00" --data x "$url/a/webhook/")" "WEBHOOK_SECRET"
  printf 'it is a secret' | timeout 30 s3n -q secret set webhook WEBHOOK_SECRET || fail "webhook: its secret"
  right=$(mac 'it is a secret' "$body")
  is "webhook: signed" "$(signed 1 "$right" "$body")" 202
  is "webhook: another delivery" "$(signed 2 "$right" "$body")" 202
  is "webhook: sent again" "$(signed 2 "$right" "$body")" 200
  is "webhook: a wrong signature" "$(signed 3 "$(mac other "$body")" "$body")" 401
  is "webhook: a changed body" "$(signed 3 "$right" "$body ")" 401
  is "webhook: no signature" "$(code --data-binary "$body" "$url/a/webhook/")" 401
  is "webhook: half a signature" "$(signed 3 "${right:0:39}" "$body")" 401
  is "webhook: not JSON" "$(signed 3 "$(mac 'it is a secret' '{')" '{')" 400
  is "webhook: the tally" "$(ask "$url/a/webhook/")" '{"issue/opened":"2"}'
}
if ! command -v go >/dev/null; then
  skip webhook "no Go"
else
  case $(go env GOVERSION) in
    go1.1[0-9]* | go1.2[0-3]*) skip webhook "Go is older than 1.24: $(go env GOVERSION)" ;;
    *) webhook ;;
  esac
fi

finish
