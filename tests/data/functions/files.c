/* SPDX-License-Identifier: Apache-2.0 */
/* Does to files what the lines of its input say: `cat PATH`, `put PATH TEXT`, `ls PATH`, `rm PATH`,
 * `fill PATH` (until there is no room).  Built with clang and wasi-libc, -O2. */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static void cat(const char *path)
{
    char text[4096];
    size_t size;
    FILE *file = fopen(path, "r");
    if (file == NULL) {
        printf("%s: %s\n", path, strerror(errno));
        return;
    }
    while ((size = fread(text, 1, sizeof(text), file)) > 0)
        fwrite(text, 1, size, stdout);
    fclose(file);
}

static void put(const char *path, const char *text)
{
    FILE *file = fopen(path, "w");
    if (file == NULL || fputs(text, file) < 0 || fclose(file) != 0)
        printf("%s: %s\n", path, strerror(errno));
}

static void list(const char *path)
{
    DIR *folder = opendir(path);
    if (folder == NULL) {
        printf("%s: %s\n", path, strerror(errno));
        return;
    }
    for (const struct dirent *row; (row = readdir(folder)) != NULL;)
        printf("%s%s\n", row->d_name, row->d_type == DT_DIR ? "/" : "");
    closedir(folder);
}

static void fill(const char *path)
{
    static char block[65536];
    FILE *file = fopen(path, "w");
    size_t total = 0, size;
    if (file == NULL) {
        printf("%s: %s\n", path, strerror(errno));
        return;
    }
    setvbuf(file, NULL, _IONBF, 0);
    while ((size = fwrite(block, 1, sizeof(block), file)) > 0)
        total += size;
    printf("%zu KiB, then: %s\n", total >> 10, strerror(errno));
    fclose(file);
}

int main(void)
{
    char line[4096];
    while (fgets(line, sizeof(line), stdin) != NULL) {
        line[strcspn(line, "\n")] = '\0';
        char *verb = strtok(line, " "), *path = strtok(NULL, " "), *text = strtok(NULL, "");
        if (verb == NULL || path == NULL)
            continue;
        if (strcmp(verb, "cat") == 0)
            cat(path);
        else if (strcmp(verb, "put") == 0)
            put(path, text == NULL ? "" : text);
        else if (strcmp(verb, "ls") == 0)
            list(path);
        else if (strcmp(verb, "rm") == 0 && unlink(path) != 0)
            printf("%s: %s\n", path, strerror(errno));
        else if (strcmp(verb, "fill") == 0)
            fill(path);
    }
    return 0;
}
