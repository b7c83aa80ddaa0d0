// SPDX-License-Identifier: Apache-2.0
// Requests to others: permissions.http (docs/outbound.md).
import { FIRST_ROOM, Result, Text, bytes, room } from "./calls";

@external("s3n", "http_fetch")
declare function http_fetch(m: usize, mn: usize, u: usize, un: usize, h: usize, hn: usize, b: usize, bn: usize, to: usize, room: usize): i64;

/** The answer of whoever was asked, after redirects; status 0: there was none, `result` says why. */
export class Fetched {
  status: i32 = 0;
  /** Where it came from in the end. */
  url: string = "";
  /** Names in lower case. */
  headers: Map<string, string> = new Map();
  body: Uint8Array = new Uint8Array(0);
  constructor(public result: Result) {}
}

/** Asks somebody else. `headers`: lines "name: value\n". */
export function fetch(method: string, url: string, headers: string = "", body: Uint8Array = new Uint8Array(0)): Fetched {
  const m = new Text(method),
    u = new Text(url),
    h = new Text(headers);
  const result = bytes(http_fetch(m.at, m.size, u.at, u.size, h.at, h.size, body.dataStart, body.length, room.dataStart, FIRST_ROOM));
  const fetched = new Fetched(result);
  if (!result.ok) return fetched;
  // "STATUS URL\n", lines "name: value\n", an empty line, the body.
  const data = result.data;
  let from = 0;
  for (let at = 0; at < data.length; at++) {
    if (data[at] != 0x0a) continue;
    const line = String.UTF8.decodeUnsafe(data.dataStart + from, at - from);
    const split = line.indexOf(from == 0 ? " " : ":");
    if (line.length == 0) {
      fetched.body = data.slice(at + 1);
      break;
    }
    if (from == 0) {
      fetched.status = I32.parseInt(line.substring(0, split));
      fetched.url = line.substring(split + 1);
    } else {
      fetched.headers.set(line.substring(0, split), line.substring(split + 1).trimStart());
    }
    from = at + 1;
  }
  return fetched;
}
