// SPDX-License-Identifier: Apache-2.0
// Random functions that always validate and always end: loops count down, calls go to earlier functions only, and
// both spend fuel from global 0.

import { readFileSync } from 'node:fs';

export const I32 = 0x7f, I64 = 0x7e, F32 = 0x7d, F64 = 0x7c, V128 = 0x7b;
export const TYPES = [I32, I64, F32, F64, V128];

// The vector instructions, from the compiler's own table: code, text, kind, letters of operands and result, extra.
export const VECTOR_INSTRUCTIONS = [];
const table = readFileSync(new URL('../../src/wasm/vector_opcodes.h', import.meta.url), 'utf8');
for (const match of table.matchAll(/X\((0x\w+), \w+, "([^"]+)", (\w+), (\w+), (\d+)\)/g)) {
  const [operands, result] = match[4] === 'none' ? ['', ''] : match[4].split('_');
  VECTOR_INSTRUCTIONS.push({ code: Number(match[1]), text: match[2], kind: match[3], operands, result, extra: Number(match[5]) });
}
export const LETTERS = { i: I32, I: I64, f: F32, F: F64, v: V128 };
// Float arithmetic, whose NaN may be any: the lanes it is in.
export const ARITHMETIC = /^(f32x4|f64x2)\.(add|sub|mul|div|min|max|sqrt|ceil|floor|trunc|nearest|demote_f64x2_zero|promote_low_f32x4)$/;
export const NAN_LANES = { f32x4: Buffer.from('0000c07f'.repeat(4), 'hex'), f64x2: Buffer.from('000000000000f87f'.repeat(2), 'hex') };

export class Random {
  constructor(seed) {
    this.state = BigInt(seed) * 0x9e3779b97f4a7c15n + 0x1234567n & 0xffffffffffffffffn;
  }
  bits() {
    this.state = this.state + 0x9e3779b97f4a7c15n & 0xffffffffffffffffn;
    let z = this.state;
    z = (z ^ z >> 30n) * 0xbf58476d1ce4e5b9n & 0xffffffffffffffffn;
    z = (z ^ z >> 27n) * 0x94d049bb133111ebn & 0xffffffffffffffffn;
    return z ^ z >> 31n;
  }
  below(limit) { return Number(this.bits() >> 11n) % limit; }
  chance(oneIn) { return this.below(oneIn) === 0; }
  pick(list) { return list[this.below(list.length)]; }
}

export function unsigned(number) {
  const bytes = [];
  do {
    bytes.push(number % 128 + (number >= 128 ? 128 : 0));
    number = Math.floor(number / 128);
  } while (number > 0);
  return bytes;
}

export function signed(number) {
  const bytes = [];
  for (let value = BigInt(number); ;) {
    const byte = Number(value & 0x7fn);
    value >>= 7n;
    const last = (value === 0n && byte < 64) || (value === -1n && byte >= 64);
    bytes.push(byte + (last ? 0 : 128));
    if (last) return bytes;
  }
}

export const vector = (items) => [...unsigned(items.length), ...items.flat()];
export const string = (text) => vector([...Buffer.from(text)].map((b) => [b]));
export const section = (id, content) => [id, ...unsigned(content.length), ...content];

const INTEGERS = [0n, 1n, -1n, 2n, 3n, 7n, 8n, 31n, 32n, 63n, 64n, 127n, 128n, 255n, 256n, 1000n, 65535n, 65536n, -128n, -129n, -32768n,
  0x7fffffffn, -0x80000000n, 0xffffffffn, 0x100000000n, 0x7fffffffffffffffn, -0x8000000000000000n];
const FLOATS = [0, -0, 1, -1, 0.5, 1.5, 2.5, -0.1, 1e10, -1e10, 2147483647, 2147483648, -2147483649, 4294967296, 9.2e18, 1.9e19, 1e38, 1e-40, 5e-324,
  Infinity, -Infinity, NaN];

