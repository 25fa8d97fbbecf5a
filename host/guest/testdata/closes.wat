;; closes stdout, traps if it can, and writes to it
(module
  (import "wasi_snapshot_preview1" "fd_close" (func $close (param i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
  (memory (export "memory") 6)
  (data (i32.const 64) "YIMO\01\00\00\00" "\00\00\00\00\00\00\00\00"
    "\00\10\00\00\00\04\00\00"   ;; events:   1024 at 0x1000
    "\00\90\00\00\00\04\00\00"   ;; commands: 1024 at 0x9000
    "\00\10\01\00\00\00\04\00")  ;; area:  256 KiB at 0x11000
  (data (i32.const 256) "still open\n")
  (data (i32.const 512) "\00\01\00\00\0b\00\00\00")
  (func (export "yimmo_v1_init") (param i32 i32 i32) (result i32)
    i32.const 64)
  (func (export "yimmo_v1_turn") (param $first i32) (param $n i32) (result i32)
    (i32.store (i32.const 108) (local.get $n))  ;; consumed
    (if (i32.ne (call $close (i32.const 1)) (i32.const 8))  ;; bad file descriptor
      (then (unreachable)))
    (drop (call $write (i32.const 1) (i32.const 512) (i32.const 1) (i32.const 600)))
    i32.const 0)
)
