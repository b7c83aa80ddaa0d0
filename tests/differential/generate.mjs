// SPDX-License-Identifier: Apache-2.0
// generate.mjs FOLDER SEED COUNT: writes COUNT random valid modules and FOLDER/random.json, which says, in the form
// of wast2json, what Node's engine answers to each of their calls.  The same seed gives the same modules.
//
// Answers are integers only, and a NaN is made canonical before its bits can be seen, so that there is one answer.
import { mkdirSync, writeFileSync } from 'node:fs';
import { observe } from './observe.mjs';
import { Function_, I32, I64, TYPES, Random, signed, unsigned, section, string, vector } from './program.mjs';

const FUNCTIONS = 12;
const [folder, seed, count] = [process.argv[2], Number(process.argv[3]), Number(process.argv[4])];

function makeModule(random) {
  const signatures = [];
  for (let i = 0; i < FUNCTIONS; i++) {
    signatures.push({
      parameters: Array.from({ length: random.below(7) }, () => random.pick(TYPES)),
      results: Array.from({ length: random.chance(4) ? 2 + random.below(2) : 1 }, () => random.pick(TYPES)),
    });
  }
  // Types: one each, then () -> i64 of the exported ones.  Globals: fuel, then two of each type.
  const types = signatures.map((s) => [0x60, ...vector(s.parameters), ...vector(s.results)]);
  types.push([0x60, 0, 1, I64]);
  const bodies = signatures.map((s, i) => new Function_(random, s, signatures.slice(0, i)).body());
  const exported = signatures.map((s, i) => Function_.wrapper(random, s, i));
  const globals = [[I32, 1, ...Function_.constant(random, I32), 0x0b]];
  for (const type of TYPES) {
    for (let i = 0; i < 2; i++) globals.push([type, 1, ...Function_.constant(random, type), 0x0b]);
  }
  const wrapperType = FUNCTIONS;
  return Uint8Array.from([
    0, 0x61, 0x73, 0x6d, 1, 0, 0, 0,
    ...section(1, vector(types)),
    ...section(3, vector([...signatures.map((_, i) => unsigned(i)), ...exported.map(() => unsigned(wrapperType))])),
    ...section(4, vector([[0x70, 1, FUNCTIONS, FUNCTIONS]])),
    ...section(5, vector([[1, 1, 2]])),
    ...section(6, vector(globals)),
    ...section(7, vector(exported.map((_, i) => [...string(`r${i}`), 0, ...unsigned(FUNCTIONS + i)]))),
    ...section(9, vector([[0, 0x41, 0, 0x0b, ...vector(signatures.map((_, i) => unsigned(i)))]])),
    ...section(10, vector([...bodies, ...exported].map((b) => [...unsigned(b.length), ...b]))),
    ...section(11, vector([[0, 0x41, 0, 0x0b, ...vector(Array.from({ length: 256 }, () => [random.below(256)]))]])),
  ]);
}

mkdirSync(folder, { recursive: true });
const commands = [];
for (let i = 0; i < count; i++) {
  const random = new Random(seed + i);
  const binary = makeModule(random);
  const filename = `random.${i}.wasm`;
  writeFileSync(`${folder}/${filename}`, binary);
  const instance = new WebAssembly.Instance(new WebAssembly.Module(binary));
  commands.push({ type: 'module', line: seed + i, filename });
  // Twice each: the second time finds the memory and globals that the first round left.
  for (let call = 0; call < 2 * FUNCTIONS; call++) {
    commands.push({ line: seed + i, ...observe(instance, `r${call % FUNCTIONS}`) });
  }
}
writeFileSync(`${folder}/random.json`, JSON.stringify({ source_filename: 'random', commands }));
