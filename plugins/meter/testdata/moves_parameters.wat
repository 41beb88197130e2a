;; A loop with 64 parameters, each of which becomes the next one: the compiler moves
;; them, for two instructions.
(module
  (type $rows (func (param i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32) (result i32)))
  (func (export "run") (param $n i32) (result i32)
    (i32.const 0) (i32.const 1) (i32.const 2) (i32.const 3) (i32.const 4) (i32.const 5) (i32.const 6) (i32.const 7)
    (i32.const 8) (i32.const 9) (i32.const 10) (i32.const 11) (i32.const 12) (i32.const 13) (i32.const 14) (i32.const 15)
    (i32.const 16) (i32.const 17) (i32.const 18) (i32.const 19) (i32.const 20) (i32.const 21) (i32.const 22) (i32.const 23)
    (i32.const 24) (i32.const 25) (i32.const 26) (i32.const 27) (i32.const 28) (i32.const 29) (i32.const 30) (i32.const 31)
    (i32.const 32) (i32.const 33) (i32.const 34) (i32.const 35) (i32.const 36) (i32.const 37) (i32.const 38) (i32.const 39)
    (i32.const 40) (i32.const 41) (i32.const 42) (i32.const 43) (i32.const 44) (i32.const 45) (i32.const 46) (i32.const 47)
    (i32.const 48) (i32.const 49) (i32.const 50) (i32.const 51) (i32.const 52) (i32.const 53) (i32.const 54) (i32.const 55)
    (i32.const 56) (i32.const 57) (i32.const 58) (i32.const 59) (i32.const 60) (i32.const 61) (i32.const 62) (i32.const 63)
    (loop $again (type $rows)
      (local.get $n)
      (br_if $again (local.tee $n (i32.sub (local.get $n) (i32.const 1))))
      (drop)
       i32.xor i32.xor i32.xor i32.xor i32.xor i32.xor i32.xor
      i32.xor i32.xor i32.xor i32.xor i32.xor i32.xor i32.xor i32.xor
      i32.xor i32.xor i32.xor i32.xor i32.xor i32.xor i32.xor i32.xor
      i32.xor i32.xor i32.xor i32.xor i32.xor i32.xor i32.xor i32.xor
      i32.xor i32.xor i32.xor i32.xor i32.xor i32.xor i32.xor i32.xor
      i32.xor i32.xor i32.xor i32.xor i32.xor i32.xor i32.xor i32.xor
      i32.xor i32.xor i32.xor i32.xor i32.xor i32.xor i32.xor i32.xor
      i32.xor i32.xor i32.xor i32.xor i32.xor i32.xor i32.xor i32.xor)))
