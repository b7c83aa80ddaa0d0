/* SPDX-License-Identifier: Apache-2.0 */
/* Replays a corpus folder through a fuzz target: each file whole, every truncation of the small
 * ones, and every one-byte flip of them.  A crash or a hang fails the test; there is nothing else
 * to check. */
#include "fuzz/fuzz.h"

#include <dirent.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    MUTATED_SIZE_MAX = 2048
};

static struct bytes read_file(const char *path)
{
    FILE *file = fopen(path, "rb");
    if (file == NULL)
        return (struct bytes){ 0 };
    fseek(file, 0, SEEK_END);
    size_t size = (size_t)ftell(file);
    rewind(file);
    uint8_t *data = malloc(size + 1);
    if (data == NULL || fread(data, 1, size, file) != size)
        abort();
    fclose(file);
    return bytes_of(data, size);
}

static unsigned long input_count;

/* A copy of exactly `size` bytes, so that a read past the end is seen by the sanitizer. */
static void try_exactly(const uint8_t *data, size_t size)
{
    uint8_t *copy = malloc(size == 0 ? 1 : size);
    if (copy == NULL)
        abort();
    memcpy(copy, data, size);
    fuzz_one(bytes_of(copy, size));
    input_count++;
    free(copy);
}

static void replay(struct bytes input)
{
    try_exactly(input.data, input.size);
    if (input.size > MUTATED_SIZE_MAX)
        return;
    uint8_t *copy = malloc(input.size + 1);
    if (copy == NULL)
        abort();
    for (size_t i = 0; i < input.size; i++) {
        memcpy(copy, input.data, input.size);
        copy[i] ^= 0xff;
        try_exactly(copy, input.size);
        copy[i] ^= 0xfe;
        try_exactly(copy, input.size);
        try_exactly(input.data, i);
    }
    free(copy);
}

int main(int argc, char **argv)
{
    unsigned passed = 0;
    DIR *folder = argc == 2 ? opendir(argv[1]) : NULL;
    if (folder == NULL) {
        fprintf(stderr, "usage: replay CORPUS_FOLDER\n");
        return 2;
    }
    fuzz_one((struct bytes){ 0 });
    for (struct dirent *entry = readdir(folder); entry != NULL; entry = readdir(folder)) {
        if (entry->d_name[0] == '.')
            continue;
        char path[PATH_MAX];
        snprintf(path, sizeof(path), "%s/%s", argv[1], entry->d_name);
        struct bytes input = read_file(path);
        replay(input);
        free((void *)(uintptr_t)input.data);
        passed++;
    }
    closedir(folder);
    printf("%lu inputs of %u files\n", input_count, passed);
    printf("%u passed, 0 failed, 0 skipped\n", passed);
    return passed == 0;
}
