// SPDX-License-Identifier: Apache-2.0
// HPKE (RFC 9180), base mode, X25519, HKDF-SHA256, AES-256-GCM, written anew on node's crypto: seals to a public key.
// hpke_seal.mjs PUBLIC INFO AAD TEXT, all hexadecimal: prints INFO ENC AAD CIPHERTEXT, all hexadecimal.
import { createCipheriv, createHmac, createPublicKey, diffieHellman, generateKeyPairSync } from 'node:crypto';

const [publicHex, info, aad, text] = process.argv.slice(2).map((part, i) => (i ? Buffer.from(part, 'hex') : part));
const bytes = (...parts) => Buffer.concat(parts.map((part) => Buffer.from(part)));
const hmac = (key, data) => createHmac('sha256', key).update(data).digest();
const extract = (suite, salt, label, ikm) =>
  hmac(salt.length ? salt : Buffer.alloc(32), bytes('HPKE-v1', suite, label, ikm));
const expand = (suite, key, label, context, size) => {
  const full = bytes([size >> 8, size & 255], 'HPKE-v1', suite, label, context);
  let out = Buffer.alloc(0), block = Buffer.alloc(0);
  for (let i = 1; out.length < size; i++) {
    block = hmac(key, bytes(block, full, [i]));
    out = bytes(out, block);
  }
  return out.subarray(0, size);
};

const spki = bytes(Buffer.from('302a300506032b656e032100', 'hex'), Buffer.from(publicHex, 'hex'));
const recipient = createPublicKey({ key: spki, format: 'der', type: 'spki' });
const own = generateKeyPairSync('x25519');
const enc = own.publicKey.export({ format: 'der', type: 'spki' }).subarray(-32);
const kem = bytes('KEM', [0, 0x20]), suite = bytes('HPKE', [0, 0x20, 0, 1, 0, 2]);
const dh = diffieHellman({ privateKey: own.privateKey, publicKey: recipient });
const shared = expand(kem, extract(kem, '', 'eae_prk', dh), 'shared_secret', bytes(enc, Buffer.from(publicHex, 'hex')), 32);
const context = bytes([0], extract(suite, '', 'psk_id_hash', ''), extract(suite, '', 'info_hash', info));
const secret = extract(suite, shared, 'secret', '');
const cipher = createCipheriv('aes-256-gcm', expand(suite, secret, 'key', context, 32),
  expand(suite, secret, 'base_nonce', context, 12));
cipher.setAAD(Buffer.from(aad));
const sealed = bytes(cipher.update(text), cipher.final(), cipher.getAuthTag());
console.log([Buffer.from(info), enc, Buffer.from(aad), sealed].map((part) => part.toString('hex')).join(' '));
