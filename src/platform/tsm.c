/* SPDX-License-Identifier: Apache-2.0 */
/* configfs-tsm (Linux 6.7, Documentation/ABI/testing/configfs-tsm): report data into `inblob`,
 * evidence out of `outblob`.  Whoever else writes to the same entry is noticed by its generation,
 * which grows by one with each write; then all is done again.
 *
 * An SNP report comes with the host's certificate table (`auxblob`), which is put behind it. */
#include "platform/kernel_file.h"
#include "platform/platform.h"

#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    TRY_COUNT_MAX = 16,
    PAUSE_MS = 50, /* while the device is busy */
    TEXT_SIZE_MAX = 128
};

#define REPORTS "/sys/kernel/config/tsm/report"
#define RTMR3   "/sys/devices/virtual/misc/tdx_guest/measurements/rtmr3:sha384"

struct tsm {
    int entry; /* our folder below REPORTS */
    int rtmr3; /* the register's file, or -1 */
    bool is_snp;
    unsigned timeout_ms;
};

static void tsm_free(struct tsm *tsm)
{
    if (tsm == NULL)
        return;
    file_close(&tsm->entry);
    file_close(&tsm->rtmr3);
    free(tsm);
}
DEFINE_AUTO(tsm, tsm_free)

/* A line of text, without its end. */
static bool text_read(const struct tsm *tsm, const char *name, const struct deadline *deadline,
                      char text[TEXT_SIZE_MAX + 1], struct error *error)
{
    AUTO_BUFFER struct buffer content;
    buffer_init(&content, TEXT_SIZE_MAX + (16 << 10));
    if (!kernel_read(tsm->entry, name, deadline, &content, error))
        return false;
    if (content.size > TEXT_SIZE_MAX)
        return error_set(error, ERROR_INVALID, "%s is no line of text", name);
    memcpy(text, content.data, content.size);
    text[content.size] = '\0';
    text[strcspn(text, "\n")] = '\0';
    return true;
}

static bool generation_read(const struct tsm *tsm, const struct deadline *deadline,
                            uint64_t *generation, struct error *error)
{
    char text[TEXT_SIZE_MAX + 1], *end;
    if (!text_read(tsm, "generation", deadline, text, error))
        return false;
    *generation = strtoull(text, &end, 10);
    return (text[0] >= '0' && text[0] <= '9' && *end == '\0') ||
           error_set(error, ERROR_INVALID, "generation is no number");
}

/* Whether the same may work a moment later: the device is busy, or was interrupted. */
static bool is_passing(const struct error *error)
{
    return error->os_errno == EBUSY || error->os_errno == EAGAIN || error->os_errno == ETIMEDOUT ||
           error->os_errno == EWOULDBLOCK;
}

/* One round; *is_ours tells whether nobody wrote in between. */
static bool round_try(const struct tsm *tsm, const struct digest64 *report_data,
                      const struct deadline *deadline, struct buffer *evidence, bool *is_ours,
                      struct error *error)
{
    uint64_t before, after;
    buffer_clear(evidence);
    if (!generation_read(tsm, deadline, &before, error) ||
        !kernel_write(tsm->entry, "inblob", BYTES_OF(report_data->bytes), deadline, error) ||
        !kernel_read(tsm->entry, "outblob", deadline, evidence, error))
        return false;
    if (tsm->is_snp && evidence->size == SNP_REPORT_SIZE &&
        !kernel_read(tsm->entry, "auxblob", deadline, evidence, error) &&
        error->os_errno != ENOENT && error->os_errno != ENXIO)
        return false;
    if (!generation_read(tsm, deadline, &after, error))
        return false;
    *is_ours = after == before + 1;
    return true;
}

static bool rounds_try(const struct tsm *tsm, const struct digest64 *report_data,
                       const struct deadline *deadline, struct buffer *evidence,
                       struct error *error)
{
    for (int i = 0; i < TRY_COUNT_MAX; i++) {
        struct error failure = { 0 };
        bool is_ours = false;
        if (round_try(tsm, report_data, deadline, evidence, &is_ours, &failure)) {
            if (is_ours)
                return true;
        } else if (!is_passing(&failure)) {
            *error = failure;
            return false;
        }
        if (deadline_is_over(deadline))
            break;
        deadline_sleep(deadline, PAUSE_MS);
    }
    return error_set(error, ERROR_TIMEOUT,
                     "configfs-tsm: busy, or others kept asking through the same entry");
}

static bool tsm_evidence(void *context, const struct digest64 *report_data, struct buffer *evidence,
                         struct error *error)
{
    const struct tsm *tsm = context;
    AUTO_BUFFER struct buffer found;
    struct deadline deadline;
    buffer_init(&found, PLATFORM_EVIDENCE_MAX + (16 << 10));
    deadline_begin(&deadline, tsm->timeout_ms);
    bool done = rounds_try(tsm, report_data, &deadline, &found, error);
    deadline_end();
    if (done)
        buffer_append(evidence, buffer_view(&found));
    return done && (!evidence->failed || error_set(error, ERROR_LIMIT, "evidence is too long"));
}

