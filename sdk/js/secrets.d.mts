// SPDX-License-Identifier: Apache-2.0
export const SECRET_SIZE_MAX: number

export interface SecretPlace {
  application: string
  /** The account: 64 hexadecimal digits, `account` of `s3n owner keys --json`. */
  owner: string
  name: string
  /** `next` of the list. */
  version: number
}
export interface SecretEnvelope {
  version: number
  key: string
  envelope: string
}
/** The body of `PUT /v1/applications/APPLICATION/secrets/NAME`.  `keyset`: text, verified before. */
export function sealSecret(keyset: string, place: SecretPlace, value: string | Uint8Array,
  test?: { ephemeral?: CryptoKeyPair }): Promise<SecretEnvelope>

export interface SecretVersion {
  number: number
  set_s: number
  /** 0: the present one. */
  ends_s: number
  size: number
  actor: string
}
export interface Secret {
  name: string
  next: number
  versions: SecretVersion[]
}
export interface SecretHistory extends Secret {
  history: { action: 'set' | 'rotate' | 'remove' | 'end'; version: number; time_s: number; actor: string }[]
  releases: { secret_version: number; function: string; version: string; manifest: string; count: number; first_s: number; last_s: number }[]
}

export interface SecretClientOptions {
  url: string
  /** Text, or what resolves to it: asked again when the node has another keyset since. */
  keyset: string | (() => Promise<string>)
  owner: string
  /** An API token with the scopes `read` and `secrets`. */
  token?: string
  /** Instead of a token: header fields for a request. */
  authorize?: (method: string, url: URL, body?: string) => Promise<Record<string, string>>
  fetch?: typeof globalThis.fetch
}
export class SecretClient {
  constructor(options: SecretClientOptions)
  list(application: string): Promise<Secret[]>
  history(application: string, name: string): Promise<SecretHistory>
  /** `overlap`: seconds that the version before stays readable; without it that one is destroyed. */
  set(application: string, name: string, value: string | Uint8Array, options?: { overlap?: number }): Promise<{ name: string; version: number }>
  remove(application: string, name: string): Promise<void>
}
