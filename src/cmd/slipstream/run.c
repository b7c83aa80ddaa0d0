/* SPDX-License-Identifier: Apache-2.0 */
/* `slipstream --run`: the image's streams are this process's, its exit status too. */
#include "cmd/slipstream/slipstream.h"

#include "abi/layout.h"
#include "base/file.h"
#include "base/options.h"
#include "base/terminal.h"
#include "cmd/slipstream/run_reactor.h"
#include "slipstream/engine.h"
#include "slipstream/local_desk.h"
#include "slipstream/worker.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum {
    RUN_SCRATCH_KIB_MAX = (LAYOUT_SCRATCH_SIZE_MAX - LAYOUT_SCRATCH_FIXED_SIZE) >> 10,
    RUN_MAILBOX_SIZE = 4 << 20,
    RUN_INPUT_SIZE = 256 << 10,
    RUN_ERRORS_SIZE = 64 << 10
};

struct run_options {
    uint64_t image;
    uint64_t memory_mib;
    uint64_t timeout_ms;
    uint64_t fuel;
    bool usage;
    uint64_t uid;
    uint64_t files;
    uint64_t scratch_kib;
    uint64_t state;
    uint64_t services;
    struct option_list environment;
    const char *backend;
    const char *abi;
    bool include;
};

static const struct option_row run_rows[] = {
    { "image-fd", 0, OPTION_NUMBER, offsetof(struct run_options, image), "N",
      "descriptor of the compiled image", 3, 1 << 20 },
    { "memory-mib", 0, OPTION_NUMBER, offsetof(struct run_options, memory_mib), "N",
      "limit of linear memory (default: what the module asks for)", 1, 4096 },
    { "timeout-ms", 0, OPTION_NUMBER, offsetof(struct run_options, timeout_ms), "N",
      "limit of wall time (default: none)", 1, UINT32_MAX },
    { "fuel", 0, OPTION_NUMBER, offsetof(struct run_options, fuel), "N",
      "limit of fuel of a metered image (default: none)", 1, INT64_MAX },
    { "usage", 0, OPTION_FLAG, offsetof(struct run_options, usage), NULL,
      "say on stderr what it used", 0, 0 },
    { "env", 0, OPTION_LIST, offsetof(struct run_options, environment), "K=V",
      "a variable of the program's environment; may be repeated", 0, 0 },
    { "files-fd", 0, OPTION_NUMBER, offsetof(struct run_options, files), "N",
      "descriptor of the archive of its files", 3, 1 << 20 },
    { "scratch-kib", 0, OPTION_NUMBER, offsetof(struct run_options, scratch_kib), "N",
      "what it may write to files (default: nothing)", 0, RUN_SCRATCH_KIB_MAX },
    { "kv-fd", 0, OPTION_NUMBER, offsetof(struct run_options, state), "N",
      "descriptor of its state, to read and append (default: kept nowhere)", 3, 1 << 20 },
    { "services-fd", 0, OPTION_NUMBER, offsetof(struct run_options, services), "N",
      "socket of who has secrets, keys and a network for it (default: nobody)", 3, 1 << 20 },
    { "backend", 0, OPTION_STRING, offsetof(struct run_options, backend), "NAME",
      "kvm, process, or auto (the default): kvm, but process inside a confidential VM", 0, 0 },
    { "abi", 0, OPTION_STRING, offsetof(struct run_options, abi), "ABI",
      "command, cgi or reactor (default: what the module says)", 0, 0 },
    { "include", 0, OPTION_FLAG, offsetof(struct run_options, include), NULL,
      "print a reactor's status and headers before its body", 0, 0 },
    { "uid", 0, OPTION_NUMBER, offsetof(struct run_options, uid), "N",
      "user to become when started by root", 1, UINT32_MAX - 1 },
};

static const struct option_table run_table = {
    .program = "slipstream --run",
    .usage = "-- NAME [ARGUMENTS]",
    .about = "Runs one compiled image in a micro-VM.  Streams and exit status are the program's; a "
             "trap exits 1, a time limit 8, another limit 9.",
    .rows = run_rows,
    .row_count = ARRAY_COUNT(run_rows),
    .positional_max = 4096,
    .stops_at_positional = true,
};

/* What the program says on a terminal must not steer it.  Made before the jail: the room is enough
 * for SHOWN_SIZE bytes, each of which may stand as four characters. */
enum {
    SHOWN_SIZE = 4096
};
static struct buffer shown;
static bool is_shown;

static void shown_prepare(void)
{
    buffer_init(&shown, 4 * (size_t)SHOWN_SIZE + 16);
    is_shown =
        isatty(STDERR_FILENO) == 1 && buffer_reserve(&shown, 4 * (size_t)SHOWN_SIZE + 16) != NULL;
}

