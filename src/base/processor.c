/* SPDX-License-Identifier: Apache-2.0 */
#include "base/processor.h"

#include <cpuid.h>
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* The first line of a small file; false when it can't be read. */
static bool line_read(int folder, const char *name, char *text, size_t size)
{
    int descriptor = openat(folder, name, O_RDONLY | O_CLOEXEC);
    if (descriptor < 0)
        return false;
    ssize_t got = read(descriptor, text, size - 1);
    close(descriptor);
    text[got < 0 ? 0 : got] = '\0';
    text[strcspn(text, "\n")] = '\0';
    return got > 0;
}

static int vulnerability_order(const void *a, const void *b)
{
    return strcmp(((const struct processor_vulnerability *)a)->name,
                  ((const struct processor_vulnerability *)b)->name);
}

static void vulnerabilities_read(struct processor *processor, const char *folder)
{
    char path[512];
    snprintf(path, sizeof(path), "%s/vulnerabilities", folder);
    DIR *directory = opendir(path);
    if (directory == NULL)
        return;
    const struct dirent *entry;
    while (processor->vulnerability_count < PROCESSOR_VULNERABILITIES_MAX &&
           (entry = readdir(directory)) != NULL) {
        struct processor_vulnerability *row =
            &processor->vulnerabilities[processor->vulnerability_count];
        if (entry->d_name[0] == '.' || strlen(entry->d_name) >= sizeof(row->name) ||
            !line_read(dirfd(directory), entry->d_name, row->state, sizeof(row->state)))
            continue;
        memcpy(row->name, entry->d_name, strlen(entry->d_name) + 1);
        row->is_open = strncmp(row->state, "Not affected", 12) != 0 &&
                       strncmp(row->state, "Mitigation", 10) != 0;
        processor->vulnerability_count++;
    }
    closedir(directory);
    qsort(processor->vulnerabilities, processor->vulnerability_count,
          sizeof(*processor->vulnerabilities), vulnerability_order);
}

static void model_read(struct processor *processor)
{
    unsigned registers[4];
    if (__get_cpuid_max(0x80000000u, NULL) < 0x80000004u)
        return;
    for (unsigned i = 0; i < 3; i++) {
        __cpuid(0x80000002u + i, registers[0], registers[1], registers[2], registers[3]);
        memcpy(processor->model + 16 * (size_t)i, registers, 16);
    }
    size_t spaces = strspn(processor->model, " ");
    memmove(processor->model, processor->model + spaces, strlen(processor->model + spaces) + 1);
}

void processor_read(struct processor *processor, const char *folder)
{
    char line[16];
    *processor = (struct processor){ 0 };
    long online = sysconf(_SC_NPROCESSORS_ONLN);
    processor->core_count = online > 0 ? (unsigned)online : 0;
    model_read(processor);
    __builtin_cpu_init();
    processor->has_v3 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("bmi") &&
                        __builtin_cpu_supports("bmi2") && __builtin_cpu_supports("fma");
    int descriptor = open(folder, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (descriptor < 0)
        return;
    processor->knows_smt = line_read(descriptor, "smt/active", line, sizeof(line));
    processor->uses_smt = processor->knows_smt && strcmp(line, "0") != 0;
    close(descriptor);
    vulnerabilities_read(processor, folder);
}

void processor_open_names(const struct processor *processor, char *text, size_t size)
{
    size_t used = 0;
    snprintf(text, size, "none");
    for (size_t i = 0; i < processor->vulnerability_count; i++) {
        if (!processor->vulnerabilities[i].is_open)
            continue;
        int written = snprintf(text + used, size - used, "%s%s", used == 0 ? "" : ", ",
                               processor->vulnerabilities[i].name);
        if (written < 0 || (size_t)written >= size - used)
            return;
        used += (size_t)written;
    }
}
