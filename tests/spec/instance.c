/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/spec/instance.h"

#include "base/file.h"

#include <sys/mman.h>

enum {
    MAILBOX_ERRORS_SIZE = 4 << 10,
    TYPE_V128 = 0x7b /* as the binary format has it */
};

bool instance_mailbox(void **mailbox, struct error *error)
{
    static const char *const no_strings[] = { NULL };
    static const struct mailbox_request request = { .arguments = no_strings,
                                                    .environment = no_strings,
                                                    .errors_capacity = MAILBOX_ERRORS_SIZE };
    void *made = mmap(NULL, INSTANCE_MAILBOX_SIZE, PROT_READ | PROT_WRITE,
                      MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (made == MAP_FAILED)
        return error_system(error, "make a mailbox");
    if (!mailbox_prepare(made, INSTANCE_MAILBOX_SIZE, &request, error)) {
        instance_mailbox_done(made);
        return false;
    }
    *mailbox = made;
    return true;
}

void instance_mailbox_done(void *mailbox)
{
    if (mailbox != NULL)
        munmap(mailbox, INSTANCE_MAILBOX_SIZE);
}

void instance_done(struct instance_of_suite *instance)
{
    shell_close(instance->shell);
    program_close(instance->program);
    instance_mailbox_done(instance->mailbox);
    *instance = (struct instance_of_suite){ 0 };
}

bool instance_open(struct instance_of_suite *instance, struct engine *engine, struct bytes image,
                   struct outcome *outcome, struct error *error)
{
    static const struct settings limits = { .timeout_ms = INSTANCE_TIMEOUT_MS };
    return instance_open_within(instance, engine, image, &limits, outcome, error);
}

bool instance_open_within(struct instance_of_suite *instance, struct engine *engine,
                          struct bytes image, const struct settings *limits,
                          struct outcome *outcome, struct error *error)
{
    AUTO_CLOSE int descriptor = -1;
    struct instance_of_suite made = { 0 };
    bool ok = instance_mailbox(&made.mailbox, error) &&
              file_sealed(&descriptor, "spectest", image, error) &&
              program_open(&made.program, descriptor, error) &&
              shell_open(&made.shell, engine, made.mailbox, INSTANCE_MAILBOX_SIZE, error) &&
              shell_load(made.shell, made.program, limits, outcome, error);
    if (ok && outcome->kind == OUTCOME_DONE)
        *instance = made;
    else
        instance_done(&made);
    return ok;
}

static bool find(const struct instance_of_suite *instance, struct bytes name,
                 enum image_export_kind kind, struct image_export *export, struct error *error)
{
    if (!image_find_export(program_image(instance->program), name, export) ||
        export->kind != (uint32_t)kind)
        return error_set(error, ERROR_NOT_FOUND, "no export \"%s\"", error_quote(name).text);
    return true;
}

static uint32_t slots_of(struct bytes types)
{
    uint32_t count = 0;
    for (size_t i = 0; i < types.size; i++)
        count += types.data[i] == TYPE_V128 ? 2 : 1;
    return count;
}

bool instance_invoke(struct instance_of_suite *instance, struct bytes name,
                     const struct values *arguments, struct values *results,
                     struct outcome *outcome, struct error *error)
{
    struct image_export export;
    if (!find(instance, name, IMAGE_EXPORT_FUNCTION, &export, error))
        return false;
    struct bytes types =
        image_string(program_image(instance->program), export.types_offset, export.types_size);
    uint32_t taken = slots_of(bytes_part(types, 0, export.parameter_count));
    results->count = slots_of(types) - taken;
    if (taken != arguments->count || results->count > INSTANCE_VALUES_MAX)
        return error_set(error, ERROR_INVALID, "export \"%s\" takes %u slots and returns %u",
                         error_quote(name).text, taken, results->count);
    if (instance->linked != NULL)
        return linked_call(instance->linked, &export, arguments->slots, arguments->count,
                           results->slots, results->count, outcome, error);
    return shell_call(instance->shell, export.where, arguments->slots, arguments->count,
                      results->slots, results->count, outcome, error);
}

bool instance_get(struct instance_of_suite *instance, struct bytes name, struct values *results,
                  struct error *error)
{
    struct image_export export;
    if (!find(instance, name, IMAGE_EXPORT_GLOBAL, &export, error))
        return false;
    struct bytes types =
        image_string(program_image(instance->program), export.types_offset, export.types_size);
    results->count = slots_of(bytes_part(types, 0, 1));
    if (instance->linked != NULL)
        return linked_global(instance->linked, &export, results->slots, error);
    return shell_read_global(instance->shell, export.where, &results->slots[0], error) &&
           shell_read_global(instance->shell, export.where + 8, &results->slots[1], error);
}
