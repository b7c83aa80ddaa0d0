// SPDX-License-Identifier: Apache-2.0
// client.mjs URL CANARY [stale FILE]: the JavaScript module against a real node.  A line per case; the keyset is kept in a file
// beside the certificate so that a later run can use it when it is old.
import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { GATEWAY_PATH, SealedClient, SealedError, decapsulateResponse, decodeResponse, encapsulate, encodeRequest, keysetOf } from '../../sdk/js/sealed.mjs'

const [url, canary, mode] = process.argv.slice(2)
const keysetFile = join(dirname(dirname(process.env.NODE_EXTRA_CA_CERTS)), 'keyset')
const text = (bytes) => new TextDecoder().decode(bytes)
let failed = 0

async function test(name, run) {
  try {
    await run()
    console.log(`ok    ${name}`)
  } catch (error) {
    failed++
    console.log(`FAIL  ${name}: ${error.message.replaceAll('\n', ' ')}`)
  }
}

// What passes between: recorded, so that it can be looked at and sent again.
const sent = []
async function recording(target, options) {
  const answer = await fetch(target, options)
  const body = new Uint8Array(await answer.clone().arrayBuffer())
  sent.push({ request: options.body, answer: body })
  return answer
}

const post = (body, type = 'message/ohttp-req') => fetch(new URL(GATEWAY_PATH, url), { method: 'POST', headers: { 'content-type': type }, body })

if (mode === 'stale') {
  const client = new SealedClient({ url, keyset: readFileSync(keysetFile, 'utf8') })
  await test('stale', () => assert.rejects(client.invoke('open/f', 'x'), (error) =>
    error instanceof SealedError && error.code === 'unverified' && error.status === 422 && error.hint.includes('attestation')))
  process.exit(failed)
}

// A test may believe the node; users verify first.
const attestation = await (await fetch(`${url}/.well-known/s3n/attestation?nonce=${'00'.repeat(32)}`)).json()
const keyset = typeof attestation.keyset === 'string' ? attestation.keyset : JSON.stringify(attestation.keyset)
writeFileSync(keysetFile, keyset)
const client = new SealedClient({ url, keyset, fetch: recording })

await test('a function by name', async () => {
  const answer = await client.invoke('open/f', canary)
  assert.equal(answer.status, 200)
  assert.equal(text(answer.body), canary)
  const claims = JSON.parse(Buffer.from(answer.receipt.split('.')[1], 'base64url'))
  assert.equal(claims.trigger.sealed, true)
})
await test('a route that must be sealed', async () => {
  const answer = await client.fetch('/a/closed/run', { method: 'POST', body: canary })
  assert.equal(answer.status, 200)
  assert.equal(text(answer.body), canary)
})
await test('nothing of it is to be seen on the way', () => {
  assert.ok(sent.length >= 2)
  for (const { request, answer } of sent) {
    assert.ok(!Buffer.from(request).includes(canary) && !Buffer.from(answer).includes(canary))
    assert.ok(!Buffer.from(answer).includes('receipt'))
  }
})
await test('a request is answered once', async () => {
  const again = await post(sent[0].request)
  assert.equal(again.headers.get('content-type'), 'message/ohttp-res')
  assert.notDeepEqual(new Uint8Array(await again.arrayBuffer()), sent[0].answer)
})

async function inside(fields, path = '/a/open/run') {
  const { keyId, publicKey } = await keysetOf(keyset)
  const plain = encodeRequest({ method: 'POST', authority: '', path, headers: fields, body: new Uint8Array(1) })
  const { body, exchange } = await encapsulate(keyId, publicKey, plain)
  const ask = async () => {
    const answer = await post(body)
    return decodeResponse(await decapsulateResponse(exchange, new Uint8Array(await answer.arrayBuffer())))
  }
  return { ask, body }
}
const codeOf = (answer) => JSON.parse(text(answer.body)).error.code
const now = () => new Date().toUTCString()

