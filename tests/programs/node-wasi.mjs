// SPDX-License-Identifier: Apache-2.0
// node-wasi.mjs [--dir HOST] [--env NAME=VALUE]... FILE.wasm [ARGUMENTS]: runs a command under Node's own WASI, to
// compare with; HOST is its folder "/".
// Node before 20 wants --experimental-wasi-unstable-preview1.
import { readFile } from 'node:fs/promises';
import { WASI } from 'node:wasi';

const words = process.argv.slice(2);
const preopens = {}, env = {};
while (words[0] === '--dir' || words[0] === '--env') {
  const [option, value] = words.splice(0, 2);
  if (option === '--dir') preopens['/'] = value;
  else env[value.slice(0, value.indexOf('='))] = value.slice(value.indexOf('=') + 1);
}
const [file, ...args] = words;
const wasi = new WASI({ version: 'preview1', args: ['program', ...args], env, preopens, returnOnExit: true });
const module = await WebAssembly.compile(await readFile(file));
const instance = await WebAssembly.instantiate(module, { wasi_snapshot_preview1: wasi.wasiImport });
process.exitCode = wasi.start(instance);
