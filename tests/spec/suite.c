/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/spec/suite.h"

#include "base/file.h"
#include "tests/spec/value.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    JSON_ROOM = 64 << 20,
    MODULE_ROOM = 64 << 20,
    COMMANDS_MAX = 1000000,
    INSTANCES_MAX = 512 /* that are alive at once */
};

struct named_instance {
    const char *name; /* "" for one that the next module replaces */
    struct instance_of_suite instance;
    bool is_open;
};

struct suite {
    const char *path; /* of the file: modules stand beside it */
    const struct suite_options *options;
    struct report *report;
    struct world world;
    uint8_t *registers; /* per command: a module that is registered later */
    size_t at;          /* the command at hand */
    struct named_instance instances[INSTANCES_MAX];
    size_t instance_count;
    struct named_instance *current; /* NULL: no module yet, or it did not start */
};

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

/* The module of a command, read whole; owned by `source`. */
static bool read_module(const struct suite *suite, const json_t *command, struct buffer *source,
                        struct error *error)
{
    char path[PATH_MAX];
    const char *name = text_of(command, "filename");
    const char *slash = strrchr(suite->path, '/');
    int folder = slash == NULL ? 0 : (int)(slash - suite->path + 1);
    if (name[0] == '\0' || name[0] == '.' || strchr(name, '/') != NULL)
        return error_set(error, ERROR_INVALID, "modules stand beside their file, not at \"%s\"",
                         error_quote(bytes_of_string(name)).text);
    int size = snprintf(path, sizeof(path), "%.*s%s", folder, suite->path, name);
    if (size < 0 || (size_t)size >= sizeof(path))
        return error_set(error, ERROR_LIMIT, "the path of a module is too long");
    buffer_init(source, MODULE_ROOM);
    return file_read(source, path, error);
}

static bool must_link(const struct suite *suite, struct bytes source)
{
    return suite->options->links_all || suite->registers[suite->at] != 0 ||
           world_must_link(&suite->world, source);
}

/* A place for the next module: nameless ones give theirs up when another comes. */
static struct named_instance *new_instance(struct suite *suite, const char *name)
{
    struct named_instance *place = suite->current;
    if (place == NULL || place->name[0] != '\0') {
        if (suite->instance_count == INSTANCES_MAX)
            return NULL;
        place = &suite->instances[suite->instance_count++];
    } else {
        /* A linked one stays in its micro-VM: others may use what it exported. */
        if (place->is_open && place->instance.linked == NULL)
            instance_done(&place->instance);
    }
    *place = (struct named_instance){ .name = name };
    return place;
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
        return "a micro-VM that broke";
    }
    return "?";
}

static void pass(struct suite *suite)
{
    report_pass(suite->report);
}

static void fail(struct suite *suite, const json_t *command, const char *expected, const char *got)
{
    report_fail(suite->report, command, expected, got);
}

static void run_module(struct suite *suite, const json_t *command)
{
    AUTO_BUFFER struct buffer source = { 0 };
    struct error error = { 0 };
    struct outcome outcome = { 0 };
    if (is_text_form(command)) {
        report_skip(suite->report);
        return;
    }
    struct named_instance *place = new_instance(suite, text_of(command, "name"));
    suite->current = place;
    if (place == NULL) {
        fail(suite, command, "an instance", "too many instances at once");
        return;
    }
    if (!read_module(suite, command, &source, &error) ||
        !world_instantiate(&suite->world, buffer_view(&source),
                           must_link(suite, buffer_view(&source)), &place->instance, &outcome,
                           &error)) {
        fail(suite, command, "an instance", error.text);
        return;
    }
    place->is_open = outcome.kind == OUTCOME_DONE;
    if (place->is_open)
        pass(suite);
    else
        fail(suite, command, "an instance", outcome_text(&outcome));
}

static struct named_instance *find_instance(struct suite *suite, const char *name)
{
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
        const json_t *value = json_array_get(list, i);
        if (values->count + VALUE_SLOTS_MAX > INSTANCE_VALUES_MAX)
            return error_set(error, ERROR_LIMIT, "too many arguments");
        if (!value_to_slots(value, &values->slots[values->count], error))
            return false;
        values->count += value_slot_count(value);
    }
    return true;
}

