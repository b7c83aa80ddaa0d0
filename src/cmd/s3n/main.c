/* SPDX-License-Identifier: Apache-2.0 */
/* s3n: the command line of S3N. */
#include "base/file.h"
#include "base/terminal.h"
#include "cmd/s3n/cli.h"
#include "cmd/s3n/profile.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Options that stand before the verb. */
static const struct option_row front_rows[] = {
    { .name = "version",
      .offset = offsetof(struct cli, wants_version),
      .help = "same as s3n version" },
};

static const struct option_table front_table = {
    .program = "s3n",
    .usage = "COMMAND [ARGUMENTS]",
    .about = "Confidential functions: deploy them, call them, prove what ran.",
    .rows = front_rows,
    .row_count = ARRAY_COUNT(front_rows),
    CLI_SHARED,
    .positional_max = UINT32_MAX,
    .stops_at_positional = true,
};

static bool print_help(const struct option_table *table, struct error *error)
{
    AUTO_BUFFER struct buffer text;
    buffer_init(&text, 1 << 16);
    options_help(&text, table);
    return cli_write(buffer_view(&text), error);
}

static bool run_with(struct cli *cli, const struct verb *verb, char **argv, void *options,
                     struct error *error)
{
    struct option_arguments arguments;
    if (!options_parse(verb->table, argv, options, cli, &arguments, error))
        return false;
    if (arguments.wants_help)
        return print_help(verb->table, error);
    if (cli->config != NULL)
        profile_use_folder(cli->config);
    if (verb->run == NULL)
        return subverb_unknown(verb, arguments.count == 0 ? NULL : arguments.items[0], error);
    return verb->run(cli, options, &arguments, error);
}

static bool run_verb(struct cli *cli, const struct verb *verb, char **argv, struct error *error)
{
    void *options = calloc(1, verb->options_size + 1);
    if (options == NULL)
        return error_set(error, ERROR_NO_MEMORY, "no memory for options");
    if (verb->defaults != NULL)
        memcpy(options, verb->defaults, verb->options_size);
    bool ran = run_with(cli, verb, argv, options, error);
    free(options);
    return ran;
}

static bool run(struct cli *cli, char **argv, struct error *error)
{
    struct option_arguments arguments;
    char help[] = "help", version[] = "version";
    char *only_help[] = { help, NULL }, *only_version[] = { version, NULL };
    if (!options_parse(&front_table, argv, cli, cli, &arguments, error))
        return false;
    char **words = arguments.items;
    if (cli->wants_version)
        words = only_version;
    else if (arguments.wants_help)
        words = only_help;
    else if (arguments.count == 0)
        return error_set(error, ERROR_USAGE, "which command? (s3n help lists them)");
    const struct verb *verb = verb_find(words[0]);
    if (verb == NULL)
        return verb_unknown(words[0], error);
    const struct verb *subverb = subverb_find(verb, words[1]);
    return subverb == NULL ? run_verb(cli, verb, words + 1, error)
                           : run_verb(cli, subverb, words + 2, error);
}

static void show_error(struct cli *cli, const struct error *error)
{
    char red[16], plain[16];
    cli_step_done(cli);
    if (!cli->json) {
        fprintf(stderr, "s3n: %serror%s: %s\n", cli_color(cli, red, "31"),
                cli_color(cli, plain, ""), error->text);
        if (cli->hint[0] != '\0')
            fprintf(stderr, "  hint: %s\n", cli->hint);
        return;
    }
    AUTO_JSON json_t *json =
        json_pack("{s:{s:s,s:s,s:s*}}", "error", "code", error_name(error->code), "message",
                  error->text, "hint", cli->hint[0] == '\0' ? NULL : cli->hint);
    json_dumpf(json, stderr, JSON_COMPACT);
    fputc('\n', stderr);
}

int main(int argc, char **argv)
{
    struct error error = { 0 };
    file_hold_streams();
    const char *terminal = getenv("TERM"), *no_color = getenv("NO_COLOR");
    struct cli cli = { 0 };
    cli.has_terminal =
        isatty(STDERR_FILENO) == 1 && (terminal == NULL || strcmp(terminal, "dumb") != 0);
    cli.has_color = cli.has_terminal && (no_color == NULL || no_color[0] == '\0');
    bool ran = argc > 0 && run(&cli, argv + 1, &error);
    if (!ran) {
        terminal_mask(error.text); /* much of it was a node's word first */
        terminal_mask(cli.hint);
        show_error(&cli, &error);
    }
    cli_step_done(&cli);
    return ran ? cli.exit_code : error_exit_code(error.code);
}