// Opcodes by result type.  [opcode, operand types]
const OPERATIONS = { [I32]: [], [I64]: [], [F32]: [], [F64]: [], [V128]: [] };
const TRAPPING = { [I32]: [], [I64]: [] };
function add(result, operands, first, last = first) {
  for (let opcode = first; opcode <= last; opcode++) OPERATIONS[result].push([[opcode], operands]);
}
for (const [type, eqz, compare, last] of [[I32, 0x45, 0x46, 0x4f], [I64, 0x50, 0x51, 0x5a]]) {
  add(I32, [type], eqz);
  add(I32, [type, type], compare, last);
}
for (const [type, compare] of [[F32, 0x5b], [F64, 0x61]]) add(I32, [type, type], compare, compare + 5);
for (const [type, first] of [[I32, 0x67], [I64, 0x79]]) {
  add(type, [type], first, first + 2);
  add(type, [type, type], first + 3, first + 5);
  add(type, [type, type], first + 10, first + 17);
  for (let i = 6; i < 10; i++) TRAPPING[type].push([[first + i], [type, type]]);
}
for (const [type, first] of [[F32, 0x8b], [F64, 0x99]]) {
  add(type, [type], first, first + 6);
  add(type, [type, type], first + 7, first + 12);
}
add(I32, [I64], 0xa7);
add(I64, [I32], 0xac, 0xad);
for (const [result, operand, first] of [[I32, F32, 0xa8], [I32, F64, 0xaa], [I64, F32, 0xae], [I64, F64, 0xb0]]) {
  TRAPPING[result].push([[first], [operand]], [[first + 1], [operand]]);
}
for (const [result, operand, first] of [[F32, I32, 0xb2], [F32, I64, 0xb4], [F64, I32, 0xb7], [F64, I64, 0xb9]]) add(result, [operand], first, first + 1);
add(F32, [F64], 0xb6);
add(F64, [F32], 0xbb);
add(F32, [I32], 0xbe);
add(F64, [I64], 0xbf);
add(I32, [I32], 0xc0, 0xc1);
add(I64, [I64], 0xc2, 0xc4);
for (const [code, result, operand] of [[0, I32, F32], [2, I32, F64], [4, I64, F32], [6, I64, F64]]) {
  OPERATIONS[result].push([[0xfc, code], [operand]], [[0xfc, code + 1], [operand]]);
}
// [opcode, operand types, lanes whose NaN is made canonical at once, so that vectors hold exact bits everywhere]
const VECTOR_LOADS = [];
{
  const random = new Random(128);
  const code = ({ code: n }) => [0xfd, ...unsigned(n)];
  for (const one of VECTOR_INSTRUCTIONS) {
    const operands = [...one.operands].map((letter) => LETTERS[letter]), list = OPERATIONS[LETTERS[one.result]];
    if (one.kind === 'ACCESS' && one.result === 'v') VECTOR_LOADS.push(code(one));
    if (one.kind === 'PLAIN') list.push([code(one), operands, ARITHMETIC.exec(one.text)?.[1]]);
    if (one.kind === 'LANE') for (let i = 0; i < 3; i++) list.push([[...code(one), random.below(one.extra)], operands]);
    for (let i = 0; one.text === 'i8x16.shuffle' && i < 24; i++) {
      const first = random.below(32), step = random.pick([0, 1, 1, 2, 5]);
      OPERATIONS[V128].push([[...code(one), ...Array.from({ length: 16 }, (_, n) => (first + n * step) % 32)], [V128, V128]]);
    }
  }
}
const LOADS = { [I32]: [0x28, 0x2c, 0x2d, 0x2e, 0x2f], [I64]: [0x29, 0x30, 0x31, 0x32, 0x33, 0x34, 0x35], [F32]: [0x2a], [F64]: [0x2b], [V128]: VECTOR_LOADS };
const STORES = { [I32]: [0x36, 0x3a, 0x3b], [I64]: [0x37, 0x3c, 0x3d, 0x3e], [F32]: [0x38], [F64]: [0x39], [V128]: [[0xfd, 0x0b]] };
const NOT_EQUAL = { [F32]: 0x5c, [F64]: 0x62 };
const COPYSIGN = { [F32]: 0x98, [F64]: 0xa6 };
const REINTERPRET = { [F32]: 0xbc, [F64]: 0xbd };
const FUEL = 400, COUNTERS = 3;

export class Function_ {
  // `callees`: signatures of the functions before this one, which it may call by index.
  constructor(random, signature, callees) {
    Object.assign(this, { random, signature, callees, depth: 0, counters: 0, labels: [] });
    this.own = Array.from({ length: random.chance(5) ? 30 : random.below(9) }, () => random.pick(TYPES));
    this.variables = [...signature.parameters, ...this.own];
    this.firstCounter = this.variables.length;
    this.scratch = { [F32]: this.firstCounter + COUNTERS, [F64]: this.firstCounter + COUNTERS + 1, [V128]: this.firstCounter + COUNTERS + 2 };
  }

