/* SPDX-License-Identifier: Apache-2.0 */
/* Documents of a Nitro secure module that nobody signed, for fake_kernel.h. */
#ifndef TESTS_PLATFORM_FAKE_DOCUMENT_H
#define TESTS_PLATFORM_FAKE_DOCUMENT_H

#include "core/cbor.h"

enum {
    FAKE_DOCUMENT_SIZE_MAX = 16 << 10
};

/* Writes a member's name; the value goes to what it gives back. */
struct writer *fake_named(struct writer *writer, const char *name);
/* The size of the document with this user data; `target` has FAKE_DOCUMENT_SIZE_MAX bytes. */
size_t fake_document_make(uint8_t *target, const uint8_t *user_data, size_t user_data_size);

#endif
