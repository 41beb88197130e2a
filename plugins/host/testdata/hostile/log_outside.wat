;; Logs from beyond the end of its memory.
(module
  (import "iam_v1" "log" (func $log (param i32 i32 i32)))
  (memory (export "memory") 1)
  (func (export "iam_v1_buffer") (param i32) (result i32)
    (i32.const 1024))
  (func (export "iam_v1_authorize") (param i32 i32) (result i64)
    (call $log (i32.const 1) (i32.const 65530) (i32.const 100)) (i64.const 0)))
