// SPDX-License-Identifier: Apache-2.0
/** Bytes of a file, or its text. */
export type Content = Uint8Array | ArrayBuffer | ArrayBufferView | string;
export type Tee = 'tdx' | 'sgx' | 'snp' | 'nitro';
export type Json = null | boolean | number | string | Json[] | { [name: string]: Json };

export interface SharedOptions {
  /** The time to judge at (now): Date, seconds since 1970, or RFC 3339. */
  at?: Date | number | string;
  /** The text of a policy file (TOML, docs/policy.md); 'default': production evidence, up to date; 'none': validity only. */
  policy?: Content | 'default' | 'none';
  /** Accept a development root, which proves nothing about hardware. */
  trustSimulated?: boolean;
  /** The trust anchor alone, one certificate, DER or PEM (the vendors', built in). */
  root?: Content;
}

/** As the options of `s3n verify evidence`; certificates and lists in DER or PEM. */
export interface EvidenceOptions extends SharedOptions {
  tee?: Tee;
  /** What the evidence must be about: hexadecimal digits, or bytes. */
  reportData?: string | Uint8Array;
  tcbInfo?: Content;
  qeIdentity?: Content;
  tcbChain?: Content;
  pckChain?: Content;
  pckCrl?: Content;
  rootCrl?: Content;
  vek?: Content;
  intermediate?: Content;
  crl?: Content;
  /** Collateral that `s3n verify evidence --save-bundle` kept. */
  bundle?: Content;
}

/** As the options of `s3n verify`. */
export interface ReceiptOptions extends Omit<SharedOptions, 'at'> {
  /** 'receipt': at the time that the receipt states. */
  at?: Date | number | string | 'receipt';
  /** Contents that the receipt must be about, or their SHA-256 (hexadecimal digits, or bytes). */
  code?: Content;
  input?: Content;
  output?: Content;
  codeDigest?: string | Uint8Array;
  inputDigest?: string | Uint8Array;
  outputDigest?: string | Uint8Array;
}

/** As the options of `s3n login`. */
export interface AttestationOptions extends SharedOptions {
  /** 32 fresh random bytes that were sent with the question, or their hexadecimal digits. */
  nonce: string | Uint8Array;
  /** The node's event log, /.well-known/s3n/events, asked for after the evidence. */
  events?: Content;
}

export interface Refusal {
  /** 'unverified'. */
  code: string;
  /** Names the step or the rule. */
  message: string;
}

export interface Rule {
  /** The policy's key: "tcb.status". */
  name: string;
  ok: boolean;
  value: string;
  wanted: string;
}

export interface EvidenceStep {
  name: string;
  ok: boolean;
  detail: string;
}

/** What `s3n verify evidence --json` prints. */
export interface EvidenceReport {
  result: 'valid' | 'invalid';
  /** Code of the first check that failed. */
  reason: string | null;
  tee: Tee | 'any';
  simulated?: boolean;
  tcb_status?: string;
  tcb_level_status?: string | null;
  tcb_date?: string | null;
  advisory_ids?: string[];
  qe_status?: string | null;
  claims: { [name: string]: Json };
  steps: EvidenceStep[];
  /** Steps whose collateral was not given. */
  left_out: { name: string; detail: string }[];
  policy: 'accept' | 'reject' | 'none';
  rules: Rule[];
  /** Attestation result for RATS tools. */
  ear: Json;
  /** Claims as RFC 9711 names them; of valid evidence. */
  eat?: Json;
}

/** What `s3n verify --json` prints. */
export interface ReceiptReport {
  verified: boolean;
  /** Proves nothing about hardware: say so to whoever reads the result. */
  simulated: boolean;
  judged_at: string | null;
  steps: { name: string; verdict: 'passed' | 'failed' | 'not compared' | 'not checked'; detail: string }[];
  evidence_steps: { name: string; ok: boolean | null; detail: string }[];
  ear?: Json;
  policy: 'accept' | 'reject' | 'none';
  rules: Rule[];
  /** The receipt's claims (docs/receipts.md); of verified receipts only. */
  receipt?: { [name: string]: Json };
}

export interface Result<Report> {
  /** Valid, and as the policy wants it. */
  accepted: boolean;
  /** Why not; null when it is accepted. */
  refusal: Refusal | null;
  report: Report;
}

export declare function verifyEvidence(evidence: Content, options?: EvidenceOptions): Promise<Result<EvidenceReport>>;
/** `keyset`: the text that was vouched for; null unless it is accepted. */
export declare function verifyAttestation(attestation: Content, options: AttestationOptions):
  Promise<Result<ReceiptReport | null> & { keyset: string | null }>;
/** `report` is null when the file is no receipt at all. */
export declare function verifyReceipt(receipt: Content, options?: ReceiptOptions): Promise<Result<ReceiptReport | null>>;

/** Nothing was judged.  Codes: 'usage' (options), 'invalid' (policy, bundle), 'limit', 'no-memory', 'internal'. */
export declare class VerifyError extends Error {
  readonly code: string;
  constructor(code: string, message: string);
}

/** Each input has at most so many bytes. */
export declare const INPUT_SIZE_MAX: number;

/** The same with a module of your own (s3n-verify.wasm): its bytes, or compiled. */
export declare class Verifier {
  constructor(module: WebAssembly.Module | BufferSource);
  verifyEvidence(evidence: Content, options?: EvidenceOptions): Promise<Result<EvidenceReport>>;
  verifyReceipt(receipt: Content, options?: ReceiptOptions): Promise<Result<ReceiptReport | null>>;
  verifyAttestation(attestation: Content, options: AttestationOptions):
    Promise<Result<ReceiptReport | null> & { keyset: string | null }>;
}
