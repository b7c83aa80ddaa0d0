/* SPDX-License-Identifier: Apache-2.0 */
#include "collateral/collateral.h"

#include "attest/eat/cmw.h"
#include "base/file.h"
#include "core/time.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* One gathering. */
struct gathering {
    struct collateral *collateral;
    const struct collateral_options *options;
    uint64_t deadline_ns;
    int64_t now_s;
    struct error first; /* code 0: nothing is missing */
};

const char *collateral_state_name(enum collateral_state state)
{
    static const char *const names[] = { [COLLATERAL_MISSING] = "missing",
                                         [COLLATERAL_FETCHED] = "fetched",
                                         [COLLATERAL_FRESH] = "fresh",
                                         [COLLATERAL_DUE] = "due",
                                         [COLLATERAL_STALE] = "stale" };
    return names[state];
}

void collateral_init(struct collateral *collateral)
{
    *collateral = (struct collateral){ 0 };
}

void collateral_done(struct collateral *collateral)
{
    for (size_t i = 0; i < collateral->count; i++)
        collateral_piece_done(&collateral->items[i].entry.piece);
    collateral->count = 0;
}

/* --- one piece --- */

static bool wait_check(const struct gathering *gathering, const char *url, struct error *error)
{
    char text[TIME_TEXT_SIZE + 1] = "?";
    int64_t until_s = collateral_cache_refused_until(gathering->options->folder, url);
    if (until_s <= gathering->now_s || until_s > gathering->now_s + COLLATERAL_REFUSAL_S_MAX)
        return true;
    gathering->collateral->refused_until_s = until_s;
    (void)!time_format(text, until_s);
    return error_set(error, ERROR_BUSY, "the service asked not to be asked before %s", text);
}

static bool ask(const struct gathering *gathering, const struct collateral_wish *wish,
                struct collateral_entry *entry, struct error *error)
{
    const struct collateral_options *options = gathering->options;
    int64_t refused_until_s = 0;
    struct error unkept;
    if (options->is_offline)
        return error_set(error, ERROR_UNAVAILABLE, "%s is not in the cache, and --offline was said",
                         collateral_part_name(wish->part));
    if (!wait_check(gathering, wish->url, error))
        return false;
    bool done = collateral_service_ask(entry, wish, &options->network, gathering->deadline_ns,
                                       &refused_until_s, error);
    if (refused_until_s != 0) {
        gathering->collateral->refused_until_s = refused_until_s;
        collateral_cache_refuse(options->folder, wish->url, refused_until_s);
    }
    /* A cache that can't be written is no reason to do without what was had. */
    if (done && options->folder != NULL)
        (void)!collateral_cache_put(entry, options->folder, wish, &unkept);
    return done;
}

/* Without the network, or after it failed: what was kept, as far as it does. */
static void use_kept(struct gathering *gathering, struct collateral_item *item,
                     const struct collateral_entry *kept, const struct error *why)
{
    int64_t ended_s = kept->piece.next_update_s;
    char text[TIME_TEXT_SIZE + 1] = "?";
    (void)!time_format(text, ended_s);
    int64_t judged_s = gathering->options->judged_at_s;
    bool is_stale = ended_s < (judged_s == 0 ? gathering->now_s : judged_s);
    snprintf(item->note, sizeof(item->note), "%s", why->text);
    if (is_stale && !gathering->options->is_stale_allowed) {
        if (gathering->first.code == ERROR_NONE)
            error_set(&gathering->first, why->code, "%s in the cache ended on %s; %.120s",
                      collateral_part_name(item->part), text, why->text);
        return;
    }
    collateral_piece_done(&item->entry.piece);
    item->entry = *kept; /* the caller gives its memory away */
    item->state = is_stale ? COLLATERAL_STALE : COLLATERAL_DUE;
}

static struct collateral_item *item_add(struct gathering *gathering,
                                        const struct collateral_wish *wish)
{
    struct collateral *collateral = gathering->collateral;
    ASSERT(collateral->count < COLLATERAL_PART_COUNT);
    struct collateral_item *item = &collateral->items[collateral->count++];
    *item = (struct collateral_item){ .part = wish->part };
    memcpy(item->url, wish->url, sizeof(item->url));
    collateral_piece_init(&item->entry.piece);
    return item;
}

