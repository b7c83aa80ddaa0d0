/* SPDX-License-Identifier: Apache-2.0 */
/* What the supervisor writes for the operator: the certificate, and the claim code while the node
 * has no owner.  And that the node serves. */
#include "base/log.h"
#include "cmd/s3nd/identity.h"
#include "cmd/s3nd/node.h"
#include "cmd/s3nd/node_control.h"
#include "crypto/random.h"

enum {
    LATER_MS = 200
};

static void claim_code(struct node *node, char code[CLAIM_CODE_SIZE + 1])
{
    code[0] = '\0';
    if (owners_count(node->owners) == 0 && node->config->first_owner_claims)
        claim_open(node->owners, code);
}

static bool publish(struct node *node, struct error *error)
{
    char code[CLAIM_CODE_SIZE + 1];
    struct error unwritten;
    claim_code(node, code);
    /* A disk that is full is no reason not to serve what is there. */
    if (!supervisor_request_wait(node->supervisor, SUPERVISOR_CERTIFICATE,
                                 buffer_view(&node->identity.certificate), NULL, &unwritten))
        log_error("write tls.crt", &unwritten);
    bool published = supervisor_request_wait(node->supervisor, SUPERVISOR_CLAIM_CODE,
                                             bytes_of_string(code), NULL, error) &&
                     supervisor_request_wait(node->supervisor, SUPERVISOR_READY,
                                             (struct bytes){ 0 }, NULL, error);
    secret_wipe(code, sizeof(code));
    if (published)
        node_control_start(node);
    return published;
}

/* --- a successor's --- */

static void written(void *context, struct ipc_message *answer, const struct error *error)
{
    if (answer == NULL)
        log_error(context, error);
}

static void said(void *context, struct ipc_message *answer, const struct error *error)
{
    struct node *node = context;
    if (answer == NULL)
        log_error("ready", error);
    if (!node->stopping && node->control == NULL)
        node_control_start(node);
}

static void publish_later(uv_timer_t *timer)
{
    static char certificate[] = "write tls.crt", claim[] = "write claim-code";
    struct node *node = timer->data;
    struct error error;
    char code[CLAIM_CODE_SIZE + 1];
    claim_code(node, code);
    if (!supervisor_request(node->supervisor, SUPERVISOR_CERTIFICATE,
                            buffer_view(&node->identity.certificate), NULL, 0, written, certificate,
                            &error) ||
        !supervisor_request(node->supervisor, SUPERVISOR_CLAIM_CODE, bytes_of_string(code), NULL, 0,
                            written, claim, &error) ||
        !supervisor_request(node->supervisor, SUPERVISOR_READY, (struct bytes){ 0 }, NULL, 0, said,
                            node, &error))
        log_error("publish", &error);
    secret_wipe(code, sizeof(code));
}

bool node_publish(struct node *node, bool is_successor, struct error *error)
{
    if (!is_successor)
        return publish(node, error);
    uv_timer_init(&node->loop, &node->publication);
    node->publication.data = node;
    node->has_publication = true;
    uv_timer_start(&node->publication, publish_later, LATER_MS, 0);
    return true;
}

void node_publish_end(struct node *node)
{
    if (node->has_publication)
        uv_close((uv_handle_t *)&node->publication, NULL);
}
