;; SPDX-License-Identifier: Apache-2.0
;; Element segments that name imported globals (which spectest-interp 1.0.32 refuses to read).
(module $globals
  (global (export "function") funcref (ref.func $forty))
  (global (export "nothing") funcref (ref.null func))
  (memory 1)
  (data (i32.const 0) "\28")
  (func $forty (result i32) (i32.load (i32.const 0))))
(register "globals" $globals)
(module $uses
  (import "globals" "function" (global $function funcref))
  (import "globals" "nothing" (global $nothing funcref))
  (table $t 4 funcref)
  (elem (table $t) (i32.const 0) funcref (global.get $function) (global.get $nothing))
  (elem $passive funcref (ref.func $own) (global.get $function))
  (func $own (result i32) (i32.const 41))
  (func (export "call") (param i32) (result i32) (call_indirect $t (result i32) (local.get 0)))
  (func (export "init") (table.init $t $passive (i32.const 2) (i32.const 0) (i32.const 2))))
(assert_return (invoke $uses "call" (i32.const 0)) (i32.const 40))
(assert_trap (invoke $uses "call" (i32.const 1)) "uninitialized element")
(invoke $uses "init")
(assert_return (invoke $uses "call" (i32.const 2)) (i32.const 41))
(assert_return (invoke $uses "call" (i32.const 3)) (i32.const 40))
