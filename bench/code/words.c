/* SPDX-License-Identifier: Apache-2.0 */
/* Text: words into a hash table of allocated nodes, then sorted by a comparison function. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    BUCKETS = 1 << 14,
    WORDS = 1 << 20,
    ROUNDS = 8
};
struct word {
    struct word *next;
    uint32_t count;
    uint32_t size;
    char text[16];
};
static struct word *buckets[BUCKETS];
static char text[WORDS * 8];

static size_t write_text(uint32_t seed)
{
    size_t size = 0;
    for (uint32_t i = 0; i < WORDS; i++) {
        seed = seed * 1664525u + 1013904223u;
        /* Few words often, many words seldom. */
        uint32_t word = (seed >> 8) % ((seed >> 28) < 12 ? 200 : 20000);
        for (uint32_t rest = word + 1; rest != 0; rest /= 26)
            text[size++] = (char)('a' + rest % 26);
        text[size++] = ' ';
    }
    return size;
}

static struct word *find(const char *at, uint32_t size)
{
    uint32_t hash = 2166136261u;
    for (uint32_t i = 0; i < size; i++)
        hash = (hash ^ (uint8_t)at[i]) * 16777619u;
    struct word **place = &buckets[hash % BUCKETS];
    for (struct word *word = *place; word != NULL; word = word->next) {
        if (word->size == size && memcmp(word->text, at, size) == 0)
            return word;
    }
    struct word *word = calloc(1, sizeof(*word));
    memcpy(word->text, at, size);
    word->size = size;
    word->next = *place;
    *place = word;
    return word;
}

static int compare(const void *left, const void *right)
{
    const struct word *a = *(struct word *const *)left, *b = *(struct word *const *)right;
    if (a->count != b->count)
        return a->count < b->count ? 1 : -1;
    return strcmp(a->text, b->text);
}

static uint32_t count_words(size_t size)
{
    uint32_t found = 0;
    for (size_t start = 0, at = 0; at < size; at++) {
        if (text[at] != ' ')
            continue;
        struct word *word = find(text + start, (uint32_t)(at - start));
        found += word->count++ == 0;
        start = at + 1;
    }
    return found;
}

int main(void)
{
    uint32_t total = 0;
    for (uint32_t round = 0; round < ROUNDS; round++) {
        uint32_t found = count_words(write_text(round + 1)), at = 0;
        struct word **sorted = malloc(found * sizeof(struct word *));
        for (uint32_t i = 0; i < BUCKETS; i++) {
            for (struct word *word = buckets[i]; word != NULL; word = word->next)
                sorted[at++] = word;
            buckets[i] = NULL;
        }
        qsort(sorted, found, sizeof(*sorted), compare);
        total = total * 31 + found + sorted[0]->count + (uint32_t)sorted[found / 2]->text[0];
        for (uint32_t i = 0; i < found; i++)
            free(sorted[i]);
        free(sorted);
    }
    printf("words %u\n", (unsigned)total);
    return 0;
}
