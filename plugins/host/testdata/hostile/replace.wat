;; Replaces every policy document by one that is none.
(module
  (memory (export "memory") 1)
  (func (export "iam_v1_buffer") (param i32) (result i32)
    (i32.const 1024))
  (data (i32.const 32768) "\08\02\12\07{\"a\":1}")
  (func (export "iam_v1_validate_policy") (param i32 i32) (result i64)
    (i64.const 0x000080000000000b)))
