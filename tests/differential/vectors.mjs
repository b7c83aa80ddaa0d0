// SPDX-License-Identifier: Apache-2.0
// vectors.mjs FOLDER SEED: writes a module with functions for each vector instruction, and FOLDER/vectors.json, which
// says, in the form of wast2json, what Node's engine answers to each call of them.  The same seed gives the same module.
//
// Operands are edge values in every lane width; they come to the instruction from memory,
// from locals that stay in registers or were driven out of them by a call, as constants, and from a deep stack.  NaNs of
// arithmetic are made canonical before their bits can be seen.
import { mkdirSync, writeFileSync } from 'node:fs';
import { ARITHMETIC, I32, I64, LETTERS, NAN_LANES, Random, V128, VECTOR_INSTRUCTIONS, signed, unsigned, section, string, vector } from './program.mjs';

const [folder, seed] = [process.argv[2], Number(process.argv[3])];
const random = new Random(seed);
const PAGE = 65536;

const byText = Object.fromEntries(VECTOR_INSTRUCTIONS.map((i) => [i.text, i]));

// --- Edge values

const INTEGERS = { 1: [0, 1, 2, 0x7f, 0x80, 0x81, 0xfe, 0xff, 0x0f, 0x10, 0x55], 2: [0, 1, 0x7f, 0x80, 0xff, 0x100, 0x7fff, 0x8000, 0x8001, 0xffff],
  4: [0, 1, 0xffff, 0x10000, 0x7fffffff, 0x80000000, 0x80000001, 0xffffffff],
  8: [0n, 1n, 0x7fffffffffffffffn, 0x8000000000000000n, 0x8000000000000001n, 0xffffffffffffffffn, 0xffffffffn, 0x100000000n] };
const SINGLES = [0, 0x80000000, 1, 0x807fffff, 0x3f800000, 0xbf800000, 0x3f000000, 0x3effffff, 0xbf000000, 0x40200000, 0x4b000001, 0xcb000001,
  0x4effffff, 0x4f000000, 0xcf000000, 0xcf000001, 0x4f7fffff, 0x4f800000, 0x7f7fffff, 0xff7fffff, 0x7f800000, 0xff800000, 0x7fc00000, 0xffc00000,
  0x7f800001, 0xffbfffff, 0x7fffffff, 0x7fa00000];
const DOUBLES = [0n, 1n << 63n, 1n, 0x3ff0000000000000n, 0xbff0000000000000n, 0x3fe0000000000000n, 0x4004000000000000n, 0x41dfffffffc00000n,
  0x41dfffffffe00000n, 0x41e0000000000000n, 0xc1e0000000000000n, 0xc1e0000000200000n, 0x41efffffffe00000n, 0x41f0000000000000n, 0x4330000000000001n,
  0x7fefffffffffffffn, 0x7ff0000000000000n, 0xfff0000000000000n, 0x7ff8000000000000n, 0xfff8000000000000n, 0x7ff0000000000001n, 0xfff7ffffffffffffn,
  0x3810000000000000n, 0x36a0000000000000n, 0x47efffffe0000000n, 0x47effffff0000000n];

function makeVector() {
  const bytes = Buffer.alloc(16);
  const kind = random.below(7);
  const put = { 1: (n, at) => bytes.writeUInt8(Number(n), at), 2: (n, at) => bytes.writeUInt16LE(Number(n), at),
    4: (n, at) => bytes.writeUInt32LE(Number(n), at), 8: (n, at) => bytes.writeBigUInt64LE(BigInt(n), at) };
  if (kind === 6) {
    for (let at = 0; at < 16; at++) bytes[at] = random.below(256);
    return bytes;
  }
  const width = kind < 4 ? 1 << kind : kind === 4 ? 4 : 8;
  const from = kind < 4 ? INTEGERS[width] : kind === 4 ? SINGLES : DOUBLES;
  for (let at = 0; at < 16; at += width) put[width](random.pick(from), at);
  return bytes;
}

const VECTORS = Array.from({ length: 256 }, makeVector);
const COUNTS = [0, 1, 3, 7, 8, 9, 15, 16, 17, 31, 32, 33, 63, 64, 65, 127, -1, -8];

// --- Code

const op = (text, ...immediates) => [0xfd, ...unsigned(byText[text].code), ...immediates];
const constant = (bytes) => op('v128.const', ...bytes);
const get = (index) => [0x20, ...unsigned(index)];
const set = (index) => [0x21, ...unsigned(index)];
const i32 = (n) => [0x41, ...signed(n)];