/* Linux 6.16: one write of 48 bytes at the start extends. */
static bool tsm_extend(void *context, const struct digest48 *digest, struct error *error)
{
    const struct tsm *tsm = context;
    struct deadline deadline;
    ssize_t size;
    deadline_begin(&deadline, tsm->timeout_ms);
    do {
        size = pwrite(tsm->rtmr3, digest->bytes, sizeof(digest->bytes), 0);
    } while (size < 0 && errno == EINTR && !deadline_is_over(&deadline));
    int failure = errno;
    deadline_end();
    errno = failure;
    return size == (ssize_t)sizeof(digest->bytes) || error_system(error, "extend RTMR3");
}

static bool tsm_read_register(void *context, struct digest48 *value, struct error *error)
{
    const struct tsm *tsm = context;
    struct deadline deadline;
    struct digest48 found;
    ssize_t size;
    deadline_begin(&deadline, tsm->timeout_ms);
    do {
        size = pread(tsm->rtmr3, found.bytes, sizeof(found.bytes), 0);
    } while (size < 0 && errno == EINTR && !deadline_is_over(&deadline));
    int failure = errno;
    deadline_end();
    errno = failure;
    if (size < 0)
        return error_system(error, "read RTMR3");
    if (size != (ssize_t)sizeof(found.bytes))
        return error_set(error, ERROR_INVALID, "RTMR3 has %zd bytes", size);
    *value = found;
    return true;
}

static bool tsm_jailed(void *context, struct error *error)
{
    struct tsm *tsm = context;
    return kernel_folder_jailed(&tsm->entry, error);
}

static void tsm_close(void *context)
{
    tsm_free(context);
}

/* The kernel makes an entry's files root's. */
static void entry_give(const struct tsm *tsm, uid_t user)
{
    static const char *const names[] = { "inblob",     "outblob",  "auxblob",
                                         "generation", "provider", "." };
    for (size_t i = 0; geteuid() == 0 && user != 0 && i < ARRAY_COUNT(names); i++)
        if (fchownat(tsm->entry, names[i], user, (gid_t)-1, AT_SYMLINK_NOFOLLOW) != 0 &&
            errno != ENOENT)
            return; /* reading tells */
}

/* Makes our entry, or takes the one that an earlier start left. */
static bool entry_open(struct tsm *tsm, char **folder, const struct platform_options *options,
                       struct error *error)
{
    char name[32], path[sizeof(REPORTS) + 40];
    AUTO_CLOSE int reports = -1;
    if (!kernel_open(&reports, options->system_root, REPORTS, O_RDONLY | O_DIRECTORY, error))
        return false;
    snprintf(name, sizeof(name), "s3n-%u", (unsigned)geteuid());
    if (mkdirat(reports, name, 0700) != 0 && errno != EEXIST) {
        bool is_absent = errno == ENXIO || errno == ENODEV; /* no provider has registered */
        error_system(error, "make " REPORTS "/%s", name);
        if (is_absent)
            error->code = ERROR_UNAVAILABLE;
        return false;
    }
    tsm->entry = openat(reports, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (tsm->entry < 0)
        return error_system(error, "open " REPORTS "/%s", name);
    entry_give(tsm, options->user);
    snprintf(path, sizeof(path), REPORTS "/%s", name);
    return kernel_path(folder, options->system_root, path, error);
}

static bool provider_check(struct tsm *tsm, enum attest_tee tee, struct error *error)
{
    char provider[TEXT_SIZE_MAX + 1];
    struct deadline deadline;
    deadline_begin(&deadline, tsm->timeout_ms);
    bool done = text_read(tsm, "provider", &deadline, provider, error);
    deadline_end();
    if (!done)
        return false;
    tsm->is_snp = strcmp(provider, "sev_guest") == 0;
    if (strcmp(provider, tee == ATTEST_TEE_SNP ? "sev_guest" : "tdx_guest") != 0)
        return error_set(error, ERROR_UNAVAILABLE, "configfs-tsm is served by %s",
                         error_quote(bytes_of_string(provider)).text);
    return true;
}

bool platform_open_tsm(struct platform *platform, enum attest_tee tee,
                       const struct platform_options *options, struct error *error)
{
    AUTO(tsm) struct tsm *tsm = calloc(1, sizeof(*tsm));
    AUTO_FREE char *folder = NULL;
    struct error absent;
    if (tsm == NULL)
        return error_set(error, ERROR_NO_MEMORY, "no memory for a platform");
    *tsm = (struct tsm){ .entry = -1, .rtmr3 = -1, .timeout_ms = options->timeout_ms };
    if (!entry_open(tsm, &folder, options, error) || !provider_check(tsm, tee, error))
        return false;
    /* Kernels before 6.16 have none; one that is there and can't be used is no reason to do
     * without.
     */
    if (tee == ATTEST_TEE_TDX &&
        !kernel_open(&tsm->rtmr3, options->system_root, RTMR3, O_RDWR, &absent) &&
        absent.code != ERROR_UNAVAILABLE) {
        *error = absent;
        return false;
    }
    *platform = (struct platform){ .name = attest_tee_name(tee),
                                   .interface = "configfs-tsm",
                                   .evidence = tsm_evidence,
                                   .jailed = tsm_jailed,
                                   .close = tsm_close };
    if (tsm->rtmr3 >= 0) {
        platform->event_register = "rtmr3";
        platform->extend = tsm_extend;
        platform->read_register = tsm_read_register;
    }
    platform->context = TAKE(tsm);
    platform->folder = TAKE(folder);
    return true;
}
