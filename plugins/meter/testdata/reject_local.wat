;; Local 0 does not exist, but would where a length is kept.
(module (memory 1) (func (export "run") (memory.fill (i32.const 0) (i32.const 0) (local.get 0))))
