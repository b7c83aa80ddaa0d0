#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The official WASI test modules, through `s3n run`: with a folder of the host where they ask for one.
set -u
. "$(dirname "$0")/programs.bash"
require_runner wasi
[ -d "$S3N_SUITES/wasi-tests" ] || skip_all wasi "no WASI test modules: neither \$S3N_SUITES nor ../shared/wasi-tests"

# What MODULE.json asks for, as bash arrays and files; its defaults where there is none.
read_specification() {
  python3 - "$1" "$scratch" <<'PYTHON'
import json, os, shlex, sys
path, scratch = sys.argv[1:]
wanted = json.load(open(path)) if os.path.exists(path) else {}
words = lambda items: ' '.join(shlex.quote(item) for item in items)
print('arguments=(%s)' % words(wanted.get('args', [])))
print('ENVIRONMENT=(%s)' % words('%s=%s' % pair for pair in wanted.get('env', {}).items()))
print('root=%s' % shlex.quote(wanted.get('root') or ''))
print('echo %d >%s/theirs.status' % (wanted.get('exit_code', 0), shlex.quote(scratch)))
for stream, name in (('stdout', 'out'), ('stderr', 'err')):
    target = os.path.join(scratch, 'theirs.' + name)
    if stream in wanted:
        open(target, 'w').write(wanted[stream])
    elif os.path.exists(target):
        os.remove(target)
PYTHON
}

for module in "$S3N_SUITES"/wasi-tests/*/*.wasm; do
  folder=$(dirname "$module")
  name=$(basename "$folder")/$(basename "$module" .wasm)
  eval "$(read_specification "${module%.wasm}.json")"
  options=()
  for pair in "${ENVIRONMENT[@]}"; do options+=(--env "$pair"); done
  if [ -n "$root" ]; then
    # A copy, so that a write that reached the host would show.
    rm -rf "$scratch/root"
    cp -r "$folder/$root" "$scratch/root"
    options+=(--dir "$scratch/root::/")
  fi
  record ours /dev/null timeout 60 "$S3N_BUILD/bin/s3n" -q run --backend "${S3N_BACKEND:-kvm}" "${options[@]}" \
    "$module" "${arguments[@]}"
  if [ -n "$root" ] && ! diff -r "$folder/$root" "$scratch/root" >/dev/null; then
    fail "$name" "it changed the host's folder"
    continue
  fi
  # The suite leaves open what it does not mention.
  for part in out err; do
    [ -e "$scratch/theirs.$part" ] || cp "$scratch/ours.$part" "$scratch/theirs.$part"
  done
  compare "$name"
done
finish
