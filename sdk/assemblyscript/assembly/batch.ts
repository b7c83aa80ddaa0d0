// SPDX-License-Identifier: Apache-2.0
// Several calls in one exit from the micro-VM.
import { Algorithm, FIRST_ROOM, Result, WHOLE_LIST, bytes, filled, room } from "./calls";

@external("s3n", "batch")
declare function batch(r: usize, rn: usize, to: usize, room: usize): i64;

const LIST_HEAD_SIZE = 16;
const ANSWER_HEAD_SIZE = 24;

/**
 * Calls that are made in one exit, one after the other: at most 64, with arguments of at most 272 KiB.
 *
 *     const answers = new Batch().kvGet("prices", "neo").kvSet("seen", "neo", bytesOf("1")).run();
 */
export class Batch {
  private records: ArrayBuffer[] = [];
  private size: i32 = LIST_HEAD_SIZE;

  /** Any call: its row in the table of docs/abi.md from 1, its parameters in their order without the buffer. */
  call(call: u16, numbers: u64[], strings: ArrayBuffer[]): Batch {
    let size = 8 + 8 * numbers.length + 4 * strings.length;
    for (let i = 0; i < strings.length; i++) size += strings[i].byteLength;
    size = (size + 7) & ~7;
    const record = new ArrayBuffer(size);
    let at = changetype<usize>(record);
    store<u32>(at, size);
    store<u16>(at, call, 4);
    store<u8>(at, <u8>numbers.length, 6);
    store<u8>(at, <u8>strings.length, 7);
    at += 8;
    for (let i = 0; i < numbers.length; i++, at += 8) store<u64>(at, numbers[i]);
    for (let i = 0; i < strings.length; i++, at += 4) store<u32>(at, strings[i].byteLength);
    for (let i = 0; i < strings.length; i++) {
      memory.copy(at, changetype<usize>(strings[i]), strings[i].byteLength);
      at += strings[i].byteLength;
    }
    this.records.push(record);
    this.size += size;
    return this;
  }
  kvGet(space: string, key: string): Batch {
    return this.call(1, [], [encoded(space), encoded(key)]);
  }
  /** `ttlMs` 0: for ever. */
  kvSet(space: string, key: string, value: Uint8Array, ttlMs: u64 = 0): Batch {
    return this.call(2, [ttlMs], [encoded(space), encoded(key), copied(value)]);
  }
  kvRemove(space: string, key: string): Batch {
    return this.call(3, [], [encoded(space), encoded(key)]);
  }
  /** `expected` null: when there is none. */
  kvCompareAndSet(space: string, key: string, expected: Uint8Array | null, value: Uint8Array, ttlMs: u64 = 0): Batch {
    const wanted = expected ? copied(expected) : new ArrayBuffer(0);
    return this.call(5, [expected ? 1 : 0, ttlMs], [encoded(space), encoded(key), wanted, copied(value)]);
  }
  secret(name: string, version: u32 = 0): Batch {
    return this.call(6, [version], [encoded(name)]);
  }
  sign(path: string, algorithm: Algorithm, message: Uint8Array): Batch {
    return this.call(8, [algorithm], [encoded(path), copied(message)]);
  }

  /** Makes them: as many results, in their order; when none was made, each says why. */
  run(): Result[] {
    const list = new ArrayBuffer(this.size);
    let at = changetype<usize>(list);
    store<u32>(at, 0x31514353);
    store<u32>(at, this.size, 4);
    store<u32>(at, this.records.length, 8);
    at += LIST_HEAD_SIZE;
    for (let i = 0; i < this.records.length; i++) {
      memory.copy(at, changetype<usize>(this.records[i]), this.records[i].byteLength);
      at += this.records[i].byteLength;
    }
    const all = bytes(batch(changetype<usize>(list), this.size, room.dataStart, FIRST_ROOM), WHOLE_LIST);
    const results: Result[] = [];
    let from = LIST_HEAD_SIZE;
    for (let i = 0; i < this.records.length; i++) {
      if (!all.ok) {
        results.push(all);
        continue;
      }
      assert(all.data.length - from >= ANSWER_HEAD_SIZE, "the node's list is cut");
      const head = all.data.dataStart + from;
      from += load<u32>(head);
      assert(from <= all.data.length, "the node's list is cut");
      results.push(resultOf(i, head));
    }
    return results;
  }
}

/** Of a record: size (4), size of the data here (4), value (8), size of all the data (8), the data. */
function resultOf(index: u32, head: usize): Result {
  const result = new Result(load<i64>(head, 8));
  const here = load<u32>(head, 4);
  if (!result.ok) {
    result.message = String.UTF8.decodeUnsafe(head + ANSWER_HEAD_SIZE, here);
    return result;
  }
  const data = new Uint8Array(<i32>load<u64>(head, 16));
  memory.copy(data.dataStart, head + ANSWER_HEAD_SIZE, here);
  return filled(result, data, here, index);
}

function encoded(text: string): ArrayBuffer {
  return String.UTF8.encode(text);
}

function copied(data: Uint8Array): ArrayBuffer {
  return data.buffer.slice(data.byteOffset, data.byteOffset + data.length);
}
