/* SPDX-License-Identifier: Apache-2.0 */
#include "platform/platform.h"

#include "attest/eat/cmw.h"
#include "attest/events/events.h"
#include "attest/sim.h"
#include "base/clock.h"
#include "base/file.h"
#include "core/hex.h"
#include "crypto/hash.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    SIM_FILE_SIZE_MAX = 64 << 10
};

/* What stands in sim-rtmr3: the register of the boot that is named. */
struct register_file {
    char boot[PLATFORM_BOOT_SIZE];
    struct digest48 value;
};

struct sim {
    struct sim_root *root;
    int file; /* sim-rtmr3 */
    struct register_file present;
};

static void sim_free(struct sim *sim)
{
    if (sim == NULL)
        return;
    sim_root_free(sim->root);
    file_close(&sim->file);
    free(sim);
}
DEFINE_AUTO(sim, sim_free)

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

/* Another keeper may have extended it since: it is one register of the machine. */
static bool register_read(struct sim *sim, struct error *error)
{
    struct register_file found;
    ssize_t size = pread(sim->file, &found, sizeof(found), 0);
    if (size < 0)
        return error_system(error, "read the simulated RTMR3");
    if (size == (ssize_t)sizeof(found) &&
        memcmp(found.boot, sim->present.boot, sizeof(found.boot)) == 0)
        sim->present = found;
    return true;
}

/* Like the real one it starts with zeros in each boot, and nothing but a boot resets it. */
static bool register_open(struct sim *sim, const char *path, struct error *error)
{
    char boot[PLATFORM_BOOT_SIZE + 1];
    platform_boot(boot);
    memcpy(sim->present.boot, boot, sizeof(sim->present.boot));
    sim->file = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    return sim->file >= 0 ? register_read(sim, error) : error_system(error, "open %s", path);
}

static bool sim_extend(void *context, const struct digest48 *digest, struct error *error)
{
    struct sim *sim = context;
    struct register_file next = sim->present;
    events_extend(&next.value, digest);
    ssize_t size = pwrite(sim->file, &next, sizeof(next), 0);
    if (size < 0)
        return error_system(error, "extend the simulated RTMR3");
    if (size != (ssize_t)sizeof(next))
        return error_set(error, ERROR_NO_SPACE, "extend the simulated RTMR3");
    sim->present = next;
    return true;
}

static bool sim_read_register(void *context, struct digest48 *value, struct error *error)
{
    struct sim *sim = context;
    if (!register_read(sim, error))
        return false;
    *value = sim->present.value;
    return true;
}

static bool quote_make(const struct sim *sim, const struct digest64 *report_data,
                       struct buffer *quote, struct error *error)
{
    struct td_report report;
    sim_measurements(&report);
    memcpy(report.rtmr[3], sim->present.value.bytes, sizeof(report.rtmr[3]));
    return sim_quote(quote, sim->root, report_data->bytes, &report, error);
}

/* With the collateral that it is judged by, in one wrapper: nobody else publishes it. */
static bool sim_evidence(void *context, const struct digest64 *report_data, struct buffer *quote,
                         struct error *error)
{
    const struct sim *sim = context;
    struct attest_collateral collateral;
    if (!sim_collateral(sim->root, &collateral)) /* made by an earlier version */
        return quote_make(sim, report_data, quote, error);
    AUTO_BUFFER struct buffer evidence;
    buffer_init(&evidence, PLATFORM_EVIDENCE_MAX);
    if (!quote_make(sim, report_data, &evidence, error))
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
    sim_free(context);
}

bool platform_open_sim(struct platform *platform, const char *folder, struct error *error)
{
    char path[4096];
    if (snprintf(path, sizeof(path), "%s/sim-root.pem", folder) >= (int)sizeof(path))
        return error_set(error, ERROR_INVALID, "too long a path");
    AUTO(sim) struct sim *sim = calloc(1, sizeof(*sim));
    if (sim == NULL)
        return error_set(error, ERROR_NO_MEMORY, "no memory for a platform");
    sim->file = -1;
    bool exists = access(path, F_OK) == 0;
    if (!exists && errno != ENOENT)
        return error_system(error, "look at %s", path);
    if (!(exists ? root_load(&sim->root, path, error) : root_make(&sim->root, path, error)))
        return false;
    if (snprintf(path, sizeof(path), "%s/sim-rtmr3", folder) >= (int)sizeof(path))
        return error_set(error, ERROR_INVALID, "too long a path");
    if (!register_open(sim, path, error))
        return false;
    /* A machine's platform identity would be here; the development root is all sim has. */
    struct digest32 identity = sha256_of(sim_root_certificate(sim->root));
    struct platform opened = { .name = "sim",
                               .interface = "a development root",
                               .evidence = sim_evidence,
                               .event_register = "rtmr3",
                               .extend = sim_extend,
                               .read_register = sim_read_register,
                               .close = sim_close };
    hex_encode(opened.node, bytes_of(identity.bytes, PLATFORM_NODE_SIZE / 2));
    opened.context = TAKE(sim);
    *platform = opened;
    return true;
}
