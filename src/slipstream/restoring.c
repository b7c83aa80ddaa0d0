/* SPDX-License-Identifier: Apache-2.0 */
#include "slipstream/restoring.h"

#include "core/checked.h"
#include "slipstream/limits.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum {
    ROUND_COUNT = 63,
    SAMPLE_PAGES = 64,
    /* Nothing that can be measured takes longer. */
    COST_MAX_NS = 1000000000
};

static const char *const way_names[] = { [RESTORING_AUTO] = "auto",
                                         [RESTORING_TRACK] = "track",
                                         [RESTORING_COPY] = "copy",
                                         [RESTORING_DISCARD] = "discard" };

const char *restoring_way_name(enum restoring_way way)
{
    return way_names[way];
}

bool restoring_way_of_name(enum restoring_way *way, const char *name)
{
    for (size_t i = 0; i < ARRAY_COUNT(way_names); i++) {
        if (strcmp(way_names[i], name) != 0)
            continue;
        *way = (enum restoring_way)i;
        return true;
    }
    return false;
}

/* --- the measurement, in a process of its own --- */

static uint8_t *protected_pages; /* SAMPLE_PAGES of them */

static void page_open(int number, siginfo_t *info, void *context)
{
    (void)context;
    uint64_t offset = (uint64_t)(uintptr_t)info->si_addr - (uint64_t)(uintptr_t)protected_pages;
    uint8_t *page = protected_pages + offset / LAYOUT_PAGE_SIZE * LAYOUT_PAGE_SIZE;
    if (offset >= SAMPLE_PAGES * LAYOUT_PAGE_SIZE ||
        mprotect(page, LAYOUT_PAGE_SIZE, PROT_READ | PROT_WRITE) != 0)
        _exit(128 + number);
}

static uint64_t now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static int number_order(const void *a, const void *b)
{
    uint64_t first = *(const uint64_t *)a, second = *(const uint64_t *)b;
    return (first > second) - (first < second);
}

static uint32_t median(uint64_t *times, unsigned per_round)
{
    qsort(times, ROUND_COUNT, sizeof(*times), number_order);
    uint64_t cost = times[ROUND_COUNT / 2] / per_round;
    return (uint32_t)MIN(MAX(cost, 1u), (uint64_t)COST_MAX_NS);
}

