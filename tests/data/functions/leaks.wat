;; Leaves a secret wherever a module can leave something ("p" or "P" as input), or looks for it in all of those
;; places ("h" or "H"); capital letters answer as CGI does.  A command and a reactor in one.  The secret is made
;; of two constants, so that it stands nowhere until it is planted.
(module
  (import "wasi_snapshot_preview1" "fd_write" (func $fd_write (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_read" (func $fd_read (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_close" (func $fd_close (param i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_fdstat_get" (func $fd_fdstat_get (param i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "path_open"
    (func $path_open (param i32 i32 i32 i32 i32 i64 i64 i32 i32) (result i32)))
  (memory 20 64)
  (table $t 4 16 funcref)
  (global $number (mut i64) (i64.const 0))
  (global $vector (mut v128) (v128.const i64x2 0 0))
  (global $started (mut i32) (i32.const 0))
  (elem $later func $plant)
  (data $passive "passive!")
  (data (i32.const 64) "secret.txt")
  (data (i32.const 128) "Content-Type: text/plain\0a\0aclean")
  (data (i32.const 192) "leak: ")

  (func $secret (result i64)
    (i64.add (i64.const 0x2e72a1b3c4d5e6f7) (i64.xor (i64.const 0x3050709010305070) (i64.extend_i32_u (memory.size)))))
  ;; the same whatever the size of memory is
  (func $known (param $pages i32) (result i64)
    (i64.add (i64.const 0x2e72a1b3c4d5e6f7)
      (i64.xor (i64.const 0x3050709010305070) (i64.extend_i32_u (local.get $pages)))))

  ;; Locals and operands on both stacks, vectors in registers.
  (func $deep (param $left i32) (param $a i64) (param $v v128) (result i64)
    (local $b i64) (local $c i64) (local $w v128)
    (local.set $b (i64.rotl (local.get $a) (i64.const 64)))
    (local.set $c (local.get $b))
    (local.set $w (v128.or (local.get $v) (i64x2.splat (local.get $a))))
    (if (i32.eqz (local.get $left)) (then (return (i64x2.extract_lane 0 (local.get $w)))))
    (i64.or (i64.and (local.get $b) (local.get $c))
      (call $deep (i32.sub (local.get $left) (i32.const 1)) (local.get $c) (local.get $w))))

  (func $fill (param $from i32) (param $to i32) (param $s i64)
    (loop $next
      (if (i32.lt_u (local.get $from) (local.get $to)) (then
        (i64.store offset=2048 (local.get $from) (local.get $s))
        (i64.store offset=4080 (local.get $from) (local.get $s))
        (local.set $from (i32.add (local.get $from) (i32.const 4096)))
        (br $next)))))

  (func $plant (param $s i64)
    (call $fill (i32.const 0) (i32.const 1310720) (local.get $s))
    (drop (memory.grow (i32.const 8)))
    (call $fill (i32.const 1310720) (i32.const 1835008) (local.get $s))
    (global.set $number (local.get $s))
    (global.set $vector (i64x2.splat (local.get $s)))
    (global.set $number (call $deep (i32.const 5000) (local.get $s) (i64x2.splat (local.get $s))))
    (table.set $t (i32.const 1) (ref.func $plant))
    (drop (table.grow $t (ref.func $plant) (i32.const 5)))
    (data.drop $passive)
    (elem.drop $later)
    ;; a file, if there is a folder; it stays open
    (if (i32.eqz (call $path_open (i32.const 3) (i32.const 0) (i32.const 64) (i32.const 10) (i32.const 1)
                   (i64.const 0x46) (i64.const 0) (i32.const 0) (i32.const 32)))
      (then
        (i32.store (i32.const 16) (i32.const 2048)) (i32.store (i32.const 20) (i32.const 8))
        (drop (call $fd_write (i32.load (i32.const 32)) (i32.const 16) (i32.const 1) (i32.const 24)))))
    ;; the log has it, the log's descriptor is closed
    (i32.store (i32.const 16) (i32.const 2048)) (i32.store (i32.const 20) (i32.const 8))
    (drop (call $fd_write (i32.const 2) (i32.const 16) (i32.const 1) (i32.const 24)))
    (drop (call $fd_close (i32.const 2))))

  (func $search (param $at i32) (param $to i32) (param $s i64) (result i32)
    (loop $next
      (if (i64.eq (i64.load (local.get $at)) (local.get $s)) (then (return (i32.const 1))))
      (br_if $next (i32.lt_u (local.tee $at (i32.add (local.get $at) (i32.const 8))) (local.get $to))))
    (i32.const 0))

  ;; A letter for the first place that still has something, 0 when none has.
  (func $hunt (result i32)
    (local $s i64)
    (local.set $s (call $known (i32.const 20)))
    (if (i32.ne (memory.size) (i32.const 20)) (then (return (i32.const 115)))) ;; s: size
    (if (i32.gt_u (global.get $started) (i32.const 2)) (then (return (i32.const 105)))) ;; i: initialised once
    (if (call $search (i32.const 0) (i32.const 1310720) (local.get $s)) (then (return (i32.const 109)))) ;; m: memory
    (if (i64.ne (global.get $number) (i64.const 0)) (then (return (i32.const 103)))) ;; g: global
    (if (v128.any_true (global.get $vector)) (then (return (i32.const 118)))) ;; v: vector
    (if (i32.ne (table.size $t) (i32.const 4)) (then (return (i32.const 116)))) ;; t: table
    (if (i32.eqz (ref.is_null (table.get $t (i32.const 1)))) (then (return (i32.const 101)))) ;; e: entry
    (memory.init $passive (i32.const 2048) (i32.const 0) (i32.const 8)) ;; traps when it is dropped
    (table.init $t $later (i32.const 2) (i32.const 0) (i32.const 1))
    (if (call $fd_fdstat_get (i32.const 2) (i32.const 2048)) (then (return (i32.const 99)))) ;; c: closed
    (if (i32.ne (call $fd_fdstat_get (i32.const 4) (i32.const 2048)) (i32.const 8)) (then (return (i32.const 111)))) ;; o: open
    (if (i32.eqz (call $path_open (i32.const 3) (i32.const 0) (i32.const 64) (i32.const 10) (i32.const 0)
                   (i64.const 0x2) (i64.const 0) (i32.const 0) (i32.const 32)))
      (then (return (i32.const 102)))) ;; f: file
    (if (i32.ne (memory.grow (i32.const 8)) (i32.const 20)) (then (return (i32.const 119)))) ;; w: how it grows
    (if (call $search (i32.const 1310720) (i32.const 1835008) (local.get $s)) (then (return (i32.const 110)))) ;; n: new memory
    (i32.const 0))

  ;; What to do: the verdict as text at the result's address, its size at 8.
  (func $serve (param $letter i32) (result i32)
    (local $found i32)
    (i32.store (i32.const 8) (i32.const 5))
    (if (i32.eq (i32.or (local.get $letter) (i32.const 32)) (i32.const 112))
      (then (call $plant (call $secret)) (return (i32.const 154))))
    (local.set $found (call $hunt))
    (if (local.get $found) (then
      (i32.store8 (i32.const 198) (local.get $found))
      (i32.store (i32.const 8) (i32.const 7))
      (return (i32.const 192))))
    (i32.const 154))

  (func (export "_start") (local $text i32) (local $letter i32)
    (i32.store (i32.const 16) (i32.const 40)) (i32.store (i32.const 20) (i32.const 1))
    (drop (call $fd_read (i32.const 0) (i32.const 16) (i32.const 1) (i32.const 24)))
    (local.set $letter (i32.load8_u (i32.const 40)))
    (local.set $text (call $serve (local.get $letter)))
    (if (i32.lt_u (local.get $letter) (i32.const 97)) (then
      (i32.store (i32.const 16) (i32.const 128)) (i32.store (i32.const 20) (i32.const 26))
      (drop (call $fd_write (i32.const 1) (i32.const 16) (i32.const 1) (i32.const 24)))))
    (i32.store (i32.const 16) (local.get $text)) (i32.store (i32.const 20) (i32.load (i32.const 8)))
    (drop (call $fd_write (i32.const 1) (i32.const 16) (i32.const 1) (i32.const 24))))

  (func (export "s3n_init") (global.set $started (i32.const 1)))
  (func (export "s3n_alloc") (param i32) (result i32) (i32.const 65536))
  (func (export "s3n_handle") (param $at i32) (param $size i32) (result i64) (local $text i32)
    (if (i32.eqz (global.get $started)) (then unreachable))
    (global.set $started (i32.add (global.get $started) (i32.const 1)))
    (local.set $text (call $serve (i32.load8_u (i32.add (local.get $at) (i32.load offset=12 (local.get $at))))))
    (i32.store (i32.const 256) (i32.const 0x414e3353))
    (i32.store (i32.const 260) (i32.const 0x00c80001))
    (i32.store (i32.const 264) (i32.add (i32.const 32) (i32.load (i32.const 8))))
    (i32.store (i32.const 268) (i32.const 32))
    (i32.store (i32.const 272) (i32.load (i32.const 8)))
    (i64.store (i32.const 276) (i64.const 0))
    (i32.store (i32.const 284) (i32.const 0))
    (i64.store (i32.const 288) (i64.load (local.get $text)))
    (i64.or (i64.const 0x10000000000) (i64.extend_i32_u (i32.add (i32.const 32) (i32.load (i32.const 8)))))))
