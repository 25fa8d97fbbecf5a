;; Tells what it hears: the first session to connect, the monitor, gets every
;; event of the other sessions and of plain requests as one binary frame, the
;; record and then its payload. Connects, closes and the stop event also go to the
;; log, as the first four bytes of the record in hexadecimal.
;;
;; What a session sends comes back as it came, unless it begins with "bye!":
;; that closes the session with 4000 and the reason "bye". A plain request is
;; answered with its body, or with the fields of its event when it has none.
(module
  (memory (export "memory") 6)
  (data (i32.const 64) "YIMO\01\00\00\00" "\00\00\00\00\01\00\00\00"  ;; wants http
    "\00\10\00\00\00\04\00\00"   ;; events:   1024 at 0x1000
    "\00\90\00\00\00\04\00\00"   ;; commands: 1024 at 0x9000
    "\00\10\01\00\00\00\04\00")  ;; area:  256 KiB at 0x11000
  (data (i32.const 0x200) "bye")
  (data (i32.const 0x210) "0123456789abcdef")

  (global $count (mut i32) (i32.const 0))    ;; commands of this call
  (global $monitor (mut i64) (i64.const 0))

  (func (export "yimmo_v1_init") (param i32 i32 i32) (result i32)
    i32.const 64)

  (func (export "yimmo_v1_turn") (param $at i32) (param $n i32) (result i32)
    (global.set $count (i32.const 0))
    (block $out
      (loop $next
        (br_if $out (i32.ge_u (local.get $at) (local.get $n)))
        (br_if $out (i32.gt_u (global.get $count) (i32.const 1016)))  ;; an event needs 5 at most
        (call $event (i32.add (i32.const 0x1000) (i32.shl (local.get $at) (i32.const 5))))
        (local.set $at (i32.add (local.get $at) (i32.const 1)))
        (br $next)))
    (i32.store (i32.const 108) (local.get $at))  ;; consumed
    (global.get $count))

  (func $event (param $e i32)
    (local $kind i32)
    (local.set $kind (i32.load8_u (local.get $e)))
    (block $other (block $stop (block $start (block $connect (block $recv (block $close (block $request (block $body
      (br_table $other $start $stop $connect $recv $close $request $body $other (local.get $kind)))

      ;; http_body
      (call $watch (local.get $e))
      (call $same (i32.const 15) (local.get $e))
      (return))

      ;; http_request
      (call $watch (local.get $e))
      (call $command (i32.const 14) (i32.load8_u offset=1 (local.get $e)) (i32.const 200)
        (i64.load offset=8 (local.get $e)) (i32.const 0) (i32.const 0))
      (if (i32.load8_u offset=1 (local.get $e)) (then (call $piece (local.get $e))))
      (return))

      ;; close
      (call $log (local.get $e))
      (call $watch (local.get $e))
      (if (i64.eq (global.get $monitor) (i64.load offset=8 (local.get $e)))
        (then (global.set $monitor (i64.const 0))))
      (return))

      ;; recv
      (call $watch (local.get $e))
      (if (i32.ge_u (i32.load offset=4 (local.get $e)) (i32.const 4)) (then
        (if (i32.eq (i32.load (i32.load offset=16 (local.get $e))) (i32.const 0x21657962)) (then  ;; "bye!"
          (call $command (i32.const 7) (i32.const 0) (i32.const 4000)
            (i64.load offset=8 (local.get $e)) (i32.const 0x200) (i32.const 3))
          (return)))))
      (call $same (i32.const 5) (local.get $e))
      (return))

      ;; connect
      (call $log (local.get $e))
      (if (i64.eqz (global.get $monitor))
        (then (global.set $monitor (i64.load offset=8 (local.get $e)))))
      (call $watch (local.get $e))
      (return))

      ;; start
      (return))

      ;; stop
      (call $log (local.get $e))
      (return))

    (call $watch (local.get $e)))

  ;; same is a command with the flags, id and payload of the event.
  (func $same (param $kind i32) (param $e i32)
    (call $command (local.get $kind) (i32.load8_u offset=1 (local.get $e)) (i32.const 0)
      (i64.load offset=8 (local.get $e)) (i32.load offset=16 (local.get $e)) (i32.load offset=4 (local.get $e))))

  (func $piece (param $e i32)
    (call $command (i32.const 1) (i32.const 0) (i32.const 0) (i64.const 0)
      (i32.load offset=16 (local.get $e)) (i32.load offset=4 (local.get $e))))

  ;; watch tells the monitor of the event, unless it is the monitor's own.
  (func $watch (param $e i32)
    (if (i32.or (i64.eqz (global.get $monitor))
                (i64.eq (global.get $monitor) (i64.load offset=8 (local.get $e))))
      (then (return)))
    (call $command (i32.const 5) (i32.const 0x82) (i32.const 0)
      (global.get $monitor) (local.get $e) (i32.const 32))
    (if (i32.load offset=4 (local.get $e)) (then (call $piece (local.get $e)))))

  ;; log writes kind, flags and code of the event.
  (func $log (param $e i32)
    (local $text i32) (local $i i32)
    (local.set $text (i32.add (i32.const 0x52000) (i32.shl (global.get $count) (i32.const 3))))
    (loop $next
      (i32.store8 (i32.add (local.get $text) (i32.shl (local.get $i) (i32.const 1)))
        (call $digit (i32.shr_u (i32.load8_u (i32.add (local.get $e) (local.get $i))) (i32.const 4))))
      (i32.store8 offset=1 (i32.add (local.get $text) (i32.shl (local.get $i) (i32.const 1)))
        (call $digit (i32.and (i32.load8_u (i32.add (local.get $e) (local.get $i))) (i32.const 15))))
      (local.set $i (i32.add (local.get $i) (i32.const 1)))
      (br_if $next (i32.lt_u (local.get $i) (i32.const 4))))
    (call $command (i32.const 16) (i32.const 3) (i32.const 0)
      (i64.load offset=8 (local.get $e)) (local.get $text) (i32.const 8)))

  (func $digit (param $n i32) (result i32)
    (i32.load8_u offset=0x210 (local.get $n)))

  (func $command (param $kind i32) (param $flags i32) (param $code i32) (param $id i64) (param $addr i32) (param $len i32)
    (local $c i32)
    (local.set $c (i32.add (i32.const 0x9000) (i32.shl (global.get $count) (i32.const 5))))
    (i32.store8 (local.get $c) (local.get $kind))
    (i32.store8 offset=1 (local.get $c) (local.get $flags))
    (i32.store16 offset=2 (local.get $c) (local.get $code))
    (i32.store offset=4 (local.get $c) (local.get $len))
    (i64.store offset=8 (local.get $c) (local.get $id))
    (i64.store offset=16 (local.get $c) (i64.extend_i32_u (local.get $addr)))
    (i64.store offset=24 (local.get $c) (i64.const 0))
    (global.set $count (i32.add (global.get $count) (i32.const 1))))
)
