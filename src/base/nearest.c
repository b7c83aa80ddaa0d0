/* SPDX-License-Identifier: Apache-2.0 */
#include "base/nearest.h"

#include "base/limits.h"

#include <string.h>

/* Levenshtein's distance, with neighbours swapped counting as one edit; at most
 * NEAREST_DISTANCE_MAX + 1. */
static size_t distance(const char *a, const char *b)
{
    size_t a_size = strlen(a), b_size = strlen(b);
    size_t rows[3][NEAREST_SIZE_MAX + 1];
    if (a_size > NEAREST_SIZE_MAX || b_size > NEAREST_SIZE_MAX)
        return NEAREST_DISTANCE_MAX + 1;
    for (size_t j = 0; j <= b_size; j++)
        rows[0][j] = j;
    for (size_t i = 1; i <= a_size; i++) {
        size_t *row = rows[i % 3], *above = rows[(i + 2) % 3], *above2 = rows[(i + 1) % 3];
        row[0] = i;
        for (size_t j = 1; j <= b_size; j++) {
            size_t best = above[j - 1] + (a[i - 1] != b[j - 1]);
            best = MIN(best, above[j] + 1);
            best = MIN(best, row[j - 1] + 1);
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                best = MIN(best, above2[j - 2] + 1);
            row[j] = best;
        }
    }
    return rows[a_size % 3][b_size];
}

const char *nearest_name(const char *wrong, const char *const *names)
{
    const char *nearest = NULL;
    size_t least = NEAREST_DISTANCE_MAX + 1;
    for (size_t i = 0; names[i] != NULL; i++) {
        size_t edits = distance(wrong, names[i]);
        /* A name of which no letter is right would be a guess, not a proposal. */
        if (edits < least && edits < strlen(names[i])) {
            least = edits;
            nearest = names[i];
        }
    }
    return nearest;
}
