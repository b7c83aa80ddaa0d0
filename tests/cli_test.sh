#!/bin/bash
# The command line without a node: help, errors, completion, inspect, compile, run.
set -u
build=${S3N_BUILD:-build}
s3n=$build/bin/s3n
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
passed=0 failed=0 skipped=0

note() {
    failed=$((failed + 1))
    echo "  $1"
    sed 's/^/    out: /' "$folder/out" | head -n 20
    sed 's/^/    err: /' "$folder/err" | head -n 20
}

# expect CODE OUT ERR ARGUMENTS...: exit code, and text that stdout and stderr must contain ('' anything, '-' nothing).
expect() {
    local code=$1 out=$2 err=$3 status output errors
    shift 3
    timeout 60 "$s3n" "$@" >"$folder/out" 2>"$folder/err" <"${input:-/dev/null}"
    status=$?
    output=$(tr -d '\0' <"$folder/out")
    errors=$(tr -d '\0' <"$folder/err")
    if [ "$status" -ne "$code" ]; then
        note "s3n $*: exit code $status, not $code"
    elif [ "$out" = - ] && [ -n "$output" ]; then
        note "s3n $*: nothing belongs on stdout"
    elif [ "$err" = - ] && [ -n "$errors" ]; then
        note "s3n $*: nothing belongs on stderr"
    elif [ "$out" != - ] && [[ $output != *"$out"* ]]; then
        note "s3n $*: stdout lacks '$out'"
    elif [ "$err" != - ] && [[ $errors != *"$err"* ]]; then
        note "s3n $*: stderr lacks '$err'"
    else
        passed=$((passed + 1))
    fi
}

check() {
    if eval "$2"; then
        passed=$((passed + 1))
    else
        note "$1: not so: $2"
    fi
}

skip() {
    skipped=$((skipped + $1))
    echo "  skipped: $2"
}

expect 2 - 'which command?'
expect 2 - 'unknown command "inspcet", did you mean inspect?' inspcet x
expect 2 - 'unknown option --jsno, did you mean --json?' --jsno version
expect 0 'usage: s3n [options] COMMAND' - help
expect 0 'usage: s3n [options] COMMAND' - --help
expect 0 's3n 0.' - version
expect 0 's3n 0.' - --version
expect 0 '"version": "0.' - --json version
expect 0 '"version": "0.' - version --json
expect 2 - '"code":"usage"' --json inspect
expect 0 'usage: s3n run [options] FILE' - help run
expect 2 - 'unknown command' help nothing
verbs=$("$s3n" help | sed -n 's/^  \([a-z]*\) .*/\1/p')
for verb in $verbs; do
    expect 0 "usage: s3n $verb [options]" - "$verb" --help
    expect 2 - '--definitely-not' "$verb" --definitely-not
done
# Those that are nothing without one of theirs.
for verb in audit kbs kv measure member node owner release secret token; do
    expect 2 - "$verb what? " "$verb"
    expect 2 - "unknown command \"$verb nothing-like-it\" (there are " "$verb" nothing-like-it more
done
expect 2 - 'kv what? get, set, ls, rm, export, import' kv
expect 2 - 'unknown command "secret rotat", did you mean rotate? (there are set, rotate, ls, rm, history)' secret rotat

# Not logged in: which profile is asked for is up to --config.
expect 5 - 'not logged in' --config "$folder/config" ls
check "--config names the folder" "[ -d '$folder/config' ]"

for shell in bash zsh fish; do
    expect 0 'inspect' - completion "$shell"
    cp "$folder/out" "$folder/completion.$shell"
    check "$shell knows options" "grep -q memory-mib '$folder/completion.$shell'"
    command -v "$shell" >/dev/null && check "$shell reads it" "$shell -n '$folder/completion.$shell'"
