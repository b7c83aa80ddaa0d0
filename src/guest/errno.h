/* SPDX-License-Identifier: Apache-2.0 */
/* WASI preview 1: error numbers, file types, rights and flags that the runtime uses. */
#ifndef GUEST_ERRNO_H
#define GUEST_ERRNO_H

enum wasi_errno {
    WASI_SUCCESS = 0,
    WASI_2BIG = 1,
    WASI_BADF = 8,
    WASI_FAULT = 21,
    WASI_INVAL = 28,
    WASI_IO = 29,
    WASI_NOTDIR = 54,
    WASI_NOTSOCK = 57,
    WASI_NOTSUP = 58,
    WASI_OVERFLOW = 61,
    WASI_SPIPE = 70,
    WASI_NOTCAPABLE = 76
};

enum wasi_file_type {
    WASI_FILE_UNKNOWN = 0,
    WASI_FILE_CHARACTER_DEVICE = 2
};

enum wasi_rights {
    WASI_RIGHT_READ = 1 << 1,
    WASI_RIGHT_FLAGS = 1 << 3,
    WASI_RIGHT_WRITE = 1 << 6,
    WASI_RIGHT_FILESTAT = 1 << 21,
    WASI_RIGHT_POLL = 1 << 27
};

enum wasi_fd_flags {
    WASI_FD_APPEND = 1,
    WASI_FD_NONBLOCK = 4
};

#endif
