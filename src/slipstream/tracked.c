/* SPDX-License-Identifier: Apache-2.0 */
#include "slipstream/tracked.h"

#include "abi/layout.h"
#include "core/checked.h"
#include "slipstream/limits.h"

#include <string.h>
#include <sys/mman.h>

static uint64_t page_count(const struct tracked *tracked)
{
    return tracked->size / LAYOUT_PAGE_SIZE;
}

static uint64_t entries_size(const struct tracked *tracked)
{
    uint64_t groups = page_count(tracked) / TRACKED_GROUP + 1;
    return (page_count(tracked) + groups) * sizeof(uint64_t);
}

bool tracked_init(struct tracked *tracked, uint8_t *host, uint64_t size,
                  const struct restoring *rule, struct error *error)
{
    struct tracked made = { .host = host, .size = round_up(size, LAYOUT_PAGE_SIZE), .rule = rule };
    void *entries = mmap(NULL, entries_size(&made), PROT_READ | PROT_WRITE,
                         MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (entries == MAP_FAILED)
        return error_system(error, "track pages");
    made.entries = entries;
    made.touched = made.entries + page_count(&made);
    *tracked = made;
    return true;
}

void tracked_done(struct tracked *tracked)
{
    if (tracked->entries != NULL)
        munmap(tracked->entries, entries_size(tracked));
    *tracked = (struct tracked){ 0 };
}

static bool is_open(const struct tracked *tracked, uint64_t page)
{
    return tracked->entries[page] != 0;
}

static bool protect(const struct tracked *tracked, uint64_t page, uint64_t count, int rights)
{
    return count == 0 ||
           mprotect(tracked->host + page * LAYOUT_PAGE_SIZE, count * LAYOUT_PAGE_SIZE, rights) == 0;
}

/* Pages from `page` on (or down to it) that are closed, at most `count`; *first is the lowest. */
static uint64_t closed_run(const struct tracked *tracked, uint64_t page, uint64_t count,
                           uint64_t *first)
{
    uint64_t run = 1, end = page_count(tracked);
    if (tracked->grows_down) {
        while (run < count && page >= run && !is_open(tracked, page - run))
            run++;
        *first = page + 1 - run;
        return run;
    }
    while (run < count && page + run < end && !is_open(tracked, page + run))
        run++;
    *first = page;
    return run;
}

static void mark(struct tracked *tracked, uint64_t first, uint64_t count)
{
    for (uint64_t page = first; page < first + count; page++) {
        tracked->entries[page] = TRACKED_OPEN;
        tracked->touched[page / TRACKED_GROUP] = TRACKED_TOUCHED;
    }
    tracked->opened_count += (uint32_t)count;
}

bool tracked_open_page(struct tracked *tracked, uint64_t address)
{
    uint64_t page = (address - (uintptr_t)tracked->host) / LAYOUT_PAGE_SIZE, first;
    if (!tracked->is_tracking || address - (uintptr_t)tracked->host >= tracked->size ||
        is_open(tracked, page))
        return false;
    if (++tracked->fault_count > TRACKED_FAULTS_MAX) {
        /* A guest that restores itself goes by the entries. */
        tracked->is_tracking = false;
        mark(tracked, 0, page_count(tracked));
        return protect(tracked, 0, page_count(tracked), PROT_READ | PROT_WRITE);
    }
    /* Whoever goes on where the last fault ended gets twice as much. */
    bool goes_on = tracked->grows_down ? page + 1 == tracked->last : page == tracked->last;
    uint64_t wanted = goes_on ? MIN(tracked->run * 2u, (uint32_t)TRACKED_RUN_MAX) : 1;
    uint64_t count = closed_run(tracked, page, wanted, &first);
    if (!protect(tracked, first, count, PROT_READ | PROT_WRITE))
        return false;
    mark(tracked, first, count);
    tracked->run = (uint32_t)count;
    tracked->last = tracked->grows_down ? first : first + count;
    return true;
}

bool tracked_put(struct tracked *tracked, uint64_t page, const uint8_t *content)
{
    if (tracked->is_tracking && !is_open(tracked, page)) {
        if (!protect(tracked, page, 1, PROT_READ | PROT_WRITE))
            return false;
        mark(tracked, page, 1);
    }
    memcpy(tracked->host + page * LAYOUT_PAGE_SIZE, content, LAYOUT_PAGE_SIZE);
    return true;
}

static void page_restore(const struct tracked *tracked, const struct part_template *content,
                         uint64_t page)
{
    uint64_t offset = page * LAYOUT_PAGE_SIZE;
    if (part_template_has(content, page))
        memcpy(tracked->host + offset, content->data + offset, LAYOUT_PAGE_SIZE);
    else
        memset(tracked->host + offset, 0, LAYOUT_PAGE_SIZE);
}

static bool page_differs(const struct tracked *tracked, const struct part_template *content,
                         uint64_t page)
{
    const uint8_t *at = tracked->host + page * LAYOUT_PAGE_SIZE;
    if (part_template_has(content, page))
        return memcmp(at, content->data + page * LAYOUT_PAGE_SIZE, LAYOUT_PAGE_SIZE) != 0;
    return at[0] != 0 || memcmp(at, at + 1, LAYOUT_PAGE_SIZE - 1) != 0;
}

static void opened_restore(const struct tracked *tracked, const struct part_template *content)
{
    const uint64_t *entries = tracked->entries;
    uint64_t count = page_count(tracked), left = tracked->opened_count;
    for (uint64_t page = 0; page < count && left > 0; page++) {
        if (page % TRACKED_GROUP == 0 && tracked->touched[page / TRACKED_GROUP] == 0)
            page += TRACKED_GROUP - 1;
        else if (entries[page] != 0) {
            page_restore(tracked, content, page);
            left--;
        }
    }
}

/* All pages: small parts by copying, large ones by giving them back to the system, as if for the
 * first time: nobody knows what was written. */
static bool whole_restore(const struct tracked *tracked, const struct part_template *content)
{
    bool is_small = tracked->size <= WHOLE_COPY_SIZE && tracked->rule->way != RESTORING_DISCARD;
    if (!is_small && madvise(tracked->host, tracked->size, MADV_DONTNEED) != 0)
        return false;
    uint64_t end = page_count(tracked);
    if (!is_small)
        end = MIN(end, round_up(content->size, LAYOUT_PAGE_SIZE) / LAYOUT_PAGE_SIZE);
    for (uint64_t page = 0; page < end; page++)
        if (is_small || part_template_has(content, page))
            page_restore(tracked, content, page);
    return true;
}

/* Closes what is not open. */
static bool closed_protect(const struct tracked *tracked)
{
    uint64_t end = page_count(tracked);
    for (uint64_t page = 0; page < end;) {
        uint64_t from = page;
        while (page < end && !is_open(tracked, page))
            page++;
        if (!protect(tracked, from, page - from, PROT_READ))
            return false;
        while (page < end && is_open(tracked, page))
            page++;
    }
    return true;
}

/* Nothing is open. */
static void forget(struct tracked *tracked)
{
    /* Zeros are not touched: of large parts most entries never were. */
    for (uint64_t page = 0; page < page_count(tracked); page++) {
        if (page % TRACKED_GROUP == 0 && tracked->touched[page / TRACKED_GROUP] == 0)
            page += TRACKED_GROUP - 1;
        else
            tracked->entries[page] = 0;
    }
    memset(tracked->touched, 0, (page_count(tracked) / TRACKED_GROUP + 1) * sizeof(uint64_t));
    tracked->is_whole = false;
    tracked->opened_count = 0;
    tracked->fault_count = 0;
    tracked->reset_count = 0;
    tracked->run = 0;
}

bool tracked_end(struct tracked *tracked, struct error *error)
{
    forget(tracked);
    tracked->is_tracking = tracked->is_whole = false;
    return protect(tracked, 0, page_count(tracked), PROT_READ | PROT_WRITE) ||
           error_system(error, "open memory");
}

/* All of it is open from now on, and is copied each time: that is cheaper here than to find out
 * what was written.  A guest that restores itself goes by the entries, too. */
static bool become_whole(struct tracked *tracked, const struct part_template *content)
{
    forget(tracked);
    mark(tracked, 0, page_count(tracked));
    tracked->is_tracking = tracked->is_whole = true;
    opened_restore(tracked, content);
    return true;
}

bool tracked_begin(struct tracked *tracked, uint64_t first, uint64_t count, struct error *error)
{
    forget(tracked);
    mark(tracked, first, count);
    tracked->is_tracking = true;
    return closed_protect(tracked) || error_system(error, "protect memory");
}

/* Which pages did the first invocation write?  A large part is too long to look through: it starts
 * with none. */
static bool learn(struct tracked *tracked, const struct part_template *content)
{
    bool is_large = tracked->size > TRACKED_LEARN_SIZE;
    forget(tracked);
    if (is_large && !whole_restore(tracked, content))
        return false;
    for (uint64_t page = 0; !is_large && page < page_count(tracked); page++) {
        if (!page_differs(tracked, content, page))
            continue;
        page_restore(tracked, content, page);
        mark(tracked, page, 1);
    }
    tracked->is_tracking = true;
    return closed_protect(tracked);
}

/* What earlier invocations wrote and later ones don't is found out by starting anew. */
static bool prune(struct tracked *tracked)
{
    if (++tracked->reset_count < TRACKED_PRUNE_RESETS)
        return true;
    tracked->reset_count = 0;
    if (tracked->is_whole)
        return true;
    if (tracked->opened_count <= TRACKED_PRUNE_PAGES)
        return true;
    forget(tracked);
    return closed_protect(tracked);
}

/* Pages up to which the whole part is copied each time. */
static uint64_t whole_limit(const struct tracked *tracked)
{
    bool is_lost = tracked->fault_count > TRACKED_FAULTS_MAX;
    return is_lost ? tracked->rule->kept_pages : tracked->rule->whole_pages;
}

bool tracked_reset(struct tracked *tracked, const struct part_template *content, bool learns,
                   struct error *error)
{
    bool is_done;
    if (tracked->is_tracking) {
        opened_restore(tracked, content);
        is_done = prune(tracked);
    } else if (tracked->rule->way == RESTORING_DISCARD) {
        is_done = whole_restore(tracked, content);
    } else if (learns && page_count(tracked) <= whole_limit(tracked)) {
        is_done = become_whole(tracked, content);
    } else if (learns && tracked->fault_count <= TRACKED_FAULTS_MAX) {
        is_done = learn(tracked, content);
    } else {
        is_done = whole_restore(tracked, content);
    }
    return is_done || error_system(error, "restore memory");
}
