/* SPDX-License-Identifier: Apache-2.0 */
/* Canonical manifests for tests. */
#ifndef FUNCTIONS_TEST_MANIFEST_H
#define FUNCTIONS_TEST_MANIFEST_H

#include "functions/application.h"

/* The resolved form of an application with one function `f`, whose module has the digest `code` and
 * whose table has these lines of TOML besides.  The caller ends `text`. */
void test_manifest(struct buffer *text, const char *name, const struct digest32 *code,
                   const char *lines);

/* A signature under the version that this manifest makes, by a key of this process. */
struct version_signer test_signer(struct bytes canonical);

#endif
