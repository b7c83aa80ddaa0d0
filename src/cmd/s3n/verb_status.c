/* SPDX-License-Identifier: Apache-2.0 */
/* `s3n status`: the node you are logged in to and your applications there; with --admin what a
 * node tells its operator. */
#include "cmd/s3n/cli.h"
#include "cmd/s3n/session.h"
#include "cmd/s3n/status_counts.h"
#include "cmd/s3n/tables.h"
#include "core/time.h"
#include "net/fetch.h"

#include <stdio.h>
#include <string.h>

enum {
    ADMIN_TIMEOUT_MS = 10000
};

struct status_options {
    const char *admin;
};

static const struct option_row status_rows[] = {
    { .name = "admin",
      .kind = OPTION_STRING,
      .offset = offsetof(struct status_options, admin),
      .value = "URL",
      .help = "ask this admin listener (http://127.0.0.1:PORT) instead, as its operator" },
};

static const struct option_table status_table = {
    .program = "s3n status",
    .usage = "",
    .about = "Shows how the node you are logged in to does, and what it counts of your\n"
             "applications since it started.  Exit code 7 when the node is not ready.",
    .rows = status_rows,
    .row_count = ARRAY_COUNT(status_rows),
    CLI_SHARED,
};

/* --- the node's answers --- */

static bool get(struct session *session, const char *target, bool is_signed, json_t **tree,
                struct error *error)
{
    AUTO_HTTP_CLIENT_ANSWER struct http_client_answer answer = { 0 };
    const struct session_request request = { .method = HTTP_METHOD_GET,
                                             .target = target,
                                             .is_signed = is_signed };
    return session_call(session, &request, &answer, error) &&
           json_parse(tree, buffer_view(&answer.body), error);
}

/* An application with what is counted of it. */
static bool application_tree(struct session *session, const json_t *application, json_t **tree,
                             struct error *error)
{
    char target[160];
    const char *name = text_member(application, "application");
    struct status_counts counts = { 0 };
    AUTO_HTTP_CLIENT_ANSWER struct http_client_answer answer = { 0 };
    snprintf(target, sizeof(target), "/v1/applications/%s/metrics", name);
    const struct session_request request = { .method = HTTP_METHOD_GET,
                                             .target = target,
                                             .is_signed = true };
    if (!session_call(session, &request, &answer, error))
        return error_within(error, "%s", name);
    status_counts_read(&counts, buffer_view(&answer.body));
    *tree = json_pack("{s:s, s:s, s:I, s:I, s:I, s:I, s:f, s:f}", "application", name, "version",
                      text_member(application, "version"), "deployment",
                      (json_int_t)number_member(application, "version_number"), "invocations",
                      (json_int_t)counts.invocations, "failed", (json_int_t)counts.failed,
                      "cold_starts", (json_int_t)counts.cold_starts, "mean_ms", counts.mean_ms,
                      "mean_wait_ms", counts.mean_wait_ms);
    return *tree != NULL || error_set(error, ERROR_NO_MEMORY, "no memory for a status");
}

static bool gather(struct session *session, json_t *status, struct error *error)
{
    AUTO_JSON json_t *health = NULL;
    AUTO_JSON json_t *info = NULL;
    AUTO_JSON json_t *mine = NULL;
    char until[TIME_TEXT_SIZE + 1] = "-";
    size_t index;
    json_t *application;
    if (!get(session, "/.well-known/s3n/health", false, &health, error) ||
        !get(session, "/.well-known/s3n/info", false, &info, error) ||
        !get(session, "/v1/applications", true, &mine, error))
        return false;
    (void)!time_format(until, session->keyset.validity.not_after_s);
    json_object_set_new(status, "url", json_string(session->profile.url));
    json_object_set(status, "ready", json_object_get(health, "ready"));
    static const char *const keys[] = { "node", "version", "platform", "simulated", "backend" };
    for (size_t i = 0; i < ARRAY_COUNT(keys); i++)
        json_object_set(status, keys[i], json_object_get(info, keys[i]));
    json_object_set_new(status, "keyset_until", json_string(until));
    json_t *list = json_array();
    json_object_set_new(status, "applications", list);
    json_array_foreach(json_object_get(mine, "applications"), index, application)
    {
        json_t *tree = NULL;
        if (json_object_get(application, "deleted_s") != NULL)
            continue;
        if (!application_tree(session, application, &tree, error))
            return false;
        json_array_append_new(list, tree);
    }
    return true;
}

static void show_owner(struct buffer *text, const json_t *status)
{
    const json_t *list = json_object_get(status, "applications");
    buffer_format(text, "node       %s (%s)\n", text_member(status, "url"),
                  text_member(status, "node"));
    buffer_format(text, "platform   %s%s, backend %s, version %s\n",
                  text_member(status, "platform"),
                  json_is_true(json_object_get(status, "simulated")) ? " (SIMULATED)" : "",
                  text_member(status, "backend"), text_member(status, "version"));
    buffer_format(text, "keyset     verified, until %s\n", text_member(status, "keyset_until"));
    buffer_format(text, "ready      %s\n",
                  json_is_true(json_object_get(status, "ready")) ? "yes" : "NO");
    if (json_array_size(list) == 0)
        buffer_format(text, "\nno applications; `s3n deploy` makes one\n");
    else
        buffer_format(text, "\n%-24s %-16s %12s %8s %6s %10s %10s\n", "application", "version",
                      "invocations", "failed", "cold", "mean ms", "waited ms");
    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *row = json_array_get(list, i);
        buffer_format(text, "%-24s %-16s %12lld %8lld %6lld %10.2f %10.2f\n",
                      text_member(row, "application"), text_member(row, "version"),
                      number_member(row, "invocations"), number_member(row, "failed"),
                      number_member(row, "cold_starts"),
                      json_number_value(json_object_get(row, "mean_ms")),
                      json_number_value(json_object_get(row, "mean_wait_ms")));
    }
}

