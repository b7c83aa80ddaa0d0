/* SPDX-License-Identifier: Apache-2.0 */
/* Decoder and validator against wabt's: where one accepts and the other does not, one is wrong. */
#include "base/arena.h"
#include "fuzz/fuzz.h"
#include "tests/fuzz/wabt.h"
#include "wasm/module.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    ARENA_MAX = 256 << 20,
    SIZE_MAX_HERE = 1 << 20
};

/* What wabt 1.0.32 is known to get wrong: how our words begin, and theirs (empty: valid). */
static bool is_known(const char *ours, const char *theirs)
{
    static const struct {
        const char *ours, *theirs;
    } rows[] = {
        /* it compares the count only when there is a data section (binary format, 5.5.16) */
        /* it overlooks a block that is open where the body ends (3.4.2: an expression has an end)
         */
        { "END opcode expected where the body ends", "" },
        /* and instructions behind the end of the outermost block */
        { "section size mismatch", "" },
        { "data count and data section have inconsistent lengths", "" },
    };
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        if (strncmp(ours, rows[i].ours, strlen(rows[i].ours)) == 0 &&
            strncmp(theirs, rows[i].theirs, strlen(rows[i].theirs)) == 0)
            return true;
    }
    return false;
}

void fuzz_one(struct bytes input)
{
    struct module module;
    struct error error = { 0 };
    char theirs[256] = "";
    if (input.size > SIZE_MAX_HERE)
        return;
    AUTO(arena) struct arena *arena = arena_new(ARENA_MAX);
    bool is_accepted =
        module_decode(&module, arena, input, &error) && module_validate(&module, arena, &error);
    if (!is_accepted && error.code == ERROR_LIMIT)
        return; /* a limit of ours says nothing about the module */
    bool is_theirs = wabt_accepts(input.data, input.size, false, theirs, sizeof(theirs));
    if (is_theirs && !is_accepted)
        is_theirs = wabt_accepts(input.data, input.size, true, theirs, sizeof(theirs));
    if (is_accepted == is_theirs || is_known(error.text, theirs))
        return;
    fprintf(stderr, "S3N: %s\nwabt: %s\n", is_accepted ? "valid" : error.text,
            is_theirs ? "valid" : theirs);
    for (size_t i = 0; i < input.size && i < 4096; i++)
        fprintf(stderr, "%02x", input.data[i]);
    fputs("\n", stderr);
    abort();
}
