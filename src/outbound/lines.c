/* SPDX-License-Identifier: Apache-2.0 */
#include "outbound/lines.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* One application's. */
struct place {
    char application[APPLICATION_NAME_SIZE];
    struct digest32 owner;
    struct line *line; /* NULL: free */
};

struct lines {
    struct lines_options options;
    struct place places[LINES_COUNT_MAX];
};

bool lines_new(struct lines **lines, const struct lines_options *options, struct error *error)
{
    struct lines *made = calloc(1, sizeof(*made));
    if (made == NULL)
        return error_set(error, ERROR_NO_MEMORY, "no memory for outbound requests");
    made->options = *options;
    *lines = made;
    return true;
}

void lines_free(struct lines *lines)
{
    if (lines == NULL)
        return;
    for (size_t i = 0; i < ARRAY_COUNT(lines->places); i++)
        line_free(lines->places[i].line);
    free(lines);
}

/* A free one, or that of whoever has not asked for longest; NULL: all are at work. */
static struct place *place_clear(struct lines *lines)
{
    struct place *idle = NULL;
    for (size_t i = 0; i < ARRAY_COUNT(lines->places); i++) {
        struct place *place = &lines->places[i];
        if (place->line == NULL)
            return place;
        if (line_can_rest(place->line) &&
            (idle == NULL || line_idle_ns(place->line) < line_idle_ns(idle->line)))
            idle = place;
    }
    if (idle != NULL)
        line_free(TAKE(idle->line));
    return idle;
}

bool lines_get(struct line **line, struct lines *lines, const char *application,
               const struct digest32 *owner, struct error *error)
{
    for (size_t i = 0; i < ARRAY_COUNT(lines->places); i++) {
        struct place *place = &lines->places[i];
        if (place->line != NULL && strcmp(place->application, application) == 0 &&
            digest32_equal(&place->owner, owner)) {
            *line = place->line;
            return true;
        }
    }
    struct place *place = place_clear(lines);
    if (place == NULL)
        return error_set(error, ERROR_BUSY, "%d applications ask others at the moment",
                         LINES_COUNT_MAX);
    struct line_options options = lines->options.line;
    options.context = lines->options.contexts[place - lines->places];
    snprintf(place->application, sizeof(place->application), "%s", application);
    place->owner = *owner;
    if (!line_new(&place->line, &options, error))
        return false;
    *line = place->line;
    return true;
}

unsigned lines_tick(struct lines *lines)
{
    unsigned count = 0;
    for (size_t i = 0; i < ARRAY_COUNT(lines->places); i++) {
        struct place *place = &lines->places[i];
        if (place->line == NULL)
            continue;
        line_tick(place->line);
        if (line_is_idle(place->line))
            line_free(TAKE(place->line));
        else
            count++;
    }
    return count;
}
