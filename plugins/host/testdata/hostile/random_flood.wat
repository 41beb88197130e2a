;; Asks for 16 MiB of randomness over and over.
(module
  (import "wasi_snapshot_preview1" "random_get" (func $random (param i32 i32) (result i32)))
  (memory (export "memory") 256)
  (func (export "iam_v1_buffer") (param i32) (result i32)
    (i32.const 1024))
  (func (export "iam_v1_authorize") (param i32 i32) (result i64)
    (loop (drop (call $random (i32.const 0) (i32.const 16777216))) (br 0)) (i64.const 0)))
