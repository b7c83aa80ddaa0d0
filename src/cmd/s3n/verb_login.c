/* SPDX-License-Identifier: Apache-2.0 */
/* s3n login URL: checks the node's evidence, pins its keyset, and may claim the node. */
#include "base/file.h"
#include "cmd/s3n/cli.h"
#include "cmd/s3n/session.h"
#include "core/hex.h"
#include "core/json_writer.h"
#include "crypto/base64.h"

#include <stdlib.h>
#include <string.h>

struct login {
    const char *claim;
    const char *policy;
    const char *root;
    bool trust_simulated;
    struct collateral_words collateral;
};

static const struct option_row rows[] = {
    { .name = "claim",
      .kind = OPTION_STRING,
      .offset = offsetof(struct login, claim),
      .value = "CODE",
      .help = "become the node's first owner; the code is in claim-code of its data folder" },
    { .name = "policy",
      .kind = OPTION_STRING,
      .offset = offsetof(struct login, policy),
      .value = "FILE",
      .help =
          "judge the node by this policy, now and in later commands (production evidence, up to "
          "date)" },
    { .name = "root",
      .kind = OPTION_STRING,
      .offset = offsetof(struct login, root),
      .value = "FILE",
      .help = "trust this root certificate, PEM or DER, alone (the processor maker's)" },
    { .name = "fetch",
      .offset = offsetof(struct login, collateral.fetch),
      .help = "ask the makers' services for collateral that the node's evidence lacks, now and in "
              "later commands" },
    { .name = "trust-simulated",
      .kind = OPTION_FLAG,
      .offset = offsetof(struct login, trust_simulated),
      .help = "accept platform `sim`, which proves nothing about hardware" },
};
static const struct option_table table = {
    .program = "s3n login",
    .usage = "URL",
    .about = "Checks the evidence of the node at URL, pins its keys, and keeps your own key and "
             "the profile under ~/.config/s3n.",
    .rows = rows,
    .row_count = ARRAY_COUNT(rows),
    CLI_SHARED,
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

struct owner_text {
    struct hex32 id;
    char spki[128]; /* base64, as the node's configuration has it */
};

static struct owner_text owner_text_of(const struct session *session)
{
    struct owner_text text;
    const struct ecdsa_public *key = ecdsa_key_public(session->key);
    struct ecdsa_spki spki = ecdsa_public_to_spki(key);
    struct digest32 id = ecdsa_public_id(key);
    text.id = hex_of_digest(&id);
    base64_encode(text.spki, BYTES_OF(spki.bytes));
    return text;
}

/* "policy" and "rules", as `s3n verify --json` has them. */
static bool add_policy(json_t *root, const struct session *session, struct error *error)
{
    enum {
        RULES_SIZE_MAX = 64 << 10
    };
    const struct verify_result *seen = &session->seen;
    AUTO_JSON json_t *rules = NULL;
    AUTO_FREE uint8_t *space = malloc(RULES_SIZE_MAX);
    if (space == NULL)
        return error_set(error, ERROR_NO_MEMORY, "no memory for the policy's rules");
    struct writer writer = writer_into(space, RULES_SIZE_MAX);
    struct json_writer json = json_writer_into(&writer);
    json_write_object_begin(&json);
    policy_report_write(&json, seen->has_policy ? &seen->policy : NULL);
    json_write_object_end(&json);
    return json_parse(&rules, writer_view(&writer), error) &&
           (json_object_update(root, rules) == 0 ||
            error_set(error, ERROR_NO_MEMORY, "no memory for the policy's rules"));
}

static bool show_result(struct cli *cli, const struct session *session, bool claimed,
                        struct error *error)
{
    struct owner_text owner = owner_text_of(session);
    bool simulated = strcmp(session->keyset.platform, "sim") == 0;
    if (cli->json) {
        AUTO_JSON json_t *root = json_pack(
            "{s:s, s:s, s:s, s:b, s:s, s:s, s:s, s:b}", "url", session->profile.url, "node",
            session->keyset.node, "platform", session->keyset.platform, "simulated", (int)simulated,
            "keyset_digest", hex_of_digest(&session->keyset_digest).text, "owner", owner.id.text,
            "public_key", owner.spki, "claimed", (int)claimed);
        return add_policy(root, session, error) && cli_write_json(root, error);
    }
    cli_message(cli, "logged in to %s (node %.12s, platform %s%s)", session->profile.url,
                session->keyset.node, session->keyset.platform, simulated ? ": SIMULATED" : "");
    cli_message(cli, "%s %.12s", claimed ? "you own this node as" : "your key is", owner.id.text);
    if (!claimed)
        cli_message(cli, "for the node's `owners`: %s", owner.spki);
    return true;
}

static bool login_run(struct cli *cli, const void *options,
                      const struct option_arguments *arguments, struct error *error)
{
    const struct login *login = options;
    AUTO_SESSION struct session session;
    session_init(&session);
    session.trust.trust_simulated = login->trust_simulated;
    if (!trust_read_policy(&session.trust, login->policy, false, error) ||
        !trust_read_root(&session.trust, login->root, error) ||
        !collateral_source_open(&session.source, &login->collateral, error))
        return false;
    bool logged_in = session_login(&session, arguments->items[0], error);
    const struct verify_result *result = &session.seen;
    session_show(&session, cli, logged_in && login->policy == NULL);
    if (!logged_in) {
        if (result->simulated && !login->trust_simulated)
            cli_hint(cli, "the node runs on platform `sim`, which proves nothing; "
                          "--trust-simulated accepts that");
        return false;
    }
    if (login->claim != NULL && !claim(&session, login->claim, error)) {
        cli_hint(cli, session.hint);
        return false;
    }
    return show_result(cli, &session, login->claim != NULL, error);
}

const struct verb verb_login = { .name = "login",
                                 .summary = "check a node's evidence and remember its keys",
                                 .table = &table,
                                 .options_size = sizeof(struct login),
                                 .run = login_run };
