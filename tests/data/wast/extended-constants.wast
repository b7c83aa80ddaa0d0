;; SPDX-License-Identifier: Apache-2.0
;; Arithmetic wherever constant expressions stand, with and without imported globals.

(module
  (global $g (import "spectest" "global_i32") i32)
  (global $G (import "spectest" "global_i64") i64)
  (global $a (export "a") i32 (i32.mul (i32.sub (global.get $g) (i32.const 660)) (i32.const -3)))
  (global $b (export "b") (mut i64) (i64.add (i64.mul (global.get $G) (global.get $G)) (i64.sub (i64.const 1) (i64.const 2))))
  (global $c (export "c") i32 (i32.add (i32.const 0x7fffffff) (i32.const 1)))
  (global $d (export "d") i64 (i64.sub (i64.const 0) (i64.const 0x8000000000000000)))
  (memory 1)
  (data (i32.sub (global.get $g) (i32.const 600)) "\2a")
  (data (i32.mul (i32.const 0x100) (i32.const 0x10)) "\2b")
  (table 8 funcref)
  (elem (offset (i32.add (i32.sub (global.get $g) (i32.const 665)) (i32.const 2))) $three)
  (func $three (result i32) (i32.const 3))
  (func (export "data") (param i32) (result i32) (i32.load8_u (local.get 0)))
  (func (export "call") (param i32) (result i32) (call_indirect (result i32) (local.get 0)))
  (func (export "use") (result i32) (i32.add (global.get $a) (global.get $c))))

(assert_return (get "a") (i32.const -18))
(assert_return (get "b") (i64.const 443555))
(assert_return (get "c") (i32.const 0x80000000))
(assert_return (get "d") (i64.const 0x8000000000000000))
(assert_return (invoke "data" (i32.const 66)) (i32.const 42))
(assert_return (invoke "data" (i32.const 4096)) (i32.const 43))
(assert_return (invoke "call" (i32.const 3)) (i32.const 3))
(assert_trap (invoke "call" (i32.const 2)) "uninitialized element")
(assert_return (invoke "use") (i32.const 0x7fffffee))

(assert_trap
  (module (memory 1) (data (i32.add (i32.const 65535) (i32.const 1)) "x"))
  "out of bounds memory access")
(assert_trap
  (module (table 1 funcref) (func $f) (elem (offset (i32.sub (i32.const 0) (i32.const 1))) $f))
  "out of bounds table access")
