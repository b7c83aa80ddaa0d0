/* SPDX-License-Identifier: Apache-2.0 */
/* How a deployment gets modules compiled, without knowing who does it: on a node the supervisor
 * starts a jailed s3n-compile, in tests a stand-in answers. */
#ifndef FUNCTIONS_COMPILER_H
#define FUNCTIONS_COMPILER_H

#include "abi/settings.h"
#include "base/error.h"

/* What is compiled, and how: one artefact has one image. */
struct artefact {
    struct digest32 code;  /* SHA-256 of the module */
    uint32_t flags;        /* enum compile_flag */
    const char *functions; /* OPTIMISED: which, as "3,7-9"; NULL: all */
};

enum {
    COMPILER_LIST_SIZE_MAX = 32 << 10 /* of such a list, its NUL included */
};

/* What came of it.  `image` is an anonymous file with the image, which the receiver closes, and -1
 * when it failed; then `error` says why, in the compiler's words.  `report` is what the compiler
 * found out about the module (wasm/report.h), canonical JSON, borrowed; empty: nothing. */
typedef void compiler_done(void *context, int image, struct bytes report,
                           const struct error *error);

struct compiler {
    /* Name and version: part of the key under which images are cached.  [a-z0-9.-]. */
    const char *name;
    void *context;
    /* Starts compiling `module` (a sealed anonymous file, taken over also on failure).  `done` is
     * called exactly once, later, from the event loop; never when start failed. */
    bool (*start)(void *context, int module, const struct artefact *artefact, compiler_done *done,
                  void *done_context, struct error *error);
};

#endif