  static constant(random, type) {
    if (type === I32 || type === I64) {
      const bits = type === I32 ? 32 : 64;
      const number = random.chance(4) ? random.bits() : random.pick(INTEGERS);
      return [type === I32 ? 0x41 : 0x42, ...signed(BigInt.asIntN(bits, number))];
    }
    if (type === V128) {
      const width = 1 << random.below(4), bytes = Buffer.alloc(16);
      for (let at = 0; at < 16; at += width) {
        const lane = Buffer.alloc(8);
        lane.writeBigUInt64LE(BigInt.asUintN(64, random.chance(3) ? random.bits() : random.pick(INTEGERS)));
        lane.copy(bytes, at, 0, width);
      }
      return [0xfd, 0x0c, ...(random.chance(4) ? Buffer.alloc(16, random.pick([0, 255])) : bytes)];
    }
    const number = random.chance(3) ? (random.below(2000001) - 1000000) / 64 : random.pick(FLOATS);
    const view = new DataView(new ArrayBuffer(8));
    if (type === F32) view.setFloat32(0, number, true);
    else view.setFloat64(0, number, true);
    return [type === F32 ? 0x43 : 0x44, ...new Uint8Array(view.buffer, 0, type === F32 ? 4 : 8)];
  }

  static nan(type) {
    return type === F32 ? [0x43, 0, 0, 0xc0, 0x7f] : [0x44, 0, 0, 0, 0, 0, 0, 0xf8, 0x7f];
  }

  // Code that leaves a float, followed by making it canonical if it is a NaN.
  canonical(type, code, scratch = this.scratch[type]) {
    const t = unsigned(scratch);
    return [...Function_.nan(type), ...code, 0x22, ...t, 0x20, ...t, 0x20, ...t, NOT_EQUAL[type], 0x1b];
  }

  // An operand of an operation that shows the bits of its floats.
  exact(type) {
    const code = this.value(type);
    return type === F32 || type === F64 ? this.canonical(type, code) : code;
  }

  readable(type) {
    const found = this.variables.flatMap((t, i) => (t === type ? [i] : []));
    if (type === I32) for (let i = 0; i < this.counters; i++) found.push(this.firstCounter + i);
    return found;
  }

  writable(type) { return this.variables.flatMap((t, i) => (t === type ? [i] : [])); }
  global(type) { return unsigned(1 + 2 * TYPES.indexOf(type) + this.random.below(2)); }

  address() {
    const offset = unsigned(this.random.chance(3) ? this.random.below(1000) : this.random.below(4) * 8);
    const code = this.random.chance(300) ? this.value(I32) // may lie outside
      : [...this.value(I32), 0x41, ...signed(this.random.chance(2) ? 0x7fff : 0xff8), 0x71];
    return [code, offset];
  }

  // Code that leaves one value of the type.
  value(type) {
    const { random } = this;
    const locals = this.readable(type);
    if (this.depth > 6 || random.chance(4)) {
      if (locals.length > 0 && !random.chance(3)) return [0x20, ...unsigned(random.pick(locals))];
      return random.chance(5) ? [0x23, ...this.global(type)] : Function_.constant(random, type);
    }
    this.depth++;
    const code = this.compound(type, locals);
    this.depth--;
    return code;
  }

  compound(type, locals) {
    const { random } = this;
    switch (random.below(19)) {
      case 16: return this.multiple(type);
      case 17: return this.valueTable(type);
      case 18: return this.jump(type);
      case 0: {
        const [address, offset] = this.address();
        return [...address, ...[random.pick(LOADS[type])].flat(), 0, ...offset];
      }
      case 1: return [...this.value(type), ...this.value(type), ...this.value(I32), 0x1b];
      case 2: return this.branchingBlock([type]);
      case 3: return [...this.value(I32), 0x04, type, ...this.block(() => [...this.statements(2), ...this.value(type)], [type]),
        0x05, ...this.block(() => this.value(type), [type]), 0x0b];
      case 4: {
        const targets = this.writable(type);
        return targets.length === 0 ? this.value(type) : [...this.value(type), 0x22, ...unsigned(random.pick(targets))];
      }
      case 5: return this.call(type);
      case 6: {
        const list = TRAPPING[type];
        return list && random.chance(60) ? this.apply(random.pick(list)) : this.division(type);
      }
      case 7: if (type === V128) return this.apply(random.pick(OPERATIONS[type]));
        return type === F32 || type === F64 ? [...this.value(type), ...this.exact(type), COPYSIGN[type]] : this.reinterpreted(type);
      case 8: return type === I32 && random.chance(3) ? [0x3f, 0] : this.apply(random.pick(OPERATIONS[type]));
      default: return this.apply(random.pick(OPERATIONS[type]));
    }
  }

