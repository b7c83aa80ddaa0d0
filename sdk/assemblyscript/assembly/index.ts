// SPDX-License-Identifier: Apache-2.0
// S3N functions in AssemblyScript: a handler takes a request and gives a response, and the module
// becomes a reactor (docs/abi.md).
//
//     import { Request, Response, handle } from "@s3n/assemblyscript/assembly";
//     export { s3n_alloc, s3n_handle } from "@s3n/assemblyscript/assembly";
//
//     handle((request: Request): Response => Response.text("hello, " + request.text()));
//
// Build it with: asc index.ts -o function.wasm -O --runtime stub --use abort=@s3n/…/assembly/index/abort
export { Algorithm, Failure, Hash, Level, Result, about, attest, hash, keys, kv, log, random, secret, timeNs } from "./calls";
export { Batch } from "./batch";
export * from "./http";

const REQUEST_HEAD_SIZE: u32 = 64;
const ANSWER_HEAD_SIZE: u32 = 32;

export enum Trigger {
  Run,
  Call,
  HTTP,
}

/** What the function was asked. */
export class Request {
  method: string = "";
  /** Percent-encoded, behind `/a/<application>`. */
  path: string = "";
  /** Behind `?`. */
  query: string = "";
  trigger: Trigger = Trigger.Run;
  /** 16 bytes, of the invocation. */
  id: Uint8Array = new Uint8Array(16);
  body: Uint8Array = new Uint8Array(0);
  /** Names in lower case. */
  headers: Map<string, string> = new Map();
  /** S3N_FUNCTION, REMOTE_ADDR, the manifest's `environment`. */
  facts: Map<string, string> = new Map();

  /** The body as text. */
  text(): string {
    return String.UTF8.decodeUnsafe(this.body.dataStart, this.body.length);
  }
  /** "" when there is none. */
  header(name: string): string {
    return this.headers.has(name) ? this.headers.get(name) : "";
  }
  fact(name: string): string {
    return this.facts.has(name) ? this.facts.get(name) : "";
  }
}

/** What the caller gets: at most 24 headers, 8 KiB together. */
export class Response {
  names: string[] = [];
  values: string[] = [];
  constructor(
    public status: i32,
    public body: Uint8Array,
  ) {}

  static of(contentType: string, body: Uint8Array, status: i32 = 200): Response {
    return new Response(status, body).header("content-type", contentType);
  }
  static text(text: string, status: i32 = 200): Response {
    return Response.of("text/plain; charset=utf-8", bytesOf(text), status);
  }
  static json(text: string, status: i32 = 200): Response {
    return Response.of("application/json", bytesOf(text), status);
  }
  header(name: string, value: string): Response {
    this.names.push(name.toLowerCase());
    this.values.push(value);
    return this;
  }
}

/** The bytes of a text, as UTF-8. */
export function bytesOf(text: string): Uint8Array {
  return Uint8Array.wrap(String.UTF8.encode(text));
}

/** A text of bytes that are UTF-8. */
export function textOf(bytes: Uint8Array): string {
  return String.UTF8.decodeUnsafe(bytes.dataStart, bytes.length);
}

let handler: ((request: Request) => Response) | null = null;

/** Says which function answers; at the top level, before the snapshot. */
export function handle(function_: (request: Request) => Response): void {
  handler = function_;
}

/** Reads the parts behind the envelope's head; a part that isn't there ends the invocation. */
class Cursor {
  constructor(
    public at: usize,
    public end: usize,
  ) {}
  text(size: u32): string {
    assert(<usize>size <= this.end - this.at, "the request's envelope is cut");
    const text = String.UTF8.decodeUnsafe(this.at, size);
    this.at += size;
    return text;
  }
  number(): u32 {
    assert(this.end - this.at >= 4, "the request's envelope is cut");
    this.at += 4;
    return load<u32>(this.at - 4);
  }
  pairs(count: u32, target: Map<string, string>): void {
    for (let i: u32 = 0; i < count; i++) {
      const nameSize = this.number(),
        valueSize = this.number();
      const name = this.text(nameSize);
      target.set(name, this.text(valueSize));
    }
  }
}

function requestOf(at: usize, size: u32): Request {
  assert(size >= REQUEST_HEAD_SIZE && load<u32>(at) == 0x514e3353 && load<u32>(at, 8) == size, "not a request");
  const offset = load<u32>(at, 12),
    bodySize = load<u32>(at, 16);
  assert(offset >= REQUEST_HEAD_SIZE && offset <= size && bodySize <= size - offset, "not a request");
  const cursor = new Cursor(at + REQUEST_HEAD_SIZE, at + offset);
  const request = new Request();
  request.trigger = load<u16>(at, 6);
  request.method = cursor.text(load<u32>(at, 20));
  request.path = cursor.text(load<u32>(at, 24));
  request.query = cursor.text(load<u32>(at, 28));
  cursor.pairs(load<u32>(at, 32), request.headers);
  cursor.pairs(load<u32>(at, 36), request.facts);
  memory.copy(request.id.dataStart, at + 40, 16);
  request.body = new Uint8Array(bodySize);
  memory.copy(request.body.dataStart, at + offset, bodySize);
  return request;
}

let answer: ArrayBuffer = new ArrayBuffer(0);

function answerOf(response: Response): u64 {
  const parts: ArrayBuffer[] = [];
  let offset = ANSWER_HEAD_SIZE;
  for (let i = 0; i < response.names.length; i++) {
    parts.push(String.UTF8.encode(response.names[i]));
    parts.push(String.UTF8.encode(response.values[i]));
    offset += 8 + parts[2 * i].byteLength + parts[2 * i + 1].byteLength;
  }
  offset = (offset + 7) & ~7;
  const size = offset + response.body.length;
  answer = new ArrayBuffer(size);
  let at = changetype<usize>(answer);
  const head = at;
  store<u32>(head, 0x414e3353);
  store<u16>(head, 1, 4);
  store<u16>(head, <u16>response.status, 6);
  store<u32>(head, size, 8);
  store<u32>(head, offset, 12);
  store<u32>(head, response.body.length, 16);
  store<u32>(head, response.names.length, 20);
  at += ANSWER_HEAD_SIZE;
  for (let i = 0; i < parts.length; i += 2) {
    store<u32>(at, parts[i].byteLength);
    store<u32>(at, parts[i + 1].byteLength, 4);
    at += 8;
    for (let j = i; j < i + 2; j++) {
      memory.copy(at, changetype<usize>(parts[j]), parts[j].byteLength);
      at += parts[j].byteLength;
    }
  }
  memory.copy(head + offset, response.body.dataStart, response.body.length);
  return (<u64>head << 32) | size;
}

let room: ArrayBuffer = new ArrayBuffer(0);

export function s3n_alloc(size: u32): usize {
  room = new ArrayBuffer(size);
  return changetype<usize>(room);
}

export function s3n_handle(at: usize, size: u32): u64 {
  assert(handler != null, "the module's top level calls handle()");
  return answerOf(handler!(requestOf(at, size)));
}
