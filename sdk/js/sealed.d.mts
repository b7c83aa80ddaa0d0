// SPDX-License-Identifier: Apache-2.0
export const GATEWAY_PATH: string

export class SealedError extends Error {
  code: string
  status?: number
  hint?: string
}

export interface Keyset {
  keyId: number
  /** SHA-256 of the keyset's text, hexadecimal; receipts name it. */
  digest: string
  publicKey: Uint8Array
}
/** `text`: a keyset exactly as the node sent it, verified before. */
export function keysetOf(text: string): Promise<Keyset>

/** What @s3n/verify's `verifyAttestation` is; it gets `nonce` and `events` beside its options. */
export type VerifyAttestation = (attestation: string, options: any) =>
  Promise<{ accepted: boolean; refusal: { code: string; message: string } | null; keyset: string | null }>

/** The keyset of the node at `url`, asked for with a fresh nonce and judged; what is not accepted is a SealedError. */
export function attestedKeyset<Verify extends VerifyAttestation>(
  options: Omit<Parameters<Verify>[1], 'nonce' | 'events'> & { url: string; verify: Verify; fetch?: typeof globalThis.fetch }): Promise<string>

export interface SealedAnswer {
  status: number
  headers: Headers
  body: Uint8Array
  /** To be verified like any other; its digests are of the bodies inside. */
  receipt: string | null
}

export class SealedClient {
  constructor(options: { url: string; keyset: string; fetch?: typeof globalThis.fetch })
  fetch(path: string, options?: { method?: string; headers?: Record<string, string>; body?: string | Uint8Array }): Promise<SealedAnswer>
  invoke(name: string, input?: string | Uint8Array, options?: { nonce?: Uint8Array }): Promise<SealedAnswer>
}

/** HPKE (RFC 9180) to a function's own X25519 key: the encapsulated key (32 bytes), then the ciphertext. */
export function seal(recipient: Uint8Array, info: string | Uint8Array, plain: string | Uint8Array,
  aad?: string | Uint8Array, test?: { ephemeral?: CryptoKeyPair; aead?: 1 | 2 }): Promise<Uint8Array>

export interface Exchange {
  encapsulated: Uint8Array
  exported: Uint8Array
}
export function encapsulate(keyId: number, recipient: Uint8Array, plain: Uint8Array,
  options?: { ephemeral?: CryptoKeyPair; aead?: 1 | 2 }): Promise<{ body: Uint8Array; exchange: Exchange }>
export function decapsulateResponse(exchange: Exchange, sealed: Uint8Array): Promise<Uint8Array>
export function encodeRequest(request: { method: string; authority: string; path: string; headers: Record<string, string>; body: Uint8Array }): Uint8Array
export function decodeResponse(bytes: Uint8Array): { status: number; headers: Headers; body: Uint8Array }
