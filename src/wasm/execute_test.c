/* SPDX-License-Identifier: Apache-2.0 */
/* The official suite run in this process: what compiled code computes.  spectest runs it again in a
 * micro-VM. */
#include "base/json.h"
#include "tests/harness.h"
#include "wasm/executor.h"
#include "wasm/module.h"
#include "wasm/wasm.h"

#include <dirent.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Another tier runs the same test by including this file. */
#ifndef EXECUTE_COMPILE
#define EXECUTE_COMPILE wasm_compile
#endif

enum {
    VALUES_MAX = 128
};

static struct {
    struct executor executor;
    struct buffer image;
    bool is_open;
    char name[64]; /* of the module at hand, if it has one */
} current;
/* Compile everything metered and with canonical NaNs: then those are expected, too. */
static bool is_careful;
static struct {
    unsigned passed, failed, modules, skipped, taken;
} counts;

static const char *text_of(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));
    return text == NULL ? "" : text;
}

static void close_current(void)
{
    if (current.is_open)
        executor_close(&current.executor);
    current.is_open = false;
    current.name[0] = 0;
}

/* Instantiates; the trap of a start function or of a segment comes back. */
static bool open_module(const char *file, enum trap_reason *trap, const char **reason)
{
    static struct error error;
    char path[PATH_MAX];
    snprintf(path, sizeof(path), "%s/%s", test_folder(), file);
    close_current();
    struct bytes source = test_file(path);
    struct wasm_options options = { .allow_spectest = true,
                                    .fuel = is_careful,
                                    .deterministic = is_careful };
    bool done = EXECUTE_COMPILE(&current.image, source, &options, &error);
    *reason = error.text;
    if (!done || !executor_open(&current.executor, buffer_view(&current.image), reason))
        return false;
    current.is_open = true;
    current.executor.instance->fuel = UINT64_MAX;
    const struct image_header *header = &current.executor.image.header;
    *trap = TRAP_NONE;
    if ((header->flags & IMAGE_START_TRAPS) != 0)
        *trap = (enum trap_reason)header->start_trap;
    else if ((header->flags & IMAGE_HAS_START) != 0)
        *trap = executor_call(&current.executor, header->start_offset, NULL, 0, 0);
    return true;
}

static uint64_t slot_of(const json_t *value)
{
    const char *text = text_of(value, "value");
    bool is_reference = strcmp(text_of(value, "type"), "externref") == 0 ||
                        strcmp(text_of(value, "type"), "funcref") == 0;
    if (is_reference && strcmp(text, "null") == 0)
        return 0;
    return strtoull(text, NULL, 10) + is_reference;
}

static bool is_expected(const char *type, const char *text, const json_t *value, uint64_t slot)
{
    bool is_f32 = strcmp(type, "f32") == 0;
    if (strncmp(text, "nan:", 4) == 0) {
        uint64_t quiet = is_f32 ? 0x7fc00000u : 0x7ff8000000000000u;
        uint64_t payload = is_f32 ? 0x3fffffu : 0x7ffffffffffffu;
        uint64_t sign = is_f32 ? 0x80000000u : 0x8000000000000000u;
        uint64_t ignored = strcmp(text, "nan:canonical") == 0 ? sign : sign | payload;
        /* Careful: the canonical one, except where f64x2.neg turned its sign. */
        uint64_t careful = strcmp(text_of(value, "type"), "v128") == 0 ? sign : 0;
        return (slot & ~(is_careful ? careful : ignored)) == quiet;
    }
    if (strcmp(type, "funcref") == 0 && text[0] == 0)
        return slot != 0;
    return slot == slot_of(value);
}

static bool is_vector(const json_t *value)
{
    return strcmp(text_of(value, "type"), "v128") == 0;
}

/* Puts an argument into its slots; returns their number. */
static unsigned put_value(const json_t *value, uint64_t *slots)
{
    if (!is_vector(value)) {
        slots[0] = slot_of(value);
        return 1;
    }
    const json_t *lanes = json_object_get(value, "value");
    size_t count = json_array_size(lanes);
    for (size_t i = 0; i < count; i++) {
        uint64_t lane = strtoull(json_string_value(json_array_get(lanes, i)), NULL, 10);
        memcpy((uint8_t *)slots + i * (16 / count), &lane, 16 / count);
    }
    return 2;
}

