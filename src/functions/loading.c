/* SPDX-License-Identifier: Apache-2.0 */
#include "functions/loading.h"

#include "keys/receipt.h"

#include <stdio.h>

bool loading_record(const struct load_recorder *recorder, const struct manifest *manifest,
                    const struct digest32 *manifest_digest, size_t function,
                    const struct function_image *image, struct error *error)
{
    const struct manifest_function *row = &manifest->functions[function];
    struct receipt named = { .manifest = *manifest_digest, .code = row->code };
    if (recorder == NULL || recorder->record == NULL)
        return true;
    snprintf(named.application, sizeof(named.application), "%s", manifest->application);
    snprintf(named.function, sizeof(named.function), "%s", row->name);
    struct digest32 version = receipt_version(&named);
    return recorder->record(recorder->context, &version, &image->image, error) ||
           error_within(error, "record the load of %s/%s", manifest->application, row->name);
}
