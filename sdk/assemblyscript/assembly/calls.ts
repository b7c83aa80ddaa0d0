// SPDX-License-Identifier: Apache-2.0
// Calls to the node: the table of docs/abi.md. Each needs a permission in s3n.toml. A string of the
// imports is address and size, a buffer address and capacity.

@external("s3n", "kv_get")
declare function kv_get(s: usize, sn: usize, k: usize, kn: usize, to: usize, room: usize): i64;
@external("s3n", "kv_set")
declare function kv_set(s: usize, sn: usize, k: usize, kn: usize, v: usize, vn: usize, ttlMs: u64): i64;
@external("s3n", "kv_delete")
declare function kv_delete(s: usize, sn: usize, k: usize, kn: usize): i64;
@external("s3n", "kv_list")
declare function kv_list(s: usize, sn: usize, p: usize, pn: usize, a: usize, an: usize, count: u32, to: usize, room: usize): i64;
@external("s3n", "kv_compare_and_set")
declare function kv_compare_and_set(s: usize, sn: usize, k: usize, kn: usize, exists: u32, e: usize, en: usize, v: usize, vn: usize, ttlMs: u64): i64;
@external("s3n", "secret_get")
declare function secret_get(n: usize, nn: usize, version: u32, to: usize, room: usize): i64;
@external("s3n", "key_public")
declare function key_public(p: usize, pn: usize, algorithm: u32, to: usize, room: usize): i64;
@external("s3n", "key_sign")
declare function key_sign(p: usize, pn: usize, algorithm: u32, m: usize, mn: usize, to: usize, room: usize): i64;
@external("s3n", "key_derive")
declare function key_derive(p: usize, pn: usize, size: u32, to: usize, room: usize): i64;
@external("s3n", "hpke_open")
declare function hpke_open(p: usize, pn: usize, i: usize, il: usize, e: usize, en: usize, a: usize, an: usize, t: usize, tn: usize, to: usize, room: usize): i64;
@external("s3n", "attest")
declare function attest_(n: usize, nn: usize, to: usize, room: usize): i64;
@external("s3n", "about")
declare function about_(to: usize, room: usize): i64;
@external("s3n", "rest")
declare function rest(index: u32, offset: usize, to: usize, room: usize): i64;
@external("s3n", "error_message")
declare function error_message(to: usize, room: usize): i64;
@external("s3n", "random")
declare function random_(to: usize, room: usize): i64;
@external("s3n", "time")
declare function time_(): i64;
@external("s3n", "hash")
declare function hash_(algorithm: u32, d: usize, dn: usize, to: usize, room: usize): i64;
@external("s3n", "log")
declare function log_(level: u32, t: usize, tn: usize): i64;

export enum Failure {
  Invalid = -1,
  Memory = -2,
  /** The manifest does not permit it; the message names the line to add. */
  Denied = -3,
  NotFound = -4,
  Limit = -5,
  Conflict = -6,
  Unavailable = -7,
  Timeout = -8,
  Unsupported = -9,
  Failed = -10,
  Internal = -11,
}

/** What a call gave: a number, bytes, or a failure. */
export class Result {
  data: Uint8Array = new Uint8Array(0);
  message: string = "";
  constructor(public value: i64) {}

  get ok(): bool {
    return this.value >= 0;
  }
  get text(): string {
    return String.UTF8.decodeUnsafe(this.data.dataStart, this.data.length);
  }
  is(failure: Failure): bool {
    return this.value == <i64>failure;
  }
  /** Ends the invocation, without an answer, if the call failed. */
  must(): Result {
    if (!this.ok) throw new Error(this.message);
    return this;
  }
}

/** Address and size of a text as UTF-8. */
export class Text {
  bytes: ArrayBuffer;
  constructor(text: string) {
    this.bytes = String.UTF8.encode(text);
  }
  get at(): usize {
    return changetype<usize>(this.bytes);
  }
  get size(): usize {
    return this.bytes.byteLength;
  }
}

export const FIRST_ROOM = 4096;
export const room = new Uint8Array(FIRST_ROOM);

function number(value: i64): Result {
  const result = new Result(value);
  if (value >= 0) return result;
  const text = new Uint8Array(512);
  const size = error_message(text.dataStart, text.length);
  result.message = String.UTF8.decodeUnsafe(text.dataStart, <usize>min<i64>(max<i64>(size, 0), text.length));
  return result;
}

export const WHOLE_LIST: u32 = 0xffffffff;

/** Takes what lies in `room`, and what it has no room for: of a list of the call `index`, or of the list itself. */
export function bytes(value: i64, index: u32 = 0): Result {
  const result = number(value);
  if (!result.ok) return result;
  const data = new Uint8Array(<i32>value);
  const got = min<i32>(data.length, FIRST_ROOM);
  memory.copy(data.dataStart, room.dataStart, got);
  return filled(result, data, got, index);
}

/** The result with these data, of which `got` bytes are there. */
export function filled(result: Result, data: Uint8Array, got: i32, index: u32): Result {
  while (got < data.length) {
    const part = rest(index, got, data.dataStart + got, data.length - got);
    if (part <= 0) return number(part < 0 ? part : -11);
    got += <i32>min<i64>(part, data.length - got);
  }
  result.data = data;
  return result;
}

