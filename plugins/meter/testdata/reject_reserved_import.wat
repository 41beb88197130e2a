;; A guest that calls what its metering calls could do so at the wrong time.
(module (import "iam_meter" "refuel" (func)))
