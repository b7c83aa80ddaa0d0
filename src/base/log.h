/* SPDX-License-Identifier: Apache-2.0 */
/* Logs: one logfmt line to stderr per event.  Programs log, modules return errors.  Outside text is
 * escaped; never secrets, never bodies.  LOG_LIMITED lets at most ten lines a second through per
 * call site and says how many were left out. */
#ifndef BASE_LOG_H
#define BASE_LOG_H

#include "base/error.h"

enum log_level {
    LOG_LEVEL_DEBUG,
    LOG_LEVEL_INFO,
    LOG_LEVEL_WARN,
    LOG_LEVEL_ERROR
};

/* Program name shown in each line, and the least level shown (S3N_LOG=debug|info|warn|error
 * overrides). */
void log_init(const char *program, enum log_level level);
void log_set_level(enum log_level level);
MUST_CHECK bool log_level_parse(const char *name, enum log_level *level);

/* log_line(LOG_LEVEL_INFO, "deployed", "application", name, "version", version, NULL): pairs of key
 * and value, values quoted and escaped as needed, NULL ends. */
void log_line(enum log_level level, const char *event, ...) __attribute__((sentinel));
void log_error(const char *event, const struct error *error);

struct log_limit {
    uint64_t window_start_ns;
    uint32_t count;
    uint32_t dropped;
};
bool log_limit_allows(struct log_limit *limit);
#define LOG_LIMITED(level, ...)                                                                    \
    do {                                                                                           \
        static struct log_limit limit_;                                                            \
        if (log_limit_allows(&limit_))                                                             \
            log_line((level), __VA_ARGS__);                                                        \
    } while (0)

#endif
