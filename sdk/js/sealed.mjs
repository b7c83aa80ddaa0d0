// SPDX-License-Identifier: Apache-2.0
// Calls functions of an S3N node so that nobody between the caller and the node's keeper can read request or answer: Oblivious
// HTTP (RFC 9458) around binary HTTP (RFC 9292), sealed to the encryption key of the node's keyset.  WebCrypto only.
//
// The keyset must have been verified (evidence, vendor's root, policy) by whoever calls this: sealing to a keyset that anyone
// could have sent protects nothing.

const KEM = 0x0020, KDF = 0x0001, AEAD = 0x0002 // X25519, HKDF-SHA-256, AES-256-GCM
const KEY_SIZE = 32, NONCE_SIZE = 12, TAG_SIZE = 16, HEAD_SIZE = 7
export const GATEWAY_PATH = '/.well-known/ohttp-gateway'
const utf8 = new TextEncoder()

export class SealedError extends Error {
  constructor(message, { code = 'invalid', status, hint } = {}) {
    super(message)
    this.name = 'SealedError'
    this.code = code
    this.status = status
    this.hint = hint
  }
}

// ---- bytes ----

function join(...parts) {
  const whole = new Uint8Array(parts.reduce((size, part) => size + part.length, 0))
  let at = 0
  for (const part of parts) {
    whole.set(part, at)
    at += part.length
  }
  return whole
}

const u16 = (number) => Uint8Array.of(number >> 8, number & 255)

function fromBase64url(text) {
  const binary = atob(text.replaceAll('-', '+').replaceAll('_', '/'))
  return Uint8Array.from(binary, (c) => c.charCodeAt(0))
}

function toBase64url(bytes) {
  return btoa(String.fromCharCode(...bytes)).replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '')
}

const hex = (bytes) => Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('')

// ---- HPKE (RFC 9180), base mode, one message ----

async function hmac(key, data) {
  // WebCrypto takes no empty key; a key of zeros is the same for HMAC
  const imported = await crypto.subtle.importKey('raw', key.length > 0 ? key : new Uint8Array(32),
    { name: 'HMAC', hash: 'SHA-256' }, false, ['sign'])
  return new Uint8Array(await crypto.subtle.sign('HMAC', imported, data))
}

async function expand(key, info, size) {
  let block = new Uint8Array(0), all = new Uint8Array(0)
  for (let counter = 1; all.length < size; counter++) {
    block = await hmac(key, join(block, info, Uint8Array.of(counter)))
    all = join(all, block)
  }
  return all.slice(0, size)
}

function labeled(suite) {
  const start = join(utf8.encode('HPKE-v1'), suite)
  return {
    extract: (salt, label, secret) => hmac(salt, join(start, utf8.encode(label), secret)),
    expand: (key, label, info, size) => expand(key, join(u16(size), start, utf8.encode(label), info), size),
  }
}

const EMPTY = new Uint8Array(0)

async function contextOf(shared, encapsulated, recipient, info, aead) {
  const kem = labeled(join(utf8.encode('KEM'), u16(KEM)))
  const hpke = labeled(join(utf8.encode('HPKE'), u16(KEM), u16(KDF), u16(aead)))
  const secret = await kem.expand(await kem.extract(EMPTY, 'eae_prk', shared), 'shared_secret',
    join(encapsulated, recipient), 32)
  const schedule = join(Uint8Array.of(0), await hpke.extract(EMPTY, 'psk_id_hash', EMPTY),
    await hpke.extract(EMPTY, 'info_hash', info))
  const scheduled = await hpke.extract(secret, 'secret', EMPTY)
  const keySize = aead === 1 ? 16 : KEY_SIZE
  return {
    key: await hpke.expand(scheduled, 'key', schedule, keySize),
    nonce: await hpke.expand(scheduled, 'base_nonce', schedule, NONCE_SIZE),
    exported: await hpke.expand(await hpke.expand(scheduled, 'exp', schedule, 32), 'sec',
      utf8.encode('message/bhttp response'), keySize),
  }
}

const gcm = (key, usage) => crypto.subtle.importKey('raw', key, 'AES-GCM', false, [usage])

