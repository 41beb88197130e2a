// Denies what deletes or overwrites for good unless a second factor was used,
// whatever the policies allow.
//
// As config it takes a JSON list of the actions to guard instead:
//   ["s3:Delete*", "iam:Delete*"]
#include "iam.h"

static iam_str guarded[64];
static uint32_t guarded_len;
static uint8_t config[4096];

// Reads the strings of a JSON list without escapes; false if it is none.
static bool read_list(iam_str json) {
  bool inside = false, text = false;
  uint32_t start = 0;
  for (uint32_t i = 0; i < json.len; i++) {
    uint8_t c = json.ptr[i];
    if (text) {
      if (c == '\\') return false;
      if (c != '"') continue;
      text = false;
      if (guarded_len == 64) return false;
      guarded[guarded_len++] = (iam_str){json.ptr + start, i - start};
    } else if (c == '"' && inside) {
      text = true;
      start = i + 1;
    } else if (c == '[' && !inside) {
      inside = true;
    } else if (c != ']' && c != ',' && c != ' ' && c != '\n' && c != '\t' && c != '\r') {
      return false;
    }
  }
  return inside && !text && guarded_len > 0;
}

static iam_init_response init(const iam_init_request *r) {
  iam_init_response response = {0};
  guarded_len = 0;
  if (r->config.len > sizeof config) {
    response.error = IAM_STR("the config is longer than 4096 bytes");
    return response;
  }
  if (r->config.len > 0) {
    __builtin_memcpy(config, r->config.ptr, r->config.len);
    if (!read_list((iam_str){config, r->config.len})) {
      response.error = IAM_STR("the config must be a JSON list of actions, such as [\"s3:Delete*\"]");
      return response;
    }
  } else {
    guarded[guarded_len++] = IAM_STR("s3:Delete*");
    guarded[guarded_len++] = IAM_STR("iam:Delete*");
  }
  // The server asks about these actions alone.
  iam_filter *filter = iam_alloc(sizeof *filter);
  filter->actions = guarded;
  filter->actions_len = guarded_len;
  response.filter = filter;
  return response;
}

static iam_authorize_response authorize(const iam_authorize_request *r) {
  if (r->mfa) return (iam_authorize_response){0};
  return (iam_authorize_response){
      .effect = IAM_EFFECT_DENY,
      .reason = IAM_STR("deleting needs a second factor"),
      .code = IAM_STR("mfa_required"),
  };
}

IAM_INIT(init)
IAM_AUTHORIZE(authorize)