static void gather_one(struct gathering *gathering, const struct collateral_wish *wish)
{
    struct collateral_item *item = item_add(gathering, wish);
    struct collateral_entry kept = { 0 };
    struct error error = { 0 };
    collateral_piece_init(&kept.piece);
    bool is_kept = collateral_cache_get(&kept, gathering->options->folder, wish);
    /* A clock that was set back makes nothing fresh. */
    bool is_fresh = is_kept && kept.fetched_s <= gathering->now_s &&
                    gathering->now_s < collateral_refresh_s(&kept, wish->part);
    if (is_fresh) {
        collateral_piece_done(&item->entry.piece);
        item->state = COLLATERAL_FRESH;
        item->entry = kept;
        return;
    }
    if (is_kept && gathering->options->is_offline)
        error_set(&error, ERROR_UNAVAILABLE, "not asked for again: --offline was said");
    else if (ask(gathering, wish, &item->entry, &error)) {
        item->state = COLLATERAL_FETCHED;
        collateral_piece_done(&kept.piece);
        return;
    }
    if (is_kept)
        use_kept(gathering, item, &kept, &error);
    else
        gathering->first = gathering->first.code == ERROR_NONE ? error : gathering->first;
    if (item->state == COLLATERAL_MISSING) {
        snprintf(item->note, sizeof(item->note), "%s", error.text);
        collateral_piece_done(&kept.piece);
    }
}

/* --- all of them --- */

/* AMD's service has no such key of this product: then it is of the other one. */
static bool is_other_product(const struct gathering *gathering,
                             const struct collateral_wishes *wishes)
{
    return wishes->other_product != SNP_PRODUCT_NONE && gathering->first.code == ERROR_NOT_FOUND;
}

static bool gather_round(struct gathering *gathering, struct collateral_wishes *wishes,
                         struct bytes evidence, const struct attest_collateral *given,
                         enum snp_product product, struct error *error)
{
    if (!collateral_wishes_of(wishes, evidence, given, &gathering->options->places, product, error))
        return false;
    for (size_t i = 0; i < wishes->count; i++) {
        gather_one(gathering, &wishes->items[i]);
        if (is_other_product(gathering, wishes))
            break;
    }
    return true;
}

bool collateral_gather(struct collateral *collateral, struct bytes evidence,
                       const struct attest_collateral *given,
                       const struct collateral_options *options, struct error *error)
{
    unsigned timeout_ms = options->timeout_ms == 0 ? COLLATERAL_TIMEOUT_MS : options->timeout_ms;
    const struct clock *clock = options->network.clock;
    struct gathering gathering = {
        .collateral = collateral,
        .options = options,
        .deadline_ns = clock_monotonic_ns(clock) + timeout_ms * UINT64_C(1000000),
        .now_s = (int64_t)(clock_realtime_ns(clock) / 1000000000u),
    };
    AUTO_FREE struct collateral_wishes *wishes = malloc(sizeof(*wishes));
    struct attest_collateral had = *given;
    if (wishes == NULL)
        return error_set(error, ERROR_NO_MEMORY, "no memory to gather collateral");
    if (!gather_round(&gathering, wishes, evidence, &had, SNP_PRODUCT_NONE, error))
        return false;
    if (is_other_product(&gathering, wishes)) {
        enum snp_product other = wishes->other_product;
        collateral_done(collateral);
        gathering.first = (struct error){ 0 };
        if (!gather_round(&gathering, wishes, evidence, &had, other, error))
            return false;
    }
    if (wishes->is_partial && gathering.first.code == ERROR_NONE) {
        collateral_apply(collateral, &had);
        if (!gather_round(&gathering, wishes, evidence, &had, SNP_PRODUCT_NONE, error))
            return false;
    }
    if (gathering.first.code == ERROR_NONE)
        return true;
    *error = gathering.first;
    return false;
}

