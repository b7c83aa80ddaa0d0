;; A reactor that prints while it is initialised.
(module
  (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
  (memory 1)
  (data (i32.const 8) "\10\00\00\00\06\00\00\00ready\0a")
  (func (export "s3n_init") (drop (call $write (i32.const 1) (i32.const 8) (i32.const 1) (i32.const 0))))
  (func (export "s3n_alloc") (param i32) (result i32) (i32.const 1024))
  (func (export "s3n_handle") (param i32 i32) (result i64) (i64.const 0)))
