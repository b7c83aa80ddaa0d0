/* SPDX-License-Identifier: Apache-2.0 */
#include "base/jail_filter.h"

#include "base/file.h"
#include "base/jail_sanitized.h"

#include <errno.h>
#include <linux/seccomp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static bool add_row(scmp_filter_ctx context, const struct jail_call *call, pid_t own,
                    struct error *error)
{
    ASSERT(call->reason != NULL);
    char *name = seccomp_syscall_resolve_num_arch(SCMP_ARCH_NATIVE, call->number);
    if (name == NULL)
        return error_set(error, ERROR_INVALID, "%d is no system call", call->number);
    free(name);
    uint32_t action =
        call->refuse_errno == 0 ? SCMP_ACT_ALLOW : SCMP_ACT_ERRNO((uint32_t)call->refuse_errno);
    struct scmp_arg_cmp compare = { .arg = call->argument,
                                    .op = SCMP_CMP_MASKED_EQ,
                                    .datum_a = call->mask,
                                    .datum_b = call->own_process ? (uint64_t)own : call->value };
    int result = seccomp_rule_add_array(context, action, call->number, call->has_argument ? 1 : 0,
                                        call->has_argument ? &compare : NULL);
    errno = -result;
    return result == 0 || error_system(error, "filter row for system call %d", call->number);
}

static bool export_filter(scmp_filter_ctx context, struct jail_filter *filter, struct error *error)
{
    AUTO_CLOSE int exported = memfd_create("filter", MFD_CLOEXEC);
    if (exported < 0)
        return error_system(error, "make anonymous file");
    int result = seccomp_export_bpf(context, exported);
    errno = -result;
    if (result != 0)
        return error_system(error, "write filter");
    AUTO_BUFFER struct buffer content;
    buffer_init(&content, sizeof(filter->instructions));
    if (lseek(exported, 0, SEEK_SET) != 0)
        return error_system(error, "rewind filter");
    if (!file_read_descriptor(&content, exported, error))
        return error_within(error, "filter");
    memcpy(filter->instructions, content.data, content.size);
    filter->count = (unsigned short)(content.size / sizeof(filter->instructions[0]));
    return true;
}

/* What the process that builds a filter leaves. */
struct build {
    bool is_built, is_done;
    struct jail_filter filter;
    struct error error;
};

static bool build(struct jail_filter *filter, const struct jail_profile *profile, pid_t own,
                  struct error *error)
{
    scmp_filter_ctx context = seccomp_init(SCMP_ACT_KILL_PROCESS);
    if (context == NULL)
        return error_set(error, ERROR_NO_MEMORY, "no memory for a filter");
    bool built = true;
    for (size_t i = 0; built && i < profile->call_count; i++)
        built = add_row(context, &profile->calls[i], own, error);
    for (size_t i = 0; built && i < ARRAY_COUNT(jail_sanitizer_calls); i++)
        built = add_row(context, &jail_sanitizer_calls[i], own, error);
    built = built && export_filter(context, filter, error);
    seccomp_release(context);
    return built;
}

static bool build_apart(struct build *left, const struct jail_profile *profile, struct error *error)
{
    pid_t own = getpid(), child = fork();
    if (child < 0)
        return error_system(error, "fork");
    if (child == 0) {
        left->is_built = build(&left->filter, profile, own, &left->error);
        left->is_done = true;
        _exit(0);
    }
    while (waitpid(child, NULL, 0) < 0 && errno == EINTR)
        continue;
    if (left->is_built)
        return true;
    if (!left->is_done)
        return error_set(error, ERROR_INTERNAL, "the process that builds its filter died");
    *error = left->error;
    return false;
}

/* In a process of its own: what the library leaves on the heap would stay with whoever waits in its
 * jail for long. */
bool jail_filter_build(struct jail_filter *filter, const struct jail_profile *profile,
                       struct error *error)
{
    struct build *left =
        mmap(NULL, sizeof(*left), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (left == MAP_FAILED)
        return error_system(error, "room for a filter");
    bool is_built = build_apart(left, profile, error);
    if (is_built) {
        filter->count = left->filter.count;
        memcpy(filter->instructions, left->filter.instructions,
               filter->count * sizeof(filter->instructions[0]));
    }
    munmap(left, sizeof(*left));
    return is_built || error_within(error, "jail %s", profile->name);
}

bool jail_filter_install(const struct jail_filter *filter, struct error *error)
{
    struct sock_fprog program = { .len = filter->count,
                                  .filter = (struct sock_filter *)(uintptr_t)filter->instructions };
    long result =
        syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_TSYNC, &program);
    if (result > 0) /* the id of a thread with a filter of its own */
        return error_set(error, ERROR_INTERNAL, "thread %ld can't take the filter", result);
    return result == 0 || error_system(error, "install filter");
}