static void fill(struct bytes *target, const struct buffer *buffer)
{
    if (target->size == 0 && buffer->size > 0)
        *target = buffer_view(buffer);
}

void collateral_apply(const struct collateral *collateral, struct attest_collateral *target)
{
    for (size_t i = 0; i < collateral->count; i++) {
        const struct collateral_item *item = &collateral->items[i];
        struct bytes *const places[COLLATERAL_PART_COUNT] = {
            [COLLATERAL_PCK_CHAIN] = &target->pck_chain,
            [COLLATERAL_TCB_INFO] = &target->tcb_info,
            [COLLATERAL_QE_IDENTITY] = &target->qe_identity,
            [COLLATERAL_PCK_CRL] = &target->pck_crl,
            [COLLATERAL_ROOT_CRL] = &target->root_crl,
            [COLLATERAL_VEK] = &target->vek,
            [COLLATERAL_INTERMEDIATE] = &target->intermediate,
            [COLLATERAL_CRL] = &target->crl,
        };
        if (item->state == COLLATERAL_MISSING)
            continue;
        fill(places[item->part], &item->entry.piece.body);
        /* Both documents have one chain: the TCB info's counts, which comes first. */
        if (item->part == COLLATERAL_TCB_INFO || item->part == COLLATERAL_QE_IDENTITY)
            fill(&target->tcb_chain, &item->entry.piece.chain);
    }
}

bool collateral_ages(const struct collateral *collateral, int64_t *issued_s, int64_t *next_update_s)
{
    bool is_found = false;
    *issued_s = INT64_MAX;
    *next_update_s = INT64_MAX;
    for (size_t i = 0; i < collateral->count; i++) {
        const struct collateral_item *item = &collateral->items[i];
        if (item->state == COLLATERAL_MISSING)
            continue;
        bool is_certificate = item->part == COLLATERAL_PCK_CHAIN || item->part == COLLATERAL_VEK ||
                              item->part == COLLATERAL_INTERMEDIATE;
        if (!is_certificate)
            *issued_s = MIN(*issued_s, item->entry.piece.issued_s);
        *next_update_s = MIN(*next_update_s, item->entry.piece.next_update_s);
        is_found = true;
    }
    return is_found;
}

int64_t collateral_due_s(const struct collateral *collateral)
{
    int64_t due_s = INT64_MAX;
    for (size_t i = 0; i < collateral->count; i++) {
        const struct collateral_item *item = &collateral->items[i];
        if (item->state != COLLATERAL_MISSING)
            due_s = MIN(due_s, collateral_refresh_s(&item->entry, item->part));
    }
    return due_s;
}

/* Evidence and what is wrapped with it; what is no wrapper is the evidence. */
static bool unwrap(struct bytes *evidence, struct attest_collateral *parts, struct bytes source,
                   uint8_t *space, struct error *error)
{
    struct cmw cmw;
    *evidence = source;
    return !cmw_is_wrapper(source) || (cmw_read(&cmw, source, space, source.size, error) &&
                                       cmw_to_evidence(&cmw, evidence, parts, error));
}

static bool wrap(struct buffer *wrapped, struct bytes evidence,
                 const struct attest_collateral *parts, struct error *error)
{
    struct cmw cmw;
    cmw_of_evidence(&cmw, attest_tee_of(evidence), evidence, parts);
    /* Once to measure, once to write. */
    struct writer target = writer_into(NULL, 0);
    cmw_write_cbor(&target, &cmw);
    uint8_t *room = buffer_reserve(wrapped, target.size);
    if (room == NULL)
        return error_set(error, ERROR_LIMIT, "evidence with its collateral has more than %zu bytes",
                         wrapped->size_max);
    target = writer_into(room, target.size);
    cmw_write_cbor(&target, &cmw);
    wrapped->size += target.size;
    return true;
}

