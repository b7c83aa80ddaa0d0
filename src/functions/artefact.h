/* SPDX-License-Identifier: Apache-2.0 */
/* What a function is compiled from and how, and the name under which its image is kept.  Internal
 * to functions. */
#ifndef FUNCTIONS_ARTEFACT_H
#define FUNCTIONS_ARTEFACT_H

#include "functions/compiler.h"
#include "functions/manifest.h"

enum {
    COMPILER_KEY_SIZE = 128
};

/* The compiler's name with what else an image depends on: its options. */
void compiler_key(char key[COMPILER_KEY_SIZE], const struct compiler *compiler,
                  const struct artefact *artefact);
/* By the baseline, as the manifest wants it. */
struct artefact artefact_of(const struct manifest_function *function);
bool artefact_equal(const struct artefact *a, const struct artefact *b);

#endif
