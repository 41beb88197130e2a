;; Calls through names, imports, a table, and back: indexes that metering moves.
(module
  (import "env" "add" (func $add (param i64 i64) (result i64)))
  (type $binary (func (param i64 i64) (result i64)))
  (table funcref (elem $subtract $add))
  (memory (export "memory") 1)
  (func $subtract (param i64 i64) (result i64) (i64.sub (local.get 0) (local.get 1)))
  (func (export "run") (param i32 i64) (result i64)
    (call $add
      (call_indirect (type $binary) (local.get 1) (i64.const 3) (i32.const 0))
      (call_indirect (type $binary) (local.get 1) (i64.const 4) (i32.const 1))))
  (func $fails (export "trap") (unreachable)))
