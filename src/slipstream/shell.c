/* SPDX-License-Identifier: Apache-2.0 */
#include "slipstream/shell.h"

#include "abi/layout.h"
#include "slipstream/deadline.h"
#include "slipstream/gate.h"
#include "slipstream/limits.h"
#include "slipstream/program.h"
#include "slipstream/worker.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static bool engine_try(struct engine **made, const struct backend *backend, struct error *error)
{
    struct engine *engine = calloc(1, sizeof(*engine));
    if (engine == NULL)
        return error_system(error, "engine");
    engine->backend = backend;
    if (!backend->open(&engine->state, error)) {
        free(engine);
        return false;
    }
    *made = engine;
    return true;
}

/* Devices that only a guest with encrypted memory has; there is no /dev/kvm in it. */
static bool is_confidential_guest(void)
{
    static const char *const paths[] = { "/dev/tdx_guest", "/dev/tdx-guest", "/dev/sev-guest",
                                         "/dev/nsm", "/dev/attestation" };
    for (size_t i = 0; i < ARRAY_COUNT(paths); i++)
        if (access(paths[i], F_OK) == 0)
            return true;
    return false;
}

const char *engine_choose(const char *name)
{
    if (name != NULL && strcmp(name, "auto") != 0)
        return name;
    bool has_kvm = access("/dev/kvm", F_OK) == 0;
    return has_kvm || !is_confidential_guest() ? backend_kvm.name : backend_process.name;
}

bool engine_open(struct engine **made, const char *name, struct error *error)
{
    const char *chosen = engine_choose(name);
    if (strcmp(chosen, backend_process.name) == 0)
        return engine_try(made, &backend_process, error);
    if (strcmp(chosen, backend_kvm.name) != 0)
        return error_set(error, ERROR_UNSUPPORTED,
                         "no backend of this name; there are: kvm, process");
    if (engine_try(made, &backend_kvm, error))
        return true;
    return error_within(error, "no micro-VM here (--backend process runs without one)");
}

const char *engine_backend(const struct engine *engine)
{
    return engine->backend->name;
}

void engine_set_seal(struct engine *engine, bool (*seal)(struct error *error))
{
    engine->seal = seal;
}

bool engine_seal(struct engine *engine, struct error *error)
{
    if (engine->seal == NULL)
        return true;
    /* What an entry may need later and could not make any more. */
    if (!deadline_ready(error))
        return false;
    gate_seal();
    return TAKE(engine->seal)(error);
}

bool engine_restore_by(struct engine *engine, const struct restoring *restoring,
                       struct error *error)
{
    return engine->backend->restore_by == NULL ||
           engine->backend->restore_by(engine->state, restoring, error);
}

void engine_close(struct engine *engine)
{
    if (engine == NULL)
        return;
    engine->backend->close(engine->state);
    free(engine);
}

static bool shell_build(struct shell *shell, struct engine *engine, struct error *error)
{
    if (shell->mailbox == NULL) {
        shell->mailbox_size = MAILBOX_DEFAULT_SIZE;
        void *at = mmap(NULL, shell->mailbox_size, PROT_READ | PROT_WRITE,
                        MAP_SHARED | MAP_ANONYMOUS, -1, 0);
        if (at == MAP_FAILED)
            return error_system(error, "make a mailbox");
        shell->mailbox = at;
        shell->window_size = shell->mailbox_size;
        shell->owns_mailbox = true;
    }
    shell->window = (uint8_t *)shell->mailbox;
    return engine->backend->machine_open(&shell->machine, engine->state, shell->window,
                                         shell->window_size, error);
}

bool shell_open(struct shell **made, struct engine *engine, void *mailbox, size_t mailbox_size,
                struct error *error)
{
    ASSERT(mailbox == NULL || (mailbox_size % LAYOUT_PAGE_SIZE == 0 && mailbox_size > 0 &&
                               mailbox_size <= LAYOUT_MAILBOX_SIZE_MAX));
    struct shell *shell = calloc(1, sizeof(*shell));
    if (shell == NULL)
        return error_system(error, "shell");
    shell->engine = engine;
    shell->backend = engine->backend;
    shell->mailbox = mailbox;
    shell->mailbox_size = mailbox_size;
    shell->window_size = mailbox_size;
    if (!shell_build(shell, engine, error)) {
        shell_close(shell);
        return false;
    }
    *made = shell;
    return true;
}

bool shell_open_apart(struct shell **made, struct engine *engine, struct error *error)
{
    struct shell *shell = calloc(1, sizeof(*shell));
    if (shell == NULL)
        return error_system(error, "shell");
    shell->engine = engine;
    shell->backend = engine->backend;
    if (!engine->backend->machine_open(&shell->machine, engine->state, NULL, 0, error)) {
        shell_close(shell);
        return false;
    }
    *made = shell;
    return true;
}

