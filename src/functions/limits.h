/* SPDX-License-Identifier: Apache-2.0 */
/* What functions refuses to exceed.  Sizes in bytes unless the name says otherwise. */
#ifndef FUNCTIONS_LIMITS_H
#define FUNCTIONS_LIMITS_H

#include "access/limits.h"

enum {
    NAME_SIZE_MAX = 63, /* of an application or function: a DNS label */
    VERSION_SIZE_MAX = 64,

    MANIFEST_SIZE_MAX = 256 << 10,
    MANIFEST_FUNCTION_COUNT_MAX = 64,
    MANIFEST_ROUTE_COUNT_MAX = 64,
    MANIFEST_ENVIRONMENT_COUNT_MAX = 64,
    ENVIRONMENT_NAME_SIZE_MAX = 64,
    ENVIRONMENT_VALUE_SIZE_MAX = 4096,
    ROUTE_SIZE_MAX = 255,
    ROUTE_PARAMETER_COUNT_MAX = 8,
    SOURCE_PATH_SIZE_MAX = 1024,
    BUILD_COMMAND_SIZE_MAX = 4096,

    MEMORY_MIB_MAX = 1024,
    MEMORY_MIB_DEFAULT = 64,
    TIMEOUT_MS_MAX = 300000,
    TIMEOUT_MS_DEFAULT = 10000,
    CONCURRENCY_MAX = 64,
    CONCURRENCY_DEFAULT = 8,
    OUTPUT_KIB_MAX = 16384,
    OUTPUT_KIB_DEFAULT = 1024,
    LOG_KIB_MAX = 1024,
    LOG_KIB_DEFAULT = 64,
    STACK_KIB_MAX = 8192, /* LAYOUT_FRAMES_SIZE */
    SCRATCH_KIB_MAX = 256 << 10,
    SCRATCH_KIB_DEFAULT = 16 << 10,
    HOST_CALLS_MAX = 1000000,
    HOST_CALLS_DEFAULT = 10000,
    PAD_OUTPUT_MAX = 16 << 20,
    MANIFEST_FILES_COUNT_MAX = 64,
    MANIFEST_PERMISSION_COUNT_MAX = 64, /* names of one kind */
    MANIFEST_STATE_MIB_MAX = 64,        /* what any application may have (state/limits.h) */
    MANIFEST_STATE_ENTRIES_MAX = 100000,
    INVOCATION_RETRIES_DEFAULT = 8, /* after conflicts */
    INVOCATION_RETRIES_MAX = 64,    /* that a manifest may ask for */

    /* [middleware] */
    MIDDLEWARE_ITEM_COUNT_MAX = 64, /* of one list */
    MIDDLEWARE_ITEM_SIZE_MAX = 64,  /* a field's name */
    MIDDLEWARE_BODY_KIB_MAX = 1 << 20,
    MIDDLEWARE_CONCURRENCY_MAX = 4096,
    MIDDLEWARE_QUEUE_MAX = 4096,
    MIDDLEWARE_QUEUE_MS_MAX = 30000,
    MIDDLEWARE_QUEUE_MS_DEFAULT = 5000,
    RATE_PER_MINUTE_MAX = 1000000,
    RATE_BURST_SHARE = 6,                /* by default: what comes in ten seconds */
    RESULT_RETENTION_S_MAX = 30 * 86400, /* of answers under an Idempotency-Key */
    RESULT_RETENTION_S_DEFAULT = 86400,
    CACHE_CONTROL_SIZE_MAX = 128,
    MIDDLEWARE_PAGE_COUNT_MAX = 32,
    CORS_MAX_AGE_S_MAX = 86400,
    CORS_MAX_AGE_S_DEFAULT = 600,