/* --- the operator's --- */

static bool admin_get(const char *admin, json_t **status, struct error *error)
{
    char url[256];
    size_t size = strlen(admin);
    AUTO_HTTP_FETCHED struct http_fetched fetched = { 0 };
    while (size > 0 && admin[size - 1] == '/')
        size--;
    if (strncmp(admin, "http://", 7) != 0 ||
        snprintf(url, sizeof(url), "%.*s/status", (int)size, admin) >= (int)sizeof(url))
        return error_set(error, ERROR_USAGE, "--admin wants http://127.0.0.1:PORT, not %s",
                         error_quote(bytes_of_string(admin)).text);
    const struct http_fetch request = { .url = url,
                                        .is_plain_allowed = true,
                                        .timeout_ms = ADMIN_TIMEOUT_MS,
                                        .body_size_max = JSON_SIZE_MAX };
    if (!http_fetch(&fetched, &request, error))
        return false;
    if (fetched.status != 200)
        return error_set(error, ERROR_UNAVAILABLE, "%s answers %d", url, fetched.status);
    return json_parse(status, buffer_view(&fetched.body), error);
}

static void show_tee(struct buffer *text, const json_t *tee)
{
    const json_t *evidence = json_object_get(tee, "evidence");
    const json_t *collateral = json_object_get(tee, "collateral");
    const json_t *events = json_object_get(tee, "event_log");
    bool is_connected = json_is_true(json_object_get(json_object_get(tee, "keeper"), "connected"));
    buffer_format(text, "platform   %s%s\n", text_member(tee, "platform"),
                  json_is_true(json_object_get(tee, "simulated")) ? " (SIMULATED)" : "");
    buffer_format(text, "keeper     %s\n", is_connected ? "there" : "GONE");
    buffer_format(text, "keyset     until %s\n",
                  text_member(json_object_get(tee, "keyset"), "until"));
    buffer_format(text, "evidence   %lld made, %lld failed, last %s\n",
                  number_member(evidence, "made"), number_member(evidence, "failed"),
                  text_member(evidence, "last"));
    if (!json_is_null(collateral))
        buffer_format(text, "collateral %s, %lld s old, until %s%s%s\n",
                      json_is_true(json_object_get(collateral, "there")) ? "there" : "MISSING",
                      number_member(collateral, "age_s"), text_member(collateral, "until"),
                      text_member(collateral, "error")[0] == '\0' ? "" : ": ",
                      text_member(collateral, "error"));
    buffer_format(text, "event log  %lld entries%s\n", number_member(events, "entries"),
                  json_is_true(json_object_get(events, "recording")) ? "" : ", NOT RECORDING");
}

static void show_operator(struct buffer *text, const json_t *status)
{
    const json_t *workers = json_object_get(status, "workers");
    const json_t *telemetry = json_object_get(status, "telemetry");
    const json_t *causes = json_object_get(status, "causes");
    buffer_format(text, "node       %s, version %s, backend %s\n", text_member(status, "node"),
                  text_member(status, "version"), text_member(status, "backend"));
    buffer_format(text, "started    %s\n", text_member(status, "started"));
    buffer_format(text, "ready      %s\n",
                  json_is_true(json_object_get(status, "ready")) ? "yes" : "NO");
    for (size_t i = 0; i < json_array_size(causes); i++)
        buffer_format(text, "           %s\n", text_member(json_array_get(causes, i), "message"));
    show_tee(text, json_object_get(status, "tee"));
    buffer_format(
        text, "functions  %lld applications; %lld workers, %lld running, %lld waiting, %lld lost\n",
        number_member(status, "applications"), number_member(workers, "now"),
        number_member(workers, "running"), number_member(workers, "waiting"),
        number_member(workers, "lost"));
    if (json_is_object(telemetry)) {
        const json_t *spans = json_object_get(telemetry, "spans");
        long long lost = number_member(spans, "dropped") + number_member(spans, "rejected") +
                         number_member(spans, "given_up");
        buffer_format(text, "telemetry  %lld spans sent, %lld waiting, %lld lost%s%s\n",
                      number_member(spans, "sent"), number_member(spans, "waiting"), lost,
                      text_member(telemetry, "error")[0] == '\0' ? "" : ": ",
                      text_member(telemetry, "error"));
    }
}

static bool status_run(struct cli *cli, const void *given,
                       const struct option_arguments *arguments UNUSED, struct error *error)
{
    const struct status_options *options = given;
    AUTO_JSON json_t *status = options->admin == NULL ? json_object() : NULL;
    AUTO_SESSION struct session session;
    session_init(&session);
    bool done = options->admin != NULL
                    ? admin_get(options->admin, &status, error)
                    : session_open(&session, NULL, error) && gather(&session, status, error);
    if (!done) {
        cli_hint(cli, session.hint);
        return false;
    }
    if (!json_is_true(json_object_get(status, "ready")))
        cli->exit_code = error_exit_code(ERROR_UNAVAILABLE);
    if (cli->json)
        return cli_write_json(status, error);
    AUTO_BUFFER struct buffer text;
    buffer_init(&text, 2 * SESSION_ANSWER_SIZE_MAX);
    if (options->admin != NULL)
        show_operator(&text, status);
    else
        show_owner(&text, status);
    return cli_write_lines(buffer_view(&text), error);
}

const struct verb verb_status = { .name = "status",
                                  .summary = "how the node and your applications do",
                                  .table = &status_table,
                                  .options_size = sizeof(struct status_options),
                                  .run = status_run };
