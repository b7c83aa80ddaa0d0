;; SPDX-License-Identifier: Apache-2.0
;; Prints 4 numbers of 8 bytes: the monotonic clock's resolution and reading, and the realtime clock's.
(module
  (import "wasi_snapshot_preview1" "clock_res_get" (func $res (param i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "clock_time_get" (func $now (param i32 i64 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
  (memory (export "memory") 1)
  (data (i32.const 0) "\10\00\00\00\20\00\00\00")
  (func (export "_start")
    (drop (call $res (i32.const 1) (i32.const 16)))
    (drop (call $now (i32.const 1) (i64.const 0) (i32.const 24)))
    (drop (call $res (i32.const 0) (i32.const 32)))
    (drop (call $now (i32.const 0) (i64.const 0) (i32.const 40)))
    (drop (call $write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8)))))
