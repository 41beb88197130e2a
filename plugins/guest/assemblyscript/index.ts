// What a plugin in AssemblyScript imports. It exports iam_v1_buffer from here,
// and one function for each hook:
//
//   export { iam_v1_buffer } from "../../guest/assemblyscript";
//   export function iam_v1_authorize(ptr: usize, len: u32): u64 {
//     return authorize(ptr, len, (r) => new AuthorizeResponse());
//   }
//
// An answer as new makes it abstains, or accepts.
import {
  AuthorizeRequest, AuthorizeResponse, GenerateAccessKeyRequest, GenerateAccessKeyResponse,
  InitRequest, InitResponse, ValidatePolicyRequest, ValidatePolicyResponse,
} from "./messages";
import { Reader, Writer } from "./wire";

export * from "./messages";

// @ts-ignore: decorator
@external("iam_v1", "log")
declare function hostLog(level: i32, ptr: usize, len: u32): void;

export enum Level { DEBUG, INFO, WARN, ERROR }

// Writes a line to the server's log.
export function log(level: Level, text: string): void {
  const utf8 = String.UTF8.encode(text);
  hostLog(level, changetype<usize>(utf8), utf8.byteLength);
}

// Is called for what cannot go on: failed assertions, and thrown errors.
export function abort(message: string | null, file: string | null, line: u32, column: u32): void {
  log(Level.ERROR, "abort: " + (message ? message : "") + " at " + (file ? file : "") + ":" + line.toString() + ":" + column.toString());
  unreachable();
}

let input: usize = 0;
let inputSize: u32 = 0;

export function iam_v1_buffer(size: u32): usize {
  if (size > inputSize) {
    if (input) heap.free(input);
    input = heap.alloc(size);
    inputSize = size;
  }
  return input;
}

const output = new Writer();

function answer(): u64 {
  return output.length == 0 ? 0 : ((<u64>output.start) << 32) | output.length;
}

export function init(ptr: usize, len: u32, hook: (request: InitRequest) => InitResponse): u64 {
  const request = new InitRequest();
  request.decode(new Reader(ptr, ptr + len));
  output.length = 0;
  hook(request).encode(output);
  return answer();
}

export function authorize(ptr: usize, len: u32, hook: (request: AuthorizeRequest) => AuthorizeResponse): u64 {
  const request = new AuthorizeRequest();
  request.decode(new Reader(ptr, ptr + len));
  output.length = 0;
  hook(request).encode(output);
  return answer();
}

export function validatePolicy(ptr: usize, len: u32, hook: (request: ValidatePolicyRequest) => ValidatePolicyResponse): u64 {
  const request = new ValidatePolicyRequest();
  request.decode(new Reader(ptr, ptr + len));
  output.length = 0;
  hook(request).encode(output);
  return answer();
}

export function generateAccessKey(ptr: usize, len: u32, hook: (request: GenerateAccessKeyRequest) => GenerateAccessKeyResponse): u64 {
  const request = new GenerateAccessKeyRequest();
  request.decode(new Reader(ptr, ptr + len));
  output.length = 0;
  hook(request).encode(output);
  return answer();
}
