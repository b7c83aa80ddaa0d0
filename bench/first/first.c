/* SPDX-License-Identifier: Apache-2.0 */
/* bench-first MODULE: from a module's bytes to its first answer (validate, compile, image,
 * snapshot, an instance in a shell made ahead, run), in this process, against a cold start of the
 * same module compiled before, plus a millisecond. */
#include "abi/layout.h"
#include "base/buffer.h"
#include "base/file.h"
#include "slipstream/deadline.h"
#include "slipstream/engine.h"
#include "wasm/wasm.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    RUNS = 60,
    IMAGE_SIZE_MAX = 16 << 20,
    ALLOWED_US = 1000
};

static struct error error;

static void check(bool done, const char *what)
{
    if (done)
        return;
    fprintf(stderr, "%s: %s\n", what, error.text);
    exit(1);
}

static int compare(const void *a, const void *b)
{
    uint64_t first = *(const uint64_t *)a, second = *(const uint64_t *)b;
    return first < second ? -1 : first > second;
}

static double median_us(uint64_t *times)
{
    qsort(times, RUNS, sizeof(*times), compare);
    return (double)times[RUNS / 2] / 1000;
}

static int image_make(struct bytes module)
{
    struct wasm_options options = { 0 };
    AUTO_BUFFER struct buffer image;
    int descriptor = -1;
    buffer_init(&image, IMAGE_SIZE_MAX);
    check(wasm_compile(&image, module, &options, &error), "compile");
    check(file_sealed(&descriptor, "first", buffer_view(&image), &error), "image");
    return descriptor;
}

static void answer(struct shell *shell, struct program *program)
{
    struct settings settings = { .timeout_ms = 2000 };
    struct mailbox_request request = { .input = BYTES_LITERAL("a name\n"),
                                       .errors_capacity = 4096 };
    struct outcome outcome;
    check(mailbox_prepare(shell_mailbox(shell), 1 << 20, &request, &error), "mailbox");
    check(shell_load(shell, program, &settings, &outcome, &error), "load");
    check(shell_run(shell, NULL, &outcome, &error) && outcome.kind == OUTCOME_DONE, "run");
}

int main(int argc, char **argv)
{
    static uint64_t first[RUNS], cold[RUNS];
    struct engine *engine = NULL;
    struct bytes module = { 0 };
    int file = argc == 2 ? open(argv[1], O_RDONLY | O_CLOEXEC) : -1;
    check(file >= 0 && file_map(&module, file, &error), "module");
    check(engine_open(&engine, "kvm", &error), "engine");
    int compiled = image_make(module);
    for (unsigned i = 0; i < RUNS; i++) {
        struct shell *shells[2] = { NULL };
        struct program *programs[2] = { NULL };
        for (unsigned j = 0; j < 2; j++)
            check(shell_open(&shells[j], engine, NULL, 0, &error), "shell");
        check(program_open(&programs[0], compiled, &error), "program");
        uint64_t start = deadline_now_ns();
        answer(shells[0], programs[0]);
        cold[i] = deadline_now_ns() - start;
        start = deadline_now_ns();
        int image = image_make(module);
        check(program_open(&programs[1], image, &error), "program");
        answer(shells[1], programs[1]);
        first[i] = deadline_now_ns() - start;
        close(image);
        for (unsigned j = 0; j < 2; j++) {
            shell_close(shells[j]);
            program_close(programs[j]);
        }
    }
    printf("{\"name\": \"module bytes (%zu) to first answer vs a cold start and 1 ms\", \"ours\": "
           "%.1f, \"yardstick\": %.1f, \"unit\": \"us\", \"runs\": %d, \"goal\": 1}\n",
           module.size, median_us(first), median_us(cold) + (double)ALLOWED_US, RUNS);
    engine_close(engine);
    return 0;
}
