/* SPDX-License-Identifier: Apache-2.0 */
#include "attest/intel/known.h"

#include <stdlib.h>
#include <string.h>

struct slot {
    struct known_piece piece;
    uint64_t used;       /* when, in uses of the owner */
    struct bytes source; /* the copy, behind this struct; decoded content follows it */
};

struct intel_known {
    struct slot *slots[INTEL_KNOWN_COUNT];
    uint64_t uses;
};

struct intel_known *intel_known_new(void)
{
    return calloc(1, sizeof(struct intel_known));
}

void intel_known_free(struct intel_known *known)
{
    if (known == NULL)
        return;
    for (size_t i = 0; i < ARRAY_COUNT(known->slots); i++)
        free(known->slots[i]);
    free(known);
}

static bool is_same(const struct slot *slot, enum known_kind kind, struct bytes source)
{
    return slot != NULL && slot->piece.kind == kind && slot->source.size == source.size &&
           (source.size == 0 || memcmp(slot->source.data, source.data, source.size) == 0);
}

struct known_piece *intel_known_find(struct intel_known *known, enum known_kind kind,
                                     struct bytes source)
{
    if (known == NULL)
        return NULL;
    for (size_t i = 0; i < ARRAY_COUNT(known->slots); i++) {
        struct slot *slot = known->slots[i];
        if (!is_same(slot, kind, source))
            continue;
        slot->used = ++known->uses;
        return &slot->piece;
    }
    return NULL;
}

bool known_piece_is_signed_by(const struct known_piece *piece, const struct public_key *key)
{
    return piece != NULL && key->kind == PUBLIC_KEY_P256 &&
           bytes_equal(BYTES_OF(piece->issuer.bytes), BYTES_OF(key->p256.bytes));
}

static bool parse(struct known_piece *piece, struct bytes content)
{
    struct error unused;
    switch (piece->kind) {
    case KNOWN_PCK_CHAIN:
    case KNOWN_TCB_CHAIN:
        if (!x509_chain_parse(&piece->chain, content, &unused))
            return false;
        for (size_t i = 0; i + 1 < piece->chain.count; i++)
            piece->chain.certificates[i].is_signature_known = true;
        return true;
    case KNOWN_CRL:
        return crl_parse(&piece->crl, content, &unused);
    case KNOWN_TCB_INFO:
        return tcb_info_parse(&piece->tcb_info, content, &unused);
    case KNOWN_QE_IDENTITY:
        return qe_identity_parse(&piece->qe_identity, content, &unused);
    case KNOWN_ROOT:
        return x509_parse(&piece->root, content, &unused);
    }
    return false;
}

/* A free place, or the one that was not used for the longest time. */
static struct slot **find_place(struct intel_known *known)
{
    struct slot **place = &known->slots[0];
    for (size_t i = 0; i < ARRAY_COUNT(known->slots); i++) {
        struct slot **slot = &known->slots[i];
        if (*slot == NULL)
            return slot;
        if ((*slot)->used < (*place)->used)
            place = slot;
    }
    return place;
}

void intel_known_keep(struct intel_known *known, enum known_kind kind, struct bytes source,
                      struct bytes content, const struct public_key *issuer)
{
    if (known == NULL || (issuer != NULL && issuer->kind != PUBLIC_KEY_P256) ||
        source.size > INTEL_KNOWN_SIZE_MAX || content.size > INTEL_KNOWN_SIZE_MAX)
        return;
    struct slot *slot = calloc(1, sizeof(*slot) + source.size + content.size);
    if (slot == NULL)
        return;
    uint8_t *copy = (uint8_t *)(slot + 1);
    memcpy(copy, source.data, source.size);
    memcpy(copy + source.size, content.data, content.size);
    slot->source = bytes_of(copy, source.size);
    slot->used = ++known->uses;
    slot->piece.kind = kind;
    slot->piece.issuer = issuer == NULL ? (struct ecdsa_public){ 0 } : issuer->p256;
    if (!parse(&slot->piece, bytes_of(copy + source.size, content.size))) {
        free(slot);
        return;
    }
    struct slot **place = find_place(known);
    for (size_t i = 0; i < ARRAY_COUNT(known->slots); i++) {
        if (is_same(known->slots[i], kind, source))
            place = &known->slots[i]; /* under another key */
    }
    free(*place);
    *place = slot;
}
