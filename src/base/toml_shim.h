/* SPDX-License-Identifier: Apache-2.0 */
/* The C face of toml++: what toml.c calls, and the only thing toml_shim.cc offers.  No exception
 * leaves it. */
#ifndef BASE_TOML_SHIM_H
#define BASE_TOML_SHIM_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

struct toml_shim_problem {
    unsigned line; /* 0: out of memory */
    unsigned column;
    char text[160];
};

/* On success *root and *lines are new references. */
bool toml_shim_parse(const char *text, size_t size, unsigned depth_max, json_t **root,
                     json_t **lines, struct toml_shim_problem *problem);

#ifdef __cplusplus
}
#endif

#endif
