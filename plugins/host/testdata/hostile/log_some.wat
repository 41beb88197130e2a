;; Logs ten lines, with what could pretend to be others.
(module
  (import "iam_v1" "log" (func $log (param i32 i32 i32)))
  (memory (export "memory") 1)
  (func (export "iam_v1_buffer") (param i32) (result i32)
    (i32.const 1024))
  (data (i32.const 32768) "hello\0alevel=ERROR msg=\1b[31mfoo")
  (func (export "iam_v1_authorize") (param i32 i32) (result i64)
    (local i32) (loop (call $log (i32.const 3) (i32.const 32768) (i32.const 30))
      (br_if 0 (i32.lt_u (local.tee 2 (i32.add (local.get 2) (i32.const 1))) (i32.const 10)))) (i64.const 0)))
