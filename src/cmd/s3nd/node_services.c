/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/s3nd/node_services.h"

#include "services/about.h"

bool node_services_open(struct node *node, struct error *error)
{
    AUTO(services) struct services *made = NULL;
    if (!node_outbound_open(node, error) || !services_new(&made, error) ||
        !services_add(made, &service_about, NULL, error) ||
        !services_add(made, &service_attest, &node->attest, error) ||
        !services_add(made, &service_secret, &node->secret, error) ||
        !services_add(made, &service_key, &node->key, error) ||
        !services_add(made, &service_http, node_outbound_port(node->outbound), error) ||
        !services_add(made, &service_kv, &node->kv,
                      error)) /* the last one: it writes the receipt */
        return false;
    node->services = TAKE(made);
    return true;
}

void node_services_close(struct node *node)
{
    services_free(TAKE(node->services));
    node_outbound_close(node);
}
