/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/s3nd/errand.h"

#include "crypto/trust.h"

enum {
    MEMORY_MAX = 512 << 20,
    DESCRIPTORS_MAX = 32
};

bool errand_close_off(const struct errand *errand, const struct config *config, struct error *error)
{
    struct jail_profile profile = {
        .name = errand->name,
        .calls = errand->calls,
        .call_count = errand->call_count,
        .keep_network = true,
        .folder = errand->folder,
        .memory_max = MEMORY_MAX,
        .file_size_max = UINT64_MAX, /* logs may go to a file */
        .descriptors_max = DESCRIPTORS_MAX,
    };
    uid_t uid = config->uid_base + errand->user;
    return jail_enter(&profile, uid, uid, error);
}

bool errand_roots_read(struct buffer *roots, const char *path, struct error *error)
{
    bool is_named = path != NULL && path[0] != '\0';
    return tls_roots_read(roots, path, error) || (!is_named && error->code == ERROR_NOT_FOUND);
}
