/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/s3nd/node_services.h"

#include "services/about.h"

bool node_services_open(struct services **services, struct kv_service *kv,
                        const struct attest_source *attest, struct error *error)
{
    AUTO(services) struct services *made = NULL;
    if (!services_new(&made, error) || !services_add(made, &service_about, NULL, error) ||
        !services_add(made, &service_attest, (void *)(uintptr_t)attest, error) ||
        !services_add(made, &service_kv, kv, error)) /* the last one: it writes the receipt */
        return false;
    *services = TAKE(made);
    return true;
}
