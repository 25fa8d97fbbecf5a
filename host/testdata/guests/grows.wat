;; echoes, and takes a MiB of memory at each frame, for ever
(module
  (memory (export "memory") 6)
  (data (i32.const 64) "YIMO\01\00\00\00" "\00\00\00\00\00\00\00\00"
    "\00\10\00\00\00\04\00\00"   ;; events:   1024 at 0x1000
    "\00\90\00\00\00\04\00\00"   ;; commands: 1024 at 0x9000
    "\00\10\01\00\00\00\04\00")  ;; area:  256 KiB at 0x11000
  (func (export "yimmo_v1_init") (param i32 i32 i32) (result i32)
    i32.const 64)
  (func (export "yimmo_v1_turn") (param $first i32) (param $n i32) (result i32)
    (local $event i32) (local $end i32) (local $command i32)
    (local.set $event (i32.add (i32.const 0x1000) (i32.shl (local.get $first) (i32.const 5))))
    (local.set $end (i32.add (i32.const 0x1000) (i32.shl (local.get $n) (i32.const 5))))
    (local.set $command (i32.const 0x9000))
    (block $done
      (loop $next
        (br_if $done (i32.ge_u (local.get $event) (local.get $end)))
        (if (i32.eq (i32.load8_u (local.get $event)) (i32.const 4))  ;; recv
          (then
            (drop (memory.grow (i32.const 16)))
            (i64.store (local.get $command)  ;; -> send
              (i64.or (i64.const 5)
                (i64.and (i64.load (local.get $event)) (i64.const 0xffffffff0000ff00))))
            (i64.store offset=8 (local.get $command) (i64.load offset=8 (local.get $event)))
            (i64.store offset=16 (local.get $command) (i64.load32_u offset=16 (local.get $event)))
            (i64.store offset=24 (local.get $command) (i64.const 0))
            (local.set $command (i32.add (local.get $command) (i32.const 32)))))
        (local.set $event (i32.add (local.get $event) (i32.const 32)))
        (br $next)))
    (i32.store (i32.const 108) (local.get $n))  ;; consumed
    (i32.shr_u (i32.sub (local.get $command) (i32.const 0x9000)) (i32.const 5)))
)
