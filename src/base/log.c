/* SPDX-License-Identifier: Apache-2.0 */
#include "base/log.h"

#include "base/clock.h"
#include "base/limits.h"
#include "base/terminal.h"

#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static const char *const level_names[] = { [LOG_LEVEL_DEBUG] = "debug",
                                           [LOG_LEVEL_INFO] = "info",
                                           [LOG_LEVEL_WARN] = "warn",
                                           [LOG_LEVEL_ERROR] = "error" };

static struct {
    const char *program;
    enum log_level level;
} logger = { "s3n", LOG_LEVEL_INFO };
static pthread_mutex_t limit_lock = PTHREAD_MUTEX_INITIALIZER;

bool log_level_parse(const char *name, enum log_level *level)
{
    for (size_t i = 0; i < ARRAY_COUNT(level_names); i++) {
        if (strcmp(name, level_names[i]) == 0) {
            *level = (enum log_level)i;
            return true;
        }
    }
    return false;
}

void log_set_level(enum log_level level)
{
    logger.level = level;
}

void log_init(const char *program, enum log_level level)
{
    logger.program = program;
    logger.level = level;
    tzset(); /* gmtime_r looks for /etc/localtime once, which the jail would forbid */
    const char *wanted = getenv("S3N_LOG");
    if (wanted != NULL && !log_level_parse(wanted, &logger.level))
        log_line(LOG_LEVEL_WARN, "S3N_LOG is none of debug, info, warn, error", "value", wanted,
                 NULL);
}

struct line {
    char text[LOG_LINE_SIZE_MAX];
    size_t size;
};

static void append(struct line *line, const char *text, size_t size)
{
    /* The last byte is kept for the line's end. */
    size_t room = sizeof(line->text) - 1 - line->size;
    memcpy(line->text + line->size, text, MIN(size, room));
    line->size += MIN(size, room);
}

static void append_string(struct line *line, const char *text)
{
    append(line, text, strlen(text));
}

static bool is_plain(struct bytes value)
{
    for (size_t i = 0; i < value.size; i++) {
        uint8_t byte = value.data[i];
        if (byte <= ' ' || byte >= 0x7f || byte == '"' || byte == '=' || byte == '\\')
            return false;
    }
    return value.size > 0;
}

static void append_escaped(struct line *line, struct bytes character, bool passes)
{
    char text[8];
    if (character.data[0] == '"' || character.data[0] == '\\')
        append(line, "\\", 1);
    else if (character.data[0] == '\n')
        append_string(line, "\\n");
    if (passes)
        append(line, (const char *)character.data, character.size);
    for (size_t i = 0; !passes && i < character.size && character.data[0] != '\n'; i++) {
        snprintf(text, sizeof(text), "\\x%02x", character.data[i]);
        append_string(line, text);
    }
}

static void append_value(struct line *line, const char *text)
{
    struct bytes value = bytes_part(bytes_of_string(text), 0, LOG_VALUE_SIZE_MAX);
    if (is_plain(value)) {
        append(line, (const char *)value.data, value.size);
        return;
    }
    append(line, "\"", 1);
    while (value.size > 0) {
        bool passes;
        size_t size = terminal_character(value, &passes);
        append_escaped(line, bytes_of(value.data, size), passes && value.data[0] != '\t');
        value = bytes_part(value, size, value.size);
    }
    append(line, "\"", 1);
}

static void append_time(struct line *line)
{
    uint64_t now_ns = clock_realtime_ns(&clock_system);
    time_t seconds = (time_t)(now_ns / 1000000000u);
    struct tm parts;
    char text[40];
    gmtime_r(&seconds, &parts);
    size_t used = strftime(text, sizeof(text), "time=%Y-%m-%dT%H:%M:%S", &parts);
    snprintf(text + used, sizeof(text) - used, ".%03uZ", (unsigned)(now_ns / 1000000u % 1000u));
    append_string(line, text);
}

static void start_line(struct line *line, enum log_level level, const char *event)
{
    line->size = 0;
    append_time(line);
    append_string(line, " level=");
    append_string(line, level_names[level]);
    append_string(line, " program=");
    append_value(line, logger.program);
    append_string(line, " event=");
    append_value(line, event);
}

static void append_pair(struct line *line, const char *key, const char *value)
{
    append(line, " ", 1);
    append_string(line, key);
    append(line, "=", 1);
    append_value(line, value == NULL ? "" : value);
}

/* One write, so that lines of several processes and threads stay whole. */
static void end_line(struct line *line)
{
    line->text[line->size++] = '\n';
    ssize_t wrote = write(STDERR_FILENO, line->text, line->size);
    (void)wrote;
}

void log_line(enum log_level level, const char *event, ...)
{
    if (level < logger.level)
        return;
    struct line line;
    start_line(&line, level, event);
    va_list arguments;
    va_start(arguments, event);
    for (;;) {
        const char *key = va_arg(arguments, const char *);
        if (key == NULL)
            break;
        append_pair(&line, key, va_arg(arguments, const char *));
    }
    va_end(arguments);
    end_line(&line);
}

void log_error(const char *event, const struct error *error)
{
    log_line(LOG_LEVEL_ERROR, event, "code", error_name(error->code), "error", error->text, NULL);
}

bool log_limit_allows(struct log_limit *limit)
{
    uint64_t now_ns = clock_monotonic_ns(&clock_system);
    uint32_t dropped = 0;
    pthread_mutex_lock(&limit_lock);
    if (now_ns - limit->window_start_ns >= 1000000000u) {
        dropped = limit->dropped;
        *limit = (struct log_limit){ .window_start_ns = now_ns };
    }
    bool allowed = limit->count < LOG_LINES_PER_SECOND_MAX;
    if (allowed)
        limit->count++;
    else
        limit->dropped++;
    pthread_mutex_unlock(&limit_lock);
    if (dropped > 0) {
        char number[16];
        snprintf(number, sizeof(number), "%u", dropped);
        log_line(LOG_LEVEL_WARN, "lines left out", "count", number, NULL);
    }
    return allowed;
}
