// SPDX-License-Identifier: Apache-2.0
// Run beside the built package (build/sdk/verify-js), with S3N_SOURCE naming the sources.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import * as sdk from '../index.js';
import wasm from '../wasm.js';

const data = join(process.env.S3N_SOURCE, 'tests/data/attest');
const file = (name) => readFileSync(join(data, name));
const quote = file('tdx_v4_phala_b0c06f.bin');
const at = '2025-06-20T00:00:00Z';
const collateral = {
  tcbInfo: file('intel/tcb_info_b0c06f_20250619.json'), qeIdentity: file('intel/td_qe_identity_b0c06f_20250619.json'),
  tcbChain: file('intel/tcb_signing_chain_2025.pem'), pckCrl: file('intel/pck_platform_crl_b0c06f_20250619.der'),
  rootCrl: file('intel/root_ca_crl_20250320.der'),
};
const bundle = readFileSync(join(process.env.S3N_SOURCE, 'fuzz/corpus/bundle/bundle'));
const fails = (code, pattern) => (error) => error instanceof sdk.VerifyError && error.code === code && pattern.test(error.message);

test('the module imports nothing', () => {
  const module = new WebAssembly.Module(Buffer.from(wasm, 'base64'));
  assert.deepEqual(WebAssembly.Module.imports(module), []);
  assert.ok(WebAssembly.Module.exports(module).every(({ name }) => /^(memory|_initialize|s3n_[a-z_]+)$/.test(name)));
});

test('a quote with its collateral is accepted', async () => {
  const { accepted, refusal, report } = await sdk.verifyEvidence(quote, { ...collateral, at });
  assert.equal(accepted, true);
  assert.equal(refusal, null);
  assert.equal(report.tcb_status, 'UpToDate');
  assert.equal(report.claims.fmspc, 'b0c06f000000');
  assert.equal(report.policy, 'accept');
  assert.ok(report.steps.length > 10 && report.steps.every(({ ok }) => ok));
});

test('times may be dates, seconds or text; bytes may be any view', async () => {
  const copy = quote.buffer.slice(quote.byteOffset, quote.byteOffset + quote.length);
  for (const [evidence, time] of [[quote, new Date(at)], [copy, Date.parse(at) / 1000], [new DataView(copy), at]])
    assert.equal((await sdk.verifyEvidence(evidence, { ...collateral, at: time })).accepted, true);
});

test('what does not hold is an answer that names the step', async () => {
  const changed = Uint8Array.from(quote);
  changed[184] ^= 1;
  const { accepted, refusal, report } = await sdk.verifyEvidence(changed, { ...collateral, at });
  assert.equal(accepted, false);
  assert.equal(refusal.code, 'unverified');
  assert.equal(report.reason, 'QUOTE_SIG_INVALID');
  assert.deepEqual(report.steps.filter(({ ok }) => !ok).map(({ name }) => name), ['quote signature']);
  const late = await sdk.verifyEvidence(quote, { ...collateral, at: '2125-06-20T00:00:00Z' });
  assert.equal(late.report.reason, 'PCK_CHAIN_EXPIRED');
});

test('a policy decides, and is named by its line where it is wrong', async () => {
  const strict = 's3n_policy_version = 1\n[tcb]\nstatus = ["OutOfDate"]\n';
  const { accepted, refusal, report } = await sdk.verifyEvidence(quote, { ...collateral, at, policy: strict });
  assert.equal(accepted, false);
  assert.equal(report.result, 'valid');
  assert.match(refusal.message, /tcb\.status/);
  await assert.rejects(sdk.verifyEvidence(quote, { at, policy: '[=' }), fails('invalid', /not TOML/));
  await assert.rejects(sdk.verifyEvidence(quote, { at, policy: 's3n_policy_version = 1\nsmtt = "any"' }), fails('invalid', /smtt/));
  await assert.rejects(sdk.verifyReceipt(bundle, { policy: '' }), fails('invalid', /empty/));
  await assert.rejects(sdk.verifyEvidence(quote, { at, policy: 'a = ['.repeat(100) }), fails('limit', /nested/));
});

test('options are checked', async () => {
  await assert.rejects(sdk.verifyEvidence(quote, { tcbinfo: '' }), fails('usage', /unknown option "tcbinfo"/));
  await assert.rejects(sdk.verifyEvidence(quote, { reportData: 'xyz' }), fails('usage', /report-data/));
  await assert.rejects(sdk.verifyEvidence(quote, { tee: 'tpm' }), fails('usage', /tee/));
  await assert.rejects(sdk.verifyEvidence(quote, { at: 'yesterday' }), fails('usage', /RFC 3339/));
  await assert.rejects(sdk.verifyEvidence(quote, { at: new Date(NaN) }), fails('usage', /time/));
  await assert.rejects(sdk.verifyEvidence(quote, { at, root: quote }), fails('usage', /root/));
  await assert.rejects(sdk.verifyEvidence(quote, null), fails('usage', /object/));
  await assert.rejects(sdk.verifyEvidence(7), fails('usage', /bytes/));
  await assert.rejects(sdk.verifyReceipt(bundle, { outputDigest: 'ff' }), fails('usage', /64/));
  await assert.rejects(sdk.verifyReceipt(bundle, { tcbInfo: 'x' }), fails('usage', /unknown/));
});

