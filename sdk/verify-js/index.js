// SPDX-License-Identifier: Apache-2.0
import { Verifier } from './verify.js';
import wasm from './wasm.js';

export { INPUT_SIZE_MAX, Verifier, VerifyError } from './verify.js';

let verifier;

// Compiled at the first use, once.
function shared() {
  verifier ??= new Verifier(Uint8Array.from(atob(wasm), (character) => character.charCodeAt(0)));
  return verifier;
}

export const verifyEvidence = async (evidence, options) => shared().verifyEvidence(evidence, options);
export const verifyReceipt = async (receipt, options) => shared().verifyReceipt(receipt, options);
export const verifyAttestation = async (attestation, options) => shared().verifyAttestation(attestation, options);
