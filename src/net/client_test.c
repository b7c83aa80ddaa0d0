/* SPDX-License-Identifier: Apache-2.0 */
#include "net/client.h"
#include "net/fixture.h"
#include "tests/harness.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct http_client *client_to(const struct fixture *fixture, const struct digest32 *pin)
{
    struct http_client *client = NULL;
    struct error error;
    char url[64];
    snprintf(url, sizeof(url), "https://127.0.0.1:%u", fixture_port(fixture));
    struct http_client_options options = { .url = url, .pin = pin, .timeout_ms = TEST_PATIENCE_MS };
    ASSERT(http_client_new(&client, &options, &error));
    return client;
}

static bool get(struct http_client *client, const char *target, struct http_client_answer *answer,
                struct error *error)
{
    struct http_client_request request = { .target = target, .body_size_max = 1 << 20 };
    return http_client_request(client, &request, answer, error);
}

static void reports_the_key_then_pins_it(void)
{
    struct fixture *fixture = fixture_start(NULL);
    struct error error = { 0 };
    struct digest32 expected = ecdsa_public_id(fixture_key(fixture));
    AUTO(http_client) struct http_client *client = client_to(fixture, NULL);
    for (int i = 0; i < 3; i++) {
        AUTO_HTTP_CLIENT_ANSWER struct http_client_answer answer = { 0 };
        CHECK(get(client, "/hello", &answer, &error));
        CHECK_NUMBER(answer.status, 200);
        CHECK_BYTES(buffer_view(&answer.body), BYTES_LITERAL("hello\n"));
        CHECK_BYTES(http_client_answer_value(&answer, "content-type"), BYTES_LITERAL("text/plain"));
        CHECK(digest32_equal(&answer.peer_key, &expected));
        if (i == 1)
            http_client_pin(client, &expected);
    }
    struct digest32 other = expected;
    other.bytes[31] ^= 1;
    http_client_pin(client, &other);
    struct http_client_answer answer = { 0 };
    CHECK(!get(client, "/hello", &answer, &error));
    CHECK_NUMBER(error.code, ERROR_UNVERIFIED);
    struct http_server_counts counts = fixture_counts(fixture);
    CHECK_NUMBER(counts.requests, 3); /* nothing was sent to the wrong key */
    CHECK_NUMBER(counts.connections_accepted, 3);
    fixture_stop(fixture, 1000);
}

static bool count_progress(void *context, uint64_t sent, uint64_t received)
{
    (void)sent;
    (void)received;
    ++*(unsigned *)context;
    return true;
}

static bool give_up(void *context, uint64_t sent, uint64_t received)
{
    (void)context;
    (void)sent;
    (void)received;
    return false;
}

static void sends_methods_fields_and_bodies(void)
{
    struct fixture *fixture = fixture_start(NULL);
    struct error error = { 0 };
    AUTO(http_client) struct http_client *client = client_to(fixture, NULL);
    static const size_t sizes[] = { 0, 5, FIXTURE_BODY_SIZE_MAX, FIXTURE_BODY_SIZE_MAX + 1 };
    uint8_t *body = calloc(1, FIXTURE_BODY_SIZE_MAX + 1);
    unsigned progress = 0;
    REQUIRE(body != NULL);
    struct http_field fields[] = { HTTP_FIELD("content-type", BYTES_LITERAL("x/y")),
                                   HTTP_FIELD("x-empty", BYTES_LITERAL("")) };
    for (size_t i = 0; i < 2 * ARRAY_COUNT(sizes); i++) {
        AUTO_HTTP_CLIENT_ANSWER struct http_client_answer answer = { 0 };
        struct http_client_request request = { .method = i % 2 ? HTTP_METHOD_PUT : HTTP_METHOD_POST,
                                               .target = "/echo?a=b",
                                               .fields = fields,
                                               .field_count = 2,
                                               .body = bytes_of(body, sizes[i / 2]),
                                               .body_size_max = FIXTURE_BODY_SIZE_MAX,
                                               .progress = count_progress,
                                               .progress_context = &progress };
        CHECK(http_client_request(client, &request, &answer, &error));
        CHECK_NUMBER(answer.status, i / 2 == 3 ? 413 : 200);
        if (i / 2 < 3)
            CHECK_NUMBER(answer.body.size, sizes[i / 2]);
    }
    CHECK(progress > 0);
    free(body);
    AUTO_HTTP_CLIENT_ANSWER struct http_client_answer head = { 0 };
    struct http_client_request request = { .method = HTTP_METHOD_HEAD, .target = "/size/12345" };
    CHECK(http_client_request(client, &request, &head, &error));
    CHECK_BYTES(http_client_answer_value(&head, "content-length"), BYTES_LITERAL("12345"));
    CHECK_NUMBER(head.body.size, 0);
    fixture_stop(fixture, 3000);
}