  apply([opcode, operands, nanLanes]) {
    const isVector = opcode[0] === 0xfd; // shows the bits of its scalars
    const code = [...operands.flatMap((t) => (isVector ? this.exact(t) : this.value(t))), ...opcode];
    if (!nanLanes) return code;
    const get = [0x20, ...unsigned(this.scratch[V128])], notEqual = nanLanes === 'f32x4' ? 0x42 : 0x48;
    return [...code, 0x21, ...unsigned(this.scratch[V128]), 0xfd, 0x0c, ...NAN_LANES[nanLanes], ...get, ...get, ...get, 0xfd, notEqual, 0xfd, 0x52];
  }

  // Mostly by something that is not zero.
  division(type) {
    if (type !== I32 && type !== I64) return this.apply(this.random.pick(OPERATIONS[type]));
    const [opcode] = this.random.pick(TRAPPING[type].slice(0, 4));
    const divisor = type === I32 ? [0x41, ...signed(this.random.pick([1, 3, 7, 8, 10, 16, 255, 1000, -5]))]
      : [0x42, ...signed(this.random.pick([1, 3, 7, 8, 10, 16, 255, 1000, -5]))];
    return this.random.chance(3) ? [...this.value(type), ...this.value(type), ...(type === I32 ? [0x41, 1, 0x72] : [0x42, 1, 0x84]), opcode[0]]
      : [...this.value(type), ...divisor, opcode[0]];
  }

  reinterpreted(type) {
    const from = type === I32 ? F32 : F64;
    return [...this.exact(from), REINTERPRET[from]];
  }

  // A call of an earlier function with `type` among its results; the other results are dropped.
  call(type) {
    const fits = this.callees.flatMap((s, i) => (s.results.includes(type) ? [i] : []));
    if (fits.length === 0) return this.value(type);
    const index = this.random.pick(fits), { parameters, results } = this.callees[index];
    const indirect = this.random.chance(3);
    const wanted = results.indexOf(type);
    return [
      ...parameters.flatMap((t) => this.value(t)),
      ...(indirect ? [0x41, ...signed(this.random.chance(200) ? index + 1 : index), 0x11, ...unsigned(index), 0] : [0x10, ...unsigned(index)]),
      ...results.slice(wanted + 1).map(() => 0x1a),
      ...this.dropBelow(results.slice(0, wanted), type),
    ];
  }

  // Drops what lies below the topmost value.
  dropBelow(below, type) {
    if (below.length === 0) return [];
    const slot = this.writable(type)[0];
    if (slot === undefined) return below.map(() => 0x1a).concat(0x1a, Function_.constant(this.random, type));
    return [0x21, ...unsigned(slot), ...below.map(() => 0x1a), 0x20, ...unsigned(slot)];
  }

  // `results`: null for a loop, where no branch but its own may go.
  block(inside, results) {
    this.labels.push(results);
    const code = inside();
    this.labels.pop();
    return code;
  }

  // A block that some branches leave early with its result.
  branchingBlock(results) {
    const [type] = results;
    return [0x02, type, ...this.block(() => {
      const early = [...this.value(type), ...this.value(I32), 0x0d, 0];
      return [...early, 0x1a, ...this.statements(2), ...this.value(type)];
    }, results), 0x0b];
  }

