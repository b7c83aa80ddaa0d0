/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/spectest/suite.h"

#include "base/file.h"
#include "base/json.h"
#include "cmd/spectest/instance.h"
#include "cmd/spectest/value.h"
#include "wasm/module.h"
#include "wasm/wasm.h"

#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    INSTANCES_MAX = 64,
    REGISTERED_MAX = 64,
    SKIPS_MAX = 8,
    NAME_SIZE = 64
};

struct named_instance {
    char name[NAME_SIZE]; /* "" for one that the next module replaces */
    struct instance_of_suite instance;
    bool is_open;
    bool is_stale; /* a module that was not run would have changed its table or memory */
};

struct registered {
    const char *name;
    struct named_instance *instance;
};

/* One kind of skip with how often it happened. */
struct skip {
    const char *reason;
    unsigned count;
};

struct suite {
    const char *path; /* of the file, for its folder and for messages */
    struct engine *engine;
    bool is_verbose;
    struct totals totals;
    struct named_instance instances[INSTANCES_MAX];
    size_t instance_count;
    struct named_instance *current;
    struct registered registered[REGISTERED_MAX];
    size_t registered_count;
    struct skip skips[SKIPS_MAX];
    struct buffer image;
};

#define SKIP_TEXT    "text form, which S3N does not read"
#define SKIP_LINKING "links modules with each other"

static const char *text_of(const json_t *command, const char *key)
{
    const char *text = json_string_value(json_object_get(command, key));
    return text == NULL ? "" : text;
}

static struct bytes bytes_of_json(const json_t *string)
{
    return bytes_of(json_string_value(string), json_string_length(string));
}

static bool is_text_form(const json_t *command)
{
    return strcmp(text_of(command, "module_type"), "text") == 0;
}

static void pass(struct suite *suite)
{
    suite->totals.passed++;
}

PRINTF_LIKE(3, 4)
static void fail(struct suite *suite, const json_t *command, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    printf("%s:%lld: %s: ", suite->path,
           (long long)json_integer_value(json_object_get(command, "line")),
           text_of(command, "type"));
    vprintf(format, arguments);
    printf("\n");
    va_end(arguments);
    suite->totals.failed++;
}

static void skip(struct suite *suite, const char *reason)
{
    suite->totals.skipped++;
    for (size_t i = 0; i < SKIPS_MAX; i++) {
        struct skip *row = &suite->skips[i];
        if (row->reason == NULL)
            row->reason = reason;
        if (strcmp(row->reason, reason) == 0) {
            row->count++;
            return;
        }
    }
}

/* The module of a command, read whole; owned by `source`. */
static bool read_module(const struct suite *suite, const json_t *command, struct buffer *source,
                        struct error *error)
{
    char path[PATH_MAX];
    const char *slash = strrchr(suite->path, '/');
    int folder = slash == NULL ? 0 : (int)(slash - suite->path + 1);
    snprintf(path, sizeof(path), "%.*s%s", folder, suite->path, text_of(command, "filename"));
    buffer_init(source, (size_t)64 << 20);
    return file_read(source, path, error);
}

static bool compile(struct suite *suite, struct bytes source, struct error *error)
{
    static const struct wasm_options options = { .allow_spectest = true };
    return wasm_compile(&suite->image, source, &options, error);
}

/* Whether the module imports from one that was registered before, which is stale from then on. */
static bool links(struct suite *suite, struct bytes source)
{
    bool found = false;
    AUTO(arena) struct arena *arena = arena_new((size_t)64 << 20);
    struct module module;
    struct error error;
    if (!module_decode(&module, arena, source, &error))
        return false;
    for (uint32_t i = 0; i < module.import_count; i++) {
        for (size_t j = 0; j < suite->registered_count; j++) {
            if (!bytes_equal_string(module.imports[i].module, suite->registered[j].name))
                continue;
            suite->registered[j].instance->is_stale = true;
            found = true;
        }
    }
    return found;
}

