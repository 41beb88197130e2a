;; Recursion with large frames: memory, not time, runs out first.
(module (func $f (export "run") (local v128 v128 v128 v128 v128 v128 v128 v128 v128 v128 v128 v128 v128 v128 v128 v128)
  (call $f) (local.set 0 (local.get 1))))