bool shell_attach(struct shell *shell, void *mailbox, size_t mailbox_size, struct error *error)
{
    ASSERT(shell->mailbox == NULL && shell->program == NULL);
    shell->mailbox = mailbox;
    shell->window = mailbox;
    shell->mailbox_size = shell->window_size = mailbox_size;
    return shell->backend->machine_attach(shell->machine, mailbox, mailbox_size, error);
}

void shell_close(struct shell *shell)
{
    if (shell == NULL)
        return;
    if (shell->machine != NULL)
        shell->backend->machine_close(shell->machine);
    if (shell->owns_mailbox)
        munmap(shell->window, shell->window_size);
    program_close(shell->program);
    linked_close(shell->linked);
    free(shell);
}

struct mailbox *shell_mailbox(struct shell *shell)
{
    return shell->mailbox;
}

void shell_use_station(struct shell *shell, uint64_t offset, uint64_t size)
{
    ASSERT(offset % LAYOUT_PAGE_SIZE == 0 && offset <= shell->window_size &&
           size <= shell->window_size - offset);
    shell->mailbox = (struct mailbox *)(void *)(shell->window + offset);
    shell->mailbox_size = size;
}

/* What runs once, before the snapshot, in its order. */
static void set_initialisation(struct control *control, const struct image_header *header,
                               const struct settings *settings)
{
    const struct {
        enum image_flag flag;
        uint32_t offset;
        bool counts;
    } rows[] = {
        { IMAGE_HAS_START, header->start_offset, true },
        { IMAGE_HAS_INITIALISE, header->initialise_offset,
          settings->entry == SETTINGS_ENTRY_REACTOR },
        { IMAGE_HAS_INIT, header->init_offset, settings->entry == SETTINGS_ENTRY_REACTOR },
    };
    control->entry = ENTRY_INITIALISE;
    control->argument_count = 0;
    if (settings->entry == SETTINGS_ENTRY_NATIVE) {
        control->entry = ENTRY_NATIVE_INITIALISE;
        return;
    }
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++)
        if (rows[i].counts && (header->flags & rows[i].flag) != 0)
            control->arguments[control->argument_count++] = LAYOUT_CODE + rows[i].offset;
}

/* With the program locked: nobody else initialises it meanwhile. */
static bool shell_initialise(struct shell *shell, struct program *program, struct outcome *outcome,
                             struct error *error)
{
    struct control *control = shell->backend->machine_control(shell->machine);
    set_initialisation(control, &program->image.header, &shell->settings);
    if (control->entry == ENTRY_INITIALISE && control->argument_count == 0) {
        program->is_frozen = true;
        return true;
    }
    uint32_t code_offset =
        control->entry == ENTRY_INITIALISE ? 0 : program->image.header.handle_offset;
    if (!exits_serve(shell, code_offset, NULL, outcome, error))
        return false;
    if (outcome->kind != OUTCOME_DONE)
        return true;
    return program_freeze(program, shell->backend, shell->machine, error) &&
           shell->backend->machine_reset(shell->machine, program, false, error);
}

static uint64_t memory_limit(const struct settings *settings)
{
    bool is_given = settings->memory_size_max != 0 && settings->memory_size_max <= MEMORY_SIZE_MAX;
    return is_given ? settings->memory_size_max : MEMORY_SIZE_MAX;
}

/* All that can be said without a machine. */
static bool fill_check(const struct backend *backend, const struct program *program,
                       const struct settings *settings, struct outcome *outcome,
                       struct error *error)
{
    const struct image_header *header = &program->image.header;
    *outcome = (struct outcome){ .kind = OUTCOME_DONE, .memory_size = program->memory.size };
    if (program->memory.size > memory_limit(settings))
        return error_set(
            error, ERROR_LIMIT, "the module starts with %llu bytes of memory, the limit is %llu",
            (unsigned long long)program->memory.size, (unsigned long long)memory_limit(settings));
    /* Compiled code keeps to its module by itself; this does not. */
    if ((header->flags & IMAGE_IS_NATIVE) != 0 && !backend->has_walls)
        return error_set(error, ERROR_UNSUPPORTED,
                         "a native function needs a micro-VM: backend %s has none", backend->name);
    if ((header->flags & IMAGE_START_TRAPS) != 0) {
        outcome->kind = OUTCOME_TRAPPED;
        outcome->reason = (enum trap_reason)header->start_trap;
    }
    return true;
}

bool program_check(struct program *program, const struct engine *engine,
                   const struct settings *settings, bool *runs, struct error *error)
{
    struct control ignored;
    struct outcome outcome;
    if (!program_check_entry(program, settings, error) ||
        !fill_check(engine->backend, program, settings, &outcome, error))
        return false;
    if (!outcome_check(&outcome, error))
        return error_within(error, "initialisation");
    set_initialisation(&ignored, &program->image.header, settings);
    *runs = ignored.entry != ENTRY_INITIALISE || ignored.argument_count != 0;
    program->is_frozen = !*runs;
    return true;
}

