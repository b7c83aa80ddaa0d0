/* SPDX-License-Identifier: Apache-2.0 */
#include "slipstream/local_services.h"

#include "base/clock.h"
#include "base/file.h"

#include <errno.h>
#include <poll.h>
#include <unistd.h>

static uint8_t area[CALL_AREA_SIZE];

static int left_ms(uint64_t deadline_ns)
{
    uint64_t now_ns = clock_monotonic_ns(&clock_system);
    if (deadline_ns == 0)
        return -1;
    if (deadline_ns <= now_ns)
        return 0;
    return (int)MIN((deadline_ns - now_ns) / 1000000 + 1, (uint64_t)INT32_MAX);
}

/* Fills all of `target`. */
static enum local_services_end receive(int socket, uint8_t *target, size_t size,
                                       uint64_t deadline_ns)
{
    struct pollfd waiting = { .fd = socket, .events = POLLIN };
    while (size > 0) {
        int ready = poll(&waiting, 1, left_ms(deadline_ns));
        if (ready == 0)
            return LOCAL_SERVICES_TIMEOUT;
        ssize_t got = ready < 0 ? -1 : read(socket, target, size);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            return LOCAL_SERVICES_GONE;
        target += got;
        size -= (size_t)got;
    }
    return LOCAL_SERVICES_ANSWERED;
}

/* One list of one there and back; the answer borrows `area`. */
static enum local_services_end exchange(int socket, const struct call_request *request,
                                        uint64_t deadline_ns, struct call_answer *answer)
{
    struct error ignored;
    uint32_t count;
    struct writer writer = writer_into(area, sizeof(area));
    call_requests_write_begin(&writer);
    call_request_write(&writer, request);
    call_list_write_end(&writer, 1);
    ASSERT(!writer.failed); /* it came in a list that was no smaller */
    if (!file_write_all(socket, writer_view(&writer), &ignored))
        return LOCAL_SERVICES_GONE;
    enum local_services_end end = receive(socket, area, CALL_LIST_HEAD_SIZE, deadline_ns);
    if (end != LOCAL_SERVICES_ANSWERED)
        return end;
    struct reader head = reader_of(bytes_of(area + 4, 4));
    size_t size = read_u32_le(&head);
    if (size < CALL_LIST_HEAD_SIZE || size > sizeof(area))
        return LOCAL_SERVICES_GONE;
    end = receive(socket, area + CALL_LIST_HEAD_SIZE, size - CALL_LIST_HEAD_SIZE, deadline_ns);
    if (end != LOCAL_SERVICES_ANSWERED)
        return end;
    struct bytes list = bytes_of(area, size);
    if (!call_answers_check(list, &count) || count != 1)
        return LOCAL_SERVICES_GONE;
    struct reader reader = call_answers_begin(list);
    return call_answer_next(&reader, answer) ? LOCAL_SERVICES_ANSWERED : LOCAL_SERVICES_GONE;
}

enum local_services_end local_services_ask(int socket, const struct call_request *request,
                                           uint64_t deadline_ns, int64_t *value,
                                           struct buffer *data)
{
    struct call_answer answer;
    enum local_services_end end = exchange(socket, request, deadline_ns, &answer);
    if (end != LOCAL_SERVICES_ANSWERED)
        return end;
    uint64_t total = answer.total_size, got = 0;
    *value = answer.value;
    for (;;) {
        buffer_append(data, answer.data);
        got += answer.data.size;
        if (got >= total)
            return LOCAL_SERVICES_ANSWERED;
        struct call_request rest = { .call = CALL_REST, .numbers = { 0, got }, .number_count = 2 };
        end = exchange(socket, &rest, deadline_ns, &answer);
        if (end != LOCAL_SERVICES_ANSWERED)
            return end;
        if (answer.value < 0 || answer.data.size == 0)
            return LOCAL_SERVICES_GONE;
    }
}

const char *local_services_hint(uint16_t call)
{
    switch (call) {
    case CALL_SECRET_GET:
        return "start it with --secret NAME=@FILE";
    case CALL_KEY_PUBLIC:
    case CALL_KEY_SIGN:
    case CALL_KEY_DERIVE:
    case CALL_HPKE_OPEN:
        return "start it with --development-keys";
    case CALL_HTTP_FETCH:
        return "start it with --http URL";
    default:
        return "it takes a node (`s3n deploy`)";
    }
}
