/* SPDX-License-Identifier: Apache-2.0 */
/* Any message, opened with a fixed key: what opens stays within what was sent. */
#include "crypto/jwe.h"
#include "fuzz/fuzz.h"

/* Of this test alone; tests/data/jwe/p256.pem. */
static const char pem[] = "-----BEGIN PRIVATE KEY-----\n"
                          "MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgNiZSF8ChEGf9jN54\n"
                          "+qn+q4fTlw0p1MWSr9rAbxp0Zl+hRANCAASCucQuaTZzWkwaGP8UAIu/gFEGNs9r\n"
                          "2qsEzXFlP8AUGTQJCHmVHuxtJERrTPsi+LU6yytcbXgM7nMsE96DHaSz\n"
                          "-----END PRIVATE KEY-----\n";

void fuzz_one(struct bytes input)
{
    static struct jwe_key *key;
    struct error error;
    if (key == NULL)
        ASSERT(jwe_key_from_pem(&key, bytes_of_string(pem), JWE_ECDH_ES_A256KW, &error));
    AUTO_SECRET_BUFFER struct secret_buffer plain = { 0 };
    if (jwe_open(&plain, key, input, &error))
        ASSERT(plain.size < input.size);
}
