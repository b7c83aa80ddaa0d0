/* SPDX-License-Identifier: Apache-2.0 */
/* s3n login URL: checks the node's evidence, pins its keyset, and may claim the node. */
#include "base/options.h"
#include "cmd/s3n/session.h"
#include "cmd/s3n/verbs.h"
#include "core/hex.h"
#include "crypto/base64.h"

#include <stdio.h>

struct login {
    const char *claim;
    bool trust_simulated;
};

static const struct option_row rows[] = {
    { .name = "claim",
      .kind = OPTION_STRING,
      .offset = offsetof(struct login, claim),
      .value = "CODE",
      .help = "become the node's first owner; the code is in claim-code of its data folder" },
    { .name = "trust-simulated",
      .kind = OPTION_FLAG,
      .offset = offsetof(struct login, trust_simulated),
      .help = "accept platform `sim`, which proves nothing about hardware" },
};
const struct option_table login_options = {
    .program = "s3n login",
    .usage = "URL",
    .about = "Checks the evidence of the node at URL, pins its keys, and keeps your own key and "
             "the profile under ~/.config/s3n.",
    .rows = rows,
    .row_count = ARRAY_COUNT(rows),
    .positional_min = 1,
    .positional_max = 1,
};

static bool claim(struct session *session, const char *code, struct error *error)
{
    AUTO_BUFFER struct buffer body;
    buffer_init(&body, 64 << 10);
    AUTO_JSON json_t *root = json_pack("{s:s, s:o}", "code", code, "public_key",
                                       ecdsa_public_to_jwk(ecdsa_key_public(session->key)));
    if (root == NULL)
        return error_set(error, ERROR_USAGE, "the claim code is not text");
    AUTO_HTTP_CLIENT_ANSWER struct http_client_answer answer = { 0 };
    if (!json_canonical(&body, root, error))
        return false;
    struct session_request request = { .method = HTTP_METHOD_POST,
                                       .target = "/v1/owners/claim",
                                       .content_type = "application/json",
                                       .body = buffer_view(&body),
                                       .is_signed = true };
    return session_call(session, &request, &answer, error);
}

static void print_steps(const struct verify_result *result)
{
    static const enum verify_step steps[] = { VERIFY_STEP_KEYSET, VERIFY_STEP_EVIDENCE,
                                              VERIFY_STEP_ROOT };
    for (size_t i = 0; i < ARRAY_COUNT(steps); i++) {
        if (result->steps[steps[i]].verdict == VERIFY_NOT_REACHED)
            continue;
        fprintf(stderr, "  %-9s %s  %s\n", verify_step_name(steps[i]),
                result->steps[steps[i]].verdict == VERIFY_PASSED ? "✓" : "✗",
                result->steps[steps[i]].detail);
    }
}

static void print_identity(const struct session *session, bool json, bool claimed)
{
    char spki_text[128];
    const struct ecdsa_public *key = ecdsa_key_public(session->key);
    struct ecdsa_spki spki = ecdsa_public_to_spki(key);
    struct digest32 id = ecdsa_public_id(key);
    base64_encode(spki_text, BYTES_OF(spki.bytes));
    if (json) {
        AUTO_JSON json_t *root = json_pack(
            "{s:s, s:s, s:s, s:b, s:s, s:s, s:s, s:b}", "url", session->profile.url, "node",
            session->keyset.node, "platform", session->keyset.platform, "simulated",
            session->profile.trust_simulated && strcmp(session->keyset.platform, "sim") == 0,
            "keyset_digest", hex_of_digest(&session->keyset_digest).text, "owner",
            hex_of_digest(&id).text, "public_key", spki_text, "claimed", (int)claimed);
        print_json(root);
        return;
    }
    printf("logged in to %s (node %.12s, platform %s%s)\n", session->profile.url,
           session->keyset.node, session->keyset.platform,
           strcmp(session->keyset.platform, "sim") == 0 ? ": SIMULATED" : "");
    printf("%s %.12s\n", claimed ? "you own this node as" : "your key is", hex_of_digest(&id).text);
    if (!claimed)
        printf("for the node's `owners`: %s\n", spki_text);
}

int verb_login(const struct globals *globals, char **argv)
{
    struct login login = { 0 };
    struct option_arguments arguments;
    struct error error = { 0 };
    int done;
    if (!verb_parse(&login_options, globals, argv, &login, &arguments, &done))
        return done;
    AUTO_SESSION struct session session;
    session_init(&session);
    struct verify_result result = { 0 };
    bool logged_in =
        session_login(&session, arguments.items[0], login.trust_simulated, &result, &error);
    if (!globals->quiet)
        print_steps(&result);
    if (!logged_in)
        return verb_fail(&error, result.simulated && !login.trust_simulated
                                     ? "the node runs on platform `sim`, which proves nothing; "
                                       "--trust-simulated accepts that"
                                     : "");
    if (login.claim != NULL && !claim(&session, login.claim, &error))
        return verb_fail(&error, session.hint);
    print_identity(&session, globals->json, login.claim != NULL);
    return 0;
}
