;; Takes all the memory it can get and writes to every byte of it; ends well when there is no more.
(module
  (memory (export "memory") 1)
  (func (export "_start") (local $at i32)
    (block $done
      (loop $more
        (local.set $at (memory.grow (i32.const 256)))
        (br_if $done (i32.eq (local.get $at) (i32.const -1)))
        (memory.fill (i32.mul (local.get $at) (i32.const 65536)) (i32.const 1) (i32.const 16777216))
        (br $more)))))
