// SPDX-License-Identifier: Apache-2.0
// chromium.mjs SOURCE BUILD RECEIPTS PLAYWRIGHT CHROMIUM: every vector and receipt judged by the package in real Chromium, as a
// page of file:// has it, and build/tools/verify.html driven as a person would.  RECEIPTS/expected.json is of differential.mjs.
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { optionsOf, receipts, vectors } from './cases.mjs';

const [source, build, folder, playwright, executablePath] = process.argv.slice(2);
const { chromium } = await import(pathToFileURL(join(playwright, 'index.mjs')));
const browser = await chromium.launch({ executablePath, args: ['--no-sandbox', '--disable-gpu'] });
const context = await browser.newContext({ offline: true, viewport: { width: 1100, height: 1400 } });
let passed = 0, failed = 0;
const requests = [];
context.on('request', (request) => requests.push(request.url()));

async function check(name, body) {
  try {
    await body();
    passed++;
    console.log(`ok    ${name}`);
  } catch (error) {
    failed++;
    console.log(`FAIL  ${name}: ${error.message.slice(0, 1500)}`);
  }
}

const pageUrl = pathToFileURL(join(build, 'tools/verify.html')).href;

async function open() {
  const page = await context.newPage();
  page.faults = [];
  page.on('pageerror', (error) => page.faults.push(error.message));
  page.on('console', (message) => { if (message.type() === 'error') page.faults.push(message.text()); });
  page.on('dialog', (dialog) => { page.faults.push(`dialog: ${dialog.message()}`); dialog.dismiss(); });
  await page.goto(pageUrl);
  return page;
}

// A real drop event with real files, as the desktop makes it.
async function drop(page, items, target = '#drop') {
  const before = await page.locator('#result').getAttribute('data-run');
  const transfer = await page.evaluateHandle((list) => {
    const made = new DataTransfer();
    for (const [name, base64] of list) made.items.add(new File([Uint8Array.from(atob(base64), (c) => c.charCodeAt(0))], name));
    return made;
  }, items.map(([name, bytes]) => [name, Buffer.from(bytes).toString('base64')]));
  await page.dispatchEvent(target, 'dragover', { dataTransfer: transfer });
  await page.dispatchEvent(target, 'drop', { dataTransfer: transfer });
  await settled(page, before);
}

const settled = (page, before) => page.waitForFunction((old) => document.getElementById('result').dataset.run !== (old ?? undefined), before);

async function change(page, action) {
  const before = await page.locator('#result').getAttribute('data-run');
  await action();
  await settled(page, before);
}

const state = (page) => page.evaluate(() => ({
  title: document.querySelector('#result .banner:not(.warn) strong')?.textContent,
  words: document.querySelector('#result .banner:not(.warn) .words')?.textContent,
  simulated: document.querySelector('#result .banner.warn strong')?.textContent,
  failed: [...document.querySelectorAll('#result li.failed .what')].map((item) => item.textContent),
  steps: [...document.querySelectorAll('#result ol.steps > li')].map((item) => item.querySelector('.mark').textContent + ' ' + item.querySelector('.what').textContent),
}));

const file = (name) => readFileSync(join(folder, name));
const data = (name) => readFileSync(join(source, 'tests/data/attest', name));

await check('every vector and receipt is judged as natively', async () => {
  const page = await open();
  await page.setContent('<title>vectors</title>'); // another policy than the page's: the code comes by evaluate
  const code = readFileSync(join(build, 'sdk/verify-js/verify.js'), 'utf8').replace(/^export /gm, '');
  const wasm = readFileSync(join(build, 'sdk/verify-js/wasm.js'), 'utf8').match(/'([^']+)'/)[1];
  await page.evaluate(({ code: text, wasm: base64 }) => {
    window.verifier = new Function(`${text}; return new Verifier(Uint8Array.from(atob('${base64}'), (c) => c.charCodeAt(0)));`)();
  }, { code, wasm });
  const tests = [...vectors(source), ...receipts(folder, source)];
  const expected = JSON.parse(readFileSync(join(folder, 'expected.json'), 'utf8'));
  assert.equal(tests.length, expected.length);
  const packed = tests.map((test) => {
    const options = optionsOf(test);
    const text = {}, bytes = {};
    for (const [name, value] of Object.entries(options))
      if (value instanceof Uint8Array) bytes[name] = Buffer.from(value).toString('base64');
      else text[name] = value;
    return { kind: test.kind, file: Buffer.from(test.inputs[test.kind]).toString('base64'), text, bytes };
  });
  for (let from = 0; from < packed.length; from += 50) {
    const answers = await page.evaluate(async (list) => {
      const decode = (base64) => Uint8Array.from(atob(base64), (c) => c.charCodeAt(0));
      const results = [];
      for (const item of list) {
        const options = { ...item.text };
        for (const [name, base64] of Object.entries(item.bytes)) options[name] = decode(base64);
        const verify = item.kind === 'evidence' ? 'verifyEvidence' : 'verifyReceipt';
        try {
          const { accepted, report } = await window.verifier[verify](decode(item.file), options);
          results.push({ accepted, report });
        } catch (error) {
          results.push({ accepted: false, report: null, error: `${error.name} ${error.code}` });
        }
      }
      return results;
    }, packed.slice(from, from + 50));
    answers.forEach((answer, index) => {
      const { error, ...rest } = answer;
      assert.notEqual(error, 'VerifyError internal');
      const want = expected[from + index];
      if (rest.report?.judged_at && tests[from + index].words.at === 'receipt') rest.report.judged_at = want.report.judged_at;
      assert.deepEqual(rest, want, tests[from + index].name);
    });
  }
  // How long it takes, for the record.
  const quote = packed[tests.findIndex((test) => test.name === 'tdx-v4-phala-uptodate')];
  const times = await page.evaluate(async (item) => {
    const decode = (base64) => Uint8Array.from(atob(base64), (c) => c.charCodeAt(0));
    const options = { ...item.text };
    for (const [name, base64] of Object.entries(item.bytes)) options[name] = decode(base64);
    const bytes = decode(item.file), all = [];
    for (let i = 0; i < 15; i++) {
      const begin = performance.now();
      await window.verifier.verifyEvidence(bytes, options);
      all.push(performance.now() - begin);
    }
    return all.sort((a, b) => a - b);
  }, quote);
  console.log(`note  ${tests.length} cases; a TDX verification with collateral: median ${times[7].toFixed(1)} ms, best ${times[0].toFixed(1)} ms`);
  await page.close();
});

