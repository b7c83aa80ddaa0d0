/* SPDX-License-Identifier: Apache-2.0 */
/* s3n-outbound: asks servers on behalf of one application's functions.  Reads what it needs of the
 * system's files, jails itself, serves one socket, ends. */
#include "base/file.h"
#include "base/program.h"
#include "cmd/s3n-outbound/outbound_profile.h"
#include "crypto/crypto.h"
#include "outbound/serve.h"

#include <signal.h>
#include <string.h>

enum {
    SOCKET_FD = 3,
    UID_OFFSET = 5, /* among S3N's processes */
    UID_BASE_DEFAULT = 63000,
    TEXT_SIZE_MAX = 64 << 10
};

struct options {
    const char *roots, *allowed, *servers;
    uint64_t uid_base;
};

static const struct option_row rows[] = {
    { .name = "roots",
      .kind = OPTION_STRING,
      .offset = offsetof(struct options, roots),
      .value = "FILE",
      .help = "certificate authorities, PEM (the system's)" },
    { .name = "allow-private",
      .kind = OPTION_STRING,
      .offset = offsetof(struct options, allowed),
      .value = "LIST",
      .help = "networks besides public addresses, with commas between" },
    { .name = "name-servers",
      .kind = OPTION_STRING,
      .offset = offsetof(struct options, servers),
      .value = "LIST",
      .help = "ADDRESS or ADDRESS:PORT, with commas between (/etc/resolv.conf)" },
    { .name = "uid-base",
      .kind = OPTION_NUMBER,
      .offset = offsetof(struct options, uid_base),
      .value = "N",
      .help = "as root: become user and group N + 5 (63000)",
      .min = 1,
      .max = UINT32_MAX - 6 },
};

static const struct option_table table = {
    .program = "s3n-outbound",
    .usage = "",
    .about = "Makes functions' HTTP requests; started by s3nd, not by people.",
    .rows = rows,
    .row_count = ARRAY_COUNT(rows),
};

/* The next of a list with commas. */
static bool item_next(struct bytes *list, struct bytes *item)
{
    if (list->size == 0)
        return false;
    *item = bytes_part(*list, 0, bytes_find(*list, ','));
    *list = bytes_part(*list, MIN(item->size + 1, list->size), SIZE_MAX);
    return true;
}

static bool allowed_read(struct prefixes *allowed, const char *text, struct error *error)
{
    struct bytes list = bytes_of_string(text == NULL ? "" : text), item;
    while (item_next(&list, &item)) {
        if (allowed->count == PREFIX_COUNT_MAX)
            return error_set(error, ERROR_LIMIT, "at most %d networks", PREFIX_COUNT_MAX);
        if (!prefix_parse(&allowed->list[allowed->count++], item, error))
            return false;
    }
    return true;
}

static bool servers_read(struct resolver_options *resolver, const char *text, struct error *error)
{
    AUTO_BUFFER struct buffer system;
    struct bytes list = bytes_of_string(text == NULL ? "" : text), item;
    struct error absent;
    buffer_init(&system, TEXT_SIZE_MAX);
    if (text == NULL) {
        (void)!file_read(&system, "/etc/resolv.conf", &absent);
        resolver_read_servers(resolver, buffer_view(&system));
        return true;
    }
    while (resolver->server_count < NAME_SERVER_COUNT_MAX && item_next(&list, &item))
        if (!name_server_parse(&resolver->servers[resolver->server_count++], item, error))
            return false;
    return resolver->server_count > 0 || error_set(error, ERROR_USAGE, "--name-servers needs one");
}

struct world {
    struct tls_trust *trust;
    struct resolver *resolver;
    struct transfers *transfers;
    struct prefixes allowed;
};

static bool world_make(struct world *world, const struct options *options, struct error *error)
{
    AUTO_BUFFER struct buffer roots, hosts;
    struct resolver_options resolver = { .server_count = 0 };
    struct error absent;
    buffer_init(&roots, TLS_ROOTS_SIZE_MAX);
    buffer_init(&hosts, TEXT_SIZE_MAX);
    (void)!file_read(&hosts, "/etc/hosts", &absent);
    resolver.hosts = buffer_view(&hosts);
    struct transfers_options transfers = { .is_allowed = journey_address_is_allowed,
                                           .context = &world->allowed };
    if (!tls_roots_read(&roots, options->roots, error) ||
        !tls_trust_new(&world->trust, buffer_view(&roots), error) ||
        !allowed_read(&world->allowed, options->allowed, error) ||
        !servers_read(&resolver, options->servers, error) ||
        !resolver_new(&world->resolver, &resolver, error))
        return false;
    transfers.trust = world->trust;
    return transfers_new(&world->transfers, &transfers, error);
}

static bool run(void *given, struct error *error)
{
    const struct options *options = given;
    static struct world world;
    crypto_init();
    signal(SIGPIPE, SIG_IGN);
    if (!world_make(&world, options, error))
        return false;
    uid_t user = (uid_t)(options->uid_base + UID_OFFSET);
    if (!jail_enter(&outbound_profile, user, user, error))
        return false;
    struct journey_world journeys = { world.transfers, world.resolver, &world.allowed };
    bool is_served = outbound_serve(SOCKET_FD, &journeys, error);
    transfers_free(world.transfers);
    resolver_free(world.resolver);
    tls_trust_free(world.trust);
    return is_served;
}

int main(int argc UNUSED, char **argv)
{
    struct options options = { .uid_base = UID_BASE_DEFAULT };
    const struct program program = { &table, &options, run };
    return program_main(&program, argv);
}