// Results as one or two i64; v128 scratch local 0.
function show(instruction) {
  const code = [];
  if (instruction.result === 'v') {
    const arithmetic = ARITHMETIC.exec(instruction.text);
    code.push(...set(0));
    if (arithmetic) {
      code.push(...constant(NAN_LANES[arithmetic[1]]), ...get(0), ...get(0), ...get(0), ...op(`${arithmetic[1]}.ne`),
        ...op('v128.bitselect'), ...set(0));
    }
    code.push(...get(0), ...op('i64x2.extract_lane', 0), ...get(0), ...op('i64x2.extract_lane', 1));
  } else if (instruction.result === 'i') code.push(0xad);
  else if (instruction.result === 'f') code.push(0xbc, 0xad);
  else if (instruction.result === 'F') code.push(0xbd);
  return code;
}

// An operand of a type from a row of the table of vectors, which stands at the start of memory.
function fromMemory(type, row) {
  const address = i32(16 * row);
  if (type === 'v') return [...address, ...op('v128.load', 0, 0)];
  return [...address, ...{ i: [0x28], I: [0x29], f: [0x2a], F: [0x2b] }[type], 0, 0];
}

function asConstant(type, row) {
  const bytes = VECTORS[row];
  if (type === 'v') return constant(bytes);
  if (type === 'i') return i32(bytes.readInt32LE(0));
  if (type === 'I') return [0x42, ...signed(bytes.readBigInt64LE(0))];
  return type === 'f' ? [0x43, ...bytes.subarray(0, 4)] : [0x44, ...bytes.subarray(0, 8)];
}

// Functions: 0 is called to drive locals out of registers.  Locals: v128 0; then a local per operand; then an i32.
const bodies = [], names = [], types = [[0x60, 0, 0], [0x60, 0, 1, I64], [0x60, 0, 2, I64, I64]], functionTypes = [0];
bodies.push([0, 0x0b]);

function addFunction(name, locals, code, results) {
  bodies.push([...vector(locals.map((type) => [1, type])), ...code, 0x0b]);
  functionTypes.push(results);
  names.push(name);
}

const resultType = (instruction) => (instruction.result === 'v' ? 2 : instruction.result === '' ? 0 : 1);

// One use of an instruction with operands from rows; `ways` says how each comes.
function addUse(instruction, rows, ways, immediates, before = []) {
  const locals = [V128, ...[...instruction.operands].map((letter) => LETTERS[letter]), I32];
  const head = [], operands = [];
  [...instruction.operands].forEach((letter, i) => {
    if (ways[i] === 'local' || ways[i] === 'driven') {
      head.push(...fromMemory(letter, rows[i]), ...set(1 + i));
      // Used often, so that it is worth a register.
      if (letter === 'v') head.push(...get(1 + i), ...get(1 + i), ...op('v128.or'), ...set(1 + i));
      operands.push(...get(1 + i));
    } else operands.push(...(ways[i] === 'constant' ? asConstant(letter, rows[i]) : fromMemory(letter, rows[i])));
  });
  if (ways.includes('driven')) head.push(0x10, 0);
  const isDeep = ways.includes('deep');
  const below = isDeep ? [...constant(VECTORS[1]), ...constant(VECTORS[2]), ...fromMemory('v', 3), ...fromMemory('v', 4), ...fromMemory('v', 5)] : [];
  const above = isDeep ? [...op('v128.xor'), ...op('i8x16.add'), ...op('v128.xor'), ...op('i32x4.sub'), ...op('v128.xor')] : [];
  const code = [...before, ...head, ...below, ...operands, 0xfd, ...unsigned(instruction.code), ...immediates];
  if (isDeep && instruction.result === 'v') {
    const end = { result: 'v', text: '' };
    // What stands above is folded into what is below, bit by bit, after NaNs became canonical.
    const shown = show(instruction);
    const canonical = ARITHMETIC.test(instruction.text) ? shown.slice(0, shown.length - get(0).length * 2 - op('i64x2.extract_lane', 0).length * 2) : set(0);
    addFunction(instruction.text, locals, [...code, ...canonical, ...get(0), ...above, ...show(end)], 2);
  } else if (isDeep) {
    const drops = Array.from({ length: 5 }, () => 0x1a);
    const keep = resultType(instruction) === 1 ? [[...show(instruction), 0x42, 0, 0x7c], drops] : [[], drops];
    locals.push(I64);
    const kept = locals.length - 1;
    addFunction(instruction.text, locals, [...code, ...keep[0], ...set(kept), ...keep[1], ...get(kept)], 1);
  } else {
    addFunction(instruction.text, locals, [...code, ...show(instruction)], resultType(instruction));
  }
}

