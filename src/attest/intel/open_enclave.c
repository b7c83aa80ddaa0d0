/* SPDX-License-Identifier: Apache-2.0 */
#include "attest/intel/open_enclave.h"

#include "attest/check.h"
#include "core/reader.h"
#include "crypto/hash.h"

#include <string.h>

enum {
    REPORT_VERSION = 1,
    EVIDENCE_VERSION_OF_REPORTS = 2,
    EVIDENCE_VERSION = 3,
    REPORT_LOCAL = 1,
    REPORT_QUOTE = 2,
    QUOTE_HEAD_SIZE = 432 /* of an SGX quote: header and report, before the size of the rest */
};

static const struct bytes uuid_ecdsa = {
    (const uint8_t *)"\xa3\xa2\x1e\x87\x1b\x4d\x40\x14\xb7\x0a\xa1\x25\xd2\xfb\xcd\x8c", 16
};

/* By its version and its key type, ECDSA on P-256. */
static bool is_quote(struct bytes content)
{
    return bytes_starts_with(content, bytes_of("\x03\0\x02\0", 4)) ||
           bytes_starts_with(content, bytes_of("\x04\0\x02\0", 4));
}

bool open_enclave_is(struct bytes evidence)
{
    struct reader reader = reader_of(evidence);
    uint32_t version = read_u32_le(&reader);
    if (version == EVIDENCE_VERSION_OF_REPORTS || version == EVIDENCE_VERSION)
        return bytes_equal(read_bytes(&reader, uuid_ecdsa.size), uuid_ecdsa);
    uint32_t type = read_u32_le(&reader);
    uint64_t size = read_u64_le(&reader);
    struct bytes content = bytes_of(reader.at, reader_left(&reader));
    return version == REPORT_VERSION && !reader.failed &&
           ((type == REPORT_QUOTE && is_quote(content)) ||
            (type == REPORT_LOCAL && size == content.size));
}

/* The content behind the header of a report. */
static bool read_report(struct bytes *content, struct reader *reader, struct error *error)
{
    uint32_t version = read_u32_le(reader);
    uint32_t type = read_u32_le(reader);
    uint64_t size = read_u64_le(reader);
    if (!reader->failed && version == REPORT_VERSION && type == REPORT_LOCAL)
        return error_set(error, ERROR_UNSUPPORTED,
                         "a local report, which nobody but the same machine can verify");
    *content = read_bytes(reader, size < SIZE_MAX ? (size_t)size : SIZE_MAX);
    return (!reader->failed && version == REPORT_VERSION && type == REPORT_QUOTE) ||
           error_set(error, ERROR_INVALID, "Open Enclave's header does not match its length");
}

/* The quote tells where it ends, and the claims begin. */
static void read_quote(struct open_enclave *parsed, struct reader *reader)
{
    struct reader ahead = *reader;
    read_skip(&ahead, QUOTE_HEAD_SIZE);
    uint32_t rest = read_u32_le(&ahead);
    read_skip(&ahead, rest);
    if (ahead.failed)
        reader_fail(reader);
    else
        parsed->quote = read_bytes(reader, (size_t)(ahead.at - reader->at));
}

bool open_enclave_read(struct open_enclave *parsed, struct bytes evidence, struct error *error)
{
    struct open_enclave found = { 0 };
    struct reader reader = reader_of(evidence), whole = reader;
    found.version = read_u32_le(&reader);
    if (found.version == REPORT_VERSION) {
        if (!read_report(&found.quote, &whole, error))
            return false;
        reader = whole;
    } else {
        bool is_ecdsa = bytes_equal(read_bytes(&reader, uuid_ecdsa.size), uuid_ecdsa);
        uint32_t padding = read_u32_le(&reader);
        uint64_t size = read_u64_le(&reader);
        if (!is_ecdsa || padding != 0 || size != reader_left(&reader))
            reader_fail(&reader);
        if (found.version == EVIDENCE_VERSION)
            read_quote(&found, &reader);
        else if (found.version != EVIDENCE_VERSION_OF_REPORTS)
            reader_fail(&reader);
        else if (!reader.failed && !read_report(&found.quote, &reader, error))
            return false;
        found.claims = read_bytes(&reader, reader_left(&reader));
    }
    if (!read_end(&reader))
        return error_set(error, ERROR_INVALID, "Open Enclave's header does not match its length");
    *parsed = found;
    return true;
}

struct verification {
    struct attest_run *run;
    struct open_enclave parsed;
};

static bool check_header(void *context, struct error *error)
{
    struct verification *verification = context;
    struct attest_run *run = verification->run;
    struct error found;
    if (!open_enclave_read(&verification->parsed, run->evidence, &found))
        return attest_refuse(run,
                             found.code == ERROR_UNSUPPORTED ? ATTEST_REASON_UNSUPPORTED_TEE
                                                             : ATTEST_REASON_FORMAT,
                             error, "%s", found.text);
    attest_note(run, "Open Enclave's, version %u; %zu bytes of claims behind the quote",
                verification->parsed.version, verification->parsed.claims.size);
    return true;
}

static bool check_claims(void *context, struct error *error)
{
    struct verification *verification = context;
    struct attest_run *run = verification->run;
    struct bytes claims = verification->parsed.claims;
    uint8_t expected[REPORT_DATA_SIZE] = { 0 };
    struct digest32 digest = sha256_of(claims);
    if (claims.size == 0) {
        attest_note(run, "none");
        return true;
    }
    memcpy(expected, digest.bytes, sizeof(digest.bytes));
    if (memcmp(expected, run->verdict->claims.report_data, sizeof(expected)) != 0)
        return attest_refuse(run, ATTEST_REASON_RUNTIME_DATA_MISMATCH, error,
                             "the quote is not about the claims behind it");
    attest_note(run, "the quote is about them");
    return true;
}

bool open_enclave_verify(struct attest_run *run, struct error *error)
{
    struct verification verification = { .run = run };
    struct attest_run inner = *run;
    static const struct attest_check before[] = { { "header", check_header } };
    static const struct attest_check after[] = { { "application's claims", check_claims } };
    if (!attest_run_checks(run, before, ARRAY_COUNT(before), &verification, error))
        return false;
    inner.evidence = verification.parsed.quote;
    if (!intel_verify(&inner, error))
        return false;
    if (!attest_run_checks(run, after, ARRAY_COUNT(after), &verification, error)) {
        run->verdict->claims = (struct attest_claims){ 0 };
        return false;
    }
    return true;
}
