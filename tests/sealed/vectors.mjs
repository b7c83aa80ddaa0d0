// SPDX-License-Identifier: Apache-2.0
// sdk/js/sealed.mjs against RFC 9458 appendix A, and its own decoder against bad input.
import assert from 'node:assert/strict'
import { decapsulateResponse, decodeResponse, encapsulate, encodeRequest, keysetOf, toBase64url } from '../../sdk/js/sealed.mjs'

const bytes = (text) => Uint8Array.from(Buffer.from(text, 'hex'))
const hex = (array) => Buffer.from(array).toString('hex')
let passed = 0

async function test(name, run) {
  await run()
  passed++
  console.log(`ok    ${name}`)
}

const request = '00034745540568747470730b6578616d706c652e636f6d012f'
const sealed = '010020000100014b28f881333e7c164ffc499ad9796f877f4e1051ee6d31bad19dec96c208b4726374e469135906992e1268c594d2a10c' +
  '695d858c40a026e7965e7d86b83dd440b2c0185204b4d63525'
const x = toBase64url(bytes('4b28f881333e7c164ffc499ad9796f877f4e1051ee6d31bad19dec96c208b472'))
const d = toBase64url(bytes('bc51d5e930bda26589890ac7032f70ad12e4ecb37abb1b65b1256c9c48999c73'))

await test('seals and opens as RFC 9458 does', async () => {
  const jwk = { kty: 'OKP', crv: 'X25519', x }
  const ephemeral = {
    publicKey: await crypto.subtle.importKey('jwk', jwk, { name: 'X25519' }, true, []),
    privateKey: await crypto.subtle.importKey('jwk', { ...jwk, d }, { name: 'X25519' }, true, ['deriveBits']),
  }
  const recipient = bytes('31e1f05a740102115220e9af918f738674aec95f54db6e04eb705aae8e798155')
  const { body, exchange } = await encapsulate(1, recipient, bytes(request), { ephemeral, aead: 1 })
  assert.equal(hex(body), sealed)
  const answer = 'c789e7151fcba46158ca84b04464910d86f9013e404feea014e7be4a441f234f857fbd'
  assert.equal(hex(await decapsulateResponse(exchange, bytes(answer))), '0140c8')
  for (let at = 0; at < answer.length / 2; at++) {
    const changed = bytes(answer)
    changed[at] ^= 1
    await assert.rejects(decapsulateResponse(exchange, changed), { code: 'unverified' })
    await assert.rejects(decapsulateResponse(exchange, bytes(answer).slice(0, at)), { code: 'unverified' })
  }
})

await test('two requests are never the same', async () => {
  const pair = await crypto.subtle.generateKey({ name: 'X25519' }, true, ['deriveBits'])
  const recipient = new Uint8Array(await crypto.subtle.exportKey('raw', pair.publicKey))
  const [a, b] = await Promise.all([encapsulate(1, recipient, bytes('00')), encapsulate(1, recipient, bytes('00'))])
  assert.notEqual(hex(a.body), hex(b.body))
})

await test('writes binary HTTP', () => {
  const text = encodeRequest({ method: 'GET', authority: 'example.com', path: '/', headers: { A: 'b' }, body: bytes('6162') })
  assert.equal(hex(text), `${request}04016101620261620${'0'}`)
})

await test('reads binary HTTP strictly', () => {
  assert.equal(decodeResponse(bytes('0140c8')).status, 200)
  const read = decodeResponse(bytes('014194040161016203616263'))
  assert.equal(read.status, 404)
  assert.equal(read.headers.get('a'), 'b')
  assert.equal(hex(read.body), '616263')
  for (const bad of ['', '00', '01', '0340c8', '014064', '0140c805', '0140c8000361', '0140c8020161'])
    assert.throws(() => decodeResponse(bytes(bad)), { name: 'SealedError' }, bad)
})

await test('knows what a keyset is', async () => {
  const text = JSON.stringify({ encryption_key: { crv: 'X25519', kty: 'OKP', x }, s3n_keyset: 1 })
  assert.equal((await keysetOf(text)).publicKey.length, 32)
  await assert.rejects(keysetOf('{"s3n_keyset":2}'), { name: 'SealedError' })
})

console.log(`${passed} passed, 0 failed, 0 skipped`)
