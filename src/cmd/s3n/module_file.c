/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/s3n/module_file.h"

#include "abi/settings.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/spawn.h"
#include "core/hex.h"
#include "crypto/hash.h"
#include "elf/elf.h"
#include "functions/compiler_end.h"
#include "wasm/limits.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

enum {
    REFUSAL_SIZE_MAX = 4096
};

void module_file_init(struct buffer *module)
{
    buffer_init(module, WASM_IMAGE_SIZE_MAX);
}

bool module_file_read(struct buffer *module, const char *path, struct error *error)
{
    if (strcmp(path, "-") == 0)
        return file_read_descriptor(module, STDIN_FILENO, error) ||
               error_within(error, "standard input");
    return file_read(module, path, error);
}

#define IMAGE_SEAL "S3N-IMAGE-SHA256"

void image_file_seal(struct buffer *image)
{
    struct digest32 digest = sha256_of(buffer_view(image));
    buffer_append_string(image, IMAGE_SEAL);
    buffer_append(image, BYTES_OF(digest.bytes));
}

bool image_file_open(struct bytes *image, struct bytes content, struct error *error)
{
    const size_t seal_size = sizeof(IMAGE_SEAL) - 1 + sizeof(((struct digest32 *)0)->bytes);
    size_t size = content.size > seal_size ? content.size - seal_size : 0;
    struct digest32 digest = sha256_of(bytes_part(content, 0, size));
    struct bytes seal = bytes_part(content, size, content.size - size);
    bool is_intact = size != 0 && bytes_starts_with(seal, BYTES_LITERAL(IMAGE_SEAL)) &&
                     bytes_equal(bytes_part(seal, sizeof(IMAGE_SEAL) - 1, sizeof(digest.bytes)),
                                 BYTES_OF(digest.bytes));
    if (!is_intact)
        return error_set(error, ERROR_INVALID,
                         "the image is damaged: its SHA-256 is not the one that it ends with; "
                         "compile it anew");
    *image = bytes_part(content, 0, size);
    return true;
}

bool tier_check(const char *tier, struct error *error)
{
    return strcmp(tier, "baseline") == 0 || strcmp(tier, "optimised") == 0 ||
           error_set(error, ERROR_UNSUPPORTED, "no tier \"%s\": there are baseline and optimised",
                     error_quote(bytes_of_string(tier)).text);
}

bool backend_check(const char *backend, struct error *error)
{
    return strcmp(backend, "auto") == 0 || strcmp(backend, "kvm") == 0 ||
           strcmp(backend, "process") == 0 ||
           error_set(error, ERROR_UNSUPPORTED, "no backend \"%s\": there are kvm, process and auto",
                     error_quote(bytes_of_string(backend)).text);
}

struct compiler {
    pid_t pid;
    int image;   /* its stdout */
    int refusal; /* its stderr */
};

static bool start_compiler(struct compiler *compiler, int module, const char *digest,
                           uint32_t flags, struct error *error)
{
    char path[PATH_MAX];
    const char *arguments[10] = { "s3n-compile", "--module-digest", digest };
    unsigned count = 3;
    if ((flags & COMPILE_FUEL) != 0)
        arguments[count++] = "--fuel";
    if ((flags & COMPILE_NATIVE) != 0)
        arguments[count++] = "--native";
    if ((flags & COMPILE_DETERMINISTIC) != 0)
        arguments[count++] = "--deterministic";
    if ((flags & COMPILE_OPTIMISED) != 0) {
        arguments[count++] = "--tier";
        arguments[count++] = "optimised";
    }
    int image[2], refusal[2];
    if (!spawn_sibling_path(path, sizeof(path), "s3n-compile", error))
        return false;
    if (pipe2(image, O_CLOEXEC) != 0)
        return error_system(error, "make a pipe");
    AUTO_CLOSE int image_read = image[0], image_write = image[1];
    if (pipe2(refusal, O_CLOEXEC) != 0)
        return error_system(error, "make a pipe");
    AUTO_CLOSE int refusal_read = refusal[0], refusal_write = refusal[1];
    struct spawn_options options = { .path = path,
                                     .arguments = arguments,
                                     .descriptors = { { module, STDIN_FILENO },
                                                      { image_write, STDOUT_FILENO },
                                                      { refusal_write, STDERR_FILENO } },
                                     .descriptor_count = 3 };
    if (!spawn(&compiler->pid, &options, error))
        return false;
    compiler->image = image_read;
    compiler->refusal = refusal_read;
    image_read = refusal_read = -1;
    return true;
}

bool module_compile(struct buffer *image, struct bytes module, uint32_t flags, uint64_t *took_ns,
                    struct error *error)
{
    uint64_t start_ns = clock_monotonic_ns(&clock_system);
    AUTO_CLOSE int source = -1;
    if (elf_is_elf(module))
        flags |= COMPILE_NATIVE;
    struct compiler compiler = { .image = -1, .refusal = -1 };
    struct digest32 digest = sha256_of(module);
    struct hex32 digest_text = hex_of_digest(&digest);
    if (!file_sealed(&source, "module", module, error) ||
        !start_compiler(&compiler, source, digest_text.text, flags, error))
        return false;
    AUTO_BUFFER struct buffer refusal;
    buffer_init(&refusal, REFUSAL_SIZE_MAX);
    struct error unread = { 0 }; /* how it ended says more than why its output broke off */
    bool read_all = file_read_descriptor(image, compiler.image, &unread);
    file_close(&compiler.image);
    read_all = file_read_descriptor(&refusal, compiler.refusal, &unread) && read_all;
    file_close(&compiler.refusal);
    struct spawn_end end;
    if (!spawn_wait(&end, compiler.pid, -1, error) ||
        !compiler_end_check(&end, buffer_view(&refusal), error))
        return false;
    if (!read_all) {
        *error = unread;
        return error_within(error, "compiler's output");
    }
    *took_ns = clock_monotonic_ns(&clock_system) - start_ns;
    return true;
}
