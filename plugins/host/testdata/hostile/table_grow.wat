;; Grows a table to a gigabyte.
(module
  (memory (export "memory") 1)
  (func (export "iam_v1_buffer") (param i32) (result i32)
    (i32.const 1024))
  (table 1 funcref)
  (func (export "iam_v1_authorize") (param i32 i32) (result i64)
    (drop (table.grow 0 (ref.null func) (i32.const 134217728))) (i64.const 0)))