/* A place for the next module: nameless ones give theirs up when another comes. */
static struct named_instance *new_instance(struct suite *suite, const char *name)
{
    if (suite->current != NULL && suite->current->name[0] == '\0' && suite->current->is_open) {
        instance_done(&suite->current->instance);
        suite->current->is_open = false;
    }
    struct named_instance *place = NULL;
    for (size_t i = 0; i < suite->instance_count && place == NULL; i++) {
        if (!suite->instances[i].is_open && suite->instances[i].name[0] == '\0')
            place = &suite->instances[i];
    }
    if (place == NULL) {
        ASSERT(suite->instance_count < INSTANCES_MAX);
        place = &suite->instances[suite->instance_count++];
    }
    *place = (struct named_instance){ 0 };
    snprintf(place->name, sizeof(place->name), "%s", name);
    return place;
}

static void run_module(struct suite *suite, const json_t *command)
{
    AUTO_BUFFER struct buffer source = { 0 };
    struct error error = { 0 };
    struct outcome outcome = { 0 };
    suite->current = new_instance(suite, text_of(command, "name"));
    if (!read_module(suite, command, &source, &error)) {
        fail(suite, command, "%s", error.text);
        return;
    }
    if (links(suite, buffer_view(&source))) {
        skip(suite, SKIP_LINKING);
        return;
    }
    if (!compile(suite, buffer_view(&source), &error) ||
        !instance_open(&suite->current->instance, suite->engine, buffer_view(&suite->image),
                       &outcome, &error)) {
        fail(suite, command, "%s: %s", text_of(command, "filename"), error.text);
        return;
    }
    suite->current->is_open = outcome.kind == OUTCOME_DONE;
    if (suite->current->is_open)
        pass(suite);
    else
        fail(suite, command, "%s does not start", text_of(command, "filename"));
}

static struct named_instance *find_instance(struct suite *suite, const json_t *action)
{
    const char *name = text_of(action, "module");
    if (name[0] == '\0')
        return suite->current;
    for (size_t i = suite->instance_count; i > 0; i--) {
        if (strcmp(suite->instances[i - 1].name, name) == 0)
            return &suite->instances[i - 1];
    }
    return NULL;
}

static bool read_arguments(const json_t *action, struct values *values, struct error *error)
{
    const json_t *list = json_object_get(action, "args");
    values->count = 0;
    for (size_t i = 0; i < json_array_size(list); i++) {
        if (values->count == INSTANCE_VALUES_MAX)
            return error_set(error, ERROR_LIMIT, "too many arguments");
        if (!value_to_slot(json_array_get(list, i), &values->slots[values->count++], error))
            return false;
    }
    return true;
}

enum acted {
    ACTED,
    ACTED_NOT,   /* skipped */
    ACTED_FAILED /* reported */
};

static enum acted act(struct suite *suite, const json_t *command, struct values *results,
                      struct outcome *outcome)
{
    const json_t *action = json_object_get(command, "action");
    struct named_instance *instance = find_instance(suite, action);
    struct values arguments;
    struct error error = { 0 };
    if (instance == NULL || !instance->is_open || instance->is_stale) {
        skip(suite, SKIP_LINKING);
        return ACTED_NOT;
    }
    struct bytes field = bytes_of_json(json_object_get(action, "field"));
    *outcome = (struct outcome){ .kind = OUTCOME_DONE };
    bool ok =
        strcmp(text_of(action, "type"), "get") == 0
            ? instance_get(&instance->instance, field, results, &error)
            : read_arguments(action, &arguments, &error) &&
                  instance_invoke(&instance->instance, field, &arguments, results, outcome, &error);
    if (ok)
        return ACTED;
    fail(suite, command, "%s", error.text);
    return ACTED_FAILED;
}

static const char *outcome_text(const struct outcome *outcome)
{
    static const char *const traps[] = {
#define TRAP_TEXT(name, text) text,
        TRAP_REASONS(TRAP_TEXT)
#undef TRAP_TEXT
    };
    switch (outcome->kind) {
    case OUTCOME_DONE:
        return "no trap";
    case OUTCOME_TRAPPED:
        return traps[outcome->reason];
    case OUTCOME_TIMEOUT:
        return "time is up";
    case OUTCOME_LIMIT:
        return "too much output";
    case OUTCOME_CRASHED:
        return "micro-VM broke";
    }
    return "?";
}