done
# Every command and option that the help knows, all three know.
unknown=
for verb in $("$s3n" help 2>&1 | sed -n 's/^  \([a-z][a-z]*\) .*/\1/p'); do
    known=$verb
    [ "$verb" = help ] || [ "$verb" = completion ] || known+=" $("$s3n" "$verb" --help | sed -n '/^options:/,$p' | grep -o -e '--[a-z][a-z-]*' | sort -u | tr '\n' ' ')"
    [ "$verb" = completion ] || for part in $("$s3n" "$verb" --help | head -n 1 | grep -o '\b[a-z][a-z-]*\(|[a-z-]*\)\+' | tr '|' ' '); do
        known+=" $part $("$s3n" "$verb" "$part" --help | sed -n '/^options:/,$p' | grep -o -e '--[a-z][a-z-]*' | tr '\n' ' ')"
    done
    for word in $known; do
        grep -q -- "[ |']$verb) .*[ ']$word\b\|^    '') .*[ ']$word\b" "$folder/completion.bash" || unknown+=" bash:$verb:$word"
        name=${word#--}
        [ "$name" = help ] && continue
        grep -q -- "['(: -]$name\b" "$folder/completion.zsh" || unknown+=" zsh:$verb:$word"
        grep -q -- "seen_subcommand_from $verb' -l $name\b\|seen_subcommand_from $verb; .*['  ]$name\b\|-a $name\b" "$folder/completion.fish" || unknown+=" fish:$verb:$word"
    done
done
check "all shells know every command and option${unknown:+, but not$unknown}" "[ -z '$unknown' ]"
# Where zsh and fish are not installed, at least the quotes are balanced; bash reads zsh's script.
check "the zsh script parses" "bash -n '$folder/completion.zsh'"
check "quotes of the fish script balance" \
    "! sed \"s/[\\\\]'//g\" '$folder/completion.fish' | tr -cd \"'\\n\" | grep -qE \"^('')*'\\$\""
expect 2 - 'no completion for "csh"' completion csh
completed=$(bash -c "source '$folder/completion.bash'; COMP_WORDS=(s3n -q run --mem); COMP_CWORD=3; _s3n; echo \"\${COMPREPLY[*]}\"")
check "bash completes options" "[ '$completed' = --memory-mib ]"
completed=$(bash -c "source '$folder/completion.bash'; COMP_WORDS=(s3n ins); COMP_CWORD=1; _s3n; echo \"\${COMPREPLY[*]}\"")
check "bash completes verbs" "[ '$completed' = inspect ]"

printf '\0asm\1\0\0\0' >"$folder/empty.wasm"
printf '\0asm\1\0\0' >"$folder/short.wasm"
expect 5 - 'No such file' inspect "$folder/missing.wasm"
echo '(module)' >"$folder/text.wat"
expect 3 - 'text, of which wat2wasm makes a module' inspect "$folder/text.wat"
expect 3 '"can_run": false' - inspect --json "$folder/text.wat"
expect 3 - 'not a WebAssembly module' inspect "$folder/completion.bash"
expect 3 'runs on S3N    no' - inspect "$folder/short.wasm"
expect 3 '"can_run": false' - inspect --json "$folder/short.wasm"
input=$folder/short.wasm expect 3 'runs on S3N    no' - inspect -

expect 3 - 'Is a directory' inspect "$folder"
expect 0 'functions can run here' - doctor
expect 0 '"can_run": true' - doctor --json
expect 2 - 'doctor' doctor more
data=$(dirname "$0")/data/functions
expect 0 'can            read its input, write output' - inspect "$data/echo.wasm"
expect 0 'about native' - inspect --functions "$data/echo.wasm"
expect 0 '"function_table"' - inspect --functions --json "$data/echo.wasm"
expect 0 '+ can                    clock' - inspect "$data/clock.wasm" --against "$data/echo.wasm"
expect 2 - 'exclude each other' inspect --functions --against "$data/echo.wasm" "$data/clock.wasm"
expect 5 - 'No such file' inspect "$data/echo.wasm" --against "$folder/missing.wasm"
expect 3 - 'Is a directory' run "$folder"
expect 3 - 'Is a directory' verify "$folder"
expect 6 - 'receipt bundle' verify "$folder/empty.wasm"
expect 6 - 'hint: `s3n invoke' verify "$folder/empty.wasm"
expect 2 - '(usage: s3n version [options])' version extra
# Streams that the caller closed: an error, and never another file under their number.
closed() { "$s3n" "$@" >&- 2>"$folder/err"; echo $? >"$folder/out"; }
closed version
check "no standard output: an error" "grep -q 'standard output' '$folder/err' && grep -qx 7 '$folder/out'"
check "a full disk: an error" "! '$s3n' help >/dev/full 2>'$folder/err' && grep -q 'No space left' '$folder/err'"

# Without a node: what is wrong is said before the profile is looked for.
expect_alone() { XDG_CONFIG_HOME=$folder/config expect "$@"; }
expect_alone 5 - 's3n login URL' ls
expect_alone 5 - 's3n login URL' invoke a/b
expect_alone 2 - 'nothing is not APPLICATION/FUNCTION' invoke nothing
expect_alone 2 - 'x\x1b[31m is not APPLICATION/FUNCTION' invoke $'x\e[31m'
expect_alone 3 - 'is not a URL like https://host:port' login http://127.0.0.1
expect_alone 7 - 'nobody answers at 127.0.0.1:1 (is it running?)' login https://127.0.0.1:1
HOME='' XDG_CONFIG_HOME='' expect 3 - 'neither $XDG_CONFIG_HOME nor $HOME' ls

expect 2 - '-o IMAGE' compile "$folder/empty.wasm"
expect 3 - 'no tier "magic"' compile --tier magic -o x "$folder/empty.wasm"
if [ -x "$build/bin/s3n-optimise" ]; then
    expect 0 - 'compiled in' compile --tier optimised -o "$folder/optimised.image" "$folder/empty.wasm"
else
    expect 3 - 'which is not here' compile --tier optimised -o "$folder/optimised.image" "$folder/empty.wasm"
fi
expect 3 - 'no backend "magic"' run --backend magic "$folder/empty.wasm"
expect 2 - '--env wants KEY=VALUE' run --env nothing "$folder/empty.wasm"
expect 5 - 'missing.wasm' run "$folder/missing.wasm"
expect 0 'a folder it gets a copy of' - run --help
cp "$(dirname "$0")/data/functions/files.wasm" "$folder/files.wasm"
mkdir -p "$folder/tree/sub"
echo content >"$folder/tree/file"
mkfifo "$folder/tree/pipe"
expect 2 - '--dir wants HOST::GUEST' run --dir ::/ "$folder/files.wasm"
expect 2 - '--dir wants HOST::GUEST' run --dir "$folder/tree::" "$folder/files.wasm"
expect 5 - '--dir: folder' run --dir "$folder/nothing::/" "$folder/files.wasm"
expect 3 - 'Not a directory' run --dir "$folder/tree/file::/" "$folder/files.wasm"
expect 3 - 'two folders of the name "/"' run --dir "$folder/tree::/" --dir "$folder/tree::/" "$folder/files.wasm"
expect 2 - '--scratch-mib' run --scratch-mib 256 "$folder/files.wasm"

cat >"$folder/hello.wat" <<'W'
(module
  (import "wasi_snapshot_preview1" "fd_write" (func $fd_write (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "proc_exit" (func $proc_exit (param i32)))
  (import "wasi_snapshot_preview1" "args_sizes_get" (func $sizes (param i32 i32) (result i32)))
  (memory (export "memory") 1)
  (data (i32.const 0) "\08\00\00\00\06\00\00\00hello\n")
  (func (export "_start")
    (drop (call $fd_write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 100)))
    (drop (call $sizes (i32.const 200) (i32.const 204)))
    (call $proc_exit (i32.add (i32.const 40) (i32.load (i32.const 200))))))
W
echo '(module (memory 1) (func $boom (export "_start") unreachable))' >"$folder/trap.wat"
echo '(module (func (export "_start") (loop (br 0))))' >"$folder/loop.wat"
echo '(module (import "env" "launch" (func (param i64) (result i32))) (func (export "_start")))' >"$folder/import.wat"
echo '(module (func $f (export "_start") (call $f)))' >"$folder/stack.wat"
cat >"$folder/hog.wat" <<'W'
(module
  (import "wasi_snapshot_preview1" "proc_exit" (func $proc_exit (param i32)))
  (memory 1)
  (func (export "_start")
    (loop (br_if 0 (i32.ne (memory.grow (i32.const 16)) (i32.const -1))))
    (call $proc_exit (i32.div_u (memory.size) (i32.const 16)))))
W
cat >"$folder/flood.wat" <<'W'
(module
  (import "wasi_snapshot_preview1" "fd_write" (func $fd_write (param i32 i32 i32 i32) (result i32)))
  (memory (export "memory") 17)
  (data (i32.const 0) "\10\00\00\00\00\00\10\00")
  (global $left (mut i32) (i32.const 100))
  (func (export "_start")
    (loop
      (drop (call $fd_write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8)))
      (global.set $left (i32.sub (global.get $left) (i32.const 1)))
      (br_if 0 (global.get $left)))))
W
if ! command -v wat2wasm >/dev/null; then
    skip 19 "no wat2wasm (package wabt)"
elif [ ! -x "$build/bin/s3n-compile" ]; then
    skip 19 "s3n-compile is not built"
else
    for name in hello trap loop import stack hog flood; do
        wat2wasm "$folder/$name.wat" -o "$folder/$name.wasm"
    done
    expect 0 '_start' - inspect "$folder/hello.wasm"
    expect 3 - 'env' compile -o "$folder/x" "$folder/import.wasm"
    expect 3 - '(func (param i64) (result i32))' compile -o "$folder/x" "$folder/import.wasm"
    expect 3 - 'unexpected end' compile -o "$folder/x" "$folder/short.wasm"
    check "a refused module leaves no image" "[ ! -e '$folder/x' ]"
    expect 0 - 'compiled in' compile -o "$folder/hello.image" "$folder/hello.wasm"
    expect 0 - - -q compile "$folder/hello.wasm" --output="$folder/again.image"
    check "the same module gives the same image" "cmp '$folder/hello.image' '$folder/again.image'"
    expect 0 "$(sha256sum <"$folder/hello.wasm" | cut -c 1-64)" - compile --json -o "$folder/hello.image" "$folder/hello.wasm"
    input=$folder/hello.wasm expect 0 S3NIMAGE - -q compile - -o -
    size=$(stat -c %s "$folder/hello.image")
    for at in 0 9 100 4095 4096 5000 $((size / 2)) $((size - 49)) $((size - 48)) $((size - 33)) $((size - 32)) $((size - 1)); do
        cp "$folder/hello.image" "$folder/changed.image"
        byte=$(od -An -tu1 -j "$at" -N 1 "$folder/hello.image")
        printf "\\$(printf %03o $(((byte + 1) % 256)))" | dd of="$folder/changed.image" bs=1 seek="$at" conv=notrunc status=none
        for backend in kvm process; do
            "$s3n" run --backend $backend "$folder/changed.image" >"$folder/out" 2>"$folder/err"
            check "an image with byte $at changed is refused ($backend)" "[ $? -ne 0 ] && [ ! -s '$folder/out' ] && grep -qE 'SHA-256|not a WebAssembly|magic' '$folder/err'"
        done
    done
    head -c $((size - 1)) "$folder/hello.image" >"$folder/changed.image"
    expect 3 - 'SHA-256' run --backend process "$folder/changed.image"
    if [ ! -x "$build/bin/slipstream" ] || [ ! -c /dev/kvm ]; then
        skip 9 "no slipstream, or no /dev/kvm"
    else
        expect 41 'hello' - run "$folder/hello.wasm"
        expect 43 'hello' - run --memory-mib 16 --timeout-ms 10000 --env A=1 "$folder/hello.image" --memory-mib 2
        closed run "$folder/hello.wasm"
        check "lost output is no success" "grep -q 'standard output' '$folder/err' && grep -qx 7 '$folder/out'"
        expect 1 - 'unreachable' run "$folder/trap.wasm"
        expect 1 - 'stack' run "$folder/stack.wasm"
        expect 31 - - run --memory-mib 32 "$folder/hog.wasm"
        "$s3n" run "$folder/flood.wasm" | head -c 5 | wc -c >"$folder/out"
        check "a reader that goes away ends it" "[ $(cat "$folder/out") -eq 5 ]"
        check "100 MB of output pass" "[ $("$s3n" run "$folder/flood.wasm" | wc -c) -eq 104857600 ]"
        expect 8 - '' run --timeout-ms 50 "$folder/loop.wasm"
        printf 'cat /in/file\nput /in/file other\ncat /in/file\n' >"$folder/script"
        input=$folder/script expect 0 'other' 'pipe is left out' run --dir "$folder/tree::/in" "$folder/files.wasm"
        check "a folder given to a program is not changed" "grep -qx content '$folder/tree/file'"
        input=$folder/script expect 0 '/in/file: ' - run "$folder/files.wasm"
        printf 'put /x y\ncat /x\n' >"$folder/script"
        input=$folder/script expect 0 'y' - run --scratch-mib 1 "$folder/files.wasm"
    fi
fi

echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" -eq 0 ]
