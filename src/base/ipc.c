/* SPDX-License-Identifier: Apache-2.0 */
#include "base/ipc.h"

#include "base/clock.h"
#include "base/file.h"
#include "base/limits.h"
#include "base/secret.h"
#include "core/reader.h"
#include "core/writer.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    HEADER_SIZE = 12
};

struct ipc {
    int socket;
    bool broken;
    uint32_t last_id;
    /* The frame being received. */
    uint8_t header[HEADER_SIZE];
    size_t header_got;
    size_t payload_got;
    struct ipc_message message; /* holds descriptors from the first byte on */
    struct buffer payload;
};

union control {
    struct cmsghdr header; /* for alignment */
    char space[CMSG_SPACE(sizeof(int) * IPC_DESCRIPTORS_MAX)];
};

bool ipc_new(struct ipc **ipc, int socket, size_t payload_max, struct error *error)
{
    ASSERT(payload_max <= IPC_PAYLOAD_MAX);
    struct ipc *made = calloc(1, sizeof(*made));
    if (made == NULL)
        return error_set(error, ERROR_NO_MEMORY, "no memory for a connection");
    made->socket = socket;
    buffer_init(&made->payload, payload_max);
    *ipc = made;
    return true;
}

void ipc_message_done(struct ipc_message *message)
{
    for (unsigned i = 0; i < message->descriptor_count; i++)
        file_close(&message->descriptors[i]);
    message->descriptor_count = 0;
}

void ipc_free(struct ipc *ipc)
{
    if (ipc == NULL)
        return;
    ipc_message_done(&ipc->message);
    file_close(&ipc->socket);
    buffer_done(&ipc->payload);
    free(ipc);
}

int ipc_descriptor(const struct ipc *ipc)
{
    return ipc->socket;
}

bool ipc_is_broken(const struct ipc *ipc)
{
    return ipc->broken;
}

static bool break_connection(struct ipc *ipc)
{
    ipc->broken = true;
    ipc_message_done(&ipc->message);
    return false;
}

static bool peer_gone(struct ipc *ipc, struct error *error)
{
    error_set(error, ERROR_UNAVAILABLE, "the other process closed the connection");
    return break_connection(ipc);
}

static bool socket_failed(struct ipc *ipc, const char *what, struct error *error)
{
    if (errno == EPIPE || errno == ECONNRESET)
        return peer_gone(ipc, error);
    error_system(error, "%s", what);
    return break_connection(ipc);
}

/* Milliseconds left until the deadline, -1 when there is none. */
static int time_left_ms(uint64_t deadline_ns)
{
    if (deadline_ns == UINT64_MAX)
        return -1;
    uint64_t now_ns = clock_monotonic_ns(&clock_system);
    return now_ns >= deadline_ns ? 0 : (int)((deadline_ns - now_ns + 999999) / 1000000);
}

static uint64_t deadline_of(int timeout_ms)
{
    if (timeout_ms < 0)
        return UINT64_MAX;
    return clock_monotonic_ns(&clock_system) + (uint64_t)timeout_ms * 1000000u;
}

static void attach_descriptors(struct msghdr *message, union control *control,
                               const int *descriptors, unsigned count)
{
    memset(control, 0, sizeof(*control));
    message->msg_control = control->space;
    message->msg_controllen = CMSG_SPACE(sizeof(int) * count);
    struct cmsghdr *first = CMSG_FIRSTHDR(message);
    first->cmsg_level = SOL_SOCKET;
    first->cmsg_type = SCM_RIGHTS;
    first->cmsg_len = CMSG_LEN(sizeof(int) * count);
    memcpy(CMSG_DATA(first), descriptors, sizeof(int) * count);
}

static void skip_sent(struct iovec *parts, size_t size)
{
    for (unsigned i = 0; i < 2; i++) {
        size_t taken = MIN(size, parts[i].iov_len);
        if (taken == 0) /* an empty payload may have no address */
            continue;
        parts[i].iov_base = (uint8_t *)parts[i].iov_base + taken;
        parts[i].iov_len -= taken;
        size -= taken;
    }
}

bool ipc_send(struct ipc *ipc, uint16_t type, uint32_t id, struct bytes payload,
              const int *descriptors, unsigned descriptor_count, struct error *error)
{
    ASSERT(descriptor_count <= IPC_DESCRIPTORS_MAX);
    if (ipc->broken)
        return peer_gone(ipc, error);
    if (payload.size > IPC_PAYLOAD_MAX)
        return error_set(error, ERROR_LIMIT, "message of %zu bytes, at most %d", payload.size,
                         IPC_PAYLOAD_MAX);
    uint8_t header[HEADER_SIZE];
    struct writer writer = writer_into(header, sizeof(header));
    write_u32_le(&writer, (uint32_t)payload.size);
    write_u16_le(&writer, type);
    write_u16_le(&writer, (uint16_t)descriptor_count);
    write_u32_le(&writer, id);
    struct iovec parts[2] = { { header, sizeof(header) },
                              { (void *)(uintptr_t)payload.data, payload.size } };
    struct msghdr message = { .msg_iov = parts, .msg_iovlen = 2 };
    union control control;
    if (descriptor_count > 0)
        attach_descriptors(&message, &control, descriptors, descriptor_count);
    while (parts[0].iov_len + parts[1].iov_len > 0) {
        ssize_t sent = sendmsg(ipc->socket, &message, MSG_NOSIGNAL);
        if (sent > 0) {
            skip_sent(parts, (size_t)sent);
            message.msg_control = NULL; /* they went with the first byte */
            message.msg_controllen = 0;
        } else if (errno == EAGAIN) {
            struct pollfd wait = { .fd = ipc->socket, .events = POLLOUT };
            poll(&wait, 1, -1);
        } else if (errno != EINTR) {
            return socket_failed(ipc, "send message", error);
        }
    }
    return true;
}

