;; calls the WASI function that the first byte of a message names with up to four
;; numbers behind it, and answers with the error number
(module
  (import "wasi_snapshot_preview1" "random_get" (func $random (param i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_read" (func $read (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "poll_oneoff" (func $poll (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_pwrite" (func $pwrite (param i32 i32 i32 i64 i32) (result i32)))
  (import "wasi_snapshot_preview1" "path_unlink_file" (func $unlink (param i32 i32 i32) (result i32)))
  (memory (export "memory") 512)
  (data (i32.const 64) "YIMO\01\00\00\00" "\00\00\00\00\00\00\00\00"
    "\00\10\00\00\00\04\00\00"   ;; events:   1024 at 0x1000
    "\00\90\00\00\00\04\00\00"   ;; commands: 1024 at 0x9000
    "\00\10\01\00\00\00\04\00")  ;; area:  256 KiB at 0x11000
  (func (export "yimmo_v1_init") (param i32 i32 i32) (result i32)
    i32.const 64)
  (func $n (param $at i32) (result i32)
    (i32.load offset=4 (i32.add (i32.load (i32.const 0x1010)) (i32.shl (local.get $at) (i32.const 2)))))
  (func $ask (param $which i32) (result i32)
    (block $unlink (block $pwrite (block $poll (block $read (block $write (block $random
      (br_table $random $write $read $poll $pwrite $unlink (local.get $which)))
      (return (call $random (call $n (i32.const 0)) (call $n (i32.const 1)))))
      (return (call $write (call $n (i32.const 0)) (call $n (i32.const 1)) (call $n (i32.const 2)) (call $n (i32.const 3)))))
      (return (call $read (call $n (i32.const 0)) (call $n (i32.const 1)) (call $n (i32.const 2)) (call $n (i32.const 3)))))
      (return (call $poll (call $n (i32.const 0)) (call $n (i32.const 1)) (call $n (i32.const 2)) (call $n (i32.const 3)))))
      (return (call $pwrite (call $n (i32.const 0)) (call $n (i32.const 1)) (call $n (i32.const 2)) (i64.const 0) (call $n (i32.const 3)))))
    (call $unlink (call $n (i32.const 0)) (call $n (i32.const 1)) (call $n (i32.const 2))))
  (func (export "yimmo_v1_turn") (param $first i32) (param $n i32) (result i32)
    (i32.store (i32.const 0x300) (call $ask (i32.load8_u (i32.load (i32.const 0x1010)))))
    (i64.store (i32.const 0x9000) (i64.const 0x0000000400008205))
    (i64.store (i32.const 0x9008) (i64.load (i32.const 0x1008)))
    (i64.store (i32.const 0x9010) (i64.const 0x300))
    (i64.store (i32.const 0x9018) (i64.const 0))
    (i32.store (i32.const 108) (local.get $n))  ;; consumed
    i32.const 1)
)
