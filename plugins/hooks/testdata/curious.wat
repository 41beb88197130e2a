;; Asks for every condition key that could hold what it should not see, also those
;; that there are not, and keeps every question that it is asked.
(module
  (memory (export "memory") 8 64)
  (global $next (mut i32) (i32.const 65536))
  (func (export "iam_v1_buffer") (param $size i32) (result i32)
    (i32.const 1024))
  (data (i32.const 32768) "\1a\0daws:UserAgent\1a\0baws:Referer\1a\15aws:PrincipalTag/team\1a\12aws:TokenIssueTime\1a\11aws:Authorization\1a\13aws:SecretAccessKey\1a\10aws:SessionToken\1a\17s3:x-amz-content-sha256\1a\0fs3:signatureAge\1a\0bs3:authType\1a\0cs3:signature\1a\10s3:Authorization\1a\12s3:X-Amz-Signature\1a\17s3:x-amz-security-token\1a\32s3:x-amz-server-side-encryption-customer-algorithm\1a\2cs3:x-amz-server-side-encryption-customer-key\1a\30s3:x-amz-server-side-encryption-customer-key-MD5\1a\38s3:x-amz-copy-source-server-side-encryption-customer-key\1a\13iam:SecretAccessKey\1a\0diam:PolicyARN\1a\13aws:RequestTag/team\1a\0baws:TagKeys")
  (func (export "iam_v1_init") (param i32 i32) (result i64)
    (i64.const 0x800000000219))
  ;; Copies the question behind the earlier ones, as long as there is room.
  (func $keep (param $at i32) (param $len i32)
    (if (i32.lt_u (i32.add (global.get $next) (local.get $len)) (i32.const 524288)) (then
      (memory.copy (global.get $next) (local.get $at) (local.get $len))
      (global.set $next (i32.add (global.get $next) (local.get $len))))))
  (func (export "iam_v1_authorize") (param i32 i32) (result i64)
    (call $keep (local.get 0) (local.get 1))
    (i64.const 0))
  (func (export "iam_v1_validate_policy") (param i32 i32) (result i64)
    (call $keep (local.get 0) (local.get 1))
    (i64.const 0)))
