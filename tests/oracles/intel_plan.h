/* SPDX-License-Identifier: Apache-2.0 */
/* For tests: an Intel quote with its collateral as it is to be made, and what can go wrong with it.
 */
#ifndef TESTS_ORACLES_INTEL_PLAN_H
#define TESTS_ORACLES_INTEL_PLAN_H

#include "attest/intel/test_world.h"

enum intel_shape {
    SHAPE_TDX_4,
    SHAPE_TDX_5_10, /* version 5 with a TD report 1.0 */
    SHAPE_TDX_5_15,
    SHAPE_SGX_3,
    SHAPE_SGX_4,
    SHAPE_SGX_5,
    SHAPE_COUNT
};

enum intel_chain {
    CHAIN_WHOLE,
    CHAIN_NO_ROOT,
    CHAIN_ROOT_FIRST,
    CHAIN_DOUBLED_CA,
    CHAIN_CRLF,
    CHAIN_ZERO, /* a zero byte at the end, as Intel's library writes it */
    CHAIN_TEXT, /* text behind it */
};

/* Changes one byte. */
struct intel_patch {
    size_t offset;
    uint8_t value;
    bool is_set;
};

struct intel_plan {
    struct test_world world;
    enum intel_shape shape;
    enum intel_chain chain;
    struct sgx_report sgx;
    struct intel_patch signed_patch; /* before it is signed */
    struct intel_patch qe_patch;     /* of the QE report, before it is signed */
    uint16_t outer_type;
    uint16_t inner_type;
    int inner_size_change;
    int outer_size_change;
    bool is_key_swapped; /* attestation key is not the one the QE report names */
    bool is_qe_other;    /* the QE report is signed by a stranger */
    bool is_quote_other; /* the quote is signed by a stranger */
    size_t zeros;        /* behind the quote */
    const char *tail;    /* text behind the quote */
    size_t flip_first;   /* bytes of the finished quote of which one bit flips; last 0: none */
    size_t flip_last;
    size_t cut;              /* bytes missing at the end */
    bool is_cpu_svn_other;   /* than the components, which it is made of on all known platforms */
    struct bytes serials[4]; /* of a revocation list */
    struct buffer quote;
};

void intel_plan_seed(uint64_t seed);
uint64_t intel_plan_below(uint64_t limit);
/* All good, with random fields; SHAPE_COUNT: of a random shape. */
void intel_plan_init(struct intel_plan *plan, enum intel_shape shape);
/* A TD report 1.5 whose module, or whose TDX level, was out of date when it started. */
void intel_plan_relaunch(struct intel_plan *plan);
void intel_plan_relaunch_level(struct intel_plan *plan);
void intel_plan_build(struct intel_plan *plan);
void intel_plan_done(struct intel_plan *plan);
static inline bool intel_shape_is_tdx(enum intel_shape shape)
{
    return shape < SHAPE_SGX_3;
}

extern const char *const intel_shape_names[SHAPE_COUNT];

struct intel_fault {
    const char *name;
    void (*make)(struct intel_plan *plan);
};
/* Of quote, platform, certificates and lists; the first is no fault. */
extern const struct intel_fault intel_faults[];
extern const size_t intel_fault_count;
/* Of TCB info and QE identity. */
extern const struct intel_fault intel_document_faults[];
extern const size_t intel_document_fault_count;

/* A fault is one of these with statements over `plan` and its `world`. */
#define INTEL_FAULT(label, statements)                                                             \
    static void label(struct intel_plan *plan)                                                     \
    {                                                                                              \
        struct test_world *world UNUSED = &plan->world;                                            \
        statements                                                                                 \
    }
#define INTEL_FAULT_ROW(label)                                                                     \
    {                                                                                              \
#label, label                                                                              \
    }

#endif
