;; Takes all the memory there is, and as much as it can address.
(module
  (memory (export "memory") 1)
  (func (export "iam_v1_buffer") (param i32) (result i32)
    (i32.const 1024))
  (func (export "iam_v1_authorize") (param i32 i32) (result i64)
    (drop (memory.grow (i32.const 65535)))
    (loop (drop (memory.grow (i32.const 1))) (br 0)) (i64.const 0)))
