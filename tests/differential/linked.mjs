// SPDX-License-Identifier: Apache-2.0
// linked.mjs FOLDER SEED COUNT: writes COUNT groups of random modules that are linked with each other, and
// FOLDER/linked.N.json, which says what Node's engine answers to each of their calls (see generate.mjs).
//
// A group's functions are numbered through: each module imports all earlier ones, so that bodies call them by the same
// numbers wherever they stand.  Fuel and the table are shared by all; memory and the other globals by chance.
import { mkdirSync, writeFileSync } from 'node:fs';
import { Function_, I32, I64, TYPES, Random, unsigned, section, string, vector } from './program.mjs';
import { observe } from './observe.mjs';

const MODULES = 3, EACH = 4, FUNCTIONS = MODULES * EACH, GROUPS_A_FILE = 100;
const [folder, seed, count] = [process.argv[2], Number(process.argv[3]), Number(process.argv[4])];

// Where a module takes something from: any earlier one that has it, all of which pass it on.
const source = (random, number) => `m${random.below(number)}`;

function makeModule(random, number, signatures, shares) {
  const first = number * EACH, last = first + EACH, wrapperType = FUNCTIONS, globalCount = 1 + 2 * TYPES.length;
  const types = [...signatures.map((s) => [0x60, ...vector(s.parameters), ...vector(s.results)]), [0x60, 0, 1, I64]];
  const globalType = (i) => (i === 0 ? I32 : TYPES[(i - 1) >> 1]);
  const imports = [];
  for (let i = 0; i < first; i++) {
    imports.push([...string(random.chance(2) ? `m${Math.floor(i / EACH)}` : `m${number - 1}`), ...string(`f${i}`), 0, ...unsigned(i)]);
  }
  if (number > 0) imports.push([...string(source(random, number)), ...string('table'), 1, 0x70, 1, FUNCTIONS, FUNCTIONS]);
  if (shares.memory) imports.push([...string(source(random, number)), ...string('memory'), 2, 1, 1, 2]);
  const importedGlobals = number === 0 ? 0 : shares.globals ? globalCount : 1;
  for (let i = 0; i < importedGlobals; i++) imports.push([...string(source(random, number)), ...string(`g${i}`), 3, globalType(i), 1]);
  const globals = [];
  for (let i = importedGlobals; i < globalCount; i++) globals.push([globalType(i), 1, ...Function_.constant(random, globalType(i)), 0x0b]);
  const bodies = [], exported = [];
  for (let i = first; i < last; i++) {
    bodies.push(new Function_(random, signatures[i], signatures.slice(0, i)).body());
    exported.push(Function_.wrapper(random, signatures[i], i));
  }
  const exports = exported.map((_, i) => [...string(`r${first + i}`), 0, ...unsigned(last + i)]);
  for (let i = 0; i < last; i++) exports.push([...string(`f${i}`), 0, ...unsigned(i)]);
  exports.push([...string('table'), 1, 0], [...string('memory'), 2, 0]);
  for (let i = 0; i < globalCount; i++) exports.push([...string(`g${i}`), 3, ...unsigned(i)]);
  return Uint8Array.from([
    0, 0x61, 0x73, 0x6d, 1, 0, 0, 0,
    ...section(1, vector(types)),
    ...section(2, vector(imports)),
    ...section(3, vector([...bodies.map((_, i) => unsigned(first + i)), ...exported.map(() => unsigned(wrapperType))])),
    ...(number > 0 ? [] : section(4, vector([[0x70, 1, FUNCTIONS, FUNCTIONS]]))),
    ...(shares.memory ? [] : section(5, vector([[1, 1, 2]]))),
    ...section(6, vector(globals)),
    ...section(7, vector(exports)),
    // The table's entries of this module, and now and then one of an earlier one's through this one's import.
    ...section(9, vector([[0, 0x41, first, 0x0b, ...vector(bodies.map((_, i) => unsigned(first + i)))],
      [0, 0x41, 0, 0x0b, ...vector(first > 0 && random.chance(2) ? [unsigned(0)] : [])]])),
    ...section(10, vector([...bodies, ...exported].map((b) => [...unsigned(b.length), ...b]))),
    ...section(11, vector([[0, 0x41, random.below(64), 0x0b, ...vector(Array.from({ length: 256 }, () => [random.below(256)]))]])),
  ]);
}

mkdirSync(folder, { recursive: true });
let commands = [];
for (let group = 0; group < count; group++) {
  const line = seed + group, random = new Random(line + 1000003), modules = {}, signatures = [];
  for (let i = 0; i < FUNCTIONS; i++) {
    signatures.push({
      parameters: Array.from({ length: random.below(7) }, () => random.pick(TYPES)),
      results: Array.from({ length: random.chance(4) ? 2 + random.below(2) : 1 }, () => random.pick(TYPES)),
    });
  }
  const instances = [];
  for (let number = 0; number < MODULES; number++) {
    const shares = { memory: number > 0 && random.chance(2), globals: random.chance(2) };
    const binary = makeModule(random, number, signatures, shares), filename = `linked.${group}.${number}.wasm`, name = `$${group}.${number}`;
    writeFileSync(`${folder}/${filename}`, binary);
    instances.push(new WebAssembly.Instance(new WebAssembly.Module(binary), modules));
    modules[`m${number}`] = instances[number].exports;
    commands.push({ type: 'module', line, filename, name }, { type: 'register', line, name, as: `m${number}` });
  }
  for (let call = 0; call < 2 * FUNCTIONS; call++) {
    const i = call % FUNCTIONS, number = Math.floor(i / EACH);
    const seen = observe(instances[number], `r${i}`);
    seen.action.module = `$${group}.${number}`;
    commands.push({ line, ...seen });
  }
  if ((group + 1) % GROUPS_A_FILE === 0 || group + 1 === count) {
    writeFileSync(`${folder}/linked.${Math.floor(group / GROUPS_A_FILE)}.json`, JSON.stringify({ source_filename: 'linked', commands }));
    commands = [];
  }
}
