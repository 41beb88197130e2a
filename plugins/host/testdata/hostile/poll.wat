;; Sleeps for ten seconds.
(module
  (import "wasi_snapshot_preview1" "poll_oneoff" (func $poll (param i32 i32 i32 i32) (result i32)))
  (memory (export "memory") 1)
  (func (export "iam_v1_buffer") (param i32) (result i32)
    (i32.const 1024))
  (func (export "iam_v1_authorize") (param i32 i32) (result i64)
    (i32.store8 (i32.const 8) (i32.const 0)) (i64.store (i32.const 24) (i64.const 10000000000))
    (drop (call $poll (i32.const 0) (i32.const 512) (i32.const 1) (i32.const 600))) (i64.const 0)))
