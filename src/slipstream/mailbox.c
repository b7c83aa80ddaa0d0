/* SPDX-License-Identifier: Apache-2.0 */
#include "slipstream/engine.h"

#include "core/checked.h"
#include "slipstream/limits.h"

#include <string.h>

enum {
    PRINTED_SHOWN_MAX = 80,
    INPUT_ALIGNMENT = 8 /* of an envelope that is read where it lies, and of records */
};

/* Lays areas out one after the other. */
struct mailbox_builder {
    uint8_t *base;
    size_t size;
    size_t at;
    bool failed;
};

static void builder_put(struct mailbox_builder *builder, const void *data, size_t size)
{
    builder->failed = builder->failed || size > builder->size - builder->at;
    if (builder->failed)
        return;
    if (size > 0)
        memcpy(builder->base + builder->at, data, size);
    builder->at += size;
}

static struct mailbox_area builder_strings(struct mailbox_builder *builder,
                                           const char *const *strings)
{
    struct mailbox_area area = { .offset = (uint32_t)builder->at };
    for (; strings != NULL && *strings != NULL && !builder->failed; strings++) {
        builder->failed = ++area.count > MAILBOX_STRINGS_MAX;
        builder_put(builder, *strings, strlen(*strings) + 1);
    }
    area.size = area.capacity = (uint32_t)builder->at - area.offset;
    return area;
}

static struct mailbox_area builder_area(struct mailbox_builder *builder, size_t capacity)
{
    builder->failed = builder->failed || capacity > builder->size - builder->at;
    struct mailbox_area area = { .offset = (uint32_t)builder->at };
    if (!builder->failed) {
        area.capacity = (uint32_t)capacity;
        builder->at += capacity;
    }
    return area;
}

bool mailbox_prepare(void *memory, size_t size, const struct mailbox_request *request,
                     struct error *error)
{
    struct mailbox_builder builder = { .base = memory, .size = size, .at = sizeof(struct mailbox) };
    struct mailbox made = { .magic = MAILBOX_MAGIC, .size = (uint32_t)size };
    ASSERT(size > sizeof(made) && size <= LAYOUT_MAILBOX_SIZE_MAX);
    made.arguments = builder_strings(&builder, request->arguments);
    made.environment = builder_strings(&builder, request->environment);
    builder.at = MIN(round_up(builder.at, INPUT_ALIGNMENT), size);
    made.input.offset = (uint32_t)builder.at;
    builder_put(&builder, request->input.data, request->input.size);
    made.input.size = made.input.capacity = (uint32_t)request->input.size;
    if (request->input_capacity > request->input.size)
        made.input.capacity +=
            builder_area(&builder, request->input_capacity - request->input.size).capacity;
    if (request->foretold.size > 0)
        builder.at = MIN(round_up(builder.at, INPUT_ALIGNMENT), size);
    made.foretold.offset = (uint32_t)builder.at;
    builder_put(&builder, request->foretold.data, request->foretold.size);
    made.foretold.size = made.foretold.capacity = (uint32_t)request->foretold.size;
    /* Output comes next, so that what is short stays within a page; what is seldom used is last. */
    uint64_t last =
        (uint64_t)request->errors_capacity + request->made_capacity + request->calls_capacity;
    builder.failed = builder.failed || last > size - builder.at;
    if (!builder.failed) {
        made.output = builder_area(&builder, size - builder.at - last);
        made.errors = builder_area(&builder, request->errors_capacity);
        made.made = builder_area(&builder, request->made_capacity);
        made.calls = builder_area(&builder, request->calls_capacity);
    }
    if (builder.failed)
        return error_set(error, ERROR_LIMIT, "arguments and input do not fit %zu bytes", size);
    /* Results are the guest's to write. */
    memcpy(memory, &made, MAILBOX_HEAD_SIZE);
    return true;
}

bool mailbox_area_view(const void *mailbox, size_t size, const struct mailbox_area *area,
                       struct bytes *view)
{
    const volatile struct mailbox_area *shared = area;
    uint32_t offset = shared->offset, used = shared->size;
    if (offset < sizeof(struct mailbox) || offset > size || used > size - offset)
        return false;
    *view = bytes_of((const uint8_t *)mailbox + offset, used);
    return true;
}

bool mailbox_check_quiet(const void *memory, size_t size, struct error *error)
{
    const struct mailbox *mailbox = memory;
    const struct mailbox_area *areas[] = { &mailbox->output, &mailbox->errors };
    for (size_t i = 0; i < ARRAY_COUNT(areas); i++) {
        struct bytes view;
        if (!mailbox_area_view(memory, size, areas[i], &view))
            return error_set(error, ERROR_INVALID, "it wrote over its mailbox");
        if (view.size > 0)
            return error_set(error, ERROR_INVALID, "it printed \"%s\"",
                             error_quote(bytes_part(view, 0, PRINTED_SHOWN_MAX)).text);
    }
    return true;
}
