// SPDX-License-Identifier: Apache-2.0
// secrets.mjs URL VERIFY OWNER TOKEN APPLICATION: the JavaScript module against a real node.  A line per case.
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { attestedKeyset } from '../../sdk/js/sealed.mjs'
import { SecretClient, sealSecret } from '../../sdk/js/secrets.mjs'

const [url, folder, owner, token, application] = process.argv.slice(2)
const { verifyAttestation } = await import(pathToFileURL(join(folder, 'index.js')))
const keyset = () => attestedKeyset({ url, verify: verifyAttestation, trustSimulated: true })
const secrets = new SecretClient({ url, keyset, owner, token })
let failed = 0

async function test(name, run) {
  try {
    await run()
    console.log(`ok    JavaScript: ${name}`)
  } catch (error) {
    failed++
    console.log(`FAIL  JavaScript: ${name}: ${error.message.replaceAll('\n', ' ')}`)
  }
}
const ask = async (name) => (await fetch(`${url}/a/${application}/secret`, { method: 'POST', body: name })).text()

await test('simulated evidence has to be wanted', () =>
  assert.rejects(attestedKeyset({ url, verify: verifyAttestation }), { code: 'unverified' }))
await test('evidence is for the nonce that was sent', async () => {
  const replay = async (target) => fetch(target.pathname.endsWith('attestation') ? new URL(`?nonce=${'00'.repeat(32)}`, target) : target)
  await assert.rejects(attestedKeyset({ url, verify: verifyAttestation, trustSimulated: true, fetch: replay }), { message: /nonce/ })
})
await test('a cut event log', async () => {
  const cut = async (target) => target.pathname.endsWith('events') ? new Response((await (await fetch(target)).text()).slice(0, -200)) : fetch(target)
  await assert.rejects(attestedKeyset({ url, verify: verifyAttestation, trustSimulated: true, fetch: cut }), { code: 'unverified' })
})
await test('changed evidence, keyset and log', async () => {
  const question = '?nonce=' + '5a'.repeat(32), nonce = '5a'.repeat(32)
  const attestation = await (await fetch(`${url}/.well-known/s3n/attestation${question}`)).text()
  const events = await (await fetch(`${url}/.well-known/s3n/events`)).text()
  const judge = async (text, log) => (await verifyAttestation(text, { nonce, events: log, trustSimulated: true })).keyset
  const good = JSON.parse(attestation)
  assert.equal(await judge(attestation, events), good.keyset)
  const change = (text, at) => text.slice(0, at) + (text[at] === 'A' ? 'B' : 'A') + text.slice(at + 1)
  for (let i = 0; i < 12; i++) {
    const part = (text) => Math.floor((i + 0.5) * text.length / 12)
    for (const member of ['keyset', 'evidence', 'nonce', 'platform'])
      assert.equal(await judge(JSON.stringify({ ...good, [member]: change(good[member], part(good[member])) }), events), null, `${member} ${i}`)
    assert.equal(await judge(attestation, change(events, part(events))), null, `events ${i}`)
    assert.equal(await judge(attestation.slice(0, part(attestation)), events), null)
  }
})
await test('set', async () => {
  assert.deepEqual(await secrets.set(application, 'JS', 'correct horse ü'), { name: 'JS', version: 1 })
  assert.equal(await ask('JS'), 'correct horse ü')
})
await test('rotate', async () => {
  assert.equal((await secrets.set(application, 'JS', new Uint8Array([98, 97]), { overlap: 600 })).version, 2)
  assert.equal(await ask('JS') + await ask('JS 1'), 'bacorrect horse ü')
})
await test('list and history', async () => {
  const [row] = (await secrets.list(application)).filter(({ name }) => name === 'JS')
  assert.deepEqual([row.next, row.versions.map(({ size }) => size).sort()], [3, [16, 2].sort()])
  const { history } = await secrets.history(application, 'JS')
  assert.deepEqual(history.map(({ action, version }) => `${action} ${version}`), ['set 1', 'rotate 2'])
})
await test('another account', () => assert.rejects(new SecretClient({ url, keyset, owner: 'ab'.repeat(32), token }).set(application, 'JS', 'x'), { code: 'unverified' }))
await test('another token', () => assert.rejects(new SecretClient({ url, keyset, owner, token: 's3n_x' }).set(application, 'JS', 'x'), { status: 401 }))
await test('an envelope for another version', async () => {
  const body = await sealSecret(await keyset(), { application, owner, name: 'JS', version: 3 }, 'x')
  await assert.rejects(secrets.call('PUT', application, 'JS', { ...body, version: 4 }), ({ status }) => status === 409 || status === 422)
})
await test('remove', async () => {
  await secrets.remove(application, 'JS')
  await assert.rejects(secrets.remove(application, 'JS'), { status: 404 })
})
process.exit(failed === 0 ? 0 : 1)
