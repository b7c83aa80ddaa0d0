/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/s3nd/remote_compiler.h"
#include "base/file.h"
#include "core/reader.h"

#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum {
    MESSAGE_SIZE_MAX = 200
};

struct job {
    int image;
    int messages;
    compiler_done *done;
    void *context;
};

static void job_free(struct job *job)
{
    if (job == NULL)
        return;
    file_close(&job->image);
    file_close(&job->messages);
    free(job);
}
DEFINE_AUTO(job, job_free)

/* The codes that a refusal may have; anything else is the compiler's own trouble. */
static enum error_code code_of_name(struct bytes name)
{
    static const enum error_code codes[] = { ERROR_INVALID, ERROR_UNSUPPORTED, ERROR_LIMIT };
    for (size_t i = 0; i < ARRAY_COUNT(codes); i++) {
        if (bytes_equal_string(name, error_name(codes[i])))
            return codes[i];
    }
    return ERROR_INTERNAL;
}

/* The compiler writes one line "code: text".  It read a stranger's module, so its words are outside
 * text. */
static void refusal_read(int messages, int exit_code, struct error *error)
{
    uint8_t line[MESSAGE_SIZE_MAX];
    ssize_t got = pread(messages, line, sizeof(line), 0);
    struct bytes text = bytes_of(line, got < 0 ? 0 : (size_t)got);
    text = bytes_part(text, 0, bytes_find(text, '\n'));
    for (size_t i = 0; i < text.size; i++) {
        if (line[i] < 0x20 || line[i] >= 0x7f)
            line[i] = '?';
    }
    size_t colon = bytes_find(text, ':');
    enum error_code code = code_of_name(bytes_part(text, 0, colon));
    struct bytes reason = bytes_part(text, colon + 2, SIZE_MAX);
    if (code == ERROR_INTERNAL || reason.size == 0)
        error_set(error, ERROR_INTERNAL, "the compiler failed with exit code %d: %.*s", exit_code,
                  (int)text.size, (const char *)text.data);
    else
        error_set(error, code, "%.*s", (int)reason.size, (const char *)reason.data);
}

static bool outcome_read(const struct job *job, uint32_t status, struct error *error)
{
    if (status == 0)
        return true;
    if (status == SUPERVISOR_SIGNALLED + SIGXCPU || status == SUPERVISOR_TIMED_OUT)
        return error_set(error, ERROR_LIMIT, "the module takes too long to compile");
    if (status == SUPERVISOR_SIGNALLED + SIGXFSZ)
        return error_set(error, ERROR_LIMIT, "the module's image is too large");
    if (status == SUPERVISOR_SIGNALLED + SIGKILL)
        return error_set(error, ERROR_CRASHED, "the compiler was killed; try again");
    if (status >= SUPERVISOR_SIGNALLED)
        return error_set(error, ERROR_CRASHED, "the compiler crashed on this module (signal %u)",
                         status - SUPERVISOR_SIGNALLED);
    refusal_read(job->messages, (int)status, error);
    return false;
}

static void ended(void *context, struct ipc_message *answer, const struct error *failure)
{
    AUTO(job) struct job *job = context;
    struct error error;
    if (answer == NULL) {
        job->done(job->context, -1, failure);
        return;
    }
    struct reader reader = reader_of(answer->payload);
    uint32_t status = read_u32_le(&reader);
    if (!read_end(&reader)) {
        error_set(&error, ERROR_INTERNAL, "the supervisor's answer is malformed");
        job->done(job->context, -1, &error);
    } else if (!outcome_read(job, status, &error)) {
        job->done(job->context, -1, &error);
    } else {
        int image = job->image;
        job->image = -1;
        job->done(job->context, image, NULL);
    }
}

static bool compile(void *context, int module, const struct digest32 *code, compiler_done *done,
                    void *done_context, struct error *error)
{
    struct supervisor_client *supervisor = context;
    AUTO_CLOSE int source = module;
    AUTO(job) struct job *job = calloc(1, sizeof(*job));
    if (job == NULL)
        return error_set(error, ERROR_NO_MEMORY, "no memory for a compilation");
    *job = (struct job){ -1, -1, done, done_context };
    job->image = memfd_create("image", MFD_CLOEXEC);
    job->messages = memfd_create("messages", MFD_CLOEXEC);
    if (job->image < 0 || job->messages < 0 || lseek(source, 0, SEEK_SET) != 0)
        return error_system(error, "files for a compilation");
    int descriptors[] = { source, job->image, job->messages };
    if (!supervisor_request(supervisor, SUPERVISOR_COMPILE, BYTES_OF(code->bytes), descriptors,
                            ARRAY_COUNT(descriptors), ended, job, error))
        return false;
    (void)TAKE(job);
    return true;
}

struct compiler remote_compiler(struct supervisor_client *supervisor)
{
    return (struct compiler){ .name = "s3n-" S3N_VERSION "-baseline",
                              .context = supervisor,
                              .start = compile };
}
