;; Function 1 does not exist, but would after an import was added.
(module (func (export "run") (call 1)))
