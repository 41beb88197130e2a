;; Wants the log with another type.
(module
  (import "iam_v1" "log" (func (param i64)))
  (memory (export "memory") 1)
  (func (export "iam_v1_buffer") (param i32) (result i32)
    (i32.const 1024))
  (func (export "iam_v1_authorize") (param i32 i32) (result i64)
    (i64.const 0)))
