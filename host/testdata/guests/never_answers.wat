;; takes plain requests and never answers; logs that it was asked and that the
;; client is gone
(module
  (memory (export "memory") 6)
  (data (i32.const 64) "YIMO\01\00\00\00" "\00\00\00\00\01\00\00\00"  ;; wants http
    "\00\10\00\00\00\04\00\00"   ;; events:   1024 at 0x1000
    "\00\90\00\00\00\04\00\00"   ;; commands: 1024 at 0x9000
    "\00\10\01\00\00\00\04\00")  ;; area:  256 KiB at 0x11000
  (data (i32.const 0x200) "askedgone")
  (func (export "yimmo_v1_init") (param i32 i32 i32) (result i32)
    i32.const 64)
  (func (export "yimmo_v1_turn") (param $at i32) (param $n i32) (result i32)
    (local $kind i32) (local $count i32) (local $c i32)
    (block $done
      (loop $next
        (br_if $done (i32.ge_u (local.get $at) (local.get $n)))
        (local.set $kind (i32.load8_u (i32.add (i32.const 0x1000) (i32.shl (local.get $at) (i32.const 5)))))
        (local.set $at (i32.add (local.get $at) (i32.const 1)))
        (br_if $next (i32.and (i32.ne (local.get $kind) (i32.const 6)) (i32.ne (local.get $kind) (i32.const 8))))
        (local.set $c (i32.add (i32.const 0x9000) (i32.shl (local.get $count) (i32.const 5))))
        (local.set $count (i32.add (local.get $count) (i32.const 1)))
        (i64.store (local.get $c) (i64.const 0x0000000400000310))  ;; log, info, 4 bytes ...
        (i64.store offset=8 (local.get $c) (i64.const 0))
        (i64.store offset=16 (local.get $c) (i64.const 0x205))
        (i64.store offset=24 (local.get $c) (i64.const 0))
        (br_if $next (i32.eq (local.get $kind) (i32.const 8)))  ;; http_gone
        (i32.store offset=4 (local.get $c) (i32.const 5))  ;; ... or 5
        (i32.store offset=16 (local.get $c) (i32.const 0x200))
        (br $next)))
    (i32.store (i32.const 108) (local.get $n))  ;; consumed
    (local.get $count))
)
