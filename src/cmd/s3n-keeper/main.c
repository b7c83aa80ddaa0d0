/* SPDX-License-Identifier: Apache-2.0 */
/* s3n-keeper: holds the root secret and asks the platform for evidence.  Opens its folder, jails
 * itself, serves one socket until the other end closes it. */
#include "base/file.h"
#include "base/log.h"
#include "base/program.h"
#include "base/spawn.h"
#include "cmd/s3n-keeper/keeper_profile.h"
#include "core/hex.h"
#include "crypto/crypto.h"
#include "crypto/hash.h"
#include "keys/hierarchy.h"
#include "keys/keeper.h"
#include "keys/relay.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    SOCKET_DEFAULT = 3,
    UID_BASE_DEFAULT = 63000,
    UID_OFFSET = 1, /* of the keeper among S3N's processes */
    ROOTS_SIZE_MAX = 256 << 10,
    EVENT_DETAILS_SIZE = 1024,
};

struct options {
    const char *data_dir;
    const char *tee;
    const char *system_root;
    uint64_t timeout_ms;
    uint64_t socket;
    uint64_t event_register; /* 0: none was given */
    uint64_t uid_base;
    const char *broker_url, *broker_roots, *broker_protocol, *broker_key;
    struct kbs_options broker; /* its resource is NULL when the root secret comes from a file */
    uint64_t broker_timeout_ms;
};

static const struct option_row rows[] = {
    { .name = "data-dir",
      .kind = OPTION_STRING,
      .offset = offsetof(struct options, data_dir),
      .value = "DIR",
      .help = "the node's data folder; the keeper uses DIR/keeper" },
    { .name = "tee",
      .kind = OPTION_STRING,
      .offset = offsetof(struct options, tee),
      .value = "PLATFORM",
      .help = "platform that gives evidence: tdx, snp, nitro, sgx, sim; auto looks (auto)" },
    { .name = "system-root",
      .kind = OPTION_STRING,
      .offset = offsetof(struct options, system_root),
      .value = "DIR",
      .help = "in front of the kernel's paths, for tests of interfaces (none)" },
    { .name = "evidence-timeout-ms",
      .kind = OPTION_NUMBER,
      .offset = offsetof(struct options, timeout_ms),
      .value = "MS",
      .help = "how long the platform may take for evidence (20000)",
      .min = 1,
      .max = 600000 },
    { .name = "socket-fd",
      .kind = OPTION_NUMBER,
      .offset = offsetof(struct options, socket),
      .value = "N",
      .help = "descriptor of the connected socket to serve (3)",
      .min = 3,
      .max = 1023 },
    { .name = "register-fd",
      .kind = OPTION_NUMBER,
      .offset = offsetof(struct options, event_register),
      .value = "N",
      .help = "descriptor of an anonymous file that stands in for a register of run-time events "
              "where the platform has none (one of the keeper's own)",
      .min = 3,
      .max = 1023 },
    { .name = "uid-base",
      .kind = OPTION_NUMBER,
      .offset = offsetof(struct options, uid_base),
      .value = "N",
      .help = "as root: become user and group N + 1 (63000)",
      .min = 1,
      .max = UINT32_MAX - 4 },
    { .name = "kbs-resource",
      .kind = OPTION_STRING,
      .offset = offsetof(struct options, broker.resource),
      .value = "NAME",
      .help = "the root secret is this resource of a key broker (a file)" },
    { .name = "kbs-url",
      .kind = OPTION_STRING,
      .offset = offsetof(struct options, broker_url),
      .value = "URL",
      .help = "the broker" },
    { .name = "kbs-ca",
      .kind = OPTION_STRING,
      .offset = offsetof(struct options, broker_roots),
      .value = "FILE",
      .help = "certificates that the broker's must end in, PEM" },
    { .name = "kbs-protocol",
      .kind = OPTION_STRING,
      .offset = offsetof(struct options, broker_protocol),
      .value = "VERSION",
      .help = "of the broker: 0.4.0, 0.2.0 (0.4.0)" },
    { .name = "kbs-key",
      .kind = OPTION_STRING,
      .offset = offsetof(struct options, broker_key),
      .value = "KIND",
      .help = "of the key that the answer is encrypted to: p256, p521, rsa (p256)" },
    { .name = "kbs-timeout-ms",
      .kind = OPTION_NUMBER,
      .offset = offsetof(struct options, broker_timeout_ms),
      .value = "MS",
      .help = "how long one request to the broker may take (5000)",
      .min = 1,
      .max = 8000 },
};

static const struct option_table table = {
    .program = "s3n-keeper",
    .usage = "",
    .about = "Holds a node's root secret and platform; started by s3nd, not by people.",
    .rows = rows,
    .row_count = ARRAY_COUNT(rows),
};

