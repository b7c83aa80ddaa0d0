/* SPDX-License-Identifier: Apache-2.0 */
/* What is not LLVM's to compile, and that the rest comes out the same whoever compiles it. */
#include "optimiser/limits.h"
#include "optimiser/optimiser.h"
#include "tests/harness.h"

#include <sched.h>
#include <string.h>
#include <sys/resource.h>

enum {
    MEMORY_SMALL = 12 << 20
};

static void put(struct buffer *buffer, uint8_t byte)
{
    buffer_append(buffer, bytes_of(&byte, 1));
}

static void put_number(struct buffer *buffer, size_t number)
{
    for (; number >= 0x80; number >>= 7)
        put(buffer, (uint8_t)(number | 0x80));
    put(buffer, (uint8_t)number);
}

static void put_section(struct buffer *module, uint8_t id, const struct buffer *content)
{
    put(module, id);
    put_number(module, content->size);
    buffer_append(module, buffer_view(content));
}

/* A module whose functions, all [i32] -> [i32], have these bodies. */
static void build(struct buffer *module, const struct buffer *bodies, unsigned count)
{
    static const uint8_t head[] = { 0, 'a', 's', 'm', 1, 0, 0, 0, 1, 6, 1, 0x60, 1, 0x7f, 1, 0x7f };
    static const uint8_t memory[] = { 5, 3, 1, 0, 1 };
    AUTO_BUFFER struct buffer part;
    buffer_init(&part, 1 << 24);
    buffer_clear(module);
    buffer_append(module, BYTES_OF(head));
    put_number(&part, count);
    for (unsigned i = 0; i < count; i++)
        put(&part, 0);
    put_section(module, 3, &part);
    buffer_append(module, BYTES_OF(memory));
    buffer_clear(&part);
    put_number(&part, count);
    for (unsigned i = 0; i < count; i++) {
        put_number(&part, bodies[i].size);
        buffer_append(&part, buffer_view(&bodies[i]));
    }
    put_section(module, 10, &part);
}

static void get_local(struct buffer *body, size_t index)
{
    put(body, 0x20);
    put_number(body, index);
}

/* Loads whose address is what the one before loaded. */
static void straight_line(struct buffer *body, unsigned count)
{
    put(body, 0);
    get_local(body, 0);
    for (unsigned i = 0; i < count; i++) {
        static const uint8_t load[] = { 0x41, 0xff, 0xff, 3, 0x71, 0x28, 2, 0 };
        buffer_append(body, BYTES_OF(load));
    }
    put(body, 0x0b);
}

/* A loop of many branches, each of which may change one of many locals. */
static void tangle(struct buffer *body, unsigned branches, unsigned locals)
{
    static const uint8_t loop[] = { 0x03, 0x40 }, condition[] = { 0x04, 0x40 };
    static const uint8_t end[] = { 0x20, 1, 0x0d, 0, 0x0b, 0x20, 0, 0x0b };
    put(body, 1);
    put_number(body, locals);
    put(body, 0x7f);
    buffer_append(body, BYTES_OF(loop));
    for (unsigned i = 0; i < branches; i++) {
        get_local(body, 1 + i * 7 % locals);
        buffer_append(body, BYTES_OF(condition));
        get_local(body, 1 + i * 13 % locals);
        put(body, 0x21);
        put_number(body, 1 + i * 29 % locals);
        put(body, 0x0b);
    }
    buffer_append(body, BYTES_OF(end));
}