test('an attestation needs the nonce that was sent, and is read strictly', async () => {
  const nonce = '00'.repeat(32);
  await assert.rejects(sdk.verifyAttestation('{}'), fails('usage', /nonce/));
  await assert.rejects(sdk.verifyAttestation('{}', { nonce: '00' }), fails('usage', /nonce/));
  await assert.rejects(sdk.verifyAttestation('{}', { nonce, input: '' }), fails('usage', /unknown/));
  const { receipt, s3n_receipt_bundle: version, events, ...attestation } = JSON.parse(bundle);
  assert.ok(receipt && version);
  for (const text of ['', '{}', '[]', '['.repeat(1000), JSON.stringify({ ...attestation, format: 'none' })]) {
    const answer = await sdk.verifyAttestation(text, { nonce, trustSimulated: true, events: events ?? '' }).catch((error) => error);
    if (answer instanceof sdk.VerifyError) assert.equal(answer.code, 'limit');
    else assert.deepEqual([answer.accepted, answer.refusal.code, answer.keyset], [false, 'unverified', null]);
  }
});

test('long inputs are refused, and the longest allowed ones judged', async () => {
  await assert.rejects(sdk.verifyEvidence(new Uint8Array(sdk.INPUT_SIZE_MAX + 1)), fails('limit', /evidence/));
  const long = new Uint8Array(sdk.INPUT_SIZE_MAX).fill(0x5b);
  const many = { at, tcbInfo: long, qeIdentity: long, tcbChain: long, pckCrl: long, rootCrl: long, vek: long, crl: long };
  assert.equal((await sdk.verifyEvidence(quote, many)).accepted, false);
  assert.equal((await sdk.verifyEvidence(long, many)).report.reason, 'FORMAT');
  assert.equal((await sdk.verifyReceipt(long).catch((error) => error)).accepted ?? false, false);
});

test('every cut is refused in words', async () => {
  const items = [[quote, collateral], [file('sgx_v3_phala_00a067.bin'), {}], [file('snp/reports/milan_v2_coco.bin'),
    { vek: file('snp/certs/vcek_coco_milan.der'), intermediate: file('snp/certs/milan_ask.der') }],
  [file('nitro/docs/dstack_attest.cbor'), {}], [file('ratls/gramine-cert.pem'), {}]];
  for (const [bytes, options] of items) {
    for (let size = 0; size < bytes.length - 100; size += 1 + Math.floor(bytes.length / 40)) {
      const { accepted, refusal, report } = await sdk.verifyEvidence(bytes.subarray(0, size), { ...options, at, policy: 'none' });
      assert.equal(accepted, false);
      assert.ok(refusal.message.length > 0 && report.result === 'invalid');
    }
  }
  for (const [name, bytes] of Object.entries(collateral)) {
    for (let size = 0; size < bytes.length - 2; size += 1 + Math.floor(bytes.length / 20)) {
      const { accepted } = await sdk.verifyEvidence(quote, { ...collateral, at, [name]: bytes.subarray(0, size) });
      assert.equal(accepted, false, `${name} cut at ${size}`);
    }
  }
  for (let size = 0; size < bundle.length; size += 101) {
    const { accepted, refusal } = await sdk.verifyReceipt(bundle.subarray(0, size), { trustSimulated: true, at: 'receipt' });
    assert.equal(accepted, false);
    assert.equal(refusal.code, 'unverified');
  }
});

test('noise and nesting are refused in words', async () => {
  let state = 1;
  const noise = (size) => Uint8Array.from({ length: size }, () => (state = (state * 1103515245 + 12345) >>> 0) >>> 16);
  for (let round = 0; round < 150; round++) {
    const bytes = noise(round * 7);
    assert.equal((await sdk.verifyEvidence(bytes, { at, tee: ['tdx', 'sgx', 'snp', 'nitro'][round % 4] })).accepted, false);
    const answer = await sdk.verifyReceipt(bytes).catch((error) => error);
    assert.ok(answer instanceof sdk.VerifyError ? answer.code !== 'internal' : !answer.accepted);
  }
  for (const text of ['['.repeat(100000), '{"a":'.repeat(100000), '"' + '\\u0041'.repeat(10000) + '"']) {
    const answer = await sdk.verifyReceipt(text).catch((error) => error);
    assert.ok(answer instanceof sdk.VerifyError ? answer.code !== 'internal' : !answer.accepted);
    assert.equal((await sdk.verifyEvidence(quote, { at, tcbInfo: text })).accepted, false);
  }
});

test('verifications run side by side and leave nothing behind', async () => {
  const good = sdk.verifyEvidence(quote, { ...collateral, at });
  const bad = sdk.verifyEvidence(quote, { at });
  const stopped = sdk.verifyEvidence(quote, { at, policy: '[=' }).catch(() => 'stopped');
  assert.deepEqual([(await good).accepted, (await bad).accepted, await stopped], [true, false, 'stopped']);
  assert.equal((await sdk.verifyEvidence(quote, { ...collateral, at })).accepted, true);
});

test('a module that is none is told to whoever verifies', async () => {
  await assert.rejects(new sdk.Verifier(new Uint8Array([1, 2, 3])).verifyEvidence(quote), WebAssembly.CompileError);
});

test('the types name what the package exports', () => {
  const types = readFileSync(new URL('../index.d.ts', import.meta.url), 'utf8');
  for (const name of Object.keys(sdk)) assert.match(types, new RegExp(`export declare (function|class|const) ${name}\\b`));
});
