/* SPDX-License-Identifier: Apache-2.0 */
/* s3n release sign: one more person's signature under a version. */
#include "cmd/s3n/cli.h"
#include "cmd/s3n/node_call.h"
#include "core/hex.h"
#include "crypto/hash.h"
#include "functions/manifest.h"
#include "keys/release.h"

#include <stdlib.h>
#include <string.h>

static const struct option_table release_table = {
    .program = "s3n release",
    .usage = "sign APPLICATION VERSION",
    .about = "Releases that need several people's signatures: `signers` and `threshold` in the\n"
             "manifest's table [release].",
    CLI_SHARED,
    .positional_max = UINT32_MAX,
};
static const struct option_table sign_table = {
    .program = "s3n release sign",
    .usage = "APPLICATION VERSION",
    .about =
        "Signs a version with your key.  What is signed is computed here from the manifest, not\n"
        "taken from the node; look at it with `s3n versions show` or `diff` first.  The version\n"
        "answers requests once it has the signatures that it needs.",
    CLI_SHARED,
    .positional_min = 2,
    .positional_max = 2,
};

/* The digest that the manifest makes, which the node's word must equal. */
static bool digest_of_version(struct digest32 *digest, const json_t *version, struct error *error)
{
    AUTO_BUFFER struct buffer canonical;
    AUTO(manifest) struct manifest *manifest = NULL;
    struct digest32 stated;
    json_t *tree;
    buffer_init(&canonical, MANIFEST_SIZE_MAX);
    if (!json_get_object(version, "manifest", &tree, error) ||
        !json_get_hex(version, "version_digest", stated.bytes, sizeof(stated.bytes), error) ||
        !json_canonical(&canonical, tree, error) ||
        !manifest_parse(&manifest, buffer_view(&canonical), error))
        return error_within(error, "the node's version");
    struct digest32 of_manifest = sha256_of(buffer_view(&canonical));
    if (!manifest_version_digest(digest, manifest, &of_manifest, error))
        return false;
    return digest32_equal(digest, &stated) ||
           error_set(error, ERROR_UNVERIFIED,
                     "the node's digest of this version is not that of its manifest");
}

static bool sign(struct session *session, const struct option_arguments *arguments, json_t **answer,
                 struct error *error)
{
    char path[NODE_PATH_SIZE];
    AUTO_JSON json_t *version = NULL;
    AUTO_BUFFER struct buffer text;
    struct digest32 digest;
    buffer_init(&text, RELEASE_TEXT_SIZE_MAX);
    if (!session_open(session, NULL, error) ||
        !node_path(path, arguments->items[0], arguments->items[1], "", error) ||
        !node_session_call(session, HTTP_METHOD_GET, path, NULL, &version, error) ||
        !digest_of_version(&digest, version, error) ||
        !release_sign(&text, &digest, session->key, error) ||
        !node_path(path, arguments->items[0], arguments->items[1], "/signatures", error))
        return false;
    AUTO_JSON json_t *body =
        json_pack("{s:s%, s:o}", "signature", (const char *)text.data, text.size, "key",
                  ecdsa_public_to_jwk(ecdsa_key_public(session->key)));
    return node_session_call(session, HTTP_METHOD_POST, path, body, answer, error);
}

static bool sign_run(struct cli *cli, const void *options UNUSED,
                     const struct option_arguments *arguments, struct error *error)
{
    AUTO_SESSION struct session session;
    AUTO_JSON json_t *answer = NULL;
    session_init(&session);
    if (!sign(&session, arguments, &answer, error)) {
        cli_hint(cli, session.hint);
        return false;
    }
    if (cli->json)
        return cli_write_json(answer, error);
    const char *state = json_string_value(json_object_get(answer, "state"));
    cli_message(cli, "signed %s version %s; it is %s", arguments->items[0], arguments->items[1],
                state == NULL ? "?" : state);
    return true;
}

static const struct verb verb_sign = {
    .name = "sign", .summary = "sign a version", .table = &sign_table, .run = sign_run
};
static const struct verb *const subverbs[] = { &verb_sign, NULL };
const struct verb verb_release = { .name = "release",
                                   .summary = "sign a version that needs several people",
                                   .table = &release_table,
                                   .subverbs = subverbs };
