/* SPDX-License-Identifier: Apache-2.0 */
/* `s3n inspect FILE.wasm`: what a module is, needs, may do and costs; what changes to another. */
#include "cmd/s3n/cli.h"
#include "cmd/s3n/inspect_elf.h"
#include "cmd/s3n/module_file.h"
#include "elf/elf.h"
#include "wasm/analyse.h"

#include <string.h>

enum {
    ANALYSIS_ARENA_MAX = 512 << 20,
    ANALYSIS_TEXT_MAX = 64 << 20
};

struct inspect_options {
    bool functions;
    const char *against;
};

static const struct option_row inspect_rows[] = {
    { "functions", 0, OPTION_FLAG, offsetof(struct inspect_options, functions), NULL,
      "list every function with its size, locals and depth", 0, 0 },
    { "against", 0, OPTION_STRING, offsetof(struct inspect_options, against), "FILE.wasm",
      "show what changes from that module to this one", 0, 0 },
};

static const struct option_table inspect_table = {
    .program = "s3n inspect",
    .usage = "FILE.wasm",
    .about = "Shows what a module is, needs, may do and costs: size, imports, memory, tables,\n"
             "features, exports, whether S3N can run it and, if not, why.  Of a native function's\n"
             "ELF: segments and entry.  FILE may be - for standard input.  Exit code 0 when it can "
             "run, 3 when not.",
    .rows = inspect_rows,
    .row_count = ARRAY_COUNT(inspect_rows),
    CLI_SHARED,
    .positional_min = 1,
    .positional_max = 1,
};

/* One module with its report; the report borrows the bytes. */
struct inspection {
    struct buffer module;
    bool is_elf; /* a native function: no analysis */
    struct analysis analysis;
};

static bool inspection_make(struct inspection *inspection, const char *path, struct arena *arena,
                            struct error *error)
{
    module_file_init(&inspection->module);
    if (!module_file_read(&inspection->module, path, error))
        return false;
    inspection->is_elf = elf_is_elf(buffer_view(&inspection->module));
    return inspection->is_elf ||
           wasm_analyse(&inspection->analysis, arena, buffer_view(&inspection->module), error);
}

/* Of what is no module at all a person is told that; a program gets its report. */
static bool inspection_is_worth_it(const struct inspection *inspection, const struct cli *cli,
                                   const char *path, struct error *error)
{
    struct bytes module = buffer_view(&inspection->module);
    if (cli->json || module.size < 4 || memcmp(module.data, "\0asm", 4) == 0)
        return true;
    return error_set(error, ERROR_INVALID, "%s: %s", path, inspection->analysis.reasons[0]);
}

static void inspection_done(struct inspection *inspection)
{
    buffer_done(&inspection->module);
}
#define AUTO_INSPECTION __attribute__((cleanup(inspection_done)))

static bool write_text(struct buffer *text, struct error *error)
{
    if (text->failed)
        return error_set(error, ERROR_LIMIT, "the report is longer than %d bytes",
                         ANALYSIS_TEXT_MAX);
    return cli_write_lines(buffer_view(text), error);
}

static bool show_difference(const struct cli *cli, const struct inspection *before,
                            const struct inspection *after, struct error *error)
{
    AUTO_JSON json_t *difference = NULL;
    AUTO_BUFFER struct buffer text;
    buffer_init(&text, ANALYSIS_TEXT_MAX);
    if (!analysis_compare(&difference, &before->analysis, &after->analysis, error))
        return false;
    if (cli->json)
        return cli_write_json(difference, error);
    analysis_compare_text(&text, difference);
    return write_text(&text, error);
}

/* `functions` NULL: without their table. */
static bool show_report(const struct cli *cli, const struct analysis *analysis,
                        const struct analysis_functions *functions, struct error *error)
{
    AUTO_JSON json_t *json = NULL;
    AUTO_BUFFER struct buffer text;
    json_t *rows;
    buffer_init(&text, ANALYSIS_TEXT_MAX);
    if (!cli->json) {
        analysis_text(&text, analysis);
        if (functions != NULL)
            analysis_functions_text(&text, functions);
        return write_text(&text, error);
    }
    if (!analysis_json(&json, analysis, error))
        return false;
    if (functions != NULL && (!analysis_functions_json(&rows, functions, error) ||
                              json_object_set_new(json, "function_table", rows) != 0))
        return false;
    return cli_write_json(json, error);
}

static bool inspect_run(struct cli *cli, const void *context,
                        const struct option_arguments *arguments, struct error *error)
{
    const struct inspect_options *options = context;
    AUTO(arena) struct arena *arena = arena_new(ANALYSIS_ARENA_MAX);
    AUTO_INSPECTION struct inspection own = { 0 }, other = { 0 };
    struct analysis_functions functions;
    if (options->functions && options->against != NULL)
        return error_set(error, ERROR_USAGE, "--functions and --against exclude each other");
    if (!inspection_make(&own, arguments->items[0], arena, error))
        return false;
    if (own.is_elf && (options->functions || options->against != NULL))
        return error_set(error, ERROR_USAGE, "--functions and --against are for modules");
    if (own.is_elf)
        return inspect_elf(cli, buffer_view(&own.module), error);
    if (!inspection_is_worth_it(&own, cli, arguments->items[0], error))
        return false;
    cli->exit_code = own.analysis.can_run ? 0 : error_exit_code(ERROR_INVALID);
    if (options->against != NULL)
        return inspection_make(&other, options->against, arena, error) &&
               (!other.is_elf || error_set(error, ERROR_USAGE, "--against wants a module")) &&
               show_difference(cli, &other, &own, error);
    if (options->functions &&
        !wasm_analyse_functions(&functions, arena, buffer_view(&own.module), error))
        return false;
    return show_report(cli, &own.analysis, options->functions ? &functions : NULL, error);
}

const struct verb verb_inspect = { .name = "inspect",
                                   .summary = "show what a WebAssembly module is, may do and costs",
                                   .table = &inspect_table,
                                   .options_size = sizeof(struct inspect_options),
                                   .run = inspect_run };
