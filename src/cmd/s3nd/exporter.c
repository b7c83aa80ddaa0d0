/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/s3nd/exporter.h"
#include "base/file.h"
#include "base/jail_calls.h"
#include "base/log.h"
#include "cmd/s3nd/errand.h"
#include "cmd/s3nd/launcher.h"
#include "crypto/crypto.h"
#include "crypto/trust.h"
#include "files/compress.h"
#include "net/fetch.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    HEADERS_SIZE_MAX = 8192,
    HEADER_COUNT_MAX = 17,
    HEADER_COUNT_OWN = 2, /* content-type, content-encoding */
    ANSWER_BODY_SIZE_MAX = 64 << 10
};

/* clang-format off */
static const struct jail_call calls[] = {
    JAIL_CALLS_PROCESS,
    JAIL_CALLS_MEMORY,
    JAIL_CALLS_DESCRIPTORS,
    JAIL_CALLS_CLOCKS,
    JAIL_CALLS_HTTP_CLIENT,
    { SCMP_SYS(openat), "libraries look for their settings; there is no file" },
    { SCMP_SYS(open), "the same" },
    { SCMP_SYS(stat), "the same" },
    { SCMP_SYS(access), "the same" },
};
/* clang-format on */

struct exporter {
    const struct config *config;
    struct buffer payload, authorities, headers[EXPORT_SIGNAL_COUNT];
    struct bytes requests[EXPORT_SIGNAL_COUNT];
    char places[EXPORT_SIGNAL_COUNT][FETCH_PLACE_SIZE];
    struct error unlocated[EXPORT_SIGNAL_COUNT]; /* code 0: its place is known */
};

static const char *const url_names[EXPORT_SIGNAL_COUNT] = { "traces", "metrics" };

static const char *url_of(const struct config *config, unsigned signal)
{
    return signal == EXPORT_TRACES ? config->telemetry.traces_url : config->telemetry.metrics_url;
}

static bool compresses(const struct config *config, unsigned signal)
{
    return signal == EXPORT_TRACES ? config->telemetry.compresses_traces
                                   : config->telemetry.compresses_metrics;
}

/* --- what travels between server and exporter --- */

void export_outcome_write(struct buffer *answer, const struct export_outcome *outcome)
{
    uint8_t head[1 + 8 + 8 + 1];
    head[0] = (uint8_t)outcome->result;
    for (size_t i = 0; i < 8; i++) {
        head[1 + i] = (uint8_t)(outcome->rejected >> 8 * i);
        head[9 + i] = (uint8_t)(outcome->retry_after_s >> 8 * i);
    }
    size_t size = strnlen(outcome->message, sizeof(outcome->message) - 1);
    head[17] = (uint8_t)size;
    buffer_append(answer, BYTES_OF(head));
    buffer_append(answer, bytes_of(outcome->message, size));
}

void export_outcome_read(struct reader *reader, struct export_outcome *outcome)
{
    uint8_t result = read_u8(reader);
    struct export_outcome read = { .rejected = read_u64_le(reader),
                                   .retry_after_s = read_u64_le(reader) };
    struct bytes message = read_bytes(reader, read_u8(reader));
    if (result >= EXPORT_RESULT_COUNT || message.size >= sizeof(read.message))
        reader_fail(reader);
    if (reader->failed)
        return;
    read.result = (enum export_result)result;
    snprintf(read.message, sizeof(read.message), "%s", error_quote(message).text);
    *outcome = read;
}

/* --- before the jail --- */

