/* SPDX-License-Identifier: Apache-2.0 */
/* wasm: from a module's bytes to an image that a micro-VM runs.
 *
 * Decodes and validates WebAssembly 2.0, says what a module is and needs (analyse), and compiles it
 * to the flat image of abi/image.h.  Owns nothing between calls.  Never opens a file, never runs
 * the code, never trusts a byte of the module.  Same input, same options: same image. */
#ifndef WASM_WASM_H
#define WASM_WASM_H

#include "abi/image.h"
#include "abi/instance.h"
#include "base/buffer.h"
#include "base/error.h"

struct native_code;

struct wasm_options {
    uint32_t module_size_max;             /* bytes; 0: WASM_MODULE_SIZE_MAX of limits.h */
    uint64_t image_size_max;              /* bytes; 0: WASM_IMAGE_SIZE_MAX */
    const struct digest32 *module_digest; /* SHA-256 of the module for the header; NULL: zeros */
    bool deterministic;                   /* NaN results have one bit pattern */
    bool fuel;                            /* the code counts what it executes */
    const struct native_code *native;     /* another tier's functions (wasm/native.h); NULL: none */
    bool allow_spectest; /* module "spectest" may be imported (the official suite's runner only) */
    const struct wasm_link *link; /* NULL: an image that stands alone */
};

/* Ids of function types that modules linked with each other share. */
struct wasm_signatures;
MUST_CHECK bool wasm_signatures_new(struct wasm_signatures **signatures, struct error *error);
void wasm_signatures_free(struct wasm_signatures *signatures);
DEFINE_AUTO(wasm_signatures, wasm_signatures_free)

/* What another instance exports, as it is now. */
struct wasm_external {
    enum image_export_kind kind;
    struct bytes types; /* as struct image_export has them */
    uint32_t parameter_count;
    uint32_t size;                      /* table: entries; memory: pages */
    uint64_t value[2];                  /* immutable global: its slot */
    struct function_reference function; /* ... of a function that isn't null: its row */
};

/* For an image that becomes one of several instances in one address space. */
struct wasm_link {
    uint32_t placement; /* from 1; nobody else's */
    struct wasm_signatures *signatures;
    /* Whether an instance gives `module`.`field`; *external borrows from it.  What none gives is
     * looked for in abi/binding.h. */
    bool (*find)(void *context, struct bytes module, struct bytes field,
                 struct wasm_external *external);
    void *context;
};

/* Compiles `module` into `image` (which is emptied first).  Errors: INVALID with offset,
 * UNSUPPORTED naming the proposal or the unknown import (module, field and type), LIMIT naming the
 * limit. */
MUST_CHECK bool wasm_compile(struct buffer *image, struct bytes module,
                             const struct wasm_options *options, struct error *error);

/* How a module is to be entered when its owner does not say: by its own word or its exports
 * (image_choose_abi).  INVALID when neither decides, or (*is_module false) when it can't be read.
 */
MUST_CHECK bool wasm_choose_abi(enum image_abi *abi, struct bytes module, bool *is_module,
                                struct error *error);

#endif
