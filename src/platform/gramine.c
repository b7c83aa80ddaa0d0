/* SPDX-License-Identifier: Apache-2.0 */
/* Gramine's pseudo files (/dev/attestation) inside an SGX enclave: report data in, an SGX quote of
 * version 3 out. */
#include "platform/kernel_file.h"
#include "platform/platform.h"

#include "base/file.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

enum {
    TYPE_SIZE_MAX = 64
};

struct gramine {
    int folder;
    unsigned timeout_ms;
};

static void gramine_free(struct gramine *gramine)
{
    if (gramine == NULL)
        return;
    file_close(&gramine->folder);
    free(gramine);
}
DEFINE_AUTO(gramine, gramine_free)

static bool gramine_evidence(void *context, const struct digest64 *report_data,
                             struct buffer *evidence, struct error *error)
{
    const struct gramine *gramine = context;
    struct deadline deadline;
    deadline_begin(&deadline, gramine->timeout_ms);
    bool done = kernel_write(gramine->folder, "user_report_data", BYTES_OF(report_data->bytes),
                             &deadline, error) &&
                kernel_read(gramine->folder, "quote", &deadline, evidence, error);
    deadline_end();
    return done;
}

static bool gramine_jailed(void *context, struct error *error)
{
    struct gramine *gramine = context;
    return kernel_folder_jailed(&gramine->folder, error);
}

static void gramine_close(void *context)
{
    gramine_free(context);
}

static bool type_check(const struct gramine *gramine, struct error *error)
{
    AUTO_BUFFER struct buffer type;
    struct deadline deadline;
    buffer_init(&type, TYPE_SIZE_MAX + (16 << 10));
    deadline_begin(&deadline, gramine->timeout_ms);
    bool done = kernel_read(gramine->folder, "attestation_type", &deadline, &type, error);
    deadline_end();
    if (!done)
        return false;
    struct bytes name = buffer_view(&type);
    if (name.size > 0 && name.data[name.size - 1] == '\n')
        name.size--;
    return bytes_equal_string(name, "dcap") ||
           error_set(error, ERROR_UNAVAILABLE,
                     "Gramine's attestation type is %s; sgx.remote_attestation must be \"dcap\"",
                     error_quote(bytes_part(name, 0, TYPE_SIZE_MAX)).text);
}

bool platform_open_gramine(struct platform *platform, const struct platform_options *options,
                           struct error *error)
{
    AUTO(gramine) struct gramine *gramine = calloc(1, sizeof(*gramine));
    AUTO_FREE char *folder = NULL;
    if (gramine == NULL)
        return error_set(error, ERROR_NO_MEMORY, "no memory for a platform");
    *gramine = (struct gramine){ .folder = -1, .timeout_ms = options->timeout_ms };
    if (!kernel_open(&gramine->folder, options->system_root, "/dev/attestation",
                     O_RDONLY | O_DIRECTORY, error) ||
        !kernel_path(&folder, options->system_root, "/dev/attestation", error) ||
        !type_check(gramine, error))
        return false;
    *platform = (struct platform){ .name = "sgx",
                                   .interface = "Gramine",
                                   .evidence = gramine_evidence,
                                   .jailed = gramine_jailed,
                                   .close = gramine_close };
    platform->context = TAKE(gramine);
    platform->folder = TAKE(folder);
    return true;
}
