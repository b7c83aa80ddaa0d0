/* SPDX-License-Identifier: Apache-2.0 */
#include "platform/platform.h"

#include "base/file.h"
#include "crypto/random.h"

#include <stdlib.h>
#include <string.h>

static bool open_tsm_tdx(struct platform *platform, const struct platform_options *options,
                         struct error *error)
{
    return platform_open_tsm(platform, ATTEST_TEE_TDX, options, error);
}

static bool open_tsm_snp(struct platform *platform, const struct platform_options *options,
                         struct error *error)
{
    return platform_open_tsm(platform, ATTEST_TEE_SNP, options, error);
}

/* In the order of probing. */
static const struct provider {
    enum attest_tee tee;
    bool (*open)(struct platform *platform, const struct platform_options *options,
                 struct error *error);
} providers[] = {
    { ATTEST_TEE_TDX, open_tsm_tdx },
    { ATTEST_TEE_SNP, open_tsm_snp },
    { ATTEST_TEE_TDX, platform_open_tdx_guest },
    { ATTEST_TEE_NITRO, platform_open_nsm },
    { ATTEST_TEE_SGX, platform_open_gramine },
};

bool platform_is_name(const char *tee)
{
    enum attest_tee found;
    return strcmp(tee, "auto") == 0 || strcmp(tee, "sim") == 0 || attest_tee_find(&found, tee);
}

/* Asks once, about numbers nobody knew before: an interface that answers with something else lies.
 */
static bool prove(struct platform *platform, enum attest_tee tee, struct error *error)
{
    struct digest64 report_data;
    AUTO_BUFFER struct buffer evidence;
    buffer_init(&evidence, PLATFORM_EVIDENCE_MAX);
    random_bytes(report_data.bytes, sizeof(report_data.bytes));
    if ((platform->evidence(platform->context, &report_data, &evidence, error) &&
         platform_identify(platform, tee, buffer_view(&evidence), &report_data, error)))
        return true;
    (void)!error_within(error, "%s of %s", platform->interface, platform->name);
    platform_close(platform);
    return false;
}

/* The first provider that is there.  One that is there and fails ends the search: a machine with a
 * broken TEE is not one without. */
static bool probe(struct platform *platform, enum attest_tee wanted,
                  const struct platform_options *options, struct error *error)
{
    for (size_t i = 0; i < ARRAY_COUNT(providers); i++) {
        struct error absent = { 0 };
        if (wanted != ATTEST_TEE_ANY && providers[i].tee != wanted)
            continue;
        if (providers[i].open(platform, options, &absent))
            return prove(platform, providers[i].tee, error);
        if (absent.code != ERROR_UNAVAILABLE) {
            *error = absent;
            return error_within(error, "platform %s", attest_tee_name(providers[i].tee));
        }
    }
    if (wanted == ATTEST_TEE_ANY)
        return error_set(error, ERROR_UNAVAILABLE,
                         "no TEE is here: neither configfs-tsm nor /dev/tdx_guest, /dev/nsm or "
                         "/dev/attestation (--tee sim simulates one and proves nothing)");
    return error_set(error, ERROR_UNAVAILABLE, "tee = \"%s\" is asked for and not here",
                     attest_tee_name(wanted));
}

bool platform_open(struct platform *platform, const char *tee,
                   const struct platform_options *options, struct error *error)
{
    struct platform_options filled = *options;
    enum attest_tee wanted = ATTEST_TEE_ANY;
    if (filled.timeout_ms == 0)
        filled.timeout_ms = PLATFORM_TIMEOUT_MS;
    if (strcmp(tee, "sim") == 0)
        return platform_open_sim(platform, options->folder, error);
    if (strcmp(tee, "auto") != 0 && !attest_tee_find(&wanted, tee))
        return error_set(error, ERROR_INVALID,
                         "no platform %s; there are auto, tdx, snp, nitro, sgx and sim",
                         error_quote(bytes_of_string(tee)).text);
    return probe(platform, wanted, &filled, error);
}

void platform_boot(char boot[PLATFORM_BOOT_SIZE + 1])
{
    AUTO_BUFFER struct buffer text;
    struct error untold;
    buffer_init(&text, 4096);
    memset(boot, '0', PLATFORM_BOOT_SIZE);
    boot[PLATFORM_BOOT_SIZE] = '\0';
    if (file_read(&text, "/proc/sys/kernel/random/boot_id", &untold) &&
        text.size >= PLATFORM_BOOT_SIZE &&
        strspn((const char *)text.data, "0123456789abcdef-") >= PLATFORM_BOOT_SIZE)
        memcpy(boot, text.data, PLATFORM_BOOT_SIZE);
}

bool platform_jailed(struct platform *platform, struct error *error)
{
    return platform->jailed == NULL || platform->jailed(platform->context, error);
}

void platform_close(struct platform *platform)
{
    free(platform->folder);
    if (platform->close != NULL)
        platform->close(platform->context);
    *platform = (struct platform){ 0 };
}