/* Checks one result; returns the slots that it takes. */
static unsigned check_value(const json_t *value, const uint64_t *slots, bool *same)
{
    if (!is_vector(value)) {
        *same =
            *same && is_expected(text_of(value, "type"), text_of(value, "value"), value, slots[0]);
        return 1;
    }
    const json_t *lanes = json_object_get(value, "value");
    const char *type = text_of(value, "lane_type");
    size_t count = json_array_size(lanes);
    for (size_t i = 0; i < count; i++) {
        const char *text = json_string_value(json_array_get(lanes, i));
        uint64_t lane = 0, expected = strtoull(text, NULL, 10);
        memcpy(&lane, (const uint8_t *)slots + i * (16 / count), 16 / count);
        if (count > 2)
            expected &= (1ull << 128 / count) - 1;
        *same = *same && (strncmp(text, "nan:", 4) == 0 ? is_expected(type, text, value, lane)
                                                        : lane == expected);
    }
    return 2;
}

static uint32_t slots_of(const struct image *image, uint32_t offset, uint32_t count)
{
    struct bytes types = image_string(image, offset, count);
    uint32_t slots = count;
    for (size_t i = 0; i < types.size; i++)
        slots += types.data[i] == VALUE_V128;
    return slots;
}

static bool run_action(const json_t *action, uint64_t *slots, uint32_t *count,
                       enum trap_reason *trap)
{
    const char *module = text_of(action, "module");
    struct image_export export;
    /* Names in the suite may hold NUL. */
    const json_t *field = json_object_get(action, "field");
    struct bytes name = bytes_of(json_string_value(field), json_string_length(field));
    if (!current.is_open || (module[0] != 0 && strcmp(module, current.name) != 0) ||
        !image_find_export(&current.executor.image, name, &export))
        return false;
    *trap = TRAP_NONE;
    if (strcmp(text_of(action, "type"), "get") == 0) {
        memcpy(slots, (uint8_t *)current.executor.instance + export.where, 16);
        *count = 1;
        return true;
    }
    const json_t *arguments = json_object_get(action, "args");
    unsigned slot = 0;
    for (size_t i = 0; i < json_array_size(arguments); i++)
        slot += put_value(json_array_get(arguments, i), slots + slot);
    *count = export.result_count;
    const struct image *image = &current.executor.image;
    *trap = executor_call(
        &current.executor, export.where, slots,
        slots_of(image, export.types_offset, export.parameter_count),
        slots_of(image, export.types_offset + export.parameter_count, export.result_count));
    return true;
}

static void judge(bool passed, const char *file, const json_t *command, const char *what)
{
    counts.passed += passed;
    counts.failed += !passed;
    CHECK_NOTE(passed, "%s:%d: %s %s: %s", file,
               (int)json_integer_value(json_object_get(command, "line")), text_of(command, "type"),
               text_of(json_object_get(command, "action"), "field"), what);
}

static void run_command(const json_t *command, const char *file)
{
    const char *type = text_of(command, "type");
    uint64_t slots[VALUES_MAX] = { 0 };
    uint32_t count = 0;
    enum trap_reason trap = TRAP_NONE;
    const char *reason = "";
    static const char *const texts[] = {
#define TEXT(name, text) text,
        TRAP_REASONS(TEXT)
#undef TEXT
    };
    if (strcmp(type, "module") == 0) {
        bool opened = open_module(text_of(command, "filename"), &trap, &reason);
        snprintf(current.name, sizeof(current.name), "%s", text_of(command, "name"));
        counts.modules++;
        if (opened)
            judge(trap == TRAP_NONE, file, command, texts[trap]);
        else if (strstr(reason, "addresses are taken") != NULL)
            counts.taken++;
        else if (strstr(reason, "unknown import") == NULL &&
                 strstr(reason, "incompatible import") == NULL)
            judge(false, file, command, reason);
        return;
    }
    if (strcmp(type, "assert_uninstantiable") == 0) {
        if (open_module(text_of(command, "filename"), &trap, &reason))
            judge(strstr(text_of(command, "text"), texts[trap]) != NULL, file, command,
                  texts[trap]);
        return;
    }
    bool is_return = strcmp(type, "assert_return") == 0 || strcmp(type, "action") == 0;
    if (!is_return && strcmp(type, "assert_trap") != 0 && strcmp(type, "assert_exhaustion") != 0)
        return;
    if (!run_action(json_object_get(command, "action"), slots, &count, &trap)) {
        counts.skipped++;
        return;
    }
    if (!is_return) {
        judge(strncmp(text_of(command, "text"), texts[trap], strlen(texts[trap])) == 0 &&
                  trap != TRAP_NONE,
              file, command, texts[trap]);
        return;
    }
    const json_t *expected = json_object_get(command, "expected");
    bool same = trap == TRAP_NONE;
    char found[96];
    snprintf(found, sizeof(found), "trap %s, 0x%llx, 0x%llx", texts[trap],
             (unsigned long long)slots[0], (unsigned long long)slots[1]);
    unsigned slot = 0;
    for (size_t i = 0; i < json_array_size(expected) && strcmp(type, "action") != 0; i++)
        slot += check_value(json_array_get(expected, i), slots + slot, &same);
    judge(same, file, command, found);
}

