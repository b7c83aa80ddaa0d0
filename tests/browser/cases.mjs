// SPDX-License-Identifier: Apache-2.0
// Everything there is to verify, as cases for both verifiers: { name, kind, inputs, words, flags }.  `inputs` are bytes by the
// names of the command's options ("evidence" or "receipt" is the file itself), `words` are options of one word.
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';

const json = (path) => JSON.parse(readFileSync(path, 'utf8'));

function edited(bytes, edits, size) {
  let changed = Uint8Array.from(bytes);
  if (size !== undefined) {
    const resized = new Uint8Array(size);
    resized.set(changed.subarray(0, Math.min(size, changed.length)));
    changed = resized;
  }
  for (const [at, hex] of edits ?? []) changed.set(Buffer.from(hex, 'hex'), at);
  return changed;
}

function intel(folder) {
  return json(join(folder, 'intel_cases.json')).cases.map((test) => {
    const inputs = { evidence: edited(readFileSync(join(folder, test.quote)), test.edits, test.size) };
    for (const [name, path] of Object.entries(test.collateral ?? {}))
      inputs[name.replaceAll('_', '-')] = readFileSync(join(folder, path));
    if (test.root) inputs.root = readFileSync(join(folder, test.root));
    return { name: test.name, kind: 'evidence', inputs, words: { at: test.at }, expect: test.expect };
  });
}

function snp(folder) {
  const cases = json(join(folder, 'manifest.json')).cases.filter((test) => test.report);
  return cases.map((test) => {
    const inputs = { evidence: readFileSync(join(folder, test.report)) };
    for (const [name, path] of [['vek', test.vek], ['intermediate', test.intermediate], ['crl', test.crl], ['root', test.ark]])
      if (path) inputs[name] = readFileSync(join(folder, path));
    return { name: test.name, kind: 'evidence', inputs, words: { tee: 'snp', at: test.at ?? '2025-07-01T00:00:00Z' },
      expect: test.expect };
  });
}

function nitro(folder) {
  return json(join(folder, 'manifest.json')).cases.map((test) => ({ name: test.name, kind: 'evidence',
    inputs: { evidence: readFileSync(join(folder, test.document)), root: readFileSync(join(folder, test.root)) },
    words: { tee: 'nitro', at: test.at }, expect: test.expect }));
}

function ratls(folder) {
  return json(join(folder, 'manifest.json')).cases.map((test) => ({ name: test.name, kind: 'evidence',
    inputs: { evidence: readFileSync(join(folder, test.certificate)) }, words: { tee: 'sgx', at: '2025-08-20T00:00:00Z' } }));
}

// Some files of a folder of the fuzzers' corpora, spread over all.
function sample(folder, name, count) {
  const files = readdirSync(join(folder, name)).sort();
  const step = Math.max(1, files.length / count);
  return Array.from({ length: Math.min(count, files.length) }, (_, index) => files[Math.floor(index * step)])
    .map((file) => ({ name: `${name}/${file}`, content: readFileSync(join(folder, name, file)) }));
}

function corpus(folder) {
  return ['intel-quote', 'amd-snp', 'amd-hcl', 'nitro-nitro', 'ratls-ratls', 'eat-cmw'].flatMap((kind) => sample(folder, kind, 20)
    .map(({ name, content }) => ({ name, kind: 'evidence', inputs: { evidence: content }, words: { at: '2025-07-01T00:00:00Z' } })));
}

// Files that are policies, or nearly so, or not at all.
function policies(folder, evidence) {
  return [...sample(folder, 'policy-policy_file', 80), ...sample(folder, 'toml', 60)].map(({ name, content }) => ({ name,
    kind: 'evidence', inputs: { evidence, policy: content }, words: { at: '2025-12-25T16:04:19Z' } }));
}

const POLICIES = {
  demanding: 's3n_policy_version = 1\ntee = ["tdx", "snp"]\nrequire_platform_id = true\n[tcb]\nstatus = ["UpToDate"]\n' +
    'date_min = "2024-01-01"\n[[measurement]]\nname = "nothing <b>known</b>"\nmrtd = "' + '00'.repeat(48) + '"\n',
  lenient: 's3n_policy_version = 1\nallow_debug = true\n[tcb]\nstatus = ["UpToDate", "OutOfDate", "SWHardeningNeeded", ' +
    '"ConfigurationNeeded", "ConfigurationAndSWHardeningNeeded", "OutOfDateConfigurationNeeded"]\n',
  unknown: 's3n_policy_version = 1\nsmtt = "any"\n',
  broken: '[tcb\n',
  accents: 's3n_policy_version = 1\n"caf\\u00e9" = """\ntwo\nlines"""\n',
  times: 's3n_policy_version = 1\nwhen = 1979-05-27T07:32:00Z\n',
};

