/* SPDX-License-Identifier: Apache-2.0 */
#include "services/test_keeper.h"

#include "tests/harness.h"

#include <poll.h>
#include <pthread.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

struct keeper_service test_keeper;
struct keeper *test_keeper_client;
struct keeper_desk *test_desk;
static int event_register = -1, service_socket = -1;
static pthread_t thread;

static void *serve(void *context UNUSED)
{
    struct error error;
    (void)!keeper_serve(&test_keeper, service_socket, &error);
    return NULL;
}

bool test_keeper_start(void)
{
    struct error error = { 0 };
    int ends[2];
    test_keeper = (struct keeper_service){ .clock = &clock_system, .root = { { 9 } } };
    test_keeper.platform = (struct platform){ .name = "sim" };
    memcpy(test_keeper.platform.node, "00112233445566778899aabbccddeeff", KEYS_NODE_SIZE);
    event_register = memfd_create("register", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    struct event_book_options events = { .target = event_register_of(&test_keeper.platform,
                                                                     &event_register),
                                         .clock = &clock_system,
                                         .file = -1,
                                         .node = test_keeper.platform.node,
                                         .platform = "sim" };
    if (!event_book_open(&test_keeper.events, &events, &error) ||
        socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0)
        return false;
    service_socket = ends[0];
    return pthread_create(&thread, NULL, serve, NULL) == 0 &&
           keeper_connect(&test_keeper_client, ends[1], &error) &&
           keeper_desk_new(&test_desk, test_keeper_client, &error);
}

void test_keeper_end(void)
{
    keeper_desk_free(TAKE(test_desk));
    keeper_close(TAKE(test_keeper_client));
    pthread_join(thread, NULL);
    event_book_done(&test_keeper.events);
    close(event_register);
}

struct test_answer test_answer;

static void on_listed(void *context UNUSED, struct bytes answers)
{
    struct call_answer answer = { 0 };
    struct reader reader = call_answers_begin(answers);
    CHECK(call_answer_next(&reader, &answer));
    test_answer.count++;
    test_answer.value = answer.value;
    test_answer.size = MIN(answer.data.size, sizeof(test_answer.data) - 1);
    if (test_answer.size > 0)
        memcpy(test_answer.data, answer.data.data, test_answer.size);
    test_answer.data[test_answer.size] = '\0';
    test_answer.text = (const char *)test_answer.data;
}

void test_ask(struct service_scope *scope, const struct call_request *request)
{
    static uint8_t list[CALL_AREA_SIZE];
    struct writer writer = writer_into(list, sizeof(list));
    call_requests_write_begin(&writer);
    call_request_write(&writer, request);
    call_list_write_end(&writer, 1);
    test_answer.count = 0;
    REQUIRE(!writer.failed && services_run(scope, writer_view(&writer), on_listed, NULL));
}

void test_desk_wait(void)
{
    struct pollfd readable = { keeper_desk_descriptor(test_desk), POLLIN, 0 };
    REQUIRE(poll(&readable, 1, TEST_PATIENCE_MS) == 1);
    keeper_desk_take(test_desk);
}

int64_t test_call(struct service_scope *scope, const struct call_request *request)
{
    test_ask(scope, request);
    while (test_answer.count == 0)
        test_desk_wait();
    CHECK_NUMBER(test_answer.count, 1);
    return test_answer.value;
}
