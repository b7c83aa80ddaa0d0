/* SPDX-License-Identifier: Apache-2.0 */
/* Every allocation path of base: the first allocation fails, then the second, and so on, until the
 * step passes.  Each failure must be an error (or a failed arena or buffer) that says so, never a
 * crash, and must leave nothing behind that changes the next try.  (The jail's filter is not here:
 * libseccomp 2.5 itself crashes when memory runs out, which ends a process that was to be jailed.)
 */
#include "base/arena.h"
#include "base/buffer.h"
#include "base/file.h"
#include "base/ipc.h"
#include "base/json.h"
#include "base/toml.h"
#include "tests/harness.h"

#include <errno.h>
#include <malloc.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* The C library's own functions behind the ones that this program takes over.  The sanitizers take
 * them over themselves, so there the test has nothing to stand on. */
#if defined(__SANITIZE_ADDRESS__)
#define CAN_FAIL false
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define CAN_FAIL false
#endif
#endif

#ifndef CAN_FAIL
#define CAN_FAIL true

extern void *__libc_malloc(size_t size);
extern void *__libc_calloc(size_t count, size_t size);
extern void *__libc_realloc(void *old, size_t size);

/* The libraries' calls come here too. */
#define VISIBLE __attribute__((visibility("default")))

static long until_failure = -1; /* -1: none fails */

static bool fails_now(void)
{
    if (until_failure < 0)
        return false;
    if (until_failure > 0) {
        until_failure--;
        return false;
    }
    errno = ENOMEM;
    return true; /* and so do all later ones */
}

VISIBLE void *malloc(size_t size)
{
    return fails_now() ? NULL : __libc_malloc(size);
}

VISIBLE void *calloc(size_t count, size_t size)
{
    return fails_now() ? NULL : __libc_calloc(count, size);
}

VISIBLE void *realloc(void *old, size_t size)
{
    return fails_now() ? NULL : __libc_realloc(old, size);
}

#else
static long until_failure = -1;
#endif

enum {
    ALLOCATIONS_MAX = 5000
};

/* A step: true when it worked.  With false the error (if it has one) must be NO_MEMORY, LIMIT or
 * INVALID by way of a library that says no more. */
typedef bool step(struct error *error);

static void check_all_fail(step *run, bool has_error)
{
    if (!CAN_FAIL)
        SKIP("the sanitizer owns malloc");
    for (long n = 0; n < ALLOCATIONS_MAX; n++) {
        struct error error = { 0 };
        until_failure = n;
        bool worked = run(&error);
        until_failure = -1;
        if (worked) {
            CHECK(n > 0);
            return;
        }
        CHECK(!has_error || error.code != ERROR_NONE);
        CHECK(!has_error || error.text[0] != '\0');
    }
    test_check(false, "the step works in the end", __FILE__, __LINE__);
}

static bool use_arena(struct error *error UNUSED)
{
    AUTO(arena) struct arena *arena = arena_new(1 << 20);
    for (size_t i = 0; i < 100; i++)
        arena_take(arena, 5000);
    return !arena_failed(arena);
}

static bool use_buffer(struct error *error UNUSED)
{
    AUTO_BUFFER struct buffer buffer;
    buffer_init(&buffer, 1 << 20);
    for (size_t i = 0; i < 100; i++)
        buffer_format(&buffer, "%300zu", i);
    return !buffer.failed;
}

static const char json_text[] =
    "{\"b\":[1,2.5,\"text\",{\"c\":null}],\"a\":{\"d\":true,\"e\":\"\\u20ac\"}}";

static bool use_json(struct error *error)
{
    AUTO_JSON json_t *json = NULL;
    AUTO_BUFFER struct buffer text;
    buffer_init(&text, 1 << 16);
    return json_parse(&json, bytes_of_string(json_text), error) &&
           json_canonical(&text, json, error);
}

static bool use_toml(struct error *error)
{
    AUTO_TOML struct toml_document document = { 0 };
    return toml_parse(&document, "f.toml",
                      BYTES_LITERAL("a = 1\n[b]\nc = ['x', {d = 2026-01-01}]\n[[e.f]]\ng = 'long "
                                    "enough not to fit into a small string'\n"),
                      error);
}

static bool use_ipc(struct error *error)
{
    int sockets[2];
    ASSERT(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sockets) == 0);
    AUTO_CLOSE int other = sockets[0];
    AUTO(ipc) struct ipc *ipc = NULL;
    if (!ipc_new(&ipc, sockets[1], 1 << 16, error)) {
        close(sockets[1]);
        return false;
    }
    static const uint8_t frame[] = { 3, 0, 0, 0, 5, 0, 0, 0, 9, 0, 0, 0, 'a', 'b', 'c' };
    ASSERT(write(other, frame, sizeof(frame)) == sizeof(frame));
    struct ipc_message message;
    return ipc_receive(ipc, &message, 0, error);
}

static bool use_file(struct error *error)
{
    AUTO_BUFFER struct buffer content;
    buffer_init(&content, 1 << 20);
    return file_read(&content, "/proc/self/status", error);
}

static void arena_fails_cleanly(void)
{
    check_all_fail(use_arena, false);
}

static void buffer_fails_cleanly(void)
{
    check_all_fail(use_buffer, false);
}

static void json_fails_cleanly(void)
{
    check_all_fail(use_json, true);
}

static void toml_fails_cleanly(void)
{
    check_all_fail(use_toml, true);
}

static void ipc_fails_cleanly(void)
{
    check_all_fail(use_ipc, true);
}

static void file_fails_cleanly(void)
{
    check_all_fail(use_file, true);
}

static const struct test tests[] = {
    TEST(arena_fails_cleanly), TEST(buffer_fails_cleanly), TEST(json_fails_cleanly),
    TEST(toml_fails_cleanly),  TEST(ipc_fails_cleanly),    TEST(file_fails_cleanly),

};
TEST_MAIN(tests)
