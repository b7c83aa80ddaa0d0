/* SPDX-License-Identifier: Apache-2.0 */
/* `s3n logs`: an application's log, opened here with its reader's key.
 *
 * The node sends sealed segments and says, over the connection that its evidence vouches for, which
 * segment is the last.  They are checked to be one chain that ends there, and to go on from what
 * was seen before (logs_seen.h). */
#include "cmd/s3n/logs_seen.h"
#include "cmd/s3n/logs_show.h"
#include "cmd/s3n/node_call.h"
#include "functions/manifest.h"
#include "logs/page.h"
#include "logs/query.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum {
    FOLLOW_MS = 1000,
    FOLLOW_AGAIN_MS = 3000,
    REQUEST_DIGITS_MIN = 6,
    SHOWN_SIZE_MAX = 64 << 20
};

struct logs_options {
    bool follow, anew;
    const char *since, *function, *request, *level;
};
static const struct logs_options logs_defaults = { .level = "debug" };

static const struct option_row logs_rows[] = {
    { .name = "follow",
      .letter = 'f',
      .kind = OPTION_FLAG,
      .offset = offsetof(struct logs_options, follow),
      .help = "go on with what is logged from now on, until it is interrupted" },
    { .name = "anew",
      .kind = OPTION_FLAG,
      .offset = offsetof(struct logs_options, anew),
      .help = "take the log that the node shows, though a later one was seen: after a restore" },
    { .name = "since",
      .kind = OPTION_STRING,
      .offset = offsetof(struct logs_options, since),
      .value = "TIME",
      .help = "from 90s, 10m, 2h, 3d ago, or 2026-01-31T12:00:00Z (all that is kept)" },
    { .name = "function",
      .kind = OPTION_STRING,
      .offset = offsetof(struct logs_options, function),
      .value = "NAME",
      .help = "only this function's (all)" },
    { .name = "request",
      .kind = OPTION_STRING,
      .offset = offsetof(struct logs_options, request),
      .value = "ID",
      .help = "only of this request or invocation, or six or more of its first digits (all)" },
    { .name = "level",
      .kind = OPTION_STRING,
      .offset = offsetof(struct logs_options, level),
      .value = "LEVEL",
      .help = "this one and worse: error, warning, notice, info, debug, ... (debug)" },
};
static const struct option_table logs_table = {
    .program = "s3n logs",
    .usage = "APPLICATION",
    .about = "Shows what your application's functions logged.  Nodes keep logs sealed to their\n"
             "readers' keys: they are opened here.  With --json one object a line.",
    .rows = logs_rows,
    .row_count = ARRAY_COUNT(logs_rows),
    CLI_SHARED,
    .positional_min = 1,
    .positional_max = 1,
};

/* One look at a log after the other. */
struct looking {
    struct cli *cli;
    const char *application;
    struct logs_filter filter;
    struct session session; /* open while looking_run is under way */
    struct log_reading reading;
    struct owner_keys_before before; /* the owner's earlier keys, once one is wanted */
    bool has_before;
    bool is_anew;    /* nothing was seen before */
    bool has_seen;   /* what was seen before is known */
    bool is_in_line; /* the last line that was shown goes on */
    uint64_t unreadable;
};

/* With the present key, or with one of before: what was sealed stays sealed to whom it was. */
static bool segment_open(struct looking *looking, struct buffer *records,
                         const struct log_segment *segment, struct error *error)
{
    if (log_segment_open(records, segment, looking->session.key, error))
        return true;
    if (error->code != ERROR_DENIED)
        return false;
    if (!looking->has_before && !owner_keys_before(&looking->before, error))
        return false;
    looking->has_before = true;
    bool is_open = false;
    error_set(error, ERROR_DENIED, "the segment is not sealed to your key");
    for (size_t i = 0; i < looking->before.count && !is_open && error->code == ERROR_DENIED; i++)
        is_open = log_segment_open(records, segment, looking->before.items[i], error);
    return is_open;
}

static bool segment_show(void *context, const struct log_segment *segment, struct error *error)
{
    struct looking *looking = context;
    AUTO_BUFFER struct buffer records, shown;
    buffer_init(&records, LOG_SEGMENT_PLAIN_MAX + 1);
    buffer_init(&shown, SHOWN_SIZE_MAX);
    if (!segment_open(looking, &records, segment, error)) {
        if (error->code != ERROR_DENIED)
            return false;
        looking->unreadable++; /* of a time when this key was no reader's */
        return true;
    }
    return logs_show(&shown, buffer_view(&records), &looking->filter, &looking->is_in_line,
                     error) &&
           cli_write(buffer_view(&shown), error);
}

static bool page_get(struct looking *looking, json_t **root, struct error *error)
{
    char path[NODE_PATH_SIZE];
    const struct log_chain *chain = &looking->reading.chain;
    snprintf(path, sizeof(path), "/v1/applications/%s/logs?after=%" PRIu64 "&since_ms=%" PRId64,
             looking->application, chain->is_begun ? chain->number : 0,
             chain->is_begun ? 0 : looking->filter.since_ms);
    return node_session_call(&looking->session, HTTP_METHOD_GET, path, NULL, root, error);
}

