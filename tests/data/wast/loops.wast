;; SPDX-License-Identifier: Apache-2.0
;; Locals in registers across calls in loops: what is set, only read, or not used in a loop, on
;; paths that call and paths that don't.
(module
  (func $note (param i32) (result i32) (i32.mul (local.get 0) (i32.const 3)))
  (func $far (param i32 i32 i64 f64) (result f64)
    (f64.add (local.get 3)
      (f64.convert_i32_s
        (i32.add (local.get 0) (i32.sub (local.get 1) (i32.wrap_i64 (local.get 2)))))))

  ;; $a is only read, $b only set, $c both, $d not used within; the call stands on a rare path.
  (func (export "rare") (param $n i32) (result i32)
    (local $a i32) (local $b i32) (local $c i32) (local $d i32) (local $i i32)
    (local.set $a (i32.const 5))
    (local.set $d (i32.mul (local.get $n) (i32.const 7)))
    (loop $next
      (block $common
        (br_if $common (i32.and (local.get $i) (i32.const 3)))
        (local.set $b (call $note (local.get $i))))
      (local.set $c (i32.add (local.get $c) (local.get $a)))
      (local.set $i (i32.add (local.get $i) (i32.const 1)))
      (br_if $next (i32.lt_u (local.get $i) (local.get $n))))
    (i32.add (i32.add (local.get $b) (local.get $c)) (i32.add (local.get $d) (local.get $a))))

  ;; Loops within each other; the inner one calls and leaves in the middle.
  (func (export "nested") (param $n i32) (result i32)
    (local $i i32) (local $j i32) (local $sum i32) (local $kept i32) (local $last i32)
    (local.set $kept (i32.const 1000))
    (block $done
      (loop $outer
        (br_if $done (i32.ge_u (local.get $i) (local.get $n)))
        (local.set $j (i32.const 0))
        (block $stop
          (loop $inner
            (local.set $last (call $note (local.get $j)))
            (br_if $stop (i32.gt_u (local.get $last) (local.get $i)))
            (local.set $sum (i32.add (local.get $sum) (local.get $last)))
            (local.set $j (i32.add (local.get $j) (i32.const 1)))
            (br $inner)))
        (if (i32.and (local.get $i) (i32.const 1))
          (then (local.set $kept (i32.add (local.get $kept) (call $note (i32.const 1)))))
          (else (local.set $sum (i32.xor (local.get $sum) (local.get $kept)))))
        (local.set $i (i32.add (local.get $i) (i32.const 1)))
        (br $outer)))
    (i32.add (local.get $sum) (i32.add (local.get $kept) (local.get $last))))

  ;; A value of before the loop, changed behind it, with all classes and an indirect way back.
  (func (export "classes") (param $n i32) (result f64)
    (local $i i32) (local $w i64) (local $x f64) (local $y f64) (local $before i32)
    (local.set $before (i32.add (local.get $n) (i32.const 100)))
    (local.set $x (f64.const 0.5))
    (local.set $y (f64.const 2))
    (loop $next
      (block $b (block $a (br_table $a $b (i32.and (local.get $i) (i32.const 1))))
        (local.set $x
          (call $far (local.get $i) (local.get $n) (local.get $w) (local.get $x))))
      (local.set $w (i64.add (local.get $w) (i64.const 2)))
      (if (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1))) (local.get $n))
        (then (br $next))))
    (f64.mul (f64.add (local.get $x) (f64.convert_i32_u (local.get $before))) (local.get $y)))

  ;; The first argument is used once; numbers of 64 bits cut off where they are used.
  (func $once (export "once") (param i32 i32) (result i32)
    (i32.sub (local.get 1) (local.get 0)))
  (func (export "cut") (param $a i64) (param $b i32) (result i32)
    (local $i i32)
    (loop $next
      (local.set $a (i64.add (local.get $a) (i64.const 0x100000001)))
      (local.set $b (i32.add (i32.wrap_i64 (local.get $a)) (local.get $b)))
      (local.set $i (i32.add (local.get $i) (i32.const 1)))
      (br_if $next (i32.lt_u (local.get $i) (i32.const 4))))
    (i32.add (local.get $b) (i32.wrap_i64 (i64.add (local.get $a) (i64.const 5)))))
  (func (export "cut-wide") (param $a i64) (result i64)
    (local.set $a (i64.add (local.get $a) (local.get $a)))
    (i64.extend_i32_u (i32.wrap_i64 (local.get $a)))))

(assert_return (invoke "rare" (i32.const 1)) (i32.const 17))
(assert_return (invoke "rare" (i32.const 10)) (i32.const 149))
(assert_return (invoke "nested" (i32.const 0)) (i32.const 1000))
(assert_return (invoke "nested" (i32.const 9)) (i32.const 2013))
(assert_return (invoke "classes" (i32.const 1)) (f64.const 205))
(assert_return (invoke "classes" (i32.const 6)) (f64.const 237.0))
(assert_return (invoke "once" (i32.const 5) (i32.const 3)) (i32.const -2))
(assert_return (invoke "cut" (i64.const 0xffffffff) (i32.const 1)) (i32.const 15))
(assert_return (invoke "cut-wide" (i64.const 0x180000001)) (i64.const 2))

;; A local that is used last before, in, or behind what calls.
(module
  (func $twice (param i32) (result i32) (i32.shl (local.get 0) (i32.const 1)))
  (func (export "last") (param $a i32) (param $b i32) (result i32)
    (local $c i32) (local $d i32)
    (local.set $c (i32.add (local.get $a) (local.get $b)))
    (local.set $d (i32.mul (local.get $c) (local.get $c)))
    (local.set $a (call $twice (local.get $c)))
    (local.set $b (i32.add (local.get $d) (call $twice (local.get $a))))
    (i32.add (local.get $b) (call $twice (local.get $b))))
  ;; Read before the call in the code, after it in time.
  (func (export "around") (param $n i32) (result i32)
    (local $kept i32) (local $sum i32)
    (local.set $kept (i32.const 9))
    (loop $next
      (local.set $sum (i32.add (local.get $sum) (local.get $kept)))
      (local.set $kept (i32.add (local.get $kept) (i32.const 1)))
      (loop $inner
        (local.set $n (i32.sub (local.get $n) (i32.const 1)))
        (br_if $inner (i32.and (call $twice (local.get $n)) (i32.const 2))))
      (br_if $next (i32.gt_s (call $twice (local.get $n)) (i32.const 0))))
    (local.get $sum))
  ;; Still on the operand stack.
  (func (export "waiting") (param $a i32) (result i32)
    (local $b i32)
    (local.set $b (i32.mul (local.get $a) (i32.const 5)))
    (local.get $b)
    (call $twice (local.get $a))
    (i32.sub)))

(assert_return (invoke "last" (i32.const 1) (i32.const 2)) (i32.const 63))
(assert_return (invoke "around" (i32.const 6)) (i32.const 30))
(assert_return (invoke "waiting" (i32.const 4)) (i32.const 12))
