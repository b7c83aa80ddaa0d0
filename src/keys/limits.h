/* SPDX-License-Identifier: Apache-2.0 */
/* What the module accepts at most. */
#ifndef KEYS_LIMITS_H
#define KEYS_LIMITS_H

enum {
    KEYS_NODE_SIZE = 32,                /* hexadecimal digits of a node's id */
    KEYS_PLATFORM_SIZE_MAX = 15,        /* characters of a platform's name */
    KEYS_REGISTER_SIZE_MAX = 7,         /* of the name of an event log's register */
    KEYS_NAME_SIZE_MAX = 64,            /* characters of the names in a receipt */
    KEYS_ROUTE_SIZE_MAX = 256,          /* bytes of the path that triggered an invocation */
    KEYSET_SIZE_MAX = 2048,             /* bytes of a keyset's JSON */
    KEYSET_VALIDITY_MAX_S = 2 * 3600,   /* a receipt key lives an hour, and overlaps the next */
    RECEIPT_SIZE_MAX = 24 << 10,        /* characters of a receipt */
    RECEIPT_CLAIMS_SIZE_MAX = 16 << 10, /* bytes of its claims as JSON */
    RECEIPT_USE_COUNT_MAX = 32,         /* services' facts in a receipt */
    RECEIPT_USE_NAME_SIZE_MAX = 128,    /* characters of one's name */
    EVIDENCE_SIZE_MAX = 64 << 10,       /* bytes of evidence with its collateral */
    ATTESTATION_SIZE_MAX = 160 << 10,   /* bytes of an attestation, without event log */
    BUNDLE_SIZE_MAX = 20 << 20,         /* bytes of a receipt bundle with its event log */
    KEEPER_SEAL_SIZE_MAX = (1 << 20) + (64 << 10), /* bytes sealed or opened in one request */
    KEEPER_PAYLOAD_MAX = KEEPER_SEAL_SIZE_MAX + 4096,
    SECRET_NAME_SIZE_MAX = 64,        /* characters of the name of an application's secret */
    SECRET_VALUE_SIZE_MAX = 64 << 10, /* bytes of its value */
    KEEPER_CLOCK_SKEW_MAX_S = 300,    /* how far ahead a keyset's validity may begin */
    KEEPER_KEYSETS_MAX = 4,           /* endorsed keysets for which evidence is given */
    NODE_COMMITS_AHEAD_MAX = 256,     /* of store.db, beyond what the keeper remembers */
    KEEPER_ANCHOR_WAIT_MS = 3000,     /* for a successor, before a commit fails */
    KEY_PATH_SIZE_MAX = 96,           /* characters of the path of an application's key */
    KEY_DERIVED_SIZE_MAX = 1024,      /* bytes that one derivation gives */
    KEY_MESSAGE_SIZE_MAX = 288 << 10, /* bytes to sign or open, with all beside them */
    KEEPER_RELEASES_MAX = 1024,       /* releases of secrets that are known to be in the log */
    KEEPER_TIMEOUT_MS = 10000,        /* how long a client waits for an answer */
    KBS_NAME_SIZE_MAX = 64,           /* characters of each name of a resource */
    KBS_NONCE_SIZE_MAX = 256,         /* characters of a key broker's nonce */
    KBS_RUNTIME_SIZE_MAX = 2048,      /* bytes of nonce and key as JSON */
    KBS_TOKEN_SIZE_MAX = 32 << 10,    /* characters of its token */
    RELAY_TIMEOUT_MS = 9000,          /* how long the keeper waits for one answer of a key broker */
    RELAY_EXCHANGES_MAX = 8,          /* requests that one relay carries */
    KBS_BODY_SIZE_MAX = 256 << 10,    /* bytes of one of its messages, either way */
    KEEPER_EVENTS_SIZE_MAX = 1 << 20, /* bytes of the event log in one answer */
};

#define KEYS_NUMBER_MAX ((INT64_C(1) << 53) - 1) /* what every JSON reader holds exactly */

#endif
