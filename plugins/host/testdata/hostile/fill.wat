;; Fills its memory over and over: few instructions, much work.
(module
  (memory (export "memory") 256)
  (func (export "iam_v1_buffer") (param i32) (result i32)
    (i32.const 1024))
  (func (export "iam_v1_authorize") (param i32 i32) (result i64)
    (loop (memory.fill (i32.const 0) (i32.const 1) (i32.const 16777216)) (br 0)) (i64.const 0)))
