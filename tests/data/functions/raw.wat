;; A reactor whose answer is the body of its request, whatever that is; a body that begins with "!"
;; and seven bytes more is s3n_handle's result itself (eight bytes behind those).
(module
  (memory (export "memory") 2)
  (global $next (mut i32) (i32.const 1024))
  (func (export "s3n_alloc") (param $size i32) (result i32)
    (local $at i32)
    (local.set $at (global.get $next))
    (global.set $next
      (i32.and (i32.add (i32.add (local.get $at) (local.get $size)) (i32.const 7)) (i32.const -8)))
    (local.get $at))
  (func (export "s3n_handle") (param $at i32) (param $size i32) (result i64)
    (local $body i32)
    (local.set $body (i32.add (local.get $at) (i32.load offset=12 (local.get $at))))
    (if (i32.and (i32.ge_u (i32.load offset=16 (local.get $at)) (i32.const 16))
                 (i32.eq (i32.load8_u (local.get $body)) (i32.const 33)))
      (then (return (i64.load offset=8 (local.get $body)))))
    (i64.or
      (i64.shl (i64.extend_i32_u (local.get $body)) (i64.const 32))
      (i64.load32_u offset=16 (local.get $at)))))