  // A block, if or loop with the type of an earlier function: several parameters and results.
  multiple(type) {
    const fits = this.callees.flatMap((s, i) => (s.results.includes(type) ? [i] : []));
    if (fits.length === 0) return this.value(type);
    const index = this.random.pick(fits), { parameters, results } = this.callees[index];
    const take = [...parameters].reverse().flatMap((t) => this.put(t));
    const give = (types) => types.flatMap((t) => this.value(t));
    const inside = () => this.block(() => [...take, ...this.statements(2),
      ...(this.random.chance(2) ? [...give(results), ...this.value(I32), 0x0d, 0, ...results.map(() => 0x1a)] : []),
      ...give(results)], results);
    const wanted = results.indexOf(type);
    const after = [...results.slice(wanted + 1).map(() => 0x1a), ...this.dropBelow(results.slice(0, wanted), type)];
    if (this.random.chance(3)) return [...give(parameters), ...this.value(I32), 0x04, ...signed(index), ...inside(), 0x05, ...inside(), 0x0b, ...after];
    if (this.counters === COUNTERS || this.random.chance(2)) return [...give(parameters), 0x02, ...signed(index), ...inside(), 0x0b, ...after];
    const counter = unsigned(this.firstCounter + this.counters++);
    const code = [0x41, ...signed(1 + this.random.below(4)), 0x21, ...counter, ...give(parameters), 0x03, ...signed(index), ...this.block(() => [
      ...take, ...this.statements(2), ...give(parameters),
      0x20, ...counter, 0x41, ...signed(1), 0x6b, 0x22, ...counter, 0x0d, 0, ...parameters.map(() => 0x1a), ...give(results),
    ], null), 0x0b, ...after];
    this.counters--;
    return code;
  }

  // Takes a value off the stack.
  put(type) {
    const targets = this.writable(type);
    return targets.length > 0 && !this.random.chance(4) ? [0x21, ...unsigned(this.random.pick(targets))] : [0x1a];
  }

  // br_table that carries a value out of one of two blocks.
  valueTable(type) {
    const targets = Array.from({ length: this.random.below(4) }, () => unsigned(this.random.below(2)));
    return [0x02, type, ...this.block(() => [
      0x02, type, ...this.block(() => [...this.value(type), ...this.value(I32), 0x0e, ...vector(targets), ...unsigned(this.random.below(2)),
        ...this.dead()], [type]), 0x0b,
      ...this.put(type), ...this.value(type)], [type]), 0x0b];
  }

  // A branch that is always taken, with dead code behind it.
  jump(type) {
    return [0x02, type, ...this.block(() => [...this.statements(1), ...this.value(type), 0x0c, 0, ...this.dead()], [type]), 0x0b];
  }

  dead() {
    return this.random.pick([[], [0x00], [0x6a, 0x1a], [0x1b, 0x1a], [0x41, 1, 0x04, 0x40, 0x01, 0x0b], [0x02, 0x40, 0x0c, 0, 0x0b], this.statement()]);
  }

  statements(most) {
    const code = [];
    for (let i = this.random.below(most + 1); i > 0; i--) code.push(...this.statement());
    return code;
  }

  statement() {
    const { random } = this;
    if (this.depth > 5) return [0x01];
    this.depth++;
    const code = this.compoundStatement(random.pick(TYPES));
    this.depth--;
    return code;
  }

  compoundStatement(type) {
    const { random } = this;
    switch (random.below(12)) {
      case 0: case 1: case 2: {
        const targets = this.writable(type);
        return targets.length === 0 ? [...this.value(type), 0x1a] : [...this.value(type), 0x21, ...unsigned(random.pick(targets))];
      }
      case 3: {
        const [address, offset] = this.address();
        return [...address, ...this.exact(type), ...[random.pick(STORES[type])].flat(), 0, ...offset];
      }
      case 4: return [...this.value(type), 0x24, ...this.global(type)];
      case 5: return [...this.value(I32), 0x04, 0x40, ...this.block(() => this.statements(4), []),
        ...(random.chance(2) ? [0x05, ...this.block(() => this.statements(4), [])] : []), 0x0b];
      case 6: case 7: return this.loop();
      case 8: return [0x02, 0x40, ...this.block(() => [...this.statements(2), ...this.value(I32), 0x0d, 0, ...this.statements(3),
        ...(random.chance(4) ? [0x0c, 0, ...this.value(type), 0x1a] : [])], []), 0x0b];
      case 9: return this.table();
      case 10: return this.bulk();
      default: return this.leave(type);
    }
  }

  loop() {
    if (this.counters === COUNTERS) return [0x01];
    const counter = unsigned(this.firstCounter + this.counters++);
    const code = [0x41, ...signed(1 + this.random.below(5)), 0x21, ...counter, 0x03, 0x40, ...this.block(() => [
      0x23, 0, 0x41, 1, 0x6b, 0x24, 0, // fuel
      ...this.statements(4),
      0x20, ...counter, 0x41, ...signed(1), 0x6b, 0x22, ...counter,
      ...this.random.pick([[], [0x41, 0, 0x4a, 0x23, 0, 0x41, 0, 0x4a, 0x71], [0x41, 0, 0x4a], [0x45, 0x45]]),
      0x0d, 0,
    ], null), 0x0b];
    this.counters--;
    return code;
  }

