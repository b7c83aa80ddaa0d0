/* SPDX-License-Identifier: Apache-2.0 */
#include "net/signature.h"

#include "core/hex.h"
#include "crypto/base64.h"
#include "crypto/hash.h"
#include "net/structured.h"

#include <inttypes.h>

struct signature_message signature_message_of(const struct http_request *request,
                                              struct bytes scheme)
{
    return (struct signature_message){ .method = request->method,
                                       .scheme = scheme,
                                       .authority = request->authority,
                                       .target = request->target,
                                       .fields = request->fields,
                                       .field_count = request->field_count };
}

static const struct http_field *field_of(const struct signature_message *message, struct bytes name,
                                         size_t from)
{
    for (size_t i = from; i < message->field_count; i++) {
        if (bytes_equal(message->fields[i].name, name))
            return &message->fields[i];
    }
    return NULL;
}

/* The member of that label in a field that may appear once only. */
static bool find_label(struct structured_member *member, const struct signature_message *message,
                       const char *field_name, const char *label, struct error *error)
{
    struct bytes name = bytes_of_string(field_name);
    const struct http_field *field = field_of(message, name, 0);
    if (field == NULL)
        return error_set(error, ERROR_UNAUTHENTICATED, "the request has no %s field", field_name);
    if (field_of(message, name, (size_t)(field - message->fields) + 1) != NULL)
        return error_set(error, ERROR_INVALID, "%s is given more than once", field_name);
    switch (structured_find(member, field->value, label)) {
    case STRUCTURED_MEMBER:
        return true;
    case STRUCTURED_END:
        return error_set(error, ERROR_UNAUTHENTICATED, "%s has no member \"%s\"", field_name,
                         label);
    case STRUCTURED_BAD:
        break;
    }
    return error_set(error, ERROR_INVALID, "%s is not a well-formed structured field", field_name);
}

static bool is_plain_string(const struct structured_item *item)
{
    return item->kind == STRUCTURED_STRING && !item->has_escapes;
}

static bool read_components(struct signature *signature, const struct structured_member *input,
                            struct error *error)
{
    if (!input->is_list)
        return error_set(error, ERROR_INVALID, "signature-input is not a list of components");
    for (size_t i = 0; i < input->item_count; i++) {
        const struct structured_item *item = &input->items[i];
        if (!is_plain_string(item))
            return error_set(error, ERROR_INVALID, "a covered component is not a plain string");
        if (item->has_parameters)
            return error_set(error, ERROR_UNSUPPORTED,
                             "parameters of covered components are not supported");
        for (size_t j = 0; j < i; j++) {
            if (bytes_equal(signature->components[j], item->text))
                return error_set(error, ERROR_INVALID, "component %s is covered twice",
                                 error_quote(item->text).text);
        }
        signature->components[i] = item->text;
    }
    signature->component_count = input->item_count;
    return true;
}

static bool read_parameters(struct signature *signature, const struct structured_member *input)
{
    for (size_t i = 0; i < input->parameter_count; i++) {
        const struct structured_parameter *parameter = &input->parameters[i];
        const struct structured_item *value = &parameter->value;
        struct bytes *text = NULL;
        if (bytes_equal_string(parameter->name, "created")) {
            signature->has_created = value->kind == STRUCTURED_INTEGER;
            signature->created_s = value->number;
            if (!signature->has_created)
                return false;
        } else if (bytes_equal_string(parameter->name, "expires")) {
            signature->has_expires = value->kind == STRUCTURED_INTEGER;
            signature->expires_s = value->number;
            if (!signature->has_expires)
                return false;
        } else if (bytes_equal_string(parameter->name, "nonce")) {
            text = &signature->nonce;
        } else if (bytes_equal_string(parameter->name, "keyid")) {
            text = &signature->key_id;
        } else if (bytes_equal_string(parameter->name, "alg")) {
            text = &signature->algorithm;
        } else if (bytes_equal_string(parameter->name, "tag")) {
            text = &signature->tag;
        }
        if (text != NULL && !is_plain_string(value))
            return false;
        if (text != NULL)
            *text = value->text;
    }
    return true;
}

bool signature_parse(struct signature *signature, const struct signature_message *message,
                     const char *label, struct error *error)
{
    struct structured_member input, value;
    struct signature parsed = { 0 };
    size_t size = 0;
    if (!find_label(&input, message, "signature-input", label, error) ||
        !find_label(&value, message, "signature", label, error))
        return false;
    if (!read_components(&parsed, &input, error))
        return false;
    if (!read_parameters(&parsed, &input))
        return error_set(error, ERROR_INVALID, "a signature parameter has the wrong type");
    if (value.is_list || value.items[0].kind != STRUCTURED_BYTES ||
        !base64_decode(parsed.value.bytes, sizeof(parsed.value.bytes), &size,
                       value.items[0].text) ||
        size != sizeof(parsed.value.bytes))
        return error_set(error, ERROR_INVALID, "the signature is not 64 bytes in base64");
    parsed.input = input.raw;
    *signature = parsed;
    return true;
}

