;; Calls itself without end, with some memory in each frame.
(module
  (memory (export "memory") 1)
  (func (export "iam_v1_buffer") (param i32) (result i32)
    (i32.const 1024))
  (func $f (local v128 v128 v128 v128 v128 v128 v128 v128)
    (call $f) (local.set 0 (local.get 1)))
  (func (export "iam_v1_authorize") (param i32 i32) (result i64)
    (call $f) (i64.const 0)))
