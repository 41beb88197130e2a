// Reads each message and writes it again, for the test of the AssemblyScript codecs.
import { Reader, Writer } from "../../../guest/assemblyscript/wire";
import {
  AuthorizeRequest, AuthorizeResponse, ContextEntry, Filter,
  Finding, GenerateAccessKeyRequest, GenerateAccessKeyResponse, InitRequest,
  InitResponse, KeyShape, ValidatePolicyRequest, ValidatePolicyResponse,
} from "../../../guest/assemblyscript/messages";

export { iam_v1_buffer } from "../../../guest/assemblyscript/index";

const output = new Writer();

function echo<T>(ptr: usize, len: u32): u64 {
  const message = instantiate<T>();
  message.decode(new Reader(ptr, ptr + len));
  output.length = 0;
  message.encode(output);
  return output.length == 0 ? 0 : ((<u64>output.start) << 32) | output.length;
}

export function echo_AuthorizeRequest(ptr: usize, len: u32): u64 { return echo<AuthorizeRequest>(ptr, len); }
export function echo_AuthorizeResponse(ptr: usize, len: u32): u64 { return echo<AuthorizeResponse>(ptr, len); }
export function echo_ContextEntry(ptr: usize, len: u32): u64 { return echo<ContextEntry>(ptr, len); }
export function echo_Filter(ptr: usize, len: u32): u64 { return echo<Filter>(ptr, len); }
export function echo_Finding(ptr: usize, len: u32): u64 { return echo<Finding>(ptr, len); }
export function echo_GenerateAccessKeyRequest(ptr: usize, len: u32): u64 { return echo<GenerateAccessKeyRequest>(ptr, len); }
export function echo_GenerateAccessKeyResponse(ptr: usize, len: u32): u64 { return echo<GenerateAccessKeyResponse>(ptr, len); }
export function echo_InitRequest(ptr: usize, len: u32): u64 { return echo<InitRequest>(ptr, len); }
export function echo_InitResponse(ptr: usize, len: u32): u64 { return echo<InitResponse>(ptr, len); }
export function echo_KeyShape(ptr: usize, len: u32): u64 { return echo<KeyShape>(ptr, len); }
export function echo_ValidatePolicyRequest(ptr: usize, len: u32): u64 { return echo<ValidatePolicyRequest>(ptr, len); }
export function echo_ValidatePolicyResponse(ptr: usize, len: u32): u64 { return echo<ValidatePolicyResponse>(ptr, len); }
