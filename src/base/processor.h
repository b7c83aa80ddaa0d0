/* SPDX-License-Identifier: Apache-2.0 */
/* What the processor shares and leaks, as the kernel tells it, and what it can do. */
#ifndef BASE_PROCESSOR_H
#define BASE_PROCESSOR_H

#include "base/error.h"

enum {
    PROCESSOR_VULNERABILITIES_MAX = 64,
    PROCESSOR_NAME_SIZE_MAX = 48,
    PROCESSOR_STATE_SIZE_MAX = 160
};

struct processor_vulnerability {
    char name[PROCESSOR_NAME_SIZE_MAX];
    char state[PROCESSOR_STATE_SIZE_MAX]; /* the kernel's words: "Not affected", "Mitigation: ...",
                                             "Vulnerable ..." */
    bool is_open;                         /* "Vulnerable" or not known */
};

struct processor {
    char model[PROCESSOR_NAME_SIZE_MAX + 1]; /* of cpuid; empty when it has none */
    unsigned core_count;                     /* online, as the kernel counts */
    bool knows_smt, uses_smt;                /* sibling threads are in use */
    bool has_v3;                             /* x86-64-v3: what compiled code needs */
    struct processor_vulnerability vulnerabilities[PROCESSOR_VULNERABILITIES_MAX];
    size_t vulnerability_count; /* ascending names; 0: the kernel tells none */
};

#define PROCESSOR_FOLDER "/sys/devices/system/cpu"

/* `folder`: PROCESSOR_FOLDER, or a stand-in for tests. */
void processor_read(struct processor *processor, const char *folder);
/* Names those that are open, or "none"; cut when there are many. */
void processor_open_names(const struct processor *processor, char *text, size_t size);

#endif
