/* SPDX-License-Identifier: Apache-2.0 */
#include "keys/keys_test_scene.h"

#include "keys/keys_test_support.h"
#include "tests/harness.h"

#include <string.h>
#include <time.h>

bool scene_issue(struct scene *scene)
{
    struct bundle *bundle = &scene->bundle;
    bundle_done(bundle);
    bundle_init(bundle);
    memcpy(bundle->attestation.platform, "sim", 4);
    memset(bundle->attestation.nonce.bytes, 0x31, sizeof(bundle->attestation.nonce.bytes));
    if (!keyset_write(&bundle->attestation.keyset, &scene->keyset, &scene->error))
        return false;
    scene->receipt.keyset = keyset_digest(buffer_view(&bundle->attestation.keyset));
    struct digest64 data = report_data_of(&scene->receipt.keyset, &bundle->attestation.nonce);
    return sim_quote(&bundle->attestation.evidence, scene->root, data.bytes, NULL, &scene->error) &&
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
