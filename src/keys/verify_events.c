/* SPDX-License-Identifier: Apache-2.0 */
#include "keys/verify_events.h"

#include "core/hex.h"

static bool says(const struct event *event, const char *name, const struct digest32 *digest)
{
    struct bytes value;
    return event_detail(event->details, name, &value) &&
           bytes_equal_string(value, hex_of_digest(digest).text);
}

/* Looks for release and load among the entries that are covered; the log is whole by now. */
static void look(struct events_judgement *judgement)
{
    const struct receipt *receipt = judgement->receipt;
    struct digest32 key = ecdsa_public_id(&judgement->keyset->receipt_key);
    struct digest32 version = { 0 };
    struct events_replay replay;
    struct event event;
    struct error ignored;
    bool is_over = false;
    if (receipt != NULL)
        version = receipt_version(receipt);
    events_begin(&replay, judgement->log);
    while (replay.count < judgement->verdict.covered &&
           events_next(&replay, &event, &is_over, &ignored) && !is_over) {
        /* A keyset can't have been written before its keys were released. */
        if (event_is(&event, "keyset") && event.sequence <= judgement->keyset->events.count &&
            says(&event, "receipt_key", &key))
            judgement->released_at = event.sequence;
        if (receipt != NULL && judgement->loaded_at == 0 && event_is(&event, "load") &&
            says(&event, "version", &version) && says(&event, "image", &receipt->image))
            judgement->loaded_at = event.sequence;
    }
}

bool events_judge(struct events_judgement *judgement, struct error *error)
{
    const struct keyset_events *stated = &judgement->keyset->events;
    struct events_expected expected = { .count = stated->count,
                                        .head = stated->head,
                                        .has_register = judgement->has_register,
                                        .value = judgement->value };
    if (judgement->log.size == 0)
        return error_set(error, ERROR_UNVERIFIED,
                         "cut: the log is missing, and %llu entries are "
                         "vouched for",
                         (unsigned long long)stated->count);
    if (!events_verify(&judgement->verdict, judgement->log, &expected, error))
        return false;
    look(judgement);
    if (judgement->released_at == 0)
        return error_set(error, ERROR_UNVERIFIED, "the receipt key's release is not in it");
    if (judgement->receipt != NULL && judgement->loaded_at == 0)
        return error_set(error, ERROR_UNVERIFIED,
                         "the load of this version and image is not among the %llu entries that "
                         "the evidence covers",
                         (unsigned long long)judgement->verdict.covered);
    return true;
}
