/* SPDX-License-Identifier: Apache-2.0 */
#include "optimiser/parts.h"

#include "optimiser/limits.h"
#include "optimiser/pipeline.h"
#include "wasm/limits.h"

#include <errno.h>
#include <sched.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

/* Functions [first, end) that are wanted, in a list by ascending numbers. */
struct part {
    struct part *next;
    uint32_t first, end;
    bool is_begun;
    struct buffer object, traps;
    uint64_t grown_tables;
};

/* What a worker leaves in memory that it shares with its parent. */
struct outcome {
    uint64_t size;       /* of the object file behind this; 0: there is none */
    uint64_t traps_size; /* of the rows behind that */
    uint64_t grown_tables;
};

struct worker {
    pid_t process; /* 0: free */
    struct part *part;
    struct outcome *outcome; /* the shared memory */
};

struct crew {
    const struct parts_job *job;
    struct part *parts;
    struct worker workers[OPTIMISER_WORKERS_MAX];
    unsigned worker_count;
    uint32_t running, running_max;
    uint64_t cpu_us, cpu_us_max;
};

enum {
    SHARED_SIZE = (int)sizeof(struct outcome) + OPTIMISER_OBJECT_SIZE_MAX
};

static bool is_wanted(const struct optimise_options *options, const struct module *module,
                      uint32_t index)
{
    if (module->functions[index].body.size > OPTIMISER_FUNCTION_SIZE_MAX)
        return false;
    if (options->functions == NULL)
        return true;
    return index / 8 < options->functions_size &&
           (options->functions[index / 8] >> (index % 8) & 1) != 0;
}

static bool translate_part(struct translator *translator, const struct parts_job *job,
                           const struct part *part, struct arena *arena, struct error *error)
{
    struct validator *validator = NULL;
    AUTO(arena) struct arena *scratch = arena_new(WASM_ARENA_SIZE_MAX);
    bool found = false;
    if (!validator_new(&validator, job->module, arena, error))
        return false;
    if (job->options->wasm.fuel)
        validator_count_costs(validator);
    for (uint32_t i = part->first; i < part->end; i++) {
        struct function_facts facts;
        if (!is_wanted(job->options, job->module, i))
            continue;
        if (!validate_function(validator, i, &facts, error))
            return false;
        arena_reset(scratch);
        if (translate_function(translator, i, &facts, scratch))
            found = true;
    }
    return found;
}

/* In the worker's process; false: nothing of this part can be optimised. */
static bool compile_part(struct outcome *outcome, const struct parts_job *job,
                         const struct part *part)
{
    struct error error = { 0 };
    struct translator *translator = NULL;
    AUTO(arena) struct arena *arena = arena_new(WASM_ARENA_SIZE_MAX);
    struct buffer object, traps;
    buffer_init(&object, OPTIMISER_OBJECT_SIZE_MAX / 2);
    buffer_init(&traps, OPTIMISER_OBJECT_SIZE_MAX / 2);
    bool done = translator_new(&translator, job, arena, &error) &&
                translate_part(translator, job, part, arena, &error) &&
                pipeline_run(translator, &object, &traps, &error);
    if (done) {
        memcpy(outcome + 1, object.data, object.size);
        if (traps.size > 0)
            memcpy((uint8_t *)(outcome + 1) + object.size, traps.data, traps.size);
        outcome->traps_size = traps.size;
        outcome->grown_tables = translator->grown_tables;
        outcome->size = object.size;
    }
    return done;
}

static void limit_worker(const struct optimise_options *options)
{
    struct rlimit cpu = { OPTIMISER_PART_CPU_SECONDS, OPTIMISER_PART_CPU_SECONDS };
    struct rlimit memory = { options->worker_memory_max, options->worker_memory_max };
    if (setrlimit(RLIMIT_CPU, &cpu) != 0 ||
        (memory.rlim_max != 0 && setrlimit(RLIMIT_DATA, &memory) != 0))
        _exit(1);
}