/** Every vector, judged for validity alone, by the default policy, and by one policy of the list in turn; and of the fuzzers'
 *  corpora evidence and policies. */
export function vectors(source) {
  const data = join(source, 'tests/data/attest');
  const all = [...intel(data), ...snp(join(data, 'snp')), ...nitro(join(data, 'nitro')), ...ratls(join(data, 'ratls'))];
  const names = Object.keys(POLICIES);
  const others = [...corpus(join(source, 'fuzz/corpus')),
    ...policies(join(source, 'fuzz/corpus'), readFileSync(join(data, 'nitro/docs/dstack_attest.cbor')))];
  return [...others, ...all.flatMap((test, index) => {
    const policy = names[index % names.length];
    return [{ ...test, noPolicy: true }, test,
      { ...test, name: `${test.name} by policy ${policy}`, inputs: { ...test.inputs, policy: Buffer.from(POLICIES[policy]) } }];
  })];
}

/** Receipts that tests/browser/receipts.c made. */
export function receipts(folder, source) {
  const file = (name) => readFileSync(join(folder, name));
  const claims = JSON.parse(Buffer.from(JSON.parse(file('receipt.json')).receipt.split('.')[1], 'base64url'));
  const later = new Date((claims.iat + 60) * 1000).toISOString();
  const shared = { kind: 'receipt', inputs: { receipt: file('receipt.json') }, words: { at: 'receipt' }, trustSimulated: true };
  const policy = Buffer.from('s3n_policy_version = 1\nallow_simulated = true\n[tcb]\nstatus = ["UpToDate"]\n');
  return [
    { ...shared, name: 'a receipt' },
    { ...shared, name: 'a receipt by another clock', words: { at: later } },
    { ...shared, name: 'a receipt before its time', words: { at: '2020-01-01T00:00:00Z' } },
    { ...shared, name: 'a receipt that is not to be simulated', trustSimulated: false },
    { ...shared, name: 'a receipt without a policy', noPolicy: true },
    { ...shared, name: 'a receipt by a policy', trustSimulated: false, inputs: { ...shared.inputs, policy } },
    { ...shared, name: 'a receipt with its files', inputs: { ...shared.inputs, input: file('input'), output: file('output') } },
    { ...shared, name: 'a receipt with another output', inputs: { ...shared.inputs, output: file('input') } },
    { ...shared, name: 'a receipt for other code', inputs: { ...shared.inputs, code: file('input') } },
    { ...shared, name: 'a receipt with HTML in it', inputs: { receipt: file('hostile.json') } },
    { ...shared, name: 'no receipt', inputs: { receipt: Buffer.from('{"receipt":"<b>1</b>","<i>":2}') } },
    { ...shared, name: 'a receipt under another root', inputs: { ...shared.inputs, root: readFileSync(join(source, 'tests/data/attest/synthetic_root_ca.der')) } },
  ];
}

/** The options of @s3n/verify for a case. */
export function optionsOf(test) {
  const camel = (name) => name.replace(/-(.)/g, (_, letter) => letter.toUpperCase());
  const options = { ...test.words };
  for (const [name, value] of Object.entries(test.inputs)) if (name !== test.kind) options[camel(name)] = value;
  if (test.noPolicy) options.policy = 'none';
  if (test.trustSimulated) options.trustSimulated = true;
  return options;
}

/** A generator of numbers (xorshift), for mutations that are the same in every run. */
export function randomOf(seed) {
  let state = seed >>> 0 || 1;
  return (below) => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % below;
  };
}

/** A case with one input changed: a bit, a byte, or its length. */
export function mutated(test, random) {
  const names = Object.keys(test.inputs).filter((name) => test.inputs[name].length > 0 && name !== 'policy');
  if (names.length === 0) return test;
  const name = names[random(2) === 0 ? 0 : random(names.length)];
  const bytes = Uint8Array.from(test.inputs[name]);
  let changed = bytes;
  const at = random(bytes.length);
  switch (random(4)) {
    case 0: changed = bytes.subarray(0, at); break;
    case 1: changed[at] = random(256); break;
    default: changed[at] ^= 1 << random(8);
  }
  return { ...test, name: `${test.name}, ${name} changed at ${at}`, inputs: { ...test.inputs, [name]: changed }, expect: undefined };
}
