;; Tells each session that connects what WASI preview 1 tells it, and exits when
;; it receives anything. The report, one binary frame, is at 0x600:
;;
;;    0  wall clock, u64      32  16 random bytes      64  error numbers, u32, of: clock_time_get
;;    8  monotonic clock      48  number of arguments        twice, random_get, args_sizes_get,
;;   16  wall clock after     52  and of environment         environ_sizes_get, fd_write,
;;       an hour's sleep          variables                  fd_prestat_get of 3, poll_oneoff
;;   24  monotonic, the same  56  bytes written         96  the control block
(module
  (import "wasi_snapshot_preview1" "clock_time_get" (func $clock (param i32 i64 i32) (result i32)))
  (import "wasi_snapshot_preview1" "random_get" (func $random (param i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "args_sizes_get" (func $args (param i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "environ_sizes_get" (func $environ (param i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_prestat_get" (func $prestat (param i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "poll_oneoff" (func $poll (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
  (memory (export "memory") 2)
  (data (i32.const 0x400)
    "YIMO\01\00\00\00" "\00\00\00\00\00\00\00\00"
    "\00\10\00\00\10\00\00\00" "\00\20\00\00\10\00\00\00" "\00\00\01\00\00\00\01\00"
    "\00\00\00\00\00\00\00\00" "\00\00\00\00\00\00\00\00" "\00\00\00\00\00\00\00\00" "\00\00\00\00\00\00\00\00"
    "\00\00\00\00\00\00\00\00" "\00\00\00\00\00\00\00\00" "\00\00\00\00\00\00\00\00")
  (data (i32.const 0x800) "\10\08\00\00\06\00\00\00") ;; iovec of the line at 0x810
  (data (i32.const 0x810) "line\0a\0a")

  (func (export "yimmo_v1_init") (param i32 i32 i32) (result i32) (i32.const 0x400))

  (func (export "yimmo_v1_turn") (param $first i32) (param $n i32) (result i32)
    (local $e i32)
    (i32.store (i32.const 0x42c) (local.get $n))
    (if (i32.ge_u (local.get $first) (local.get $n)) (then (return (i32.const 0))))
    ;; One event a call: this guest is about something else.
    (i32.store (i32.const 0x42c) (i32.add (local.get $first) (i32.const 1)))
    (local.set $e (i32.add (i32.const 0x1000) (i32.shl (local.get $first) (i32.const 5))))
    (if (i32.eq (i32.load8_u (local.get $e)) (i32.const 4)) (then (call $exit (i32.const 0))))
    (if (i32.ne (i32.load8_u (local.get $e)) (i32.const 3)) (then (return (i32.const 0))))
    (call $report)
    (memory.fill (i32.const 0x2000) (i32.const 0) (i32.const 64))
    (i32.store (i32.const 0x2000) (i32.const 0x8205)) ;; send, FIN binary
    (i32.store (i32.const 0x2004) (i32.const 96))
    (i64.store (i32.const 0x2008) (i64.load offset=8 (local.get $e)))
    (i32.store (i32.const 0x2010) (i32.const 0x600))
    (i32.store (i32.const 0x2020) (i32.const 1)) ;; piece: the control block
    (i32.store (i32.const 0x2024) (i32.const 96))
    (i32.store (i32.const 0x2030) (i32.const 0x400))
    (i32.const 2))

  (func $report
    (i32.store (i32.const 0x640) (call $clock (i32.const 0) (i64.const 1) (i32.const 0x600)))
    (i32.store (i32.const 0x644) (call $clock (i32.const 1) (i64.const 1) (i32.const 0x608)))
    (i32.store (i32.const 0x648) (call $random (i32.const 0x620) (i32.const 16)))
    (i32.store (i32.const 0x64c) (call $args (i32.const 0x630) (i32.const 0x700)))
    (i32.store (i32.const 0x650) (call $environ (i32.const 0x634) (i32.const 0x700)))
    (i32.store (i32.const 0x654) (call $write (i32.const 1) (i32.const 0x800) (i32.const 1) (i32.const 0x638)))
    (i32.store (i32.const 0x658) (call $prestat (i32.const 3) (i32.const 0x700)))
    ;; A subscription: user data 0, clock, monotonic, an hour, relative.
    (memory.fill (i32.const 0x700) (i32.const 0) (i32.const 48))
    (i32.store (i32.const 0x710) (i32.const 1))
    (i64.store (i32.const 0x718) (i64.const 3600000000000))
    (i32.store (i32.const 0x65c) (call $poll (i32.const 0x700) (i32.const 0x740) (i32.const 1) (i32.const 0x780)))
    (drop (call $clock (i32.const 0) (i64.const 1) (i32.const 0x610)))
    (drop (call $clock (i32.const 1) (i64.const 1) (i32.const 0x618))))
)