/* As much, of values that nobody knows: each local is loaded, again and again. */
static void web(struct buffer *body, unsigned branches, unsigned locals)
{
    static const uint8_t load[] = { 0x41, 0xff, 0xff, 3, 0x71, 0x28, 2, 0 };
    put(body, 1);
    put_number(body, locals);
    put(body, 0x7f);
    for (unsigned i = 0; i < branches; i++) {
        get_local(body, i * 7 % locals);
        buffer_append(body, BYTES_OF(load));
        put(body, 0x21);
        put_number(body, 1 + i * 29 % locals);
        get_local(body, i * 13 % locals);
        put(body, 0x04);
        put(body, 0x40);
        get_local(body, i * 17 % locals);
        put(body, 0x21);
        put_number(body, 1 + i * 11 % locals);
        put(body, 0x0b);
    }
    get_local(body, 1);
    put(body, 0x0b);
}

static void small(struct buffer *body)
{
    static const uint8_t code[] = { 0, 0x20, 0, 0x41, 1, 0x6a, 0x0b };
    buffer_append(body, BYTES_OF(code));
}

static unsigned optimised(struct buffer *image, struct buffer *module,
                          const struct optimise_options *options)
{
    struct error error = { 0 };
    struct optimise_report report = { 0 };
    bool done = optimise_compile(image, buffer_view(module), options, &report, &error);
    CHECK_NOTE(done, "%s", error.text);
    return report.optimised_count;
}

static void leaves_bombs_to_the_baseline(void)
{
    static const struct optimise_options options;
    AUTO_BUFFER struct buffer module, image;
    struct buffer bodies[5];
    buffer_init(&module, 1 << 24);
    buffer_init(&image, 1 << 28);
    for (unsigned i = 0; i < ARRAY_COUNT(bodies); i++)
        buffer_init(&bodies[i], 1 << 24);
    straight_line(&bodies[0], 60000);
    tangle(&bodies[1], 4000, 400);
    small(&bodies[2]);
    straight_line(&bodies[3], OPTIMISER_BLOCK_SIZE_MAX / 8 + 1);
    tangle(&bodies[4], 20, 10);
    build(&module, bodies, ARRAY_COUNT(bodies));
    CHECK(optimised(&image, &module, &options) == 2); /* the small ones */
    for (unsigned i = 0; i < ARRAY_COUNT(bodies); i++)
        buffer_done(&bodies[i]);
}

static void gives_the_same_image_however_it_works(void)
{
    enum {
        COUNT = 40
    };
    static const uint8_t some[COUNT / 8] = { 0xf0, 0x0f, 0xff, 0x00, 0x01 };
    AUTO_BUFFER struct buffer module, first, second;
    struct buffer bodies[COUNT];
    buffer_init(&module, 1 << 24);
    buffer_init(&first, 1 << 28);
    buffer_init(&second, 1 << 28);
    for (unsigned i = 0; i < COUNT; i++) {
        buffer_init(&bodies[i], 1 << 24);
        straight_line(&bodies[i], 700); /* several parts */
    }
    build(&module, bodies, COUNT);
    struct optimise_options options = { .workers = 1 };
    CHECK(optimised(&first, &module, &options) == COUNT);
    options.workers = 3;
    CHECK(optimised(&second, &module, &options) == COUNT);
    CHECK(bytes_equal(buffer_view(&first), buffer_view(&second)));
    options.functions = some;
    options.functions_size = sizeof(some);
    CHECK(optimised(&second, &module, &options) == 17);
    CHECK(!bytes_equal(buffer_view(&first), buffer_view(&second)));
    for (unsigned i = 0; i < COUNT; i++)
        buffer_done(&bodies[i]);
}