await test('pages of the configured origins read the answer', async () => {
  for (const [origin, read] of [['https://app.example.com', 'https://app.example.com'], ['https://evil.example', null]]) {
    const { body } = await inside({ date: now() })
    const answer = await fetch(new URL(GATEWAY_PATH, url), { method: 'POST', headers: { 'content-type': 'message/ohttp-req', origin }, body })
    assert.equal(answer.headers.get('content-type'), 'message/ohttp-res')
    assert.equal(answer.headers.get('access-control-allow-origin'), read)
    assert.equal(answer.headers.get('vary'), 'origin')
  }
})
await test('the second time is told so, inside', async () => {
  const { ask } = await inside({ date: now() })
  assert.equal((await ask()).status, 200)
  const again = await ask()
  assert.equal(again.status, 409)
  assert.equal(codeOf(again), 'exists')
})
await test('an old date', async () => {
  const answer = await (await inside({ date: new Date(Date.now() - 1e6).toUTCString() })).ask()
  assert.equal(answer.status, 422)
})
await test('no date', async () => assert.equal((await (await inside({})).ask()).status, 400))
await test('another operation inside', async () => {
  const answer = await (await inside({ date: now() }, '/.well-known/ohttp-gateway')).ask()
  assert.equal(codeOf(answer), 'denied')
})
await test('cut and changed requests', async () => {
  const { body } = await inside({ date: now() })
  for (const at of [0, 1, 6, 7, 20, 38, 39, body.length - 1]) {
    const changed = body.slice()
    changed[at] ^= 1
    const answer = await post(changed)
    const said = await answer.json()
    assert.ok(answer.status >= 400 && said.error.code && !JSON.stringify(said).includes('/a/open'), `byte ${at}`)
  }
  for (const size of [0, 1, 7, 38, 39, 54, 55, body.length - 1])
    assert.ok((await post(body.slice(0, size))).status >= 400, `${size} bytes`)
})
await test('of twenty at once one is answered', async () => {
  const { ask } = await inside({ date: now() })
  const statuses = (await Promise.all(Array.from({ length: 20 }, ask))).map((answer) => answer.status)
  assert.deepEqual(statuses.sort(), [200, ...Array(19).fill(409)])
})
await test('a broken copy that was faster takes nothing from it', async () => {
  const { ask, body } = await inside({ date: now() })
  const broken = body.slice()
  broken[broken.length - 1] ^= 1
  assert.equal((await post(broken)).status, 422)
  assert.equal((await ask()).status, 200)
})
await test('keys that everybody shares', async () => {
  for (const point of ['00'.repeat(32), '01' + '00'.repeat(31), 'e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800']) {
    const { body } = await inside({ date: now() })
    body.set(Buffer.from(point, 'hex'), 7)
    assert.equal((await (await post(body)).json()).error.code, 'invalid')
  }
})
await test('what is inside is as strict as outside', async () => {
  const { keyId, publicKey } = await keysetOf(keyset)
  const good = { method: 'POST', authority: '', path: '/a/open/run', headers: { date: now() }, body: new Uint8Array(1) }
  const many = Object.fromEntries(Array.from({ length: 2000 }, (_, i) => [`x-${i}`, '1']))
  for (const [status, wrong] of [[501, { method: 'CONNECT' }], [501, { method: 'TRACE' }], [501, { method: 'post' }], [400, { path: '*' }], [400, { path: 'https://a.example/a/open/run' }], [400, { path: '/a/open/run x' }],
    [400, { path: '/a/open/../open/run' }], [400, { path: '/a/open/%2e%2e/open/run' }], [400, { path: `/${'p'.repeat(100000)}` }], [404, { path: '//a/open/run' }], [400, { authority: 'a b' }], [413, { headers: { ...good.headers, ...many } }],
    [400, { headers: { ...good.headers, 'content-length': '9' } }], [400, { headers: { ...good.headers, 'transfer-encoding': 'chunked' } }], [400, { headers: { ...good.headers, a: 'b\r\nc: d' } }],
    [400, { headers: { ...good.headers, ':path': '/' } }], [400, { authority: 'a.example', headers: { ...good.headers, host: 'b.example' } }], [400, { headers: { ...good.headers, host: 'a b' } }],
    [421, { headers: { ...good.headers, host: 'evil.example' } }], [421, { authority: 'evil.example' }], [200, { headers: { ...good.headers, host: 'functions.example' } }], [422, { headers: { date: new Date(Date.now() + 1e6).toUTCString() } }]]) {
    const { body, exchange } = await encapsulate(keyId, publicKey, encodeRequest({ ...good, ...wrong }))
    const answer = decodeResponse(await decapsulateResponse(exchange, new Uint8Array(await (await post(body)).arrayBuffer())))
    assert.equal(answer.status, status, JSON.stringify(wrong).slice(0, 80))
  }
})
await test('a key of somebody else', async () => {
  const pair = await crypto.subtle.generateKey({ name: 'X25519' }, true, ['deriveBits'])
  const { keyId } = await keysetOf(keyset)
  const { body } = await encapsulate(keyId, new Uint8Array(await crypto.subtle.exportKey('raw', pair.publicKey)), new Uint8Array(9))
  const answer = await post(body)
  assert.equal(answer.status, 422)
  assert.match((await answer.json()).error.hint, /attestation/)
})
await test('an answer in the clear is believed by nobody', async () => {
  const liar = new SealedClient({ url, keyset, fetch: async () => new Response('{"error":{"code":"x","message":"y"}}', { status: 200 }) })
  await assert.rejects(liar.invoke('open/f', 'x'), SealedError)
})
process.exit(failed === 0 ? 0 : 1)
