// The protobuf wire format and the memory of a guest in C. The codecs of
// iam_messages.h call these; plugins mostly need iam_str.
#ifndef IAM_WIRE_H
#define IAM_WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// Bytes, or text in UTF-8, without a zero at the end.
typedef struct {
  const uint8_t *ptr;
  uint32_t len;
} iam_str;

// A string from a literal.
#define IAM_STR(literal) ((iam_str){(const uint8_t *)(literal), sizeof(literal) - 1})

static inline bool iam_equal(iam_str a, iam_str b) {
  if (a.len != b.len) return false;
  for (uint32_t i = 0; i < a.len; i++)
    if (a.ptr[i] != b.ptr[i]) return false;
  return true;
}

static inline bool iam_has_prefix(iam_str s, iam_str prefix) {
  return s.len >= prefix.len && iam_equal((iam_str){s.ptr, prefix.len}, prefix);
}

// Memory of one call: it is handed out in order and taken back when the next
// question arrives. What must stay belongs into static variables.
extern uint8_t __heap_base;
static uint8_t *iam_heap_start = &__heap_base, *iam_heap_next = &__heap_base;

static inline void *iam_alloc(uint32_t size) {
  uint32_t at = ((uint32_t)(uintptr_t)iam_heap_next + 7) & ~7u;
  uint32_t end = at + size;
  if (end < at) __builtin_trap();
  uint32_t have = (uint32_t)__builtin_wasm_memory_size(0) * 65536u;
  if (end > have && __builtin_wasm_memory_grow(0, (end - have + 65535) / 65536) == (size_t)-1) __builtin_trap();
  iam_heap_next = (uint8_t *)(uintptr_t)end;
  __builtin_memset((void *)(uintptr_t)at, 0, size);
  return (void *)(uintptr_t)at;
}

// A walk over the fields of a message.
typedef struct {
  const uint8_t *ptr, *end;
  uint32_t field, type;
  bool pending, failed;
} iam_reader;

static inline iam_reader iam_read(iam_str s) { return (iam_reader){.ptr = s.ptr, .end = s.ptr + s.len}; }

static inline uint64_t iam_read_varint(iam_reader *r) {
  uint64_t v = 0;
  for (uint32_t i = 0; i < 10 && r->ptr < r->end; i++) {
    uint8_t c = *r->ptr++;
    if (i == 9 && c > 1) break;
    v |= (uint64_t)(c & 0x7f) << (7 * i);
    if (c < 0x80) return v;
  }
  r->failed = true;
  return 0;
}

static inline iam_str iam_read_bytes(iam_reader *r, uint64_t n) {
  if (r->failed || n > (uint64_t)(r->end - r->ptr)) {
    r->failed = true;
    return (iam_str){0};
  }
  iam_str s = {r->ptr, (uint32_t)n};
  r->ptr += n;
  return s;
}

static inline bool iam_next(iam_reader *r) {
  if (r->pending) {
    r->pending = false;
    switch (r->type) {
    case 0: iam_read_varint(r); break;
    case 1: iam_read_bytes(r, 8); break;
    case 2: iam_read_bytes(r, iam_read_varint(r)); break;
    case 5: iam_read_bytes(r, 4); break;
    default: r->failed = true;
    }
  }
  if (r->failed || r->ptr == r->end) return false;
  uint64_t tag = iam_read_varint(r);
  if (tag >> 3 == 0 || tag >> 32 != 0) r->failed = true;
  r->field = (uint32_t)(tag >> 3);
  r->type = tag & 7;
  r->pending = true;
  return !r->failed;
}

static inline bool iam_is(iam_reader *r, uint32_t type) {
  r->pending = false;
  if (r->type != type) r->failed = true;
  return !r->failed;
}

static inline int64_t iam_read_int(iam_reader *r) { return iam_is(r, 0) ? (int64_t)iam_read_varint(r) : 0; }

// A number beyond 32 bits is none that an enumeration has.
static inline int32_t iam_read_enum(iam_reader *r) {
  int64_t v = iam_read_int(r);
  return v == (int32_t)v ? (int32_t)v : INT32_MAX;
}

static inline iam_str iam_read_str(iam_reader *r) { return iam_is(r, 2) ? iam_read_bytes(r, iam_read_varint(r)) : (iam_str){0}; }

// A message being written, in the memory of the call.
typedef struct {
  uint8_t *start;
  uint32_t len, cap;
} iam_writer;

static inline iam_writer iam_write(void) { return (iam_writer){iam_alloc(256), 0, 256}; }

static inline void iam_write_raw(iam_writer *w, const uint8_t *from, uint32_t n) {
  if (n > w->cap - w->len) {
    uint32_t cap = w->cap * 2 + n;
    uint8_t *start = iam_alloc(cap);
    __builtin_memcpy(start, w->start, w->len);
    w->start = start;
    w->cap = cap;
  }
  if (n > 0) __builtin_memcpy(w->start + w->len, from, n);
  w->len += n;
}

static inline void iam_write_varint(iam_writer *w, uint64_t v) {
  uint8_t b[10];
  uint32_t n = 0;
  for (; v >= 0x80; v >>= 7) b[n++] = (uint8_t)v | 0x80;
  b[n++] = (uint8_t)v;
  iam_write_raw(w, b, n);
}

static inline void iam_write_element(iam_writer *w, uint32_t field, iam_str s) {
  iam_write_varint(w, (uint64_t)field << 3 | 2);
  iam_write_varint(w, s.len);
  iam_write_raw(w, s.ptr, s.len);
}

static inline void iam_write_str(iam_writer *w, uint32_t field, iam_str s) {
  if (s.len > 0) iam_write_element(w, field, s);
}

static inline void iam_write_int(iam_writer *w, uint32_t field, int64_t v) {
  if (v == 0) return;
  iam_write_varint(w, (uint64_t)field << 3);
  iam_write_varint(w, (uint64_t)v);
}

// A message within a message: its length comes before it and is known after it.
static inline uint32_t iam_write_begin(iam_writer *w, uint32_t field) {
  iam_write_varint(w, (uint64_t)field << 3 | 2);
  return w->len;
}

static inline void iam_write_end(iam_writer *w, uint32_t at) {
  uint32_t n = w->len - at;
  iam_write_varint(w, n);
  uint32_t size = w->len - at - n;
  uint8_t length[5];
  __builtin_memcpy(length, w->start + at + n, size);
  __builtin_memmove(w->start + at + size, w->start + at, n);
  __builtin_memcpy(w->start + at, length, size);
}

static inline iam_str iam_written(iam_writer *w) { return (iam_str){w->start, w->len}; }

#endif