static void maps_what_goes_wrong(void)
{
    struct fixture *fixture = fixture_start(NULL);
    struct error error = { 0 };
    AUTO(http_client) struct http_client *client = client_to(fixture, NULL);
    struct http_client_answer answer = { 0 };
    struct http_client_request request = { .target = "/never", .timeout_ms = 200 };
    CHECK(!http_client_request(client, &request, &answer, &error));
    CHECK_NUMBER(error.code, ERROR_TIMEOUT);
    request = (struct http_client_request){ .target = "/size/1001", .body_size_max = 1000 };
    CHECK(!http_client_request(client, &request, &answer, &error));
    CHECK_NUMBER(error.code, ERROR_LIMIT);
    request = (struct http_client_request){ .target = "/never", .progress = give_up };
    CHECK(!http_client_request(client, &request, &answer, &error));
    CHECK_NUMBER(error.code, ERROR_UNAVAILABLE);
    request = (struct http_client_request){ .target = "/a b" };
    CHECK(!http_client_request(client, &request, &answer, &error));
    CHECK_NUMBER(error.code, ERROR_INVALID);
    struct http_field bad = HTTP_FIELD("x", BYTES_LITERAL("a\r\nb: c"));
    request = (struct http_client_request){ .target = "/", .fields = &bad, .field_count = 1 };
    CHECK(!http_client_request(client, &request, &answer, &error));
    CHECK_NUMBER(error.code, ERROR_INVALID);
    fixture_stop(fixture, 0);
    CHECK(!get(client, "/hello", &answer, &error));
    CHECK_NUMBER(error.code, ERROR_UNAVAILABLE);
}

static void takes_https_urls_only(void)
{
    static const char *const bad[] = { "",           "http://a:1",     "https://", "https://a/b",
                                       "https://a?", "https://u@a:1",  "a:1",      "ftp://a",
                                       "https://a:", "https://a:99999" };
    struct error error;
    for (size_t i = 0; i < ARRAY_COUNT(bad); i++) {
        struct http_client *client = NULL;
        struct http_client_options options = { .url = bad[i] };
        bool made = http_client_new(&client, &options, &error);
        CHECK_NOTE(!made || i == 8, "%s", bad[i]); /* an empty port is the default one */
        http_client_free(client);
    }
    AUTO(http_client) struct http_client *client = NULL;
    struct http_client_options options = { .url = "https://[::1]:8443/" };
    CHECK(http_client_new(&client, &options, &error));
    CHECK_BYTES(http_client_authority(client), BYTES_LITERAL("[::1]:8443"));
}

static const struct test tests[] = {
    TEST(reports_the_key_then_pins_it),
    TEST(sends_methods_fields_and_bodies),
    TEST(maps_what_goes_wrong),
    TEST(takes_https_urls_only),
};

int main(int argc, char **argv)
{
    fixture_init();
    return test_main(tests, ARRAY_COUNT(tests), argc, argv);
}
