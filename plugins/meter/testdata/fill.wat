(module (memory 256) (func (export "run") (loop (memory.fill (i32.const 0) (i32.const 1) (i32.const 16777216)) (br 0))))
