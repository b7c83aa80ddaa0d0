/* SPDX-License-Identifier: Apache-2.0 */
#include "attest/intel/tcb_level.h"

#include "core/time.h"

#include <string.h>

enum {
    SEEN_STATUS = 1 << 0,
    SEEN_DATE = 1 << 1,
    SEEN_ISV_SVN = 1 << 2
};

void tcb_read_signature(struct json_reader *json, struct ecdsa_signature *signature)
{
    const uint8_t *start = json_value_start(json);
    json_read_hex(json, signature->bytes, sizeof(signature->bytes));
    for (const uint8_t *at = start; at < json_value_end(json); at++) {
        if (*at >= 'A' && *at <= 'F')
            json_reader_fail(json);
    }
}

bool tcb_envelope_parse(struct tcb_envelope *envelope, struct bytes source, const char *name)
{
    struct json_reader json;
    struct tcb_envelope parsed = { 0 };
    bool has_signature = false;
    struct json_text member;
    json_reader_init(&json, source);
    json_enter_object(&json);
    while (json_next_member(&json, &member)) {
        if (json_text_equal(member, name) && json_peek(&json) == JSON_KIND_OBJECT) {
            parsed.body = json_skip(&json);
        } else if (json_text_equal(member, "signature")) {
            tcb_read_signature(&json, &parsed.signature);
            has_signature = true;
        } else {
            json_reader_fail(&json);
        }
    }
    if (!json_read_end(&json) || parsed.body.size == 0 || !has_signature)
        return false;
    *envelope = parsed;
    return true;
}

size_t tcb_member_find(const char *const *names, size_t count, struct json_text name)
{
    size_t i = 0;
    while (i < count && !json_text_equal(name, names[i]))
        i++;
    return i;
}

int64_t tcb_read_time(struct json_reader *json)
{
    int64_t time_s = 0;
    struct json_text text = json_read_string(json);
    if (json->failed || text.has_escapes || !time_parse(&time_s, text.raw))
        json_reader_fail(json);
    return time_s;
}

/* Intel's own statuses; "TDRelaunchAdvised" and "Unknown" are computed, never published. */
static enum intel_tcb_status read_status(struct json_reader *json)
{
    enum intel_tcb_status status = INTEL_TCB_UNKNOWN;
    struct json_text text = json_read_string(json);
    if (json->failed || text.has_escapes || !intel_tcb_status_find(&status, text.raw) ||
        status == INTEL_TCB_TD_RELAUNCH || status == INTEL_TCB_TD_RELAUNCH_CONFIGURATION)
        json_reader_fail(json);
    return status;
}

/* The identifiers are printed as they are later on, so nothing but letters, digits and dashes. */
static bool is_advisory(struct json_text text)
{
    if (text.has_escapes || text.raw.size == 0 || text.raw.size > INTEL_ADVISORY_SIZE_MAX)
        return false;
    for (size_t i = 0; i < text.raw.size; i++) {
        uint8_t c = text.raw.data[i];
        bool is_plain =
            (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-';
        if (!is_plain)
            return false;
    }
    return true;
}

static struct bytes read_advisories(struct json_reader *json)
{
    size_t count = 0;
    const uint8_t *start = json_value_start(json);
    json_enter_array(json);
    while (json_next_item(json)) {
        if (!is_advisory(json_read_string(json)) || ++count > TCB_ADVISORY_COUNT_MAX)
            json_reader_fail(json);
    }
    if (json->failed)
        return (struct bytes){ 0 };
    return bytes_of(start, (size_t)(json_value_end(json) - start));
}

bool tcb_state_read_member(struct tcb_state *state, struct json_reader *json, struct json_text name,
                           unsigned *seen)
{
    if (json_text_equal(name, "tcbStatus")) {
        state->status = read_status(json);
        *seen |= SEEN_STATUS;
    } else if (json_text_equal(name, "tcbDate")) {
        state->date_s = tcb_read_time(json);
        *seen |= SEEN_DATE;
    } else if (json_text_equal(name, "advisoryIDs")) {
        state->advisories = read_advisories(json);
    } else {
        return false;
    }
    return true;
}

bool tcb_state_is_complete(unsigned seen)
{
    return (seen & (SEEN_STATUS | SEEN_DATE)) == (SEEN_STATUS | SEEN_DATE);
}

/* {"isvsvn": N} */
static uint16_t read_isv_svn(struct json_reader *json, unsigned *seen)
{
    uint16_t isv_svn = 0;
    struct json_text name;
    json_enter_object(json);
    while (json_next_member(json, &name)) {
        if (json_text_equal(name, "isvsvn")) {
            isv_svn = (uint16_t)json_read_unsigned(json, UINT16_MAX);
            *seen |= SEEN_ISV_SVN;
        } else {
            json_skip(json);
        }
    }
    return isv_svn;
}

static void read_isv_level(struct isv_level *level, struct json_reader *json)
{
    unsigned seen = 0;
    struct json_text name;
    json_enter_object(json);
    while (json_next_member(json, &name)) {
        if (json_text_equal(name, "tcb"))
            level->isv_svn = read_isv_svn(json, &seen);
        else if (!tcb_state_read_member(&level->state, json, name, &seen))
            json_skip(json);
    }
    if (!tcb_state_is_complete(seen) || (seen & SEEN_ISV_SVN) == 0)
        json_reader_fail(json);
}

void isv_levels_read(struct isv_levels *levels, struct json_reader *json)
{
    json_enter_array(json);
    while (json_next_item(json)) {
        if (levels->count == ISV_LEVEL_COUNT_MAX) {
            json_reader_fail(json);
            return;
        }
        read_isv_level(&levels->items[levels->count++], json);
    }
}

const struct isv_level *isv_levels_find(const struct isv_levels *levels, uint16_t isv_svn)
{
    const struct isv_level *best = NULL;
    for (size_t i = 0; i < levels->count; i++) {
        const struct isv_level *level = &levels->items[i];
        if (level->isv_svn <= isv_svn && (best == NULL || level->isv_svn > best->isv_svn))
            best = level;
    }
    return best;
}

static void add_advisory(struct intel_claims *claims, struct bytes id)
{
    for (size_t i = 0; i < claims->advisory_count; i++) {
        if (bytes_equal_string(id, claims->advisory_ids[i]))
            return;
    }
    ASSERT(claims->advisory_count < INTEL_ADVISORY_COUNT_MAX);
    char *text = claims->advisory_ids[claims->advisory_count++];
    memcpy(text, id.data, id.size);
    text[id.size] = '\0';
}

void tcb_advisories_collect(struct intel_claims *claims, struct bytes advisories)
{
    if (advisories.size == 0)
        return;
    struct json_reader json;
    json_reader_init(&json, advisories);
    json_enter_array(&json);
    while (json_next_item(&json))
        add_advisory(claims, json_read_string(&json).raw);
}