static struct keeper_service service = { .clock = &clock_system, .anchor_file = -1 };
static int event_file = -1, event_register = -1;
static char boot[PLATFORM_BOOT_SIZE + 1];

static struct relay *relay;
static struct digest32 broker_roots; /* of the file, for the event log */

/* The roots, read once: what the relay uses is what the event log names. */
static bool roots_copy(int *copy, const char *path, struct error *error)
{
    AUTO_BUFFER struct buffer text;
    buffer_init(&text, ROOTS_SIZE_MAX);
    if (!file_read(&text, path, error))
        return false;
    AUTO_CLOSE int file = memfd_create("roots", MFD_CLOEXEC);
    if (file < 0 || pwrite(file, text.data, text.size, 0) != (ssize_t)text.size)
        return error_system(error, "copy %s", path);
    broker_roots = sha256_of(buffer_view(&text));
    *copy = file;
    file = -1;
    return true;
}

/* The relay outlives nothing: it ends when its socket closes, and with us. */
static bool relay_start(const struct options *options, struct error *error)
{
    char path[PATH_MAX], timeout[24], base[24];
    int sockets[2];
    pid_t pid;
    AUTO_CLOSE int roots = -1;
    snprintf(timeout, sizeof(timeout), "%llu", (unsigned long long)options->broker_timeout_ms);
    snprintf(base, sizeof(base), "%llu", (unsigned long long)options->uid_base);
    const char *arguments[] = { "s3n-relay",    "--url", options->broker_url,
                                "--timeout-ms", timeout, "--uid-base",
                                base,           NULL };
    if (!spawn_sibling_path(path, sizeof(path), "s3n-relay", error) ||
        !roots_copy(&roots, options->broker_roots, error))
        return false;
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sockets) != 0)
        return error_system(error, "a socket for the relay");
    struct spawn_options spawning = { .path = path,
                                      .arguments = arguments,
                                      .descriptors = { { sockets[1], 3 }, { roots, 4 } },
                                      .descriptor_count = 2 };
    signal(SIGCHLD, SIG_IGN); /* nobody waits for it */
    bool done = spawn(&pid, &spawning, error);
    close(sockets[1]);
    if (done)
        return relay_connect(&relay, sockets[0], error);
    close(sockets[0]);
    return false;
}

static bool broker_prepare(struct options *options, struct error *error)
{
    if (options->broker_url == NULL || options->broker_roots == NULL)
        return error_set(error, ERROR_USAGE, "--kbs-resource needs --kbs-url and --kbs-ca");
    return kbs_resource_check(options->broker.resource, error) &&
           kbs_version_parse(&options->broker.version, options->broker_protocol, error) &&
           kbs_key_parse(&options->broker.key, options->broker_key, error) &&
           relay_start(options, error);
}

/* Inside the jail: the broker's key lives and dies here. */
static bool root_secret_from_broker(const struct options *options, struct error *error)
{
    AUTO_SECRET_BUFFER struct secret_buffer resource = { 0 };
    struct kbs_carrier carrier = relay_carrier(relay);
    bool done =
        kbs_fetch(&resource, &service.platform, &options->broker, &carrier, service.clock, error);
    relay_close(TAKE(relay));
    if (!done)
        return false;
    if (resource.size != sizeof(service.root.bytes))
        return error_set(error, ERROR_INVALID,
                         "the key broker's root secret has %zu bytes, not %zu", resource.size,
                         sizeof(service.root.bytes));
    memcpy(service.root.bytes, resource.data, resource.size);
    return true;
}

static bool broker_record(const struct options *options, struct error *error)
{
    char name[EVENT_DETAILS_SIZE], details[EVENT_DETAILS_SIZE];
    /* a digest, because the log is public */
    snprintf(name, sizeof(name), "%s/kbs/v0/resource/%s", options->broker_url,
             options->broker.resource);
    struct digest32 whole = sha256_of(bytes_of_string(name));
    snprintf(details, sizeof(details), "{\"from\":\"kbs\",\"resource\":\"%s\",\"roots\":\"%s\"}",
             hex_of_digest(&whole).text, hex_of_digest(&broker_roots).text);
    if (!event_book_append(&service.events, "root", details, error))
        return error_within(error, "event log");
    log_line(LOG_LEVEL_INFO, "root secret", "from", options->broker_url, "resource",
             options->broker.resource, NULL);
    return true;
}

