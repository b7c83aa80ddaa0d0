/* SPDX-License-Identifier: Apache-2.0 */
#include "functions/uploads.h"

#include "abi/files.h"
#include "base/file.h"
#include "core/hex.h"
#include "functions/limits.h"

static bool module_check(struct store *store, const struct manifest_function *function,
                         uint64_t *size, struct error *error)
{
    if (!store_blob_size(store, &function->code, size, error)) {
        if (error->code == ERROR_NOT_FOUND)
            error_set(error, ERROR_NOT_FOUND, "its module sha256:%s was not uploaded",
                      hex_of_digest(&function->code).text);
        return error_within(error, "function %s", function->name);
    }
    if (*size > MODULE_SIZE_MAX)
        return error_set(error, ERROR_LIMIT,
                         "function %s: its module has %llu bytes, at most %d are allowed",
                         function->name, (unsigned long long)*size, MODULE_SIZE_MAX);
    return true;
}

/* Every archive is checked before anybody maps it. */
static bool archive_check(struct blobs *blobs, const struct manifest_function *function,
                          uint64_t *size, struct error *error)
{
    AUTO_CLOSE int descriptor = -1;
    struct bytes content;
    struct files files;
    const char *reason = "";
    if (!function->has_archive)
        return true;
    if (!blobs_open(blobs, &function->archive, &descriptor, error)) {
        if (error->code == ERROR_NOT_FOUND)
            error_set(error, ERROR_NOT_FOUND, "its files sha256:%s were not uploaded",
                      hex_of_digest(&function->archive).text);
        return error_within(error, "function %s", function->name);
    }
    if (!file_map(&content, descriptor, error))
        return error_within(error, "function %s: its files", function->name);
    bool is_archive =
        files_parse(&files, content, &reason) ||
        error_set(error, ERROR_INVALID, "function %s: its files are %s", function->name, reason);
    *size = content.size;
    file_unmap(&content);
    return is_archive;
}

bool uploads_check(struct store *store, struct blobs *blobs,
                   const struct manifest_function *function, uint64_t *module_size,
                   uint64_t *archive_size, struct error *error)
{
    *archive_size = 0;
    return module_check(store, function, module_size, error) &&
           archive_check(blobs, function, archive_size, error);
}
