/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/s3nd/identity.h"
#include "crypto/pem.h"
#include "crypto/x509.h"

#include <string.h>
#include <time.h>

enum {
    CERTIFICATE_SIZE_MAX = 8 << 10
};

void identity_done(struct identity *identity)
{
    tls_context_free(identity->tls);
    buffer_done(&identity->keyset);
    buffer_done(&identity->certificate);
    *identity = (struct identity){ 0 };
}

/* The host of "ADDR:PORT" without brackets. */
static void host_of(char *host, size_t size, const char *address)
{
    const char *colon = strrchr(address, ':');
    struct bytes text =
        bytes_of(address, colon == NULL ? strlen(address) : (size_t)(colon - address));
    if (text.size >= 2 && text.data[0] == '[')
        text = bytes_part(text, 1, text.size - 2);
    size_t used = MIN(text.size, size - 1);
    memcpy(host, text.data, used);
    host[used] = '\0';
}

/* Self-signed: a client trusts the key because the keyset names it, or because an operator handed
 * it tls.crt. */
static bool certificate_make(struct identity *identity, const struct ecdsa_key *key,
                             const char *address, struct error *error)
{
    char host[64];
    host_of(host, sizeof(host), address);
    const char *names[4] = { "localhost", "127.0.0.1" };
    if (host[0] != '\0' && strcmp(host, names[1]) != 0 && strcmp(host, "0.0.0.0") != 0 &&
        strcmp(host, "::") != 0)
        names[2] = host;
    struct x509_request request = {
        .common_name = "s3n node",
        .not_before_s = identity->parsed.validity.not_before_s,
        .not_after_s = identity->parsed.validity.not_after_s,
        .is_tls_server = true,
        .names = names,
    };
    AUTO_BUFFER struct buffer der;
    buffer_init(&der, CERTIFICATE_SIZE_MAX);
    if (!x509_issue(&der, &request, ecdsa_key_public(key), NULL, key, error))
        return error_within(error, "TLS certificate");
    struct bytes chain = buffer_view(&der);
    pem_append(&identity->certificate, "CERTIFICATE", chain);
    return tls_server_new(&identity->tls, &chain, 1, key, error);
}

static bool identity_make(struct identity *identity, struct keeper *keeper,
                          struct ecdsa_key **receipt_key, const char *address, struct error *error)
{
    AUTO(ecdsa_key) struct ecdsa_key *tls_key = NULL;
    int64_t now_s = (int64_t)time(NULL);
    struct keyset_validity validity = { now_s - IDENTITY_BACKDATE_S, now_s + IDENTITY_VALID_S };
    if (!ecdsa_key_generate(receipt_key, error) || !ecdsa_key_generate(&tls_key, error) ||
        !keeper_endorse(keeper, ecdsa_key_public(*receipt_key), ecdsa_key_public(tls_key),
                        &validity, &identity->keyset, error) ||
        !keyset_parse(&identity->parsed, buffer_view(&identity->keyset), error))
        return error_within(error, "keyset");
    identity->keyset_digest = keyset_digest(buffer_view(&identity->keyset));
    return certificate_make(identity, tls_key, address, error);
}

bool identity_is_due(const struct identity *identity)
{
    int64_t now_s = (int64_t)time(NULL), from_s = identity->parsed.validity.not_before_s;
    return now_s < from_s || now_s >= from_s + IDENTITY_BACKDATE_S + IDENTITY_RENEW_S;
}

bool identity_renew(struct identity *identity, struct keeper *keeper, struct receipt_book *receipts,
                    const char *address, struct error *error)
{
    struct identity made = { 0 };
    AUTO(ecdsa_key) struct ecdsa_key *receipt_key = NULL;
    buffer_init(&made.keyset, KEYSET_SIZE_MAX);
    buffer_init(&made.certificate, CERTIFICATE_SIZE_MAX);
    if (!identity_make(&made, keeper, &receipt_key, address, error)) {
        identity_done(&made);
        return false;
    }
    receipt_book_use_key(receipts, TAKE(receipt_key), &made.parsed, &made.keyset_digest);
    identity_done(identity);
    *identity = made;
    return true;
}

bool identity_endorse_again(struct identity *identity, struct keeper *keeper,
                            struct receipt_book *receipts, struct error *error)
{
    const struct keyset present = identity->parsed;
    struct keyset parsed;
    AUTO_BUFFER struct buffer text;
    buffer_init(&text, KEYSET_SIZE_MAX);
    if (!keeper_endorse(keeper, &present.receipt_key, &present.tls_key, &present.validity, &text,
                        error) ||
        !keyset_parse(&parsed, buffer_view(&text), error))
        return error_within(error, "keyset");
    identity->parsed = parsed;
    identity->keyset_digest = keyset_digest(buffer_view(&text));
    buffer_clear(&identity->keyset);
    buffer_append(&identity->keyset, buffer_view(&text));
    receipt_book_use_keyset(receipts, &identity->parsed, &identity->keyset_digest);
    return true;
}
