// SPDX-License-Identifier: Apache-2.0
// Every vector and receipt, and mutations of them, judged by the package in Node and by the native command:
//     differential.mjs prepare SOURCE FOLDER MUTATIONS SEED        writes the cases' files and FOLDER/commands.json
//     native.py S3N FOLDER/commands.json FOLDER/answers.json       has the native command judge them
//     differential.mjs compare SOURCE FOLDER MUTATIONS SEED BUILD  judges them too
// Reports must be equal, member by member, and so must the words of refusals.  What the native command said of the unchanged ones
// is left in FOLDER/expected.json for other runs.
import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { mutated, optionsOf, randomOf, receipts, vectors } from './cases.mjs';

const [task, source, folder, mutationCount, seed, build] = process.argv.slice(2);
const tests = [...vectors(source), ...receipts(folder, source)];
const random = randomOf(Number(seed));
const base = tests.filter((test) => test.name.indexOf(' by policy ') < 0);
const all = [...tests, ...Array.from({ length: Number(mutationCount) }, () => mutated(base[random(base.length)], random))];
const pathOf = (index, name) => join(folder, 'cases', `${index}-${name}`);

function prepare(test, index) {
  const words = test.kind === 'evidence' ? ['verify', 'evidence'] : ['verify'];
  for (const [name, bytes] of Object.entries(test.inputs)) writeFileSync(pathOf(index, name), bytes);
  words.push(pathOf(index, test.kind));
  for (const name of Object.keys(test.inputs)) if (name !== test.kind) words.push(`--${name}`, pathOf(index, name));
  for (const [name, word] of Object.entries(test.words)) words.push(`--${name}`, word);
  if (test.noPolicy) words.push('--policy', 'none');
  if (test.trustSimulated) words.push('--trust-simulated');
  return [...words, '--json'];
}

function nativeOf(test, index, [code, stdout, stderr]) {
  const line = stderr.split('\n').find((text) => text.startsWith('{"error"'));
  let message = line === undefined ? null : JSON.parse(line).error.message;
  // The command names files where the module names options.
  for (const name of message === null ? [] : Object.keys(test.inputs)) {
    const path = pathOf(index, name);
    message = message.replaceAll(`--${name} ${path}`, name).replaceAll(`root ${path}: `, 'root file: ')
      .replaceAll(`${path}: `, name === test.kind ? '' : `${name}: `).replaceAll(path, name);
  }
  const report = stdout === '' ? null : JSON.parse(stdout);
  delete report?.collateral; // where the command had it from: files, cache, services
  return { accepted: code === 0, message, report, stderr };
}

async function ours(sdk, test) {
  const verify = test.kind === 'evidence' ? sdk.verifyEvidence : sdk.verifyReceipt;
  try {
    const { accepted, refusal, report } = await verify(test.inputs[test.kind], optionsOf(test));
    return { accepted, message: refusal?.message ?? null, report };
  } catch (error) {
    if (!(error instanceof sdk.VerifyError) || error.code === 'internal') throw error;
    return { accepted: false, message: error.message, report: null };
  }
}

async function compare(sdk, test, theirs) {
  const mine = await ours(sdk, test);
  // A receipt that can't be believed has no time of its own: each was judged by its clock.
  if (test.words.at === 'receipt' && mine.report !== null && theirs.report !== null &&
      Math.abs(Date.parse(mine.report.judged_at) - Date.parse(theirs.report.judged_at)) < 1200000)
    mine.report.judged_at = theirs.report.judged_at;
  assert.deepEqual(mine.report, theirs.report);
  assert.equal(mine.accepted, theirs.accepted);
  // Where JSON is none at all, the two builds' readers have words of their own.
  if (!/JSON line/.test(theirs.message ?? '')) assert.equal(mine.message, theirs.message);
  if (test.noPolicy && test.expect?.result) assert.equal(mine.report.result, test.expect.result);
}

async function compareAll() {
  const sdk = await import(join(build, 'sdk/verify-js/index.js'));
  const answers = JSON.parse(readFileSync(join(folder, 'answers.json'), 'utf8'));
  const natives = all.map((test, index) => nativeOf(test, index, answers[index]));
  let failed = 0, best = Infinity;
  for (const [index, test] of all.entries()) {
    const begin = performance.now();
    try {
      await compare(sdk, test, natives[index]);
    } catch (error) {
      failed++;
      console.log(`FAIL  ${test.name}: ${error.message.slice(0, 600)}\n${natives[index].stderr}`);
    }
    if (test.name === 'tdx-v4-phala-uptodate') best = Math.min(best, performance.now() - begin);
  }
  const count = (list) => list.filter((result) => result.accepted).length;
  console.log(`note  ${tests.length} vectors, policies and receipts: ${count(natives.slice(0, tests.length))} accepted; ` +
    `${all.length - tests.length} mutations: ${count(natives.slice(tests.length))} accepted; a TDX verification: ${best.toFixed(1)} ms`);
  writeFileSync(join(folder, 'expected.json'),
    JSON.stringify(natives.slice(0, tests.length).map(({ accepted, report }) => ({ accepted, report }))));
  console.log(`${all.length - failed} passed, ${failed} failed, 0 skipped`);
  process.exitCode = failed === 0 ? 0 : 1;
}

if (task === 'prepare') {
  mkdirSync(join(folder, 'cases'), { recursive: true });
  writeFileSync(join(folder, 'commands.json'), JSON.stringify(all.map(prepare)));
} else {
  await compareAll();
}
