/* SPDX-License-Identifier: Apache-2.0 */
/* The table of descriptors.  The first three live in the runtime's own data, so that a program
 * without files needs nothing else; the others in the volume. */
#ifndef GUEST_DESCRIPTOR_H
#define GUEST_DESCRIPTOR_H

#include "abi/files.h"
#include "guest/errno.h"
#include "guest/limits.h"

enum descriptor_kind {
    DESCRIPTOR_CLOSED,
    DESCRIPTOR_INPUT, /* the three streams of the mailbox */
    DESCRIPTOR_OUTPUT,
    DESCRIPTOR_ERRORS,
    DESCRIPTOR_FILE,
    DESCRIPTOR_FOLDER
};

enum {
    DESCRIPTOR_STREAM_COUNT = 3
};

struct descriptor {
    uint8_t kind;    /* enum descriptor_kind */
    uint8_t preopen; /* index of the preopened folder + 1; 0: none */
    uint16_t flags;  /* enum wasi_fd_flags */
    uint32_t node;
    uint64_t rights;
    uint64_t rights_inheriting;
    uint64_t offset; /* of the next read or write */
};

struct volume;

/* Opens the streams.  A reactor's output is its answer, so what it prints goes to the log. */
void descriptor_init(bool is_reactor);
void descriptor_open_preopened(struct volume *volume, const struct files *files);

/* The open descriptor `fd`; NULL: there is none. */
struct descriptor *descriptor_at(uint32_t fd);
/* The same as a copy, without making the volume when only its beginning is asked for. */
MUST_CHECK bool descriptor_peek(uint32_t fd, struct descriptor *descriptor);
/* With all of `rights`, for a file or folder alone. */
MUST_CHECK enum wasi_errno descriptor_file(uint32_t fd, uint64_t rights,
                                           struct descriptor **descriptor);
MUST_CHECK enum wasi_errno descriptor_folder(uint32_t fd, uint64_t rights,
                                             struct descriptor **descriptor);
/* The lowest number that is free; MFILE when there is none. */
MUST_CHECK enum wasi_errno descriptor_free(uint32_t *fd);
/* Opens a number that descriptor_free gave. */
void descriptor_open(uint32_t fd, const struct descriptor *descriptor);
/* Closes one that is open; a file without a name goes with its last descriptor. */
void descriptor_close(uint32_t fd);
bool descriptor_refers_to(uint32_t node);

#endif
