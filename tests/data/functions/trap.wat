;; Traps in function 1.
(module
  (memory (export "memory") 1)
  (func (export "_start") (call $inner))
  (func $inner unreachable))
