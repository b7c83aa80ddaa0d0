/* SPDX-License-Identifier: Apache-2.0 */
/* What this module accepts at most, by name. */
#ifndef COLLATERAL_LIMITS_H
#define COLLATERAL_LIMITS_H

enum {
    COLLATERAL_URL_SIZE_MAX = 2048,     /* an encrypted PPID has 768 digits */
    COLLATERAL_BODY_SIZE_MAX = 1 << 20, /* of one answer; real ones have up to 60 KiB */
    COLLATERAL_CHAIN_SIZE_MAX = 16384,  /* an issuer chain, decoded */
    COLLATERAL_FILE_SIZE_MAX = 2 << 20, /* of one piece in the cache */
    COLLATERAL_FILE_COUNT_MAX = 512,    /* in the cache; the oldest makes room */
    COLLATERAL_TRY_COUNT_MAX = 3,       /* for one piece */
    COLLATERAL_TRY_TIMEOUT_MS = 15000,  /* of one of them */
    COLLATERAL_TIMEOUT_MS = 60000,      /* of all pieces together, unless said otherwise */
    COLLATERAL_PAUSE_MS = 500,          /* before the second try, doubled each time */
    COLLATERAL_REFUSAL_S_MAX = 86400    /* a service's Retry-After is believed up to a day */
};

/* When what is in date is asked for again. */
enum {
    COLLATERAL_LIST_AGE_S = 86400,             /* lists, TCB info, identities */
    COLLATERAL_CERTIFICATE_AGE_S = 30 * 86400, /* certificates */
    COLLATERAL_AGE_S_MIN = 3600,               /* whatever Cache-Control says */
    COLLATERAL_MARGIN_S_MAX = 7 * 86400 /* before the end; a quarter of the validity if less */
};

#endif
