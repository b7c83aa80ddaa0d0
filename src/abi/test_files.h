/* SPDX-License-Identifier: Apache-2.0 */
/* Archives of files made by hand for tests. */
#ifndef ABI_TEST_FILES_H
#define ABI_TEST_FILES_H

#include "abi/files.h"

/* In the order of the archive; the writer adds up counts and offsets. */
struct test_file {
    enum files_kind kind;
    uint32_t parent;
    const char *name;
    const char *data; /* of a regular file or a link */
};

/* Rows whose parent is their own index are the preopened folders.  The size, which must fit. */
size_t test_files_write(uint8_t *target, size_t capacity, const struct test_file *rows,
                        uint32_t count);

#endif
