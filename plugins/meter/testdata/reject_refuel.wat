;; Global 1 does not exist, but is the fuel once the module is rewritten.
(module (global (mut i64) (i64.const 1)) (func (export "run") (loop (global.set 1 (i64.const 1000000)) (br 0))))
