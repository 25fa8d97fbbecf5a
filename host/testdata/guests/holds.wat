;; never decides whether a session may connect
(module
  (memory (export "memory") 6)
  (data (i32.const 64) "YIMO\01\00\00\00" "\00\00\00\00\04\00\00\00"
    "\00\10\00\00\00\04\00\00"   ;; events:   1024 at 0x1000
    "\00\90\00\00\00\04\00\00"   ;; commands: 1024 at 0x9000
    "\00\10\01\00\00\00\04\00")  ;; area:  256 KiB at 0x11000
  (func (export "yimmo_v1_init") (param i32 i32 i32) (result i32)
    i32.const 64)
  (func (export "yimmo_v1_turn") (param $at i32) (param $n i32) (result i32)
    (local $event i32) (local $count i32) (local $command i32)
    (block $done
      (loop $next
        (br_if $done (i32.ge_u (local.get $at) (local.get $n)))
        (br_if $done (i32.gt_u (local.get $count) (i32.const 1000)))
        (local.set $event (i32.add (i32.const 0x1000) (i32.shl (local.get $at) (i32.const 5))))
        (local.set $command (i32.add (i32.const 0x9000) (i32.shl (local.get $count) (i32.const 5))))
        (if (i32.eq (i32.load8_u (local.get $event)) (i32.const 3))
          (then
            (i64.store (local.get $command) (i64.const 4))  ;; hold
            (i64.store offset=8 (local.get $command) (i64.load offset=8 (local.get $event)))
            (i64.store offset=16 (local.get $command) (i64.const 0))
            (i64.store offset=24 (local.get $command) (i64.const 0))
            (local.set $count (i32.add (local.get $count) (i32.const 1)))))
        (local.set $at (i32.add (local.get $at) (i32.const 1)))
        (br $next)))
    (i32.store (i32.const 108) (local.get $at))  ;; consumed
    (local.get $count))
)
