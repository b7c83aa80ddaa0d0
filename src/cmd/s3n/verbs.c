/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/s3n/cli.h"

const struct verb *const verbs[] = {
    /* with a node */
    &verb_login,
    &verb_deploy,
    &verb_invoke,
    &verb_ls,
    &verb_status,
    &verb_rm,
    &verb_restore,
    &verb_versions,
    &verb_rollout,
    &verb_rollback,
    &verb_release,
    &verb_kv,
    &verb_secret,
    &verb_token,
    &verb_member,
    &verb_owner,
    &verb_audit,
    &verb_logs,
    /* of a node's operator */
    &verb_node,
    /* without a node */
    &verb_verify,
    &verb_measure,
    &verb_kbs,
    &verb_run,
    &verb_compile,
    &verb_inspect,
    &verb_doctor,
    &verb_completion,
    &verb_version,
    &verb_help,
    NULL,
};
