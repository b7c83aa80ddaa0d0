/* SPDX-License-Identifier: Apache-2.0 */
/* The services that this node's functions may call (services/services.h), one line each. */
#ifndef CMD_S3ND_NODE_SERVICES_H
#define CMD_S3ND_NODE_SERVICES_H

#include "services/attest.h"
#include "services/kv.h"

/* `kv` and `attest` outlive the services. */
MUST_CHECK bool node_services_open(struct services **services, struct kv_service *kv,
                                   const struct attest_source *attest, struct error *error);

#endif
