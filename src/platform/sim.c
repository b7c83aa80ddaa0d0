/* SPDX-License-Identifier: Apache-2.0 */
#include "platform/platform.h"

#include "attest/eat/cmw.h"
#include "attest/sim.h"
#include "base/clock.h"
#include "base/file.h"
#include "core/hex.h"
#include "crypto/hash.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum {
    SIM_FILE_SIZE_MAX = 64 << 10
};

static bool root_load(struct sim_root **root, const char *path, struct error *error)
{
    AUTO_BUFFER struct buffer text;
    buffer_init(&text, SIM_FILE_SIZE_MAX);
    if (!file_read(&text, path, error))
        return false;
    bool done = sim_root_import(root, buffer_view(&text), error);
    secret_wipe(text.data, text.size);
    return done || error_within(error, "%s", path);
}

static bool root_make(struct sim_root **root, const char *path, struct error *error)
{
    AUTO(sim_root) struct sim_root *made = NULL;
    AUTO_SECRET_BUFFER struct secret_buffer text = { 0 };
    int64_t now_s = (int64_t)(clock_realtime_ns(&clock_system) / 1000000000u);
    if (!sim_root_new(&made, now_s, error) || !sim_root_export(&text, made, error) ||
        !file_replace(path, bytes_of(text.data, text.size), 0600, error))
        return error_within(error, "development root");
    *root = TAKE(made);
    return true;
}

/* With the collateral that it is judged by, in one wrapper: nobody else publishes it. */
static bool sim_evidence(void *context, const struct digest64 *report_data, struct buffer *quote,
                         struct error *error)
{
    const struct sim_root *root = context;
    struct attest_collateral collateral;
    if (!sim_collateral(root, &collateral)) /* made by an earlier version */
        return sim_quote(quote, root, report_data->bytes, NULL, error);
    AUTO_BUFFER struct buffer evidence;
    buffer_init(&evidence, PLATFORM_EVIDENCE_MAX);
    if (!sim_quote(&evidence, root, report_data->bytes, NULL, error))
        return false;
    struct cmw cmw;
    cmw_of_evidence(&cmw, ATTEST_TEE_TDX, buffer_view(&evidence), &collateral);
    uint8_t *room = buffer_reserve(quote, PLATFORM_EVIDENCE_MAX);
    struct writer target = writer_into(room, room == NULL ? 0 : PLATFORM_EVIDENCE_MAX);
    cmw_write_cbor(&target, &cmw);
    if (target.failed)
        return error_set(error, ERROR_LIMIT, "evidence with its collateral is too long");
    quote->size += target.size;
    return true;
}

static void sim_close(void *context)
{
    sim_root_free(context);
}

bool platform_open_sim(struct platform *platform, const char *folder, struct error *error)
{
    char path[4096];
    if (snprintf(path, sizeof(path), "%s/sim-root.pem", folder) >= (int)sizeof(path))
        return error_set(error, ERROR_INVALID, "too long a path");
    AUTO(sim_root) struct sim_root *root = NULL;
    bool exists = access(path, F_OK) == 0;
    if (!exists && errno != ENOENT)
        return error_system(error, "look at %s", path);
    if (!(exists ? root_load(&root, path, error) : root_make(&root, path, error)))
        return false;
    /* A machine's platform identity would be here; the development root is all sim has. */
    struct digest32 identity = sha256_of(sim_root_certificate(root));
    struct platform opened = { .name = "sim",
                               .interface = "a development root",
                               .evidence = sim_evidence,
                               .close = sim_close };
    hex_encode(opened.node, bytes_of(identity.bytes, PLATFORM_NODE_SIZE / 2));
    opened.context = TAKE(root);
    *platform = opened;
    return true;
}
