/* SPDX-License-Identifier: Apache-2.0 */
#include "base/file.h"
#include "base/log.h"
#include "tests/harness.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static struct {
    int stderr_kept;
    int read_end;
} capture;

static void capture_start(void)
{
    int ends[2];
    ASSERT(pipe2(ends, O_CLOEXEC) == 0);
    capture.stderr_kept = dup(STDERR_FILENO);
    dup2(ends[1], STDERR_FILENO);
    close(ends[1]);
    capture.read_end = ends[0];
}

static void capture_end(struct buffer *text)
{
    struct error error;
    dup2(capture.stderr_kept, STDERR_FILENO);
    close(capture.stderr_kept);
    buffer_init(text, 60000);
    CHECK(file_read_descriptor(text, capture.read_end, &error));
    close(capture.read_end);
    buffer_append(text, bytes_of("", 1));
}

static bool has(const struct buffer *text, const char *part)
{
    return strstr((const char *)text->data, part) != NULL;
}

static void lines_are_logfmt(void)
{
    AUTO_BUFFER struct buffer text;
    unsetenv("S3N_LOG");
    log_init("tester", LOG_LEVEL_INFO);
    capture_start();
    log_line(LOG_LEVEL_INFO, "deployed", "application", "auction", "version", "1.2", NULL);
    log_line(LOG_LEVEL_DEBUG, "unseen", NULL);
    log_line(LOG_LEVEL_WARN, "two words", "k", "a b=\"c\\\n\x01", "empty", "", "none", NULL, NULL);
    struct error error;
    error_set(&error, ERROR_LIMIT, "too many");
    log_error("failed", &error);
    capture_end(&text);
    CHECK(strncmp((char *)text.data, "time=20", 7) == 0);
    CHECK(
        has(&text, "Z level=info program=tester event=deployed application=auction version=1.2\n"));
    CHECK(has(&text, "level=warn program=tester event=\"two words\" k=\"a b=\\\"c\\\\\\n\\x01\" "
                     "empty=\"\" none=\"\"\n"));
    CHECK(has(&text, "level=error program=tester event=failed code=limit error=\"too many\"\n"));
    CHECK(!has(&text, "unseen"));
}

static void long_values_are_cut(void)
{
    AUTO_BUFFER struct buffer text;
    static char value[20000];
    memset(value, '"', sizeof(value) - 1);
    capture_start();
    log_line(LOG_LEVEL_INFO, "long", "a", value, "b", value, "c", value, NULL);
    capture_end(&text);
    CHECK(text.size <= 4097);
    CHECK(text.data[text.size - 2] == '\n');
}

static void environment_overrides_the_level(void)
{
    AUTO_BUFFER struct buffer text;
    setenv("S3N_LOG", "debug", 1);
    log_init("tester", LOG_LEVEL_ERROR);
    unsetenv("S3N_LOG");
    capture_start();
    log_line(LOG_LEVEL_DEBUG, "seen", NULL);
    log_set_level(LOG_LEVEL_WARN);
    log_line(LOG_LEVEL_INFO, "unseen", NULL);
    capture_end(&text);
    CHECK(has(&text, "event=seen\n") && !has(&text, "unseen"));
    enum log_level level = LOG_LEVEL_DEBUG;
    CHECK(log_level_parse("error", &level) && level == LOG_LEVEL_ERROR);
    CHECK(!log_level_parse("loud", &level));
}

static void floods_are_limited(void)
{
    struct log_limit limit = { 0 };
    unsigned allowed = 0;
    for (unsigned i = 0; i < 50; i++)
        allowed += log_limit_allows(&limit);
    /* A second may have begun in between. */
    CHECK(allowed == 10 || allowed == 20);
    limit.window_start_ns = 0;
    AUTO_BUFFER struct buffer text;
    log_set_level(LOG_LEVEL_INFO);
    limit.dropped = 40;
    capture_start();
    CHECK(log_limit_allows(&limit));
    capture_end(&text);
    CHECK(has(&text, "event=\"lines left out\" count=40\n"));
}

static const struct test tests[] = { TEST(lines_are_logfmt), TEST(long_values_are_cut),
                                     TEST(environment_overrides_the_level),
                                     TEST(floods_are_limited) };
TEST_MAIN(tests)