static void run_action(struct suite *suite, const json_t *command)
{
    struct values results;
    struct outcome outcome;
    if (act(suite, command, &results, &outcome) != ACTED)
        return;
    if (outcome.kind == OUTCOME_DONE)
        pass(suite);
    else
        fail(suite, command, "%s", outcome_text(&outcome));
}

static void run_assert_return(struct suite *suite, const json_t *command)
{
    struct values results;
    struct outcome outcome;
    const json_t *expected = json_object_get(command, "expected");
    if (act(suite, command, &results, &outcome) != ACTED)
        return;
    if (outcome.kind != OUTCOME_DONE) {
        fail(suite, command, "%s", outcome_text(&outcome));
        return;
    }
    if (json_array_size(expected) != results.count) {
        fail(suite, command, "%u results", results.count);
        return;
    }
    for (uint32_t i = 0; i < results.count; i++) {
        const json_t *value = json_array_get(expected, i);
        if (value_matches(value, results.slots[i]))
            continue;
        char text[VALUE_TEXT_SIZE];
        value_text(value, results.slots[i], text);
        fail(suite, command, "%s instead of %s (result %u of %s)", text, text_of(value, "value"), i,
             text_of(json_object_get(command, "action"), "field"));
        return;
    }
    pass(suite);
}

/* One of the two may say more than the other: "uninitialized element 2". */
static bool texts_agree(const char *ours, const char *theirs)
{
    return strncmp(ours, theirs, MIN(strlen(ours), strlen(theirs))) == 0;
}

static void check_trap(struct suite *suite, const json_t *command, const struct outcome *outcome)
{
    const char *expected = text_of(command, "text");
    if (outcome->kind == OUTCOME_TRAPPED && texts_agree(outcome_text(outcome), expected))
        pass(suite);
    else
        fail(suite, command, "\"%s\" instead of \"%s\"", outcome_text(outcome), expected);
}

static void run_assert_trap(struct suite *suite, const json_t *command)
{
    struct values results;
    struct outcome outcome;
    if (act(suite, command, &results, &outcome) == ACTED)
        check_trap(suite, command, &outcome);
}

static void run_assert_refused(struct suite *suite, const json_t *command)
{
    AUTO_BUFFER struct buffer source = { 0 };
    struct error error = { 0 };
    const char *expected = text_of(command, "text");
    if (is_text_form(command)) {
        skip(suite, SKIP_TEXT);
        return;
    }
    if (!read_module(suite, command, &source, &error)) {
        fail(suite, command, "%s", error.text);
        return;
    }
    if (compile(suite, buffer_view(&source), &error)) {
        fail(suite, command, "%s accepted instead of \"%s\"", text_of(command, "filename"),
             expected);
        return;
    }
    if (suite->is_verbose && !texts_agree(error.text, expected))
        printf("%s:%lld: \"%s\" instead of \"%s\"\n", suite->path,
               (long long)json_integer_value(json_object_get(command, "line")), error.text,
               expected);
    pass(suite);
}

/* Refused for its imports, in the suite's words. */
static void run_assert_unlinkable(struct suite *suite, const json_t *command)
{
    AUTO_BUFFER struct buffer source = { 0 };
    struct error error = { 0 };
    const char *expected = text_of(command, "text");
    if (!read_module(suite, command, &source, &error))
        fail(suite, command, "%s", error.text);
    else if (links(suite, buffer_view(&source)))
        skip(suite, SKIP_LINKING);
    else if (compile(suite, buffer_view(&source), &error))
        fail(suite, command, "%s accepted instead of \"%s\"", text_of(command, "filename"),
             expected);
    else if (!texts_agree(error.text, expected))
        fail(suite, command, "\"%s\" instead of \"%s\"", error.text, expected);
    else
        pass(suite);
}

