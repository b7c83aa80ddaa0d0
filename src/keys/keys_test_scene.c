/* SPDX-License-Identifier: Apache-2.0 */
#include "keys/keys_test_scene.h"

#include "core/hex.h"
#include "keys/keys_test_support.h"
#include "tests/harness.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

static bool event_add(struct scene *scene, struct digest48 *head, uint64_t sequence,
                      const char *kind, const char *details)
{
    uint8_t record[EVENT_SIZE_MAX + 1];
    struct writer writer = writer_into(record, sizeof(record));
    struct event event = { .sequence = sequence,
                           .time_s = scene->receipt.issued_at_s,
                           .kind = bytes_of_string(kind),
                           .details = bytes_of_string(details) };
    if (!event_write(&writer, &event, &scene->error))
        return false;
    struct digest48 digest = event_digest(bytes_of(record, writer.size - 1));
    events_extend(head, &digest);
    buffer_append(&scene->bundle.attestation.events, writer_view(&writer));
    return true;
}

/* As a node writes it: start, the keys, and what was loaded afterwards. */
static bool log_make(struct scene *scene, struct digest48 *head)
{
    char keys[256], load[256];
    struct digest32 key = ecdsa_public_id(&scene->keyset.receipt_key);
    struct digest32 version = receipt_version(&scene->receipt);
    snprintf(keys, sizeof(keys), "{\"receipt_key\":\"%s\"}", hex_of_digest(&key).text);
    snprintf(load, sizeof(load), "{\"image\":\"%s\",\"version\":\"%s\"}",
             hex_of_digest(&scene->receipt.image).text, hex_of_digest(&version).text);
    if (!event_add(scene, head, 1, "start", "{\"format\":1}") ||
        !event_add(scene, head, 2, "keyset", keys))
        return false;
    scene->keyset.events = (struct keyset_events){ 2, *head, "rtmr3" };
    return event_add(scene, head, 3, "policy", "{}") &&
           event_add(scene, head, 4, scene->loaded == NULL ? "load" : scene->loaded, load);
}

static bool events_issue(struct scene *scene, struct td_report *report)
{
    struct digest48 head = { 0 }, shown;
    scene->keyset.events = (struct keyset_events){ 0 };
    if (scene->has_no_events)
        return true;
    if (!log_make(scene, &head))
        return false;
    shown = head;
    if (scene->is_disturbed)
        events_extend(&shown, &scene->digest);
    memcpy(report->rtmr[3], shown.bytes, sizeof(report->rtmr[3]));
    for (unsigned i = 0; i < scene->later_count; i++)
        if (!event_add(scene, &head, 5 + i, "policy", "{}"))
            return false;
    return true;
}

bool scene_issue(struct scene *scene)
{
    struct td_report report;
    struct bundle *bundle = &scene->bundle;
    bundle_done(bundle);
    bundle_init(bundle);
    memcpy(bundle->attestation.platform, "sim", 4);
    memset(bundle->attestation.nonce.bytes, 0x31, sizeof(bundle->attestation.nonce.bytes));
    sim_measurements(&report);
    if (!events_issue(scene, &report) ||
        !keyset_write(&bundle->attestation.keyset, &scene->keyset, &scene->error))
        return false;
    scene->receipt.keyset = keyset_digest(buffer_view(&bundle->attestation.keyset));
    struct digest64 data = report_data_of(&scene->receipt.keyset, &bundle->attestation.nonce);
    return sim_quote(&bundle->attestation.evidence, scene->root, data.bytes, &report,
                     &scene->error) &&
           receipt_issue(&bundle->receipt, &scene->receipt, scene->receipt_key, &scene->error);
}

bool scene_open(struct scene *scene)
{
    *scene = (struct scene){ 0 };
    scene->receipt_key = test_key(1);
    scene->keyset = test_keyset();
    scene->receipt = test_receipt();
    /* now, because programs under test judge by the clock */
    scene->receipt.issued_at_s = time(NULL);
    scene->keyset.validity.not_before_s = scene->receipt.issued_at_s - 60;
    scene->keyset.validity.not_after_s = scene->receipt.issued_at_s + 3540;
    scene->code = scene->receipt.code;
    scene->input = scene->receipt.request;
    scene->output = scene->receipt.response;
    scene->options = (struct verify_options){ .trust_simulated = true,
                                              .now_s = scene->receipt.issued_at_s + 86400 * 30,
                                              .code = &scene->code,
                                              .input = &scene->input,
                                              .output = &scene->output };
    bundle_init(&scene->bundle);
    bool opened = sim_root_new(&scene->root, scene->keyset.validity.not_before_s, &scene->error) &&
                  scene_issue(scene);
    CHECK_NOTE(opened, "%s", scene->error.text);
    return opened;
}

void scene_close(struct scene *scene)
{
    sim_root_free(scene->root);
    ecdsa_key_free(scene->receipt_key);
    bundle_done(&scene->bundle);
}
