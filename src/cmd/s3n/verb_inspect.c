/* SPDX-License-Identifier: Apache-2.0 */
/* `s3n inspect FILE.wasm`: what a module is, needs and may do. */
#include "cmd/s3n/cli.h"
#include "cmd/s3n/module_file.h"
#include "wasm/analyse.h"

enum {
    ANALYSIS_ARENA_MAX = 512 << 20,
    ANALYSIS_TEXT_MAX = 64 << 20
};

static const struct option_table inspect_table = {
    .program = "s3n inspect",
    .usage = "FILE.wasm",
    .about = "Shows what a module is and needs: size, imports, memory, tables, features, exports,\n"
             "whether S3N can run it and, if not, why.  FILE may be - for standard input.\n"
             "Exit code 0 when it can run, 3 when not.",
    CLI_SHARED,
    .positional_min = 1,
    .positional_max = 1,
};

static bool inspect_run(struct cli *cli, const void *options UNUSED,
                        const struct option_arguments *arguments, struct error *error)
{
    AUTO_BUFFER struct buffer module;
    AUTO_BUFFER struct buffer text;
    AUTO(arena) struct arena *arena = arena_new(ANALYSIS_ARENA_MAX);
    struct analysis analysis;
    module_file_init(&module);
    buffer_init(&text, ANALYSIS_TEXT_MAX);
    if (!module_file_read(&module, arguments->items[0], error) ||
        !wasm_analyse(&analysis, arena, buffer_view(&module), error))
        return false;
    cli->exit_code = analysis.can_run ? 0 : error_exit_code(ERROR_INVALID);
    if (cli->json) {
        AUTO_JSON json_t *json = NULL;
        return analysis_json(&json, &analysis, error) && cli_write_json(json, error);
    }
    analysis_text(&text, &analysis);
    if (text.failed)
        return error_set(error, ERROR_LIMIT, "the report is longer than %d bytes",
                         ANALYSIS_TEXT_MAX);
    return cli_write(buffer_view(&text), error);
}

const struct verb verb_inspect = { .name = "inspect",
                                   .summary = "show what a WebAssembly module is and needs",
                                   .table = &inspect_table,
                                   .run = inspect_run };
