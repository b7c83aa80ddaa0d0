// SPDX-License-Identifier: Apache-2.0
// What a program in TypeScript does with the two packages; compiled with `strict` and run.  `@ts-expect-error` marks what
// the types must refuse: without an error there the compiler complains.
import {
  GATEWAY_PATH, SealedClient, SealedError, attestedKeyset, decapsulateResponse, decodeResponse, encapsulate, encodeRequest, keysetOf,
  seal, type Keyset, type SealedAnswer,
} from '@s3n/sealed'
import { SECRET_SIZE_MAX, SecretClient, sealSecret, type Secret, type SecretEnvelope, type SecretHistory } from '@s3n/sealed/secrets'
import {
  INPUT_SIZE_MAX, Verifier, VerifyError, verifyAttestation, verifyEvidence, verifyReceipt, type EvidenceReport, type ReceiptReport,
  type Result,
} from '@s3n/verify'
import { Verifier as OwnVerifier, VerifyError as OwnError } from '@s3n/verify/verify.js'

export async function call(url: string, policy: string): Promise<string> {
  const keyset: string = await attestedKeyset({ url, verify: verifyAttestation, policy })
  const client = new SealedClient({ url, keyset })
  const answer: SealedAnswer = await client.invoke('counter/add', '3', { nonce: new Uint8Array(32) })
  const page = await client.fetch('/a/counter/', { method: 'POST', headers: { 'content-type': 'text/plain' }, body: new Uint8Array(1) })
  // @ts-expect-error: a body is text or bytes
  await client.invoke('counter/add', 3)
  // @ts-expect-error: no such option of the verifier
  await attestedKeyset({ url, verify: verifyAttestation, trustsimulated: true })
  // @ts-expect-error: who judges the evidence is not to be left out
  await attestedKeyset({ url })
  const receipt: string | null = answer.receipt
  return `${answer.status} ${answer.headers.get('content-type')} ${page.body.byteLength} ${receipt?.length ?? 0}`
}

export async function secrets(url: string, owner: string, token: string): Promise<Secret[]> {
  const client = new SecretClient({ url, owner, token, keyset: () => attestedKeyset({ url, verify: verifyAttestation, trustSimulated: true }) })
  const set = await client.set('shop', 'API_KEY', 'value', { overlap: 3600 })
  const history: SecretHistory = await client.history('shop', 'API_KEY')
  // @ts-expect-error: it may be one of four words only
  const isKnown: boolean = history.history.some((entry) => entry.action === 'changed')
  await client.remove('shop', `${set.name}${isKnown}`)
  // @ts-expect-error: whose secret it is has to be said
  new SecretClient({ url, keyset: '' })
  return client.list('shop')
}

export async function verify(receipt: Uint8Array, quote: Uint8Array): Promise<string | undefined> {
  const judged: Result<ReceiptReport | null> = await verifyReceipt(receipt, { at: 'receipt', output: 'x', trustSimulated: true })
  const evidence: Result<EvidenceReport> = await verifyEvidence(quote, { tee: 'tdx', at: new Date() })
  // @ts-expect-error: no such platform
  await verifyEvidence(quote, { tee: 'sev' })
  // @ts-expect-error: a receipt that can't be read has no report
  const verified: boolean = judged.report.verified
  return `${verified}${evidence.report.tcb_status}${judged.refusal?.message}`
}

async function main(): Promise<void> {
  const refused = await verifyReceipt('no receipt')
  const code = await verifyEvidence('', { policy: 'no policy' }).then(() => 'none', (error: unknown) => (error instanceof VerifyError ? error.code : ''))
  const pair = (await crypto.subtle.generateKey({ name: 'X25519' }, true, ['deriveBits'])) as CryptoKeyPair
  const key = new Uint8Array(await crypto.subtle.exportKey('raw', pair.publicKey))
  const sealed: Uint8Array = await seal(key, 'ballot', 'ada yes')
  const sent = await encapsulate(1, key, encodeRequest({ method: 'GET', authority: 'node', path: '/', headers: {}, body: new Uint8Array() }))
  const broken: unknown[] = await Promise.all([
    decapsulateResponse(sent.exchange, new Uint8Array(3)).catch((error: unknown) => error),
    keysetOf('no keyset').catch((error: unknown): unknown => error) as Promise<Keyset>,
    sealSecret('no keyset', { application: 'a', owner: '0'.repeat(64), name: 'N', version: 1 }, 'x').catch((error: unknown) => error) as Promise<SecretEnvelope>,
  ])
  const isOne: boolean = OwnVerifier === Verifier && OwnError === VerifyError
  console.log(refused.accepted, refused.report, code, sealed.length - 32 - 7, broken.every((error) => error instanceof Error), isOne,
    typeof decodeResponse, GATEWAY_PATH, SECRET_SIZE_MAX, INPUT_SIZE_MAX, new SealedError('x').message)
}
await main()
