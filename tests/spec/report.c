/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/spec/report.h"

#include <stdio.h>
#include <string.h>

enum {
    DESCRIPTION_SIZE = 256
};

bool report_open(struct report *report, bool is_json, bool is_verbose, struct error *error)
{
    *report = (struct report){ .is_verbose = is_verbose && !is_json };
    if (!is_json)
        return true;
    report->json = json_pack("{s:[]}", "files");
    return report->json != NULL || error_set(error, ERROR_NO_MEMORY, "no memory for a report");
}

static void add(struct totals *sum, const struct totals *part)
{
    sum->passed += part->passed;
    sum->failed += part->failed;
    sum->skipped += part->skipped;
}

static void set_totals(json_t *object, const struct totals *totals)
{
    json_object_set_new(object, "passed", json_integer(totals->passed));
    json_object_set_new(object, "failed", json_integer(totals->failed));
    json_object_set_new(object, "skipped", json_integer(totals->skipped));
}

bool report_close(struct report *report)
{
    bool is_clean = report->all.failed == 0;
    if (report->json == NULL) {
        printf("%u passed, %u failed, %u skipped\n", report->all.passed, report->all.failed,
               report->all.skipped);
        return is_clean;
    }
    set_totals(report->json, &report->all);
    json_dumpf(report->json, stdout, JSON_INDENT(2));
    printf("\n");
    json_decref(report->json);
    return is_clean;
}

void report_tier(struct report *report, unsigned functions, unsigned optimised)
{
    if (report->json == NULL) {
        printf("optimised %u of %u functions\n", optimised, functions);
        return;
    }
    json_object_set_new(report->json, "functions", json_integer(functions));
    json_object_set_new(report->json, "optimised", json_integer(optimised));
}

void report_begin(struct report *report, const char *path)
{
    report->path = path;
    report->file = (struct totals){ 0 };
    report->failures = report->json == NULL ? NULL : json_array();
}

void report_end(struct report *report)
{
    const struct totals *file = &report->file;
    add(&report->all, file);
    if (report->json == NULL) {
        printf("%s: %u passed, %u failed, %u skipped%s\n", report->path, file->passed, file->failed,
               file->skipped, file->skipped > 0 ? " (text form)" : "");
        return;
    }
    json_t *object = json_pack("{s:s}", "file", report->path);
    set_totals(object, file);
    json_object_set_new(object, "failures", report->failures);
    json_array_append_new(json_object_get(report->json, "files"), object);
    report->failures = NULL;
}

void report_pass(struct report *report)
{
    report->file.passed++;
}

void report_skip(struct report *report)
{
    report->file.skipped++;
}

static const char *text_of(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));
    return text == NULL ? "" : text;
}

static long long line_of(const json_t *command)
{
    return (long long)json_integer_value(json_object_get(command, "line"));
}

/* `assert_return invoke "add" of $M`, `module x.3.wasm` */
static void describe(const json_t *command, char text[DESCRIPTION_SIZE])
{
    const json_t *action = json_object_get(command, "action");
    const json_t *field = json_object_get(action, "field");
    const char *module = text_of(action, "module");
    const char *filename = text_of(command, "filename");
    struct bytes name = bytes_of(json_string_value(field), json_string_length(field));
    if (action != NULL)
        snprintf(text, DESCRIPTION_SIZE, "%.20s %.8s \"%.60s\"%s%.60s", text_of(command, "type"),
                 text_of(action, "type"), error_quote(name).text, module[0] == '\0' ? "" : " of ",
                 error_quote(bytes_of_string(module)).text);
    else
        snprintf(text, DESCRIPTION_SIZE, "%.20s %.60s",
                 error_quote(bytes_of_string(text_of(command, "type"))).text,
                 error_quote(bytes_of_string(filename)).text);
}

static void print_line(const struct report *report, const json_t *command, const char *expected,
                       const char *got)
{
    char text[DESCRIPTION_SIZE];
    if (command == NULL) {
        printf("%s: %s\n", report->path, got);
        return;
    }
    describe(command, text);
    printf("%s:%lld: %s: expected %s, got %s\n", report->path, line_of(command), text, expected,
           got);
}

void report_fail(struct report *report, const json_t *command, const char *expected,
                 const char *got)
{
    char text[DESCRIPTION_SIZE] = "file";
    report->file.failed++;
    if (report->json == NULL) {
        print_line(report, command, expected, got);
        return;
    }
    if (command != NULL)
        describe(command, text);
    json_array_append_new(report->failures,
                          json_pack("{s:I, s:s, s:s, s:s}", "line", line_of(command), "command",
                                    text, "expected", expected, "got", got));
}

void report_note(struct report *report, const json_t *command, const char *expected,
                 const char *got)
{
    if (report->is_verbose)
        print_line(report, command, expected, got);
}
