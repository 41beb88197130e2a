(module (memory 1) (data "abcdefghijklmnopqrstuvwxyz")
  (func (export "run") (loop (memory.init 0 (i32.const 0) (i32.const 0) (i32.const 26)) (br 0))))
