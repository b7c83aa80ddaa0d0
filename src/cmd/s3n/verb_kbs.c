/* SPDX-License-Identifier: Apache-2.0 */
/* `s3n kbs get URL RESOURCE`: a secret from a key broker, by this machine's evidence. */
#include "base/file.h"
#include "cmd/s3n/cli.h"
#include "keys/kbs.h"
#include "net/visit.h"

#include <stdio.h>
#include <unistd.h>

enum {
    ROOTS_SIZE_MAX = 256 << 10
};

struct kbs_get_options {
    const char *roots, *tee, *folder, *protocol, *key, *output;
    bool sample;
    uint64_t timeout_ms;
};
static const struct kbs_get_options defaults = {
    .tee = "auto", .protocol = "0.4.0", .key = "p256", .timeout_ms = 20000
};

static const struct option_row get_rows[] = {
    { "ca", 0, OPTION_STRING, offsetof(struct kbs_get_options, roots), "FILE",
      "certificates that the broker's must end in, PEM (needed)", 0, 0 },
    { "tee", 0, OPTION_STRING, offsetof(struct kbs_get_options, tee), "PLATFORM",
      "platform that gives evidence: tdx, sgx, sim; auto looks (auto)", 0, 0 },
    { "folder", 0, OPTION_STRING, offsetof(struct kbs_get_options, folder), "DIR",
      "where platform sim keeps its development root", 0, 0 },
    { "sample", 0, OPTION_FLAG, offsetof(struct kbs_get_options, sample), NULL,
      "send the sample attester's evidence, which proves nothing", 0, 0 },
    { "protocol", 0, OPTION_STRING, offsetof(struct kbs_get_options, protocol), "VERSION",
      "of the broker: 0.4.0, 0.2.0 (0.4.0)", 0, 0 },
    { "key", 0, OPTION_STRING, offsetof(struct kbs_get_options, key), "KIND",
      "of the key that the answer is encrypted to: p256, p521, rsa (p256)", 0, 0 },
    { "timeout-ms", 0, OPTION_NUMBER, offsetof(struct kbs_get_options, timeout_ms), "MS",
      "how long one request may take (20000)", 1, 600000 },
    { "output", 'o', OPTION_STRING, offsetof(struct kbs_get_options, output), "FILE",
      "write the secret there, mode 0600, instead of to stdout", 0, 0 },
};

static const struct option_table get_table = {
    .program = "s3n kbs get",
    .usage = "URL REPOSITORY/TYPE/TAG",
    .about =
        "Fetches a resource from a key broker (Trustee): shows it this machine's evidence and\n"
        "opens the encrypted answer.  Run it in the confidential VM or enclave that the\n"
        "broker's policy is about (docs/kbs.md).",
    .rows = get_rows,
    .row_count = ARRAY_COUNT(get_rows),
    CLI_SHARED,
    .positional_min = 2,
    .positional_max = 2,
};

static void platform_auto_close(struct platform *platform)
{
    platform_close(platform);
}
#define AUTO_PLATFORM __attribute__((cleanup(platform_auto_close)))

static bool fetch(struct secret_buffer *resource, const struct kbs_get_options *options,
                  const struct kbs_options *broker, struct http_client *client, struct error *error)
{
    AUTO_PLATFORM struct platform platform = { 0 };
    struct http_visit visit = { .client = client, .cookie = "kbs-session-id" };
    struct kbs_carrier carrier = { &visit, http_visit_exchange };
    struct platform_options how = { .folder = options->folder };
    if (!options->sample && !platform_open(&platform, options->tee, &how, error))
        return false;
    return kbs_fetch(resource, options->sample ? NULL : &platform, broker, &carrier, &clock_system,
                     error);
}

static bool secret_show(const struct secret_buffer *secret, const char *path, struct error *error)
{
    struct bytes bytes = bytes_of(secret->data, secret->size);
    if (path != NULL)
        return file_replace(path, bytes, 0600, error);
    if (isatty(STDOUT_FILENO))
        return error_set(error, ERROR_USAGE,
                         "a secret is not written to a terminal: use --output "
                         "or a pipe");
    return cli_write(bytes, error);
}

static bool get_run(struct cli *cli UNUSED, const void *given,
                    const struct option_arguments *arguments, struct error *error)
{
    const struct kbs_get_options *options = given;
    struct kbs_options broker = { .is_sample = options->sample, .resource = arguments->items[1] };
    AUTO_BUFFER struct buffer roots;
    AUTO(http_client) struct http_client *client = NULL;
    AUTO_SECRET_BUFFER struct secret_buffer resource = { 0 };
    buffer_init(&roots, ROOTS_SIZE_MAX);
    if (options->roots == NULL)
        return error_set(error, ERROR_USAGE,
                         "--ca is needed: whoever poses as the broker could "
                         "choose the secret");
    if (options->folder == NULL && options->tee[0] == 's' && options->tee[1] == 'i')
        return error_set(error, ERROR_USAGE, "platform sim needs --folder");
    if (!kbs_resource_check(broker.resource, error) ||
        !kbs_version_parse(&broker.version, options->protocol, error) ||
        !kbs_key_parse(&broker.key, options->key, error) ||
        !file_read(&roots, options->roots, error))
        return false;
    if (roots.size == 0)
        return error_set(error, ERROR_INVALID, "%s is empty", options->roots);
    struct http_client_options client_options = {
        .url = arguments->items[0],
        .timeout_ms = (uint32_t)options->timeout_ms,
        .user_agent = "s3n",
        .roots = buffer_view(&roots),
    };
    return http_client_new(&client, &client_options, error) &&
           fetch(&resource, options, &broker, client, error) &&
           secret_show(&resource, options->output, error);
}

static const struct verb verb_get = { .name = "get",
                                      .summary = "fetch a resource",
                                      .table = &get_table,
                                      .defaults = &defaults,
                                      .options_size = sizeof(struct kbs_get_options),
                                      .run = get_run };

static const struct option_table kbs_table = {
    .program = "s3n kbs",
    .usage = "get ...",
    .about = "Talks to a key broker (Trustee) from inside a TEE.  `s3n help kbs get` explains.",
    CLI_SHARED,
    .positional_max = UINT32_MAX,
};

static const struct verb *const subverbs[] = { &verb_get, NULL };

const struct verb verb_kbs = { .name = "kbs",
                               .summary = "fetch a secret from a key broker, by evidence",
                               .table = &kbs_table,
                               .subverbs = subverbs };
