/* SPDX-License-Identifier: Apache-2.0 */
#include "keys/event_copy.h"

#include "core/hex.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void event_copy_init(struct event_copy *copy)
{
    *copy = (struct event_copy){ 0 };
    buffer_init(&copy->log, EVENTS_SIZE_MAX);
    buffer_init(&copy->policy, EVENT_SIZE_MAX);
}

void event_copy_done(struct event_copy *copy)
{
    buffer_done(&copy->log);
    buffer_done(&copy->policy);
    free(copy->loads);
    *copy = (struct event_copy){ 0 };
}

static bool load_read(struct event_load *load, const struct event *event)
{
    struct bytes version, image;
    return event_detail(event->details, "version", &version) &&
           event_detail(event->details, "image", &image) &&
           hex_decode(load->version.bytes, sizeof(load->version.bytes), version) &&
           hex_decode(load->image.bytes, sizeof(load->image.bytes), image);
}

static bool loads_add(struct event_copy *copy, const struct event_load *load)
{
    if (copy->load_count == copy->load_room) {
        size_t room = MAX(2 * copy->load_room, (size_t)32);
        struct event_load *loads = realloc(copy->loads, room * sizeof(*loads));
        if (loads == NULL)
            return false;
        copy->loads = loads;
        copy->load_room = room;
    }
    copy->loads[copy->load_count++] = *load;
    return true;
}

static bool event_take(struct event_copy *copy, const struct event *event)
{
    struct event_load load;
    struct bytes change;
    copy->count++;
    if (event_is(event, "policy") && event_detail(event->details, "change", &change) &&
        bytes_equal_string(change, "start")) {
        buffer_clear(&copy->policy);
        buffer_append(&copy->policy, event->details);
    }
    return !event_is(event, "load") || !load_read(&load, event) || loads_add(copy, &load);
}

bool event_copy_refresh(struct event_copy *copy, struct keeper *keeper, struct error *error)
{
    size_t before = copy->log.size;
    if (!keeper_events(keeper, copy->count, &copy->log, error))
        return false;
    struct bytes rest = bytes_part(buffer_view(&copy->log), before, copy->log.size);
    while (rest.size > 0) {
        struct event event;
        size_t size = bytes_find(rest, '\n');
        if (!event_parse(&event, bytes_part(rest, 0, size)) || event.sequence != copy->count + 1)
            return error_set(error, ERROR_INTERNAL, "the keeper's event log is not whole");
        if (!event_take(copy, &event))
            return error_set(error, ERROR_NO_MEMORY, "no memory for the event log");
        rest = bytes_part(rest, size + 1, rest.size);
    }
    return true;
}

static bool has_load(const struct event_copy *copy, const struct event_load *load)
{
    for (size_t i = 0; i < copy->load_count; i++) {
        if (digest32_equal(&copy->loads[i].version, &load->version) &&
            digest32_equal(&copy->loads[i].image, &load->image))
            return true;
    }
    return false;
}

bool event_copy_load(struct event_copy *copy, struct keeper *keeper, const struct event_load *load,
                     bool *is_new, struct error *error)
{
    char details[EVENT_SIZE_MAX];
    *is_new = !has_load(copy, load);
    if (!*is_new)
        return true;
    snprintf(details, sizeof(details), "{\"image\":\"%s\",\"version\":\"%s\"}",
             hex_of_digest(&load->image).text, hex_of_digest(&load->version).text);
    return keeper_append(keeper, "load", details, error) && event_copy_refresh(copy, keeper, error);
}

bool event_copy_policy(struct event_copy *copy, struct keeper *keeper, const char *details,
                       struct error *error)
{
    if (!event_copy_refresh(copy, keeper, error))
        return false;
    return bytes_equal_string(buffer_view(&copy->policy), details) ||
           (keeper_append(keeper, "policy", details, error) &&
            event_copy_refresh(copy, keeper, error));
}
