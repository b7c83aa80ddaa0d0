/* SPDX-License-Identifier: Apache-2.0 */
#include "attest/amd/hcl.h"

#include "core/json_reader.h"
#include "crypto/base64.h"

#include <string.h>

enum {
    HEAD_SIZE = 32,
    HASH_SHA256_ID = 1,
    MODULUS_SIZE_MIN = 256
};

bool hcl_is(struct bytes evidence)
{
    return bytes_starts_with(evidence, BYTES_LITERAL("HCLA"));
}

bool hcl_read(struct hcl *hcl, struct bytes evidence, struct error *error)
{
    struct hcl read = { 0 };
    struct reader reader = reader_of(evidence);
    read_skip(&reader, HEAD_SIZE);
    read.report = read_bytes(&reader, SNP_REPORT_SIZE);
    read_skip(&reader, 8); /* size and version of what follows: the last field repeats the size */
    read.report_type = read_u32_le(&reader);
    uint32_t hash_type = read_u32_le(&reader);
    read.runtime_data = read_bytes(&reader, read_u32_le(&reader));
    struct bytes rest = read_rest(&reader);
    uint8_t any = 0;
    for (size_t i = 0; i < rest.size; i++)
        any |= rest.data[i];
    if (!hcl_is(evidence) || !read_end(&reader) || read.runtime_data.size == 0 || any != 0)
        return error_set(error, ERROR_INVALID, "wrapper does not add up");
    if (hash_type != HASH_SHA256_ID)
        return error_set(error, ERROR_INVALID, "wrapper binds its data by another hash (%u)",
                         hash_type);
    *hcl = read;
    return true;
}

/* base64url without padding, the form of JWK. */
static bool read_number(struct json_reader *json, uint8_t *target, size_t capacity, size_t *size)
{
    struct json_text text = json_read_string(json);
    if (json->failed || text.has_escapes || !base64url_decode(target, capacity, size, text.raw)) {
        json_reader_fail(json);
        return false;
    }
    return true;
}

/* One JWK; *is_wanted tells whether it is the vTPM's attestation key. */
static void read_jwk(struct json_reader *json, struct hcl_key *key, bool *is_wanted)
{
    struct json_text name;
    uint8_t exponent[4];
    size_t exponent_size = 0;
    bool is_rsa = false;
    *key = (struct hcl_key){ 0 };
    *is_wanted = false;
    json_enter_object(json);
    while (json_next_member(json, &name)) {
        if (json_text_equal(name, "kid"))
            *is_wanted = json_text_equal(json_read_string(json), "HCLAkPub");
        else if (json_text_equal(name, "kty"))
            is_rsa = json_text_equal(json_read_string(json), "RSA");
        else if (json_text_equal(name, "n"))
            read_number(json, key->modulus, sizeof(key->modulus), &key->modulus_size);
        else if (json_text_equal(name, "e"))
            read_number(json, exponent, sizeof(exponent), &exponent_size);
        else
            json_skip(json);
    }
    for (size_t i = 0; i < exponent_size; i++)
        key->exponent = key->exponent << 8 | exponent[i];
    if (*is_wanted && (!is_rsa || key->modulus_size < MODULUS_SIZE_MIN || key->exponent < 3))
        json_reader_fail(json);
}

bool hcl_read_key(struct hcl_key *key, struct bytes runtime_data, struct error *error)
{
    struct json_reader json;
    struct json_text name;
    struct hcl_key found = { 0 };
    json_reader_init(&json, runtime_data);
    json_enter_object(&json);
    while (json_next_member(&json, &name)) {
        if (!json_text_equal(name, "keys")) {
            json_skip(&json);
            continue;
        }
        json_enter_array(&json);
        while (json_next_item(&json)) {
            struct hcl_key read;
            bool is_wanted;
            read_jwk(&json, &read, &is_wanted);
            if (is_wanted && found.modulus_size != 0)
                json_reader_fail(&json);
            if (is_wanted)
                found = read;
        }
    }
    if (!json_read_end(&json))
        return error_set(error, ERROR_INVALID, "runtime data is malformed");
    *key = found;
    return true;
}