const WAYS = ['memory', 'local', 'driven', 'constant', 'deep'];

function immediatesOf(instruction, lane) {
  if (instruction.kind === 'LANE') return [lane];
  if (instruction.text === 'i8x16.shuffle') return lane;
  return [];
}

function addPlain(instruction, immediates, count) {
  for (let i = 0; i < count; i++) {
    const rows = [...instruction.operands].map(() => random.below(VECTORS.length));
    const ways = [...instruction.operands].map(() => random.pick(WAYS));
    if (i % 7 === 0 && instruction.operands.length === 2) rows[1] = rows[0];
    addUse(instruction, rows, ways, immediates);
  }
}

// Shifts: counts of every kind.
function addShifts(instruction) {
  for (const count of COUNTS) {
    for (const way of ['constant', 'local', 'memory']) {
      const row = random.below(VECTORS.length);
      const locals = [V128, I32];
      const number = way === 'constant' ? i32(count) : way === 'local' ? get(1) : [...i32(count), ...i32(0), 0x6a];
      addFunction(instruction.text, locals, [...i32(count), ...set(1), ...fromMemory('v', row), ...number,
        0xfd, ...unsigned(instruction.code), ...show(instruction)], 2);
    }
  }
}

function shuffles() {
  const all = [];
  const add = (f) => all.push(Array.from({ length: 16 }, (_, i) => ((f(i) % 32) + 32) % 32));
  for (let lane = 0; lane < 32; lane++) add(() => lane); // one lane everywhere
  for (let first = 0; first < 32; first++) add((i) => first + i); // windows, over both ends
  for (const width of [1, 2, 4, 8]) {
    for (const [x, y] of [[0, 16], [16, 0], [8, 24], [24, 8], [0, 0], [8, 8], [0, 24]]) {
      add((i) => (Math.floor(i / width) % 2 ? y : x) + Math.floor(i / width / 2) * width + (i % width));
    }
    for (let mask = 0; mask < 1 << 16 / width && mask < 256; mask += width === 1 ? 7 : 1) {
      add((i) => i + 16 * (mask >> Math.floor(i / width) & 1)); // blends
    }
    add((i) => Math.floor(i / width) * width + width - 1 - (i % width)); // reversed within
    add((i) => 15 - i);
  }
  for (let n = 0; n < 100; n++) { // words of 32 bits, from both, from one, two and two
    const words = Array.from({ length: 4 }, (_, w) => (n % 3 === 0 ? random.below(8) : n % 3 === 1 ? random.below(4) + 4 * (n % 2) : random.below(4) + 4 * (w >> 1)));
    add((i) => words[i >> 2] * 4 + (i & 3));
  }
  for (let n = 0; n < 150; n++) add(() => random.below(n % 3 ? 32 : 16) + (n % 3 === 2 ? 0 : n % 5 === 0 ? 16 : 0));
  return all;
}

function addInstruction(instruction) {
  if (instruction.kind === 'LANE') {
    for (let lane = 0; lane < instruction.extra; lane++) addPlain(instruction, [lane], 5);
  } else if (instruction.operands === 'vi') {
    addShifts(instruction);
  } else if (instruction.kind === 'PLAIN') {
    addPlain(instruction, [], instruction.operands.length * 24 + 16);
  } else if (instruction.text === 'i8x16.shuffle') {
    const shuffle = { ...instruction, operands: 'vv', result: 'v' };
    for (const pattern of shuffles()) addPlain(shuffle, pattern, 2);
    // Followed by what forgets the upper half.
    for (const text of ['i16x8.extend_low_i8x16_s', 'i16x8.extend_low_i8x16_u', 'i32x4.extend_low_i16x8_s', 'i32x4.extend_low_i16x8_u',
      'i64x2.extend_low_i32x4_s', 'i64x2.extend_low_i32x4_u']) {
      for (const first of [0, 4, 8, 16, 24, 28]) {
        const pattern = Array.from({ length: 16 }, (_, i) => (i < 8 ? (first + i) % 32 : random.below(32)));
        addFunction(text, [V128], [...fromMemory('v', random.below(256)), ...fromMemory('v', random.below(256)),
          ...op('i8x16.shuffle', ...pattern), ...op(text), ...show({ result: 'v', text })], 2);
      }
    }
  } else if (instruction.text === 'v128.const') {
    for (let row = 0; row < 40; row++) addFunction(instruction.text, [V128], [...constant(VECTORS[row]), ...show({ result: 'v', text: '' })], 2);
  }
}

