/* SPDX-License-Identifier: Apache-2.0 */
/* The verification report: what a module is and may do, short enough to be stored with every
 * version and to be checked against an operator's policy.  Canonical JSON:
 *
 *     {"abi","can":[...],"code_size","data_size","deterministic","features":[...],"functions",
 *      "image_size_estimate","imports":["module.field",...],"imports_count","kind":"wasm",
 *      "memory_size","memory_size_max" (absent: no maximum),"module_size","start","tables"}
 *
 * At most REPORT_IMPORT_COUNT_MAX imports are listed, each name cut to 63 characters; a
 * native function has `kind` "native" and `module_size` only. */
#ifndef WASM_REPORT_H
#define WASM_REPORT_H

#include "base/buffer.h"
#include "base/error.h"

enum {
    REPORT_IMPORT_COUNT_MAX = 128,
    REPORT_IMPORT_SIZE_MAX = 128, /* characters of one */
    REPORT_SIZE_MAX = 64 << 10
};

/* Appends the report of a module, or of an ELF. */
MUST_CHECK bool report_write(struct buffer *text, struct bytes module, bool is_native,
                             struct error *error);

#endif
