;; Makes the same key whatever the entropy is.
(module
  (memory (export "memory") 1)
  (func (export "iam_v1_buffer") (param i32) (result i32)
    (i32.const 1024))
  (data (i32.const 32768) "\0a\14AKIAIOSFODNN7EXAMPLE")
  (func (export "iam_v1_generate_access_key") (param i32 i32) (result i64)
    (i64.const 0x0000800000000016)))
