;; Denies with a reason that would write lines of its own into a log.
(module
  (memory (export "memory") 1)
  (func (export "iam_v1_buffer") (param i32) (result i32)
    (i32.const 1024))
  (data (i32.const 32768) "\08\02\12\18a\0alevel=ERROR \1b[31mmsg=b")
  (func (export "iam_v1_authorize") (param i32 i32) (result i64)
    (i64.const 0x000080000000001c)))