static void run_assert_uninstantiable(struct suite *suite, const json_t *command)
{
    AUTO_BUFFER struct buffer source = { 0 };
    struct instance_of_suite instance = { 0 };
    struct outcome outcome = { 0 };
    struct error error = { 0 };
    if (!read_module(suite, command, &source, &error)) {
        fail(suite, command, "%s", error.text);
        return;
    }
    if (links(suite, buffer_view(&source))) {
        skip(suite, SKIP_LINKING);
        return;
    }
    if (!compile(suite, buffer_view(&source), &error) ||
        !instance_open(&instance, suite->engine, buffer_view(&suite->image), &outcome, &error))
        fail(suite, command, "%s: %s", text_of(command, "filename"), error.text);
    else
        check_trap(suite, command, &outcome);
    instance_done(&instance);
}

static void run_register(struct suite *suite, const json_t *command)
{
    const char *as = text_of(command, "as");
    const char *name = text_of(command, "name");
    struct named_instance *instance = suite->current;
    for (size_t i = 0; i < suite->instance_count; i++) {
        if (name[0] != '\0' && strcmp(suite->instances[i].name, name) == 0)
            instance = &suite->instances[i];
    }
    if (instance == NULL || suite->registered_count == REGISTERED_MAX) {
        fail(suite, command, "nothing to register");
        return;
    }
    if (instance->name[0] == '\0') /* it must outlive the next module */
        snprintf(instance->name, sizeof(instance->name), "%s", as);
    suite->registered[suite->registered_count++] = (struct registered){ as, instance };
}

static void run_command(struct suite *suite, const json_t *command)
{
    static const struct {
        const char *type;
        void (*run)(struct suite *suite, const json_t *command);
    } types[] = {
        { "module", run_module },
        { "register", run_register },
        { "action", run_action },
        { "assert_return", run_assert_return },
        { "assert_trap", run_assert_trap },
        { "assert_exhaustion", run_assert_trap },
        { "assert_invalid", run_assert_refused },
        { "assert_malformed", run_assert_refused },
        { "assert_unlinkable", run_assert_unlinkable },
        { "assert_uninstantiable", run_assert_uninstantiable },
    };
    for (size_t i = 0; i < ARRAY_COUNT(types); i++) {
        if (strcmp(text_of(command, "type"), types[i].type) == 0) {
            types[i].run(suite, command);
            return;
        }
    }
    fail(suite, command, "unknown command");
}

static void suite_done(struct suite *suite)
{
    for (size_t i = 0; i < suite->instance_count; i++) {
        if (suite->instances[i].is_open)
            instance_done(&suite->instances[i].instance);
    }
    buffer_done(&suite->image);
}

bool suite_run(const char *path, struct engine *engine, bool is_verbose, struct totals *totals,
               struct error *error)
{
    json_error_t where;
    /* Names in it may hold NUL, which base/json.h refuses. */
    AUTO_JSON json_t *json = json_load_file(path, JSON_ALLOW_NUL, &where);
    if (json == NULL)
        return error_set(error, ERROR_INVALID, "line %d: %s", where.line, where.text);
    struct suite suite = { .path = path, .engine = engine, .is_verbose = is_verbose };
    buffer_init(&suite.image, (size_t)256 << 20);
    size_t index;
    json_t *command;
    json_array_foreach(json_object_get(json, "commands"), index, command)
        run_command(&suite, command);
    suite_done(&suite);
    printf("%s: %u passed, %u failed, %u skipped", path, suite.totals.passed, suite.totals.failed,
           suite.totals.skipped);
    for (size_t i = 0; i < SKIPS_MAX && suite.skips[i].reason != NULL; i++)
        printf("%s%u: %s", i == 0 ? " (" : "; ", suite.skips[i].count, suite.skips[i].reason);
    printf("%s\n", suite.skips[0].reason == NULL ? "" : ")");
    totals->passed += suite.totals.passed;
    totals->failed += suite.totals.failed;
    totals->skipped += suite.totals.skipped;
    return true;
}
