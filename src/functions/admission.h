/* SPDX-License-Identifier: Apache-2.0 */
/* The operator's policy: what functions may be, told from their verification reports
 * (wasm/report.h) before a version is registered and before one is served again.  The table
 * [policy] of the node's configuration; docs/versions.md has its rules.  A refusal names the rule.
 */
#ifndef FUNCTIONS_ADMISSION_H
#define FUNCTIONS_ADMISSION_H

#include "base/json.h"
#include "functions/application.h"

/* All zero: everything is allowed. */
struct admission {
    json_t *tree;          /* held; the lists below are parts of it */
    const json_t *kinds;   /* "wasm", "native" */
    const json_t *imports; /* allowed: "module.field", or "module.*" */
    const json_t *no_imports;
    const json_t *features; /* allowed, by their names in docs/inspect.md */
    bool wants_deterministic;
    int64_t module_kib, image_kib, memory_mib; /* 0: no limit */
};

/* INVALID names the key. */
MUST_CHECK bool admission_parse(struct admission *policy, const json_t *table, struct error *error);
void admission_done(struct admission *policy);

/* DENIED: "policy.RULE: function f ...".  `report` NULL: nothing is known about the module, which
 * no rule about modules accepts. */
MUST_CHECK bool admission_check(const struct admission *policy,
                                const struct manifest_function *function,
                                const struct function_image *image, const json_t *report,
                                struct error *error);
/* Each function of a version; `reports` is an object by function, or NULL. */
MUST_CHECK bool admission_check_version(const struct admission *policy,
                                        const struct manifest *manifest,
                                        const struct function_image *images, const json_t *reports,
                                        struct error *error);

#endif
