/* SPDX-License-Identifier: Apache-2.0 */
#include "attest/amd/id_block.h"

#include <string.h>

enum {
    ALGORITHM_NONE = 0,
    ALGORITHM_P384 = 1,
    CURVE_P384 = 2,
    BLOCK_VERSION = 1,
    SIGNATURE_SIZE = 512,
    NUMBER_SIZE = 72,
    KEY_SIZE = 0x404,
    HEAD_REST_SIZE = 0x40 - 8,
    GAP_SIZE = 0x680 - 0x240 - KEY_SIZE,
    TAIL_SIZE = SNP_ID_AUTH_SIZE - 0x880 - KEY_SIZE
};

/* One of the two keys with the signature it stands behind. */
struct signer {
    struct bytes key_bytes; /* as digests and signatures cover them */
    struct ecdsa384_public key;
    struct ecdsa384_signature signature;
    bool is_empty; /* nothing but zeros */
    bool is_sound;
};

static bool is_zero(struct bytes bytes)
{
    uint8_t any = 0;
    for (size_t i = 0; i < bytes.size; i++)
        any |= bytes.data[i];
    return any == 0;
}

static void read_zeros(struct reader *reader, size_t size)
{
    if (!is_zero(read_bytes(reader, size)))
        reader_fail(reader);
}

static void read_signer(struct reader *reader, struct signer *signer, size_t gap_size)
{
    struct bytes signature_bytes = read_bytes(reader, SIGNATURE_SIZE);
    signer->key_bytes = read_bytes(reader, KEY_SIZE);
    read_zeros(reader, gap_size);
    signer->is_empty = is_zero(signature_bytes) && is_zero(signer->key_bytes);
    struct reader signature = reader_of(signature_bytes);
    bool is_r_sound = snp_read_number(&signature, signer->signature.bytes);
    bool is_s_sound = snp_read_number(&signature, signer->signature.bytes + ECDSA384_NUMBER_SIZE);
    struct reader key = reader_of(signer->key_bytes);
    bool is_curve = read_u32_le(&key) == CURVE_P384;
    bool is_x_sound = snp_read_number(&key, signer->key.bytes);
    bool is_y_sound = snp_read_number(&key, signer->key.bytes + ECDSA384_NUMBER_SIZE);
    signer->is_sound = is_r_sound && is_s_sound && is_zero(read_rest(&signature)) && is_curve &&
                       is_x_sound && is_y_sound && is_zero(read_rest(&key));
}

static bool read_block(struct snp_id_block *block, struct bytes source)
{
    struct reader reader = reader_of(source);
    read_into(&reader, block->measurement, sizeof(block->measurement));
    read_into(&reader, block->family_id, sizeof(block->family_id));
    read_into(&reader, block->image_id, sizeof(block->image_id));
    block->version = read_u32_le(&reader);
    block->guest_svn = read_u32_le(&reader);
    block->policy = read_u64_le(&reader);
    return read_end(&reader) && block->version == BLOCK_VERSION;
}

static bool holds(const struct signer *signer, struct bytes message)
{
    struct error unused;
    struct digest48 digest = sha384_of(message);
    return ecdsa384_verify(&signer->key, &digest, &signer->signature, &unused);
}

bool snp_id_block_verify(struct snp_id_block *block, struct bytes id_block, struct bytes id_auth,
                         struct error *error)
{
    struct snp_id_block read = { 0 };
    struct signer owner;
    struct signer author;
    struct reader reader = reader_of(id_auth);
    uint32_t id_algorithm = read_u32_le(&reader);
    uint32_t author_algorithm = read_u32_le(&reader);
    read_zeros(&reader, HEAD_REST_SIZE);
    read_signer(&reader, &owner, GAP_SIZE);
    read_signer(&reader, &author, TAIL_SIZE);
    if (!read_block(&read, id_block))
        return error_set(error, ERROR_INVALID, "not an ID block of version %d", BLOCK_VERSION);
    if (!read_end(&reader))
        return error_set(error, ERROR_INVALID, "not an ID authentication");
    if (id_algorithm != ALGORITHM_P384 || !owner.is_sound)
        return error_set(error, ERROR_INVALID, "ID key is not one of P-384");
    read.has_author_key = author_algorithm != ALGORITHM_NONE || !author.is_empty;
    if (read.has_author_key && (author_algorithm != ALGORITHM_P384 || !author.is_sound))
        return error_set(error, ERROR_INVALID, "author key is not one of P-384");
    if (!holds(&owner, id_block))
        return error_set(error, ERROR_UNVERIFIED, "ID block is not signed by the ID key");
    if (read.has_author_key && !holds(&author, owner.key_bytes))
        return error_set(error, ERROR_UNVERIFIED, "ID key is not signed by the author key");
    read.id_key_digest = sha384_of(owner.key_bytes);
    if (read.has_author_key)
        read.author_key_digest = sha384_of(author.key_bytes);
    *block = read;
    return true;
}

bool snp_id_block_check(const struct snp_id_block *block, const struct snp_report *report,
                        struct error *error)
{
    const struct {
        const char *name;
        bool is_same;
    } fields[] = {
        { "measurement", bytes_equal(BYTES_OF(block->measurement), BYTES_OF(report->measurement)) },
        { "family id", bytes_equal(BYTES_OF(block->family_id), BYTES_OF(report->family_id)) },
        { "image id", bytes_equal(BYTES_OF(block->image_id), BYTES_OF(report->image_id)) },
        { "guest SVN", block->guest_svn == report->guest_svn },
        { "guest policy", block->policy == report->policy },
        { "ID key",
          bytes_equal(BYTES_OF(block->id_key_digest.bytes), BYTES_OF(report->id_key_digest)) },
        { "use of an author key",
          block->has_author_key == snp_report_is_author_key_enabled(report) },
        { "author key", bytes_equal(BYTES_OF(block->author_key_digest.bytes),
                                    BYTES_OF(report->author_key_digest)) },
    };
    for (size_t i = 0; i < ARRAY_COUNT(fields); i++) {
        if (!fields[i].is_same)
            return error_set(error, ERROR_UNVERIFIED, "%s of the ID block is not the report's",
                             fields[i].name);
    }
    return true;
}
