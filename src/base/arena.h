/* SPDX-License-Identifier: Apache-2.0 */
/* Memory that is all freed at once: one arena per request and per compilation.
 *
 * Running out of the limit or of memory makes arena_take return NULL, and arena_failed stays true
 * from then on (until arena_reset), so one check at the end suffices.  Memory is zeroed and aligned
 * to 16 bytes.  Every function takes NULL for an arena that could not be made: it has failed. */
#ifndef BASE_ARENA_H
#define BASE_ARENA_H

#include "core/bytes.h"

struct arena;

/* `size_max`: bytes it may take from the system in all. */
struct arena *arena_new(size_t size_max);
/* For what is kept for long: takes memory in blocks of at least `block_size`. */
struct arena *arena_new_small(size_t size_max, size_t block_size);
void arena_free(struct arena *arena);
DEFINE_AUTO(arena, arena_free)

void *arena_take(struct arena *arena, size_t size);
/* count x size each, NULL when that overflows. */
void *arena_array(struct arena *arena, size_t count, size_t size_each);
/* A copy with a NUL behind it. */
char *arena_string(struct arena *arena, struct bytes text);
bool arena_failed(const struct arena *arena);
/* Forgets everything taken but keeps the first block for reuse. */
void arena_reset(struct arena *arena);
/* Bytes taken from the system. */
size_t arena_size(const struct arena *arena);

#endif
