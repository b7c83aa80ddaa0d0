/* SPDX-License-Identifier: Apache-2.0 */
/* s3n-relay: carries the keeper's few requests to a key broker.  Looks the broker's address up,
 * jails itself, serves one socket, ends. */
#include "base/file.h"
#include "base/program.h"
#include "cmd/s3n-relay/relay_profile.h"
#include "crypto/crypto.h"
#include "keys/relay.h"
#include "net/visit.h"

#include <netdb.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

enum {
    SOCKET_FD = 3,
    ROOTS_FD = 4,   /* certificates that the broker's must end in, PEM */
    UID_OFFSET = 3, /* among S3N's processes */
    UID_BASE_DEFAULT = 63000,
    ROOTS_SIZE_MAX = 256 << 10,
    RESOLVED_SIZE_MAX = 1024,
    ADDRESS_COUNT_MAX = 8,
    TIMEOUT_MS_DEFAULT = 5000
};

struct options {
    const char *url;
    uint64_t timeout_ms, uid_base;
};

static const struct option_row rows[] = {
    { .name = "url",
      .kind = OPTION_STRING,
      .offset = offsetof(struct options, url),
      .value = "URL",
      .help = "the broker, https://host:port" },
    { .name = "timeout-ms",
      .kind = OPTION_NUMBER,
      .offset = offsetof(struct options, timeout_ms),
      .value = "MS",
      .help = "how long one request may take (5000)",
      .min = 1,
      .max = 8000 },
    { .name = "uid-base",
      .kind = OPTION_NUMBER,
      .offset = offsetof(struct options, uid_base),
      .value = "N",
      .help = "as root: become user and group N + 3 (63000)",
      .min = 1,
      .max = UINT32_MAX - 4 },
};

static const struct option_table table = {
    .program = "s3n-relay",
    .usage = "",
    .about = "Carries a keeper's requests to a key broker; started by s3n-keeper, not by people.",
    .rows = rows,
    .row_count = ARRAY_COUNT(rows),
};

/* "host" or "host:port" into its parts; false for addresses in brackets, which need no look-up. */
static bool name_split(char host[256], char port[8], const char *url)
{
    const char *authority = strstr(url, "://");
    if (authority == NULL || authority[3] == '[')
        return false;
    authority += 3;
    size_t size = strcspn(authority, ":/");
    snprintf(host, 256, "%.*s", (int)size, authority);
    snprintf(port, 8, "%s", authority[size] == ':' ? authority + size + 1 : "443");
    port[strcspn(port, "/")] = '\0';
    return size < 256;
}

static bool address_append(char *text, const struct addrinfo *found)
{
    char address[64];
    size_t size = strlen(text);
    if (getnameinfo(found->ai_addr, found->ai_addrlen, address, sizeof(address), NULL, 0,
                    NI_NUMERICHOST) != 0)
        return false;
    const char *separator = text[size - 1] == ':' ? "" : ",";
    int written = snprintf(text + size, RESOLVED_SIZE_MAX - size,
                           found->ai_family == AF_INET6 ? "%s[%s]" : "%s%s", separator, address);
    if (written >= (int)(RESOLVED_SIZE_MAX - size))
        text[size] = '\0'; /* no room: one address fewer */
    return true;
}

/* Now, because the jail has no files that say how names are looked up. */
static bool resolve(char resolved[RESOLVED_SIZE_MAX], const char *url, struct error *error)
{
    char host[256], port[8];
    struct addrinfo hints = { .ai_socktype = SOCK_STREAM }, *found = NULL;
    resolved[0] = '\0';
    if (!name_split(host, port, url))
        return true;
    int code = getaddrinfo(host, port, &hints, &found);
    if (code != 0)
        return error_set(error, ERROR_UNAVAILABLE, "%s: %s",
                         error_quote(bytes_of_string(host)).text, gai_strerror(code));
    snprintf(resolved, RESOLVED_SIZE_MAX, "%s:%s:", host, port);
    unsigned count = 0;
    for (const struct addrinfo *at = found; at != NULL && count < ADDRESS_COUNT_MAX;
         at = at->ai_next)
        count += address_append(resolved, at) ? 1 : 0;
    freeaddrinfo(found);
    return count > 0 || error_set(error, ERROR_UNAVAILABLE, "%s has no address", host);
}

static bool run(void *given, struct error *error)
{
    const struct options *options = given;
    char resolved[RESOLVED_SIZE_MAX];
    AUTO(http_client) struct http_client *client = NULL;
    AUTO_BUFFER struct buffer roots;
    buffer_init(&roots, ROOTS_SIZE_MAX);
    crypto_init();
    signal(SIGPIPE, SIG_IGN);
    if (options->url == NULL)
        return error_set(error, ERROR_USAGE, "--url is needed");
    if (!file_read_descriptor(&roots, ROOTS_FD, error) || !resolve(resolved, options->url, error))
        return false;
    if (roots.size == 0)
        return error_set(error, ERROR_INVALID, "there are no roots to know the broker by");
    struct http_client_options client_options = {
        .url = options->url,
        .connect_timeout_ms = (uint32_t)options->timeout_ms,
        .timeout_ms = (uint32_t)options->timeout_ms,
        .user_agent = "s3n",
        .roots = buffer_view(&roots),
        .resolved = resolved[0] == '\0' ? NULL : resolved,
    };
    uid_t user = (uid_t)(options->uid_base + UID_OFFSET);
    if (!http_client_new(&client, &client_options, error) ||
        !jail_enter(&relay_profile, user, user, error))
        return false;
    struct http_visit visit = { .client = client, .cookie = "kbs-session-id" };
    struct kbs_carrier carrier = { &visit, http_visit_exchange };
    return relay_serve(&carrier, SOCKET_FD, error);
}

int main(int argc UNUSED, char **argv)
{
    struct options options = { .timeout_ms = TIMEOUT_MS_DEFAULT, .uid_base = UID_BASE_DEFAULT };
    const struct program program = { &table, &options, run };
    return program_main(&program, argv);
}
