;; A command on its sealed state; the first byte of standard input says what becomes of it:
;;   I: adds one to key "n" of namespace "counts" and prints the sum, ten digits
;;   R: prints it without adding;  N: as I, of nothing: reads and writes no state
;;   T: adds one, then traps;  X: adds one, then exits with 3;  L: adds one, then never ends
;;   K: as I, of the key that follows (8 bytes)
;;   F: fills: sets the key that follows (8 bytes) to 200 KiB
(module
  (import "wasi_snapshot_preview1" "fd_read" (func $read (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
  (import "s3n" "kv_get" (func $get (param i32 i32 i32 i32 i32 i32) (result i64)))
  (import "s3n" "kv_set" (func $set (param i32 i32 i32 i32 i32 i32 i64) (result i64)))
  (memory (export "memory") 8)
  (data (i32.const 64) "counts")
  (data (i32.const 80) "n")
  (func $print (param $at i32) (param $size i32)
    (i32.store (i32.const 0) (local.get $at))
    (i32.store (i32.const 4) (local.get $size))
    (drop (call $write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8))))
  (func (export "_start")
    (local $kind i32) (local $number i32) (local $at i32) (local $result i64)
    (local $key i32) (local $key_size i32)
    (local.set $key (i32.const 80))
    (local.set $key_size (i32.const 1))
    (i32.store (i32.const 0) (i32.const 1024))
    (i32.store (i32.const 4) (i32.const 64))
    (drop (call $read (i32.const 0) (i32.const 0) (i32.const 1) (i32.const 8)))
    (local.set $kind (i32.load8_u (i32.const 1024)))
    (if (i32.eq (local.get $kind) (i32.const 75)) ;; K
      (then (local.set $key (i32.const 1025)) (local.set $key_size (i32.const 8))))
    (if (i32.eq (local.get $kind) (i32.const 70)) ;; F
      (then
        (local.set $result (call $set (i32.const 64) (i32.const 6) (i32.const 1025) (i32.const 8)
                                      (i32.const 65536) (i32.const 204800) (i64.const 0)))
        (if (i64.lt_s (local.get $result) (i64.const 0)) (then (call $exit (i32.const 9))))
        (return)))
    ;; ten digits at 128
    (local.set $result (i64.const -4))
    (if (i32.ne (local.get $kind) (i32.const 78)) ;; N
      (then
        (local.set $result (call $get (i32.const 64) (i32.const 6) (local.get $key)
                                      (local.get $key_size) (i32.const 128) (i32.const 10)))))
    (if (i64.eq (local.get $result) (i64.const 10))
      (then
        (loop $digit
          (local.set $number (i32.add (i32.mul (local.get $number) (i32.const 10))
            (i32.sub (i32.load8_u (i32.add (i32.const 128) (local.get $at))) (i32.const 48))))
          (local.set $at (i32.add (local.get $at) (i32.const 1)))
          (br_if $digit (i32.lt_u (local.get $at) (i32.const 10)))))
      (else (if (i64.ne (local.get $result) (i64.const -4)) (then (call $exit (i32.const 8))))))
    (if (i32.ne (local.get $kind) (i32.const 82)) ;; R
      (then (local.set $number (i32.add (local.get $number) (i32.const 1)))))
    (local.set $at (i32.const 138))
    (loop $digit
      (local.set $at (i32.sub (local.get $at) (i32.const 1)))
      (i32.store8 (local.get $at) (i32.add (i32.const 48) (i32.rem_u (local.get $number) (i32.const 10))))
      (local.set $number (i32.div_u (local.get $number) (i32.const 10)))
      (br_if $digit (i32.gt_u (local.get $at) (i32.const 128))))
    (if (i32.and (i32.ne (local.get $kind) (i32.const 82)) (i32.ne (local.get $kind) (i32.const 78)))
      (then (if (i64.ne (i64.const 0)
        (call $set (i32.const 64) (i32.const 6) (local.get $key) (local.get $key_size)
                   (i32.const 128) (i32.const 10) (i64.const 0)))
        (then (call $exit (i32.const 9))))))
    (call $print (i32.const 128) (i32.const 10))
    (if (i32.eq (local.get $kind) (i32.const 84)) (then (unreachable)))
    (if (i32.eq (local.get $kind) (i32.const 88)) (then (call $exit (i32.const 3))))
    (if (i32.eq (local.get $kind) (i32.const 76)) (then (loop $ever (br $ever))))))
