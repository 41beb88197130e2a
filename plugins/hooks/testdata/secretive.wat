;; Makes ids and secrets of its entropy, the last 64 bytes of the question.
(module
  (memory (export "memory") 1)
  (func (export "iam_v1_buffer") (param i32) (result i32)
    (i32.const 1024))
  ;; The answer: 20 bytes of id, then 40 bytes of secret.
  (data (i32.const 32768) "\0a\14KEYS")
  (data (i32.const 32790) "\12\28")
  (func $letters (param $from i32) (param $to i32) (param $n i32) (param $first i32)
    (loop
      (local.set $n (i32.sub (local.get $n) (i32.const 1)))
      (i32.store8 (i32.add (local.get $to) (local.get $n))
        (i32.add (local.get $first) (i32.and (i32.load8_u (i32.add (local.get $from) (local.get $n))) (i32.const 15))))
      (br_if 0 (local.get $n))))
  (func (export "iam_v1_generate_access_key") (param $at i32) (param $len i32) (result i64)
    (local.set $at (i32.sub (i32.add (local.get $at) (local.get $len)) (i32.const 64)))
    (call $letters (local.get $at) (i32.const 32774) (i32.const 16) (i32.const 65))
    (call $letters (i32.add (local.get $at) (i32.const 16)) (i32.const 32792) (i32.const 40) (i32.const 97))
    (i64.const 0x0000800000000040)))
