// What a plugin in C includes. It writes one function for each hook, and names
// it at the end:
//
//   static iam_authorize_response authorize(const iam_authorize_request *r) { … }
//   IAM_AUTHORIZE(authorize)
//
// A function that returns {0} abstains, or accepts. A question that cannot be
// read traps, which the server takes as a failure.
#ifndef IAM_H
#define IAM_H

#include "iam_messages.h"

#define IAM_EXPORT(name) __attribute__((export_name(name)))

__attribute__((import_module("iam_v1"), import_name("log"))) void iam_host_log(int32_t level, const uint8_t *ptr, uint32_t len);

enum { IAM_DEBUG, IAM_INFO, IAM_WARN, IAM_ERROR };

// Writes a line to the server's log.
static inline void iam_log(int32_t level, iam_str text) { iam_host_log(level, text.ptr, text.len); }

static uint8_t *iam_input;
static uint32_t iam_input_size;

// The buffer for questions stands before the memory of a call.
IAM_EXPORT("iam_v1_buffer") uint8_t *iam_v1_buffer(uint32_t size) {
  if (size > iam_input_size) {
    iam_heap_next = &__heap_base;
    iam_input = iam_alloc(size);
    iam_input_size = size;
    iam_heap_start = iam_heap_next;
  }
  return iam_input;
}

static inline uint64_t iam_answer(iam_str s) { return s.len == 0 ? 0 : (uint64_t)(uintptr_t)s.ptr << 32 | s.len; }

#define IAM_HOOK(hook, function)                                                                     \
  IAM_EXPORT("iam_v1_" #hook) uint64_t iam_v1_##hook(const uint8_t *ptr, uint32_t len) {             \
    iam_heap_next = iam_heap_start;                                                                  \
    iam_##hook##_request request;                                                                    \
    if (!iam_##hook##_request_decode(&request, (iam_str){ptr, len})) __builtin_trap();               \
    iam_##hook##_response response = function(&request);                                             \
    return iam_answer(iam_##hook##_response_encode(&response));                                      \
  }

#define IAM_INIT(function) IAM_HOOK(init, function)
#define IAM_AUTHORIZE(function) IAM_HOOK(authorize, function)
#define IAM_VALIDATE_POLICY(function) IAM_HOOK(validate_policy, function)
#define IAM_GENERATE_ACCESS_KEY(function) IAM_HOOK(generate_access_key, function)

#endif