// What is sealed to a public key, and the context's secrets.
async function sealBase(recipient, info, plain, { aad = EMPTY, ephemeral, aead = AEAD } = {}) {
  const pair = ephemeral ?? await crypto.subtle.generateKey({ name: 'X25519' }, true, ['deriveBits'])
  const encapsulated = new Uint8Array(await crypto.subtle.exportKey('raw', pair.publicKey))
  const peer = await crypto.subtle.importKey('raw', recipient, { name: 'X25519' }, true, [])
  const shared = new Uint8Array(await crypto.subtle.deriveBits({ name: 'X25519', public: peer }, pair.privateKey, 256))
  if (shared.every((byte) => byte === 0))
    throw new SealedError('the public key is not usable')
  const context = await contextOf(shared, encapsulated, recipient, info, aead)
  const sealed = new Uint8Array(await crypto.subtle.encrypt({ name: 'AES-GCM', iv: context.nonce, additionalData: aad },
    await gcm(context.key, 'encrypt'), plain))
  return { encapsulated, sealed, exported: context.exported }
}

// To a function's own key (`key_public` with X25519), for its `hpke_open`: the encapsulated key (32 bytes), then the ciphertext.
// The last argument is for tests, which bring an ephemeral key and another AEAD.
export async function seal(recipient, info, plain, aad = EMPTY, { ephemeral, aead } = {}) {
  const bytes = (value) => typeof value === 'string' ? utf8.encode(value) : value
  const { encapsulated, sealed } = await sealBase(recipient, bytes(info), bytes(plain), { aad: bytes(aad), ephemeral, aead })
  return join(encapsulated, sealed)
}

// ---- the encapsulation (RFC 9458) ----

// Exported for its tests, which bring an ephemeral key and the AEAD of the RFC's example.
export async function encapsulate(keyId, recipient, plain, { ephemeral, aead = AEAD } = {}) {
  const head = join(Uint8Array.of(keyId), u16(KEM), u16(KDF), u16(aead))
  const info = join(utf8.encode('message/bhttp request'), Uint8Array.of(0), head)
  const { encapsulated, sealed, exported } = await sealBase(recipient, info, plain, { ephemeral, aead })
  return { body: join(head, encapsulated, sealed), exchange: { encapsulated, exported } }
}

export async function decapsulateResponse({ encapsulated, exported }, sealed) {
  const size = exported.length
  if (sealed.length < size + TAG_SIZE)
    throw new SealedError('the sealed answer is cut off', { code: 'unverified' })
  const nonce = sealed.slice(0, size)
  const key = await hmac(join(encapsulated, nonce), exported)
  const iv = await expand(key, utf8.encode('nonce'), NONCE_SIZE)
  const opener = await gcm(await expand(key, utf8.encode('key'), size), 'decrypt')
  try {
    return new Uint8Array(await crypto.subtle.decrypt({ name: 'AES-GCM', iv }, opener, sealed.slice(size)))
  } catch {
    throw new SealedError('the sealed answer does not open', { code: 'unverified' })
  }
}

// ---- binary HTTP (RFC 9292), known length ----

function number(value) {
  if (value < 64)
    return Uint8Array.of(value)
  if (value < 16384)
    return Uint8Array.of(0x40 | value >> 8, value & 255)
  if (value < 2 ** 30)
    return Uint8Array.of(0x80 | value >> 24, value >> 16 & 255, value >> 8 & 255, value & 255)
  throw new SealedError('the request is too large', { code: 'limit' })
}

const sized = (bytes) => join(number(bytes.length), bytes)

export function encodeRequest({ method, authority, path, headers, body }) {
  const fields = Object.entries(headers).map(([name, value]) =>
    join(sized(utf8.encode(name.toLowerCase())), sized(utf8.encode(value))))
  return join(number(0), ...[method, 'https', authority, path].map((text) => sized(utf8.encode(text))),
    sized(join(...fields)), sized(body), number(0))
}

class Reader {
  constructor(bytes) {
    this.bytes = bytes
    this.at = 0
  }

  get left() {
    return this.bytes.length - this.at
  }

  take(size) {
    if (size > this.left)
      throw new SealedError('the answer is cut off')
    this.at += size
    return this.bytes.subarray(this.at - size, this.at)
  }

  number() {
    const first = this.take(1)[0]
    let value = first & 63
    for (const byte of this.take((1 << (first >> 6)) - 1))
      value = value * 256 + byte
    return value
  }

  sized() {
    return this.take(this.number())
  }
}