// --- Accesses: everywhere around the end of memory, by address, offset and both.

const WIDTHS = { 'v128.load': 16, 'v128.store': 16 };
function widthOf(instruction) {
  const bits = /(?:load|store)(\d+)(x\d+)?/.exec(instruction.text);
  if (WIDTHS[instruction.text]) return 16;
  return bits[2] ? 8 : Number(bits[1]) / 8;
}

function addAccess(instruction) {
  const width = widthOf(instruction);
  const lanesOf = instruction.kind === 'ACCESS_LANE' ? Array.from({ length: 16 >> instruction.extra }, (_, i) => i) : [null];
  for (const lane of lanesOf) {
    const places = [[PAGE - width, 0], [PAGE - width + 1, 0], [PAGE - 1, 0], [PAGE, 0], [0, PAGE - width], [0, PAGE - width + 1], [-1, 0], [-16, 16],
      [0x7fffffff, 1], [0, 0xffffffff], [-1, 0xffffffff], [0x12340, 0x7fffffff], [100 - 37, 37], [4095 - 37, 0], [4096 - 3, 0], [1, 0], [3, 5]];
    for (const [address, offset] of lane === null || lane === 0 ? places : places.slice(0, 2)) {
      for (const way of ['constant', 'local']) {
        const where = way === 'constant' ? i32(address) : get(1);
        const immediates = [0, ...unsigned(offset), ...(lane === null ? [] : [lane])];
        const code = [...i32(address), ...set(1), ...where];
        if (instruction.operands.length === 2) code.push(...fromMemory('v', random.below(256)));
        code.push(0xfd, ...unsigned(instruction.code), ...immediates);
        if (instruction.result === 'v') addFunction(instruction.text, [V128, I32], [...code, ...show(instruction)], 2);
        else addFunction(instruction.text, [V128, I32], code, 0);
        if (instruction.result === '') { // what is in memory now: at the end, and around the address when that is within
          const read = (at) => addFunction(`after ${instruction.text}`, [V128], [...i32(at), ...op('v128.load', 0, 0), ...show({ result: 'v', text: '' })], 2);
          read(PAGE - 16);
          if (address >= 16 && address + offset < PAGE - 32) read(address + offset - 8);
        }
      }
    }
  }
}

for (const instruction of VECTOR_INSTRUCTIONS) {
  if (instruction.kind.startsWith('ACCESS')) continue;
  addInstruction(instruction);
}
for (const instruction of VECTOR_INSTRUCTIONS) {
  if (instruction.kind.startsWith('ACCESS')) addAccess(instruction);
}

const data = Buffer.concat(VECTORS);
const binary = Uint8Array.from([
  0, 0x61, 0x73, 0x6d, 1, 0, 0, 0,
  ...section(1, vector(types)),
  ...section(3, vector(functionTypes.map((type) => unsigned(type)))),
  ...section(5, vector([[1, 1, 1]])),
  ...section(7, vector(names.map((_, i) => [...string(`f${i}`), 0, ...unsigned(1 + i)]))),
  ...section(10, vector(bodies.map((body) => [...unsigned(body.length), ...body]))),
  ...section(11, vector([[0, 0x41, 0, 0x0b, ...vector([...data].map((byte) => [byte]))]])),
]);
mkdirSync(folder, { recursive: true });
writeFileSync(`${folder}/vectors.wasm`, binary);
const instance = new WebAssembly.Instance(new WebAssembly.Module(binary));
const commands = [{ type: 'module', line: 0, filename: 'vectors.wasm' }];
names.forEach((name, i) => {
  const action = { type: 'invoke', field: `f${i}`, args: [] };
  let command;
  try {
    const answer = instance.exports[`f${i}`]();
    const values = answer === undefined ? [] : Array.isArray(answer) ? answer : [answer];
    command = { type: 'assert_return', action, expected: values.map((value) => ({ type: 'i64', value: BigInt.asUintN(64, value).toString() })) };
  } catch (error) {
    if (!/memory access out of bounds/.test(error.message)) throw error;
    command = { type: 'assert_trap', action, text: 'out of bounds memory access', expected: [] };
  }
  commands.push({ line: i, name, ...command });
});
writeFileSync(`${folder}/vectors.json`, JSON.stringify({ source_filename: 'vectors', commands }));
console.error(`${names.length} functions`);
