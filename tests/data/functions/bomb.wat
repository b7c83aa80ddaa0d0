;; Calls itself for ever.
(module
  (memory (export "memory") 1)
  (func $down (export "_start") (call $down) (call $down)))
