;; Behaves as long as the question is as long as that of the self-test, and loops otherwise.
(module
  (memory (export "memory") 1)
  (func (export "iam_v1_buffer") (param i32) (result i32)
    (i32.const 1024))
  (data (i32.const 32768) "\0a\14AKIAIOSFODNN7EXAMPLE")
  (func (export "iam_v1_generate_access_key") (param i32 i32) (result i64)
    (if (i32.ne (local.get 1) (i32.const 94)) (then (loop (br 0))))
    (i64.store (i32.const 32774) (i64.or (i64.const 0x4141414141414141) (i64.and (i64.const 0x0f0f0f0f0f0f0f0f) (i64.load (i32.add (local.get 0) (i32.sub (local.get 1) (i32.const 63)))))))
    (i64.const 0x0000800000000016)))