/* The action of a command; what hinders it is reported. */
static bool act(struct suite *suite, const json_t *command, struct values *results,
                struct outcome *outcome)
{
    const json_t *action = json_object_get(command, "action");
    const char *type = text_of(action, "type");
    struct named_instance *instance = find_instance(suite, text_of(action, "module"));
    struct values arguments;
    struct error error = { 0 };
    if (instance == NULL || !instance->is_open) {
        fail(suite, command, "an instance to act on", "none of this name");
        return false;
    }
    struct bytes field = bytes_of_json(json_object_get(action, "field"));
    bool ok = false;
    *outcome = (struct outcome){ .kind = OUTCOME_DONE };
    if (strcmp(type, "get") == 0)
        ok = instance_get(&instance->instance, field, results, &error);
    else if (strcmp(type, "invoke") == 0)
        ok = read_arguments(action, &arguments, &error) &&
             instance_invoke(&instance->instance, field, &arguments, results, outcome, &error);
    else
        ok = error_set(&error, ERROR_UNSUPPORTED, "an unknown action");
    if (!ok)
        fail(suite, command, "an action", error.text);
    return ok;
}

static void run_action(struct suite *suite, const json_t *command)
{
    struct values results;
    struct outcome outcome;
    if (!act(suite, command, &results, &outcome))
        return;
    if (outcome.kind == OUTCOME_DONE)
        pass(suite);
    else
        fail(suite, command, "no trap", outcome_text(&outcome));
}

/* All values of a result against what is expected, the first difference reported. */
static bool compare(struct suite *suite, const json_t *command, const struct values *results)
{
    const json_t *expected = json_object_get(command, "expected");
    char wanted[VALUE_TEXT_SIZE], got[VALUE_TEXT_SIZE];
    uint32_t slot = 0;
    for (size_t i = 0; i < json_array_size(expected); i++) {
        const json_t *value = json_array_get(expected, i);
        unsigned count = value_slot_count(value);
        if (count == 0 || slot + count > results->count) {
            snprintf(got, sizeof(got), "%u slots", results->count);
            fail(suite, command, "other results", got);
            return false;
        }
        if (!value_matches(value, &results->slots[slot])) {
            value_expected_text(value, wanted);
            value_text(value, &results->slots[slot], got);
            fail(suite, command, wanted, got);
            return false;
        }
        slot += count;
    }
    if (slot == results->count)
        return true;
    snprintf(wanted, sizeof(wanted), "%u slots", slot);
    snprintf(got, sizeof(got), "%u", results->count);
    fail(suite, command, wanted, got);
    return false;
}

static void run_assert_return(struct suite *suite, const json_t *command)
{
    struct values results;
    struct outcome outcome;
    if (!act(suite, command, &results, &outcome))
        return;
    if (outcome.kind != OUTCOME_DONE)
        fail(suite, command, "results", outcome_text(&outcome));
    else if (compare(suite, command, &results))
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
    if (outcome->kind == OUTCOME_TRAPPED && expected[0] != '\0' &&
        texts_agree(outcome_text(outcome), expected))
        pass(suite);
    else
        fail(suite, command, expected, outcome_text(outcome));
}

static void run_assert_trap(struct suite *suite, const json_t *command)
{
    struct values results;
    struct outcome outcome;
    if (act(suite, command, &results, &outcome))
        check_trap(suite, command, &outcome);
}

/* Invalid and malformed modules: refused, in whatever words. */
static void run_assert_refused(struct suite *suite, const json_t *command)
{
    AUTO_BUFFER struct buffer source = { 0 };
    struct error error = { 0 };
    const char *expected = text_of(command, "text");
    if (is_text_form(command)) {
        report_skip(suite->report);
        return;
    }
    if (!read_module(suite, command, &source, &error)) {
        fail(suite, command, "a module to refuse", error.text);
        return;
    }
    if (world_compile(&suite->world, buffer_view(&source), must_link(suite, buffer_view(&source)),
                      &error)) {
        fail(suite, command, expected, "a module that is accepted");
        return;
    }
    if (error.code != ERROR_INVALID && error.code != ERROR_UNSUPPORTED &&
        error.code != ERROR_LIMIT) {
        fail(suite, command, expected, error.text);
        return;
    }
    if (!texts_agree(error.text, expected))
        report_note(suite->report, command, expected, error.text);
    pass(suite);
}

/* Refused for its imports, in the suite's words. */
static void run_assert_unlinkable(struct suite *suite, const json_t *command)
{
    AUTO_BUFFER struct buffer source = { 0 };
    struct error error = { 0 };
    const char *expected = text_of(command, "text");
    if (!read_module(suite, command, &source, &error))
        fail(suite, command, expected, error.text);
    else if (world_compile(&suite->world, buffer_view(&source),
                           must_link(suite, buffer_view(&source)), &error))
        fail(suite, command, expected, "a module that links");
    else if (!texts_agree(error.text, expected))
        fail(suite, command, expected, error.text);
    else
        pass(suite);
}

