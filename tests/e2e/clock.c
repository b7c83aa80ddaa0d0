/* SPDX-License-Identifier: Apache-2.0 */
/* Preloaded: the wall clock is off by as many seconds as the file $TEST_CLOCK says, at each call.
 * Mapped before a jail closes.  All other clocks stay. */
#include <dlfcn.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static const int64_t *offset_s;
static int (*real_clock)(clockid_t, struct timespec *);

__attribute__((constructor)) static void clock_open(void)
{
    const char *path = getenv("TEST_CLOCK");
    int file = path != NULL ? open(path, O_RDONLY | O_CLOEXEC) : -1;
    real_clock = (int (*)(clockid_t, struct timespec *))dlsym(RTLD_NEXT, "clock_gettime");
    if (file < 0)
        return;
    void *memory = mmap(NULL, 4096, PROT_READ, MAP_SHARED, file, 0);
    close(file);
    if (memory != MAP_FAILED)
        offset_s = memory;
}

int clock_gettime(clockid_t id, struct timespec *now)
{
    int result = real_clock(id, now);
    if (result == 0 && offset_s != NULL && (id == CLOCK_REALTIME || id == CLOCK_REALTIME_COARSE))
        now->tv_sec += __atomic_load_n(offset_s, __ATOMIC_RELAXED);
    return result;
}

time_t time(time_t *result)
{
    struct timespec now = { 0 };
    clock_gettime(CLOCK_REALTIME, &now);
    if (result != NULL)
        *result = now.tv_sec;
    return now.tv_sec;
}

int gettimeofday(struct timeval *restrict result, void *restrict zone)
{
    struct timespec now = { 0 };
    (void)zone;
    clock_gettime(CLOCK_REALTIME, &now);
    *result = (struct timeval){ .tv_sec = now.tv_sec, .tv_usec = now.tv_nsec / 1000 };
    return 0;
}
