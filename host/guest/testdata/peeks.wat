;; answers each call with a byte of the receive area that no event has put there,
;; and traps when the event's payload has one byte
(module
  (memory (export "memory") 6)
  (data (i32.const 64) "YIMO\01\00\00\00" "\00\00\00\00\00\00\00\00"
    "\00\10\00\00\00\04\00\00"   ;; events:   1024 at 0x1000
    "\00\90\00\00\00\04\00\00"   ;; commands: 1024 at 0x9000
    "\00\10\01\00\00\00\04\00")  ;; area:  256 KiB at 0x11000
  (func (export "yimmo_v1_init") (param i32 i32 i32) (result i32)
    i32.const 64)
  (func (export "yimmo_v1_turn") (param $first i32) (param $n i32) (result i32)
    (if (i32.eq (i32.load (i32.add (i32.const 0x1004) (i32.shl (local.get $first) (i32.const 5)))) (i32.const 1))
      (then (unreachable)))
    (i32.store (i32.const 108) (local.get $n))  ;; consumed
    (i64.store (i32.const 0x9018) (i64.load8_u (i32.const 0x21000)))
    i32.const 1)
)