static void run_assert_uninstantiable(struct suite *suite, const json_t *command)
{
    AUTO_BUFFER struct buffer source = { 0 };
    struct instance_of_suite instance = { 0 };
    struct outcome outcome = { 0 };
    struct error error = { 0 };
    if (!read_module(suite, command, &source, &error) ||
        !world_instantiate(&suite->world, buffer_view(&source),
                           must_link(suite, buffer_view(&source)), &instance, &outcome, &error)) {
        fail(suite, command, text_of(command, "text"), error.text);
        return;
    }
    check_trap(suite, command, &outcome);
    if (instance.linked == NULL && outcome.kind == OUTCOME_DONE)
        instance_done(&instance);
}

static void run_register(struct suite *suite, const json_t *command)
{
    struct error error = { 0 };
    struct named_instance *instance = find_instance(suite, text_of(command, "name"));
    if (instance == NULL || !instance->is_open)
        fail(suite, command, "an instance to register", "none of this name");
    else if (!world_register(&suite->world, bytes_of_json(json_object_get(command, "as")),
                             &instance->instance, &error))
        fail(suite, command, "a registration", error.text);
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
    fail(suite, command, "a known command", "an unknown one");
}

/* Marks the modules that are registered later on: only those can be linked with. */
static bool find_registers(struct suite *suite, const json_t *commands)
{
    AUTO_JSON json_t *names = json_object();
    size_t count = json_array_size(commands), current = count;
    suite->registers = calloc(count + 1, 1);
    if (names == NULL || suite->registers == NULL)
        return false;
    for (size_t i = 0; i < count; i++) {
        const json_t *command = json_array_get(commands, i);
        const char *name = text_of(command, "name");
        if (strcmp(text_of(command, "type"), "module") == 0) {
            current = i;
            if (name[0] != '\0' &&
                json_object_set_new_nocheck(names, name, json_integer((json_int_t)i)) != 0)
                return false;
        } else if (strcmp(text_of(command, "type"), "register") == 0) {
            const json_t *named = name[0] == '\0' ? NULL : json_object_get(names, name);
            suite->registers[named == NULL ? current : (size_t)json_integer_value(named)] = 1;
        }
    }
    return true;
}

static bool suite_open(struct suite *suite, const json_t *json, struct error *error)
{
    const json_t *commands = json_object_get(json, "commands");
    if (!json_is_array(commands))
        return error_set(error, ERROR_INVALID, "not a file of wast2json: it has no commands");
    if (json_array_size(commands) > COMMANDS_MAX)
        return error_set(error, ERROR_LIMIT, "more than %d commands", COMMANDS_MAX);
    if (!find_registers(suite, commands))
        return error_set(error, ERROR_NO_MEMORY, "no memory for %zu commands",
                         json_array_size(commands));
    return world_open(&suite->world, suite->options->engine, suite->options->tier, error);
}

static void suite_close(struct suite *suite)
{
    for (size_t i = 0; i < suite->instance_count; i++) {
        if (suite->instances[i].is_open && suite->instances[i].instance.linked == NULL)
            instance_done(&suite->instances[i].instance);
    }
    world_close(&suite->world);
    free(suite->registers);
    free(suite);
}

static bool run_file(const char *path, const struct suite_options *options, struct report *report,
                     struct error *error)
{
    json_error_t where;
    AUTO_BUFFER struct buffer text = { 0 };
    buffer_init(&text, JSON_ROOM);
    if (!file_read(&text, path, error))
        return false;
    /* Names in it may hold NUL, which base/json.h refuses. */
    AUTO_JSON json_t *json = json_loadb((const char *)text.data, text.size, JSON_ALLOW_NUL, &where);
    if (json == NULL)
        return error_set(error, ERROR_INVALID, "line %d: %s", where.line,
                         error_quote(bytes_of_string(where.text)).text);
    struct suite *suite = calloc(1, sizeof(*suite));
    if (suite == NULL)
        return error_set(error, ERROR_NO_MEMORY, "no memory for a suite");
    suite->path = path;
    suite->options = options;
    suite->report = report;
    bool ok = suite_open(suite, json, error);
    const json_t *commands = json_object_get(json, "commands");
    for (; ok && suite->at < json_array_size(commands); suite->at++)
        run_command(suite, json_array_get(commands, suite->at));
    suite_close(suite);
    return ok;
}

void suite_run(const char *path, const struct suite_options *options, struct report *report)
{
    struct error error = { 0 };
    report_begin(report, path);
    if (!run_file(path, options, report, &error))
        report_fail(report, NULL, "a file of wast2json", error.text);
    report_end(report);
}
