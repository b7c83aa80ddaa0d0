/* SPDX-License-Identifier: Apache-2.0 */
#include "base/ipc.h"
#include "tests/harness.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
    PAYLOAD_MAX = 1 << 20
};

static void connect_pair(struct ipc *ends[2])
{
    int sockets[2];
    struct error error;
    ASSERT(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sockets) == 0);
    for (unsigned i = 0; i < 2; i++)
        ASSERT(ipc_new(&ends[i], sockets[i], PAYLOAD_MAX, &error));
}

static void messages_and_descriptors_arrive(void)
{
    struct error error = { 0 };
    struct ipc *ends[2];
    connect_pair(ends);
    int pipe_ends[2];
    REQUIRE(pipe2(pipe_ends, O_CLOEXEC) == 0);
    CHECK(ipc_send(ends[0], 7, 1, BYTES_LITERAL("first"), NULL, 0, &error));
    CHECK(ipc_send(ends[0], 8, 2, BYTES_LITERAL("second"), pipe_ends, 2, &error));
    CHECK(ipc_send(ends[0], 9, 3, (struct bytes){ 0 }, NULL, 0, &error));
    struct ipc_message message;
    REQUIRE(ipc_receive(ends[1], &message, 1000, &error));
    CHECK(message.type == 7 && message.id == 1 && message.descriptor_count == 0);
    CHECK_BYTES(message.payload, BYTES_LITERAL("first"));
    REQUIRE(ipc_receive(ends[1], &message, 1000, &error));
    CHECK(message.type == 8 && message.descriptor_count == 2);
    CHECK_BYTES(message.payload, BYTES_LITERAL("second"));
    char byte = 0;
    CHECK(write(message.descriptors[1], "x", 1) == 1);
    CHECK(read(pipe_ends[0], &byte, 1) == 1 && byte == 'x');
    CHECK((fcntl(message.descriptors[0], F_GETFD) & FD_CLOEXEC) != 0);
    ipc_message_done(&message);
    REQUIRE(ipc_receive(ends[1], &message, 1000, &error));
    CHECK(message.type == 9 && message.payload.size == 0);
    CHECK(!ipc_receive(ends[1], &message, 0, &error));
    CHECK(error.code == ERROR_TIMEOUT && !ipc_is_broken(ends[1]));
    close(pipe_ends[0]);
    close(pipe_ends[1]);
    ipc_free(ends[0]);
    CHECK(!ipc_receive(ends[1], &message, -1, &error));
    CHECK(error.code == ERROR_UNAVAILABLE && ipc_is_broken(ends[1]));
    CHECK(!ipc_send(ends[1], 7, 1, (struct bytes){ 0 }, NULL, 0, &error));
    CHECK(error.code == ERROR_UNAVAILABLE);
    ipc_free(ends[1]);
    ipc_free(NULL);
}

/* A frame whose parts come one byte at a time, with a timeout between them. */
static void half_a_frame_is_kept(void)
{
    int sockets[2];
    struct error error = { 0 };
    struct ipc *ipc = NULL;
    REQUIRE(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sockets) == 0);
    REQUIRE(ipc_new(&ipc, sockets[1], PAYLOAD_MAX, &error));
    static const uint8_t frame[] = { 3, 0, 0, 0, 5, 0, 0, 0, 9, 0, 0, 0, 'a', 'b', 'c' };
    struct ipc_message message = { 0 };
    for (size_t i = 0; i < sizeof(frame); i++) {
        CHECK(!ipc_receive(ipc, &message, 0, &error));
        CHECK(error.code == ERROR_TIMEOUT);
        CHECK(write(sockets[0], frame + i, 1) == 1);
    }
    CHECK(ipc_receive(ipc, &message, 0, &error));
    CHECK(message.type == 5 && message.id == 9);
    CHECK_BYTES(message.payload, BYTES_LITERAL("abc"));
    close(sockets[0]);
    ipc_free(ipc);
}

