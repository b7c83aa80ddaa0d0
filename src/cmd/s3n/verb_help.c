/* SPDX-License-Identifier: Apache-2.0 */
/* `s3n help [COMMAND]` and `s3n version`. */
#include "cmd/s3n/cli.h"

static const struct option_table help_table = {
    .program = "s3n help",
    .usage = "[COMMAND [SUBCOMMAND]]",
    .about = "Lists the commands, or explains one.",
    CLI_SHARED,
    .positional_max = 2,
};

static void list_verbs(struct buffer *text)
{
    buffer_append_string(text, "usage: s3n [options] COMMAND [ARGUMENTS]\n\n"
                               "Confidential functions: deploy them, call them, prove what ran.\n\n"
                               "commands:\n");
    for (size_t i = 0; verbs[i] != NULL; i++)
        buffer_format(text, "  %-12s %s\n", verbs[i]->name, verbs[i]->summary);
    buffer_append_string(text, "\ns3n help COMMAND explains one.  --json, -q (quiet) and -v "
                               "(verbose) work with all.\n\n"
                               "exit codes: 0 done, 1 the function failed, 2 usage, 3 invalid "
                               "input, 4 permission, 5 not found,\n"
                               "6 verification failed, 7 unavailable, 8 timeout, 9 limit, 70 a "
                               "bug, 130 interrupted\n");
}

static bool help_run(struct cli *cli UNUSED, const void *options UNUSED,
                     const struct option_arguments *arguments, struct error *error)
{
    AUTO_BUFFER struct buffer text;
    buffer_init(&text, 1 << 16);
    if (arguments->count == 0) {
        list_verbs(&text);
        return cli_write(buffer_view(&text), error);
    }
    const struct verb *verb = verb_find(arguments->items[0]);
    if (verb == NULL)
        return verb_unknown(arguments->items[0], error);
    const struct verb *subverb = subverb_find(verb, arguments->items[1]);
    if (arguments->count == 2 && subverb == NULL)
        return error_set(error, ERROR_USAGE, "s3n %s has no subcommand \"%s\"", verb->name,
                         error_quote(bytes_of_string(arguments->items[1])).text);
    options_help(&text, subverb == NULL ? verb->table : subverb->table);
    for (size_t i = 0; subverb == NULL && verb->subverbs != NULL && verb->subverbs[i] != NULL; i++)
        buffer_format(&text, "%s  s3n %s %-10s %s\n", i == 0 ? "\nsubcommands:\n" : "", verb->name,
                      verb->subverbs[i]->name, verb->subverbs[i]->summary);
    return cli_write(buffer_view(&text), error);
}

const struct verb verb_help = { .name = "help",
                                .summary = "list the commands, or explain one",
                                .table = &help_table,
                                .run = help_run };

static const struct option_table version_table = {
    .program = "s3n version",
    .usage = "",
    .about = "Prints the version.",
    CLI_SHARED,
};

static bool version_run(struct cli *cli, const void *options UNUSED,
                        const struct option_arguments *arguments UNUSED, struct error *error)
{
    if (!cli->json)
        return cli_write(BYTES_LITERAL("s3n " S3N_VERSION "\n"), error);
    AUTO_JSON json_t *json = json_pack("{s:s}", "version", S3N_VERSION);
    return cli_write_json(json, error);
}

const struct verb verb_version = {
    .name = "version", .summary = "print the version", .table = &version_table, .run = version_run
};