export function decodeResponse(bytes) {
  const reader = new Reader(bytes)
  if (reader.number() !== 1)
    throw new SealedError('the answer is not of known length')
  const status = reader.number()
  const headers = new Headers(), fields = new Reader(reader.left > 0 ? reader.sized() : EMPTY)
  const latin = new TextDecoder('latin1')
  while (fields.left > 0)
    headers.append(latin.decode(fields.sized()), latin.decode(fields.sized()))
  const body = reader.left > 0 ? reader.sized().slice() : new Uint8Array(0)
  if (status < 200 || status > 599)
    throw new SealedError('the answer has no final status')
  return { status, headers, body }
}

// ---- a node ----

// `text`: the keyset exactly as the node sent it and as it was verified.
export async function keysetOf(text) {
  const keyset = JSON.parse(text)
  const key = keyset.encryption_key
  if (keyset.s3n_keyset !== 1 || key?.crv !== 'X25519' || key?.kty !== 'OKP')
    throw new SealedError('this is no keyset')
  const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', utf8.encode(text)))
  return { keyId: digest[0], digest: hex(digest), publicKey: fromBase64url(key.x) }
}

// Asks the node for evidence with a fresh nonce and has it judged; resolves to the keyset's text, which may be sealed to.
// verify: verifyAttestation of @s3n/verify; options are its own (policy, trustSimulated, root).
export async function attestedKeyset({ url, verify, fetch = globalThis.fetch, ...options }) {
  const ask = async (path) => {
    const answer = await fetch(new URL(path, url), { redirect: 'error', cache: 'no-store' })
    const text = await answer.text()
    if (answer.status !== 200)
      throw refusalOf(answer.status, utf8.encode(text))
    return text
  }
  const nonce = hex(crypto.getRandomValues(new Uint8Array(32)))
  const attestation = await ask(`/.well-known/s3n/attestation?nonce=${nonce}`)
  const { accepted, refusal, keyset } = await verify(attestation, { ...options, nonce, events: await ask('/.well-known/s3n/events') })
  if (!accepted)
    throw new SealedError(refusal.message, { code: refusal.code })
  return keyset
}

export class SealedClient {
  // url: "https://host:port".  keyset: see keysetOf.  fetch: another one than the global, with the node's certificate say.
  constructor({ url, keyset, fetch = globalThis.fetch }) {
    this.url = new URL(url)
    this.keyset = keyset
    this.send = (...request) => fetch(...request) // browsers want it called as a function
  }

  // As fetch: path with query; options method, headers, body (string or Uint8Array).  Resolves to { status, headers, body,
  // receipt }.  A sealed request is answered once: this seals anew at every call and never repeats by itself.
  async fetch(path, { method = 'GET', headers = {}, body = EMPTY } = {}) {
    const { keyId, publicKey } = await keysetOf(this.keyset)
    const bytes = typeof body === 'string' ? utf8.encode(body) : body
    const plain = encodeRequest({ method, authority: this.url.host, path, body: bytes,
      headers: { ...headers, date: new Date().toUTCString() } })
    const { body: sealed, exchange } = await encapsulate(keyId, publicKey, plain)
    const answer = await this.send(new URL(GATEWAY_PATH, this.url),
      { method: 'POST', headers: { 'content-type': 'message/ohttp-req' }, body: sealed, redirect: 'error' })
    const whole = new Uint8Array(await answer.arrayBuffer())
    if (answer.headers.get('content-type') !== 'message/ohttp-res')
      throw refusalOf(answer.status, whole)
    const { status, headers: fields, body: output } = decodeResponse(await decapsulateResponse(exchange, whole))
    return { status, headers: fields, body: output, receipt: fields.get('s3n-receipt') }
  }

  // A function by name, as `s3n invoke --seal`: nonce (32 bytes) comes back in the receipt.
  invoke(name, input = EMPTY, { nonce = crypto.getRandomValues(new Uint8Array(32)) } = {}) {
    const [application, fn] = name.split('/')
    return this.fetch(`/v1/applications/${application}/functions/${fn}/invoke`,
      { method: 'POST', headers: { 'content-type': 'application/octet-stream', 's3n-nonce': hex(nonce) }, body: input })
  }
}

// What the node says in the clear, when it could not open a request say.
function refusalOf(status, body) {
  try {
    const { error } = JSON.parse(new TextDecoder().decode(body))
    return new SealedError(error.message, { code: error.code, status, hint: error.hint ?? undefined })
  } catch {
    return new SealedError(`the node answers ${status}, unsealed`, { code: 'unavailable', status })
  }
}

export { fromBase64url, hex, join, refusalOf, toBase64url }