bool ipc_send_error(struct ipc *ipc, uint32_t id, const struct error *failure, struct error *error)
{
    uint8_t payload[4 + sizeof(failure->text)];
    struct writer writer = writer_into(payload, sizeof(payload));
    write_u32_le(&writer, (uint32_t)failure->code);
    write_bytes(&writer, bytes_of_string(failure->text));
    return ipc_send(ipc, IPC_ANSWER_ERROR, id, writer_view(&writer), NULL, 0, error);
}

/* Collects what came along; false when there were more descriptors than a frame may carry. */
static bool take_descriptors(struct ipc_message *target, struct msghdr *message)
{
    for (struct cmsghdr *at = CMSG_FIRSTHDR(message); at != NULL; at = CMSG_NXTHDR(message, at)) {
        if (at->cmsg_level != SOL_SOCKET || at->cmsg_type != SCM_RIGHTS)
            continue;
        size_t count = (at->cmsg_len - CMSG_LEN(0)) / sizeof(int);
        for (size_t i = 0; i < count; i++) {
            int descriptor;
            memcpy(&descriptor, CMSG_DATA(at) + i * sizeof(int), sizeof(int));
            if (target->descriptor_count < IPC_DESCRIPTORS_MAX)
                target->descriptors[target->descriptor_count++] = descriptor;
            else
                close(descriptor);
        }
    }
    return (message->msg_flags & MSG_CTRUNC) == 0;
}

/* Reads until `target` is full. */
static bool receive_part(struct ipc *ipc, uint8_t *target, size_t size, size_t *got,
                         uint64_t deadline_ns, struct error *error)
{
    while (*got < size) {
        struct iovec part = { target + *got, size - *got };
        union control control;
        struct msghdr message = { .msg_iov = &part,
                                  .msg_iovlen = 1,
                                  .msg_control = control.space,
                                  .msg_controllen = sizeof(control.space) };
        ssize_t received = recvmsg(ipc->socket, &message, MSG_CMSG_CLOEXEC | MSG_DONTWAIT);
        if (received > 0) {
            bool is_first = target == ipc->header && *got == 0;
            *got += (size_t)received;
            if (take_descriptors(&ipc->message, &message) &&
                (is_first || message.msg_controllen == 0))
                continue;
            error_set(error, ERROR_INVALID, "descriptors in the wrong place");
            return break_connection(ipc);
        }
        if (received == 0)
            return peer_gone(ipc, error);
        if (errno != EAGAIN && errno != EINTR)
            return socket_failed(ipc, "receive message", error);
        if (errno == EINTR)
            continue;
        struct pollfd wait = { .fd = ipc->socket, .events = POLLIN };
        int left_ms = time_left_ms(deadline_ns);
        if (left_ms == 0 || poll(&wait, 1, left_ms) == 0)
            return error_set(error, ERROR_TIMEOUT, "no message in time");
    }
    return true;
}

static const struct ipc_request *find_request(const struct ipc_request *table, size_t count,
                                              uint16_t type)
{
    for (size_t i = 0; i < count; i++) {
        if (table[i].type == type)
            return &table[i];
    }
    return NULL;
}

/* Checks the header before the payload is read.  `table` NULL: any type will do. */
static bool check_header(struct ipc *ipc, size_t size, unsigned descriptor_count,
                         const struct ipc_request *table, size_t count, struct error *error)
{
    size_t size_max = ipc->payload.size_max;
    if (table != NULL) {
        const struct ipc_request *row = find_request(table, count, ipc->message.type);
        if (row == NULL)
            return error_set(error, ERROR_INVALID, "request %u is not in the table",
                             ipc->message.type);
        if (descriptor_count != row->descriptor_count)
            return error_set(error, ERROR_INVALID, "request %s came with %u descriptors, not %u",
                             row->name, descriptor_count, row->descriptor_count);
        size_max = MIN(size_max, row->payload_max);
    }
    if (size > size_max)
        return error_set(error, ERROR_INVALID, "message %u has %zu bytes, at most %zu",
                         ipc->message.type, size, size_max);
    if (descriptor_count != ipc->message.descriptor_count)
        return error_set(error, ERROR_INVALID, "message %u says %u descriptors, came with %u",
                         ipc->message.type, descriptor_count, ipc->message.descriptor_count);
    return true;
}

