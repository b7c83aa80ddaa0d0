/* SPDX-License-Identifier: Apache-2.0 */
/* The functions of WASI preview 1: one for each row of BINDINGS.  Parameters in slots in the order
 * of the standard; the error number goes to slot 0. */
#ifndef GUEST_WASI_H
#define GUEST_WASI_H

#include "guest/guest.h"

binding_function wasi_args_get, wasi_args_sizes_get, wasi_environ_get, wasi_environ_sizes_get;
binding_function wasi_clock_res_get, wasi_clock_time_get, wasi_poll_oneoff, wasi_sched_yield;
binding_function wasi_proc_exit, wasi_random_get;
/* transfer.c */
binding_function wasi_fd_pread, wasi_fd_pwrite, wasi_fd_read, wasi_fd_write;
/* file.c */
binding_function wasi_fd_advise, wasi_fd_allocate, wasi_fd_close, wasi_fd_datasync;
binding_function wasi_fd_filestat_set_size, wasi_fd_readdir, wasi_fd_renumber, wasi_fd_seek;
binding_function wasi_fd_sync, wasi_fd_tell;
/* status.c */
binding_function wasi_fd_fdstat_get, wasi_fd_fdstat_set_flags, wasi_fd_fdstat_set_rights;
binding_function wasi_fd_filestat_get, wasi_fd_filestat_set_times, wasi_fd_prestat_get;
binding_function wasi_fd_prestat_dir_name, wasi_path_filestat_get, wasi_path_filestat_set_times;
/* paths.c */
binding_function wasi_path_create_directory, wasi_path_link, wasi_path_open, wasi_path_readlink;
binding_function wasi_path_remove_directory, wasi_path_rename, wasi_path_symlink;
binding_function wasi_path_unlink_file;
binding_function test_print, test_print_i32, test_print_i64, test_print_f32, test_print_f64;
binding_function test_print_i32_f32, test_print_f64_f64;

#endif