static bool receives_raw(const uint8_t *frame, size_t size, int descriptor, struct error *error)
{
    int sockets[2];
    struct ipc *ipc = NULL;
    ASSERT(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sockets) == 0);
    ASSERT(ipc_new(&ipc, sockets[1], PAYLOAD_MAX, error));
    struct iovec part = { (void *)(uintptr_t)frame, size };
    union {
        struct cmsghdr header;
        char space[CMSG_SPACE(sizeof(int))];
    } control = { 0 };
    struct msghdr raw = { .msg_iov = &part, .msg_iovlen = 1 };
    if (descriptor >= 0) {
        raw.msg_control = &control;
        raw.msg_controllen = sizeof(control);
        control.header = (struct cmsghdr){ .cmsg_level = SOL_SOCKET,
                                           .cmsg_type = SCM_RIGHTS,
                                           .cmsg_len = CMSG_LEN(sizeof(int)) };
        memcpy(CMSG_DATA(&control.header), &descriptor, sizeof(int));
    }
    ASSERT(sendmsg(sockets[0], &raw, 0) == (ssize_t)size);
    close(sockets[0]);
    struct ipc_message message = { 0 };
    bool received = ipc_receive(ipc, &message, 1000, error);
    ipc_message_done(&message);
    ipc_free(ipc);
    return received;
}

static void bad_frames_end_the_connection(void)
{
    static const uint8_t large[] = { 0, 0, 0x10, 1, 5, 0, 0, 0, 9, 0, 0, 0 };
    static const uint8_t without[] = { 0, 0, 0, 0, 5, 0, 1, 0, 9, 0, 0, 0 };
    static const uint8_t unsaid[] = { 0, 0, 0, 0, 5, 0, 0, 0, 9, 0, 0, 0 };
    struct error error = { 0 };
    CHECK(!receives_raw(large, sizeof(large), -1, &error));
    CHECK(error.code == ERROR_INVALID);
    CHECK(!receives_raw(without, sizeof(without), -1, &error));
    CHECK(error.code == ERROR_INVALID);
    CHECK(!receives_raw(unsaid, sizeof(unsaid), STDOUT_FILENO, &error));
    CHECK(error.code == ERROR_INVALID);
    CHECK(receives_raw(unsaid, sizeof(unsaid), -1, &error));
    CHECK(receives_raw(without, sizeof(without), STDOUT_FILENO, &error));
    for (size_t size = 0; size < sizeof(unsaid); size++) {
        CHECK(!receives_raw(unsaid, size, -1, &error));
        CHECK(error.code == ERROR_UNAVAILABLE);
    }
}

static bool serve_reverse(void *context, const struct ipc_message *message, struct buffer *answer,
                          int *descriptors, unsigned *descriptor_count, struct error *error)
{
    unsigned *served = context;
    (*served)++;
    if (message->payload.size == 0)
        return error_set(error, ERROR_NOT_FOUND, "nothing\nto reverse");
    for (size_t i = message->payload.size; i > 0; i--)
        buffer_append(answer, bytes_part(message->payload, i - 1, 1));
    if (message->descriptor_count == 1)
        descriptors[(*descriptor_count)++] = dup(message->descriptors[0]);
    return true;
}

static const struct ipc_request requests[] = {
    { .type = 1, .name = "reverse", .payload_max = PAYLOAD_MAX, .serve = serve_reverse },
    { .type = 2, .name = "pass", .payload_max = 10, .descriptor_count = 1, .serve = serve_reverse },
};

/* The server in a child of its own; its exit code is the number of requests served. */
static struct ipc *start_server(pid_t *child)
{
    struct ipc *ends[2];
    connect_pair(ends);
    *child = fork();
    ASSERT(*child >= 0);
    if (*child == 0) {
        struct error error = { 0 };
        unsigned served = 0;
        ipc_free(ends[0]);
        while (ipc_serve_one(ends[1], requests, ARRAY_COUNT(requests), &served, -1, &error))
            continue;
        _exit(error.code == ERROR_UNAVAILABLE ? (int)served : 100);
    }
    ipc_free(ends[1]);
    return ends[0];
}

