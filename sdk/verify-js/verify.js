// SPDX-License-Identifier: Apache-2.0
// Runs the verifier (s3n-verify.wasm): bytes in, the report of `s3n verify --json` out.  No network, no storage, no
// clock but for the default of `at`.  Each verification has an instance of its own, which is dropped afterwards.

/** Inputs longer than this are refused before they are copied: bytes. */
export const INPUT_SIZE_MAX = 8 << 20;

/** Nothing could be judged: an option, a policy or a root that is none, a limit. */
export class VerifyError extends Error {
  constructor(code, message) {
    super(message);
    this.name = 'VerifyError';
    this.code = code;
  }
}

const ACCEPTED = 0, ERROR = 2;
const encoder = new TextEncoder();
const decoder = new TextDecoder();

// Options that are files, and their names in the module.
const COLLATERAL = {
  root: 'root', bundle: 'bundle', tcbInfo: 'tcb-info', qeIdentity: 'qe-identity', tcbChain: 'tcb-chain',
  pckChain: 'pck-chain', pckCrl: 'pck-crl', rootCrl: 'root-crl', vek: 'vek', intermediate: 'intermediate', crl: 'crl',
};
const EVIDENCE_OPTIONS = [...Object.keys(COLLATERAL), 'at', 'policy', 'trustSimulated', 'tee', 'reportData'];
const RECEIPT_OPTIONS = ['root', 'at', 'policy', 'trustSimulated', 'code', 'input', 'output', 'codeDigest', 'inputDigest',
  'outputDigest'];
const ATTESTATION_OPTIONS = ['root', 'at', 'policy', 'trustSimulated', 'nonce', 'events'];

function bytesOf(value, name) {
  let bytes;
  if (typeof value === 'string') bytes = encoder.encode(value);
  else if (value instanceof Uint8Array) bytes = value;
  else if (value instanceof ArrayBuffer) bytes = new Uint8Array(value);
  else if (ArrayBuffer.isView(value)) bytes = new Uint8Array(value.buffer, value.byteOffset, value.byteLength);
  else throw new VerifyError('usage', `${name} must be bytes or text`);
  if (bytes.length > INPUT_SIZE_MAX) throw new VerifyError('limit', `${name}: more than ${INPUT_SIZE_MAX} bytes`);
  return bytes;
}

function timeOf(at) {
  if (typeof at === 'number') at = new Date(at * 1000);
  if (!(at instanceof Date)) return String(at);
  if (Number.isNaN(at.getTime())) throw new VerifyError('usage', 'at is not a time');
  return at.toISOString();
}

function hexOf(value, name) {
  if (typeof value === 'string') return value;
  return Array.from(bytesOf(value, name), (byte) => byte.toString(16).padStart(2, '0')).join('');
}

function checkNames(options, known) {
  if (options === null || typeof options !== 'object') throw new VerifyError('usage', 'options must be an object');
  for (const name of Object.keys(options))
    if (!known.includes(name)) throw new VerifyError('usage', `unknown option "${name}"`);
}

// What both kinds of verification take.
function sharedInputs(options) {
  const inputs = { now: new Date().toISOString() };
  if (options.at !== undefined) inputs.at = timeOf(options.at);
  if (options.policy === 'none') inputs['no-policy'] = '';
  else if (options.policy !== undefined && options.policy !== 'default') inputs.policy = options.policy;
  if (options.trustSimulated === true) inputs['trust-simulated'] = '';
  return inputs;
}

function evidenceInputs(evidence, options) {
  checkNames(options, EVIDENCE_OPTIONS);
  const inputs = { evidence, ...sharedInputs(options) };
  for (const [option, name] of Object.entries(COLLATERAL))
    if (options[option] !== undefined) inputs[name] = options[option];
  if (options.tee !== undefined) inputs.tee = String(options.tee);
  if (options.reportData !== undefined) inputs['report-data'] = hexOf(options.reportData, 'reportData');
  return inputs;
}