/* Credentials: "Name: value" by line in a file, name=value,name=value in the environment. */
static bool headers_read(struct exporter *exporter, struct error *error)
{
    static const char *const names[] = { "OTEL_EXPORTER_OTLP_TRACES_HEADERS",
                                         "OTEL_EXPORTER_OTLP_METRICS_HEADERS" };
    const char *path = exporter->config->telemetry.headers_file;
    for (size_t i = 0; i < EXPORT_SIGNAL_COUNT; i++) {
        const char *given = getenv(names[i]);
        if (given == NULL || given[0] == '\0')
            given = getenv("OTEL_EXPORTER_OTLP_HEADERS");
        if (given == NULL || given[0] == '\0') {
            if (path[0] != '\0' && !file_read(&exporter->headers[i], path, error))
                return false;
            continue;
        }
        for (const char *at = given; *at != '\0'; at++)
            buffer_append_string(&exporter->headers[i], *at == ',' ? "\n" : (char[2]){ *at, 0 });
    }
    return true;
}

static bool payload_read(struct exporter *exporter, struct error *error)
{
    if (!file_read_descriptor(&exporter->payload, STDIN_FILENO, error))
        return false;
    struct reader reader = reader_of(buffer_view(&exporter->payload));
    for (size_t i = 0; i < EXPORT_SIGNAL_COUNT; i++)
        exporter->requests[i] = read_bytes(&reader, read_u32_le(&reader));
    return read_end(&reader) || error_set(error, ERROR_INVALID, "what to export is malformed");
}

static bool prepare(struct exporter *exporter, struct error *error)
{
    buffer_init(&exporter->payload, 2 * (size_t)OTLP_REQUEST_SIZE_MAX);
    buffer_init(&exporter->authorities, TLS_ROOTS_SIZE_MAX);
    for (size_t i = 0; i < EXPORT_SIGNAL_COUNT; i++)
        buffer_init(&exporter->headers[i], HEADERS_SIZE_MAX);
    if (!payload_read(exporter, error) || !headers_read(exporter, error) ||
        !errand_roots_read(&exporter->authorities, exporter->config->telemetry.authorities, error))
        return false;
    for (unsigned i = 0; i < EXPORT_SIGNAL_COUNT; i++)
        if (exporter->requests[i].size > 0)
            (void)!http_fetch_locate(exporter->places[i], url_of(exporter->config, i),
                                     &exporter->unlocated[i]);
    return http_fetch_prepare(error);
}

static bool close_off(const struct config *config, struct error *error)
{
    const struct errand errand = { .name = "telemetry",
                                   .calls = calls,
                                   .call_count = ARRAY_COUNT(calls),
                                   .user = NODE_USER_TELEMETRY };
    return errand_close_off(&errand, config, error);
}

/* --- sending --- */

static bool fields_fill(struct http_field *fields, size_t *count, struct bytes lines,
                        struct error *error)
{
    while (lines.size > 0) {
        size_t size = bytes_find(lines, '\n');
        struct bytes line = bytes_trim(bytes_part(lines, 0, size));
        lines = bytes_part(lines, MIN(size + 1, lines.size), SIZE_MAX);
        if (line.size > 0 && line.data[line.size - 1] == '\r')
            line.size--;
        if (line.size == 0)
            continue;
        size_t at = MIN(bytes_find(line, ':'), bytes_find(line, '='));
        if (at == line.size || *count == HEADER_COUNT_MAX)
            return error_set(error, ERROR_INVALID, "headers: lines are Name: value, at most %d",
                             HEADER_COUNT_MAX - HEADER_COUNT_OWN);
        fields[(*count)++] = (struct http_field){ bytes_trim(bytes_part(line, 0, at)),
                                                  bytes_trim(bytes_part(line, at + 1, SIZE_MAX)) };
    }
    return true;
}

/* By the status (OTLP specification, "OTLP/HTTP Response"). */
static void judge(struct export_outcome *outcome, const struct http_fetched *fetched)
{
    struct otlp_answer answer;
    struct error error;
    if (fetched->status == 200) {
        outcome->result = EXPORT_TAKEN;
        if (!otlp_answer_read(&answer, buffer_view(&fetched->body), &error)) {
            /* Taken, it says; whether by a collector is another question. */
            outcome->result = EXPORT_REFUSED;
            snprintf(outcome->message, sizeof(outcome->message), "%.150s", error.text);
            return;
        }
        outcome->rejected = answer.rejected;
        snprintf(outcome->message, sizeof(outcome->message), "%s", answer.message);
        return;
    }
    bool may_come = fetched->status == 429 || fetched->status == 502 || fetched->status == 503 ||
                    fetched->status == 504;
    outcome->result = may_come ? EXPORT_LATER : EXPORT_REFUSED;
    outcome->retry_after_s = fetched->retry_after_s;
    snprintf(outcome->message, sizeof(outcome->message), "the collector answers %d",
             fetched->status);
}

