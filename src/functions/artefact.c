/* SPDX-License-Identifier: Apache-2.0 */
#include "functions/artefact.h"
#include "core/hex.h"
#include "crypto/hash.h"

#include <stdio.h>
#include <string.h>

void compiler_key(char key[COMPILER_KEY_SIZE], const struct compiler *compiler,
                  const struct artefact *artefact)
{
    uint32_t flags = artefact->flags;
    char optimised[32] = "";
    if ((flags & COMPILE_OPTIMISED) != 0 && artefact->functions != NULL) {
        struct digest32 list = sha256_of(bytes_of_string(artefact->functions));
        snprintf(optimised, sizeof(optimised), "-optimised-%.16s", hex_of_digest(&list).text);
    } else if ((flags & COMPILE_OPTIMISED) != 0) {
        snprintf(optimised, sizeof(optimised), "-optimised");
    }
    snprintf(key, COMPILER_KEY_SIZE, "%s%s%s%s%s", compiler->name, optimised,
             (flags & COMPILE_DETERMINISTIC) != 0 ? "-deterministic" : "",
             (flags & COMPILE_FUEL) != 0 ? "-fuel" : "",
             (flags & COMPILE_NATIVE) != 0 ? "-native" : "");
}

struct artefact artefact_of(const struct manifest_function *function)
{
    return (struct artefact){
        .code = function->code,
        .flags = (function->is_deterministic ? COMPILE_DETERMINISTIC : 0u) |
                 (function->is_metered ? COMPILE_FUEL : 0u) |
                 (function->kind == FUNCTION_NATIVE ? COMPILE_NATIVE : 0u),
    };
}

bool artefact_equal(const struct artefact *a, const struct artefact *b)
{
    const char *lists[] = { a->functions, b->functions };
    bool same_lists = lists[0] == NULL || lists[1] == NULL ? lists[0] == lists[1]
                                                           : strcmp(lists[0], lists[1]) == 0;
    return a->flags == b->flags && same_lists && digest32_equal(&a->code, &b->code);
}
