(module (func (export "run") (drop (ref.is_null (ref.func 0)))))
