/* SPDX-License-Identifier: Apache-2.0 */
/* s3n-compile: one module on stdin, its image on stdout, in a jail from the first byte on. */
#include "base/file.h"
#include "base/json.h"
#include "base/log.h"
#include "base/options.h"
#include "cmd/s3n-compile/profile.h"
#include "cmd/s3n-compile/tier.h"
#include "core/hex.h"
#include "elf/elf.h"
#include "wasm/report.h"
#include "wasm/wasm.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

struct compile_options {
    uint64_t memory_mib;
    uint64_t cpu_seconds;
    uint64_t output_mib;
    uint64_t uid;
    struct tier_options tier;
    const char *digest;
    bool deterministic;
    bool fuel;
    bool native;
    bool spectest;
    bool report;
    bool version;
};

enum {
    UID_DEFAULT = 63002 /* when started by root without --uid */
};

static const struct option_row rows[] = {
    { "memory-mib", 0, OPTION_NUMBER, offsetof(struct compile_options, memory_mib), "N",
      "limit of memory (default: 2048)", 16, 65536 },
    { "cpu-seconds", 0, OPTION_NUMBER, offsetof(struct compile_options, cpu_seconds), "N",
      "limit of processor time (default: 20)", 1, 3600 },
    { "output-mib", 0, OPTION_NUMBER, offsetof(struct compile_options, output_mib), "N",
      "limit of the image's size (default: 512)", 1, 1024 },
    { "tier", 0, OPTION_STRING, offsetof(struct compile_options, tier.tier), "TIER",
      "baseline (default) or optimised", 0, 0 },
    { "functions", 0, OPTION_STRING, offsetof(struct compile_options, tier.functions), "LIST",
      "of tier optimised: only these functions, 3,7-9", 0, 0 },
    { "workers", 0, OPTION_NUMBER, offsetof(struct compile_options, tier.workers), "N",
      "of tier optimised: processes at once (default: one per processor)", 1, 64 },
    { "module-digest", 0, OPTION_STRING, offsetof(struct compile_options, digest), "HEX",
      "SHA-256 of the module, for the image's header", 0, 0 },
    { "deterministic", 0, OPTION_FLAG, offsetof(struct compile_options, deterministic), NULL,
      "give NaN results one bit pattern", 0, 0 },
    { "fuel", 0, OPTION_FLAG, offsetof(struct compile_options, fuel), NULL,
      "make the code count what it executes", 0, 0 },
    { "native", 0, OPTION_FLAG, offsetof(struct compile_options, native), NULL,
      "the input is a static ELF, not a module", 0, 0 },
    { "spectest", 0, OPTION_FLAG, offsetof(struct compile_options, spectest), NULL,
      "the module may import the official test suite's module", 0, 0 },
    { "report", 0, OPTION_FLAG, offsetof(struct compile_options, report), NULL,
      "write what the module is and may do as JSON on stderr, once it is compiled", 0, 0 },
    { "uid", 0, OPTION_NUMBER, offsetof(struct compile_options, uid), "N",
      "user to become when started by root", 1, UINT32_MAX - 1 },
    { "version", 0, OPTION_FLAG, offsetof(struct compile_options, version), NULL,
      "print the version", 0, 0 },
};

static const struct option_table table = {
    .program = "s3n-compile",
    .usage = "<MODULE >IMAGE",
    .about = "Compiles one WebAssembly module from stdin to an image on stdout.  A refusal is one "
             "line `code: text` on stderr and the code's exit status.",
    .rows = rows,
    .row_count = ARRAY_COUNT(rows),
};

static int fail(const struct error *error)
{
    fprintf(stderr, "%s: %s\n", error_name(error->code), error->text);
    return error_exit_code(error->code);
}

static bool check(const struct compile_options *options, struct digest32 *digest,
                  struct error *error)
{
    if (options->digest != NULL &&
        !hex_decode(digest->bytes, sizeof(digest->bytes), bytes_of_string(options->digest)))
        return error_set(error, ERROR_USAGE, "--module-digest: not 64 hexadecimal digits");
    return true;
}

static bool enter_jail(const struct compile_options *options, struct error *error)
{
    struct jail_profile profile = profile_compile;
    profile.memory_max = options->memory_mib << 20;
    profile.cpu_seconds_max = options->cpu_seconds;
    profile.file_size_max = options->output_mib << 20;
    return jail_enter(&profile, (uid_t)options->uid, (gid_t)options->uid, error);
}

static bool report(const struct compile_options *options, struct bytes module, struct error *error)
{
    AUTO_BUFFER struct buffer text;
    buffer_init(&text, REPORT_SIZE_MAX);
    json_object_seed(1); /* another way asks the system for chance; all keys are our own */
    return !options->report || (report_write(&text, module, options->native, error) &&
                                file_write_all(STDERR_FILENO, buffer_view(&text), error));
}

static bool compile(const struct compile_options *options, const struct digest32 *digest,
                    struct error *error)
{
    AUTO_BUFFER struct buffer module;
    AUTO_BUFFER struct buffer image;
    buffer_init(&module, (size_t)options->memory_mib << 20);
    buffer_init(&image, (size_t)options->output_mib << 20);
    struct wasm_options wasm = { .image_size_max = options->output_mib << 20,
                                 .deterministic = options->deterministic,
                                 .fuel = options->fuel,
                                 .allow_spectest = options->spectest,
                                 .module_digest = digest };
    if (!file_read_descriptor(&module, STDIN_FILENO, error))
        return false;
    if (options->native)
        return elf_compile(&image, buffer_view(&module), digest, error) &&
               file_write_all(STDOUT_FILENO, buffer_view(&image), error) &&
               report(options, buffer_view(&module), error);
    if (elf_is_elf(buffer_view(&module)))
        return error_set(error, ERROR_INVALID,
                         "an ELF, not a WebAssembly module: a native function says `kind = "
                         "\"native\"`");
    return tier_compile(&image, buffer_view(&module), &wasm, &options->tier, error) &&
           file_write_all(STDOUT_FILENO, buffer_view(&image), error) &&
           report(options, buffer_view(&module), error);
}

enum {
    ARGUMENTS_MAX = 64
};

int main(int argc, char **argv)
{
    char *given[ARGUMENTS_MAX] = { 0 }; /* parsing rearranges them */
    memcpy(given, argv, (size_t)MIN(argc, ARGUMENTS_MAX - 1) * sizeof(*given));
    struct compile_options options = { .memory_mib = 2048,
                                       .cpu_seconds = 20,
                                       .output_mib = 512,
                                       .uid = UID_DEFAULT,
                                       .tier.tier = "baseline" };
    struct option_arguments arguments = { 0 };
    struct digest32 digest = { 0 };
    struct error error = { 0 };
    log_init("s3n-compile", LOG_LEVEL_INFO);
    if (!options_parse(&table, argv + 1, &options, NULL, &arguments, &error) ||
        !check(&options, &digest, &error))
        return fail(&error);
    if (arguments.wants_help) {
        AUTO_BUFFER struct buffer text;
        buffer_init(&text, 64 << 10);
        options_help(&text, &table);
        printf("%.*s", (int)text.size, (const char *)text.data);
        return 0;
    }
    if (options.version) {
        printf("s3n-compile %s\n", S3N_VERSION);
        return 0;
    }
    options.tier.cpu_seconds = options.cpu_seconds;
    if (!tier_begin(&options.tier, given, &error) || !enter_jail(&options, &error) ||
        !compile(&options, &digest, &error))
        return fail(&error);
    return 0;
}
