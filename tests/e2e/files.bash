#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Files that travel with a function: gathered, uploaded, read, written over, and as they were at the next request.
set -u
. "$(dirname "$0")/node.bash"
require_node files
node_start || { fail "start"; finish; }
claim || { fail "claim"; finish; }

# ask APP LINES...: what the function answers to them.
ask() {
  local name=$1
  shift
  printf '%s\n' "$@" | fetch --data-binary @- "$url/a/$name/run"
}
version_digest() {
  s3n ls --json | python3 -c 'import json, sys
def find(node):
    if isinstance(node, dict) and node.get("application") == sys.argv[1]: print(node["manifest_digest"])
    for child in node.values() if isinstance(node, dict) else node if isinstance(node, list) else []: find(child)
find(json.load(sys.stdin))' "$1"
}

application site files 'files = ["assets/**", "words.txt"]
limits = { scratch_kib = 256 }'
mkdir -p "$scratch/site/assets/deep" "$scratch/site/.git"
echo 'one two' >"$scratch/site/words.txt"
echo 'deep down' >"$scratch/site/assets/deep/file"
echo 'hidden' >"$scratch/site/assets/.hidden"
output=$(s3n deploy "$scratch/site" 2>&1)
is "a function with files deploys" $? 0
has "and says how many" "$output" "2 files"
is "a file is read" "$(ask site 'cat /words.txt' 'cat /assets/deep/file')" $'one two\ndeep down'
is "hidden files stay behind" "$(ask site 'ls /assets')" $'./\n../\ndeep/'
is "what is written can be read" "$(ask site 'put /words.txt three' 'cat /words.txt' 'put /a/b x' 'put /c four' 'cat /c')" \
  "three/a/b: No such file or directory
four"
is "and is gone at the next request" "$(ask site 'cat /words.txt' 'cat /c')" $'one two\n/c: No such file or directory'
for i in 1 2 3 4 5 6 7 8; do ask site "put /secret$i word$i" "rm /words.txt" >/dev/null; done
is "whatever the requests before it did" "$(ask site 'ls /' 'cat /words.txt')" $'./\n../\nassets/\nwords.txt\none two'
has "there is no more room than the limit says" "$(ask site 'fill /big')" "KiB, then: No space left on device"
is "and it is there again" "$(ask site 'put /small x' 'cat /small')" x
for i in $(seq 1 24); do ask site "put /n $i" 'cat /n' >"$scratch/parallel.$i" & requests[i]=$!; done
for i in $(seq 1 24); do
  wait "${requests[i]}"
  [ "$(cat "$scratch/parallel.$i")" = "$i" ] || break
done
is "requests beside each other do not see each other's files" "$i $(cat "$scratch/parallel.24")" "24 24"

# --- the digest of the files is part of the version
before=$(version_digest site)
s3n -q deploy "$scratch/site"
is "the same files are the same version" "$(version_digest site)" "$before"
echo 'one three' >"$scratch/site/words.txt"
s3n -q deploy "$scratch/site"
is "other files deploy" $? 0
[ -n "$before" ] && [ "$(version_digest site)" != "$before" ]
is "as another version" $? 0
is "and are served" "$(ask site 'cat /words.txt')" "one three"

# --- a reactor's snapshot keeps what it opened and wrote before
application opener open-files 'files = ["words.txt"]'
printf 'first\nsecond\n' >"$scratch/opener/words.txt"
deploy opener
is "a reactor with files deploys" $? 0
wanted=$'rest: second\nprepared: first\nfresh'
same=yes
for i in 1 2 3 4 5 6 7 8 9 10; do [ "$(ask opener x)" = "$wanted" ] || same=$(ask opener x); done
is "every request goes on from the snapshot's files" "$same" yes
sed -i 's|^source.*|&\nisolation = "invocation"|' "$scratch/opener/s3n.toml"
deploy opener
for i in 1 2 3; do [ "$(ask opener x)" = "$wanted" ] || same=$(ask opener x); done
is "with isolation by invocation too" "$same" yes

# --- no files, and what is wrong with them
application bare files
deploy bare
is "a function without files deploys" $? 0
is "and has a scratch area" "$(ask bare 'put /x y' 'cat /x' 'ls /')" $'y./\n../\nx'
application wrong files 'files = ["nothing/*"]'
output=$(deploy wrong 2>&1)
is "a pattern without files is an error" $? 3
has "which names it" "$output" 'pattern "nothing/*" matches no file'
application wrong files 'files = ["../site/**"]'
deploy wrong 2>/dev/null
is "a pattern can't leave the project" $? 3
application wrong files 'files = ["link"]'
ln -s /etc/hostname "$scratch/wrong/link"
output=$(deploy wrong 2>&1)
is "nor can a link" $? 4
has "which is said" "$output" "leads out of the project"
finish
