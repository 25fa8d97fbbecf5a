;; The least that a plugin can be: it takes every event and answers none. The
;; guests in ../bad are this one with a mistake.
(module
  (memory (export "memory") 2)
  (data (i32.const 1024)
    "YIMO\01\00\00\00" "\00\00\00\00\00\00\00\00"
    "\00\10\00\00\10\00\00\00" "\00\20\00\00\10\00\00\00" "\00\00\01\00\00\00\01\00"
    "\00\00\00\00\00\00\00\00" "\00\00\00\00\00\00\00\00" "\00\00\00\00\00\00\00\00" "\00\00\00\00\00\00\00\00"
    "\00\00\00\00\00\00\00\00" "\00\00\00\00\00\00\00\00" "\00\00\00\00\00\00\00\00")
  (func (export "yimmo_v1_init") (param i32 i32 i32) (result i32) (i32.const 1024))
  (func (export "yimmo_v1_turn") (param $first i32) (param $n i32) (result i32)
    (i32.store (i32.const 1068) (local.get $n)) (i32.const 0))
)
