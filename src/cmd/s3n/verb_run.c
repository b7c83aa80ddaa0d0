/* SPDX-License-Identifier: Apache-2.0 */
/* `s3n run FILE [ARGUMENTS]`: the engine without a node.  This process becomes `slipstream --run`,
 * so streams, signals and exit status are the program's own. */
#include "abi/image.h"
#include "abi/settings.h"
#include "base/file.h"
#include "base/spawn.h"
#include "cmd/s3n/cli.h"
#include "cmd/s3n/module_file.h"
#include "cmd/s3n/run_files.h"
#include "cmd/s3n/run_request.h"
#include "cmd/s3n/run_services.h"

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

enum {
    SCRATCH_MIB_DEFAULT = 64, /* with --dir */
    SCRATCH_MIB_MAX = 255
};

struct run_options {
    uint64_t memory_mib;
    uint64_t timeout_ms;
    uint64_t fuel;
    bool deterministic;
    bool usage;
    struct option_list folders;
    uint64_t scratch_mib;
    const char *state;
    struct run_services_options services;
    struct option_list environment;
    struct run_request request;
    const char *abi;
    bool include;
    const char *tier;
    const char *backend;
};

static const struct run_options run_defaults = { .tier = "baseline", .backend = "auto" };

static const struct option_row run_rows[] = {
    { .name = "memory-mib",
      .kind = OPTION_NUMBER,
      .offset = offsetof(struct run_options, memory_mib),
      .value = "N",
      .help = "most memory it may have (default: what the module says)",
      .min = 1,
      .max = 4096 },
    { .name = "timeout-ms",
      .kind = OPTION_NUMBER,
      .offset = offsetof(struct run_options, timeout_ms),
      .value = "N",
      .help = "longest time it may run (default: no limit)",
      .min = 1,
      .max = UINT32_MAX },
    { .name = "fuel",
      .kind = OPTION_NUMBER,
      .offset = offsetof(struct run_options, fuel),
      .value = "N",
      .help = "most instructions it may execute (default: they are not counted)",
      .min = 1,
      .max = INT64_MAX },
    { .name = "deterministic",
      .kind = OPTION_FLAG,
      .offset = offsetof(struct run_options, deterministic),
      .help = "give NaN results one bit pattern" },
    { .name = "usage",
      .kind = OPTION_FLAG,
      .offset = offsetof(struct run_options, usage),
      .help = "say on standard error what it used" },
    { .name = "dir",
      .kind = OPTION_LIST,
      .offset = offsetof(struct run_options, folders),
      .value = "HOST::GUEST",
      .help = "a folder it gets a copy of, under the name GUEST; what it writes is gone at "
              "the end" },
    { .name = "scratch-mib",
      .kind = OPTION_NUMBER,
      .offset = offsetof(struct run_options, scratch_mib),
      .value = "N",
      .help = "most it may write to files (default: 64 with --dir; without, there are none)",
      .min = 1,
      .max = SCRATCH_MIB_MAX },
    { .name = "kv",
      .kind = OPTION_STRING,
      .offset = offsetof(struct run_options, state),
      .value = "FILE",
      .help = "where its key-value state is kept (default: in memory, gone at the end)" },
    { .name = "secret",
      .kind = OPTION_LIST,
      .offset = offsetof(struct run_options, services.secrets),
      .value = "NAME[=@FILE]",
      .help = "a secret that it may get: from FILE, or from the variable NAME" },
    { .name = "development-keys",
      .kind = OPTION_FLAG,
      .offset = offsetof(struct run_options, services.has_keys),
      .help = "let it use keys that everybody has, the same in every run" },
    { .name = "http",
      .kind = OPTION_LIST,
      .offset = offsetof(struct run_options, services.rules),
      .value = "RULE",
      .help = "an address that it may ask, as in `permissions.http`: [METHOD,... ]URL" },
    { .name = "allow-private",
      .kind = OPTION_STRING,
      .offset = offsetof(struct run_options, services.allowed),
      .value = "NETWORKS",
      .help = "with --http: addresses that are not public, with commas: 127.0.0.1/32" },
    { .name = "env",
      .kind = OPTION_LIST,
      .offset = offsetof(struct run_options, environment),
      .value = "KEY=VALUE",
      .help = "a variable of its environment, which is empty otherwise" },
    { .name = "abi",
      .kind = OPTION_STRING,
      .offset = offsetof(struct run_options, abi),
      .value = "ABI",
      .help = "command, cgi or reactor (default: what the module says or exports)" },
    { .name = "method",
      .kind = OPTION_STRING,
      .offset = offsetof(struct run_options, request.method),
      .value = "METHOD",
      .help = "of the request (a reactor's default: POST)" },
    { .name = "path",
      .kind = OPTION_STRING,
      .offset = offsetof(struct run_options, request.path),
      .value = "PATH[?QUERY]",
      .help = "of the request (a reactor's default: /)" },
    { .name = "header",
      .kind = OPTION_LIST,
      .offset = offsetof(struct run_options, request.headers),
      .value = "NAME:VALUE",
      .help = "of the request; a command finds all this in its environment, as CGI has it" },
    { .name = "include",
      .letter = 'i',
      .kind = OPTION_FLAG,
      .offset = offsetof(struct run_options, include),
      .help = "print a reactor's status and headers before its answer" },
    { .name = "tier",
      .kind = OPTION_STRING,
      .offset = offsetof(struct run_options, tier),
      .value = "TIER",
      .help = "compiler tier: baseline or optimised" },
    { .name = "backend",
      .kind = OPTION_STRING,
      .offset = offsetof(struct run_options, backend),
      .value = "BACKEND",
      .help = "where it runs: kvm (a micro-VM), process (a jailed process), or auto: kvm, "
              "but process inside a confidential VM" },
};

