/* SPDX-License-Identifier: Apache-2.0 */
/* Host calls: what a function asks its node for, the records in which it asks, and the answers.
 * docs/abi.md explains the table to those who write functions.
 *
 * The guest writes a list of requests into the call area of its mailbox and leaves once
 * (GUEST_EXIT_CALL); a list of as many answers stands there when it goes on.  All numbers are
 * little-endian, records are multiples of 8 bytes and filled up with zeros.
 *
 *   requests: u32 CALL_REQUESTS_MAGIC, u32 size of all, u32 count, u32 0; each:
 *     u32 size, u16 call, u8 numbers, u8 strings; u64 per number; u32 size per string; the strings
 *   answers: u32 CALL_ANSWERS_MAGIC, u32 size of all, u32 count, u32 0; each:
 *     u32 size, u32 size of the data here, i64 value, u64 size of all the data; the data
 *
 * Foretold calls: the host may put requests that it expects into the mailbox, each followed by the
 * answer that it would have now.  The guest takes such an answer instead of leaving, and answers
 * kv_set itself with 0; the requests that it treated so become a list of its own, in order, which
 * the host makes afterwards (or before the first call that does leave) and compares.  Once a call
 * has left, all do.
 *
 * A value below 0 is an enum call_error, the data then its text.  Data that has no room is cut: the
 * rest is fetched with CALL_REST, without the call being made again. */
#ifndef ABI_CALL_H
#define ABI_CALL_H

#include "core/reader.h"
#include "core/writer.h"

#define CALL_AREA_SIZE      0x44000u
#define CALL_REQUESTS_MAGIC 0x31514353u /* "SCQ1" */
#define CALL_ANSWERS_MAGIC  0x31414353u /* "SCA1" */

enum {
    CALL_ABI_VERSION = 1, /* what `s3n.abi` answers; calls are only ever added */
    CALL_LIST_HEAD_SIZE = 16,
    CALL_REQUEST_HEAD_SIZE = 8,
    CALL_ANSWER_HEAD_SIZE = 24,
    CALL_COUNT_MAX = 64, /* of one list */
    CALL_FORETOLD_COUNT_MAX = 8,
    CALL_FORETOLD_REQUEST_SIZE_MAX = 512, /* of each */
    CALL_FORETOLD_SIZE_MAX = 0x5000,      /* of all requests and answers */
    CALL_MADE_SIZE = 0x4000,              /* the list of calls that were answered inside */
    CALL_NUMBERS_MAX = 4,
    CALL_STRINGS_MAX = 6
};

/* What a manifest has to grant. */
enum call_permission {
    CALL_PERMISSION_NONE,
    CALL_PERMISSION_KV,
    CALL_PERMISSION_SECRETS,
    CALL_PERMISSION_KEYS,
    CALL_PERMISSION_HTTP,
    CALL_PERMISSION_ATTEST,
    CALL_PERMISSION_LOG,
    CALL_PERMISSION_COUNT
};

/* How it is looked up. */
enum call_scope {
    CALL_SCOPE_ANY,  /* there is one of the kind; the service looks closer */
    CALL_SCOPE_NAME, /* the first string is one of the names granted */
    CALL_SCOPE_OWN   /* the service looks, and says which name is missing */
};

/* number, name, import's name, its type, shape, permission, scope, whether it changes nothing.
 * Type as in abi/binding.h.  Shape: parameters s string (address, size), n i32, N i64; behind '>' s
 * bytes (address and capacity of a buffer; the result is their whole size) or v a number.  All
 * results are i64.  A number is never used for anything else. */
#define CALLS(X)                                                                                   \
    X(1, KV_GET, "kv_get", "iiiiii>I", "ss>s", KV, NAME, true)                                     \
    X(2, KV_SET, "kv_set", "iiiiiiI>I", "sssN>v", KV, NAME, false)                                 \
    X(3, KV_DELETE, "kv_delete", "iiii>I", "ss>v", KV, NAME, false)                                \
    X(4, KV_LIST, "kv_list", "iiiiiiiii>I", "sssn>s", KV, NAME, true)                              \
    X(5, KV_COMPARE_AND_SET, "kv_compare_and_set", "iiiiiiiiiI>I", "ssnssN>v", KV, NAME, false)    \
    X(6, SECRET_GET, "secret_get", "iiiii>I", "sn>s", SECRETS, NAME, true)                         \
    X(7, KEY_PUBLIC, "key_public", "iiiii>I", "sn>s", KEYS, OWN, true)                             \
    X(8, KEY_SIGN, "key_sign", "iiiiiii>I", "sns>s", KEYS, OWN, true)                              \
    X(9, KEY_DERIVE, "key_derive", "iiiii>I", "sn>s", KEYS, OWN, true)                             \
    X(10, HPKE_OPEN, "hpke_open", "iiiiiiiiiiii>I", "sssss>s", KEYS, OWN, true)                    \
    X(11, HTTP_FETCH, "http_fetch", "iiiiiiiiii>I", "ssss>s", HTTP, ANY, false)                    \
    X(12, ATTEST, "attest", "iiii>I", "s>s", ATTEST, ANY, true)                                    \
    X(13, ABOUT, "about", "ii>I", ">s", NONE, ANY, true)

