/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/s3n/trust.h"
#include "attest/policy/policy_file.h"
#include "attest/trust_anchor.h"
#include "base/file.h"
#include "core/hex.h"
#include "crypto/hash.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void trust_init(struct trust *trust)
{
    *trust = (struct trust){ .policy_id = "default" };
    buffer_init(&trust->policy_text, POLICY_FILE_SIZE_MAX);
    buffer_init(&trust->root, TRUST_ROOT_SIZE_MAX);
}

void trust_done(struct trust *trust)
{
    buffer_done(&trust->policy_text);
    buffer_done(&trust->root);
    free(TAKE(trust->policy));
}

bool trust_use_policy(struct trust *trust, const char *name, struct bytes text, struct error *error)
{
    AUTO_FREE struct policy *policy = NULL;
    char id[TRUST_POLICY_ID_SIZE] = "default";
    if (text.size > 0) {
        policy = malloc(sizeof(*policy));
        if (policy == NULL)
            return error_set(error, ERROR_NO_MEMORY, "no memory for a policy");
        if (!policy_parse(policy, name, text, error))
            return false;
        struct digest32 digest = sha256_of(text);
        snprintf(id, sizeof(id), "sha-256:%s", hex_of_digest(&digest).text);
    }
    if (text.data != trust->policy_text.data) {
        buffer_clear(&trust->policy_text);
        buffer_append(&trust->policy_text, text);
    }
    free(trust->policy);
    trust->policy = TAKE(policy);
    trust->is_policy_left_out = false;
    memcpy(trust->policy_id, id, sizeof(id));
    return !trust->policy_text.failed ||
           error_set(error, ERROR_LIMIT, "%s: a policy has at most %d bytes", name,
                     POLICY_FILE_SIZE_MAX);
}

bool trust_read_policy(struct trust *trust, const char *path, bool is_none_allowed,
                       struct error *error)
{
    AUTO_BUFFER struct buffer text;
    buffer_init(&text, POLICY_FILE_SIZE_MAX);
    if (path == NULL)
        return true;
    if (is_none_allowed && strcmp(path, "none") == 0) {
        trust->is_policy_left_out = true;
        return true;
    }
    if (!file_read(&text, path, error))
        return false;
    /* An empty file is no policy: it lacks its version. */
    if (text.size == 0)
        return error_set(error, ERROR_INVALID, "%s: the file is empty", path);
    return trust_use_policy(trust, path, buffer_view(&text), error);
}

bool trust_use_root(struct trust *trust, const char *name, struct bytes root, struct error *error)
{
    AUTO_FREE struct x509_chain *chain = malloc(sizeof(*chain));
    if (chain == NULL)
        return error_set(error, ERROR_NO_MEMORY, "no memory for a certificate");
    if (root.size > 0 && !trust_anchor_read(chain, root, error))
        return error_within(error, "root %s", name);
    buffer_clear(&trust->root);
    if (root.size > 0)
        buffer_append(&trust->root, chain->certificates[0].der);
    return !trust->root.failed || error_set(error, ERROR_NO_MEMORY, "no memory for a certificate");
}

bool trust_read_root(struct trust *trust, const char *path, struct error *error)
{
    AUTO_BUFFER struct buffer text;
    buffer_init(&text, TRUST_ROOT_SIZE_MAX);
    if (path == NULL)
        return true;
    if (!file_read(&text, path, error))
        return false;
    /* Who names a root wants no other. */
    if (text.size == 0)
        return error_set(error, ERROR_USAGE, "root %s: the file is empty", path);
    return trust_use_root(trust, path, buffer_view(&text), error);
}

void trust_apply(const struct trust *trust, struct verify_options *options)
{
    if (trust->policy != NULL && trust->trust_simulated)
        trust->policy->allow_simulated = true; /* whatever the file says */
    options->trust_simulated = trust->trust_simulated;
    options->policy = trust->policy;
    options->policy_id = trust->policy_id;
    options->is_policy_left_out = trust->is_policy_left_out;
    options->root = buffer_view(&trust->root);
}

void policy_lines_append(struct buffer *text, const struct policy_report *report,
                         const char *indent)
{
    for (size_t i = 0; i < report->rule_count; i++)
        buffer_format(text, "%s%s policy %-21s %s (wanted: %s)\n", indent,
                      report->rules[i].is_met ? "✓" : "✗", report->rules[i].name,
                      report->rules[i].value, report->rules[i].wanted);
}
