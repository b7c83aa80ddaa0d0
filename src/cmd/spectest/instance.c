/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/spectest/instance.h"

#include "base/file.h"

#include <sys/mman.h>

enum {
    MAILBOX_SIZE = 64 << 10,
    MAILBOX_ERRORS_SIZE = 4 << 10
};

void instance_done(struct instance_of_suite *instance)
{
    shell_close(instance->shell);
    program_close(instance->program);
    if (instance->mailbox != NULL)
        munmap(instance->mailbox, MAILBOX_SIZE);
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
    static const char *const no_strings[] = { NULL };
    static const struct mailbox_request request = { .arguments = no_strings,
                                                    .environment = no_strings,
                                                    .errors_capacity = MAILBOX_ERRORS_SIZE };
    AUTO_CLOSE int descriptor = -1;
    struct instance_of_suite made = { 0 };
    void *mailbox =
        mmap(NULL, MAILBOX_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (mailbox == MAP_FAILED)
        return error_system(error, "make a mailbox");
    made.mailbox = mailbox;
    bool ok = mailbox_prepare(made.mailbox, MAILBOX_SIZE, &request, error) &&
              file_sealed(&descriptor, "spectest", image, error) &&
              program_open(&made.program, descriptor, error) &&
              shell_open(&made.shell, engine, made.mailbox, MAILBOX_SIZE, error) &&
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

bool instance_invoke(struct instance_of_suite *instance, struct bytes name,
                     const struct values *arguments, struct values *results,
                     struct outcome *outcome, struct error *error)
{
    struct image_export export;
    if (!find(instance, name, IMAGE_EXPORT_FUNCTION, &export, error))
        return false;
    if (export.parameter_count != arguments->count || export.result_count > INSTANCE_VALUES_MAX)
        return error_set(error, ERROR_INVALID, "export \"%s\" takes %u values",
                         error_quote(name).text, export.parameter_count);
    results->count = export.result_count;
    return shell_call(instance->shell, export.where, arguments->slots, arguments->count,
                      results->slots, results->count, outcome, error);
}

bool instance_get(struct instance_of_suite *instance, struct bytes name, struct values *results,
                  struct error *error)
{
    struct image_export export;
    if (!find(instance, name, IMAGE_EXPORT_GLOBAL, &export, error))
        return false;
    results->count = 1;
    return shell_read_global(instance->shell, export.where, &results->slots[0], error);
}