static const struct option_table run_table = {
    .program = "s3n run",
    .usage = "FILE [ARGUMENTS]",
    .about =
        "Runs a WebAssembly module (or an image of s3n compile) in a micro-VM, without a node.\n"
        "Standard streams and exit status are the program's; a reactor gets its request's body\n"
        "from standard input and answers on standard output.  Of what a function asks its node\n"
        "for there are kv_*, about, log, random, time and hash without any permission; secrets,\n"
        "keys and http_fetch by the options below.\n"
        "A trap prints its reason and exits 1, the time limit exits 8, other limits 9.\n"
        "Options stand before FILE.",
    .rows = run_rows,
    .row_count = ARRAY_COUNT(run_rows),
    CLI_SHARED,
    .positional_min = 1,
    .positional_max = UINT32_MAX,
    .stops_at_positional = true,
};

static bool is_image(struct bytes content)
{
    return bytes_starts_with(content, BYTES_LITERAL(IMAGE_MAGIC));
}

/* The image as a sealed anonymous file; a module is compiled on the way. */
static bool prepare_image(struct cli *cli, int *image, const char *path,
                          const struct run_options *options, struct error *error)
{
    uint32_t flags = (options->fuel != 0 ? COMPILE_FUEL : 0u) |
                     (options->deterministic ? COMPILE_DETERMINISTIC : 0u) |
                     (strcmp(options->tier, "optimised") == 0 ? COMPILE_OPTIMISED : 0u);
    AUTO_BUFFER struct buffer content;
    AUTO_BUFFER struct buffer compiled;
    module_file_init(&content);
    module_file_init(&compiled);
    uint64_t took_ns;
    if (!file_read(&content, path, error))
        return false;
    if (is_image(buffer_view(&content)) && options->deterministic)
        return error_set(error, ERROR_USAGE, "--deterministic is for modules: %s is compiled",
                         error_quote(bytes_of_string(path)).text);
    if (is_image(buffer_view(&content))) {
        struct bytes intact;
        return image_file_open(&intact, buffer_view(&content), error) &&
               file_sealed(image, "image", intact, error);
    }
    cli_step(cli, "compiling %s", error_quote(bytes_of_string(path)).text);
    if (!module_compile(&compiled, buffer_view(&content), flags, &took_ns, error))
        return error_within(error, "%s", error_quote(bytes_of_string(path)).text);
    cli_step_done(cli);
    cli_detail(cli, "compiled in %.1f ms", (double)took_ns / 1e6);
    return file_sealed(image, "image", buffer_view(&compiled), error);
}

struct command_line {
    const char **words;
    size_t count;
};

static void add_word(struct command_line *line, const char *word)
{
    line->words[line->count++] = word;
}

/* Nothing for none (-1). */
static void add_descriptor(struct command_line *line, const char *option, char text[16],
                           int descriptor)
{
    if (descriptor < 0)
        return;
    snprintf(text, 16, "%d", descriptor);
    add_word(line, option);
    add_word(line, text);
}

/* Nothing for none (0). */
static void add_number(struct command_line *line, const char *option, char text[24],
                       uint64_t number)
{
    if (number == 0)
        return;
    snprintf(text, 24, "%llu", (unsigned long long)number);
    add_word(line, option);
    add_word(line, text);
}

/* Descriptors that slipstream gets; -1: none. */
struct passed {
    int image, files, state, services;
};

