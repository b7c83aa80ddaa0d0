/* SPDX-License-Identifier: Apache-2.0 */
/* What TCB info and QE identity have in common: a signed envelope, and levels that give a status to
 * a security version. */
#ifndef ATTEST_INTEL_TCB_LEVEL_H
#define ATTEST_INTEL_TCB_LEVEL_H

#include "attest/intel/intel.h"
#include "attest/limits.h"
#include "core/json_reader.h"

/* {"NAME": {...}, "signature": "128 digits"}, and nothing else: nobody signs the rest. */
struct tcb_envelope {
    struct bytes body; /* the inner object, byte for byte what is signed */
    struct ecdsa_signature signature;
};

/* What a level says.  The advisories are views of the JSON array, empty without one. */
struct tcb_state {
    enum intel_tcb_status status;
    int64_t date_s;
    struct bytes advisories;
};

/* A level of an enclave or of the TDX module. */
struct isv_level {
    uint16_t isv_svn;
    struct tcb_state state;
};

struct isv_levels {
    struct isv_level items[ISV_LEVEL_COUNT_MAX];
    size_t count;
};

/* Finds the envelope without understanding the body. */
MUST_CHECK bool tcb_envelope_parse(struct tcb_envelope *envelope, struct bytes source,
                                   const char *name);

/* Index of a member's name, or `count`. */
size_t tcb_member_find(const char *const *names, size_t count, struct json_text name);
/* Readers of values; they fail the JSON reader.  A signature's digits are lower-case only, so that
 * it has one text. */
void tcb_read_signature(struct json_reader *json, struct ecdsa_signature *signature);
int64_t tcb_read_time(struct json_reader *json);
/* Reads a member that belongs to a state; false when it does not.  `seen` collects which were. */
bool tcb_state_read_member(struct tcb_state *state, struct json_reader *json, struct json_text name,
                           unsigned *seen);
/* Whether status and date were there. */
bool tcb_state_is_complete(unsigned seen);
void isv_levels_read(struct isv_levels *levels, struct json_reader *json);

/* The highest level that `isv_svn` reaches, NULL for none.  The order of the list does not matter.
 */
const struct isv_level *isv_levels_find(const struct isv_levels *levels, uint16_t isv_svn);

/* Adds the advisories to those of the claims, each once. */
void tcb_advisories_collect(struct intel_claims *claims, struct bytes advisories);

#endif
