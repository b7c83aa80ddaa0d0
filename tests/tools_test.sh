#!/bin/bash
# The checkers themselves: a good tree passes, and each bad one is refused with the right words.
set -u
source=${S3N_SOURCE:-$(cd "$(dirname "$0")/.." && pwd)}
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
passed=0 failed=0
spdx='/* SPDX-License-Identifier: Apache-2.0 */'

# A small tree with nothing wrong.
good_tree() {
    rm -rf "$folder/tree"
    mkdir -p "$folder/tree/src/core" "$folder/tree/src/base" "$folder/tree/src/crypto" "$folder/tree/src/cmd/tool"
    cd "$folder/tree" || exit 1
    printf 'core:\nbase:\ncrypto: base\n' >src/MODULES
    printf '%s\n/* Bytes. */\n' "$spdx" >src/core/bytes.h
    printf '%s\n/* Files. */\n#include "core/bytes.h"\n' "$spdx" >src/base/file.h
    printf '%s\n#include "base/file.h"\n#include <openssl/evp.h>\n' "$spdx" >src/crypto/hash.c
    printf '%s\n#include "crypto/hash.h"\nint main(void)\n{\n    return 0;\n}\n' "$spdx" >src/cmd/tool/main.c
}

# expect CHECKER EXIT_CODE TEXT: the tree at hand gives that exit code and a line with TEXT.
expect() {
    local output status
    output=$("$source/tools/$1" "$folder/tree" 2>&1)
    status=$?
    if [ "$status" -eq "$2" ] && [[ $output == *"$3"* ]]; then
        passed=$((passed + 1))
    else
        failed=$((failed + 1))
        echo "  tools/$1: exit code $status (want $2), want \"$3\" in:"
        printf '%s\n' "$output" | sed 's/^/    /'
    fi
}

# refuse CHECKER FILE LINE_TO_APPEND TEXT
refuse() {
    good_tree
    printf '%b\n' "$3" >>"$2"
    expect "$1" 1 "$4"
}

good_tree
expect check-modules 0 ''
expect check-style 0 ''

refuse check-modules src/base/file.h '#include "crypto/hash.h"' 'src/base/file.h:4: "crypto/hash.h": base may not use crypto'
refuse check-modules src/base/file.h '#include <openssl/evp.h>' '<openssl/evp.h> belongs to module crypto alone'
refuse check-modules src/cmd/tool/main.c '#include <sqlite3.h>' '<sqlite3.h> belongs to module store alone'
refuse check-modules src/base/file.h '#include "file.h"' 'write it as "module/file.h"'
refuse check-modules src/base/file.h '#include "base/../crypto/x.h"' 'no way up'
refuse check-modules src/base/file.h '#include "tests/harness.h"' 'is for tests'
refuse check-modules src/base/file.h '#include "nowhere/x.h"' 'no module of that name'
refuse check-modules src/cmd/tool/main.c '#include "cmd/other/x.h"' 'share nothing but modules'
refuse check-modules src/MODULES 'odd: later\nlater:' 'odd uses later, which is not above it'
good_tree
mkdir src/stray && cp src/core/bytes.h src/stray/
expect check-modules 1 'module stray is not in src/MODULES'

for call in strcpy strcat sprintf gets atoi strtok alloca system; do
    refuse check-style src/crypto/hash.c "int x = $call(y);" "src/crypto/hash.c:4: $call is banned: use "
done
refuse check-style src/crypto/hash.c '/* sprintf(x) */ char *s = "sprintf(x)"; // TO''DO' 'leftover mark'
good_tree
printf '/* sprintf(x) */ char *s = "gets(x)"; int my_system(int); x.system(1);\n' >>src/crypto/hash.c
expect check-style 0 ''
good_tree
printf '%s\nint x = system(y);\n' "$spdx" >src/crypto/hash_test.c
expect check-style 0 ''
refuse check-style src/crypto/hash.c '/* /wo''rk/x */' 'path of one machine'
good_tree
sed -i 1d src/crypto/hash.c
expect check-style 1 'hash.c:1: starts with /* SPDX'
good_tree
sed -i 2d src/base/file.h
expect check-style 1 'file.h:2: a header opens with its contract'

lines() { yes "$2" | head -n "$1"; }
good_tree
{ printf 'void f(void)\n{\n'; lines 70 '    g();'; printf '}\n'; } >>src/crypto/hash.c
expect check-style 0 ''
good_tree
{ printf 'void f(void)\n{\n'; lines 71 '    g();'; printf '}\n'; } >>src/crypto/hash.c
expect check-style 1 'function of 71 lines, at most 70'
good_tree
lines 600 'int x;' >>src/crypto/hash.c
expect check-style 1 'file of 603 lines, at most 600'
sed -i '2i /* Length: one table. */' src/crypto/hash.c
expect check-style 0 ''
good_tree
lines 121 'text' >README.md
expect check-style 1 'README.md:121: 121 lines, at most 120'

echo "$passed passed, $failed failed, 0 skipped"
[ "$failed" -eq 0 ]
