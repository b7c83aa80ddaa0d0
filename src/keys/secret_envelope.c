/* SPDX-License-Identifier: Apache-2.0 */
#include "keys/secret_envelope.h"

#include "core/hex.h"
#include "crypto/hpke.h"
#include "keys/sealing.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define LABEL "s3n/secret/1"

static bool is_letter_or_digit(uint8_t byte)
{
    return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') ||
           (byte >= '0' && byte <= '9');
}

bool secret_name_is_valid(struct bytes name)
{
    bool is_valid = name.size >= 1 && name.size <= SECRET_NAME_SIZE_MAX;
    for (size_t i = 0; i < name.size && is_valid; i++)
        is_valid = is_letter_or_digit(name.data[i]) || name.data[i] == '_' ||
                   (i > 0 && (name.data[i] == '.' || name.data[i] == '-'));
    return is_valid;
}

bool secret_place_check(const struct secret_place *place, struct error *error)
{
    struct bytes application = bytes_of_string(place->application);
    bool is_valid = application.size >= 1;
    for (size_t i = 0; i < application.size && is_valid; i++)
        is_valid = is_letter_or_digit(application.data[i]) || application.data[i] == '-';
    if (!is_valid || place->version == 0)
        return error_set(error, ERROR_INVALID, "not a place of a secret");
    if (!secret_name_is_valid(bytes_of_string(place->name)))
        return error_set(error, ERROR_INVALID,
                         "the name of a secret has 1 to %d letters, digits and . _ -, and begins "
                         "with none of . -",
                         SECRET_NAME_SIZE_MAX);
    return true;
}

void secret_place_write(struct writer *writer, const struct secret_place *place)
{
    char version[24];
    snprintf(version, sizeof(version), "%" PRIu64, place->version);
    write_bytes(writer, BYTES_LITERAL(LABEL));
    write_u8(writer, 0);
    write_bytes(writer, bytes_of_string(place->application));
    write_u8(writer, 0);
    write_bytes(writer, bytes_of_string(hex_of_digest(&place->owner).text));
    write_u8(writer, 0);
    write_bytes(writer, bytes_of_string(place->name));
    write_u8(writer, 0);
    write_bytes(writer, bytes_of_string(version));
}

struct digest32 secret_place_digest(const struct secret_place *place)
{
    uint8_t text[SECRET_PLACE_SIZE_MAX];
    struct writer writer = writer_into(text, sizeof(text));
    secret_place_write(&writer, place);
    ASSERT(!writer.failed);
    return sha256_of(writer_view(&writer));
}

bool secret_seal(struct buffer *envelope, const struct secret_place *place,
                 const struct x25519_public *recipient, struct bytes value, struct error *error)
{
    uint8_t info[SECRET_PLACE_SIZE_MAX];
    struct writer writer = writer_into(info, sizeof(info));
    struct x25519_public encapsulated;
    AUTO_HPKE_CONTEXT struct hpke_context context = { 0 };
    if (!secret_place_check(place, error))
        return false;
    if (value.size == 0)
        return error_set(error, ERROR_INVALID, "a secret is not empty");
    if (value.size > SECRET_VALUE_SIZE_MAX)
        return error_set(error, ERROR_LIMIT, "a secret has at most %d bytes",
                         SECRET_VALUE_SIZE_MAX);
    secret_place_write(&writer, place);
    ASSERT(!writer.failed);
    struct hpke_setup setup = { .aead = AEAD_AES_256_GCM, .info = writer_view(&writer) };
    if (!hpke_setup_sender(&context, &encapsulated, &setup, recipient, error))
        return error_within(error, "seal");
    buffer_append(envelope, BYTES_OF(encapsulated.bytes));
    uint8_t *target = buffer_reserve(envelope, value.size + AEAD_TAG_SIZE);
    if (target == NULL)
        return error_set(error, ERROR_NO_MEMORY, "no memory for a secret");
    if (!hpke_seal(&context, target, value, (struct bytes){ 0 }, error))
        return false;
    envelope->size += value.size + AEAD_TAG_SIZE;
    return true;
}

struct space_name {
    char text[STORE_SPACE_SIZE_MAX + 1];
};

static struct space_name space_of(const struct secret_place *place)
{
    struct space_name space;
    snprintf(space.text, sizeof(space.text), SECRET_SPACE_PREFIX "%s/%.32s", place->application,
             hex_of_digest(&place->owner).text);
    return space;
}

bool secret_admit(struct buffer *sealed, const struct secret32 *root,
                  const struct secret_place *place, const struct secret32 *recipient,
                  struct bytes envelope, struct error *error)
{
    uint8_t info[SECRET_PLACE_SIZE_MAX];
    struct writer writer = writer_into(info, sizeof(info));
    struct reader reader = reader_of(envelope);
    struct x25519_public encapsulated;
    AUTO_HPKE_CONTEXT struct hpke_context context = { 0 };
    AUTO_SECRET_BUFFER struct secret_buffer plain = { 0 };
    struct error hidden;
    read_into(&reader, encapsulated.bytes, sizeof(encapsulated.bytes));
    struct bytes ciphertext = read_rest(&reader);
    if (!secret_place_check(place, error))
        return false;
    if (reader.failed || ciphertext.size <= AEAD_TAG_SIZE ||
        ciphertext.size > SECRET_VALUE_SIZE_MAX + AEAD_TAG_SIZE)
        return error_set(error, ERROR_INVALID,
                         "a sealed secret has 1 to %d bytes and %d around them",
                         SECRET_VALUE_SIZE_MAX, SECRET_ENVELOPE_OVERHEAD);
    secret_place_write(&writer, place);
    ASSERT(!writer.failed);
    struct hpke_setup setup = { .aead = AEAD_AES_256_GCM, .info = writer_view(&writer) };
    if (!secret_buffer_init(&plain, ciphertext.size - AEAD_TAG_SIZE, error))
        return false;
    if (!hpke_setup_recipient(&context, &setup, &encapsulated, recipient, &hidden) ||
        !hpke_open(&context, plain.data, ciphertext, (struct bytes){ 0 }, &hidden))
        return error_set(error, ERROR_UNVERIFIED,
                         "the sealed secret does not open as this version of this secret");
    return sealing_seal(root, space_of(place).text, setup.info, bytes_of(plain.data, plain.size),
                        sealed, error);
}

bool secret_open(struct buffer *value, const struct secret32 *root,
                 const struct secret_place *place, struct bytes sealed, struct error *error)
{
    uint8_t place_text[SECRET_PLACE_SIZE_MAX];
    struct writer writer = writer_into(place_text, sizeof(place_text));
    if (!secret_place_check(place, error))
        return false;
    secret_place_write(&writer, place);
    ASSERT(!writer.failed);
    return sealing_open(root, space_of(place).text, writer_view(&writer), sealed, value, error);
}