await check('the page opens from a file and says what it is', async () => {
  const page = await open();
  assert.equal(await page.locator('#unbuilt').count(), 0);
  assert.equal(await page.locator('h1').textContent(), 'Verify a receipt');
  assert.deepEqual(page.faults, []);
  await page.screenshot({ path: join(folder, 'empty.png') });
  await page.close();
});

await check('a simulated receipt is refused loudly, then accepted as simulated', async () => {
  const page = await open();
  await drop(page, [['receipt.json', file('receipt.json')]]);
  let seen = await state(page);
  assert.equal(seen.simulated, 'SIMULATED');
  assert.equal(seen.title, 'The receipt does not hold');
  assert.deepEqual(seen.failed, ['root', 'certificate chain']);
  await page.screenshot({ path: join(folder, 'refused.png'), fullPage: true });
  await change(page, () => page.check('#simulated'));
  seen = await state(page);
  assert.equal(seen.simulated, 'SIMULATED');
  assert.equal(seen.title, 'The receipt holds, on simulated evidence');
  assert.deepEqual(seen.failed, []);
  for (const step of ['receipt signature', 'keyset', 'evidence', 'root', 'code']) assert.ok(seen.steps.includes(`✓ passed ${step}`), step);
  assert.match(await page.locator('#result').textContent(), /sealed-auction/);
  await page.screenshot({ path: join(folder, 'accepted.png'), fullPage: true });
  await drop(page, [['output', file('output')]]);
  assert.ok((await state(page)).steps.includes('✓ passed output'));
  await drop(page, [['output', file('input')]]);
  seen = await state(page);
  assert.deepEqual(seen.failed, ['output']);
  assert.equal(seen.words, 'output digest differs');
  assert.deepEqual(page.faults, []);
  await page.close();
});

await check('a tampered receipt is refused, with the step', async () => {
  const page = await open();
  const bundle = JSON.parse(file('receipt.json'));
  const [header, claims, signature] = bundle.receipt.split('.');
  const other = JSON.parse(Buffer.from(claims, 'base64url'));
  other.outcome = { exit_code: 1, status: 'exit' };
  bundle.receipt = [header, Buffer.from(JSON.stringify(other)).toString('base64url'), signature].join('.');
  await drop(page, [['receipt.json', Buffer.from(JSON.stringify(bundle))]]);
  const seen = await state(page);
  assert.equal(seen.title, 'The receipt does not hold');
  assert.deepEqual(seen.failed, ['receipt signature']);
  assert.match(seen.words, /wrong signature/);
  await drop(page, [['receipt.json', Buffer.from(file('receipt.json').subarray(0, 900))]]);
  assert.equal((await state(page)).title, 'The receipt does not hold');
  assert.deepEqual(page.faults, []);
  await page.close();
});

await check('hostile strings stay strings', async () => {
  const page = await open();
  const markup = '<img src=x onerror="window.hurt=1"><script>window.hurt=1</scr' + 'ipt>';
  await drop(page, [['hostile.json', file('hostile.json')]]);
  await change(page, () => page.check('#simulated'));
  assert.match(await page.locator('#result').textContent(), /<img\/src=x\/onerror=window\.hurt=1>/);
  const policy = `s3n_policy_version = 1\n[[measurement]]\nname = ${JSON.stringify(markup.slice(0, 60))}\nmrtd = "${'00'.repeat(48)}"\n[simulated]\n`;
  await drop(page, [[`${markup}.toml`, Buffer.from(policy)]]);
  await drop(page, [['x"><img src=x onerror=window.hurt=1>.json', Buffer.from(JSON.stringify({ s3n_receipt_bundle: 1, [markup]: markup }))]]);
  await drop(page, [[`${markup}.bin`, Buffer.from(markup)]]);
  await page.waitForTimeout(200);
  assert.equal(await page.evaluate(() => window.hurt), undefined);
  assert.equal(await page.locator('main img, main script').count(), 0);
  assert.deepEqual(page.faults, []);
  await page.close();
});

