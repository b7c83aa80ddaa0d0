/* SPDX-License-Identifier: Apache-2.0 */
/* Whether valid evidence is good enough: rules over the claims of a verdict.
 *
 * Pure, like attest.h.  Every rule is evaluated and reported with the value it found and what it
 * wanted, whether it is met or not; rules about another kind of evidence are left out.  The file
 * form is in policy_file.h and docs/policy.md. */
#ifndef ATTEST_POLICY_POLICY_H
#define ATTEST_POLICY_POLICY_H

#include "attest/attest.h"

enum {
    POLICY_NAME_SIZE_MAX = 63,
    POLICY_MEASUREMENT_COUNT_MAX = 64,
    POLICY_FIELD_COUNT_MAX = 24,    /* of one measurement */
    POLICY_PIN_COUNT_MAX = 64,      /* platforms of an operator */
    POLICY_ADVISORY_COUNT_MAX = 64, /* that are tolerated */
    POLICY_RULE_COUNT_MAX = 32,
    POLICY_SVN_COUNT = 16
};

/* A value of some bytes: a measurement, an id. */
struct policy_value {
    uint8_t bytes[64];
    size_t size;
};

/* One expected field of a claim, by the claim's name. */
struct policy_field {
    const struct policy_field_kind *kind;
    struct policy_value value;
};

/* A named set of values that must all be found: one build of a system image. */
struct policy_measurement {
    char name[POLICY_NAME_SIZE_MAX + 1];
    struct policy_field fields[POLICY_FIELD_COUNT_MAX];
    size_t field_count;
};

/* One machine that is trusted, by the id that its processor signs: PPID or platform instance id
 * (Intel), chip id (AMD), module id (Nitro: text). */
struct policy_pin {
    char name[POLICY_NAME_SIZE_MAX + 1];
    struct policy_field field;
};

/* What a component's SVN must be at least; absent ones are not looked at. */
struct policy_floor {
    bool is_set;
    uint8_t svn[POLICY_SVN_COUNT];
};

struct policy_amd_floor {
    bool is_set;
    uint8_t boot_loader, tee, snp, microcode, fmc;
};

enum policy_choice {
    POLICY_ANY,
    POLICY_FORBIDDEN,
    POLICY_REQUIRED
};

struct policy {
    uint32_t tees;        /* bits 1 << enum attest_tee that are accepted */
    bool allow_simulated; /* a development root */
    bool allow_debug;
    enum policy_choice smt;        /* of the machine, as far as its evidence tells */
    enum policy_choice migration;  /* of the guest */
    enum policy_choice revocation; /* POLICY_REQUIRED: revocation lists must have been there */
    bool requires_platform_id;
    /* Intel */
    uint32_t statuses; /* bits 1 << enum intel_tcb_status */
    int64_t grace_s;   /* an out-of-date level counts as up to date for so long after its date */
    int64_t tcb_date_min_s; /* INT64_MIN: any */
    uint32_t evaluation_number_min;
    struct policy_floor sgx_svn_min;
    struct policy_floor tdx_svn_min;
    uint16_t pce_svn_min;
    enum policy_choice sept_ve_disable;
    bool has_advisories; /* every advisory must be in the list */
    char advisories[POLICY_ADVISORY_COUNT_MAX][INTEL_ADVISORY_SIZE_MAX + 1];
    size_t advisory_count;
    /* AMD: reported, committed and launch TCB alike */
    struct policy_amd_floor amd_tcb_min;
    int vmpl_max; /* -1: any */
    uint32_t guest_svn_min;
    int64_t collateral_age_max_s; /* INT64_MAX: any */
    int64_t evidence_age_max_s;   /* Nitro documents say when they were made; INT64_MAX: any */
    struct policy_measurement measurements[POLICY_MEASUREMENT_COUNT_MAX];
    size_t measurement_count;
    struct policy_pin pins[POLICY_PIN_COUNT_MAX];
    size_t pin_count;
};

struct policy_rule {
    const char *name; /* the key of the policy file that says it: "tcb.status" */
    bool is_met;
    char value[160];  /* what was found */
    char wanted[160]; /* what the policy says */
};

struct policy_report {
    bool is_accepted;
    struct policy_rule rules[POLICY_RULE_COUNT_MAX];
    size_t rule_count;
    const char *measurement; /* name of the one that matched, in the policy; NULL: none asked for */
    const char *pin;         /* the same of the platform */
};

/* Production evidence of any kind: no development root, no debug, no migration, and for Intel a
 * platform that is up to date or needs hardening in software only. */
void policy_default(struct policy *policy);

/* `verdict` must be valid.  UNVERIFIED names the first rule that is not met; the report is filled
 * in either case. */
MUST_CHECK bool policy_evaluate(struct policy_report *report, const struct policy *policy,
                                const struct attest_verdict *verdict, int64_t now_s,
                                struct error *error);

/* The members "policy" and "rules" of an open object; NULL: there was no policy. */
void policy_report_write(struct json_writer *json, const struct policy_report *report);

/* The claims that measurements and pins can name.  Of one kind of evidence each. */
struct policy_field_kind {
    const char *name;
    uint32_t tees;
    size_t size;   /* exact; 0: text, up to the size of a value */
    size_t offset; /* in struct attest_claims */
    bool is_pin;   /* names a platform rather than a measurement */
};
const struct policy_field_kind *policy_field_find(const char *name, bool is_pin);
/* What the claims have there. */
struct bytes policy_field_of(const struct policy_field_kind *kind,
                             const struct attest_claims *claims);

#endif
