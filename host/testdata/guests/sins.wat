;; Echoes and counts; a plain request is told how many connects, recvs and
;; closes there have been. What begins with '!' is counted and then sinned at, as
;; the next byte says; after '+' and '*' the sin is that of the byte behind it.
(module
  (memory (export "memory") 6)
  (data (i32.const 64) "YIMO\01\00\00\00" "\00\00\00\00\01\00\00\00"  ;; wants http
    "\00\10\00\00\00\04\00\00"   ;; events:   1024 at 0x1000
    "\00\90\00\00\00\04\00\00"   ;; commands: 1024 at 0x9000
    "\00\10\01\00\00\00\04\00")  ;; area:  256 KiB at 0x11000
  (data (i32.const 0x200) "connects 00000000 recvs 00000000 closes 00000000\n")

  (func (export "yimmo_v1_init") (param i32 i32 i32) (result i32)
    i32.const 64)

  (func (export "yimmo_v1_turn") (param $at i32) (param $n i32) (result i32)
    (local $e i32) (local $c i32) (local $count i32)
    (if (global.get $left) (then (return (call $flood (local.get $at)))))
    (block $done
      (loop $next
        (br_if $done (i32.ge_u (local.get $at) (local.get $n)))
        (br_if $done (i32.gt_u (local.get $count) (i32.const 1000)))
        (local.set $e (i32.add (i32.const 0x1000) (i32.shl (local.get $at) (i32.const 5))))
        (local.set $c (i32.add (i32.const 0x9000) (i32.shl (local.get $count) (i32.const 5))))
        (local.set $at (i32.add (local.get $at) (i32.const 1)))
        (block $other (block $request (block $close (block $recv (block $connect
          (br_table $other $other $other $connect $recv $close $request $other (i32.load8_u (local.get $e))))

          (call $increment (i32.const 0x210))
          (br $next))

          ;; recv: send it back
          (call $increment (i32.const 0x21f))
          (if (i32.eq (i32.load8_u (i32.load offset=16 (local.get $e))) (i32.const 33))
            (then
              (global.set $who (i64.load offset=8 (local.get $e)))
              (global.set $then (i32.load8_u offset=2 (i32.load offset=16 (local.get $e))))
              (local.set $count (call $sin (i32.load8_u offset=1 (i32.load offset=16 (local.get $e))) (local.get $count)))
              (br_if $done (global.get $left))
              (br $next)))
          (i64.store (local.get $c)
            (i64.or (i64.const 5) (i64.and (i64.load (local.get $e)) (i64.const 0xffffffff0000ff00))))
          (i64.store offset=8 (local.get $c) (i64.load offset=8 (local.get $e)))
          (i64.store offset=16 (local.get $c) (i64.load32_u offset=16 (local.get $e)))
          (i64.store offset=24 (local.get $c) (i64.const 0))
          (local.set $count (i32.add (local.get $count) (i32.const 1)))
          (br $next))

          (call $increment (i32.const 0x22f))
          (br $next))

          ;; http_request: 200 and, in a piece, the counts as of the end of this call
          (i64.store (local.get $c) (i64.const 0x0000000000c8800e))
          (i64.store offset=8 (local.get $c) (i64.load offset=8 (local.get $e)))
          (i64.store offset=16 (local.get $c) (i64.const 0))
          (i64.store offset=24 (local.get $c) (i64.const 0))
          (i64.store offset=32 (local.get $c) (i64.const 0x0000003100000001))  ;; 49 bytes
          (i64.store offset=40 (local.get $c) (i64.const 0))
          (i64.store offset=48 (local.get $c) (i64.const 0x200))
          (i64.store offset=56 (local.get $c) (i64.const 0))
          (local.set $count (i32.add (local.get $count) (i32.const 2))))
        (br $next)))
    (i32.store (i32.const 108) (local.get $at))  ;; consumed
    (i32.store (i32.const 112) (i32.ne (global.get $left) (i32.const 0)))  ;; more
    (local.get $count))

  (global $who (mut i64) (i64.const 0))   ;; the session that says what to sin
  (global $left (mut i32) (i32.const 0))  ;; commands that are yet to be given
  (global $kind (mut i64) (i64.const 0))  ;; which
  (global $then (mut i32) (i32.const 0))  ;; the sin instead of the last of them
  (global $sly (mut i32) (i32.const 0))   ;; whether there is to be one

  ;; sin does what $which says after '!', and returns the number of commands so far.
  (func $sin (param $which i32) (param $count i32) (result i32)
    (local $c i32)
    (local.set $c (i32.add (i32.const 0x9000) (i32.shl (local.get $count) (i32.const 5))))
    (if (i32.eq (local.get $which) (i32.const 108))  ;; l: loop
      (then (loop $forever (br $forever))))
    (if (i32.eq (local.get $which) (i32.const 105))  ;; i: a Fibonacci number, by the long way
      (then (drop (call $fib (i32.const 60)))))
    (if (i32.eq (local.get $which) (i32.const 111))  ;; o: overflow
      (then (return (call $deeper (i32.const 1)))))
    (if (i32.eq (local.get $which) (i32.const 103))  ;; g: grow, then trap
      (then (drop (memory.grow (i32.const 16)))))
    (if (i32.eq (local.get $which) (i32.const 107))  ;; k: keep more and more, until there is none
      (then (loop $more (br_if $more (i32.ne (memory.grow (i32.const 16)) (i32.const -1))))))
    (if (i32.eq (local.get $which) (i32.const 102))  ;; f: fill all memory, then trap
      (then (memory.fill (i32.const 0) (i32.const 120) (i32.const 0x60000))))
    (if (i32.eq (local.get $which) (i32.const 109))  ;; m: more commands than the ring has
      (then (return (i32.const 1025))))
    (if (i32.eq (local.get $which) (i32.const 99))   ;; c: change the control block
      (then (i32.store (i32.const 80) (i32.const 0)) (return (i32.const 0))))
    (if (i32.eq (local.get $which) (i32.const 114))  ;; r: send what is not in memory
      (then
        (i64.store (local.get $c) (i64.const 0xffffff0000008205))
        (i64.store offset=8 (local.get $c) (global.get $who))
        (i64.store offset=16 (local.get $c) (i64.const 0xfffffff0))
        (i64.store offset=24 (local.get $c) (i64.const 0))
        (return (i32.add (local.get $count) (i32.const 1)))))
    (if (i32.eq (local.get $which) (i32.const 56))   ;; 8: eight frames
      (then
        (global.set $kind (i64.const 0x8205)) (global.set $left (i32.const 8))
        (return (local.get $count))))
    (if (i32.eq (local.get $which) (i32.const 57))   ;; 9: eight lines
      (then
        (global.set $kind (i64.const 0x0000001000000310)) (global.set $left (i32.const 8))
        (return (local.get $count))))
    (if (i32.eq (local.get $which) (i32.const 115))  ;; s: a million frames
      (then
        (global.set $kind (i64.const 0x8205)) (global.set $left (i32.const 1000000))
        (return (local.get $count))))
    (if (i32.eq (local.get $which) (i32.const 112))  ;; p: print a million lines
      (then
        (global.set $kind (i64.const 0x0000001000000310)) (global.set $left (i32.const 1000000))
        (return (local.get $count))))
    (if (i32.eq (local.get $which) (i32.const 43))   ;; +: sin in the next call
      (then
        (global.set $left (i32.const 1)) (global.set $sly (i32.const 1))
        (return (local.get $count))))
    (if (i32.eq (local.get $which) (i32.const 42))   ;; *: 3072 frames, and then sin
      (then
        (global.set $kind (i64.const 0x8205)) (global.set $left (i32.const 3073)) (global.set $sly (i32.const 1))
        (return (local.get $count))))
    (if (i32.eq (local.get $which) (i32.const 101))  ;; e: commands without end
      (then
        (global.set $kind (i64.const 0x000b)) (global.set $left (i32.const -1))
        (return (local.get $count))))
    (unreachable))

  ;; flood gives a ring full of commands and asks to be called again.
  (func $flood (param $at i32) (result i32)
    (local $c i32) (local $n i32)
    (if (i32.and (global.get $sly) (i32.eq (global.get $left) (i32.const 1)))
      (then
        (i32.store (i32.const 112) (i32.const 0))
        (return (call $sin (global.get $then) (i32.const 0)))))
    (local.set $c (i32.const 0x9000))
    (loop $next
      (i64.store (local.get $c) (global.get $kind))
      (i64.store offset=8 (local.get $c) (global.get $who))
      (i64.store offset=16 (local.get $c) (i64.const 0x200))
      (i64.store offset=24 (local.get $c) (i64.const 0))
      (local.set $c (i32.add (local.get $c) (i32.const 32)))
      (local.set $n (i32.add (local.get $n) (i32.const 1)))
      (global.set $left (i32.sub (global.get $left) (i32.const 1)))
      (br_if $next (i32.and (i32.lt_u (local.get $n) (i32.const 1024)) (i32.ne (global.get $left) (i32.const 0)))))
    (i32.store (i32.const 108) (local.get $at))  ;; consumed
    (i32.store (i32.const 112) (i32.ne (global.get $left) (i32.const 0)))  ;; more
    (local.get $n))

  (func $fib (param $n i32) (result i32)
    (if (i32.lt_u (local.get $n) (i32.const 2)) (then (return (local.get $n))))
    (i32.add (call $fib (i32.sub (local.get $n) (i32.const 1))) (call $fib (i32.sub (local.get $n) (i32.const 2)))))

  (func $deeper (param $n i32) (result i32)
    (i32.add (local.get $n) (call $deeper (i32.add (local.get $n) (i32.const 1)))))

  ;; increment adds one to the decimal number whose last digit is at $digit.
  (func $increment (param $digit i32)
    (loop $carry
      (if (i32.eq (i32.load8_u (local.get $digit)) (i32.const 57))  ;; 9
        (then
          (i32.store8 (local.get $digit) (i32.const 48))
          (local.set $digit (i32.sub (local.get $digit) (i32.const 1)))
          (br $carry))))
    (i32.store8 (local.get $digit) (i32.add (i32.load8_u (local.get $digit)) (i32.const 1))))
)
