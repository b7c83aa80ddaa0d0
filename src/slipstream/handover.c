/* SPDX-License-Identifier: Apache-2.0 */
#include "slipstream/handover.h"

#include "slipstream/deadline.h"

#include <linux/futex.h>
#include <pthread.h>
#include <sched.h>
#include <sys/syscall.h>
#include <unistd.h>

enum {
    ROUND_COUNT = 101,
    TIME_LIMIT_MS = 8 /* of each way */
};

/* Two threads count up in turn: the caller makes it odd, the other even again. */
struct game {
    uint32_t ball;
    bool blocks;
    int core;        /* of the other thread */
    uint64_t end_ns; /* it gives up then */
};

static void ball_wait(struct game *game, uint32_t seen)
{
    while (__atomic_load_n(&game->ball, __ATOMIC_ACQUIRE) == seen) {
        struct timespec slice = { .tv_nsec = 1000000 };
        if (game->blocks)
            syscall(SYS_futex, &game->ball, FUTEX_WAIT_PRIVATE, seen, &slice, NULL, 0);
        if (deadline_now_ns() > game->end_ns)
            return;
    }
}

static void ball_hit(struct game *game)
{
    __atomic_add_fetch(&game->ball, 1, __ATOMIC_RELEASE);
    if (game->blocks)
        syscall(SYS_futex, &game->ball, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0);
}

static void stay_on(int core)
{
    cpu_set_t cores;
    CPU_ZERO(&cores);
    CPU_SET((unsigned)core, &cores);
    (void)sched_setaffinity(0, sizeof(cores), &cores);
}

static void *other_side(void *context)
{
    struct game *game = context;
    stay_on(game->core);
    for (uint32_t seen = 0; seen < 2 * ROUND_COUNT; seen += 2) {
        ball_wait(game, seen);
        if (deadline_now_ns() > game->end_ns)
            break;
        ball_hit(game);
    }
    return NULL;
}

/* The median round; 0: it took too long. */
static uint64_t game_play(bool blocks, int core)
{
    uint64_t times[ROUND_COUNT], now_ns = deadline_now_ns();
    struct game game = { .blocks = blocks,
                         .core = core,
                         .end_ns = now_ns + TIME_LIMIT_MS * 1000000ull };
    pthread_t thread;
    if (pthread_create(&thread, NULL, other_side, &game) != 0)
        return 0;
    unsigned count = 0;
    for (; count < ROUND_COUNT && now_ns <= game.end_ns; count++) {
        uint64_t start_ns = now_ns;
        ball_hit(&game);
        ball_wait(&game, 2 * count + 1);
        now_ns = deadline_now_ns();
        unsigned at = count;
        for (; at > 0 && times[at - 1] > now_ns - start_ns; at--)
            times[at] = times[at - 1];
        times[at] = now_ns - start_ns;
    }
    pthread_join(thread, NULL);
    return count == ROUND_COUNT ? times[ROUND_COUNT / 2] : 0;
}

struct handover handover_measure(void)
{
    struct handover made = { 0 };
    cpu_set_t before;
    int first = -1, second = -1;
    if (sched_getaffinity(0, sizeof(before), &before) != 0)
        return made;
    for (int core = 0; core < CPU_SETSIZE && second < 0; core++) {
        if (!CPU_ISSET((unsigned)core, &before))
            continue;
        second = first < 0 ? -1 : core;
        first = first < 0 ? core : first;
    }
    stay_on(first);
    made.blocking_ns = game_play(true, first);
    if (second >= 0)
        made.watching_ns = game_play(false, second);
    (void)sched_setaffinity(0, sizeof(before), &before);
    made.watches =
        made.watching_ns != 0 && (made.blocking_ns == 0 || 2 * made.watching_ns < made.blocking_ns);
    return made;
}
