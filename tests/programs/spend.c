/* SPDX-License-Identifier: Apache-2.0 */
/* Spends as much of one thing as its input says ("output 1024"), so that limits can be met exactly.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* Not a loop: each level keeps a frame. */
static __attribute__((noinline)) long dive(long levels)
{
    volatile long kept = levels;
    return levels == 0 ? 0 : dive(levels - 1) + (kept & 1);
}

static void print(int descriptor, long bytes)
{
    static char block[1024];
    memset(block, 'x', sizeof(block));
    while (bytes > 0) {
        ssize_t written = write(descriptor, block, bytes < 1024 ? (size_t)bytes : 1024);
        if (written <= 0)
            exit(3);
        bytes -= written;
    }
}

int main(void)
{
    char what[16];
    long amount;
    if (scanf("%15s %ld", what, &amount) != 2)
        return 2;
    if (strcmp(what, "output") == 0) {
        print(1, amount);
    } else if (strcmp(what, "log") == 0) {
        print(2, amount);
    } else if (strcmp(what, "memory") == 0) { /* pages in all */
        long more = amount - (long)__builtin_wasm_memory_size(0);
        printf("%s\n", more < 0 || __builtin_wasm_memory_grow(0, (size_t)more) != SIZE_MAX
                           ? "ok"
                           : "refused");
    } else if (strcmp(what, "stack") == 0) {
        printf("%ld\n", dive(amount));
    } else if (strcmp(what, "calls") == 0) {
        struct timespec moment = { 0, 300000 };
        for (long i = 0; i < amount; i++)
            nanosleep(&moment, NULL);
        puts("ok");
    } else if (strcmp(what, "files") == 0) {
        FILE *file = fopen("/scratch", "w");
        int failed = file == NULL;
        for (long i = 0; i < amount && !failed; i++)
            failed = putc('x', file) == EOF;
        failed = failed || fclose(file) != 0;
        puts(failed ? "refused" : "ok");
    } else if (strcmp(what, "time") == 0) { /* for ever */
        for (volatile long i = 0;; i++)
            ;
    } else if (strcmp(what, "loop") == 0) {
        for (volatile long i = 0; i < amount; i++)
            ;
        puts("ok");
    } else {
        return 2;
    }
    return 0;
}