static uint8_t *pages_map(void)
{
    void *at = mmap(NULL, SAMPLE_PAGES * LAYOUT_PAGE_SIZE, PROT_READ | PROT_WRITE,
                    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (at == MAP_FAILED)
        _exit(1);
    memset(at, 1, SAMPLE_PAGES * LAYOUT_PAGE_SIZE);
    return at;
}

static void pages_touch(uint8_t *pages)
{
    for (size_t page = 0; page < SAMPLE_PAGES; page++)
        ((volatile uint8_t *)pages)[page * LAYOUT_PAGE_SIZE] = 1;
}

static void faults_take(uint64_t times[ROUND_COUNT])
{
    static uint8_t stack[64 << 10];
    const stack_t own = { .ss_sp = stack, .ss_size = sizeof(stack) };
    struct sigaction action = { .sa_sigaction = page_open, .sa_flags = SA_SIGINFO | SA_ONSTACK };
    protected_pages = pages_map();
    if (sigaltstack(&own, NULL) != 0 || sigaction(SIGSEGV, &action, NULL) != 0 ||
        mprotect(protected_pages, SAMPLE_PAGES * LAYOUT_PAGE_SIZE, PROT_READ) != 0)
        _exit(1);
    for (unsigned i = 0; i < ROUND_COUNT; i++) {
        uint64_t start_ns = now_ns();
        ((volatile uint8_t *)protected_pages)[i * LAYOUT_PAGE_SIZE] = 1;
        times[i] = now_ns() - start_ns;
    }
}

static NORETURN void measure_main(struct restoring_costs *costs)
{
    uint64_t times[ROUND_COUNT];
    uint8_t *from = pages_map(), *to = pages_map();
    (void)alarm(10); /* should the system not let go of it */
    for (unsigned i = 0; i < ROUND_COUNT; i++) {
        uint64_t start_ns = now_ns();
        memcpy(to, from, SAMPLE_PAGES * LAYOUT_PAGE_SIZE);
        times[i] = now_ns() - start_ns;
    }
    costs->copy_ns = median(times, SAMPLE_PAGES);
    for (unsigned i = 0; i < ROUND_COUNT; i++) {
        uint64_t start_ns = now_ns();
        for (unsigned call = 0; call < 8; call++)
            (void)syscall(SYS_getppid);
        times[i] = now_ns() - start_ns;
    }
    costs->call_ns = median(times, 8);
    for (unsigned i = 0; i < ROUND_COUNT; i++) {
        uint64_t start_ns = now_ns();
        if (madvise(to, SAMPLE_PAGES * LAYOUT_PAGE_SIZE, MADV_DONTNEED) != 0)
            _exit(1);
        pages_touch(to);
        times[i] = now_ns() - start_ns;
    }
    costs->discard_ns = median(times, SAMPLE_PAGES);
    faults_take(times);
    costs->fault_ns = median(times, 1);
    _exit(0);
}

bool restoring_measure(struct restoring_costs *costs, struct error *error)
{
    int status = 1;
    *costs = (struct restoring_costs){ 0 };
    void *shared =
        mmap(NULL, LAYOUT_PAGE_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (shared == MAP_FAILED)
        return error_system(error, "measure what restoring costs");
    pid_t pid = fork();
    if (pid == 0)
        measure_main(shared);
    while (pid > 0 && waitpid(pid, &status, 0) < 0 && errno == EINTR)
        continue;
    bool is_done = pid > 0 && status == 0;
    if (is_done)
        *costs = *(const struct restoring_costs *)shared;
    munmap(shared, LAYOUT_PAGE_SIZE);
    return is_done || error_set(error, ERROR_SYSTEM, "what restoring costs can't be measured here");
}

/* --- the choice --- */

struct restoring restoring_choose(enum restoring_way way, const struct restoring_costs *costs)
{
    struct restoring made = { .way = way, .costs = *costs };
    uint64_t copy_ns = MAX(costs->copy_ns, 1u),
             pages_max = RESTORING_KEPT_SIZE_MAX / LAYOUT_PAGE_SIZE;
    /* A fault that is avoided pays for copying all pages at this many resets. */
    uint64_t whole = costs->fault_ns / (copy_ns * HOT_RESETS);
    /* Who lost the tracking wrote at least so many pages. */
    uint64_t kept =
        (2ull * costs->call_ns + (uint64_t)TRACKED_FAULTS_MAX * costs->discard_ns) / copy_ns;
    made.whole_pages = (uint32_t)MIN(whole, (uint64_t)WHOLE_COPY_SIZE / LAYOUT_PAGE_SIZE);
    made.kept_pages =
        (uint32_t)MIN(MAX(kept, (uint64_t)WHOLE_COPY_SIZE / LAYOUT_PAGE_SIZE), pages_max);
    if (way == RESTORING_TRACK)
        made.whole_pages = 0;
    if (way == RESTORING_COPY)
        made.whole_pages = made.kept_pages = UINT32_MAX;
    if (way == RESTORING_DISCARD)
        made.whole_pages = made.kept_pages = 0;
    return made;
}

void restoring_print(char text[RESTORING_TEXT_SIZE], const struct restoring *restoring)
{
    const struct restoring_costs *costs = &restoring->costs;
    snprintf(text, RESTORING_TEXT_SIZE, "%s:%u:%u:%u:%u", way_names[restoring->way], costs->copy_ns,
             costs->fault_ns, costs->call_ns, costs->discard_ns);
}

bool restoring_parse(struct restoring *restoring, const char *text, struct error *error)
{
    struct restoring_costs costs = { 0 };
    uint32_t *const targets[] = { &costs.copy_ns, &costs.fault_ns, &costs.call_ns,
                                  &costs.discard_ns };
    enum restoring_way way;
    char name[16] = "";
    size_t size = strcspn(text, ":");
    const char *at = text + size;
    bool is_good = size < sizeof(name);
    if (is_good)
        memcpy(name, text, size);
    is_good = is_good && restoring_way_of_name(&way, name);
    /* The costs are all there, or none. */
    for (size_t i = 0;
         is_good && *text != '\0' && (i > 0 || *at != '\0') && i < ARRAY_COUNT(targets); i++) {
        size_t digits = *at == ':' ? strspn(at + 1, "0123456789") : 0;
        unsigned long number = strtoul(at + 1, NULL, 10);
        is_good = digits > 0 && digits < 11 && number <= COST_MAX_NS;
        *targets[i] = (uint32_t)number;
        at += 1 + digits;
    }
    if (!is_good || *at != '\0')
        return error_set(error, ERROR_USAGE,
                         "restoring: auto, track, copy or discard, with four costs or none");
    *restoring = restoring_choose(way, &costs);
    return true;
}