static bool page_take(struct looking *looking, const struct log_page *page, struct error *error)
{
    struct log_reading *reading = &looking->reading;
    const char *node = looking->session.keyset.node;
    if (!looking->has_seen && !looking->is_anew &&
        !logs_seen_read(&reading->seen, node, &page->head.stream, error))
        return false;
    looking->has_seen = true;
    uint64_t seen = reading->seen.is_begun ? reading->seen.number : 0;
    bool done = log_page_take(reading, page, segment_show, looking, error);
    if (reading->expired > 0)
        cli_message(looking->cli, "%" PRIu64 " segments have expired meanwhile", reading->expired);
    if (!done || !reading->seen.is_begun || reading->seen.number == seen)
        return done;
    return logs_seen_write(&reading->seen, node, error);
}

/* All that there is behind what was shown. */
static bool look(struct looking *looking, struct error *error)
{
    for (bool more = true; more;) {
        AUTO_JSON json_t *root = NULL;
        struct log_page page;
        if (!page_get(looking, &root, error) || !log_page_parse(&page, root, error) ||
            !page_take(looking, &page, error))
            return false;
        more = page.more;
    }
    return true;
}

/* --- the verb --- */

static void wait_ms(long ms)
{
    struct timespec time = { ms / 1000, ms % 1000 * 1000000 };
    nanosleep(&time, NULL);
}

static bool is_passing(const struct error *error)
{
    return error->code == ERROR_UNAVAILABLE || error->code == ERROR_BUSY ||
           error->code == ERROR_TIMEOUT || error->code == ERROR_SYSTEM;
}

/* In a session of its own; `follows` goes on until something fails. */
static bool looking_run(struct looking *looking, bool follows, struct error *error)
{
    session_init(&looking->session);
    bool done = session_open(&looking->session, NULL, error);
    while (done) {
        done = look(looking, error);
        if (!follows)
            break;
        if (done)
            wait_ms(FOLLOW_MS);
    }
    if (!done)
        cli_hint(looking->cli, looking->session.hint);
    session_done(&looking->session);
    return done;
}

static bool filter_make(struct logs_filter *filter, const struct logs_options *options,
                        struct error *error)
{
    struct timespec now;
    filter->function = options->function;
    filter->request = options->request;
    if (!logs_level_parse(&filter->level, bytes_of_string(options->level)))
        return error_set(error, ERROR_USAGE,
                         "--level: one of emergency, alert, critical, error, warning, notice, "
                         "info, debug, not \"%s\"",
                         error_quote(bytes_of_string(options->level)).text);
    if (options->function != NULL && !name_is_valid(options->function))
        return error_set(error, ERROR_USAGE, "%s is not a function's name",
                         error_quote(bytes_of_string(options->function)).text);
    for (const char *at = options->request; at != NULL && *at != '\0'; at++) {
        if (strchr("0123456789abcdef", *at) == NULL)
            return error_set(error, ERROR_USAGE, "--request: hexadecimal digits are wanted");
    }
    if (options->request != NULL && strlen(options->request) < REQUEST_DIGITS_MIN)
        return error_set(error, ERROR_USAGE, "--request: at least %d digits", REQUEST_DIGITS_MIN);
    clock_gettime(CLOCK_REALTIME, &now);
    return options->since == NULL ||
           log_since_parse(&filter->since_ms, bytes_of_string(options->since),
                           (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000, error);
}

static bool logs_run(struct cli *cli, const void *given, const struct option_arguments *arguments,
                     struct error *error)
{
    const struct logs_options *options = given;
    struct looking looking = { .cli = cli,
                               .application = arguments->items[0],
                               .is_anew = options->anew,
                               .filter = { .json = cli->json } };
    if (!name_is_valid(looking.application))
        return error_set(error, ERROR_USAGE, "%s is not an application's name",
                         error_quote(bytes_of_string(looking.application)).text);
    if (!filter_make(&looking.filter, options, error))
        return false;
    bool done = looking_run(&looking, options->follow, error);
    while (!done && options->follow && is_passing(error)) {
        cli_message(cli, "%s; trying again", error->text);
        wait_ms(FOLLOW_AGAIN_MS);
        done = looking_run(&looking, true, error);
    }
    owner_keys_before_done(&looking.before);
    if (looking.is_in_line && !cli->json && !cli_write(BYTES_LITERAL("\n"), error))
        done = false;
    if (looking.unreadable > 0)
        cli_message(cli,
                    "%" PRIu64 " segments are not sealed to your key: they are of a time when "
                    "you could not read this log",
                    looking.unreadable);
    return done;
}

const struct verb verb_logs = { .name = "logs",
                                .summary = "show what your functions logged",
                                .table = &logs_table,
                                .defaults = &logs_defaults,
                                .options_size = sizeof(struct logs_options),
                                .run = logs_run };
