/* SPDX-License-Identifier: Apache-2.0 */
#include "functions/foretelling.h"

#include <string.h>

static struct bytes record_of(const struct foretelling_row *row)
{
    return bytes_of(row->record, row->size);
}

/* Puts the row that stands at `place` first. */
static void order_raise(struct foretelling *foretelling, unsigned place)
{
    uint8_t row = foretelling->order[place];
    memmove(foretelling->order + 1, foretelling->order, place);
    foretelling->order[0] = row;
}

static void order_drop(struct foretelling *foretelling, unsigned place)
{
    uint8_t row = foretelling->order[place];
    foretelling->count--;
    memmove(foretelling->order + place, foretelling->order + place + 1, foretelling->count - place);
    foretelling->order[foretelling->count] = row; /* free: where the next one is put */
}

void foretelling_init(struct foretelling *foretelling)
{
    memset(foretelling, 0, sizeof(*foretelling));
    for (unsigned i = 0; i < CALL_FORETOLD_COUNT_MAX; i++)
        foretelling->order[i] = (uint8_t)i;
}

void foretelling_note(struct foretelling *foretelling, const struct call_request *request)
{
    unsigned place = 0;
    struct foretelling_row *row;
    if (request->call != CALL_KV_GET || request->record.size > CALL_FORETOLD_REQUEST_SIZE_MAX)
        return;
    for (; place < foretelling->count; place++) {
        row = &foretelling->rows[foretelling->order[place]];
        if (bytes_equal(record_of(row), request->record))
            break;
    }
    if (place == foretelling->count && place < CALL_FORETOLD_COUNT_MAX) {
        foretelling->count++;
    } else if (place == foretelling->count) {
        place--; /* the oldest */
    }
    row = &foretelling->rows[foretelling->order[place]];
    row->unused = 0;
    row->size = (uint16_t)request->record.size;
    memcpy(row->record, request->record.data, request->record.size);
    order_raise(foretelling, place);
}

bool foretelling_may(struct foretelling *foretelling)
{
    if (foretelling->resting == 0)
        return true;
    foretelling->resting--;
    return false;
}

unsigned foretelling_list(struct foretelling *foretelling,
                          struct bytes records[CALL_FORETOLD_COUNT_MAX])
{
    unsigned place = 0;
    while (place < foretelling->count) {
        struct foretelling_row *row = &foretelling->rows[foretelling->order[place]];
        if (row->unused == FORETELLING_UNUSED_MAX) {
            order_drop(foretelling, place);
            continue;
        }
        row->unused++;
        records[place++] = record_of(row);
    }
    return place;
}

void foretelling_learn(struct foretelling *foretelling, bool was_wrong)
{
    unsigned wrong_count = 0;
    foretelling->history = foretelling->history << 1 | was_wrong;
    for (unsigned i = 0; i < FORETELLING_HISTORY; i++)
        wrong_count += foretelling->history >> i & 1;
    if (wrong_count <= FORETELLING_HISTORY / 4)
        return;
    foretelling->history = 0;
    foretelling->resting = FORETELLING_REST;
}
