/* SPDX-License-Identifier: Apache-2.0 */
#include "core/sort.h"

struct heap {
    uint8_t *items;
    size_t size_each;
    int (*compare)(const void *left, const void *right);
};

static uint8_t *item_at(const struct heap *heap, size_t index)
{
    return heap->items + index * heap->size_each;
}

static void swap(const struct heap *heap, size_t a, size_t b)
{
    uint8_t *first = item_at(heap, a), *second = item_at(heap, b);
    for (size_t i = 0; i < heap->size_each; i++) {
        uint8_t kept = first[i];
        first[i] = second[i];
        second[i] = kept;
    }
}

/* Moves the item at `root` down until no child is greater. */
static void sift(const struct heap *heap, size_t root, size_t count)
{
    for (;;) {
        size_t child = 2 * root + 1;
        if (child >= count)
            return;
        if (child + 1 < count && heap->compare(item_at(heap, child), item_at(heap, child + 1)) < 0)
            child++;
        if (heap->compare(item_at(heap, root), item_at(heap, child)) >= 0)
            return;
        swap(heap, root, child);
        root = child;
    }
}

void sort_items(void *items, size_t count, size_t size_each,
                int (*compare)(const void *left, const void *right))
{
    struct heap heap = { items, size_each, compare };
    for (size_t i = count / 2; i > 0; i--)
        sift(&heap, i - 1, count);
    for (size_t last = count; last > 1; last--) {
        swap(&heap, 0, last - 1);
        sift(&heap, 0, last - 1);
    }
}
