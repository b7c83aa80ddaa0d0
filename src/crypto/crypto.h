/* SPDX-License-Identifier: Apache-2.0 */
/* The one door to OpenSSL 3: hashes, MACs, key derivation, random numbers, sealing, P-256
 * signatures, X.509 and TLS.  One header per topic; this one holds what concerns them all.
 *
 * Owns: OpenSSL's state in this process.  Never reads configuration files, never consults a system
 * trust store, never logs.  Secrets go in and out only as types of base/secret.h. */
#ifndef CRYPTO_CRYPTO_H
#define CRYPTO_CRYPTO_H

/* Loads the algorithms and seeds the generator.  A program that enters the jail calls it before,
 * so that nothing needs a file later; elsewhere the first use does the same.  Aborts when the
 * library can't be used at all. */
void crypto_init(void);

#endif