  table() {
    const blocks = 1 + this.random.below(4);
    const targets = Array.from({ length: this.random.below(6) }, () => unsigned(this.random.below(blocks)));
    const nested = (open) => (open === 0 ? [...this.value(I32), 0x0e, ...vector(targets), ...unsigned(this.random.below(blocks))]
      : [0x02, 0x40, ...this.block(() => nested(open - 1), []), 0x0b, ...this.statements(1)]);
    return nested(blocks);
  }

  bulk() {
    const masked = () => [...this.value(I32), 0x41, ...signed(0x3fff), 0x71];
    const size = this.random.chance(2) ? [0x41, ...signed(this.random.below(300))] : [...this.value(I32), 0x41, ...signed(0x1ff), 0x71];
    return this.random.chance(2) ? [...masked(), ...this.value(I32), ...size, 0xfc, 11, 0] : [...masked(), ...masked(), ...size, 0xfc, 10, 0, 0];
  }

  // Out of an enclosing block without results, or out of the function, under a condition.
  leave() {
    const blocks = this.labels.flatMap((results, i) => (results?.length === 0 ? [this.labels.length - 1 - i] : []));
    if (blocks.length > 0 && !this.random.chance(4)) return [...this.value(I32), 0x0d, ...unsigned(this.random.pick(blocks))];
    return [...this.value(I32), 0x04, 0x40, ...this.block(() => this.signature.results.flatMap((t) => this.value(t)), []), 0x0f, 0x0b];
  }

  body() {
    const { results } = this.signature;
    const fallback = results.flatMap((t) => Function_.constant(this.random, t));
    const code = [
      0x23, 0, 0x41, 1, 0x6b, 0x24, 0, 0x23, 0, 0x41, 0, 0x48, 0x04, 0x40, ...fallback, 0x0f, 0x0b,
      ...this.statements(8),
      ...results.flatMap((t) => this.value(t)), 0x0b,
    ];
    return [...this.locals(), ...code];
  }

  locals() {
    const types = [...this.own, ...Array(COUNTERS).fill(I32), F32, F64, V128];
    return vector(types.map((type) => [1, type]));
  }

  // () -> i64: calls function `index` with fixed arguments and hashes its results, the globals and the memory.
  static wrapper(random, signature, index) {
    const hash = 0, at = 1, scratch = { [F32]: 2, [F64]: 3 }, integer = { [I32]: 4, [I64]: 5, [V128]: 6 };
    const mix = (code) => [0x20, hash, 0x42, 13, 0x89, 0x42, ...signed(0x1b873593), 0x7e, ...code, 0x85, 0x21, hash];
    const bits = { [I32]: [0xad], [I64]: [], [F32]: [0xbc, 0xad], [F64]: [0xbd] };
    const canonical = Function_.prototype.canonical;
    // Both halves of a vector; `code` leaves the same each time.
    const halves = (code) => [...code, 0xfd, 0x1d, 0, ...code, 0xfd, 0x1d, 1, 0x42, 29, 0x89, 0x85];
    const see = (type, code) => type === V128 ? halves(code) : [...(NOT_EQUAL[type] ? canonical.call(null, type, code, scratch[type]) : code), ...bits[type]];
    const code = [0x41, ...signed(FUEL), 0x24, 0, ...signature.parameters.flatMap((t) => Function_.constant(random, t)), 0x10, ...unsigned(index)];
    for (const type of [...signature.results].reverse()) {
      const slot = scratch[type] ?? integer[type];
      code.push(0x21, slot, ...mix(see(type, [0x20, slot])));
    }
    for (const [i, type] of TYPES.entries()) {
      for (let g = 1 + 2 * i; g < 3 + 2 * i; g++) code.push(...mix(see(type, [0x23, g])));
    }
    code.push(0x03, 0x40, ...mix([0x20, at, 0x29, 3, 0]), 0x20, at, 0x41, 8, 0x6a, 0x22, at, 0x41, ...signed(0x9000), 0x49, 0x0d, 0, 0x0b);
    code.push(0x20, hash, 0x0b);
    return [...vector([[1, I64], [1, I32], [1, F32], [1, F64], [1, I32], [1, I64], [1, V128]]), ...code];
  }
}
