/* SPDX-License-Identifier: Apache-2.0 */
#include "keys/hierarchy.h"

#include "base/file.h"
#include "core/writer.h"
#include "crypto/mac.h"
#include "crypto/random.h"
#include "keys/limits.h"

#include "store/store.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    INFO_SIZE_MAX = 512
};

static bool file_check(int file, const char *path, struct error *error)
{
    struct stat status;
    if (fstat(file, &status) != 0)
        return error_system(error, "look at %s", path);
    if (!S_ISREG(status.st_mode) || status.st_uid != geteuid() || (status.st_mode & 077) != 0)
        return error_set(error, ERROR_DENIED,
                         "%s must be a file of this user that nobody else may read (mode 0600)",
                         path);
    if (status.st_size != sizeof(((struct secret32 *)0)->bytes))
        return error_set(error, ERROR_CORRUPT, "%s has %lld bytes, not 32", path,
                         (long long)status.st_size);
    return true;
}

static bool file_load(struct secret32 *root, int file, const char *path, struct error *error)
{
    if (!file_check(file, path, error))
        return false;
    AUTO_SECRET32 struct secret32 read_secret;
    ssize_t size = pread(file, read_secret.bytes, sizeof(read_secret.bytes), 0);
    if (size < 0)
        return error_system(error, "read %s", path);
    if (size != sizeof(read_secret.bytes))
        return error_set(error, ERROR_CORRUPT, "%s is too short", path);
    *root = read_secret;
    return true;
}

bool root_secret_from_file(struct secret32 *root, const char *path, struct error *error)
{
    AUTO_CLOSE int file = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (file >= 0)
        return file_load(root, file, path, error);
    if (errno != ENOENT)
        return error_system(error, "open %s", path);
    AUTO_SECRET32 struct secret32 made;
    random_secret32(&made);
    if (!file_replace(path, BYTES_OF(made.bytes), 0600, error))
        return false;
    *root = made;
    return true;
}

static void derive(struct secret32 *key, const struct secret32 *root, const char *label,
                   struct bytes context)
{
    uint8_t data[INFO_SIZE_MAX];
    struct writer info = writer_into(data, sizeof(data));
    write_bytes(&info, bytes_of_string(label));
    write_u8(&info, 0);
    write_bytes(&info, context);
    ASSERT(!info.failed);
    hkdf_derive(key, root, (struct bytes){ 0 }, writer_view(&info));
}

void record_key_derive(struct secret32 *key, const struct secret32 *root, const char *space)
{
    if (strcmp(space, STORE_SPACE_BACKUP) == 0)
        derive(key, root, "s3n/backup/1", (struct bytes){ 0 });
    else
        derive(key, root, "s3n/record/1", bytes_of_string(space));
}

void encryption_key_derive(struct secret32 *key, const struct secret32 *root, const char *node,
                           int64_t not_before_s)
{
    uint8_t data[8 + KEYS_NODE_SIZE];
    struct writer context = writer_into(data, sizeof(data));
    write_u64_be(&context, (uint64_t)not_before_s);
    write_bytes(&context, bytes_of(node, KEYS_NODE_SIZE));
    derive(key, root, "s3n/encryption/2", writer_view(&context));
}
