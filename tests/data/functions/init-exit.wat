;; A reactor that ends the program while it is initialised.
(module
  (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
  (memory 1)
  (func (export "s3n_init") (call $exit (i32.const 0)))
  (func (export "s3n_alloc") (param i32) (result i32) (i32.const 1024))
  (func (export "s3n_handle") (param i32 i32) (result i64) (i64.const 0)))
