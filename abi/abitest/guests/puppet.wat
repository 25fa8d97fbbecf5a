;; The puppet: a guest without a will of its own. Whoever sends it a script over
;; a socket decides which commands it gives and which mistakes it makes; the
;; first session to connect, the monitor, is told of every event it gets.
;;
;; script    u32 "PUP1", u32 number of steps, the steps, any bytes
;; step      u8 op, u8 flags, u16 room, u32 n, a record of 32 bytes
;;
;; A recv event with flags 0x82 whose payload begins with "PUP1" is a script and
;; runs at once, in the receive area where it lies. A script can arm another one
;; for the next event of some kind; that one runs from the puppet's own memory.
;;
;;   op 0  command  put the record into the command ring, n times (0 = once),
;;                  only when `room` places are free; if not, ask for another call
;;      1  yield    end n calls here, with more = 1
;;      2  arm      keep record.len bytes at record.addr as the script for the
;;                  next event whose kind is record.kind
;;      3  trap     n = 0 unreachable, 1 load outside memory, 2 division by zero
;;      4  loop     for ever
;;      5  recurse  for ever
;;      6  grow     memory by n pages; the old size, or -1, goes to GROWN
;;      7  poke     store n at record.addr
;;      8  consumed say so at the end of this call: n, plus the call's first
;;                  (flag 8) or its end (flag 16)
;;      9  result   say so at the end of this call: n commands
;;     10  release  count the script's event as consumed although steps follow
;;
;;   flags 1  record.addr counts from the start of the script
;;         2  record.id is the id of the script's event
;;         4  the payload is that of the script's event
;;         8  the k-th repetition adds k * record.len to addr and k to tag
;;
;; To the monitor goes one binary frame for each event, before anything that the
;; event causes: the record as it lies in the ring, then the payload (a brigade
;; of two). The start event, which comes before any monitor, is kept for it.
;;
;; memory   0x003f8  what init returns         0x04000  start event, record and payload
;;          0x00400  control block, 96         0x10000  receive area, 64 KiB
;;          0x00480  what init was asked: 3 u32  0x20000  armed scripts, 8 KiB for each kind:
;;          0x00490  GROWN                              u32 armed, u32 unused, script
;;          0x01000  event ring, 32            0x60000  end
;;          0x02000  command ring, 64
(module
  (memory (export "memory") 6)

  ;; What init returns, and the control block: 104 bytes that the kit changes to
  ;; make its guests with a bad one. It finds them by the magic number.
  (data (i32.const 0x3f8)
    "\00\04\00\00\00\00\00\00"
    "YIMO\01\00\00\00"                  ;; magic, major, minor
    "\00\00\00\00\fd\00\00\00"          ;; needs; wants: all but messages
    "\00\10\00\00\20\00\00\00"          ;; event ring
    "\00\20\00\00\40\00\00\00"          ;; command ring
    "\00\00\01\00\00\00\01\00"          ;; receive area
    "\00\00\00\00\00\00\00\00"          ;; granted, consumed
    "\00\00\00\00\00\00\00\00"          ;; more, reserved
    "\00\00\00\00\00\00\00\00"          ;; now
    "\00\00\00\00\00\00\00\00"          ;; mono
    "\00\00\00\00\00\00\00\00"          ;; seed
    "\00\00\00\00\00\00\00\00"          ;; turn
    "\00\00\00\00\00\00\00\00")         ;; reserved

  (global $monitor (mut i64) (i64.const 0))

  ;; One call.
  (global $first (mut i32) (i32.const 0))
  (global $end (mut i32) (i32.const 0))
  (global $at (mut i32) (i32.const 0))         ;; index of the next event
  (global $count (mut i32) (i32.const 0))      ;; commands so far
  (global $consumed (mut i32) (i32.const 0))   ;; what a step said instead of $at ...
  (global $consumed? (mut i32) (i32.const 0))  ;; ... if it did
  (global $result (mut i32) (i32.const 0))     ;; the same for $count
  (global $result? (mut i32) (i32.const 0))

  ;; The script that runs. It lasts over calls when the ring is full.
  (global $busy (mut i32) (i32.const 0))       ;; there is one
  (global $held (mut i32) (i32.const 0))       ;; its event is not consumed yet
  (global $base (mut i32) (i32.const 0))       ;; where it begins
  (global $step (mut i32) (i32.const 0))       ;; the step it is at
  (global $steps (mut i32) (i32.const 0))      ;; steps left
  (global $again (mut i32) (i32.const 0))      ;; repetitions left of that step, 0 = not begun
  (global $id (mut i64) (i64.const 0))         ;; of its event
  (global $data (mut i32) (i32.const 0))       ;; payload of its event
  (global $size (mut i32) (i32.const 0))

  (func (export "yimmo_v1_init") (param $events i32) (param $commands i32) (param $area i32) (result i32)
    (i32.store (i32.const 0x480) (local.get $events))
    (i32.store (i32.const 0x484) (local.get $commands))
    (i32.store (i32.const 0x488) (local.get $area))
    (i32.load (i32.const 0x3f8)))

  (func (export "yimmo_v1_turn") (param $from i32) (param $to i32) (result i32)
    (local $more i32)
    (global.set $first (local.get $from))
    (global.set $end (local.get $to))
    (global.set $at (local.get $from))
    (global.set $count (i32.const 0))
    (global.set $consumed? (i32.const 0))
    (global.set $result? (i32.const 0))
    (block $out
      (loop $next
        (if (global.get $busy) (then
          (call $run)
          (if (global.get $busy) (then
            (local.set $more (i32.const 1))
            (br $out)))
          (global.set $at (i32.add (global.get $at) (global.get $held)))
          (global.set $held (i32.const 0))
          (br $next)))
        (br_if $out (i32.ge_u (global.get $at) (global.get $end)))
        ;; An event needs four places at most. Without them the call ends early.
        (br_if $out (i32.gt_u (global.get $count) (i32.const 60)))
        (call $event (i32.add (i32.const 0x1000) (i32.shl (global.get $at) (i32.const 5))))
        (br $next)))
    (i32.store (i32.const 0x42c)
      (select (global.get $consumed) (global.get $at) (global.get $consumed?)))
    (i32.store (i32.const 0x430) (local.get $more))
    (select (global.get $result) (global.get $count) (global.get $result?)))

  ;; event tells the monitor of the event whose record is at $e and begins its
  ;; script; without one the event is consumed.
  (func $event (param $e i32)
    (local $kind i32)
    (local.set $kind (i32.load8_u (local.get $e)))
    (global.set $id (i64.load offset=8 (local.get $e)))
    (global.set $data (i32.load offset=16 (local.get $e)))
    (global.set $size (i32.load offset=4 (local.get $e)))
    (call $watch (local.get $e) (local.get $kind))

    ;; A script in a frame.
    (if (i32.and (i32.eq (i32.load16_u (local.get $e)) (i32.const 0x8204))
                 (i32.ge_u (global.get $size) (i32.const 8)))
      (then (if (i32.eq (i32.load (global.get $data)) (i32.const 0x31505550))
        (then (call $begin (global.get $data))))))

    ;; An armed one.
    (local.set $e (i32.add (i32.const 0x20000) (i32.shl (i32.and (local.get $kind) (i32.const 31)) (i32.const 13))))
    (if (i32.and (i32.eqz (global.get $busy)) (i32.load (local.get $e))) (then
      (i32.store (local.get $e) (i32.const 0))
      (call $begin (i32.add (local.get $e) (i32.const 8)))))

    (if (i32.eqz (global.get $busy))
      (then (global.set $at (i32.add (global.get $at) (i32.const 1))))))

  (func $begin (param $script i32)
    (global.set $busy (i32.const 1))
    (global.set $held (i32.const 1))
    (global.set $again (i32.const 0))
    (global.set $base (local.get $script))
    (global.set $steps (i32.load offset=4 (local.get $script)))
    (global.set $step (i32.add (local.get $script) (i32.const 8))))

  ;; watch keeps the monitor informed and up to date.
  (func $watch (param $e i32) (param $kind i32)
    (if (i64.eqz (global.get $monitor)) (then
      (if (i32.eq (local.get $kind) (i32.const 1)) (then ;; start
        (memory.copy (i32.const 0x4000) (local.get $e) (i32.const 32))
        (memory.copy (i32.const 0x4020) (global.get $data)
          (select (global.get $size) (i32.const 0x8000) (i32.le_u (global.get $size) (i32.const 0x8000))))))
      (if (i32.eq (local.get $kind) (i32.const 3)) (then ;; connect
        (global.set $monitor (global.get $id))
        (call $tell (i32.const 0x4000) (i32.const 0x4020) (i32.load (i32.const 0x4004)))))))
    (if (i32.and (i32.eq (local.get $kind) (i32.const 5)) ;; close
                 (i64.eq (global.get $id) (global.get $monitor)))
      (then (global.set $monitor (i64.const 0))))
    (if (i64.ne (global.get $monitor) (i64.const 0))
      (then (call $tell (local.get $e) (global.get $data) (global.get $size)))))

  ;; tell sends the monitor a record and a payload as one binary frame.
  (func $tell (param $e i32) (param $data i32) (param $size i32)
    (local $c i32)
    (local.set $c (call $place))
    (i32.store (local.get $c) (i32.const 0x8205)) ;; send, FIN binary
    (i32.store offset=4 (local.get $c) (i32.const 32))
    (i64.store offset=8 (local.get $c) (global.get $monitor))
    (i32.store offset=16 (local.get $c) (local.get $e))
    (if (local.get $size) (then
      (local.set $c (call $place))
      (i32.store (local.get $c) (i32.const 1)) ;; piece
      (i32.store offset=4 (local.get $c) (local.get $size))
      (i32.store offset=16 (local.get $c) (local.get $data)))))

  ;; place is the next record of the command ring, all zero.
  (func $place (result i32)
    (local $c i32)
    (local.set $c (i32.add (i32.const 0x2000) (i32.shl (global.get $count) (i32.const 5))))
    (global.set $count (i32.add (global.get $count) (i32.const 1)))
    (memory.fill (local.get $c) (i32.const 0) (i32.const 32))
    (local.get $c))

  ;; run takes steps until the script ends, which clears $busy, or the call must.
  (func $run
    (local $s i32) (local $n i32) (local $addr i32)
    (loop $next
      (if (i32.eqz (global.get $steps)) (then
        (global.set $busy (i32.const 0))
        (return)))
      (local.set $s (global.get $step))
      (local.set $n (i32.load offset=4 (local.get $s)))
      (local.set $addr (call $relocate (local.get $s) (i32.load offset=24 (local.get $s))))
      (block $done
        (block $release (block $result (block $consumed (block $poke (block $grow (block $recurse
        (block $loop (block $trap (block $arm (block $yield (block $command
          (br_table $command $yield $arm $trap $loop $recurse $grow $poke $consumed $result $release
            (i32.load8_u (local.get $s))))

          ;; command
          (if (i32.eqz (global.get $again)) (then
            (global.set $again (select (local.get $n) (i32.const 1) (local.get $n)))))
          (loop $repeat
            (if (i32.gt_u (i32.add (global.get $count) (i32.load16_u offset=2 (local.get $s))) (i32.const 64))
              (then (return)))
            (call $command (local.get $s) (i32.sub (local.get $n) (global.get $again)))
            (global.set $again (i32.sub (global.get $again) (i32.const 1)))
            (br_if $repeat (global.get $again)))
          (br $done))

          ;; yield
          (if (i32.eqz (global.get $again)) (then
            (global.set $again (i32.add (local.get $n) (i32.const 1)))))
          (global.set $again (i32.sub (global.get $again) (i32.const 1)))
          (br_if $done (i32.eqz (global.get $again)))
          (return))

          ;; arm
          (local.set $n (i32.add (i32.const 0x20000)
            (i32.shl (i32.and (i32.load8_u offset=8 (local.get $s)) (i32.const 31)) (i32.const 13))))
          (i32.store (local.get $n) (i32.const 1))
          (memory.copy (i32.add (local.get $n) (i32.const 8)) (local.get $addr) (i32.load offset=12 (local.get $s)))
          (br $done))

          ;; trap
          (if (i32.eq (local.get $n) (i32.const 1)) (then (drop (i32.load (i32.const -4)))))
          (if (i32.eq (local.get $n) (i32.const 2)) (then
            (drop (i32.div_u (i32.const 1) (i32.sub (local.get $n) (i32.const 2))))))
          (unreachable))

          ;; loop
          (loop $forever (br $forever)))

          ;; recurse
          (drop (call $recurse (local.get $n)))
          (br $done))

          ;; grow
          (i32.store (i32.const 0x490) (memory.grow (local.get $n)))
          (br $done))

          ;; poke
          (i32.store (local.get $addr) (local.get $n))
          (br $done))

          ;; consumed
          (global.set $consumed? (i32.const 1))
          (global.set $consumed (local.get $n))
          (if (i32.and (i32.load8_u offset=1 (local.get $s)) (i32.const 8)) (then
            (global.set $consumed (i32.add (local.get $n) (global.get $first)))))
          (if (i32.and (i32.load8_u offset=1 (local.get $s)) (i32.const 16)) (then
            (global.set $consumed (i32.add (local.get $n) (global.get $end)))))
          (br $done))

          ;; result
          (global.set $result? (i32.const 1))
          (global.set $result (local.get $n))
          (br $done))

          ;; release
          (global.set $at (i32.add (global.get $at) (global.get $held)))
          (global.set $held (i32.const 0)))

      (global.set $step (i32.add (global.get $step) (i32.const 40)))
      (global.set $steps (i32.sub (global.get $steps) (i32.const 1)))
      (br $next)))

  ;; relocate is $addr as step $s means it.
  (func $relocate (param $s i32) (param $addr i32) (result i32)
    (if (result i32) (i32.and (i32.load8_u offset=1 (local.get $s)) (i32.const 1))
      (then (i32.add (local.get $addr) (global.get $base)))
      (else (local.get $addr))))

  ;; command puts the record of step $s into the ring, for the k-th time.
  (func $command (param $s i32) (param $k i32)
    (local $c i32) (local $flags i32)
    (local.set $c (call $place))
    (local.set $flags (i32.load8_u offset=1 (local.get $s)))
    (memory.copy (local.get $c) (i32.add (local.get $s) (i32.const 8)) (i32.const 32))
    (i32.store offset=16 (local.get $c) (call $relocate (local.get $s) (i32.load offset=16 (local.get $c))))
    (if (i32.and (local.get $flags) (i32.const 2)) (then
      (i64.store offset=8 (local.get $c) (global.get $id))))
    (if (i32.and (local.get $flags) (i32.const 4)) (then
      (i32.store offset=16 (local.get $c) (global.get $data))
      (i32.store offset=4 (local.get $c) (global.get $size))))
    (if (i32.and (local.get $flags) (i32.const 8)) (then
      (i32.store offset=16 (local.get $c) (i32.add (i32.load offset=16 (local.get $c))
        (i32.mul (local.get $k) (i32.load offset=4 (local.get $c)))))
      (i32.store offset=20 (local.get $c) (i32.add (i32.load offset=20 (local.get $c)) (local.get $k))))))

  (func $recurse (param $n i32) (result i32)
    (i32.add (call $recurse (i32.add (local.get $n) (i32.const 1))) (i32.const 1)))
)
