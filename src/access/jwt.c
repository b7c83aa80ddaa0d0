/* SPDX-License-Identifier: Apache-2.0 */
#include "access/jwt.h"
#include "base/terminal.h"
#include "crypto/base64.h"

#include <math.h>
#include <string.h>

void jwt_done(struct jwt *token)
{
    json_decref(token->header);
    json_decref(token->claims);
    *token = (struct jwt){ 0 };
}

static bool refuse(struct error *error, const char *why)
{
    return error_set(error, ERROR_UNAUTHENTICATED, "the token %s", why);
}

static bool part_decode(json_t **json, struct bytes text, const char *what, struct error *error)
{
    uint8_t bytes[JWT_SIZE_MAX];
    size_t size = 0;
    struct error why;
    if (!base64url_decode(bytes, sizeof(bytes), &size, text))
        return error_set(error, ERROR_UNAUTHENTICATED, "the token's %s is not base64url", what);
    if (!json_parse(json, bytes_of(bytes, size), &why))
        return error_set(error, ERROR_UNAUTHENTICATED, "the token's %s: %s", what, why.text);
    return json_is_object(*json) ||
           error_set(error, ERROR_UNAUTHENTICATED, "the token's %s is no object", what);
}

static struct bytes member_of(const json_t *object, const char *name)
{
    const json_t *value = json_object_get(object, name);
    return json_is_string(value) ? bytes_of(json_string_value(value), json_string_length(value))
                                 : (struct bytes){ 0 };
}

static bool header_read(struct jwt *token, struct error *error)
{
    /* Each would have us look elsewhere than in the issuer's keys, or believe what we don't know.
     */
    static const char *const refused[] = { "crit", "jwk", "jku", "x5u", "x5c", "b64", "zip" };
    static const char *const types[] = { "JWT", "jwt", "at+jwt", "application/at+jwt" };
    const json_t *header = token->header, *type = json_object_get(header, "typ");
    for (size_t i = 0; i < ARRAY_COUNT(refused); i++) {
        if (json_object_get(header, refused[i]) != NULL)
            return error_set(error, ERROR_UNAUTHENTICATED,
                             "the token's header has `%s`, which is not looked at here",
                             refused[i]);
    }
    bool is_known = type == NULL;
    for (size_t i = 0; i < ARRAY_COUNT(types); i++)
        is_known = is_known || bytes_equal_string(member_of(header, "typ"), types[i]);
    if (!is_known)
        return refuse(error, "is of another type (`typ`)");
    token->algorithm = jwt_algorithm_of(member_of(header, "alg"));
    if (token->algorithm == JWT_ALGORITHM_COUNT)
        return refuse(error, "has an `alg` that is none of ES256, RS256, EdDSA");
    const json_t *id = json_object_get(header, "kid");
    token->key_id = member_of(header, "kid");
    return id == NULL || (token->key_id.size > 0 && token->key_id.size <= JWT_KEY_ID_SIZE_MAX) ||
           refuse(error, "has a `kid` that is no short text");
}

static bool parse(struct jwt *token, struct bytes text, struct error *error)
{
    if (text.size > JWT_SIZE_MAX)
        return error_set(error, ERROR_UNAUTHENTICATED, "the token has %zu bytes, at most %d",
                         text.size, JWT_SIZE_MAX);
    size_t first = bytes_find(text, '.');
    struct bytes rest = bytes_part(text, first + 1, text.size);
    size_t second = bytes_find(rest, '.');
    struct bytes signature = bytes_part(rest, second + 1, rest.size);
    if (first >= text.size || second >= rest.size || bytes_find(signature, '.') != signature.size)
        return refuse(error, "is no JWS of three parts");
    token->signed_bytes = bytes_part(text, 0, first + 1 + second);
    if (!base64url_decode(token->signature, sizeof(token->signature), &token->signature_size,
                          signature))
        return refuse(error, "has a signature that is not base64url, or too long");
    return part_decode(&token->header, bytes_part(text, 0, first), "header", error) &&
           part_decode(&token->claims, bytes_part(rest, 0, second), "claims", error) &&
           header_read(token, error);
}

bool jwt_parse(struct jwt *token, struct bytes text, struct error *error)
{
    AUTO_JWT struct jwt made = { 0 };
    if (!parse(&made, text, error))
        return false;
    *token = made;
    made = (struct jwt){ 0 };
    return true;
}

static bool audience_check(const struct jwt *token, const struct jwt_policy *policy)
{
    const json_t *stated = json_object_get(token->claims, "aud");
    size_t count = json_is_array(stated) ? json_array_size(stated) : 1;
    for (size_t i = 0; i < count; i++) {
        const json_t *one = json_is_array(stated) ? json_array_get(stated, i) : stated;
        for (size_t j = 0; json_is_string(one) && j < policy->audience_count; j++) {
            if (bytes_equal_string(bytes_of(json_string_value(one), json_string_length(one)),
                                   policy->audiences[j]))
                return true;
        }
    }
    return false;
}

/* A NumericDate; whole seconds, rounded down.  Absent: `missing`. */
static bool time_read(int64_t *time_s, const struct jwt *token, const char *name, int64_t missing,
                      struct error *error)
{
    const json_t *value = json_object_get(token->claims, name);
    double number = json_number_value(value);
    *time_s = missing;
    if (value == NULL)
        return true;
    if (!json_is_number(value) || !(number >= 0 && number <= JWT_TIME_S_MAX))
        return error_set(error, ERROR_UNAUTHENTICATED, "the token's `%s` is no time", name);
    *time_s = (int64_t)floor(number);
    return true;
}

static bool times_check(const struct jwt *token, int64_t leeway_s, int64_t now_s,
                        struct error *error)
{
    int64_t expires_s, begins_s, made_s;
    if (json_object_get(token->claims, "exp") == NULL)
        return refuse(error, "has no `exp`");
    if (!time_read(&expires_s, token, "exp", 0, error) ||
        !time_read(&begins_s, token, "nbf", 0, error) ||
        !time_read(&made_s, token, "iat", 0, error))
        return false;
    if (now_s >= expires_s + leeway_s)
        return refuse(error, "has expired");
    if (now_s < begins_s - leeway_s)
        return refuse(error, "is not valid yet (`nbf`)");
    return now_s >= made_s - leeway_s || refuse(error, "is from the future (`iat`)");
}

bool jwt_check(const struct jwt *token, const struct jwt_policy *policy, int64_t now_s,
               struct error *error)
{
    const json_t *subject = json_object_get(token->claims, "sub");
    if ((policy->algorithms >> token->algorithm & 1) == 0)
        return error_set(error, ERROR_UNAUTHENTICATED,
                         "the token's `alg` is %s, which the application does not accept",
                         jwt_algorithm_name(token->algorithm));
    if (!bytes_equal_string(member_of(token->claims, "iss"), policy->issuer))
        return refuse(error, "is of another issuer (`iss`)");
    if (!audience_check(token, policy))
        return refuse(error, "is for somebody else (`aud`)");
    struct bytes name = jwt_subject(token);
    if (subject != NULL && (name.size == 0 || name.size > JWT_SUBJECT_SIZE_MAX))
        return refuse(error, "has a `sub` that is no short text");
    if (!terminal_is_line(name))
        return refuse(error, "has a `sub` with control characters");
    return times_check(token, policy->leeway_s, now_s, error);
}

struct bytes jwt_subject(const struct jwt *token)
{
    return member_of(token->claims, "sub");
}
