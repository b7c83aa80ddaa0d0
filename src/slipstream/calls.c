/* SPDX-License-Identifier: Apache-2.0 */
#include "slipstream/calls.h"

#include "slipstream/channel.h"
#include "slipstream/shell.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* --- a lane's --- */

static enum desk_end lane_ask(struct call_desk *desk, uint32_t size, const struct desk_wait *wait,
                              uint32_t *answered)
{
    const uint64_t one = 1;
    const struct channel *channel = desk->channel;
    uint32_t number = channel_call_post(channel, desk->lane, desk->sequence, size);
    if (__atomic_load_n(&channel_header(channel)->polls, __ATOMIC_SEQ_CST) == 0 &&
        write(desk->event, &one, sizeof(one)) < 0)
        return DESK_REFUSED; /* the server is gone, and so is this process in a moment */
    if (!channel_call_wait(channel, desk->lane, number, wait))
        return DESK_TIMEOUT;
    return channel_call_answer(channel, desk->lane, answered) ? DESK_ANSWERED : DESK_REFUSED;
}

struct call_desk desk_of_lane(const struct channel *channel, uint32_t lane, int event)
{
    return (struct call_desk){ .requests = channel_call_requests(channel, lane),
                               .answers = channel_call_answers(channel, lane),
                               .ask = lane_ask,
                               .channel = channel,
                               .lane = lane,
                               .event = event };
}

/* --- nobody's --- */

static enum desk_end nobody_ask(struct call_desk *desk, uint32_t size,
                                const struct desk_wait *wait UNUSED, uint32_t *answered)
{
    struct bytes list = bytes_of(desk->requests, size);
    struct writer writer = writer_into(desk->answers, CALL_AREA_SIZE);
    struct call_request request;
    uint32_t count, made = 0;
    if (!call_requests_check(list, &count))
        return DESK_REFUSED;
    struct reader reader = call_requests_begin(list);
    call_answers_write_begin(&writer);
    for (; made < count && call_request_next(&reader, &request); made++) {
        char text[128];
        const struct call_row *row = call_row_find(request.call);
        int text_size =
            snprintf(text, sizeof(text), "%s is not available %s",
                     row != NULL ? row->name : "this call", (const char *)desk->context);
        struct bytes said = bytes_of(text, (size_t)text_size);
        call_answer_write(&writer, row != NULL ? CALL_ERROR_UNAVAILABLE : CALL_ERROR_UNSUPPORTED,
                          said, said.size);
    }
    call_list_write_end(&writer, made);
    ASSERT(!writer.failed);
    *answered = (uint32_t)writer.size;
    return DESK_ANSWERED;
}

struct call_desk desk_of_nobody(uint8_t *requests, uint8_t *answers, const char *where)
{
    return (struct call_desk){ .requests = requests,
                               .answers = answers,
                               .ask = nobody_ask,
                               .context = (void *)(uintptr_t)where };
}

/* --- the exit --- */

void shell_use_desk(struct shell *shell, struct call_desk *desk)
{
    shell->desk = desk;
}

/* The call area that the guest means, in the host's memory; NULL when it can't lie there. */
static uint8_t *area_at(const struct shell *shell, uint64_t address)
{
    uint64_t offset = address - LAYOUT_MAILBOX;
    bool is_inside = address >= LAYOUT_MAILBOX && shell->window_size >= CALL_AREA_SIZE &&
                     offset <= shell->window_size - CALL_AREA_SIZE &&
                     offset >= sizeof(struct mailbox);
    return is_inside ? shell->window + offset : NULL;
}

static bool is_within_limit(struct run *run, uint32_t count)
{
    uint32_t allowed = run->shell->settings.host_call_count_max;
    run->host_call_count += count;
    if (allowed == 0 || run->host_call_count <= allowed)
        return true;
    run->outcome->kind = OUTCOME_LIMIT;
    run->outcome->exit_code = LIMIT_HOST_CALLS;
    return false;
}

/* Not by memcpy: that takes vector registers, and what stays in them is written to the stack with
 * the next signal. */
static void copy_past_registers(void *target, const void *source, size_t size)
{
    __asm__ volatile("rep movsb" : "+D"(target), "+S"(source), "+c"(size) : : "memory");
}

bool serve_call(struct run *run, const struct event *event, uint64_t *answer)
{
    struct call_desk *desk = run->shell->desk;
    uint8_t *area = area_at(run->shell, event->arguments[0]);
    uint64_t size = event->arguments[1];
    uint32_t count = 0, answered = 0;
    const struct desk_wait wait = { run->deadline_ns, run->is_long, run->is_long_context };
    *answer = 0;
    if (desk == NULL || area == NULL || size > CALL_AREA_SIZE)
        return is_within_limit(run, 1);
    copy_past_registers(desk->requests, area, size); /* what the guest can write is read once */
    if (!call_requests_check(bytes_of(desk->requests, size), &count))
        return is_within_limit(run, 1);
    if (!is_within_limit(run, count))
        return false;
    enum desk_end end = desk->ask(desk, (uint32_t)size, &wait, &answered);
    if (end == DESK_ANSWERED && answered <= CALL_AREA_SIZE) {
        copy_past_registers(area, desk->answers, answered);
        *answer = answered;
    }
    /* May be secrets: they don't stay longer than the invocation does. */
    explicit_bzero(desk->requests, size);
    explicit_bzero(desk->answers, MIN(answered, CALL_AREA_SIZE));
    if (end != DESK_TIMEOUT)
        return true;
    run->outcome->kind = OUTCOME_TIMEOUT;
    return false;
}