/* All files are opened here; nothing below the jail names one. */
static bool service_open(struct options *options, struct error *error)
{
    char folder[PATH_MAX], path[PATH_MAX];
    if (options->data_dir == NULL)
        return error_set(error, ERROR_USAGE, "--data-dir is needed");
    int size = snprintf(folder, sizeof(folder), "%s/keeper", options->data_dir);
    int path_size = snprintf(path, sizeof(path), "%s/keeper/root", options->data_dir);
    if (size >= (int)sizeof(folder) || path_size >= (int)sizeof(path))
        return error_set(error, ERROR_USAGE, "too long a data folder's name");
    (void)mlock(&service, sizeof(service)); /* best effort: an ordinary user has little of it */
    return file_make_folder(folder, 0700, error) &&
           (options->broker.resource != NULL ? broker_prepare(options, error)
                                             : root_secret_from_file(&service.root, path, error)) &&
           platform_open(&service.platform, options->tee,
                         &(struct platform_options){
                             .folder = folder,
                             .system_root = options->system_root,
                             .timeout_ms = (unsigned)options->timeout_ms,
                             .user = (uid_t)(options->uid_base + UID_OFFSET),
                         },
                         error);
}

/* The event log: a file of the keeper's folder, and what it is extended into. */
static bool events_prepare(const struct options *options, struct error *error)
{
    char path[PATH_MAX];
    if (snprintf(path, sizeof(path), "%s/keeper/events", options->data_dir) >= (int)sizeof(path))
        return error_set(error, ERROR_USAGE, "too long a data folder's name");
    event_file = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (event_file < 0)
        return error_system(error, "open %s", path);
    event_register = options->event_register != 0 ? (int)options->event_register
                                                  : memfd_create("register", MFD_CLOEXEC);
    platform_boot(boot);
    return event_register >= 0 || error_system(error, "make a register");
}

/* Not before the server speaks: the keeper of its predecessor may have the log until then. */
static bool events_open(const struct options *options, struct error *error)
{
    struct event_book_options events = {
        .target = event_register_of(&service.platform, &event_register),
        .clock = service.clock,
        .file = event_file,
        .boot = boot,
        .node = service.platform.node,
        .platform = service.platform.name,
    };
    return event_book_open(&service.events, &events, error) ||
           error_within(error, "%s/keeper/events", options->data_dir);
}

/* Where the head of the states' store is remembered. */
static bool anchor_file_open(const struct options *options, struct error *error)
{
    char path[PATH_MAX];
    if (snprintf(path, sizeof(path), "%s/keeper/anchor", options->data_dir) >= (int)sizeof(path))
        return error_set(error, ERROR_USAGE, "too long a data folder's name");
    service.anchor_file = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    return service.anchor_file >= 0 || error_system(error, "open %s", path);
}

/* A platform of the kernel's has its files in one folder, which becomes the root. */
static bool service_jail(const struct options *options, struct error *error)
{
    uid_t user = (uid_t)(options->uid_base + UID_OFFSET);
    bool is_sim = strcmp(service.platform.name, "sim") == 0;
    struct jail_profile profile = is_sim ? keeper_profile : keeper_tee_profile;
    profile.folder = service.platform.folder;
    return jail_enter(&profile, user, user, error) && platform_jailed(&service.platform, error);
}

/* Until the first request is there.  False: there will be none. */
static bool server_speaks(int socket)
{
    uint8_t byte;
    struct iovec into = { &byte, 1 };
    struct msghdr message = { .msg_iov = &into, .msg_iovlen = 1 };
    ssize_t size;
    do
        size = recvmsg(socket, &message, MSG_PEEK);
    while (size < 0 && errno == EINTR);
    return size > 0;
}

static bool serve(struct options *options, struct error *error)
{
    bool is_brokered = options->broker.resource != NULL;
    crypto_init();
    signal(SIGPIPE, SIG_IGN);
    if (!service_open(options, error) || !events_prepare(options, error) ||
        !anchor_file_open(options, error) || !service_jail(options, error) ||
        (is_brokered && !root_secret_from_broker(options, error)))
        return false;
    if (!server_speaks((int)options->socket))
        return true;
    if (!events_open(options, error) || (is_brokered && !broker_record(options, error)))
        return false;
    log_line(LOG_LEVEL_INFO, "keeper serves", "platform", service.platform.name, "interface",
             service.platform.interface, "node", service.platform.node, "register",
             service.events.target.name, NULL);
    return keeper_serve(&service, (int)options->socket, error);
}

static bool run(void *given, struct error *error)
{
    bool is_served = serve(given, error);
    event_book_done(&service.events);
    platform_close(&service.platform);
    secret_wipe(&service, sizeof(service));
    return is_served;
}

int main(int argc UNUSED, char **argv)
{
    struct options options = { .tee = "auto",
                               .socket = SOCKET_DEFAULT,
                               .uid_base = UID_BASE_DEFAULT,
                               .broker_protocol = "0.4.0",
                               .broker_key = "p256",
                               .broker_timeout_ms = 5000 };
    const struct program program = { &table, &options, run };
    return program_main(&program, argv);
}
