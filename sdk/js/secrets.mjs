// SPDX-License-Identifier: Apache-2.0
// Sets an application's secrets: the value is sealed here to the node's verified keyset, as `s3n secret` does it
// (docs/secrets.md, "The envelope"), so that only the node's keeper can open it.
//
// The keyset must have been verified (attestedKeyset), and the owner known from elsewhere than from the node's answers:
// who ends TLS in between could otherwise name an account of their own and have the value sealed to that.

import { SealedError, hex, keysetOf, refusalOf, seal, toBase64url } from './sealed.mjs'

export const SECRET_SIZE_MAX = 65536
const NAME = /^[A-Za-z0-9_][A-Za-z0-9_.-]{0,63}$/, APPLICATION = /^[a-z0-9-]{1,63}$/, OWNER = /^[0-9a-f]{64}$/
const utf8 = new TextEncoder()

function checkPlace({ application, owner, name, version }) {
  if (!APPLICATION.test(application))
    throw new SealedError('this is no name of an application')
  if (!OWNER.test(owner))
    throw new SealedError('an owner is 64 hexadecimal digits: `account` of `s3n owner keys --json`')
  if (!NAME.test(name))
    throw new SealedError('the name of a secret has 1 to 64 letters, digits and . _ -, and begins with none of . -')
  if (!Number.isSafeInteger(version) || version < 1)
    throw new SealedError('versions count from 1')
}

// The body of PUT /v1/applications/APPLICATION/secrets/NAME.  keyset: text, verified before; value: string or Uint8Array;
// ephemeral is for tests.
export async function sealSecret(keyset, place, value, { ephemeral } = {}) {
  checkPlace(place)
  const bytes = typeof value === 'string' ? utf8.encode(value) : value
  if (!(bytes instanceof Uint8Array) || bytes.length === 0)
    throw new SealedError('a secret is text or bytes, and not empty')
  if (bytes.length > SECRET_SIZE_MAX)
    throw new SealedError(`a secret has at most ${SECRET_SIZE_MAX} bytes`, { code: 'limit' })
  const { publicKey } = await keysetOf(keyset)
  const info = ['s3n/secret/1', place.application, place.owner, place.name, place.version].join('\0')
  const envelope = await seal(publicKey, info, bytes, '', { ephemeral })
  return { version: place.version, key: hex(publicKey), envelope: toBase64(envelope) }
}

// Standard alphabet, padded; in pieces, as arguments of a call are limited.
function toBase64(bytes) {
  let text = ''
  for (let at = 0; at < bytes.length; at += 3072)
    text += toBase64url(bytes.subarray(at, at + 3072))
  return text.replaceAll('-', '+').replaceAll('_', '/').padEnd(Math.ceil(text.length / 4) * 4, '=')
}

export class SecretClient {
  // url: "https://host:port".  keyset: its text, or a function that resolves to it (attestedKeyset), asked again when the
  // node has another since.  owner: the account.  token: with scopes `read` and `secrets`; or authorize(method, url, body), which
  // resolves to header fields.
  constructor({ url, keyset, owner, token, authorize, fetch = globalThis.fetch }) {
    this.url = new URL(url)
    this.askKeyset = typeof keyset === 'function' ? keyset : null
    this.keyset = this.askKeyset === null ? keyset : null
    this.owner = owner
    this.authorize = authorize ?? (async () => ({ authorization: `Bearer ${token}` }))
    this.send = (...request) => fetch(...request) // browsers want it called as a function
  }

  async call(method, application, name, body) {
    if (!APPLICATION.test(application) || (name !== undefined && !NAME.test(name)))
      throw new SealedError('this is no name of an application or a secret')
    const url = new URL(`/v1/applications/${application}/secrets${name === undefined ? '' : `/${name}`}`, this.url)
    const text = body === undefined ? undefined : JSON.stringify(body)
    const headers = { ...text !== undefined && { 'content-type': 'application/json' }, ...await this.authorize(method, url, text) }
    const answer = await this.send(url, { method, headers, body: text, redirect: 'error', cache: 'no-store' })
    const bytes = new Uint8Array(await answer.arrayBuffer())
    if (!answer.ok)
      throw refusalOf(answer.status, bytes)
    return bytes.length === 0 ? null : JSON.parse(new TextDecoder().decode(bytes))
  }

  // Names, versions, sizes; no values, which nobody gets back.
  async list(application) {
    const { owner, secrets } = await this.call('GET', application)
    if (owner !== this.owner)
      throw new SealedError(`the node says that ${application} is of another account`, { code: 'unverified' })
    return secrets
  }

  async history(application, name) {
    return (await this.call('GET', application, name)).secrets[0]
  }

  // overlap: seconds that the version before stays readable by its number; without it that one is destroyed.
  async set(application, name, value, { overlap } = {}) {
    for (let isLast = this.askKeyset === null; ; isLast = true) {
      this.keyset ??= await this.askKeyset()
      const version = (await this.list(application)).find((secret) => secret.name === name)?.next ?? 1
      const body = await sealSecret(this.keyset, { application, owner: this.owner, name, version }, value)
      try {
        return await this.call('PUT', application, name, { ...body, ...overlap !== undefined && { overlap_s: overlap } })
      } catch (error) {
        if (isLast || error.code !== 'unverified')
          throw error
        this.keyset = null // sealed to one that is over
      }
    }
  }

  // All versions are destroyed.
  async remove(application, name) {
    await this.call('DELETE', application, name)
  }
}
