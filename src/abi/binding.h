/* SPDX-License-Identifier: Apache-2.0 */
/* Every import that S3N can satisfy, by number.  The number is part of the image format: rows are
 * only ever added at the end.  The compiler resolves (module, field, type) with this table; the
 * guest runtime has one function per row, in this order.  Types: parameters, then '>' and the
 * result; i = i32, I = i64, f = f32, F = f64.  Host calls (abi/call.h) have a row each under S3N_.
 */
#ifndef ABI_BINDING_H
#define ABI_BINDING_H

#include "core/compiler.h"

#define BINDING_WASI "wasi_snapshot_preview1"
#define BINDING_S3N  "s3n"

/* name, module, field, type */
#define BINDINGS(X)                                                                                \
    X(ARGS_GET, BINDING_WASI, "args_get", "ii>i")                                                  \
    X(ARGS_SIZES_GET, BINDING_WASI, "args_sizes_get", "ii>i")                                      \
    X(ENVIRON_GET, BINDING_WASI, "environ_get", "ii>i")                                            \
    X(ENVIRON_SIZES_GET, BINDING_WASI, "environ_sizes_get", "ii>i")                                \
    X(CLOCK_RES_GET, BINDING_WASI, "clock_res_get", "ii>i")                                        \
    X(CLOCK_TIME_GET, BINDING_WASI, "clock_time_get", "iIi>i")                                     \
    X(FD_ADVISE, BINDING_WASI, "fd_advise", "iIIi>i")                                              \
    X(FD_ALLOCATE, BINDING_WASI, "fd_allocate", "iII>i")                                           \
    X(FD_CLOSE, BINDING_WASI, "fd_close", "i>i")                                                   \
    X(FD_DATASYNC, BINDING_WASI, "fd_datasync", "i>i")                                             \
    X(FD_FDSTAT_GET, BINDING_WASI, "fd_fdstat_get", "ii>i")                                        \
    X(FD_FDSTAT_SET_FLAGS, BINDING_WASI, "fd_fdstat_set_flags", "ii>i")                            \
    X(FD_FDSTAT_SET_RIGHTS, BINDING_WASI, "fd_fdstat_set_rights", "iII>i")                         \
    X(FD_FILESTAT_GET, BINDING_WASI, "fd_filestat_get", "ii>i")                                    \
    X(FD_FILESTAT_SET_SIZE, BINDING_WASI, "fd_filestat_set_size", "iI>i")                          \
    X(FD_FILESTAT_SET_TIMES, BINDING_WASI, "fd_filestat_set_times", "iIIi>i")                      \
    X(FD_PREAD, BINDING_WASI, "fd_pread", "iiiIi>i")                                               \
    X(FD_PRESTAT_GET, BINDING_WASI, "fd_prestat_get", "ii>i")                                      \
    X(FD_PRESTAT_DIR_NAME, BINDING_WASI, "fd_prestat_dir_name", "iii>i")                           \
    X(FD_PWRITE, BINDING_WASI, "fd_pwrite", "iiiIi>i")                                             \
    X(FD_READ, BINDING_WASI, "fd_read", "iiii>i")                                                  \
    X(FD_READDIR, BINDING_WASI, "fd_readdir", "iiiIi>i")                                           \
    X(FD_RENUMBER, BINDING_WASI, "fd_renumber", "ii>i")                                            \
    X(FD_SEEK, BINDING_WASI, "fd_seek", "iIii>i")                                                  \
    X(FD_SYNC, BINDING_WASI, "fd_sync", "i>i")                                                     \
    X(FD_TELL, BINDING_WASI, "fd_tell", "ii>i")                                                    \
    X(FD_WRITE, BINDING_WASI, "fd_write", "iiii>i")                                                \
    X(PATH_CREATE_DIRECTORY, BINDING_WASI, "path_create_directory", "iii>i")                       \
    X(PATH_FILESTAT_GET, BINDING_WASI, "path_filestat_get", "iiiii>i")                             \
    X(PATH_FILESTAT_SET_TIMES, BINDING_WASI, "path_filestat_set_times", "iiiiIIi>i")               \
    X(PATH_LINK, BINDING_WASI, "path_link", "iiiiiii>i")                                           \
    X(PATH_OPEN, BINDING_WASI, "path_open", "iiiiiIIii>i")                                         \
    X(PATH_READLINK, BINDING_WASI, "path_readlink", "iiiiii>i")                                    \
    X(PATH_REMOVE_DIRECTORY, BINDING_WASI, "path_remove_directory", "iii>i")                       \
    X(PATH_RENAME, BINDING_WASI, "path_rename", "iiiiii>i")                                        \
    X(PATH_SYMLINK, BINDING_WASI, "path_symlink", "iiiii>i")                                       \
    X(PATH_UNLINK_FILE, BINDING_WASI, "path_unlink_file", "iii>i")                                 \
    X(POLL_ONEOFF, BINDING_WASI, "poll_oneoff", "iiii>i")                                          \
    X(PROC_EXIT, BINDING_WASI, "proc_exit", "i>")                                                  \
    X(PROC_RAISE, BINDING_WASI, "proc_raise", "i>i")                                               \
    X(RANDOM_GET, BINDING_WASI, "random_get", "ii>i")                                              \
    X(SCHED_YIELD, BINDING_WASI, "sched_yield", ">i")                                              \
    X(SOCK_ACCEPT, BINDING_WASI, "sock_accept", "iii>i")                                           \
    X(SOCK_RECV, BINDING_WASI, "sock_recv", "iiiiii>i")                                            \
    X(SOCK_SEND, BINDING_WASI, "sock_send", "iiiii>i")                                             \
    X(SOCK_SHUTDOWN, BINDING_WASI, "sock_shutdown", "ii>i")                                        \
    X(TEST_PRINT, "spectest", "print", ">")                                                        \
    X(TEST_PRINT_I32, "spectest", "print_i32", "i>")                                               \
    X(TEST_PRINT_I64, "spectest", "print_i64", "I>")                                               \
    X(TEST_PRINT_F32, "spectest", "print_f32", "f>")                                               \
    X(TEST_PRINT_F64, "spectest", "print_f64", "F>")                                               \
    X(TEST_PRINT_I32_F32, "spectest", "print_i32_f32", "if>")                                      \
    X(TEST_PRINT_F64_F64, "spectest", "print_f64_f64", "FF>")                                      \
    X(S3N_ABI, BINDING_S3N, "abi", ">i")                                                           \
    X(S3N_REST, BINDING_S3N, "rest", "iiii>I")                                                     \
    X(S3N_ERROR_MESSAGE, BINDING_S3N, "error_message", "ii>I")                                     \
    X(S3N_BATCH, BINDING_S3N, "batch", "iiii>I")                                                   \
    X(S3N_RANDOM, BINDING_S3N, "random", "ii>I")                                                   \
    X(S3N_TIME, BINDING_S3N, "time", ">I")                                                         \
    X(S3N_HASH, BINDING_S3N, "hash", "iiiii>I")                                                    \
    X(S3N_LOG, BINDING_S3N, "log", "iii>I")                                                        \
    X(S3N_KV_GET, BINDING_S3N, "kv_get", "iiiiii>I")                                               \
    X(S3N_KV_SET, BINDING_S3N, "kv_set", "iiiiiiI>I")                                              \
    X(S3N_KV_DELETE, BINDING_S3N, "kv_delete", "iiii>I")                                           \
    X(S3N_KV_LIST, BINDING_S3N, "kv_list", "iiiiiiiii>I")                                          \
    X(S3N_KV_COMPARE_AND_SET, BINDING_S3N, "kv_compare_and_set", "iiiiiiiiiI>I")                   \
    X(S3N_SECRET_GET, BINDING_S3N, "secret_get", "iiiii>I")                                        \
    X(S3N_KEY_PUBLIC, BINDING_S3N, "key_public", "iiiii>I")                                        \
    X(S3N_KEY_SIGN, BINDING_S3N, "key_sign", "iiiiiii>I")                                          \
    X(S3N_KEY_DERIVE, BINDING_S3N, "key_derive", "iiiii>I")                                        \
    X(S3N_HPKE_OPEN, BINDING_S3N, "hpke_open", "iiiiiiiiiiii>I")                                   \
    X(S3N_HTTP_FETCH, BINDING_S3N, "http_fetch", "iiiiiiiiii>I")                                   \
    X(S3N_ATTEST, BINDING_S3N, "attest", "iiii>I")                                                 \
    X(S3N_ABOUT, BINDING_S3N, "about", "ii>I")

enum binding {
#define BINDING_ENUM(name, module, field, type) BINDING_##name,
    BINDINGS(BINDING_ENUM)
#undef BINDING_ENUM
    BINDING_COUNT
};

#endif
