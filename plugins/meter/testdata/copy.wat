(module (memory 256) (func (export "run") (loop (memory.copy (i32.const 0) (i32.const 8388608) (i32.const 8388608)) (br 0))))
