// The protobuf wire format. The codecs of messages.ts call this; plugins need not.

// A walk over the fields of a message. What is malformed traps, which the
// server takes as a failure.
export class Reader {
  field: u32 = 0;
  private type: u32 = 0;

  constructor(private ptr: usize, private end: usize) {}

  // Goes to the next field; false at the end.
  next(): bool {
    if (this.ptr == this.end) return false;
    const tag = this.varint();
    assert(tag >> 3 != 0 && tag >> 32 == 0, "field number out of range");
    this.field = <u32>(tag >> 3);
    this.type = <u32>(tag & 7);
    return true;
  }

  // Passes over the value of a field that is not known.
  skip(): void {
    switch (this.type) {
      case 0: this.varint(); break;
      case 1: this.take(8); break;
      case 2: this.take(this.varint()); break;
      case 5: this.take(4); break;
      default: assert(false, "wire type that there is not");
    }
  }

  int(): i64 {
    assert(this.type == 0, "field has another wire type");
    return <i64>this.varint();
  }

  // A number beyond 32 bits is none that an enumeration has.
  enumeration(): i32 {
    const v = this.int();
    return v == <i64>(<i32>v) ? <i32>v : i32.MAX_VALUE;
  }

  string(): string {
    const n = this.length();
    return String.UTF8.decodeUnsafe(this.take(n), <usize>n);
  }

  bytes(): Uint8Array {
    const n = this.length();
    const from = this.take(n);
    const bytes = new Uint8Array(<i32>n);
    memory.copy(bytes.dataStart, from, <usize>n);
    return bytes;
  }

  nested(): Reader {
    const n = this.length();
    const from = this.take(n);
    return new Reader(from, from + <usize>n);
  }

  private length(): u64 {
    assert(this.type == 2, "field has another wire type");
    return this.varint();
  }

  private take(n: u64): usize {
    assert(n <= <u64>(this.end - this.ptr), "message ends within a field");
    const at = this.ptr;
    this.ptr += <usize>n;
    return at;
  }

  private varint(): u64 {
    let v: u64 = 0;
    for (let i: u32 = 0; i < 10; i++) {
      assert(this.ptr < this.end, "message ends within a number");
      const c = load<u8>(this.ptr++);
      if (i == 9) assert(c <= 1, "number is longer than 64 bits");
      v |= (<u64>(c & 0x7f)) << (7 * i);
      if (c < 0x80) return v;
    }
    return v;
  }
}

// A message being written. Its memory is kept for the next one.
export class Writer {
  length: u32 = 0;
  start: usize = heap.alloc(1024);
  private capacity: u32 = 1024;

  int(field: u32, v: i64): void {
    if (v == 0) return;
    this.varint((<u64>field) << 3);
    this.varint(<u64>v);
  }

  string(field: u32, s: string): void {
    if (s.length > 0) this.element(field, s);
  }

  // One string of a list, the empty one too.
  element(field: u32, s: string): void {
    this.varint(((<u64>field) << 3) | 2);
    const n = <u32>String.UTF8.byteLength(s);
    this.varint(n);
    this.room(n);
    String.UTF8.encodeUnsafe(changetype<usize>(s), s.length, this.start + this.length);
    this.length += n;
  }

  bytes(field: u32, data: Uint8Array): void {
    if (data.length == 0) return;
    this.varint(((<u64>field) << 3) | 2);
    this.varint(data.length);
    this.room(data.length);
    memory.copy(this.start + this.length, data.dataStart, data.length);
    this.length += data.length;
  }

  // A message within a message: its length comes before it and is known after it.
  begin(field: u32): u32 {
    this.varint(((<u64>field) << 3) | 2);
    return this.length;
  }

  end(at: u32): void {
    const n = this.length - at;
    this.varint(n);
    const size = this.length - at - n;
    const length: u64 = load<u64>(this.start + at + n); // size is at most 5
    memory.copy(this.start + at + size, this.start + at, n);
    for (let i: u32 = 0; i < size; i++) store<u8>(this.start + at + i, <u8>(length >> (8 * i)));
  }

  private varint(v: u64): void {
    this.room(10);
    for (; v >= 0x80; v >>= 7) store<u8>(this.start + this.length++, <u8>v | 0x80);
    store<u8>(this.start + this.length++, <u8>v);
  }

  // Keeps eight bytes to spare, which end reads.
  private room(n: u32): void {
    if (this.length + n + 8 <= this.capacity) return;
    this.capacity = this.capacity * 2 + n;
    this.start = heap.realloc(this.start, this.capacity);
  }
}