function receiptInputs(receipt, options) {
  checkNames(options, RECEIPT_OPTIONS);
  const inputs = { receipt, ...sharedInputs(options) };
  for (const name of ['root', 'code', 'input', 'output'])
    if (options[name] !== undefined) inputs[name] = options[name];
  for (const name of ['code', 'input', 'output'])
    if (options[`${name}Digest`] !== undefined) inputs[`${name}-digest`] = hexOf(options[`${name}Digest`], `${name}Digest`);
  return inputs;
}

function attestationInputs(attestation, options) {
  checkNames(options, ATTESTATION_OPTIONS);
  const inputs = { attestation, ...sharedInputs(options) };
  for (const name of ['root', 'events'])
    if (options[name] !== undefined) inputs[name] = options[name];
  if (options.nonce !== undefined) inputs.nonce = hexOf(options.nonce, 'nonce');
  return inputs;
}

// Memory may grow, and then has another buffer: views are made anew each time.
function give(module, name, value) {
  const bytes = bytesOf(value, name);
  const place = (content) => {
    const at = module.s3n_alloc(content.length) >>> 0;
    if (at === 0) throw new VerifyError('no-memory', 'no memory to verify');
    new Uint8Array(module.memory.buffer, at, content.length).set(content);
    return at;
  };
  const label = encoder.encode(name);
  if (module.s3n_give(place(label), label.length, place(bytes), bytes.length) !== 1)
    throw new VerifyError('usage', `no room for ${name}`);
}

const textAt = (module, at, size) => decoder.decode(new Uint8Array(module.memory.buffer, at >>> 0, size));

function call(module, run) {
  try {
    return module[run]();
  } catch (trap) {
    // toml++ gives up on some texts with an assertion; anything else here is a bug or memory that ran out.
    const words = textAt(module, module.s3n_last_words(), module.s3n_last_words_size()).trim();
    if (words.includes('not TOML')) throw new VerifyError('invalid', 'policy:1:1: not TOML');
    throw new VerifyError('internal', `the verifier stopped: ${words || trap.message}`);
  }
}

/** Verifications with one compiled module (WebAssembly.Module, or the bytes of s3n-verify.wasm). */
export class Verifier {
  #module;

  constructor(module) {
    this.#module = module instanceof WebAssembly.Module ? Promise.resolve(module) : WebAssembly.compile(module);
    this.#module.catch(() => {}); // told to whoever verifies
  }

  async #run(run, inputs) {
    // It imports nothing: there is nothing it could reach.
    const { exports: module } = await WebAssembly.instantiate(await this.#module, {});
    module._initialize();
    for (const [name, value] of Object.entries(inputs)) give(module, name, value);
    const answer = call(module, run);
    const reportText = textAt(module, module.s3n_report(), module.s3n_report_size());
    const errorText = textAt(module, module.s3n_error(), module.s3n_error_size());
    const refusal = answer === ACCEPTED ? null : JSON.parse(errorText);
    if (answer === ERROR) throw new VerifyError(refusal.code, refusal.message);
    return { accepted: answer === ACCEPTED, refusal, report: reportText === '' ? null : JSON.parse(reportText) };
  }

  /** Judges a TDX or SGX quote, an SEV-SNP report, a Nitro document, or a certificate with a quote in it. */
  async verifyEvidence(evidence, options = {}) {
    return this.#run('s3n_verify_evidence', evidenceInputs(evidence, options));
  }

  /** Checks what `s3n invoke --receipt FILE` wrote, down to the root certificate. */
  async verifyReceipt(receipt, options = {}) {
    return this.#run('s3n_verify_receipt', receiptInputs(receipt, options));
  }

  /** Checks what a node answered at /.well-known/s3n/attestation; `keyset` is the text that may be sealed to, null if refused. */
  async verifyAttestation(attestation, options = {}) {
    const result = await this.#run('s3n_verify_attestation', attestationInputs(attestation, options));
    const keyset = result.accepted ? JSON.parse(decoder.decode(bytesOf(attestation, 'attestation'))).keyset : null;
    return { ...result, keyset };
  }
}