/* Lower case, without the scheme's own port (RFC 9421 2.2.3). */
static void append_authority(struct buffer *base, const struct signature_message *message)
{
    struct bytes authority = message->authority;
    struct bytes port = BYTES_LITERAL(":443");
    if (bytes_equal_string(message->scheme, "https") && authority.size > port.size &&
        bytes_equal(bytes_part(authority, authority.size - port.size, port.size), port))
        authority.size -= port.size;
    for (size_t i = 0; i < authority.size; i++) {
        uint8_t byte = authority.data[i];
        if (byte >= 'A' && byte <= 'Z')
            byte = (uint8_t)(byte + 32);
        buffer_append(base, bytes_of(&byte, 1));
    }
}

static void append_fields(struct buffer *base, const struct signature_message *message,
                          const struct http_field *field)
{
    for (const struct http_field *first = field; field != NULL;) {
        if (field != first)
            buffer_append_string(base, ", ");
        buffer_append(base, field->value);
        field = field_of(message, first->name, (size_t)(field - message->fields) + 1);
    }
}

/* One derived component (RFC 9421 2.2); false when there is no such one. */
static bool append_derived(struct buffer *base, const struct signature_message *message,
                           struct bytes name)
{
    size_t mark = bytes_find(message->target, '?');
    if (bytes_equal_string(name, "@status")) {
        buffer_format(base, "%d", message->status);
        return message->status != 0;
    }
    if (message->status != 0)
        return false;
    if (bytes_equal_string(name, "@method")) {
        buffer_append_string(base, http_method_name(message->method));
    } else if (bytes_equal_string(name, "@target-uri")) {
        buffer_append(base, message->scheme);
        buffer_append_string(base, "://");
        append_authority(base, message);
        buffer_append(base, message->target);
    } else if (bytes_equal_string(name, "@authority")) {
        append_authority(base, message);
    } else if (bytes_equal_string(name, "@scheme")) {
        buffer_append(base, message->scheme);
    } else if (bytes_equal_string(name, "@request-target")) {
        buffer_append(base, message->target);
    } else if (bytes_equal_string(name, "@path")) {
        buffer_append(base, bytes_part(message->target, 0, mark));
    } else if (bytes_equal_string(name, "@query")) {
        buffer_append_string(base, "?");
        buffer_append(base, bytes_part(message->target, mark + 1, message->target.size));
    } else {
        return false;
    }
    return true;
}

bool signature_base(struct buffer *base, const struct signature *signature,
                    const struct signature_message *message, struct error *error)
{
    for (size_t i = 0; i < signature->component_count; i++) {
        struct bytes name = signature->components[i];
        bool derived = name.size > 0 && name.data[0] == '@';
        const struct http_field *field = derived ? NULL : field_of(message, name, 0);
        buffer_append_string(base, "\"");
        buffer_append(base, name);
        buffer_append_string(base, "\": ");
        if (!derived)
            append_fields(base, message, field);
        if (derived ? !append_derived(base, message, name) : field == NULL)
            return error_set(error, ERROR_INVALID, "the message has no component %s to cover",
                             error_quote(name).text);
        buffer_append_string(base, "\n");
    }
    buffer_append_string(base, "\"@signature-params\": ");
    buffer_append(base, signature->input);
    if (base->failed)
        return error_set(error, ERROR_LIMIT, "signature base is over %d bytes",
                         SIGNATURE_BASE_SIZE_MAX);
    return true;
}

bool signature_verify(const struct signature *signature, const struct signature_message *message,
                      const struct ecdsa_public *key, struct error *error)
{
    AUTO_BUFFER struct buffer base;
    buffer_init(&base, SIGNATURE_BASE_SIZE_MAX);
    if (!signature_base(&base, signature, message, error))
        return false;
    struct digest32 digest = sha256_of(buffer_view(&base));
    struct error reason;
    if (!ecdsa_verify(key, &digest, &signature->value, &reason))
        return error_set(error, ERROR_UNAUTHENTICATED, "the signature does not verify");
    return true;
}

static bool is_covered(const struct signature *signature, const char *name)
{
    for (size_t i = 0; i < signature->component_count; i++) {
        if (bytes_equal_string(signature->components[i], name))
            return true;
    }
    return false;
}

