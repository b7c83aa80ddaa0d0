/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/s3nd/remote_compiler.h"
#include "abi/image.h"
#include "base/file.h"
#include "core/reader.h"
#include "core/writer.h"
#include "functions/compiler_end.h"
#include "wasm/report.h"

#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

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

static bool outcome_read(const struct job *job, uint32_t status, struct error *error)
{
    if (status == SUPERVISOR_TIMED_OUT)
        return error_set(error, ERROR_LIMIT, "the module takes too long to compile");
    bool was_killed = status >= SUPERVISOR_SIGNALLED;
    struct spawn_end end = { was_killed,
                             (int)(was_killed ? status - SUPERVISOR_SIGNALLED : status) };
    uint8_t words[COMPILER_WORDS_MAX];
    ssize_t got = pread(job->messages, words, sizeof(words), 0);
    return compiler_end_check(&end, bytes_of(words, got < 0 ? 0 : (size_t)got), error);
}

static void ended(void *context, struct ipc_message *answer, const struct error *failure)
{
    AUTO(job) struct job *job = context;
    struct error error;
    if (answer == NULL) {
        job->done(job->context, -1, (struct bytes){ 0 }, failure);
        return;
    }
    struct reader reader = reader_of(answer->payload);
    uint32_t status = read_u32_le(&reader);
    if (!read_end(&reader)) {
        error_set(&error, ERROR_INTERNAL, "the supervisor's answer is malformed");
        job->done(job->context, -1, (struct bytes){ 0 }, &error);
    } else if (!outcome_read(job, status, &error)) {
        job->done(job->context, -1, (struct bytes){ 0 }, &error);
    } else {
        static uint8_t report[REPORT_SIZE_MAX];
        ssize_t size = pread(job->messages, report, sizeof(report), 0);
        int image = job->image;
        job->image = -1;
        job->done(job->context, image, bytes_of(report, size < 0 ? 0 : (size_t)size), NULL);
    }
}

static bool compile(void *context, int module, const struct artefact *artefact, compiler_done *done,
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
    static uint8_t payload[SUPERVISOR_COMPILE_SIZE + COMPILER_LIST_SIZE_MAX];
    struct writer writer = writer_into(payload, sizeof(payload));
    write_bytes(&writer, BYTES_OF(artefact->code.bytes));
    write_u32_le(&writer, artefact->flags);
    if (artefact->functions != NULL)
        write_bytes(&writer, bytes_of_string(artefact->functions));
    if (writer.failed)
        return error_set(error, ERROR_LIMIT, "too many functions to optimise");
    int descriptors[] = { source, job->image, job->messages };
    if (!supervisor_request(supervisor, SUPERVISOR_COMPILE, writer_view(&writer), descriptors,
                            ARRAY_COUNT(descriptors), ended, job, error))
        return false;
    (void)TAKE(job);
    return true;
}

#define TEXT_OF(macro)      TEXT_OF_(macro)
#define TEXT_OF_(expansion) #expansion

struct compiler remote_compiler(struct supervisor_client *supervisor)
{
    return (struct compiler){ .name =
                                  "s3n-" S3N_VERSION "-image-" TEXT_OF(IMAGE_VERSION) "-x86-64-v3",
                              .context = supervisor,
                              .start = compile };
}
