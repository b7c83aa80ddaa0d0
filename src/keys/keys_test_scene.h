/* SPDX-License-Identifier: Apache-2.0 */
/* Shared by the tests of verification: a node that exists only here, with a good bundle. */
#ifndef KEYS_KEYS_TEST_SCENE_H
#define KEYS_KEYS_TEST_SCENE_H

#include "attest/events/events.h"
#include "attest/sim.h"
#include "keys/verify.h"

struct scene {
    struct sim_root *root;
    struct ecdsa_key *receipt_key;
    struct keyset keyset;
    struct receipt receipt;
    struct bundle bundle;
    struct digest32 code;
    struct digest32 input;
    struct digest32 output;
    struct verify_options options;
    struct verify_result result;
    struct error error;
    bool has_no_events;     /* the keyset tells of no log */
    unsigned later_count;   /* entries behind those that evidence covers */
    const char *loaded;     /* kind of the entry about the receipt's version */
    struct digest48 digest; /* extended beside the log, when is_disturbed */
    bool is_disturbed;
};

/* The receipt is test_receipt's, its input is "input" and its output "output". */
bool scene_open(struct scene *scene);
/* Makes the bundle anew from keyset and receipt, as an honest node would. */
bool scene_issue(struct scene *scene);
void scene_close(struct scene *scene);

#endif