static bool shell_fill(struct shell *shell, struct program *program, struct outcome *outcome,
                       struct error *error)
{
    if (!fill_check(shell->backend, program, &shell->settings, outcome, error))
        return false;
    if (outcome->kind != OUTCOME_DONE)
        return true;
    if (!shell->backend->machine_load(shell->machine, program, error))
        return false;
    return program->is_frozen || shell_initialise(shell, program, outcome, error);
}

bool shell_load(struct shell *shell, struct program *program, const struct settings *settings,
                struct outcome *outcome, struct error *error)
{
    ASSERT(shell->program == NULL);
    if (program->image.header.placement != 0 || shell->linked != NULL)
        return error_set(error, ERROR_INVALID, "a linked image does not stand alone");
    shell->settings = *settings;
    shell->settings.memory_size_max = memory_limit(settings);
    shell->program = program_share(program);
    pthread_mutex_lock(&program->lock);
    bool filled = shell_fill(shell, program, outcome, error);
    pthread_mutex_unlock(&program->lock);
    shell->is_broken = !filled || outcome->kind != OUTCOME_DONE;
    return filled;
}

bool shell_is_ready(const struct shell *shell, struct error *error)
{
    if (shell->program == NULL || shell->is_broken)
        return error_set(error, ERROR_INTERNAL, "the micro-VM has no usable program");
    return true;
}

bool shell_reset(struct shell *shell, struct error *error)
{
    return shell->backend->machine_reset(shell->machine, shell->program, true, error);
}

bool shell_call(struct shell *shell, uint32_t code_offset, const uint64_t *arguments,
                uint32_t argument_count, uint64_t *results, uint32_t result_count,
                struct outcome *outcome, struct error *error)
{
    if (!shell_is_ready(shell, error))
        return false;
    if (argument_count > CONTROL_SLOTS_MAX || result_count > CONTROL_SLOTS_MAX)
        return error_set(error, ERROR_LIMIT, "a call takes at most %d slots", CONTROL_SLOTS_MAX);
    struct control *control = shell->backend->machine_control(shell->machine);
    control->entry = ENTRY_CALL;
    control->argument_count = argument_count;
    control->result_count = result_count;
    if (argument_count > 0)
        memcpy(control->arguments, arguments, argument_count * sizeof(uint64_t));
    if (!exits_serve(shell, code_offset, NULL, outcome, error))
        return false;
    if (outcome->kind == OUTCOME_DONE && result_count > 0)
        memcpy(results, shell->mailbox->results, result_count * sizeof(uint64_t));
    return true;
}

/* The entry that the settings ask for; false when the image has none. */
bool shell_set_entry(struct control *control, const struct image_header *header,
                     enum settings_entry entry, uint32_t *code_offset, struct error *error)
{
    switch (entry) {
    case SETTINGS_ENTRY_COMMAND:
        control->entry = ENTRY_COMMAND;
        *code_offset = header->command_offset;
        return (header->flags & IMAGE_HAS_COMMAND) != 0 ||
               error_set(error, ERROR_INVALID, "the module has no function _start to run");
    case SETTINGS_ENTRY_REACTOR:
        control->entry = ENTRY_HANDLE;
        control->argument_count = 1;
        control->arguments[0] = LAYOUT_CODE + header->alloc_offset;
        *code_offset = header->handle_offset;
        return (header->flags & IMAGE_HAS_REACTOR) != 0 ||
               error_set(error, ERROR_INVALID,
                         "the module does not export s3n_alloc and s3n_handle");
    case SETTINGS_ENTRY_NATIVE:
        control->entry = ENTRY_NATIVE;
        *code_offset = header->handle_offset;
        return (header->flags & IMAGE_IS_NATIVE) != 0 ||
               error_set(error, ERROR_INVALID, "it is not a native function");
    case SETTINGS_ENTRY_COUNT:
        break;
    }
    return error_set(error, ERROR_INTERNAL, "unknown entry");
}

bool program_check_entry(const struct program *program, const struct settings *settings,
                         struct error *error)
{
    struct control ignored;
    uint32_t code_offset;
    return shell_set_entry(&ignored, &program->image.header, (enum settings_entry)settings->entry,
                           &code_offset, error);
}

bool shell_run(struct shell *shell, const struct console *console, struct outcome *outcome,
               struct error *error)
{
    uint32_t code_offset;
    if (!shell_is_ready(shell, error))
        return false;
    struct control *control = shell->backend->machine_control(shell->machine);
    return shell_set_entry(control, &shell->program->image.header,
                           (enum settings_entry)shell->settings.entry, &code_offset, error) &&
           exits_serve(shell, code_offset, console, outcome, error);
}

bool shell_read_global(const struct shell *shell, uint32_t instance_offset, uint64_t *slot,
                       struct error *error)
{
    uint64_t size;
    const uint8_t *at = shell->backend->machine_part(shell->machine, PART_INSTANCE, &size);
    if (shell->program == NULL || instance_offset > size || size - instance_offset < sizeof(*slot))
        return error_set(error, ERROR_INTERNAL, "global outside the instance");
    memcpy(slot, at + instance_offset, sizeof(*slot));
    return true;
}
