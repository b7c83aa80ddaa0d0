/* SPDX-License-Identifier: Apache-2.0 */
#include "attest/eat/cmw.h"
#include "base/file.h"
#include "cmd/s3n/collateral_source.h"
#include "core/time.h"

#include <stdlib.h>
#include <string.h>

/* One piece, for people and scripts. */
struct line {
    enum collateral_part part;
    const char *state; /* "given", or as it was gathered */
    const char *url;
    const char *note;
    int64_t fetched_s;
    bool has_dates, is_stale;
    int64_t issued_s, next_update_s;
};

static const struct collateral_item *item_find(const struct collateral *gathered,
                                               enum collateral_part part)
{
    for (size_t i = 0; gathered != NULL && i < gathered->count; i++)
        if (gathered->items[i].part == part)
            return &gathered->items[i];
    return NULL;
}

/* False for what was neither there nor looked for. */
static bool line_of(struct line *line, enum collateral_part part,
                    const struct attest_collateral *used, const struct collateral *gathered,
                    int64_t now_s)
{
    const struct bytes places[COLLATERAL_PART_COUNT] = {
        [COLLATERAL_PCK_CHAIN] = used->pck_chain,       [COLLATERAL_TCB_INFO] = used->tcb_info,
        [COLLATERAL_QE_IDENTITY] = used->qe_identity,   [COLLATERAL_PCK_CRL] = used->pck_crl,
        [COLLATERAL_ROOT_CRL] = used->root_crl,         [COLLATERAL_VEK] = used->vek,
        [COLLATERAL_INTERMEDIATE] = used->intermediate, [COLLATERAL_CRL] = used->crl,
    };
    const struct collateral_item *item = item_find(gathered, part);
    bool is_gathered =
        item != NULL && bytes_equal(buffer_view(&item->entry.piece.body), places[part]);
    if (places[part].size == 0 && item == NULL)
        return false;
    *line = (struct line){ .part = part, .state = "given", .url = "", .note = "" };
    if (is_gathered || places[part].size == 0) {
        line->state = collateral_state_name(item->state);
        line->url = item->url;
        line->note = item->note;
        line->fetched_s = item->entry.fetched_s;
    }
    line->has_dates =
        collateral_dates_of(part, places[part], &line->issued_s, &line->next_update_s);
    line->is_stale = line->has_dates && line->next_update_s < now_s;
    return true;
}

void collateral_lines_append(struct buffer *text, const struct attest_collateral *used,
                             const struct collateral *gathered, int64_t now_s)
{
    for (unsigned part = 0; part < COLLATERAL_PART_COUNT; part++) {
        struct line line;
        char end[TIME_TEXT_SIZE + 1] = "?";
        if (!line_of(&line, (enum collateral_part)part, used, gathered, now_s))
            continue;
        (void)!time_format(end, line.next_update_s);
        buffer_format(text, "%s collateral %-17s %s", line.is_stale ? "!" : "·",
                      collateral_part_name(line.part), line.state);
        long long days = (now_s - line.issued_s) / 86400;
        if (line.has_dates)
            buffer_format(text, ", %lld day%s old, %s %s", days, days == 1 ? "" : "s",
                          line.is_stale ? "STALE since" : "until", end);
        if (line.note[0] != '\0')
            buffer_format(text, " (%s)", line.note);
        buffer_append_string(text, "\n");
    }
}

static void write_time(struct json_writer *json, const char *name, int64_t time_s)
{
    char text[TIME_TEXT_SIZE + 1];
    if (!time_format(text, time_s))
        return;
    json_write_name(json, name);
    json_write_string(json, text);
}

static void write_text(struct json_writer *json, const char *name, const char *text)
{
    if (text[0] == '\0')
        return;
    json_write_name(json, name);
    json_write_string(json, text);
}

void collateral_lines_write(struct json_writer *json, const struct attest_collateral *used,
                            const struct collateral *gathered, int64_t now_s)
{
    json_write_array_begin(json);
    for (unsigned part = 0; part < COLLATERAL_PART_COUNT; part++) {
        struct line line;
        if (!line_of(&line, (enum collateral_part)part, used, gathered, now_s))
            continue;
        json_write_object_begin(json);
        write_text(json, "name", collateral_part_name(line.part));
        write_text(json, "state", line.state);
        write_text(json, "url", line.url);
        if (line.fetched_s > 0)
            write_time(json, "fetched", line.fetched_s);
        if (line.has_dates) {
            write_time(json, "issued", line.issued_s);
            write_time(json, "next_update", line.next_update_s);
            json_write_name(json, "age_s");
            json_write_integer(json, now_s - line.issued_s);
            json_write_name(json, "stale");
            json_write_bool(json, line.is_stale);
        }
        write_text(json, "note", line.note);
        json_write_object_end(json);
    }
    json_write_array_end(json);
}

/* What is wrapped with evidence; nothing with what is bare. */
static uint8_t *parts_of(struct attest_collateral *parts, struct bytes evidence)
{
    struct cmw cmw;
    struct error unused;
    struct bytes inner;
    uint8_t *space = malloc(evidence.size + 1);
    *parts = (struct attest_collateral){ 0 };
    if (space != NULL && cmw_is_wrapper(evidence) &&
        cmw_read(&cmw, evidence, space, evidence.size, &unused))
        (void)!cmw_to_evidence(&cmw, &inner, parts, &unused);
    return space;
}

void collateral_lines_of_evidence(struct json_writer *json, struct bytes evidence,
                                  const struct collateral *gathered, int64_t now_s)
{
    struct attest_collateral parts;
    AUTO_FREE uint8_t *space = parts_of(&parts, evidence);
    collateral_lines_write(json, &parts, gathered, now_s);
}

void collateral_text_of_evidence(struct buffer *text, struct bytes evidence,
                                 const struct collateral *gathered, int64_t now_s)
{
    struct attest_collateral parts;
    AUTO_FREE uint8_t *space = parts_of(&parts, evidence);
    collateral_lines_append(text, &parts, gathered, now_s);
}
