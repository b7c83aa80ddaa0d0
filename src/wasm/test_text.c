/* SPDX-License-Identifier: Apache-2.0 */
#include "wasm/test_text.h"

#include "tests/harness.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>

bool test_can_assemble(void)
{
    return system("command -v wat2wasm >/dev/null") == 0;
}

struct bytes test_assemble(const char *text)
{
    char path[PATH_MAX], command[3 * PATH_MAX];
    snprintf(path, sizeof(path), "%s/assembled", test_folder());
    snprintf(command, sizeof(command), "wat2wasm --enable-all --no-check - -o '%s'", path);
    FILE *pipe = popen(command, "w");
    bool done = pipe != NULL && fputs(text, pipe) >= 0 && pclose(pipe) == 0;
    CHECK_NOTE(done, "wat2wasm refuses: %.200s", text);
    return done ? test_file(path) : (struct bytes){ 0 };
}
