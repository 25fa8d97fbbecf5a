;; Refuses to start unless its start function ran once, then _initialize once,
;; then init once.
(module
  (memory (export "memory") 2)
  (global $calls (mut i32) (i32.const 0))
  (data (i32.const 1024)
    "YIMO\01\00\00\00" "\00\00\00\00\00\00\00\00"
    "\00\10\00\00\10\00\00\00" "\00\20\00\00\10\00\00\00" "\00\00\01\00\00\00\01\00"
    "\00\00\00\00\00\00\00\00" "\00\00\00\00\00\00\00\00" "\00\00\00\00\00\00\00\00" "\00\00\00\00\00\00\00\00"
    "\00\00\00\00\00\00\00\00" "\00\00\00\00\00\00\00\00" "\00\00\00\00\00\00\00\00")
  (func $call (param $digit i32)
    (global.set $calls (i32.add (i32.mul (global.get $calls) (i32.const 10)) (local.get $digit))))
  (func $start (call $call (i32.const 1)))
  (start $start)
  (func (export "_initialize") (call $call (i32.const 2)))
  (func (export "yimmo_v1_init") (param i32 i32 i32) (result i32)
    (call $call (i32.const 3))
    (select (i32.const 1024) (i32.const 0) (i32.eq (global.get $calls) (i32.const 123))))
  (func (export "yimmo_v1_turn") (param $first i32) (param $n i32) (result i32)
    (i32.store (i32.const 1068) (local.get $n)) (i32.const 0))
)