static int end_server(struct ipc *client, pid_t child)
{
    int status = 0;
    ipc_free(client);
    waitpid(child, &status, 0);
    return WEXITSTATUS(status);
}

static void calls_are_answered(void)
{
    pid_t child;
    struct error error = { 0 };
    struct ipc *client = start_server(&child);
    struct ipc_message answer = { 0 };
    CHECK(ipc_call(client, 1, BYTES_LITERAL("abc"), NULL, 0, &answer, 5000, &error));
    CHECK_BYTES(answer.payload, BYTES_LITERAL("cba"));
    CHECK(!ipc_call(client, 1, (struct bytes){ 0 }, NULL, 0, &answer, 5000, &error));
    CHECK(error.code == ERROR_NOT_FOUND);
    CHECK_STRING(error.text, "nothing?to reverse");
    CHECK(!ipc_is_broken(client));
    int null = open("/dev/null", O_RDWR | O_CLOEXEC);
    CHECK(ipc_call(client, 2, BYTES_LITERAL("x"), &null, 1, &answer, 5000, &error));
    CHECK_NUMBER(answer.descriptor_count, 1);
    ipc_message_done(&answer);
    close(null);
    static uint8_t large[PAYLOAD_MAX];
    memset(large, 'y', sizeof(large));
    large[0] = 'z';
    CHECK(ipc_call(client, 1, BYTES_OF(large), NULL, 0, &answer, 5000, &error));
    CHECK(answer.payload.size == sizeof(large) && answer.payload.data[sizeof(large) - 1] == 'z');
    CHECK_NUMBER(end_server(client, child), 4);
}

static void unlisted_requests_end_the_connection(void)
{
    static const struct {
        uint16_t type;
        size_t size;
    } rows[] = { { 3, 0 }, { 2, 1 }, { 2, 11 } };
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        pid_t child;
        struct error error = { 0 };
        struct ipc *client = start_server(&child);
        struct ipc_message answer;
        static uint8_t payload[16];
        CHECK(!ipc_call(client, rows[i].type, bytes_of(payload, rows[i].size), NULL, 0, &answer,
                        5000, &error));
        CHECK(error.code == ERROR_UNAVAILABLE);
        CHECK_NUMBER(end_server(client, child), 100);
    }
}

static void late_answers_are_dropped(void)
{
    struct error error = { 0 };
    struct ipc *ends[2];
    connect_pair(ends);
    struct ipc_message answer;
    CHECK(!ipc_call(ends[0], 1, (struct bytes){ 0 }, NULL, 0, &answer, 1, &error));
    CHECK(error.code == ERROR_TIMEOUT);
    CHECK(ipc_send(ends[1], IPC_ANSWER_OK, 1, BYTES_LITERAL("late"), NULL, 0, &error));
    CHECK(ipc_send(ends[1], IPC_ANSWER_OK, 2, BYTES_LITERAL("right"), NULL, 0, &error));
    CHECK(ipc_call(ends[0], 1, (struct bytes){ 0 }, NULL, 0, &answer, 1000, &error));
    CHECK_BYTES(answer.payload, BYTES_LITERAL("right"));
    CHECK(ipc_send(ends[1], 5, 3, (struct bytes){ 0 }, NULL, 0, &error));
    CHECK(!ipc_call(ends[0], 1, (struct bytes){ 0 }, NULL, 0, &answer, 1000, &error));
    CHECK(error.code == ERROR_INVALID && ipc_is_broken(ends[0]));
    ipc_free(ends[0]);
    ipc_free(ends[1]);
}

static const struct test tests[] = {
    TEST(messages_and_descriptors_arrive),      TEST(half_a_frame_is_kept),
    TEST(bad_frames_end_the_connection),        TEST(calls_are_answered),
    TEST(unlisted_requests_end_the_connection), TEST(late_answers_are_dropped),
};
TEST_MAIN(tests)
