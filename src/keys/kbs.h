/* SPDX-License-Identifier: Apache-2.0 */
/* A client of a key broker as Trustee has it (confidential-containers/trustee,
 * kbs/docs/kbs_attestation_protocol.md): request, challenge, attestation, response.
 *
 *     POST /kbs/v0/auth      {"extra-params":...,"tee":T,"version":V}     ->
 * {"extra-params","nonce"} POST /kbs/v0/attest
 * {"runtime-data":{"nonce","tee-pubkey"},"tee-evidence":...} -> {"token"} GET
 * /kbs/v0/resource/REPOSITORY/TYPE/TAG                           -> JWE (crypto/jwe.h)
 *
 * The key that opens the answer is made here, for one handshake, and never leaves.  What binds it:
 * the evidence's report data is the hash, zeros behind, of canonical JSON (RFC 8785):
 *
 *     0.4.0  {"additional-evidence":"","nonce":NONCE,"tee-pubkey":JWK}
 *     0.2.0  {"nonce":NONCE,"tee-pubkey":JWK}         and {"tee-evidence":...,"tee-pubkey":...} is
 * sent
 *
 * with SHA-384, or what the challenge's "selected-hash-algorithm" names of SHA-256 and SHA-512.
 * Evidence, by platform: tdx and sgx {"quote":BASE64}; sim is tdx under a root that only the
 * broker's owner can have chosen to trust; sample {"report_data":BASE64,"svn":"1"} proves nothing
 * and is for trying a broker.  Others are UNSUPPORTED.
 *
 * Bytes in, bytes out: the caller carries them, cookie included, so whoever holds the key needs no
 * network (kbs_fetch drives a carrier).  The carrier may lie: without the key nothing opens, but a
 * resource can be *given* by whoever is believed to be the broker, so the carrier must know it. */
#ifndef KEYS_KBS_H
#define KEYS_KBS_H

#include "base/clock.h"
#include "crypto/jwe.h"
#include "platform/platform.h"

enum kbs_version {
    KBS_VERSION_0_4_0, /* Trustee 0.13 and newer */
    KBS_VERSION_0_2_0  /* 0.11, 0.12 */
};

struct kbs_options {
    enum kbs_version version;
    enum jwe_kind key;    /* JWE_P256, JWE_P521 or JWE_RSA */
    bool is_sample;       /* the sample attester instead of the platform */
    const char *resource; /* "repository/type/tag" */
};

/* "0.4.0", "0.2.0"; "p256", "p521", "rsa".  INVALID for others. */
MUST_CHECK bool kbs_version_parse(enum kbs_version *version, const char *text, struct error *error);
MUST_CHECK bool kbs_key_parse(enum jwe_kind *kind, const char *text, struct error *error);
/* INVALID unless it is three names of letters, digits, "-", "_" and ".", none of them "." or "..",
 * KBS_NAME_SIZE_MAX characters each. */
MUST_CHECK bool kbs_resource_check(const char *resource, struct error *error);

/* One handshake.  The steps must be taken in this order, each once; INTERNAL otherwise. */
struct kbs_session;

/* The platform must outlive it; options are copied but for `resource`. */
MUST_CHECK bool kbs_session_new(struct kbs_session **session, const struct platform *platform,
                                const struct kbs_options *options, struct error *error);
void kbs_session_free(struct kbs_session *session);
DEFINE_AUTO(kbs_session, kbs_session_free)

/* Append what is to be sent. */
MUST_CHECK bool kbs_write_request(struct buffer *body, struct kbs_session *session,
                                  struct error *error);
MUST_CHECK bool kbs_write_attestation(struct buffer *body, struct kbs_session *session,
                                      struct error *error);
/* Read what came with an HTTP status.  A refusal becomes UNAUTHENTICATED (401), DENIED (403),
 * NOT_FOUND (404) or UNAVAILABLE with the broker's words; a redirect is a refusal; INVALID for what
 * is not as the protocol has it. */
MUST_CHECK bool kbs_read_challenge(struct kbs_session *session, int status, struct bytes body,
                                   struct error *error);
/* The token's signature is nobody's concern here, but one that has expired means that the broker's
 * clock or ours is wrong: UNVERIFIED. */
MUST_CHECK bool kbs_read_token(struct kbs_session *session, int status, struct bytes body,
                               int64_t now_s, struct error *error);
MUST_CHECK bool kbs_read_resource(struct secret_buffer *resource, struct kbs_session *session,
                                  int status, struct bytes body, struct error *error);

/* Carries one request: POST when there is a body, GET without, to a path of the broker, with the
 * cookie that the broker set.  The answer's body is appended, whatever its status. */
struct kbs_carrier {
    void *context;
    bool (*exchange)(void *context, const char *path, struct bytes body, int *status,
                     struct buffer *answer, struct error *error);
};

/* All of it.  The caller owns `resource`. */
MUST_CHECK bool kbs_fetch(struct secret_buffer *resource, const struct platform *platform,
                          const struct kbs_options *options, const struct kbs_carrier *carrier,
                          const struct clock *clock, struct error *error);

#endif