static void show_errors(struct bytes bytes)
{
    struct error ignored;
    while (bytes.size > 0) {
        struct bytes line = bytes_part(bytes, 0, MIN(bytes_find(bytes, '\n'), (size_t)SHOWN_SIZE));
        bool has_end = line.size < bytes.size && bytes.data[line.size] == '\n';
        buffer_clear(&shown);
        terminal_append(&shown, line);
        if (has_end)
            buffer_append_string(&shown, "\n");
        (void)!file_write_all(STDERR_FILENO, buffer_view(&shown), &ignored);
        bytes = bytes_part(bytes, line.size + (has_end ? 1 : 0), bytes.size);
    }
}

static void console_write(void *context UNUSED, unsigned number, struct bytes bytes)
{
    struct error error;
    if (number == STDERR_FILENO && is_shown) {
        show_errors(bytes);
        return;
    }
    /* The guest gathers its output, so it can't be told which write failed; to go on and end with
     * its exit code would say that everything was written. */
    if (file_write_all((int)number, bytes, &error) || number != STDOUT_FILENO)
        return;
    fprintf(stderr, "s3n: standard output: %s\n", error.text);
    fflush(stderr);
    _exit(error_exit_code(error.code));
}

static bool console_read(void *context UNUSED, uint8_t *target, size_t size, size_t *filled,
                         int timeout_ms)
{
    struct pollfd waiting = { .fd = 0, .events = POLLIN };
    *filled = 0;
    if (timeout_ms >= 0) {
        int ready = poll(&waiting, 1, timeout_ms);
        if (ready == 0)
            return false;
    }
    ssize_t got;
    do
        got = read(0, target, size);
    while (got < 0 && errno == EINTR);
    *filled = got > 0 ? (size_t)got : 0;
    return true;
}

static const struct console console_stdio = { .write = console_write, .read = console_read };

/* What a person sees of an outcome that is not a plain exit. */
static int report(const struct outcome *outcome, const struct program *program)
{
    struct error error;
    struct image_function function;
    if (outcome->kind == OUTCOME_DONE)
        return (int)(outcome->exit_code & 0xff);
    if (outcome_check(outcome, &error))
        return 0;
    fprintf(stderr, "s3n: %s", error.text);
    const struct image *image = program_image(program);
    for (size_t i = 0; outcome->has_function && i < image_count(image, IMAGE_FUNCTIONS); i++) {
        function = image_function_at(image, i);
        struct bytes name = image_string(image, function.name_offset, function.name_size);
        if (function.index != outcome->function_index || name.size == 0)
            continue;
        fprintf(stderr, " (%s)", error_quote(name).text);
        break;
    }
    fprintf(stderr, "\n");
    return error_exit_code(error.code);
}

static void report_usage(const struct outcome *outcome)
{
    fprintf(stderr, "s3n: used %.3f ms, %llu bytes of memory", (double)outcome->duration_ns / 1e6,
            (unsigned long long)outcome->memory_size);
    if (outcome->has_fuel)
        fprintf(stderr, ", %llu units of fuel", (unsigned long long)outcome->fuel);
    fprintf(stderr, "\n");
}

struct run_parts {
    struct engine *engine;
    struct program *program;
    struct shell *shell;
    enum settings_entry entry;
    struct buffer body; /* a reactor's request */
};

/* What the options or the image itself say; an image without any entry is left for shell_run to
 * refuse. */
static bool choose_entry(struct run_parts *parts, const char *abi, struct error *error)
{
    enum image_abi wanted = IMAGE_ABI_NONE, chosen;
    const char *reason;
    if (abi != NULL) {
        wanted = image_abi_of(bytes_of_string(abi));
        if (wanted == IMAGE_ABI_NONE)
            return error_set(error, ERROR_USAGE, "--abi: neither command, cgi nor reactor");
    }
    if (!image_choose_abi(&program_image(parts->program)->header, wanted, &chosen, &reason))
        return error_set(error, ERROR_INVALID, "%s", reason);
    parts->entry = chosen == IMAGE_ABI_NATIVE    ? SETTINGS_ENTRY_NATIVE
                   : chosen == IMAGE_ABI_REACTOR ? SETTINGS_ENTRY_REACTOR
                                                 : SETTINGS_ENTRY_COMMAND;
    return true;
}

static size_t mailbox_size_of(const struct run_parts *parts)
{
    return parts->entry == SETTINGS_ENTRY_COMMAND ? (size_t)RUN_MAILBOX_SIZE
                                                  : (size_t)RUN_REACTOR_MAILBOX_SIZE;
}

