// Makes access key ids that a company can tell from others: a prefix, 16
// random characters, and a check digit that finds a mistyped character (the
// Luhn algorithm for 36 characters). The config is the prefix; without one it is ACME.
#include "iam.h"

static uint8_t prefix[8] = {'A', 'C', 'M', 'E'};
static uint32_t prefix_len = 4;

enum { RANDOM = 16, ALPHABET = 36 };
static const char alphabet[] = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ";

static iam_init_response init(const iam_init_request *r) {
  iam_init_response response = {0};
  iam_str config = r->config;
  // The config is JSON: "ACME".
  if (config.len >= 2 && config.ptr[0] == '"' && config.ptr[config.len - 1] == '"') config = (iam_str){config.ptr + 1, config.len - 2};
  if (config.len > sizeof prefix) response.error = IAM_STR("the prefix is longer than 8 characters");
  for (uint32_t i = 0; i < config.len; i++)
    if (config.ptr[i] < 'A' || config.ptr[i] > 'Z') response.error = IAM_STR("the prefix must be capital letters");
  if (response.error.len > 0) return response;
  if (config.len > 0) {
    __builtin_memcpy(prefix, config.ptr, config.len);
    prefix_len = config.len;
  }
  iam_key_shape *shape = iam_alloc(sizeof *shape);
  *shape = (iam_key_shape){.prefix = {prefix, prefix_len}, .charset = IAM_STR("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"),
                           .min_length = prefix_len + RANDOM + 1, .max_length = prefix_len + RANDOM + 1};
  response.key_shape = shape;
  return response;
}

static uint32_t value(uint8_t c) { return c <= '9' ? c - '0' : c - 'A' + 10; }

static uint8_t check_digit(const uint8_t *id, uint32_t len) {
  uint32_t sum = 0, factor = 2;
  for (uint32_t i = len; i-- > 0; factor = 3 - factor) {
    uint32_t addend = factor * value(id[i]);
    sum += addend / ALPHABET + addend % ALPHABET;
  }
  return alphabet[(ALPHABET - sum % ALPHABET) % ALPHABET];
}

static iam_generate_access_key_response generate(const iam_generate_access_key_request *r) {
  uint8_t *id = iam_alloc(sizeof prefix + RANDOM + 1);
  __builtin_memcpy(id, prefix, prefix_len);
  uint32_t n = prefix_len, used = 0;
  while (n < prefix_len + RANDOM) {
    if (used == r->entropy.len) __builtin_trap();
    uint8_t b = r->entropy.ptr[used++];
    // 252 is the greatest multiple of 36: other bytes would favour some characters.
    if (b < 252) id[n++] = alphabet[b % ALPHABET];
  }
  id[n] = check_digit(id, n);
  return (iam_generate_access_key_response){.access_key_id = {id, n + 1}};
}

IAM_INIT(init)
IAM_GENERATE_ACCESS_KEY(generate)