enum call {
#define CALL_ENUM(number, name, field, type, shape, permission, scope, idempotent)                 \
    CALL_##name = number,
    CALLS(CALL_ENUM)
#undef CALL_ENUM
    /* More of an answer that was cut: place in the list, offset.  Of the last list that was no
     * CALL_REST. */
    CALL_REST = 64
};

/* value, name, text */
#define CALL_ERRORS(X)                                                                             \
    X(-1, INVALID, "an argument is not what the call takes")                                       \
    X(-2, MEMORY, "an address or size lies outside memory")                                        \
    X(-3, DENIED, "the manifest does not permit this")                                             \
    X(-4, NOT_FOUND, "there is none of this name")                                                 \
    X(-5, LIMIT, "too large, too many or too often")                                               \
    X(-6, CONFLICT, "it was changed by somebody else")                                             \
    X(-7, UNAVAILABLE, "not available here or now")                                                \
    X(-8, TIMEOUT, "it took too long")                                                             \
    X(-9, UNSUPPORTED, "there is no such call, or not with these options")                         \
    X(-10, FAILED, "it was tried and failed")                                                      \
    X(-11, INTERNAL, "a mistake of the node")

enum call_error {
#define CALL_ERROR_ENUM(value, name, text) CALL_ERROR_##name = value,
    CALL_ERRORS(CALL_ERROR_ENUM)
#undef CALL_ERROR_ENUM
    CALL_ERROR_LEAST = -11
};

/* "an argument is ..."; for any value. */
const char *call_error_text(int64_t value);

/* One row of CALLS. */
struct call_row {
    uint16_t number;
    const char *name;
    const char *shape;
    enum call_permission permission;
    enum call_scope scope;
    bool is_idempotent;
};
extern const struct call_row call_rows[];
extern const unsigned call_row_count;
/* NULL: there is none. */
const struct call_row *call_row_find(uint16_t number);
const struct call_row *call_row_of_name(struct bytes name);

struct call_request {
    uint16_t call;
    uint8_t number_count;
    uint8_t string_count;
    uint64_t numbers[CALL_NUMBERS_MAX];
    struct bytes strings[CALL_STRINGS_MAX]; /* borrowed */
    struct bytes record;                    /* all of it */
};

/* Checks the whole list; *count says how many requests it has, 1 to CALL_COUNT_MAX. */
MUST_CHECK bool call_requests_check(struct bytes list, uint32_t *count);
/* The next request behind a list's head or another request. */
struct reader call_requests_begin(struct bytes list);
MUST_CHECK bool call_request_next(struct reader *reader, struct call_request *request);
/* Whether numbers and strings are as many as the row's shape says. */
MUST_CHECK bool call_request_fits(const struct call_request *request, const struct call_row *row);

/* Writing a list: begin, one for each, end, which fills in size and count.  It must not fail
 * before. */
void call_requests_write_begin(struct writer *writer);
void call_request_write(struct writer *writer, const struct call_request *request);
void call_answers_write_begin(struct writer *writer);
/* `total`: bytes that the data has in all. */
void call_answer_write(struct writer *writer, int64_t value, struct bytes data, uint64_t total);
void call_list_write_end(struct writer *writer, uint32_t count);

struct call_answer {
    int64_t value;
    uint64_t total_size;
    struct bytes data;   /* borrowed */
    struct bytes record; /* all of it */
};
MUST_CHECK bool call_answers_check(struct bytes list, uint32_t *count);
struct reader call_answers_begin(struct bytes list);
MUST_CHECK bool call_answer_next(struct reader *reader, struct call_answer *answer);

#endif