    APPLICATION_COUNT_MAX = 1024, /* on one node */
    OWNER_COUNT_MAX = 256,
    OWNER_KEY_COUNT_MAX = 64, /* one after the other */
    OWNER_OVERLAP_S_MAX = 30 * 86400,
    OWNER_STEP_AGE_S_MAX = 300,  /* of a statement when it comes */
    CLAIM_ATTEMPT_COUNT_MAX = 5, /* wrong codes in one window */
    CLAIM_WINDOW_MS = 10000,
    MODULE_SIZE_MAX = 64 << 20,
    IMAGE_SIZE_MAX = 256 << 20,
    BLOBS_KEPT_COUNT = 32,       /* open as files at once, */
    BLOBS_KEPT_SIZE = 128 << 20, /* and their bytes together */
    COMPILATION_COUNT_MAX = 2,   /* at once */
    DEPLOYMENT_COUNT_MAX = 32,   /* under way or waiting */

    LANE_COUNT_MAX = 64,                /* of one worker: micro-VMs of one version at once */
    LANE_COUNT_DEFAULT = 16,            /* the most, unless the operator says otherwise */
    LANE_HOLD_MS = 10000,               /* that a lane stays ready after it was needed last */
    STATION_COUNT_MAX = 16,             /* invocations that one of them may have before it */
    LANE_MEMORY_KIB = 768,              /* an instance without its memory, for estimates */
    LANE_MEMORY_TYPICAL_KIB = 1024,     /* linear memory of one that has not run yet */
    WORKER_MEMORY_KIB = 512,            /* its process */
    LOOK_US = 200,                      /* without waiting, after the last sign of work */
    FORETOLD_INPUT_SIZE_MAX = 64 << 10, /* of invocations that may have calls foretold */
    WAITING_COUNT_MAX = 64,             /* invocations of one version that wait for a slot */
    WAITING_MS_MAX = 10000,             /* then they are refused */
    OVERTIME_MS = 2000,                 /* beyond its time limit: its worker is killed */
    STRINGS_SIZE_MAX = 128 << 10,       /* arguments and environment of one invocation */
    VARIABLE_COUNT_MAX = 256,           /* environment of one invocation */
    WORKER_ANSWER_TIMEOUT_MS = 3000,    /* to open, to load */
    WORKER_START_RETRIES_MAX = 2,
    RECEIPT_KEPT_COUNT = 4096,
    VERSION_COUNT_MAX = 1000,          /* of one application */
    VERSION_RECORD_SIZE_MAX = 1 << 20, /* STORE_VALUE_SIZE_MAX */
    ACTOR_SIZE_MAX = ACCESS_ACTOR_SIZE_MAX,
    AUDIT_ENTRY_SIZE_MAX = 4096,
    MEMBER_COUNT_MAX = 4096, /* of all accounts of a node */
    MEMBER_OF_ACCOUNT_MAX = 64,
    TOKEN_COUNT_MAX = 8192,
    TOKEN_OF_ACCOUNT_MAX = 256,
    TOKEN_LIFE_S_DEFAULT = 90 * 86400,
    TOKEN_LIFE_S_MAX = 366 * 86400,
    TOKEN_KEPT_S = 7 * 86400,      /* listed after it expired */
    TOKEN_USE_STEP_S = 60,         /* last uses are stored no finer */
    SECRET_COUNT_MAX = 128,        /* of one application */
    SECRET_RECORD_COUNT_MAX = 512, /* with those that were removed */
    SECRET_VERSION_COUNT_MAX = 8,  /* of one secret, readable at once */
    SECRET_HISTORY_COUNT_MAX = 32, /* changes that its record keeps */
    SECRET_RELEASE_COUNT_MAX = 64, /* functions' versions in its record */
    SECRETS_SIZE_MAX = 1 << 20,    /* bytes of all values of one application */
    GARBAGE_COUNT_MAX = 1024,      /* images that were replaced, until they are swept */
    GARBAGE_AGE_S = 60,
    UPLOAD_AGE_S = 86400, /* blobs that no version names are kept so long */
};

#define SECRET_OVERLAP_S_MAX        INT64_C(31622400) /* 366 days */
#define FUEL_MAX                    UINT64_C(1000000000000000)
#define DURATION_NS_MAX             UINT64_C(60000000000)
#define CLOCK_RESOLUTION_NS_DEFAULT UINT64_C(1000000)

#endif
