;; Runs before the host can limit it.
(module (func $run (loop (br 0))) (start $run))