bool signature_check(const struct signature *signature, bool needs_digest, int64_t now_s,
                     struct error *error)
{
    bool covers_target = is_covered(signature, "@target-uri") ||
                         (is_covered(signature, "@authority") && is_covered(signature, "@path") &&
                          is_covered(signature, "@query"));
    if (!is_covered(signature, "@method") || !covers_target)
        return error_set(error, ERROR_UNAUTHENTICATED,
                         "the signature must cover @method and @target-uri");
    if (needs_digest && !is_covered(signature, "content-digest"))
        return error_set(error, ERROR_UNAUTHENTICATED, "the signature must cover content-digest");
    if (signature->algorithm.size > 0 &&
        !bytes_equal_string(signature->algorithm, SIGNATURE_ALGORITHM))
        return error_set(error, ERROR_UNAUTHENTICATED, "signature algorithm is not %s",
                         SIGNATURE_ALGORITHM);
    if (!signature->has_created || signature->nonce.size < 16 ||
        signature->nonce.size > SIGNATURE_NONCE_SIZE_MAX || signature->key_id.size == 0)
        return error_set(error, ERROR_UNAUTHENTICATED,
                         "the signature needs created, keyid and a nonce of 16 to %d characters",
                         SIGNATURE_NONCE_SIZE_MAX);
    int64_t age_s = now_s - signature->created_s;
    if (age_s > SIGNATURE_AGE_S_MAX || age_s < -SIGNATURE_AGE_S_MAX)
        return error_set(error, ERROR_UNAUTHENTICATED,
                         "the signature was created %" PRId64 " s %s, at most %d s are allowed",
                         age_s < 0 ? -age_s : age_s, age_s < 0 ? "in the future" : "ago",
                         SIGNATURE_AGE_S_MAX);
    if (signature->has_expires && signature->expires_s < now_s)
        return error_set(error, ERROR_UNAUTHENTICATED, "the signature has expired");
    return true;
}

bool signature_key_id(const struct signature *signature, struct digest32 *id)
{
    for (size_t i = 0; i < signature->key_id.size; i++) {
        uint8_t byte = signature->key_id.data[i];
        if (byte >= 'A' && byte <= 'F')
            return false;
    }
    return hex_decode(id->bytes, sizeof(id->bytes), signature->key_id);
}

bool signature_create(struct buffer *input, struct buffer *value,
                      const struct signature_message *message, bool covers_digest,
                      int64_t created_s, const char *nonce, const struct ecdsa_key *key,
                      struct error *error)
{
    AUTO_BUFFER struct buffer base;
    struct digest32 id = ecdsa_public_id(ecdsa_key_public(key));
    size_t from = input->size + sizeof(SIGNATURE_LABEL "=") - 1;
    buffer_init(&base, SIGNATURE_BASE_SIZE_MAX);
    buffer_format(input,
                  SIGNATURE_LABEL "=(\"@method\" \"@target-uri\"%s);created=%" PRId64
                                  ";nonce=\"%s\";keyid=\"%s\";alg=\"" SIGNATURE_ALGORITHM "\"",
                  covers_digest ? " \"content-digest\"" : "", created_s, nonce,
                  hex_of_digest(&id).text);
    struct signature signature = { .components = { BYTES_LITERAL("@method"),
                                                   BYTES_LITERAL("@target-uri"),
                                                   BYTES_LITERAL("content-digest") },
                                   .component_count = covers_digest ? 3 : 2,
                                   .input = bytes_part(buffer_view(input), from, input->size) };
    if (input->failed)
        return error_set(error, ERROR_NO_MEMORY, "no room for a signature");
    if (!signature_base(&base, &signature, message, error))
        return false;
    struct digest32 digest = sha256_of(buffer_view(&base));
    if (!ecdsa_sign(&signature.value, key, &digest, error))
        return false;
    buffer_append_string(value, SIGNATURE_LABEL "=:");
    base64_append(value, BYTES_OF(signature.value.bytes));
    buffer_append_string(value, ":");
    if (value->failed)
        return error_set(error, ERROR_NO_MEMORY, "no room for a signature");
    return true;
}

void content_digest_write(struct buffer *value, const struct digest32 *digest)
{
    buffer_append_string(value, "sha-256=:");
    base64_append(value, BYTES_OF(digest->bytes));
    buffer_append_string(value, ":");
}

bool content_digest_parse(struct digest32 *digest, struct bytes value, struct error *error)
{
    struct structured_member member;
    struct digest32 parsed;
    size_t size = 0;
    if (structured_find(&member, value, "sha-256") != STRUCTURED_MEMBER || member.is_list ||
        member.items[0].kind != STRUCTURED_BYTES ||
        !base64_decode(parsed.bytes, sizeof(parsed.bytes), &size, member.items[0].text) ||
        size != sizeof(parsed.bytes))
        return error_set(error, ERROR_INVALID, "content-digest has no sha-256 of 32 bytes");
    *digest = parsed;
    return true;
}

bool content_digest_check(struct bytes value, struct bytes body, struct error *error)
{
    struct digest32 claimed;
    if (!content_digest_parse(&claimed, value, error))
        return false;
    struct digest32 actual = sha256_of(body);
    if (!digest32_equal(&claimed, &actual))
        return error_set(error, ERROR_INVALID, "content-digest is not the digest of the body");
    return true;
}
