;; Writes its standard input to standard error; what begins with '!' ends in a trap.
(module
  (import "wasi_snapshot_preview1" "fd_read" (func $read (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
  (memory (export "memory") 2)
  (global $traps (mut i32) (i32.const 0))
  (global $begun (mut i32) (i32.const 0))
  (func (export "_start")
    (loop $more
      (i32.store (i32.const 0) (i32.const 1024))
      (i32.store (i32.const 4) (i32.const 65536))
      (drop (call $read (i32.const 0) (i32.const 0) (i32.const 1) (i32.const 8)))
      (if (i32.load (i32.const 8))
        (then
          (if (i32.eqz (global.get $begun))
            (then
              (global.set $begun (i32.const 1))
              (global.set $traps (i32.eq (i32.load8_u (i32.const 1024)) (i32.const 33)))))
          (i32.store (i32.const 4) (i32.load (i32.const 8)))
          (drop (call $write (i32.const 2) (i32.const 0) (i32.const 1) (i32.const 8)))
          (br $more))))
    (if (global.get $traps)
      (then unreachable))))
