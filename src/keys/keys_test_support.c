/* SPDX-License-Identifier: Apache-2.0 */
#include "keys/keys_test_support.h"

#include "tests/harness.h"

#include <stdlib.h>
#include <string.h>

struct ecdsa_key *test_key(uint8_t which)
{
    struct secret32 scalar = { { which, 1, 2, 3 } };
    struct ecdsa_key *key = NULL;
    struct error error = { 0 };
    if (!ecdsa_key_import(&key, &scalar, &error))
        abort();
    return key;
}

struct keyset test_keyset(void)
{
    AUTO(ecdsa_key) struct ecdsa_key *receipt = test_key(1);
    AUTO(ecdsa_key) struct ecdsa_key *tls = test_key(2);
    struct keyset keyset;
    memset(&keyset, 0, sizeof(keyset));
    memcpy(keyset.node, "00112233445566778899aabbccddeeff", KEYS_NODE_SIZE);
    memcpy(keyset.platform, "sim", 3);
    keyset.receipt_key = *ecdsa_key_public(receipt);
    keyset.tls_key = *ecdsa_key_public(tls);
    memset(keyset.encryption_key.bytes, 0x42, sizeof(keyset.encryption_key.bytes));
    keyset.validity = (struct keyset_validity){ 1790000000, 1790003600 };
    return keyset;
}

static struct digest32 digest_of(const char *text)
{
    return sha256_of(bytes_of_string(text));
}

struct receipt test_receipt(void)
{
    struct receipt receipt;
    memset(&receipt, 0, sizeof(receipt));
    memcpy(receipt.node, "00112233445566778899aabbccddeeff", KEYS_NODE_SIZE);
    memcpy(receipt.platform, "sim", 3);
    memcpy(receipt.id, "inv-0001", 8);
    memcpy(receipt.application, "sealed-auction", 14);
    memcpy(receipt.application_version, "1.2.0", 5);
    memcpy(receipt.function, "settle", 6);
    receipt.manifest = digest_of("manifest");
    receipt.code = digest_of("code");
    receipt.image = digest_of("image");
    receipt.request = digest_of("input");
    receipt.response = digest_of("output");
    receipt.keyset = digest_of("keyset");
    receipt.has_nonce = true;
    memset(receipt.nonce.bytes, 0x77, sizeof(receipt.nonce.bytes));
    receipt.issued_at_s = 1790000100;
    receipt.sequence = 7;
    memcpy(receipt.trigger.request_id, "req-0001", 8);
    receipt.usage.duration_us = 412;
    receipt.usage.memory_bytes = 131072;
    return receipt;
}
