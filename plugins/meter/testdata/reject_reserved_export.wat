;; The host would set this instead of the fuel.
(module (global (mut i64) (i64.const 1)) (export "iam_meter_fuel" (global 0)))
