/* SPDX-License-Identifier: Apache-2.0 */
#include "functions/receipts.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct kept {
    char id[KEYS_NAME_SIZE_MAX + 1];
    char *text;
};

struct receipt_book {
    const struct clock *clock;
    struct ecdsa_key *key;
    struct keyset keyset;
    struct digest32 keyset_digest;
    uint64_t sequence;
    uint64_t issued;
    struct kept kept[RECEIPT_KEPT_COUNT]; /* a ring: number n stands at n modulo its size */
};

bool receipt_book_new(struct receipt_book **book, const struct clock *clock, struct error *error)
{
    struct receipt_book *made = calloc(1, sizeof(*made));
    if (made == NULL)
        return error_set(error, ERROR_NO_MEMORY, "no memory for receipts");
    made->clock = clock;
    *book = made;
    return true;
}

void receipt_book_free(struct receipt_book *book)
{
    if (book == NULL)
        return;
    for (size_t i = 0; i < RECEIPT_KEPT_COUNT; i++)
        free(book->kept[i].text);
    ecdsa_key_free(book->key);
    free(book);
}

void receipt_book_use_key(struct receipt_book *book, struct ecdsa_key *key,
                          const struct keyset *keyset, const struct digest32 *keyset_digest)
{
    ecdsa_key_free(book->key);
    book->key = key;
    book->keyset = *keyset;
    book->keyset_digest = *keyset_digest;
    book->sequence = 0;
}

void receipt_book_use_keyset(struct receipt_book *book, const struct keyset *keyset,
                             const struct digest32 *keyset_digest)
{
    book->keyset = *keyset;
    book->keyset_digest = *keyset_digest;
}

bool receipt_book_sign_session(struct receipt_book *book, const struct session_exporter *exporter,
                               const struct nonce32 *nonce, struct ecdsa_signature *signature,
                               struct error *error)
{
    if (book->key == NULL)
        return error_set(error, ERROR_UNAVAILABLE, "there is no receipt key");
    return session_sign(signature, book->key, exporter, &book->keyset_digest, nonce, error);
}

bool receipt_book_sign_audit(struct receipt_book *book, const struct digest32 *account,
                             const struct audit_head *head, struct audit_endorsement *endorsement,
                             struct error *error)
{
    int64_t now_s = (int64_t)(clock_realtime_ns(book->clock) / 1000000000u);
    if (book->key == NULL || now_s > book->keyset.validity.not_after_s)
        return error_set(error, ERROR_UNAVAILABLE, "there is no valid receipt key");
    *endorsement =
        (struct audit_endorsement){ .account = *account,
                                    .head = *head,
                                    .keyset = book->keyset_digest,
                                    .time_s = MAX(now_s, book->keyset.validity.not_before_s) };
    return audit_head_sign(endorsement, book->key, error);
}

bool receipt_book_issue(struct receipt_book *book, const struct receipt *receipt, const char **text,
                        struct error *error)
{
    int64_t now_s = (int64_t)(clock_realtime_ns(book->clock) / 1000000000u);
    if (book->key == NULL || now_s > book->keyset.validity.not_after_s)
        return error_set(error, ERROR_UNAVAILABLE, "there is no valid receipt key");
    struct receipt complete = *receipt;
    memcpy(complete.node, book->keyset.node, sizeof(complete.node));
    memcpy(complete.platform, book->keyset.platform, sizeof(complete.platform));
    complete.keyset = book->keyset_digest;
    /* The clock may have been set back a little since the key was endorsed. */
    complete.issued_at_s = MAX(now_s, book->keyset.validity.not_before_s);
    complete.sequence = book->sequence + 1;
    AUTO_BUFFER struct buffer signed_text;
    buffer_init(&signed_text, RECEIPT_SIZE_MAX + 1);
    if (!receipt_issue(&signed_text, &complete, book->key, error))
        return false;
    buffer_append(&signed_text, bytes_of("", 1));
    char *copy = signed_text.failed ? NULL : malloc(signed_text.size);
    if (copy == NULL)
        return error_set(error, ERROR_NO_MEMORY, "no memory for a receipt");
    memcpy(copy, signed_text.data, signed_text.size);
    struct kept *kept = &book->kept[book->issued % RECEIPT_KEPT_COUNT];
    free(kept->text);
    kept->text = copy;
    memcpy(kept->id, complete.id, sizeof(kept->id));
    book->sequence++;
    book->issued++;
    *text = copy;
    return true;
}

void receipt_book_drop(struct receipt_book *book, const char *id)
{
    size_t count = (size_t)MIN(book->issued, (uint64_t)RECEIPT_KEPT_COUNT);
    for (size_t i = 0; i < count; i++) {
        if (strcmp(book->kept[i].id, id) == 0)
            book->kept[i].id[0] = '\0';
    }
}

const char *receipt_book_find(const struct receipt_book *book, struct bytes id)
{
    size_t count = (size_t)MIN(book->issued, (uint64_t)RECEIPT_KEPT_COUNT);
    for (size_t i = 0; i < count && id.size > 0; i++) {
        if (bytes_equal_string(id, book->kept[i].id))
            return book->kept[i].text;
    }
    return NULL;
}

uint64_t receipt_book_issued(const struct receipt_book *book)
{
    return book->issued;
}
