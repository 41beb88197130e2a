// Reads each message and writes it again, for the test of the C codecs.
#include "iam.h"

#define ECHO(name, message)                                                              \
  IAM_EXPORT("echo_" name) uint64_t echo_##message(const uint8_t *ptr, uint32_t len) {    \
    iam_heap_next = iam_heap_start;                                                      \
    iam_##message m;                                                                     \
    if (!iam_##message##_decode(&m, (iam_str){ptr, len})) __builtin_trap();              \
    return iam_answer(iam_##message##_encode(&m));                                       \
  }

ECHO("AuthorizeRequest", authorize_request)
ECHO("AuthorizeResponse", authorize_response)
ECHO("ContextEntry", context_entry)
ECHO("Filter", filter)
ECHO("Finding", finding)
ECHO("GenerateAccessKeyRequest", generate_access_key_request)
ECHO("GenerateAccessKeyResponse", generate_access_key_response)
ECHO("InitRequest", init_request)
ECHO("InitResponse", init_response)
ECHO("KeyShape", key_shape)
ECHO("ValidatePolicyRequest", validate_policy_request)
ECHO("ValidatePolicyResponse", validate_policy_response)
