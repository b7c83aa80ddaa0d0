;; SPDX-License-Identifier: Apache-2.0
;; The largest memory there is, seen by two.
(module $large
  (memory (export "memory") 65536)
  (func (export "store") (param i32 i32) (i32.store (local.get 0) (local.get 1))))
(register "large" $large)
(module $reads
  (import "large" "memory" (memory 65536))
  (func (export "load") (param i32) (result i32) (i32.load (local.get 0)))
  (func (export "beyond") (result i32) (i32.load offset=4294967295 (i32.const -1)))
  (func (export "grow") (param i32) (result i32) (memory.grow (local.get 0))))
(invoke $large "store" (i32.const -4) (i32.const 31))
(assert_return (invoke $reads "load" (i32.const 0xfffffffc)) (i32.const 31))
(assert_trap (invoke $reads "load" (i32.const 0xfffffffd)) "out of bounds memory access")
(assert_trap (invoke $reads "beyond") "out of bounds memory access")
(assert_return (invoke $reads "grow" (i32.const 1)) (i32.const -1))
(assert_return (invoke $reads "grow" (i32.const 0)) (i32.const 65536))
