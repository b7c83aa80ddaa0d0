#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The sessions of docs/, as they stand there: blocks marked "```console tested".  Each command must succeed (but for
# "# fails"), and what follows it is what it prints, with … for what differs from run to run.
set -u
. "$(dirname "$0")/node.bash"
require_node docs
command -v clang-19 >/dev/null || skip_all docs "no clang-19"
node_start || { fail "start"; finish; }
claim || fail "claim"
mkdir "$scratch/tree"
cp -r "$S3N_SOURCE/examples" "$S3N_SOURCE/sdk" "$scratch/tree/"
cd "$scratch/tree" || exit 1

# page NAME: its sessions, one after the other; variables that they set stay.
page() {
  local line command='' wanted='' in_session=false
  while IFS= read -r line <&7; do
    case $line in
      '```console tested') in_session=true ;;
      '```')
        $in_session && command_check "$1" "$command" "$wanted"
        in_session=false command='' wanted=''
        ;;
      '$ '*)
        if $in_session; then
          command_check "$1" "$command" "$wanted"
          command=${line#'$ '} wanted=''
        fi
        ;;
      *) ! $in_session || wanted+=$line$'\n' ;;
    esac
  done 7<"$S3N_SOURCE/docs/$1.md"
  [ -n "${checked[$1]:-}" ] && pass "$1: ${checked[$1]} commands" || fail "$1: its commands"
}
declare -A checked
# command_check PAGE COMMAND OUTPUT
command_check() {
  local page=$1 command=$2 wanted=${3%$'\n'} status=0
  [ -n "$command" ] || return 0
  command=${command//https:\/\/127.0.0.1:8443/$url}
  command=${command//http:\/\/127.0.0.1:9100/$admin}
  eval "${command//\/tmp\/s3n/$data}" >"$scratch/said" 2>&1 || status=$?
  checked[$page]=$((${checked[$page]:-0} + 1))
  if [[ $command == *'# fails' ]]; then
    [ $status != 0 ] || fail "$page: $command" "it succeeds"
  elif [ $status != 0 ]; then
    fail "$page: $command" "$(tail -n 3 "$scratch/said")"
  fi
  # Quoted but for the marks, so that nothing else of it is a pattern.
  local pattern=${wanted//\\/\\\\}
  pattern=${pattern//\*/\\*} pattern=${pattern//\[/\\[} pattern=${pattern//\?/\\?}
  [[ -z $wanted || $(cat "$scratch/said") == ${pattern//…/*} ]] ||
    fail "$page: what «$command» prints" "got «$(cat "$scratch/said")», the page says «$wanted»"
}
for name in kv secrets keys logs sealed metrics; do page "$name"; done
finish
