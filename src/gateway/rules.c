/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/rules.h"

#include "base/arena.h"
#include "base/buffer.h"
#include "gateway/limits.h"

#include <stdio.h>
#include <stdlib.h>

static void list_copy(struct arena *arena, struct gateway_list *list)
{
    const char **items = list->count == 0 ? NULL : arena_array(arena, list->count, sizeof(*items));
    for (size_t i = 0; items != NULL && i < list->count; i++)
        items[i] = arena_string(arena, bytes_of_string(list->items[i]));
    list->items = items;
}

static const char *list_join(struct arena *arena, const struct gateway_list *list)
{
    AUTO_BUFFER struct buffer text;
    buffer_init(&text, GATEWAY_RULES_SIZE_MAX);
    for (size_t i = 0; i < list->count && list->items != NULL; i++) {
        buffer_append_string(&text, i > 0 ? ", " : "");
        buffer_append_string(&text, list->items[i]);
    }
    return text.failed ? NULL : arena_string(arena, buffer_view(&text));
}

static bool cors_copy(struct rules *rules)
{
    struct gateway_cors *cors = &rules->asked.cors;
    list_copy(rules->arena, &cors->origins);
    list_copy(rules->arena, &cors->headers);
    list_copy(rules->arena, &cors->expose);
    rules->cors_headers = list_join(rules->arena, &cors->headers);
    rules->cors_expose = list_join(rules->arena, &cors->expose);
    snprintf(rules->cors_max_age, sizeof(rules->cors_max_age), "%u", cors->max_age_s);
    return rules->cors_headers != NULL && rules->cors_expose != NULL;
}

static const char *text_copy(struct arena *arena, const char *text)
{
    return text == NULL ? NULL : arena_string(arena, bytes_of_string(text));
}

static void files_copy(struct rules *rules)
{
    struct gateway_assets *assets = &rules->asked.assets;
    struct gateway_pages *pages = &rules->asked.pages;
    assets->index = text_copy(rules->arena, assets->index);
    assets->cache_control = text_copy(rules->arena, assets->cache_control);
    pages->function = text_copy(rules->arena, pages->function);
    struct gateway_page *items =
        pages->count == 0 ? NULL : arena_array(rules->arena, pages->count, sizeof(*items));
    for (size_t i = 0; items != NULL && i < pages->count; i++)
        items[i] = (struct gateway_page){ pages->items[i].status,
                                          text_copy(rules->arena, pages->items[i].file) };
    pages->items = items;
}

bool rules_new(struct rules **rules, const struct gateway_middleware *asked, struct error *error)
{
    *rules = NULL;
    if (asked == NULL)
        return true;
    struct rules *made = calloc(1, sizeof(*made));
    if (made == NULL)
        return error_set(error, ERROR_NO_MEMORY, "no memory for the middleware");
    made->holders = 1;
    made->asked = *asked;
    made->arena = arena_new_small(GATEWAY_RULES_SIZE_MAX, GATEWAY_RULES_SIZE_LEAST);
    files_copy(made);
    if (!cors_copy(made) || arena_failed(made->arena)) {
        rules_release(made);
        return error_set(error, ERROR_NO_MEMORY, "no memory for the middleware");
    }
    *rules = made;
    return true;
}

struct rules *rules_hold(struct rules *rules)
{
    if (rules != NULL)
        rules->holders++;
    return rules;
}

void rules_release(struct rules *rules)
{
    if (rules == NULL || --rules->holders > 0)
        return;
    arena_free(rules->arena);
    free(rules);
}