/* One process per processor, or as many as are asked for, as long as there are parts. */
static void works_on_all_processors(void)
{
    enum {
        COUNT = 60 /* five parts */
    };
    AUTO_BUFFER struct buffer module, image;
    struct buffer bodies[COUNT];
    struct error error = { 0 };
    struct optimise_report report = { 0 };
    cpu_set_t set;
    buffer_init(&module, 1 << 24);
    buffer_init(&image, 1 << 28);
    for (unsigned i = 0; i < COUNT; i++) {
        buffer_init(&bodies[i], 1 << 24);
        straight_line(&bodies[i], 650);
    }
    build(&module, bodies, COUNT);
    struct optimise_options options = { .workers = 3 };
    CHECK(optimise_compile(&image, buffer_view(&module), &options, &report, &error));
    CHECK(report.process_count == 3 && report.optimised_count == COUNT);
    options.workers = 0;
    CHECK(sched_getaffinity(0, sizeof(set), &set) == 0);
    uint32_t processors = MIN((uint32_t)CPU_COUNT(&set), 5u);
    CHECK(optimise_compile(&image, buffer_view(&module), &options, &report, &error));
    CHECK_NOTE(report.process_count == processors, "%u of %u", report.process_count, processors);
    for (unsigned i = 0; i < COUNT; i++)
        buffer_done(&bodies[i]);
}

/* What is left when the time of all is over stays the baseline's. */
static void ends_when_its_time_is_over(void)
{
    enum {
        COUNT = 200 /* some seconds of work */
    };
    AUTO_BUFFER struct buffer module, image;
    struct buffer bodies[COUNT];
    buffer_init(&module, 1 << 24);
    buffer_init(&image, 1 << 28);
    for (unsigned i = 0; i < COUNT; i++) {
        buffer_init(&bodies[i], 1 << 24);
        tangle(&bodies[i], 500, 20);
    }
    build(&module, bodies, COUNT);
    struct optimise_options options = { .workers = 1, .cpu_seconds = 1 };
    unsigned count = optimised(&image, &module, &options);
    CHECK_NOTE(count > 0 && count < COUNT, "%u", count);
    for (unsigned i = 0; i < COUNT; i++)
        buffer_done(&bodies[i]);
}

/* A function that needs more memory than a worker may have is the baseline's; its neighbours, whose
 * worker it took along, are tried again. */
static void a_worker_over_its_memory_costs_one_function(void)
{
    enum {
        COUNT = 4
    };
    AUTO_BUFFER struct buffer module, image;
    struct buffer bodies[COUNT];
    struct rusage usage;
    buffer_init(&module, 1 << 24);
    buffer_init(&image, 1 << 28);
    for (unsigned i = 0; i < COUNT; i++)
        buffer_init(&bodies[i], 1 << 24);
    small(&bodies[0]);
    web(&bodies[1], 1200, 100);
    small(&bodies[2]);
    small(&bodies[3]);
    build(&module, bodies, COUNT);
    struct optimise_options options = { .workers = 1 };
    CHECK(optimised(&image, &module, &options) == COUNT);
    options.worker_memory_max = MEMORY_SMALL;
    CHECK(optimised(&image, &module, &options) == COUNT - 1);
    CHECK(getrusage(RUSAGE_CHILDREN, &usage) == 0);
    CHECK_NOTE(usage.ru_maxrss < 512 << 10, "%ld KiB", usage.ru_maxrss);
    for (unsigned i = 0; i < COUNT; i++)
        buffer_done(&bodies[i]);
}

static void survives_a_worker_without_memory(void)
{
    AUTO_BUFFER struct buffer module, image;
    struct buffer body;
    buffer_init(&module, 1 << 24);
    buffer_init(&image, 1 << 28);
    buffer_init(&body, 1 << 24);
    tangle(&body, 300, 300); /* more than what is free already */
    build(&module, &body, 1);
    /* Too little for LLVM to begin: its end must not be ours. */
    struct optimise_options options = { .worker_memory_max = 1 };
    CHECK(optimised(&image, &module, &options) == 0);
    buffer_done(&body);
}

static const struct test tests[] = {
    TEST(survives_a_worker_without_memory), /* while little was freed */
    TEST(leaves_bombs_to_the_baseline),
    TEST(gives_the_same_image_however_it_works),
    TEST(works_on_all_processors),
    TEST(ends_when_its_time_is_over),
    TEST(a_worker_over_its_memory_costs_one_function),
};
TEST_MAIN(tests)
