/* SPDX-License-Identifier: Apache-2.0 */
/* What the operator decided: command line over environment over configuration file over defaults.
 * operations/configuration_keys.c lists the keys. */
#ifndef S3ND_CONFIG_H
#define S3ND_CONFIG_H

#include "base/error.h"
#include "cmd/s3nd/config_telemetry.h"
#include "crypto/ecdsa.h"
#include "functions/admission.h"
#include "functions/quota.h"
#include "slipstream/restoring.h"

#include <limits.h>

enum {
    CONFIG_OWNER_COUNT_MAX = 64,
    CONFIG_URL_SIZE_MAX = 255,
    CONFIG_ISSUER_COUNT_MAX = 16,
    CONFIG_HOST_COUNT_MAX = 32,
    CONFIG_ORIGIN_COUNT_MAX = 32,
    CONFIG_ORIGIN_SIZE_MAX = 255,
    CONFIG_HOST_SIZE_MAX = 253,
    CONFIG_ADDRESS_SIZE_MAX = 64,
    CONFIG_SIZE_MAX = 256 << 10
};

enum node_role {
    NODE_ROLE_SUPERVISOR,
    NODE_ROLE_SERVER,     /* started by the supervisor only */
    NODE_ROLE_COLLATERAL, /* the same */
    NODE_ROLE_TELEMETRY,  /* the same */
    NODE_ROLE_KEYS        /* the same: an issuer's keys */
};

enum config_groups {
    CONFIG_GROUPS_AUTO,     /* limits by control groups where they can be had */
    CONFIG_GROUPS_REQUIRED, /* no start without */
    CONFIG_GROUPS_OFF
};

/* Where the root secret comes from: a file of the keeper's, or a key broker. */
struct config_root {
    bool is_brokered;
    char url[256], resource[208], roots[PATH_MAX], protocol[8], key[8];
    uint32_t timeout_ms;
};

struct config_child {
    uint32_t memory_mib; /* 0: by default */
    uint32_t pids;
    uint32_t weight;
};

/* Who is asked for the collateral of this machine's evidence (docs/collateral.md); empty: the
 * usual. */
struct config_collateral {
    bool is_off;
    char intel_url[CONFIG_URL_SIZE_MAX + 1];
    char root_crl_url[CONFIG_URL_SIZE_MAX + 1];
    char amd_url[CONFIG_URL_SIZE_MAX + 1];
    char update[16];
    char authorities[PATH_MAX];
    char intel_key[PATH_MAX];
};

/* Functions' requests to others (docs/outbound.md); lists as s3n-outbound takes them. */
struct config_outbound {
    char allowed[2048]; /* networks besides public addresses */
    char servers[192];  /* name servers; empty: the system's */
    char roots[PATH_MAX];
    uint32_t concurrency; /* of one application */
};

struct config {
    enum node_role role;
    char file[PATH_MAX]; /* empty: none */
    char data_folder[PATH_MAX];
    char listen[CONFIG_ADDRESS_SIZE_MAX]; /* ADDR:PORT, port 0 asks for a free one */
    char admin[CONFIG_ADDRESS_SIZE_MAX];
    char tee[16];
    char backend[16];                    /* kvm, process or auto */
    char restoring[RESTORING_TEXT_SIZE]; /* of the process backend: auto, track, copy or discard;
                                            the server's as restoring_print has it */
    char handover[16];                   /* auto, block or watch */
    bool first_owner_claims;             /* the first to present the claim code becomes an owner */
    struct ecdsa_public owners[CONFIG_OWNER_COUNT_MAX];
    size_t owner_count;
    uint32_t uid_base;          /* users of the children when started by root */
    uint32_t input_kib_max;     /* body of one invocation */
    uint32_t blob_kib_max;      /* one uploaded module */
    uint32_t drain_ms;          /* how long a stop waits for requests under way */
    uint32_t worker_count_max;  /* applications with a live worker */
    uint32_t worker_memory_mib; /* all workers together, estimated; 0: half of the machine's */
    uint32_t worker_idle_s;     /* a worker without work for so long ends; 0: never */
    uint32_t worker_idle_s_min; /* or as early as this when none is to be expected */
    uint32_t lane_count_min;    /* micro-VMs of one application that are ready */
    uint32_t lane_count_max;    /* and that it may have at a time */
    uint32_t spare_count_min;   /* workers kept ahead of need */
    uint32_t spare_count_max;
    struct config_root root;
    enum config_groups groups;
    struct config_child worker_group, compiler_group;
    bool uses_optimiser;    /* where it is installed */
    bool wants_no_smt;      /* starts only where no sibling threads are in use */
    bool wants_mitigations; /* starts only where no known vulnerability is open */
    struct config_collateral collateral;
    struct config_telemetry telemetry;
    char issuers[CONFIG_ISSUER_COUNT_MAX][CONFIG_URL_SIZE_MAX + 1]; /* [access] issuers */
    size_t issuer_count;
    char hosts[CONFIG_HOST_COUNT_MAX][CONFIG_HOST_SIZE_MAX + 1]; /* that are answered; none: all */
    size_t host_count;
    char origins[CONFIG_ORIGIN_COUNT_MAX][CONFIG_ORIGIN_SIZE_MAX + 1]; /* [access] origins */
    size_t origin_count;
    struct config_outbound outbound;
    struct quota_limits quotas;
    struct admission policy; /* what functions may be */
    uint32_t retention_s;    /* that deleted versions and applications are kept */
    struct config_logs {
        uint32_t retention_s; /* that logs are kept */
        uint32_t mib;         /* of one application */
        uint32_t total_mib;
        uint32_t kib_per_s; /* of one application, in the long run */
        uint32_t burst_kib;
    } logs;
    bool show_help, show_version;
};

/* `argv` without the program's name.  USAGE for the command line, INVALID (with file and line) for
 * the configuration. */
MUST_CHECK bool config_read(struct config *config, char **argv, struct error *error);
void config_print_help(void);
/* The file's tables [access], [quotas], [policy], [versions] and [logs]
 * (config_owned.c). */
MUST_CHECK bool config_owned_read(struct config *config, const json_t *root, struct error *error);
/* [outbound] (config_outbound.c). */
MUST_CHECK bool config_outbound_read(struct config *config, const json_t *root,
                                     struct error *error);

#endif