/** The application's sealed state. One invocation is one transaction. */
export namespace kv {
  /** The value; `Failure.NotFound` when there is none. */
  export function get(space: string, key: string): Result {
    const s = new Text(space),
      k = new Text(key);
    return bytes(kv_get(s.at, s.size, k.at, k.size, room.dataStart, FIRST_ROOM));
  }
  /** `ttlMs` 0: for ever. */
  export function set(space: string, key: string, value: Uint8Array, ttlMs: u64 = 0): Result {
    const s = new Text(space),
      k = new Text(key);
    return number(kv_set(s.at, s.size, k.at, k.size, value.dataStart, value.length, ttlMs));
  }
  /** value 1: it was there. */
  export function remove(space: string, key: string): Result {
    const s = new Text(space),
      k = new Text(key);
    return number(kv_delete(s.at, s.size, k.at, k.size));
  }
  /** value 1: set; 0: it is not what was expected (null: none). */
  export function compareAndSet(space: string, key: string, expected: Uint8Array | null, value: Uint8Array, ttlMs: u64 = 0): Result {
    const s = new Text(space),
      k = new Text(key);
    const at = expected ? expected.dataStart : 0,
      size = expected ? expected.length : 0;
    return number(kv_compare_and_set(s.at, s.size, k.at, k.size, expected ? 1 : 0, at, size, value.dataStart, value.length, ttlMs));
  }

  export class Entry {
    constructor(
      public key: string,
      public value: Uint8Array,
      /** In ms since 1970; 0: never. */
      public expiresMs: u64,
    ) {}
  }
  /** At most 1000 entries behind `after`; with fewer than `count` there are no more. */
  export function list(space: string, prefix: string, after: string, count: u32): Entry[] {
    const s = new Text(space),
      p = new Text(prefix),
      a = new Text(after);
    const all = bytes(kv_list(s.at, s.size, p.at, p.size, a.at, a.size, count | 65536, room.dataStart, FIRST_ROOM)).must().data;
    const entries: Entry[] = [];
    for (let at = 8; at < all.length; ) {
      const head = all.dataStart + at;
      const keySize = load<u32>(head),
        valueSize = load<u32>(head, 4);
      const key = String.UTF8.decodeUnsafe(head + 16, keySize);
      at += 16 + keySize + valueSize;
      entries.push(new Entry(key, all.slice(at - valueSize, at), load<u64>(head, 8)));
    }
    return entries;
  }
}

/** A secret of the application; version 0: the present one. */
export function secret(name: string, version: u32 = 0): Result {
  const n = new Text(name);
  return bytes(secret_get(n.at, n.size, version, room.dataStart, FIRST_ROOM));
}

/** Of a key of the application's own (docs/keys.md). `Digest` beside the first two: the message is a digest of 32 bytes. */
export enum Algorithm {
  P256 = 1,
  Secp256k1 = 2,
  Ed25519 = 3,
  X25519 = 4,
  Digest = 256,
}

/** Keys whose private halves stay in the keeper. */
export namespace keys {
  export function publicHalf(path: string, algorithm: Algorithm): Result {
    const p = new Text(path);
    return bytes(key_public(p.at, p.size, algorithm, room.dataStart, FIRST_ROOM));
  }
  export function sign(path: string, algorithm: Algorithm, message: Uint8Array): Result {
    const p = new Text(path);
    return bytes(key_sign(p.at, p.size, algorithm, message.dataStart, message.length, room.dataStart, FIRST_ROOM));
  }
  /** 1 to 1024 bytes that only this application has. */
  export function derive(path: string, size: u32): Result {
    const p = new Text(path);
    return bytes(key_derive(p.at, p.size, size, room.dataStart, FIRST_ROOM));
  }
  /** What was sealed (HPKE, base mode) to the X25519 key of this path. */
  export function hpkeOpen(path: string, info: Uint8Array, enc: Uint8Array, aad: Uint8Array, text: Uint8Array): Result {
    const p = new Text(path);
    return bytes(hpke_open(p.at, p.size, info.dataStart, info.length, enc.dataStart, enc.length, aad.dataStart, aad.length, text.dataStart, text.length, room.dataStart, FIRST_ROOM));
  }
}

/** What /.well-known/s3n/attestation gives for this nonce of 32 bytes. */
export function attest(nonce: Uint8Array): Result {
  return bytes(attest_(nonce.dataStart, nonce.length, room.dataStart, FIRST_ROOM));
}

/** {"application":…,"function":…,"invocation":…,"version":…} */
export function about(): Result {
  return bytes(about_(room.dataStart, FIRST_ROOM));
}

/** Fresh in every invocation. */
export function random(size: i32): Uint8Array {
  const data = new Uint8Array(size);
  number(random_(data.dataStart, size)).must();
  return data;
}

/** Nanoseconds since 1970. */
export function timeNs(): i64 {
  return time_();
}

export enum Hash {
  SHA256 = 1,
  SHA384 = 2,
  SHA512 = 3,
  SHA3_256 = 4,
  Keccak256 = 5,
}

export function hash(algorithm: Hash, data: Uint8Array): Uint8Array {
  return bytes(hash_(algorithm, data.dataStart, data.length, room.dataStart, FIRST_ROOM)).must().data;
}

export enum Level {
  Error = 3,
  Warning = 4,
  Information = 6,
  Debug = 7,
}

/** A line in the function's log, which its owner alone can read. */
export function log(level: Level, text: string): void {
  const t = new Text(text);
  log_(level, t.at, t.size);
}

/** Where `throw` ends: the message in the log, the invocation as a trap. */
export function abort(message: string | null, file: string | null, line: u32, column: u32): void {
  log(Level.Error, (message ? message : "aborted") + " (" + (file ? file : "?") + ":" + line.toString() + ":" + column.toString() + ")");
  unreachable();
}
