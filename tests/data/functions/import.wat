;; Imports what no node has.
(module
  (import "env" "launch_rocket" (func $launch (param i32 i64) (result f64)))
  (memory (export "memory") 1)
  (func (export "_start") (drop (call $launch (i32.const 1) (i64.const 2)))))
