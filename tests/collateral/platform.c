/* SPDX-License-Identifier: Apache-2.0 */
/* A machine with TDX that is not there: the kernel's interface played by FUSE, quotes and
 * collateral of a maker of our own, good for a day.
 *
 *     platform FOLDER [tdx|recorded-tdx|snp]
 *
 * Writes root.pem and what replay.py serves instead of its recordings to FOLDER, prints where the
 * kernel's paths begin, or `SKIP reason`, and stays until its input ends.  With another word than
 * `tdx` the kernel answers with recorded evidence, which is about another nonce's report data only
 * in its bytes and holds for nobody. */
#include "attest/intel/test_world.h"
#include "base/file.h"
#include "core/time.h"
#include "crypto/pem.h"
#include "tests/platform/fake_kernel.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static struct test_world world;

static size_t quote_make(uint8_t *target, size_t capacity, const uint8_t report_data[64],
                         const uint8_t event_register[48])
{
    memcpy(world.td.report_data, report_data, 64);
    memcpy(world.td.rtmr[3], event_register, 48);
    world_build_quote(&world);
    size_t size = MIN(world.quote.size, capacity);
    memcpy(target, world.quote.data, size);
    return size;
}

/* From yesterday until tomorrow. */
static void date(struct world_document *document, int64_t now_s)
{
    char from[TIME_TEXT_SIZE + 1], until[TIME_TEXT_SIZE + 1];
    if (!time_format(from, now_s - WORLD_DAY_S) || !time_format(until, now_s + WORLD_DAY_S))
        return;
    world_replace(document, "2026-05-01T00:00:00Z", from);
    world_replace(document, "2026-07-01T00:00:00Z", until);
}

static void build(int64_t now_s)
{
    world_init(&world);
    struct fixture_certificate *certificates[] = { &world.root, &world.ca, &world.leaf,
                                                   &world.tcb };
    struct fixture_crl *lists[] = { &world.root_crl, &world.pck_crl };
    for (size_t i = 0; i < ARRAY_COUNT(certificates); i++) {
        certificates[i]->not_before_s = now_s - 30 * (int64_t)WORLD_DAY_S;
        certificates[i]->not_after_s = now_s + 300 * (int64_t)WORLD_DAY_S;
    }
    for (size_t i = 0; i < ARRAY_COUNT(lists); i++) {
        lists[i]->this_update_s = now_s - WORLD_DAY_S;
        lists[i]->next_update_s = now_s + WORLD_DAY_S;
    }
    date(&world.tcb_info, now_s);
    date(&world.qe_identity, now_s);
    world_build(&world);
}

static bool keep(const char *folder, const char *name, struct bytes content, struct error *error)
{
    char path[PATH_MAX];
    snprintf(path, sizeof(path), "%s/%s", folder, name);
    return file_replace(path, content, 0644, error);
}

static bool keep_all(const char *folder, struct error *error)
{
    const struct attest_collateral *collateral = &world.options.collateral;
    AUTO_BUFFER struct buffer root;
    buffer_init(&root, 16384);
    pem_append(&root, "CERTIFICATE", buffer_view(&world.ders[0]));
    return keep(folder, "tcb", collateral->tcb_info, error) &&
           keep(folder, "identity", collateral->qe_identity, error) &&
           keep(folder, "pckcrl", collateral->pck_crl, error) &&
           keep(folder, "rootcrl", collateral->root_crl, error) &&
           keep(folder, "chain.pem", collateral->tcb_chain, error) &&
           keep(folder, "root.pem", buffer_view(&root), error);
}

int main(int argc, char **argv)
{
    struct fake_kernel kernel;
    struct error error = { 0 };
    const char *reason, *what = argc > 2 ? argv[2] : "tdx";
    char byte;
    if (argc < 2)
        return 2;
    build(time(NULL));
    if (!keep_all(argv[1], &error)) {
        fprintf(stderr, "%s\n", error.text);
        return 1;
    }
    if (strcmp(what, "tdx") == 0)
        fake_quote_make = quote_make;
    if (!fake_kernel_start(&kernel, &reason)) {
        printf("SKIP %s\n", reason);
        return 0;
    }
    kernel.script->provider = strcmp(what, "snp") == 0 ? FAKE_TSM_SNP : FAKE_TSM_TDX;
    printf("%s\n", kernel.folder);
    fflush(stdout);
    while (read(STDIN_FILENO, &byte, 1) > 0)
        ;
    fake_kernel_stop(&kernel);
    world_done(&world);
    return 0;
}
