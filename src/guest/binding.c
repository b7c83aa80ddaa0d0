/* SPDX-License-Identifier: Apache-2.0 */
/* The import table, and the functions that only answer an error number. */
#include "guest/calls.h"
#include "guest/descriptor.h"
#include "guest/wasi.h"

/* No descriptor is ever a socket. */
static void wasi_no_socket(struct instance *instance UNUSED, uint64_t *slots)
{
    slots[0] = descriptor_at((uint32_t)slots[0]) == NULL ? WASI_BADF : WASI_NOTSOCK;
}

static void wasi_no_signal(struct instance *instance UNUSED, uint64_t *slots)
{
    slots[0] = WASI_NOTSUP;
}

binding_function *const binding_table[BINDING_COUNT] = {
    [BINDING_ARGS_GET] = wasi_args_get,
    [BINDING_ARGS_SIZES_GET] = wasi_args_sizes_get,
    [BINDING_ENVIRON_GET] = wasi_environ_get,
    [BINDING_ENVIRON_SIZES_GET] = wasi_environ_sizes_get,
    [BINDING_CLOCK_RES_GET] = wasi_clock_res_get,
    [BINDING_CLOCK_TIME_GET] = wasi_clock_time_get,
    [BINDING_FD_ADVISE] = wasi_fd_advise,
    [BINDING_FD_ALLOCATE] = wasi_fd_allocate,
    [BINDING_FD_CLOSE] = wasi_fd_close,
    [BINDING_FD_DATASYNC] = wasi_fd_datasync,
    [BINDING_FD_FDSTAT_GET] = wasi_fd_fdstat_get,
    [BINDING_FD_FDSTAT_SET_FLAGS] = wasi_fd_fdstat_set_flags,
    [BINDING_FD_FDSTAT_SET_RIGHTS] = wasi_fd_fdstat_set_rights,
    [BINDING_FD_FILESTAT_GET] = wasi_fd_filestat_get,
    [BINDING_FD_FILESTAT_SET_SIZE] = wasi_fd_filestat_set_size,
    [BINDING_FD_FILESTAT_SET_TIMES] = wasi_fd_filestat_set_times,
    [BINDING_FD_PREAD] = wasi_fd_pread,
    [BINDING_FD_PRESTAT_GET] = wasi_fd_prestat_get,
    [BINDING_FD_PRESTAT_DIR_NAME] = wasi_fd_prestat_dir_name,
    [BINDING_FD_PWRITE] = wasi_fd_pwrite,
    [BINDING_FD_READ] = wasi_fd_read,
    [BINDING_FD_READDIR] = wasi_fd_readdir,
    [BINDING_FD_RENUMBER] = wasi_fd_renumber,
    [BINDING_FD_SEEK] = wasi_fd_seek,
    [BINDING_FD_SYNC] = wasi_fd_sync,
    [BINDING_FD_TELL] = wasi_fd_tell,
    [BINDING_FD_WRITE] = wasi_fd_write,
    [BINDING_PATH_CREATE_DIRECTORY] = wasi_path_create_directory,
    [BINDING_PATH_FILESTAT_GET] = wasi_path_filestat_get,
    [BINDING_PATH_FILESTAT_SET_TIMES] = wasi_path_filestat_set_times,
    [BINDING_PATH_LINK] = wasi_path_link,
    [BINDING_PATH_OPEN] = wasi_path_open,
    [BINDING_PATH_READLINK] = wasi_path_readlink,
    [BINDING_PATH_REMOVE_DIRECTORY] = wasi_path_remove_directory,
    [BINDING_PATH_RENAME] = wasi_path_rename,
    [BINDING_PATH_SYMLINK] = wasi_path_symlink,
    [BINDING_PATH_UNLINK_FILE] = wasi_path_unlink_file,
    [BINDING_POLL_ONEOFF] = wasi_poll_oneoff,
    [BINDING_PROC_EXIT] = wasi_proc_exit,
    [BINDING_PROC_RAISE] = wasi_no_signal,
    [BINDING_RANDOM_GET] = wasi_random_get,
    [BINDING_SCHED_YIELD] = wasi_sched_yield,
    [BINDING_SOCK_ACCEPT] = wasi_no_socket,
    [BINDING_SOCK_RECV] = wasi_no_socket,
    [BINDING_SOCK_SEND] = wasi_no_socket,
    [BINDING_SOCK_SHUTDOWN] = wasi_no_socket,
    [BINDING_TEST_PRINT] = test_print,
    [BINDING_TEST_PRINT_I32] = test_print_i32,
    [BINDING_TEST_PRINT_I64] = test_print_i64,
    [BINDING_TEST_PRINT_F32] = test_print_f32,
    [BINDING_TEST_PRINT_F64] = test_print_f64,
    [BINDING_TEST_PRINT_I32_F32] = test_print_i32_f32,
    [BINDING_TEST_PRINT_F64_F64] = test_print_f64_f64,
    [BINDING_S3N_ABI] = s3n_abi,
    [BINDING_S3N_REST] = s3n_rest,
    [BINDING_S3N_ERROR_MESSAGE] = s3n_error_message,
    [BINDING_S3N_BATCH] = s3n_batch,
    [BINDING_S3N_RANDOM] = s3n_random,
    [BINDING_S3N_TIME] = s3n_time,
    [BINDING_S3N_HASH] = s3n_hash,
    [BINDING_S3N_LOG] = s3n_log,
#define CALL_ENTRY(number, name, field, type, shape, permission, scope, idempotent)                \
    [BINDING_S3N_##name] = s3n_##name,
    CALLS(CALL_ENTRY)
#undef CALL_ENTRY
};