static void run_file(const char *folder, const char *name)
{
    char command[3 * PATH_MAX];
    char path[PATH_MAX];
    snprintf(path, sizeof(path), "%s/suite.json", test_folder());
    snprintf(command, sizeof(command),
             "wast2json --enable-tail-call --enable-extended-const '%s/%s' -o '%s'", folder, name,
             path);
    CHECK_NOTE(system(command) == 0, "%s", command);
    struct bytes text = test_file(path);
    json_error_t error;
    AUTO_JSON json_t *json = json_loadb((const char *)text.data, text.size, JSON_ALLOW_NUL, &error);
    const json_t *commands = json_object_get(json, "commands");
    for (size_t i = 0; i < json_array_size(commands); i++)
        run_command(json_array_get(commands, i), name);
    close_current();
}

static bool find_suite(char folder[PATH_MAX], const char *part)
{
    const char *suites = getenv("S3N_SUITES");
    const char *source = getenv("S3N_SOURCE");
    if (suites != NULL)
        snprintf(folder, PATH_MAX, "%s/spec-tests/%s", suites, part);
    else
        snprintf(folder, PATH_MAX, "%s/../shared/spec-tests/%s", source == NULL ? "." : source,
                 part);
    return access(folder, R_OK) == 0;
}

/* All files of a folder; at least `passed_min` commands must pass. */
static void run_folder(const char *folder, unsigned passed_min)
{
    if (system("command -v wast2json >/dev/null") != 0)
        SKIP("wast2json (Debian's wabt) is not installed");
    memset(&counts, 0, sizeof(counts));
    buffer_init(&current.image, (size_t)1 << 30);
    struct dirent **names = NULL;
    int count = scandir(folder, &names, NULL, alphasort);
    for (int i = 0; i < count; i++) {
        const char *name = names[i]->d_name;
        const char *end = strrchr(name, '.');
        const char *only = getenv("S3N_WAST");
        if (end != NULL && strcmp(end, ".wast") == 0 && (only == NULL || strcmp(only, name) == 0))
            run_file(folder, name);
        free(names[i]);
    }
    free(names);
    buffer_done(&current.image);
    printf("    %u modules, %u commands passed, %u failed, %u skipped\n", counts.modules,
           counts.passed, counts.failed, counts.skipped);
    if (counts.taken > 0)
        SKIP("compiled only: a sanitizer has the addresses of the layout");
    CHECK(getenv("S3N_WAST") != NULL || counts.passed >= passed_min);
}

static void run_part(const char *part, unsigned passed_min)
{
    char folder[PATH_MAX];
    if (!find_suite(folder, part))
        SKIP("no official suite beside the source folder nor in $S3N_SUITES");
    run_folder(folder, passed_min);
}

static void runs_the_official_suite(void)
{
    run_part("core", 20000);
}

static void runs_it_metered_and_deterministic(void)
{
    is_careful = true;
    run_part("core", 20000);
    is_careful = false;
}

static void runs_tail_calls(void)
{
    run_part("proposals/tail-call", 70);
}

static void runs_extended_constants(void)
{
    run_part("proposals/extended-const", 50);
}

static void runs_scripts_of_our_own(void)
{
    char folder[PATH_MAX];
    const char *source = getenv("S3N_SOURCE");
    snprintf(folder, sizeof(folder), "%s/tests/data/wast", source == NULL ? "." : source);
    run_folder(folder, 60);
}

static const struct test tests[] = {
    TEST(runs_scripts_of_our_own),           TEST(runs_the_official_suite),
    TEST(runs_it_metered_and_deterministic), TEST(runs_tail_calls),
    TEST(runs_extended_constants),
};
TEST_MAIN(tests)
