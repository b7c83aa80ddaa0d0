/* SPDX-License-Identifier: Apache-2.0 */
/* The functions of WASI preview 1: one for each row of BINDINGS that has an effect.  Parameters in
 * slots in the order of the standard; the error number goes to slot 0. */
#ifndef GUEST_WASI_H
#define GUEST_WASI_H

#include "guest/guest.h"

binding_function wasi_args_get, wasi_args_sizes_get, wasi_environ_get, wasi_environ_sizes_get;
binding_function wasi_clock_res_get, wasi_clock_time_get, wasi_poll_oneoff, wasi_sched_yield;
binding_function wasi_proc_exit, wasi_random_get;
binding_function wasi_fd_close, wasi_fd_fdstat_get, wasi_fd_fdstat_set_flags;
binding_function wasi_fd_fdstat_set_rights, wasi_fd_filestat_get, wasi_fd_read, wasi_fd_renumber;
binding_function wasi_fd_write;
binding_function test_print, test_print_i32, test_print_i64, test_print_f32, test_print_f64;
binding_function test_print_i32_f32, test_print_f64_f64;

#endif
