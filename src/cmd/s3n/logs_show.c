/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/s3n/logs_show.h"

#include "base/json.h"
#include "base/terminal.h"
#include "core/time.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    ID_DIGITS_SHOWN = 8,
    TIME_SIZE = TIME_TEXT_SIZE + 5
};

static void time_text(char text[TIME_SIZE], int64_t time_ms)
{
    char seconds[TIME_TEXT_SIZE + 1];
    if (time_ms < 0 || !time_format(seconds, time_ms / 1000))
        memcpy(seconds, "0000-00-00T00:00:00Z", sizeof(seconds));
    snprintf(text, TIME_SIZE, "%.19s.%03dZ", seconds, time_ms < 0 ? 0 : (int)(time_ms % 1000));
}

static bool is_of_request(const struct log_record *record, const char *request)
{
    struct bytes wanted = bytes_of_string(request);
    return bytes_starts_with(record->request, wanted) ||
           bytes_starts_with(record->invocation, wanted);
}

static bool is_wanted(const struct log_record *record, const struct logs_filter *filter)
{
    if (record->time_ms < filter->since_ms)
        return false;
    if (record->kind == LOG_RECORD_DROPPED)
        return filter->function == NULL && filter->request == NULL;
    return (filter->function == NULL || bytes_equal_string(record->function, filter->function)) &&
           (filter->request == NULL || is_of_request(record, filter->request));
}

/* --- for people --- */

static void show_dropped(struct buffer *target, const struct log_record *record)
{
    char time[TIME_SIZE];
    time_text(time, record->time_ms);
    buffer_format(target,
                  "%s -- the logs of %" PRIu64 " invocations (%" PRIu64 " bytes) are missing: %s\n",
                  time, record->dropped_count, record->dropped_size, log_drop_text(record->drop));
}

static void show_line(struct buffer *target, const struct log_record *record,
                      const struct log_line *line, bool continues)
{
    char time[TIME_SIZE];
    if (!continues) {
        time_text(time, record->time_ms);
        buffer_format(target, "%s %-7s ", time, logs_level_name(line->level));
        terminal_append(target, record->function);
        buffer_append_string(target, " ");
        terminal_append(target, bytes_part(record->request, 0, ID_DIGITS_SHOWN));
        buffer_append_string(target, " ");
    }
    if ((line->flags & LOG_LINE_BY_NODE) != 0)
        buffer_append_string(target, "[s3n] ");
    terminal_append(target, line->text);
    if ((line->flags & LOG_LINE_CONTINUES) == 0)
        buffer_append_string(target, "\n");
}

/* --- for programs --- */

static json_t *text_json(struct bytes text)
{
    AUTO_BUFFER struct buffer clean;
    buffer_init(&clean, 4 * (size_t)LOG_LINE_SIZE_MAX);
    utf8_append(&clean, text);
    return clean.failed ? NULL : json_stringn((const char *)clean.data, clean.size);
}

/* ASCII only: nothing in it steers a terminal either. */
static bool json_append(struct buffer *target, json_t *given)
{
    AUTO_JSON json_t *object = given;
    char *text = object == NULL ? NULL : json_dumps(object, JSON_COMPACT | JSON_ENSURE_ASCII);
    if (text == NULL)
        return false;
    for (char *at = text; *at != '\0'; at++) {
        if (*at == 0x7f)
            buffer_append_string(target, "\\u007f");
        else
            buffer_append(target, bytes_of(at, 1));
    }
    buffer_append_string(target, "\n");
    free(text);
    return true;
}

static bool json_dropped(struct buffer *target, const struct log_record *record)
{
    char time[TIME_SIZE];
    time_text(time, record->time_ms);
    return json_append(target, json_pack("{s:s, s:{s:s, s:I, s:I}}", "time", time, "dropped",
                                         "reason", log_drop_name(record->drop), "count",
                                         (json_int_t)record->dropped_count, "size",
                                         (json_int_t)record->dropped_size));
}

static bool json_line(struct buffer *target, const struct log_record *record,
                      const struct log_line *line)
{
    char time[TIME_SIZE];
    time_text(time, record->time_ms);
    json_t *object =
        json_pack("{s:s, s:s, s:o, s:o, s:o, s:o, s:o, s:o, s:b, s:b}", "time", time, "level",
                  logs_level_name(line->level), "function", text_json(record->function), "version",
                  text_json(record->version), "request", text_json(record->request), "invocation",
                  text_json(record->invocation), "outcome", text_json(record->outcome), "text",
                  text_json(line->text), "continues", (line->flags & LOG_LINE_CONTINUES) != 0,
                  "by_node", (line->flags & LOG_LINE_BY_NODE) != 0);
    return json_append(target, object);
}

/* --- */

static bool lines_show(struct buffer *target, const struct log_record *record,
                       const struct logs_filter *filter, bool *is_in_line)
{
    struct reader lines = reader_of(record->lines);
    struct log_line line;
    bool is_done = true;
    while (is_done && log_line_next(&lines, &line)) {
        if (line.level > filter->level)
            continue;
        if (filter->json)
            is_done = json_line(target, record, &line);
        else
            show_line(target, record, &line, *is_in_line);
        *is_in_line = (line.flags & LOG_LINE_CONTINUES) != 0;
    }
    return is_done;
}

bool logs_show(struct buffer *target, struct bytes records, const struct logs_filter *filter,
               bool *is_in_line, struct error *error)
{
    struct reader reader = reader_of(records);
    struct log_record record;
    bool is_done = true;
    while (is_done && log_record_next(&reader, &record)) {
        if (!is_wanted(&record, filter))
            continue;
        if (record.kind == LOG_RECORD_LINES)
            is_done = lines_show(target, &record, filter, is_in_line);
        else if (filter->json)
            is_done = json_dropped(target, &record);
        else
            show_dropped(target, &record);
    }
    if (reader.failed)
        return error_set(error, ERROR_CORRUPT, "a log segment holds no records");
    return (is_done && !target->failed) || error_set(error, ERROR_NO_MEMORY, "no memory for logs");
}
