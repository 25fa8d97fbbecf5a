;; writes to stdout, and to stderr without an end of line
(module
  (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
  (memory (export "memory") 6)
  (data (i32.const 64) "YIMO\01\00\00\00" "\00\00\00\00\00\00\00\00"
    "\00\10\00\00\00\04\00\00"   ;; events:   1024 at 0x1000
    "\00\90\00\00\00\04\00\00"   ;; commands: 1024 at 0x9000
    "\00\10\01\00\00\00\04\00")  ;; area:  256 KiB at 0x11000
  (data (i32.const 256) "one\ntwo\r\nthree \ff\n" "half")
  (data (i32.const 512) "\00\01\00\00\11\00\00\00" "\11\01\00\00\04\00\00\00")
  (func (export "yimmo_v1_init") (param i32 i32 i32) (result i32)
    i32.const 64)
  (func (export "yimmo_v1_turn") (param $first i32) (param $n i32) (result i32)
    (i32.store (i32.const 108) (local.get $n))  ;; consumed
    (drop (call $write (i32.const 1) (i32.const 512) (i32.const 1) (i32.const 600)))
    (drop (call $write (i32.const 2) (i32.const 520) (i32.const 1) (i32.const 600)))
    i32.const 0)
)