await check('evidence with collateral and a policy', async () => {
  const page = await open();
  await drop(page, [['quote.bin', data('tdx_v4_phala_b0c06f.bin')]]);
  let seen = await state(page);
  assert.equal(seen.title, 'Valid, but rejected by the policy');
  await drop(page, ['intel/tcb_info_b0c06f_20250619.json', 'intel/td_qe_identity_b0c06f_20250619.json', 'intel/tcb_signing_chain_2025.pem',
    'intel/pck_platform_crl_b0c06f_20250619.der', 'intel/root_ca_crl_20250320.der'].map((name) => [name.slice(6), data(name)]));
  assert.deepEqual(await page.locator('#list select').evaluateAll((all) => all.map((one) => one.value)),
    ['evidence', 'tcbInfo', 'qeIdentity', 'tcbChain', 'pckCrl', 'rootCrl']);
  await page.selectOption('#when', 'other');
  await page.fill('#at', '2025-06-20T00:00:00Z');
  await change(page, () => page.locator('#at').blur());
  seen = await state(page);
  assert.equal(seen.title, 'Valid, and accepted by the policy');
  assert.equal(seen.simulated, undefined);
  assert.match(await page.locator('#result').textContent(), /b0c06f000000/);
  await page.screenshot({ path: join(folder, 'evidence.png'), fullPage: true });
  await drop(page, [['strict.toml', Buffer.from('s3n_policy_version = 1\n[tcb]\nstatus = ["OutOfDate"]\n')]]);
  seen = await state(page);
  assert.equal(seen.title, 'Valid, but rejected by the policy');
  assert.deepEqual(seen.failed, ['tcb.status']);
  await drop(page, [['strict.toml', Buffer.from('s3n_policy_version = 1\nsmtt = 1\n')]]);
  assert.match((await state(page)).words, /unknown key "smtt"/);
  const changed = Uint8Array.from(data('tdx_v4_phala_b0c06f.bin'));
  changed[184] ^= 1;
  await change(page, () => page.selectOption('#policy', 'none'));
  await drop(page, [['quote.bin', changed]]);
  seen = await state(page);
  assert.equal(seen.title, 'Invalid: QUOTE_SIG_INVALID');
  assert.deepEqual(seen.failed, ['quote signature']);
  assert.deepEqual(page.faults, []);
  await page.close();
});

await check('the keyboard is enough, and files may be chosen', async () => {
  const page = await open();
  await page.keyboard.press('Tab');
  assert.equal(await page.evaluate(() => document.activeElement.id), 'choose');
  const chooser = page.waitForEvent('filechooser');
  await page.waitForTimeout(1000); // until the browser has been told to hand choosers over
  await page.keyboard.press('Enter');
  await (await chooser).setFiles({ name: 'receipt.json', mimeType: 'application/json', buffer: file('receipt.json') });
  await settled(page, null);
  assert.equal((await state(page)).simulated, 'SIMULATED');
  const names = await page.locator('button, select, input:not([type=file])').evaluateAll((all) => all.map((one) =>
    one.getAttribute('aria-label') || one.labels?.[0]?.textContent || one.textContent));
  assert.ok(names.every((name) => name.trim() !== ''));
  await change(page, () => page.locator('#list button').click());
  assert.equal(await page.locator('#result').textContent(), '');
  await page.close();
});

await check('what is too large is said to be', async () => {
  const page = await open();
  await page.locator('#files').setInputFiles({ name: 'huge.bin', mimeType: '', buffer: Buffer.alloc((8 << 20) + 1) });
  await page.waitForFunction(() => document.querySelector('#result .banner strong')?.textContent === 'Too large');
  await page.close();
});

await check('nothing was ever asked of a network', async () => {
  assert.deepEqual(requests.filter((url) => !url.startsWith('file:') && !url.startsWith('blob:') && !url.startsWith('data:')), []);
  assert.deepEqual([...new Set(requests)], [pageUrl]);
});

await check('the page as a source says that it verifies nothing', async () => {
  const page = await context.newPage();
  await page.goto(pathToFileURL(join(source, 'tools/verify.html')).href);
  assert.equal(await page.locator('#unbuilt').isVisible(), true);
  await page.close();
});

await browser.close();
writeFileSync(join(folder, 'done'), '');
console.log(`${passed} passed, ${failed} failed, 0 skipped`);
process.exitCode = failed === 0 ? 0 : 1;