/* What slipstream is told; freed by nobody, since this process becomes slipstream. */
static bool write_command(struct command_line *line, const struct passed *passed,
                          const struct run_options *options,
                          const struct option_arguments *arguments, struct error *error)
{
    enum {
        OPTION_WORDS = 32
    };
    static char image_text[16], memory_text[24], timeout_text[24], fuel_text[24];
    static char files_text[16], scratch_text[24], state_text[16], services_text[16];
    const char *variables[RUN_REQUEST_VARIABLES_MAX];
    if (!run_request_variables(&options->request, variables, error))
        return false;
    size_t room = OPTION_WORDS + 2 * (options->environment.count + RUN_REQUEST_VARIABLES_MAX) +
                  arguments->count;
    line->words = calloc(room, sizeof(*line->words));
    if (line->words == NULL)
        return error_set(error, ERROR_NO_MEMORY, "no memory for the command line");
    add_word(line, "slipstream");
    add_word(line, "--run");
    add_descriptor(line, "--image-fd", image_text, passed->image);
    add_number(line, "--memory-mib", memory_text, options->memory_mib);
    add_number(line, "--timeout-ms", timeout_text, options->timeout_ms);
    add_word(line, "--backend");
    add_word(line, options->backend);
    add_number(line, "--fuel", fuel_text, options->fuel);
    if (options->usage)
        add_word(line, "--usage");
    uint64_t scratch_mib = options->scratch_mib == 0 && passed->files >= 0
                               ? (uint64_t)SCRATCH_MIB_DEFAULT
                               : options->scratch_mib;
    add_descriptor(line, "--files-fd", files_text, passed->files);
    add_descriptor(line, "--kv-fd", state_text, passed->state);
    add_descriptor(line, "--services-fd", services_text, passed->services);
    add_number(line, "--scratch-kib", scratch_text, scratch_mib << 10);
    if (options->abi != NULL) {
        add_word(line, "--abi");
        add_word(line, options->abi);
    }
    if (options->include)
        add_word(line, "--include");
    for (size_t i = 0; variables[i] != NULL; i++) {
        add_word(line, "--env");
        add_word(line, variables[i]);
    }
    for (size_t i = 0; i < options->environment.count; i++) {
        add_word(line, "--env");
        add_word(line, options->environment.items[i]);
    }
    add_word(line, "--");
    for (size_t i = 0; i < arguments->count; i++)
        add_word(line, arguments->items[i]);
    ASSERT(line->count < room);
    return true;
}

static bool check_environment(const struct option_list *environment, struct error *error)
{
    for (size_t i = 0; i < environment->count; i++) {
        const char *equals = strchr(environment->items[i], '=');
        if (equals == NULL || equals == environment->items[i])
            return error_set(error, ERROR_USAGE, "--env wants KEY=VALUE, not \"%s\"",
                             error_quote(bytes_of_string(environment->items[i])).text);
    }
    return true;
}

/* Two runs at a time would each keep what the other did not know. */
static bool state_open(const char *path, int *state, struct error *error)
{
    if (path == NULL)
        return true;
    AUTO_CLOSE int opened = open(path, O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
    if (opened < 0)
        return error_system(error, "open %s", error_quote(bytes_of_string(path)).text);
    if (flock(opened, LOCK_EX | LOCK_NB) != 0)
        return error_set(error, ERROR_BUSY, "%s: another run has it",
                         error_quote(bytes_of_string(path)).text);
    *state = opened;
    opened = -1;
    return true;
}

static bool pass_on(int descriptor, struct error *error)
{
    return descriptor < 0 || fcntl(descriptor, F_SETFD, 0) == 0 ||
           error_system(error, "pass a descriptor on");
}

static bool run_run(struct cli *cli, const void *given, const struct option_arguments *arguments,
                    struct error *error)
{
    const struct run_options *options = given;
    AUTO_CLOSE int image = -1;
    AUTO_CLOSE int files = -1;
    AUTO_CLOSE int state = -1;
    AUTO_CLOSE int services = -1;
    char path[PATH_MAX];
    struct command_line line = { 0 };
    static const char *const environment[] = { NULL };
    if (!tier_check(options->tier, error) || !backend_check(options->backend, error) ||
        !check_environment(&options->environment, error) ||
        !spawn_sibling_path(path, sizeof(path), "slipstream", error) ||
        !prepare_image(cli, &image, arguments->items[0], options, error) ||
        !run_files(cli, &options->folders, &files, error) ||
        !state_open(options->state, &state, error) ||
        !run_services_start(cli, &options->services, &services, error) ||
        !write_command(&line, &(struct passed){ image, files, state, services }, options, arguments,
                       error) ||
        !pass_on(image, error) || !pass_on(files, error) || !pass_on(state, error) ||
        !pass_on(services, error))
        return false;
    execve(path, (char *const *)(uintptr_t)line.words, (char *const *)(uintptr_t)environment);
    error_system(error, "start %s", path);
    free(line.words);
    return false;
}

const struct verb verb_run = { .name = "run",
                               .summary = "run a WebAssembly module in a micro-VM, without a node",
                               .table = &run_table,
                               .defaults = &run_defaults,
                               .options_size = sizeof(struct run_options),
                               .run = run_run };