static bool start(struct crew *crew, struct worker *worker, struct part *part, struct error *error)
{
    if (worker->outcome == NULL) {
        void *shared =
            mmap(NULL, SHARED_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
        if (shared == MAP_FAILED)
            return error_system(error, "no memory for a worker");
        worker->outcome = shared;
    }
    *worker->outcome = (struct outcome){ 0 };
    part->is_begun = true;
    pid_t process = fork();
    if (process < 0)
        return error_system(error, "can't start a worker");
    if (process == 0) {
        limit_worker(crew->job->options);
        (void)close(STDERR_FILENO); /* LLVM's last words are nobody's error message */
        _exit(compile_part(worker->outcome, crew->job, part) ? 0 : 1);
    }
    worker->process = process;
    worker->part = part;
    crew->running++;
    crew->running_max = MAX(crew->running_max, crew->running);
    return true;
}

/* A worker that fell may have taken good functions with it: they are tried again. */
static bool split(struct crew *crew, struct part *part)
{
    if (part->end - part->first < 2)
        return true;
    struct part *second = arena_take(crew->job->arena, sizeof(*second));
    if (second == NULL)
        return false;
    uint32_t middle = part->first + (part->end - part->first) / 2;
    *second = (struct part){ .next = part->next, .first = middle, .end = part->end };
    part->end = middle;
    part->next = second;
    part->is_begun = false;
    return true;
}

static bool finish(struct crew *crew, struct worker *worker, int status, struct error *error)
{
    struct part *part = worker->part;
    struct outcome outcome = *worker->outcome;
    worker->process = 0;
    crew->running--;
    bool is_whole = WIFEXITED(status) && WEXITSTATUS(status) == 0 &&
                    outcome.size <= OPTIMISER_OBJECT_SIZE_MAX &&
                    outcome.traps_size <= OPTIMISER_OBJECT_SIZE_MAX - outcome.size;
    if (is_whole) {
        const uint8_t *made = (const uint8_t *)(worker->outcome + 1);
        buffer_init(&part->object, OPTIMISER_OBJECT_SIZE_MAX);
        buffer_init(&part->traps, OPTIMISER_OBJECT_SIZE_MAX);
        buffer_append(&part->object, bytes_of(made, outcome.size));
        buffer_append(&part->traps, bytes_of(made + outcome.size, outcome.traps_size));
        part->grown_tables = outcome.grown_tables;
    }
    if (part->object.failed || part->traps.failed ||
        (!is_whole && WIFSIGNALED(status) && !split(crew, part)))
        return error_set(error, ERROR_NO_MEMORY, "no memory for optimised code");
    return true;
}

static bool wait_for_one(struct crew *crew, struct error *error)
{
    struct rusage usage;
    int status;
    pid_t process;
    do
        process = wait4(-1, &status, 0, &usage);
    while (process < 0 && errno == EINTR);
    if (process < 0)
        return error_system(error, "waiting for a worker");
    crew->cpu_us += (uint64_t)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1000000 +
                    (uint64_t)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec);
    for (unsigned i = 0; i < crew->worker_count; i++) {
        if (crew->workers[i].process == process)
            return finish(crew, &crew->workers[i], status, error);
    }
    return true;
}

static struct worker *free_worker(struct crew *crew)
{
    for (unsigned i = 0; i < crew->worker_count; i++) {
        if (crew->workers[i].process == 0)
            return &crew->workers[i];
    }
    return NULL;
}

static struct part *next_part(struct crew *crew)
{
    if (crew->cpu_us >= crew->cpu_us_max)
        return NULL;
    struct part *part = crew->parts;
    while (part != NULL && part->is_begun)
        part = part->next;
    return part;
}

static bool is_working(const struct crew *crew)
{
    for (unsigned i = 0; i < crew->worker_count; i++) {
        if (crew->workers[i].process != 0)
            return true;
    }
    return false;
}

static bool work(struct crew *crew, struct error *error)
{
    for (;;) {
        struct part *part = next_part(crew);
        struct worker *worker = free_worker(crew);
        if (part != NULL && worker != NULL) {
            if (!start(crew, worker, part, error))
                return false;
        } else if (is_working(crew)) {
            if (!wait_for_one(crew, error))
                return false;
        } else {
            return true;
        }
    }
}

static bool make_parts(struct crew *crew, struct error *error)
{
    const struct module *module = crew->job->module;
    struct part **last = &crew->parts;
    uint32_t at = module->imported_function_count;
    while (at < module->function_count) {
        uint32_t first = at;
        size_t size = 0;
        for (; at < module->function_count; at++) {
            if (!is_wanted(crew->job->options, module, at))
                continue;
            size_t more = module->functions[at].body.size;
            if (size > 0 && size + more > OPTIMISER_PART_SIZE)
                break;
            size += more;
        }
        if (size == 0)
            return true;
        struct part *part = arena_take(crew->job->arena, sizeof(*part));
        if (part == NULL)
            return error_set(error, ERROR_NO_MEMORY, "no memory for the optimiser");
        *part = (struct part){ .first = first, .end = at };
        *last = part;
        last = &part->next;
    }
    return true;
}

static unsigned processors(void)
{
    cpu_set_t set;
    if (sched_getaffinity(0, sizeof(set), &set) != 0)
        return 1;
    return (unsigned)CPU_COUNT(&set);
}

static void release(struct crew *crew)
{
    for (unsigned i = 0; i < crew->worker_count; i++) {
        /* After an error some may still run; their limits end them. */
        if (crew->workers[i].process != 0)
            (void)waitpid(crew->workers[i].process, NULL, 0);
        if (crew->workers[i].outcome != NULL)
            munmap(crew->workers[i].outcome, SHARED_SIZE);
    }
    for (struct part *part = crew->parts; part != NULL; part = part->next) {
        buffer_done(&part->object);
        buffer_done(&part->traps);
    }
}

bool parts_run(const struct parts_job *job, struct object_link *link, uint32_t *process_count,
               struct error *error)
{
    const struct optimise_options *options = job->options;
    unsigned count = options->workers != 0 ? options->workers : processors();
    uint32_t seconds =
        options->cpu_seconds != 0 ? options->cpu_seconds : (uint32_t)OPTIMISER_CPU_SECONDS;
    struct crew crew = { .job = job,
                         .worker_count = MIN(count, (unsigned)OPTIMISER_WORKERS_MAX),
                         .cpu_us_max = (uint64_t)seconds * 1000000 };
    bool done = make_parts(&crew, error) && work(&crew, error);
    for (struct part *part = crew.parts; done && part != NULL; part = part->next) {
        if (part->object.size > 0)
            done = object_add(link, buffer_view(&part->object), buffer_view(&part->traps), error);
        link->grown_tables |= part->grown_tables;
    }
    release(&crew);
    *process_count = crew.running_max;
    return done;
}
