/* SPDX-License-Identifier: Apache-2.0 */
#include "slipstream/deadline.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#ifndef sigev_notify_thread_id
#define sigev_notify_thread_id _sigev_un._tid
#endif

struct deadline {
    timer_t timer;
    uint64_t at_ns;
    /* When the timer will go off; 0: it is not set.  The handler clears it. */
    volatile uint64_t armed_ns;
    volatile uint8_t *volatile interrupt_flag;
};

static __thread struct deadline *volatile deadline_here;
static __thread bool is_sampling;
static pthread_key_t deadline_key;
static pthread_once_t deadline_once = PTHREAD_ONCE_INIT;
static bool (*deadline_leave)(void *context);

uint64_t deadline_now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static void deadline_signal(int number UNUSED, siginfo_t *info UNUSED, void *context)
{
    struct deadline *deadline = deadline_here;
    if (deadline == NULL)
        return;
    deadline->armed_ns = 0;
    volatile uint8_t *flag = deadline->interrupt_flag;
    if (flag != NULL && (deadline_leave == NULL || !deadline_leave(context)))
        *flag = 1;
}

void deadline_set_leave(bool (*leave)(void *context))
{
    deadline_leave = leave;
}

static void deadline_free(void *held)
{
    struct deadline *deadline = held;
    deadline_here = NULL;
    timer_delete(deadline->timer);
    free(deadline);
}

static void deadline_prepare(void)
{
    struct sigaction action = { .sa_sigaction = deadline_signal,
                                .sa_flags = SA_SIGINFO | SA_ONSTACK };
    sigemptyset(&action.sa_mask);
    ASSERT(sigaction(SIGRTMIN, &action, NULL) == 0);
    ASSERT(pthread_key_create(&deadline_key, deadline_free) == 0);
}

static bool deadline_open(struct error *error)
{
    pthread_once(&deadline_once, deadline_prepare);
    struct deadline *deadline = calloc(1, sizeof(*deadline));
    if (deadline == NULL)
        return error_system(error, "timer");
    struct sigevent event = { .sigev_notify = SIGEV_THREAD_ID, .sigev_signo = SIGRTMIN };
    event.sigev_notify_thread_id = (pid_t)syscall(SYS_gettid);
    if (timer_create(CLOCK_MONOTONIC, &event, &deadline->timer) != 0) {
        error_system(error, "make a timer");
        free(deadline);
        return false;
    }
    pthread_setspecific(deadline_key, deadline);
    deadline_here = deadline;
    return true;
}

bool deadline_ready(struct error *error)
{
    return deadline_here != NULL || deadline_open(error);
}

void deadline_sample(bool is_wanted)
{
    is_sampling = is_wanted;
}

void deadline_forget(void)
{
    deadline_here = NULL;
}

static void deadline_arm(struct deadline *deadline)
{
    uint64_t due_ns = deadline->at_ns;
    if (is_sampling)
        due_ns = MIN(due_ns, deadline_now_ns() + DEADLINE_SAMPLE_NS);
    struct itimerspec when = {
        .it_value = { .tv_sec = (time_t)(due_ns / 1000000000u),
                      .tv_nsec = (long)(due_ns % 1000000000u) },
    };
    deadline->armed_ns = due_ns;
    ASSERT(timer_settime(deadline->timer, TIMER_ABSTIME, &when, NULL) == 0);
}

bool deadline_set(uint64_t at_ns, volatile uint8_t *interrupt_flag, struct error *error)
{
    if (at_ns == DEADLINE_NONE) {
        deadline_clear();
        return true;
    }
    if (deadline_here == NULL && !deadline_open(error))
        return false;
    struct deadline *deadline = deadline_here;
    deadline->at_ns = at_ns;
    deadline->interrupt_flag = interrupt_flag;
    uint64_t armed_ns = deadline->armed_ns;
    if (is_sampling)
        at_ns = MIN(at_ns, deadline_now_ns() + DEADLINE_SAMPLE_NS);
    if (armed_ns == 0 || armed_ns > at_ns)
        deadline_arm(deadline);
    return true;
}

bool deadline_is_due(void)
{
    struct deadline *deadline = deadline_here;
    if (deadline == NULL || deadline->interrupt_flag == NULL)
        return false;
    if (deadline_now_ns() >= deadline->at_ns)
        return true;
    if (deadline->armed_ns == 0)
        deadline_arm(deadline);
    return false;
}

void deadline_clear(void)
{
    if (deadline_here != NULL)
        deadline_here->interrupt_flag = NULL;
}
