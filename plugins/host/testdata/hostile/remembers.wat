;; Counts the questions of its instance, and denies each from the third on:
;; what it learns from one request it uses for the next.
(module
  (memory (export "memory") 1)
  (func (export "iam_v1_buffer") (param i32) (result i32)
    (i32.const 1024))
  (data (i32.const 32768) "\08\02")
  (func (export "iam_v1_authorize") (param i32 i32) (result i64)
    (i32.store (i32.const 0) (i32.add (i32.load (i32.const 0)) (i32.const 1)))
    (if (result i64) (i32.gt_u (i32.load (i32.const 0)) (i32.const 2))
      (then (i64.const 0x0000800000000002))
      (else (i64.const 0)))))
