;; A command that calls its node; the first byte of standard input says how:
;;   L list: the list of requests as it stands (s3n.batch), and prints the list of answers
;;   M count (4 bytes): `about` so often, and prints the last result (8 bytes)
;;   G key: kv_get("prices", key), and prints the result (8 bytes) and the value or the error's text
;;   S key: kv_set("prices", key, key), and prints the result
;;   T: traps after kv_set("prices", "trap", "trap")
;;   A key: kv_get, kv_set(key, key), kv_get, and prints each result (8 bytes, an error's text) and
;;     the last value
;;   D key: kv_get, kv_set(key, key) twice and about, and prints the last two results
(module
  (import "wasi_snapshot_preview1" "fd_read" (func $read (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
  (import "s3n" "batch" (func $batch (param i32 i32 i32 i32) (result i64)))
  (import "s3n" "about" (func $about (param i32 i32) (result i64)))
  (import "s3n" "error_message" (func $message (param i32 i32) (result i64)))
  (import "s3n" "kv_get" (func $get (param i32 i32 i32 i32 i32 i32) (result i64)))
  (import "s3n" "kv_set" (func $set (param i32 i32 i32 i32 i32 i32 i64) (result i64)))
  (memory (export "memory") 16)
  (data (i32.const 64) "prices")
  (data (i32.const 80) "trap")
  (func $input (result i32) ;; to 65536; bytes
    (local $size i32)
    (loop $more
      (i32.store (i32.const 0) (i32.add (i32.const 65536) (local.get $size)))
      (i32.store (i32.const 4) (i32.const 65536))
      (drop (call $read (i32.const 0) (i32.const 0) (i32.const 1) (i32.const 8)))
      (local.set $size (i32.add (local.get $size) (i32.load (i32.const 8))))
      (br_if $more (i32.load (i32.const 8))))
    (local.get $size))
  (func $print (param $at i32) (param $size i32)
    (i32.store (i32.const 0) (local.get $at))
    (i32.store (i32.const 4) (local.get $size))
    (drop (call $write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8))))
  (func $print_result (param $result i64)
    (i64.store (i32.const 16) (local.get $result))
    (call $print (i32.const 16) (i32.const 8))
    (if (i64.lt_s (local.get $result) (i64.const 0))
      (then (call $print (i32.const 524288)
        (i32.wrap_i64 (call $message (i32.const 524288) (i32.const 1000)))))))
  (func $get_key (param $size i32) (result i64)
    (call $get (i32.const 64) (i32.const 6) (i32.const 65537) (local.get $size)
               (i32.const 524288) (i32.const 262144)))
  (func $set_key (param $size i32) (result i64)
    (call $set (i32.const 64) (i32.const 6) (i32.const 65537) (local.get $size)
               (i32.const 65537) (local.get $size) (i64.const 0)))
  (func (export "_start")
    (local $size i32) (local $kind i32) (local $count i32) (local $result i64)
    (local.set $size (i32.sub (call $input) (i32.const 1)))
    (local.set $kind (i32.load8_u (i32.const 65536)))
    (if (i32.eq (local.get $kind) (i32.const 76)) ;; L
      (then
        (local.set $result
          (call $batch (i32.const 65537) (local.get $size) (i32.const 524288) (i32.const 524288)))
        (if (i64.lt_s (local.get $result) (i64.const 0))
          (then (call $print_result (local.get $result)))
          (else (call $print (i32.const 524288) (i32.wrap_i64 (local.get $result)))))))
    (if (i32.eq (local.get $kind) (i32.const 77)) ;; M
      (then
        (local.set $count (i32.load (i32.const 65537)))
        (loop $again
          (local.set $result (call $about (i32.const 524288) (i32.const 1000)))
          (local.set $count (i32.sub (local.get $count) (i32.const 1)))
          (br_if $again (local.get $count)))
        (call $print_result (local.get $result))))
    (if (i32.eq (local.get $kind) (i32.const 71)) ;; G
      (then
        (local.set $result (call $get_key (local.get $size)))
        (call $print_result (local.get $result))
        (if (i64.gt_s (local.get $result) (i64.const 0))
          (then (call $print (i32.const 524288) (i32.wrap_i64 (local.get $result)))))))
    (if (i32.eq (local.get $kind) (i32.const 83)) ;; S
      (then (call $print_result (call $set_key (local.get $size)))))
    (if (i32.eq (local.get $kind) (i32.const 65)) ;; A
      (then
        (call $print_result (call $get_key (local.get $size)))
        (call $print_result (call $set_key (local.get $size)))
        (local.set $result (call $get_key (local.get $size)))
        (call $print_result (local.get $result))
        (if (i64.gt_s (local.get $result) (i64.const 0))
          (then (call $print (i32.const 524288) (i32.wrap_i64 (local.get $result)))))))
    (if (i32.eq (local.get $kind) (i32.const 68)) ;; D
      (then
        (drop (call $get_key (local.get $size)))
        (drop (call $set_key (local.get $size)))
        (call $print_result (call $set_key (local.get $size)))
        (call $print_result (call $about (i32.const 524288) (i32.const 1000)))))
    (if (i32.eq (local.get $kind) (i32.const 84)) ;; T
      (then
        (drop (call $set (i32.const 64) (i32.const 6) (i32.const 80) (i32.const 4)
                         (i32.const 80) (i32.const 4) (i64.const 0)))
        unreachable))))