static bool receive(struct ipc *ipc, struct ipc_message *message, uint64_t deadline_ns,
                    const struct ipc_request *table, size_t count, struct error *error)
{
    if (ipc->broken)
        return peer_gone(ipc, error);
    if (!receive_part(ipc, ipc->header, HEADER_SIZE, &ipc->header_got, deadline_ns, error))
        return false;
    struct reader reader = reader_of(BYTES_OF(ipc->header));
    size_t size = read_u32_le(&reader);
    ipc->message.type = read_u16_le(&reader);
    unsigned descriptor_count = read_u16_le(&reader);
    ipc->message.id = read_u32_le(&reader);
    if (!check_header(ipc, size, descriptor_count, table, count, error))
        return break_connection(ipc);
    buffer_clear(&ipc->payload);
    uint8_t *target = buffer_reserve(&ipc->payload, size);
    if (target == NULL)
        return error_set(error, ERROR_NO_MEMORY, "no memory for a message of %zu bytes", size);
    if (!receive_part(ipc, target, size, &ipc->payload_got, deadline_ns, error))
        return false;
    ipc->payload.size = size;
    ipc->message.payload = buffer_view(&ipc->payload);
    *message = ipc->message;
    ipc->message = (struct ipc_message){ 0 };
    ipc->header_got = ipc->payload_got = 0;
    return true;
}

bool ipc_receive(struct ipc *ipc, struct ipc_message *message, int timeout_ms, struct error *error)
{
    return receive(ipc, message, deadline_of(timeout_ms), NULL, 0, error);
}

/* The peer's error; its text is outside text. */
static bool fail_as_told(struct bytes payload, struct error *error)
{
    struct reader reader = reader_of(payload);
    uint32_t code = read_u32_le(&reader);
    struct bytes text = read_rest(&reader);
    if (code == ERROR_NONE || code > ERROR_INTERNAL)
        code = ERROR_INTERNAL;
    char shown[sizeof(error->text)];
    size_t size = MIN(text.size, sizeof(shown) - 1);
    for (size_t i = 0; i < size; i++)
        shown[i] = text.data[i] < 0x20 || text.data[i] >= 0x7f ? '?' : (char)text.data[i];
    shown[size] = '\0';
    return error_set(error, (enum error_code)code, "%s", shown);
}

bool ipc_answer_error(const struct ipc_message *answer, struct error *error)
{
    ASSERT(answer->type == IPC_ANSWER_ERROR);
    return fail_as_told(answer->payload, error);
}

bool ipc_call(struct ipc *ipc, uint16_t type, struct bytes payload, const int *descriptors,
              unsigned descriptor_count, struct ipc_message *answer, int timeout_ms,
              struct error *error)
{
    uint32_t id = ++ipc->last_id;
    uint64_t deadline_ns = deadline_of(timeout_ms);
    if (!ipc_send(ipc, type, id, payload, descriptors, descriptor_count, error))
        return false;
    struct ipc_message got;
    for (;;) {
        if (!receive(ipc, &got, deadline_ns, NULL, 0, error))
            return false;
        bool is_answer = got.type == IPC_ANSWER_OK || got.type == IPC_ANSWER_ERROR;
        if (is_answer && got.id == id)
            break;
        ipc_message_done(&got);
        if (!is_answer) {
            error_set(error, ERROR_INVALID, "message %u came instead of an answer", got.type);
            return break_connection(ipc);
        }
        /* An answer to a call that had timed out: nobody waits for it. */
    }
    if (got.type == IPC_ANSWER_ERROR) {
        ipc_message_done(&got);
        return fail_as_told(got.payload, error);
    }
    *answer = got;
    return true;
}

bool ipc_serve_one(struct ipc *ipc, const struct ipc_request *table, size_t count, void *context,
                   int timeout_ms, struct error *error)
{
    struct ipc_message message;
    if (!receive(ipc, &message, deadline_of(timeout_ms), table, count, error))
        return false;
    const struct ipc_request *row = find_request(table, count, message.type);
    ASSERT(row != NULL);
    AUTO_BUFFER struct buffer answer;
    buffer_init(&answer, IPC_ANSWER_SIZE_MAX);
    struct ipc_message out = { 0 }; /* only for its descriptors */
    struct error failure = { 0 };
    bool served =
        row->serve(context, &message, &answer, out.descriptors, &out.descriptor_count, &failure);
    if (served && answer.failed)
        served = error_set(&failure, ERROR_LIMIT, "the answer to %s is too long", row->name);
    bool sent = served ? ipc_send(ipc, IPC_ANSWER_OK, message.id, buffer_view(&answer),
                                  out.descriptors, out.descriptor_count, error)
                       : ipc_send_error(ipc, message.id, &failure, error);
    secret_wipe(answer.data, answer.capacity); /* it may be one */
    ipc_message_done(&message);
    ipc_message_done(&out);
    return sent;
}
