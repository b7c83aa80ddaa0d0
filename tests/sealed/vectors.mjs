// SPDX-License-Identifier: Apache-2.0
// sdk/js against RFC 9458 appendix A, RFC 9180 A.1.1 and the envelope of src/keys/secret_envelope_test.c; and on bad input.
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { attestedKeyset, decapsulateResponse, decodeResponse, encapsulate, encodeRequest, keysetOf, seal, toBase64url } from '../../sdk/js/sealed.mjs'
import { SecretClient, sealSecret } from '../../sdk/js/secrets.mjs'

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

async function pairOf(publicText, privateText) {
  const jwk = { kty: 'OKP', crv: 'X25519', x: publicText }
  return {
    publicKey: await crypto.subtle.importKey('jwk', jwk, { name: 'X25519' }, true, []),
    privateKey: await crypto.subtle.importKey('jwk', { ...jwk, d: privateText }, { name: 'X25519' }, true, ['deriveBits']),
  }
}

await test('seals and opens as RFC 9458 does', async () => {
  const ephemeral = await pairOf(x, d)
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

// RFC 9180 A.1.1
const ephemeralOfRfc = await pairOf(toBase64url(bytes('37fda3567bdbd628e88668c3c8d7e97d1d1253b6d4ea6d44c150f741f1bf4431')),
  toBase64url(bytes('52c4a758a802cd8b936eceea314432798d5baf2d7e9235dc084ab1b9cfa2f736')))

await test('seals as RFC 9180 does', async () => {
  const recipient = bytes('3948cfe0ad1ddb695d780e59077195da6c56506b027329794ab02bca80815c4d')
  const message = await seal(recipient, 'Ode on a Grecian Urn', 'Beauty is truth, truth beauty', 'Count-0', { ephemeral: ephemeralOfRfc, aead: 1 })
  assert.equal(hex(message), '37fda3567bdbd628e88668c3c8d7e97d1d1253b6d4ea6d44c150f741f1bf4431' +
    'f938558b5d72f1a23810b4be2ab4f84331acc02fc97babc53a52ae8218a355a96d8770ac83d07bea87e13c512a')
})

await test('refuses keys of small order', async () => {
  for (const point of ['00'.repeat(32), '01' + '00'.repeat(31), 'ec' + 'ff'.repeat(30) + '7f', 'ed' + 'ff'.repeat(30) + '7f', 'ee' + 'ff'.repeat(30) + '7f',
    'e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800', '5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157'])
    await assert.rejects(seal(bytes(point), '', 'x'), point)
})

const recipientOfTest = 'f0090d4eaf22638dc41f75f2ae4790f07011d6b9ebe261a4099e4524c9bc7c63'
const keyset = JSON.stringify({ encryption_key: { crv: 'X25519', kty: 'OKP', x: toBase64url(bytes(recipientOfTest)) }, s3n_keyset: 1 })
const place = { application: 'shop', owner: 'ab' + '00'.repeat(31), name: 'API_KEY', version: 12 }

await test('seals a secret as the command line does', async () => {
  const body = await sealSecret(keyset, place, 'correct horse', { ephemeral: ephemeralOfRfc })
  assert.deepEqual(body, { version: 12, key: recipientOfTest, envelope: Buffer.from(
    '37fda3567bdbd628e88668c3c8d7e97d1d1253b6d4ea6d44c150f741f1bf4431e0e5f1e9552db80728047c593ff502c0f53cd5e416dbf2a00d7bdbbb3e', 'hex').toString('base64') })
  for (const size of [1, 2, 3, 3072, 3073, 65536]) {
    const { envelope } = await sealSecret(keyset, place, new Uint8Array(size))
    assert.equal(Buffer.from(envelope, 'base64').length, size + 48)
    assert.equal(Buffer.from(envelope, 'base64').toString('base64'), envelope)
  }
})

await test('seals no secret to a place that is none', async () => {
  const bad = { application: ['', 'A', 'a/b', 'a\0', 'a'.repeat(64)], owner: ['', 'AB'.repeat(32), 'ab'.repeat(31)],
    name: ['', '.a', '-a', 'a b', 'a\0', 'a\n', 'ü', 'a'.repeat(65)], version: [0, -1, 1.5, '1', NaN, 2 ** 53] }
  for (const [member, values] of Object.entries(bad))
    for (const value of values)
      await assert.rejects(sealSecret(keyset, { ...place, [member]: value }, 'x'), { name: 'SealedError' }, `${member} ${value}`)
  for (const value of ['', new Uint8Array(0), null, 7])
    await assert.rejects(sealSecret(keyset, place, value), { name: 'SealedError' })
  await assert.rejects(sealSecret(keyset, place, new Uint8Array(65537)), { code: 'limit' })
})

await test('sends nothing for an account that the node made up', async () => {
  const asked = []
  const liar = async (url, options) => {
    asked.push(options.method)
    return Response.json({ owner: 'cd'.repeat(32), secrets: [] })
  }
  const client = new SecretClient({ url: 'https://node.test', keyset, owner: place.owner, token: 't', fetch: liar })
  await assert.rejects(client.set('shop', 'API_KEY', 'x'), { code: 'unverified' })
  assert.deepEqual(asked, ['GET'])
})

await test('asks for a keyset again when the node has another, once', async () => {
  let keysets = 0, puts = 0
  const node = async (url, { method }) => {
    if (method === 'GET')
      return Response.json({ owner: place.owner, secrets: [{ name: 'API_KEY', next: 4, versions: [] }] })
    return ++puts < 2 ? Response.json({ error: { code: 'unverified', message: 'another keyset' } }, { status: 422 }) :
      Response.json({ name: 'API_KEY', version: 4 })
  }
  const ask = async () => (keysets++, keyset)
  const options = { url: 'https://node.test', owner: place.owner, token: 't', fetch: node }
  assert.equal((await new SecretClient({ ...options, keyset: ask }).set('shop', 'API_KEY', 'x')).version, 4)
  assert.deepEqual([keysets, puts], [2, 2])
  puts = -10
  await assert.rejects(new SecretClient({ ...options, keyset: ask }).set('shop', 'API_KEY', 'x'), { code: 'unverified' })
  assert.deepEqual([keysets, puts], [4, -8])
  await assert.rejects(new SecretClient({ ...options, keyset }).set('shop', 'API_KEY', 'x'), { code: 'unverified' })
  assert.equal(puts, -7)
})

await test('takes no keyset that was not accepted', async () => {
  const answers = async () => new Response('{}')
  const refuses = async () => ({ accepted: false, refusal: { code: 'unverified', message: 'root' }, keyset: null })
  await assert.rejects(attestedKeyset({ url: 'https://node.test', fetch: answers, verify: refuses }), { code: 'unverified', message: 'root' })
  const given = []
  const accepts = async (text, options) => (given.push(options), { accepted: true, refusal: null, keyset })
  for (let i = 0; i < 2; i++)
    assert.equal(await attestedKeyset({ url: 'https://node.test', fetch: answers, verify: accepts, policy: 'p' }), keyset)
  assert.ok(given.every(({ nonce, policy }) => /^[0-9a-f]{64}$/.test(nonce) && policy === 'p') && given[0].nonce !== given[1].nonce)
  await assert.rejects(attestedKeyset({ url: 'https://node.test', fetch: async () => new Response('', { status: 503 }), verify: accepts }), { status: 503 })
})

await test('the types name what the modules export', async () => {
  for (const name of ['sealed', 'secrets']) {
    const module = await import(`../../sdk/js/${name}.mjs`)
    const types = readFileSync(new URL(`../../sdk/js/${name}.d.mts`, import.meta.url), 'utf8')
    const named = [...types.matchAll(/^export (?:function|class|const) (\w+)/gm)].map((match) => match[1])
    assert.ok(named.length >= 3)
    for (const one of named)
      assert.ok(one in module, one)
    for (const one of Object.keys(module).filter((key) => !['fromBase64url', 'hex', 'join', 'refusalOf', 'toBase64url'].includes(key)))
      assert.ok(named.includes(one), one)
  }
})

console.log(`${passed} passed, 0 failed, 0 skipped`)
