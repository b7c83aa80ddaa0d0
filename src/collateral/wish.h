/* SPDX-License-Identifier: Apache-2.0 */
/* Which collateral a piece of evidence wants, from which address.  Pure.
 *
 * Addresses: Intel's Provisioning Certification Service, API version 4, which caching services
 * (PCCS) speak too, and AMD's Key Distribution Service (AMD 57230). */
#ifndef COLLATERAL_WISH_H
#define COLLATERAL_WISH_H

#include "attest/attest.h"
#include "collateral/limits.h"

enum collateral_part {
    COLLATERAL_PCK_CHAIN, /* of a quote that only names its certificate */
    COLLATERAL_TCB_INFO,  /* brings the TCB signing chain */
    COLLATERAL_QE_IDENTITY,
    COLLATERAL_PCK_CRL,
    COLLATERAL_ROOT_CRL,
    COLLATERAL_VEK,
    COLLATERAL_INTERMEDIATE,
    COLLATERAL_CRL,
    COLLATERAL_PART_COUNT
};

/* As the options of `s3n verify evidence` name it: "tcb-info". */
const char *collateral_part_name(enum collateral_part part);

/* Where the services are; no slash at the end. */
struct collateral_places {
    const char *intel_url;    /* NULL: "https://api.trustedservices.intel.com" */
    const char *root_crl_url; /* NULL: "https://certificates.trustedservices.intel.com/IntelSGX
                                 RootCA.der", or with another intel_url what a PCCS has */
    const char *amd_url;      /* NULL: "https://kdsintf.amd.com" */
    const char *update;       /* "standard", "early": which TCB info; NULL: the service's choice */
};

/* One piece, and what an answer must be about to be it. */
struct collateral_wish {
    enum collateral_part part;
    char url[COLLATERAL_URL_SIZE_MAX];
    bool is_tdx;      /* TCB_INFO, QE_IDENTITY */
    uint8_t fmspc[6]; /* TCB_INFO, PCK_CHAIN once it is known */
    enum snp_product product;
    bool is_vlek;     /* INTERMEDIATE */
    uint8_t hwid[64]; /* VEK */
    size_t hwid_size;
    struct snp_tcb tcb; /* VEK */
};

struct collateral_wishes {
    struct collateral_wish items[COLLATERAL_PART_COUNT];
    size_t count;
    /* The wishes that follow from a PCK chain can't be told before it is there: ask again with it.
     */
    bool is_partial;
    /* AMD reports of version 2 do not tell their product: the other one to try. */
    enum snp_product other_product;
};

/* What `evidence` needs beyond what it carries and `given` has.  `product`: NONE, or the one to
 * assume for a report that does not tell.  INVALID for what is no evidence; NOT_FOUND when no
 * service has what is missing (a VLEK, the key of a masked chip); the text says which. */
MUST_CHECK bool collateral_wishes_of(struct collateral_wishes *wishes, struct bytes evidence,
                                     const struct attest_collateral *given,
                                     const struct collateral_places *places,
                                     enum snp_product product, struct error *error);
/* What the wishes of evidence depend on, for telling whether collateral still fits: the same for
 * all evidence of one machine at one TCB. */
MUST_CHECK bool collateral_subject_of(struct digest32 *subject, struct bytes evidence,
                                      struct error *error);

#endif
