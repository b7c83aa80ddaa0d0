/* SPDX-License-Identifier: Apache-2.0 */
/* The import table, and the functions that only answer an error number: there is no file system
 * and no socket, so what matters is whether the descriptor exists and what it is. */
#include "guest/errno.h"
#include "guest/stdio.h"
#include "guest/wasi.h"

static void answer(uint64_t *slots, enum wasi_errno error)
{
    slots[0] = stdio_stream((uint32_t)slots[0]) == STREAM_CLOSED ? WASI_BADF : error;
}

static void wasi_on_pipe(struct instance *instance UNUSED, uint64_t *slots)
{
    answer(slots, WASI_SPIPE);
}

static void wasi_invalid(struct instance *instance UNUSED, uint64_t *slots)
{
    answer(slots, WASI_INVAL);
}

static void wasi_unsupported(struct instance *instance UNUSED, uint64_t *slots)
{
    answer(slots, WASI_NOTSUP);
}

static void wasi_no_folder(struct instance *instance UNUSED, uint64_t *slots)
{
    answer(slots, WASI_NOTDIR);
}

static void wasi_no_socket(struct instance *instance UNUSED, uint64_t *slots)
{
    answer(slots, WASI_NOTSOCK);
}

/* No descriptor is a preopened folder. */
static void wasi_no_preopen(struct instance *instance UNUSED, uint64_t *slots)
{
    slots[0] = WASI_BADF;
}

static void wasi_no_signal(struct instance *instance UNUSED, uint64_t *slots)
{
    slots[0] = WASI_NOTSUP;
}

/* Two calls name a second folder, whose descriptor counts too. */
static void wasi_second_folder(uint64_t *slots, unsigned second)
{
    enum stream stream = stdio_stream((uint32_t)slots[second]);
    answer(slots, stream == STREAM_CLOSED ? WASI_BADF : WASI_NOTDIR);
}

static void wasi_path_link(struct instance *instance UNUSED, uint64_t *slots)
{
    wasi_second_folder(slots, 4);
}

static void wasi_path_rename(struct instance *instance UNUSED, uint64_t *slots)
{
    wasi_second_folder(slots, 3);
}

/* path_symlink(old path, its size, folder, ...) */
static void wasi_path_symlink(struct instance *instance UNUSED, uint64_t *slots)
{
    slots[0] = stdio_stream((uint32_t)slots[2]) == STREAM_CLOSED ? WASI_BADF : WASI_NOTDIR;
}

binding_function *const binding_table[BINDING_COUNT] = {
    [BINDING_ARGS_GET] = wasi_args_get,
    [BINDING_ARGS_SIZES_GET] = wasi_args_sizes_get,
    [BINDING_ENVIRON_GET] = wasi_environ_get,
    [BINDING_ENVIRON_SIZES_GET] = wasi_environ_sizes_get,
    [BINDING_CLOCK_RES_GET] = wasi_clock_res_get,
    [BINDING_CLOCK_TIME_GET] = wasi_clock_time_get,
    [BINDING_FD_ADVISE] = wasi_on_pipe,
    [BINDING_FD_ALLOCATE] = wasi_unsupported,
    [BINDING_FD_CLOSE] = wasi_fd_close,
    [BINDING_FD_DATASYNC] = wasi_invalid,
    [BINDING_FD_FDSTAT_GET] = wasi_fd_fdstat_get,
    [BINDING_FD_FDSTAT_SET_FLAGS] = wasi_fd_fdstat_set_flags,
    [BINDING_FD_FDSTAT_SET_RIGHTS] = wasi_fd_fdstat_set_rights,
    [BINDING_FD_FILESTAT_GET] = wasi_fd_filestat_get,
    [BINDING_FD_FILESTAT_SET_SIZE] = wasi_invalid,
    [BINDING_FD_FILESTAT_SET_TIMES] = wasi_unsupported,
    [BINDING_FD_PREAD] = wasi_on_pipe,
    [BINDING_FD_PRESTAT_GET] = wasi_no_preopen,
    [BINDING_FD_PRESTAT_DIR_NAME] = wasi_no_preopen,
    [BINDING_FD_PWRITE] = wasi_on_pipe,
    [BINDING_FD_READ] = wasi_fd_read,
    [BINDING_FD_READDIR] = wasi_no_folder,
    [BINDING_FD_RENUMBER] = wasi_fd_renumber,
    [BINDING_FD_SEEK] = wasi_on_pipe,
    [BINDING_FD_SYNC] = wasi_invalid,
    [BINDING_FD_TELL] = wasi_on_pipe,
    [BINDING_FD_WRITE] = wasi_fd_write,
    [BINDING_PATH_CREATE_DIRECTORY] = wasi_no_folder,
    [BINDING_PATH_FILESTAT_GET] = wasi_no_folder,
    [BINDING_PATH_FILESTAT_SET_TIMES] = wasi_no_folder,
    [BINDING_PATH_LINK] = wasi_path_link,
    [BINDING_PATH_OPEN] = wasi_no_folder,
    [BINDING_PATH_READLINK] = wasi_no_folder,
    [BINDING_PATH_REMOVE_DIRECTORY] = wasi_no_folder,
    [BINDING_PATH_RENAME] = wasi_path_rename,
    [BINDING_PATH_SYMLINK] = wasi_path_symlink,
    [BINDING_PATH_UNLINK_FILE] = wasi_no_folder,
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
};
