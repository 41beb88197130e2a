// Lets principals with the tag hours=office work on weekdays from 9 to 17
// only. The config is the offset of the office from UTC in minutes: 60.
import { authorize, init, AuthorizeRequest, AuthorizeResponse, Effect, InitRequest, InitResponse } from "../../guest/assemblyscript/index";

export { iam_v1_buffer } from "../../guest/assemblyscript/index";

const TAG = "aws:PrincipalTag/hours";
const MINUTE: i64 = 60_000;
const DAY: i64 = 24 * 60;

let offset: i64 = 0;

function setUp(request: InitRequest): InitResponse {
  const response = new InitResponse();
  response.context_keys.push(TAG);
  if (request.config.length > 0) {
    const text = String.UTF8.decode(request.config.buffer);
    const minutes = parseInt(text);
    if (isNaN(minutes) || minutes < -14 * 60 || minutes > 14 * 60) response.error = "the config must be an offset from UTC in minutes";
    else offset = <i64>minutes;
  }
  return response;
}

function decide(request: AuthorizeRequest): AuthorizeResponse {
  const response = new AuthorizeResponse();
  for (let i = 0; i < request.context.length; i++) {
    const entry = request.context[i];
    if (entry.key == TAG && entry.values.includes("office") && !open(request.time_ms)) {
      response.effect = Effect.DENY;
      response.reason = "outside office hours";
      response.code = "office_hours";
    }
  }
  return response;
}

// 1970 began on a Thursday, the fourth day from Monday.
function open(time: i64): bool {
  const minutes = time / MINUTE + offset;
  const weekday = (minutes / DAY + 3) % 7;
  const hour = (minutes % DAY) / 60;
  return weekday < 5 && hour >= 9 && hour < 17;
}

export function iam_v1_init(ptr: usize, len: u32): u64 {
  return init(ptr, len, setUp);
}

export function iam_v1_authorize(ptr: usize, len: u32): u64 {
  return authorize(ptr, len, decide);
}
