;; gives one command a call, three for all events, and consumes them with the first
(module
  (memory (export "memory") 6)
  (data (i32.const 64) "YIMO\01\00\00\00" "\00\00\00\00\00\00\00\00"
    "\00\10\00\00\00\04\00\00"   ;; events:   1024 at 0x1000
    "\00\90\00\00\00\04\00\00"   ;; commands: 1024 at 0x9000
    "\00\10\01\00\00\00\04\00")  ;; area:  256 KiB at 0x11000
  (global $left (mut i32) (i32.const 0))
  (func (export "yimmo_v1_init") (param i32 i32 i32) (result i32)
    i32.const 64)
  (func (export "yimmo_v1_turn") (param $first i32) (param $n i32) (result i32)
    (i32.store (i32.const 108) (local.get $n))  ;; consumed
    (if (i32.eqz (global.get $left)) (then (global.set $left (i32.const 3))))
    (global.set $left (i32.sub (global.get $left) (i32.const 1)))
    (i32.store (i32.const 112) (i32.ne (global.get $left) (i32.const 0)))
    i32.const 1)
)
