;; Exports no memory.
(module
  (func (export "yimmo_v1_init") (param i32 i32 i32) (result i32) (i32.const 1024))
  (func (export "yimmo_v1_turn") (param i32 i32) (result i32) (i32.const 0))
)
