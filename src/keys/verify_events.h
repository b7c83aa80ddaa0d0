/* SPDX-License-Identifier: Apache-2.0 */
/* Judges an event log by what vouches for it: the keyset's head and, where evidence shows it, the
 * register.  Pure.  Internal to verification.
 *
 * Covered are the entries that lead to the register in the evidence, else those that lead to the
 * keyset's head.  Among them must be the release of the keyset's receipt key and, for a receipt,
 * the load of the version and image that it names.  Entries behind them came later: they are
 * counted, and prove nothing. */
#ifndef KEYS_VERIFY_EVENTS_H
#define KEYS_VERIFY_EVENTS_H

#include "attest/events/events.h"
#include "keys/receipt.h"

struct events_judgement {
    struct bytes log;
    const struct keyset *keyset;   /* with an event log */
    bool has_register;             /* evidence shows one of the name that the keyset says */
    struct digest48 value;         /* of it */
    const struct receipt *receipt; /* NULL: of an attestation */
    /* What was found. */
    struct events_verdict verdict;
    uint64_t loaded_at; /* entry of the receipt's version; 0: none */
    uint64_t released_at;
};
/* UNVERIFIED says why. */
MUST_CHECK bool events_judge(struct events_judgement *judgement, struct error *error);

#endif
