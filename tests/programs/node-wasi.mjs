// SPDX-License-Identifier: Apache-2.0
// node-wasi.mjs FILE.wasm [ARGUMENTS]: runs a command under Node's own WASI, to compare with.
// Node before 20 wants --experimental-wasi-unstable-preview1.
import { readFile } from 'node:fs/promises';
import { WASI } from 'node:wasi';

const [file, ...args] = process.argv.slice(2);
const wasi = new WASI({ version: 'preview1', args: ['program', ...args], env: {}, returnOnExit: true });
const module = await WebAssembly.compile(await readFile(file));
const instance = await WebAssembly.instantiate(module, { wasi_snapshot_preview1: wasi.wasiImport });
process.exitCode = wasi.start(instance);