bool collateral_wrap(struct buffer *wrapped, struct bytes evidence,
                     const struct collateral *collateral, struct error *error)
{
    struct attest_collateral parts = { 0 };
    struct bytes inner;
    AUTO_FREE uint8_t *space = malloc(evidence.size + 1);
    if (space == NULL)
        return error_set(error, ERROR_NO_MEMORY, "no memory to wrap evidence");
    if (!unwrap(&inner, &parts, evidence, space, error))
        return false;
    collateral_apply(collateral, &parts);
    return wrap(wrapped, inner, &parts, error);
}

void collateral_drop_stale(struct attest_collateral *parts, int64_t now_s)
{
    struct {
        enum collateral_part part;
        struct bytes *bytes;
    } rows[] = { { COLLATERAL_TCB_INFO, &parts->tcb_info },
                 { COLLATERAL_QE_IDENTITY, &parts->qe_identity },
                 { COLLATERAL_PCK_CRL, &parts->pck_crl },
                 { COLLATERAL_ROOT_CRL, &parts->root_crl },
                 { COLLATERAL_CRL, &parts->crl } };
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        int64_t issued_s, next_update_s;
        if (!collateral_dates_of(rows[i].part, *rows[i].bytes, &issued_s, &next_update_s) ||
            next_update_s >= now_s)
            continue;
        *rows[i].bytes = (struct bytes){ 0 };
        if (rows[i].part == COLLATERAL_TCB_INFO)
            parts->tcb_chain = (struct bytes){ 0 }; /* they are renewed together */
    }
}

/* Of what was carried, where nothing better was had. */
static void fill_rest(struct attest_collateral *parts, const struct attest_collateral *carried)
{
    struct {
        struct bytes *target;
        struct bytes source;
    } rows[] = { { &parts->tcb_info, carried->tcb_info },
                 { &parts->qe_identity, carried->qe_identity },
                 { &parts->tcb_chain, carried->tcb_chain },
                 { &parts->pck_crl, carried->pck_crl },
                 { &parts->root_crl, carried->root_crl },
                 { &parts->crl, carried->crl },
                 { &parts->pck_chain, carried->pck_chain },
                 { &parts->vek, carried->vek },
                 { &parts->intermediate, carried->intermediate } };
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++)
        if (rows[i].target->size == 0)
            *rows[i].target = rows[i].source;
}

static bool replace(struct buffer *evidence, struct bytes inner,
                    const struct attest_collateral *parts, struct error *error)
{
    AUTO_BUFFER struct buffer wrapped;
    buffer_init(&wrapped, evidence->size_max);
    if (!wrap(&wrapped, inner, parts, error))
        return false;
    buffer_clear(evidence);
    buffer_append(evidence, buffer_view(&wrapped));
    return true;
}

bool collateral_add(struct buffer *evidence, const struct attest_collateral *parts,
                    struct error *error)
{
    struct attest_collateral carried = { 0 };
    struct bytes inner;
    AUTO_FREE uint8_t *space = malloc(evidence->size + 1);
    if (space == NULL)
        return error_set(error, ERROR_NO_MEMORY, "no memory to wrap evidence");
    if (!unwrap(&inner, &carried, buffer_view(evidence), space, error))
        return false;
    fill_rest(&carried, parts);
    return replace(evidence, inner, &carried, error);
}

bool collateral_complete(struct collateral *collateral, struct buffer *evidence,
                         const struct collateral_options *options, struct error *error)
{
    struct attest_collateral carried = { 0 };
    struct bytes inner;
    struct error unwrapped;
    AUTO_FREE uint8_t *space = malloc(evidence->size + 1);
    if (space == NULL)
        return error_set(error, ERROR_NO_MEMORY, "no memory to wrap evidence");
    if (!unwrap(&inner, &carried, buffer_view(evidence), space, error))
        return false;
    struct attest_collateral parts = carried;
    collateral_drop_stale(&parts,
                          (int64_t)(clock_realtime_ns(options->network.clock) / 1000000000u));
    bool is_whole = collateral_gather(collateral, inner, &parts, options, error);
    if (collateral->count == 0)
        return is_whole;
    collateral_apply(collateral, &parts);
    fill_rest(&parts, &carried);
    return replace(evidence, inner, &parts, is_whole ? error : &unwrapped) && is_whole;
}
