/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/s3n/run_services.h"

#include "base/file.h"
#include "base/secret.h"
#include "cmd/s3n/run_local.h"
#include "cmd/s3n/run_outbound.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* All that the process has. */
struct stand_in {
    int socket; /* slipstream's requests */
    struct services *services;
    struct service_scope *scope;
    struct permissions permissions;
    struct run_secrets secrets;
    bool has_keys;
    struct run_outbound *outbound;
    bool is_answered, has_failed;
};

/* --- what it may answer --- */

static bool names_add(struct permissions *permissions, enum call_permission kind, const char *name,
                      struct error *error)
{
    struct permission_list *list = &permissions->lists[kind];
    if (list->names == NULL)
        list->names = calloc(OPTION_LIST_MAX, sizeof(*list->names));
    if (list->names == NULL)
        return error_set(error, ERROR_NO_MEMORY, "no memory for names");
    list->names[list->count++] = name;
    return true;
}

static int compare_names(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static void names_sort(struct permissions *permissions)
{
    for (unsigned i = 0; i < CALL_PERMISSION_COUNT; i++) {
        struct permission_list *list = &permissions->lists[i];
        if (list->count > 1)
            qsort(list->names, list->count, sizeof(*list->names), compare_names);
    }
}

static bool permissions_make(struct stand_in *stand_in, const struct run_services_options *options,
                             struct error *error)
{
    struct permissions *permissions = &stand_in->permissions;
    for (size_t i = 0; i < options->rules.count; i++) {
        const char *rule = options->rules.items[i];
        if (!permission_check(CALL_PERMISSION_HTTP, bytes_of_string(rule), error))
            return error_within(error, "--http");
        if (!names_add(permissions, CALL_PERMISSION_HTTP, rule, error))
            return false;
    }
    for (size_t i = 0; i < stand_in->secrets.count; i++) {
        if (!names_add(permissions, CALL_PERMISSION_SECRETS, stand_in->secrets.list[i].name, error))
            return false;
    }
    names_sort(permissions);
    return true;
}

static bool services_make(struct stand_in *stand_in, const struct run_services_options *options,
                          struct error *error)
{
    struct service_facts facts = { .application = "run",
                                   .function = "run",
                                   .version = "",
                                   .permissions = &stand_in->permissions };
    if (!permissions_make(stand_in, options, error) || !services_new(&stand_in->services, error) ||
        !services_add(stand_in->services, &run_secret, &stand_in->secrets, error) ||
        !services_add(stand_in->services, &run_key, &stand_in->has_keys, error))
        return false;
    if (options->rules.count > 0 &&
        (!run_outbound_new(&stand_in->outbound, options->allowed, error) ||
         !services_add(stand_in->services, &service_http, run_outbound_port(stand_in->outbound),
                       error)))
        return false;
    return services_begin(stand_in->services, &facts, &stand_in->scope, error);
}

/* --- its life --- */

static void listed(void *context, struct bytes answers)
{
    struct stand_in *stand_in = context;
    struct error ignored;
    stand_in->has_failed = !file_write_all(stand_in->socket, answers, &ignored);
    stand_in->is_answered = true;
}

/* Fills all of `target`; false: slipstream has ended. */
static bool receive(int socket, uint8_t *target, size_t size)
{
    while (size > 0) {
        ssize_t got = read(socket, target, size);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            return false;
        target += got;
        size -= (size_t)got;
    }
    return true;
}

/* One list of requests, answered; false: there will be no more. */
static bool list_serve(struct stand_in *stand_in)
{
    static uint8_t list[CALL_AREA_SIZE];
    if (!receive(stand_in->socket, list, CALL_LIST_HEAD_SIZE))
        return false;
    struct reader reader = reader_of(bytes_of(list + 4, 4));
    size_t size = read_u32_le(&reader);
    if (size < CALL_LIST_HEAD_SIZE || size > sizeof(list) ||
        !receive(stand_in->socket, list + CALL_LIST_HEAD_SIZE, size - CALL_LIST_HEAD_SIZE))
        return false;
    stand_in->is_answered = false;
    if (!services_run(stand_in->scope, bytes_of(list, size), listed, stand_in))
        return false;
    secret_wipe(list, size);
    while (!stand_in->is_answered) {
        if (stand_in->outbound == NULL || !run_outbound_wait(stand_in->outbound, stand_in->socket))
            return false;
    }
    return !stand_in->has_failed;
}

static NORETURN void stand_in_live(struct stand_in *stand_in)
{
    /* Whoever waits for the end of slipstream's output must not wait for this process. */
    close(STDIN_FILENO);
    close(STDOUT_FILENO);
    while (list_serve(stand_in))
        ;
    _exit(0);
}

bool run_services_start(struct cli *cli, const struct run_services_options *options, int *socket,
                        struct error *error)
{
    static struct stand_in stand_in;
    int pair[2];
    if (options->secrets.count == 0 && options->rules.count == 0 && !options->has_keys) {
        return options->allowed == NULL ||
               error_set(error, ERROR_USAGE, "--allow-private is of no use without --http");
    }
    if (options->has_keys)
        cli_message(cli, "s3n: development keys: everybody has them, and no evidence names them");
    stand_in.has_keys = options->has_keys;
    secret_leave_no_core();
    if (!run_secrets_read(&stand_in.secrets, &options->secrets, error) ||
        !services_make(&stand_in, options, error))
        return false;
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) != 0)
        return error_system(error, "make a socket");
    pid_t pid = fork();
    if (pid < 0) {
        close(pair[0]);
        close(pair[1]);
        return error_system(error, "start a process for services");
    }
    if (pid == 0) {
        close(pair[0]);
        stand_in.socket = pair[1];
        stand_in_live(&stand_in);
    }
    close(pair[1]);
    *socket = pair[0];
    return true;
}