static bool open_shell(struct run_parts *parts, struct error *error)
{
    size_t size = mailbox_size_of(parts);
    void *mailbox = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (mailbox == MAP_FAILED)
        return error_system(error, "make a mailbox");
    if (parts->entry != SETTINGS_ENTRY_COMMAND && !run_reactor_read(&parts->body, error))
        return false;
    return shell_open(&parts->shell, parts->engine, mailbox, size, error);
}

static bool run_open(struct run_parts *parts, const struct run_options *options,
                     struct error *error)
{
    uid_t uid = (uid_t)options->uid;
    if (!engine_open(&parts->engine, options->backend, error))
        return false;
    bool is_process = strcmp(engine_backend(parts->engine), "process") == 0;
    engine_set_seal(parts->engine, jail_narrow);
    return jail_narrow_prepare(is_process ? &profile_run_guest : &profile_run_guest_kvm, error) &&
           jail_enter(is_process ? &profile_run_process : &profile_run, uid, (gid_t)uid, error) &&
           program_open(&parts->program, (int)options->image, error) &&
           (options->files == 0 || program_add_files(parts->program, (int)options->files, error)) &&
           choose_entry(parts, options->abi, error) && open_shell(parts, error);
}

static bool run_program(struct run_parts *parts, const struct run_options *options,
                        const char *const *arguments, struct outcome *outcome, struct error *error)
{
    struct settings limits = { .memory_size_max = options->memory_mib << 20,
                               .timeout_ms = (uint32_t)options->timeout_ms,
                               .scratch_size_max = options->scratch_kib << 10,
                               .fuel = options->fuel,
                               .entry = parts->entry };
    struct mailbox_request request = { .arguments = arguments,
                                       .environment = options->environment.items,
                                       .input_capacity = RUN_INPUT_SIZE,
                                       .errors_capacity = RUN_ERRORS_SIZE,
                                       .calls_capacity = CALL_AREA_SIZE };
    static struct call_desk desk;
    struct mailbox *mailbox = shell_mailbox(parts->shell);
    if (options->fuel != 0 && (program_image(parts->program)->header.flags & IMAGE_IS_METERED) == 0)
        return error_set(error, ERROR_USAGE, "the image does not count fuel: compile with --fuel");
    if (options->environment.count == OPTION_LIST_MAX)
        return error_set(error, ERROR_LIMIT, "at most %d variables", OPTION_LIST_MAX - 1);
    int state = options->state == 0 ? -1 : (int)options->state;
    int services = options->services == 0 ? -1 : (int)options->services;
    if (!local_desk_open(&desk, state, services, error) ||
        !mailbox_prepare(mailbox, mailbox_size_of(parts), &request, error) ||
        !shell_load(parts->shell, parts->program, &limits, outcome, error))
        return false;
    if (outcome->kind != OUTCOME_DONE)
        return true;
    shell_use_desk(parts->shell, &desk);
    if (parts->entry == SETTINGS_ENTRY_COMMAND)
        return shell_run(parts->shell, &console_stdio, outcome, error);
    if (!mailbox_check_quiet(mailbox, mailbox_size_of(parts), error))
        return error_within(error, "initialisation");
    return run_reactor_prepare(mailbox, options->environment.items, buffer_view(&parts->body),
                               error) &&
           shell_run(parts->shell, &console_stdio, outcome, error) &&
           (outcome->kind != OUTCOME_DONE || outcome->exit_code != 0 ||
            run_reactor_answer(mailbox, options->include, error));
}

int slipstream_run(char **argv)
{
    struct run_options options = { .uid = JAIL_UID_DEFAULT };
    struct option_arguments arguments = { 0 };
    struct run_parts parts = { 0 };
    struct outcome outcome;
    struct error error;
    if (!options_parse(&run_table, argv, &options, NULL, &arguments, &error)) {
        fprintf(stderr, "slipstream: %s\n", error.text);
        return error_exit_code(error.code);
    }
    if (arguments.wants_help) {
        AUTO_BUFFER struct buffer text;
        buffer_init(&text, 64 << 10);
        options_help(&text, &run_table);
        printf("%.*s", (int)text.size, (const char *)text.data);
        return 0;
    }
    shown_prepare();
    if (!run_open(&parts, &options, &error) ||
        !run_program(&parts, &options, (const char *const *)arguments.items, &outcome, &error)) {
        fprintf(stderr, "s3n: %s\n", error.text);
        return error_exit_code(error.code);
    }
    int code = report(&outcome, parts.program);
    /* As with a node: what did not end well has changed nothing. */
    if (code == 0 && !local_desk_commit(&error)) {
        fprintf(stderr, "s3n: %s\n", error.text);
        code = error_exit_code(error.code);
    }
    if (options.usage)
        report_usage(&outcome);
    fflush(stderr);
    /* The kernel takes the micro-VM apart faster than we would. */
    _exit(code);
}
