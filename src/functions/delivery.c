/* SPDX-License-Identifier: Apache-2.0 */
#include "functions/delivery.h"

#include "base/secret.h"
#include "core/checked.h"

#include <stdlib.h>
#include <string.h>

/* One held back, with copies of all that the result borrows behind it. */
struct delivery {
    struct delivery *next;
    struct invoker *invoker;
    struct invocation *invocation;
    struct invocation_result result;
    struct envelope_answer answer;
    uv_timer_t timer;
    uint8_t held[];
};

static void delivery_closed(uv_handle_t *handle)
{
    struct delivery *delivery = handle->data;
    secret_wipe((uint8_t *)(uintptr_t)delivery->result.errors.data, delivery->result.errors.size);
    free(delivery);
}

static void delivery_unlink(struct delivery *delivery)
{
    for (struct delivery **at = &delivery->invoker->deliveries; *at != NULL; at = &(*at)->next) {
        if (*at == delivery) {
            *at = delivery->next;
            return;
        }
    }
}

static void delivery_end(struct delivery *delivery)
{
    delivery_unlink(delivery);
    invocation_free(delivery->invocation);
    uv_close((uv_handle_t *)&delivery->timer, delivery_closed);
}

static void delivery_due(uv_timer_t *timer)
{
    struct delivery *delivery = timer->data;
    struct invocation *invocation = delivery->invocation;
    invocation->done(invocation->context, &delivery->result, NULL);
    delivery_end(delivery);
}

static struct bytes hold(uint8_t **at, struct bytes bytes)
{
    struct bytes held = bytes_of(*at, bytes.size);
    if (bytes.size > 0)
        memcpy(*at, bytes.data, bytes.size);
    *at += bytes.size;
    return held;
}

static const char *hold_string(uint8_t **at, const char *text)
{
    return (const char *)hold(at, bytes_of(text, strlen(text) + 1)).data;
}

static size_t headers_size(const struct envelope_answer *answer)
{
    size_t size = 0;
    for (size_t i = 0; answer != NULL && i < answer->header_count; i++)
        size += answer->headers[i].name.size + answer->headers[i].value.size;
    return size;
}

static void hold_answer(struct delivery *delivery, uint8_t **at)
{
    const struct envelope_answer *given = delivery->result.answer;
    if (given == NULL)
        return;
    struct envelope_answer *held = &delivery->answer;
    held->status = given->status;
    held->header_count = given->header_count;
    held->body = delivery->result.output;
    for (size_t i = 0; i < given->header_count; i++)
        held->headers[i] = (struct envelope_pair){ hold(at, given->headers[i].name),
                                                   hold(at, given->headers[i].value) };
    delivery->result.answer = held;
}

static struct delivery *delivery_new(struct invoker *invoker, struct invocation *invocation,
                                     const struct invocation_result *result)
{
    const char *receipt = result->receipt != NULL ? result->receipt : "";
    size_t size = result->output.size + result->errors.size + strlen(result->message) + 1 +
                  strlen(receipt) + 1 + headers_size(result->answer);
    struct delivery *made = malloc(sizeof(*made) + size);
    if (made == NULL)
        return NULL;
    *made = (struct delivery){ .invoker = invoker, .invocation = invocation, .result = *result };
    uint8_t *at = made->held;
    made->result.output = hold(&at, result->output);
    made->result.errors = hold(&at, result->errors);
    hold_answer(made, &at);
    made->result.message = hold_string(&at, result->message);
    made->result.receipt = hold_string(&at, receipt);
    if (result->receipt == NULL)
        made->result.receipt = NULL;
    if (uv_timer_init(invoker->options.loop, &made->timer) != 0) {
        free(made);
        return NULL;
    }
    made->timer.data = made;
    made->next = invoker->deliveries;
    invoker->deliveries = made;
    return made;
}

void delivery_send(struct invoker *invoker, struct invocation *invocation,
                   const struct invocation_result *result, uint64_t pad_time_ns)
{
    if (pad_time_ns == 0) {
        invocation->done(invocation->context, result, NULL);
        invocation_free(invocation);
        return;
    }
    uint64_t passed_ns = clock_monotonic_ns(invoker->options.clock) - invocation->arrived_ns;
    uint64_t left_ms = (round_up_to(passed_ns, pad_time_ns) - passed_ns + 999999) / 1000000;
    struct delivery *delivery = delivery_new(invoker, invocation, result);
    uv_update_time(invoker->options.loop);
    if (delivery != NULL && uv_timer_start(&delivery->timer, delivery_due, left_ms, 0) == 0)
        return;
    if (delivery != NULL) {
        delivery->invocation = NULL;
        delivery_end(delivery);
    }
    struct error error;
    error_set(&error, ERROR_NO_MEMORY, "no memory to hold an answer back");
    invocation_fail(invocation, &error);
}

void deliveries_drop(struct invoker *invoker)
{
    while (invoker->deliveries != NULL)
        delivery_end(invoker->deliveries);
}
