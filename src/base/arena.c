/* SPDX-License-Identifier: Apache-2.0 */
#include "base/arena.h"

#include "base/limits.h"
#include "core/checked.h"

#include <stdlib.h>
#include <string.h>

enum {
    ALIGNMENT = 16
};

/* Content follows the header, aligned. */
struct block {
    struct block *next;
    size_t capacity;
    size_t used;
    size_t dirty; /* bytes that were handed out before a reset: zeroed when taken again */
};
_Static_assert(sizeof(struct block) % ALIGNMENT == 0, "what follows a block's header is aligned");

struct arena {
    size_t block_size;     /* of the smallest block */
    struct block *first;   /* kept by arena_reset */
    struct block *current; /* the only one with room */
    size_t size;
    size_t size_max;
    bool failed;
};

struct arena *arena_new_small(size_t size_max, size_t block_size)
{
    struct arena *arena = calloc(1, sizeof(*arena));
    if (arena == NULL)
        return NULL;
    arena->size_max = size_max;
    arena->block_size = block_size;
    return arena;
}

struct arena *arena_new(size_t size_max)
{
    return arena_new_small(size_max, ARENA_BLOCK_SIZE);
}

static void free_blocks(struct block *block)
{
    while (block != NULL) {
        struct block *next = block->next;
        free(block);
        block = next;
    }
}

void arena_free(struct arena *arena)
{
    if (arena == NULL)
        return;
    free_blocks(arena->first);
    free(arena);
}

static struct block *add_block(struct arena *arena, size_t size)
{
    size_t left = arena->size_max - arena->size;
    size_t needs;
    if (!add_fits(size, sizeof(struct block), &needs) || needs > left)
        return NULL;
    /* Blocks grow with the arena, so that their number stays logarithmic. */
    size_t wanted = MAX(arena->block_size, arena->size / 2);
    size_t whole = MAX(needs, MIN(wanted, left)) & ~(size_t)(ALIGNMENT - 1);
    struct block *block = calloc(1, MAX(whole, needs));
    if (block == NULL)
        return NULL;
    block->capacity = MAX(whole, needs) - sizeof(struct block);
    arena->size += MAX(whole, needs);
    if (arena->first == NULL)
        arena->first = block;
    else
        arena->current->next = block;
    arena->current = block;
    return block;
}

void *arena_take(struct arena *arena, size_t size)
{
    if (arena == NULL || arena->failed)
        return NULL;
    size_t whole;
    if (!add_fits(size == 0 ? 1 : size, (size_t)(ALIGNMENT - 1), &whole)) {
        arena->failed = true;
        return NULL;
    }
    whole &= ~(size_t)(ALIGNMENT - 1);
    struct block *block = arena->current;
    if (block == NULL || block->capacity - block->used < whole)
        block = add_block(arena, whole);
    if (block == NULL) {
        arena->failed = true;
        return NULL;
    }
    uint8_t *taken = (uint8_t *)(block + 1) + block->used;
    if (block->used < block->dirty)
        memset(taken, 0, MIN(whole, block->dirty - block->used));
    block->used += whole;
    return taken;
}

void *arena_array(struct arena *arena, size_t count, size_t size_each)
{
    size_t size;
    if (!mul_fits(count, size_each, &size)) {
        if (arena != NULL)
            arena->failed = true;
        return NULL;
    }
    return arena_take(arena, size);
}

char *arena_string(struct arena *arena, struct bytes text)
{
    char *copy = text.size == SIZE_MAX ? NULL : arena_take(arena, text.size + 1);
    if (copy != NULL && text.size > 0)
        memcpy(copy, text.data, text.size);
    return copy;
}

bool arena_failed(const struct arena *arena)
{
    return arena == NULL || arena->failed;
}

void arena_reset(struct arena *arena)
{
    if (arena == NULL)
        return;
    arena->failed = false;
    struct block *first = arena->first;
    arena->current = first;
    arena->size = 0;
    if (first == NULL)
        return;
    free_blocks(TAKE(first->next));
    first->dirty = MAX(first->dirty, first->used);
    first->used = 0;
    arena->size = first->capacity + sizeof(struct block);
}

size_t arena_size(const struct arena *arena)
{
    return arena == NULL ? 0 : arena->size;
}