static bool send_one(const struct exporter *exporter, unsigned signal,
                     struct export_outcome *outcome, struct error *error)
{
    AUTO_HTTP_FETCHED struct http_fetched fetched = { 0 };
    AUTO_BUFFER struct buffer compressed;
    struct http_field fields[HEADER_COUNT_MAX];
    struct bytes content = exporter->requests[signal];
    size_t count = 0;
    buffer_init(&compressed, OTLP_REQUEST_SIZE_MAX);
    fields[count++] = HTTP_FIELD("content-type", BYTES_LITERAL("application/x-protobuf"));
    if (compresses(exporter->config, signal)) {
        if (!compress_gzip(&compressed, content, error) || compressed.failed)
            return error_set(error, ERROR_NO_MEMORY, "no memory to compress");
        content = buffer_view(&compressed);
        fields[count++] = HTTP_FIELD("content-encoding", BYTES_LITERAL("gzip"));
    }
    if (!fields_fill(fields, &count, buffer_view(&exporter->headers[signal]), error))
        return false;
    const struct http_fetch request = {
        .url = url_of(exporter->config, signal),
        .is_plain_allowed = true,
        .authorities = buffer_view(&exporter->authorities),
        .place = exporter->places[signal],
        .fields = fields,
        .field_count = count,
        .is_post = true,
        .content = content,
        .timeout_ms = exporter->config->telemetry.timeout_ms,
        .body_size_max = ANSWER_BODY_SIZE_MAX,
    };
    if (!http_fetch(&fetched, &request, error))
        return false;
    judge(outcome, &fetched);
    return true;
}

static void export_signal(const struct exporter *exporter, unsigned signal,
                          struct export_outcome *outcome)
{
    struct error error = exporter->unlocated[signal];
    *outcome = (struct export_outcome){ 0 };
    if (exporter->requests[signal].size == 0 ||
        (error.code == ERROR_NONE && send_one(exporter, signal, outcome, &error)))
        return;
    outcome->result = error.code == ERROR_INVALID ? EXPORT_REFUSED : EXPORT_LATER;
    snprintf(outcome->message, sizeof(outcome->message), "%s: %.140s", url_names[signal],
             error.text);
}

static bool run(struct exporter *exporter, struct error *error)
{
    AUTO_BUFFER struct buffer answer;
    buffer_init(&answer, EXPORT_ANSWER_SIZE_MAX);
    if (!prepare(exporter, error) || !close_off(exporter->config, error))
        return false;
    for (unsigned i = 0; i < EXPORT_SIGNAL_COUNT; i++) {
        struct export_outcome outcome;
        export_signal(exporter, i, &outcome);
        export_outcome_write(&answer, &outcome);
    }
    return !answer.failed && file_write_all(STDOUT_FILENO, buffer_view(&answer), error);
}

int exporter_run(const struct config *config)
{
    static struct exporter exporter;
    struct error error = { 0 };
    exporter.config = config;
    signal(SIGPIPE, SIG_IGN);
    crypto_init();
    bool done = run(&exporter, &error);
    if (!done)
        log_error("telemetry", &error);
    buffer_done(&exporter.payload);
    buffer_done(&exporter.authorities);
    for (size_t i = 0; i < EXPORT_SIGNAL_COUNT; i++)
        buffer_done(&exporter.headers[i]);
    return done ? 0 : error_exit_code(error.code);
}
