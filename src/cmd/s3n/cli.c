/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/s3n/cli.h"

#include "base/file.h"
#include "base/terminal.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    LINE_SIZE_MAX = 4096
};

const struct option_row cli_rows[] = {
    { .name = "json", .offset = offsetof(struct cli, json), .help = "data as JSON" },
    { .name = "quiet",
      .letter = 'q',
      .offset = offsetof(struct cli, quiet),
      .help = "no messages but errors" },
    { .name = "verbose",
      .letter = 'v',
      .offset = offsetof(struct cli, verbose),
      .help = "say more about what is done" },
    { .name = "config",
      .kind = OPTION_STRING,
      .offset = offsetof(struct cli, config),
      .value = "FOLDER",
      .help = "where key and profile are kept (default: ~/.config/s3n)" },
};
_Static_assert(ARRAY_COUNT(cli_rows) == CLI_ROW_COUNT, "tables name the right number of rows");

const struct verb *verb_find(const char *name)
{
    for (size_t i = 0; verbs[i] != NULL; i++) {
        if (strcmp(verbs[i]->name, name) == 0)
            return verbs[i];
    }
    return NULL;
}

const struct verb *subverb_find(const struct verb *verb, const char *name)
{
    for (size_t i = 0; verb->subverbs != NULL && verb->subverbs[i] != NULL; i++)
        if (name != NULL && strcmp(verb->subverbs[i]->name, name) == 0)
            return verb->subverbs[i];
    return NULL;
}

/* ", did you mean NAME?", or nothing. */
struct proposal {
    char text[80];
};

static struct proposal propose(const char *name, const struct verb *const *list)
{
    enum {
        VERBS_MAX = 64
    };
    const char *names[VERBS_MAX + 1] = { NULL };
    struct proposal proposal = { "" };
    for (size_t i = 0; i < VERBS_MAX && list[i] != NULL; i++)
        names[i] = list[i]->name;
    const char *nearest = nearest_name(name, names);
    if (nearest != NULL)
        snprintf(proposal.text, sizeof(proposal.text), ", did you mean %s?", nearest);
    return proposal;
}

bool verb_unknown(const char *name, struct error *error)
{
    return error_set(error, ERROR_USAGE, "unknown command \"%s\"%s (s3n help lists them)",
                     error_quote(bytes_of_string(name)).text, propose(name, verbs).text);
}

bool subverb_unknown(const struct verb *verb, const char *name, struct error *error)
{
    char names[200] = "";
    size_t size = 0;
    for (size_t i = 0; verb->subverbs[i] != NULL && size < sizeof(names); i++)
        size += (size_t)snprintf(names + size, sizeof(names) - size, "%s%s", i == 0 ? "" : ", ",
                                 verb->subverbs[i]->name);
    if (name == NULL)
        return error_set(error, ERROR_USAGE, "%s what? %s", verb->name, names);
    return error_set(error, ERROR_USAGE, "unknown command \"%s %s\"%s (there are %s)", verb->name,
                     error_quote(bytes_of_string(name)).text, propose(name, verb->subverbs).text,
                     names);
}

void cli_hint(struct cli *cli, const char *hint)
{
    snprintf(cli->hint, sizeof(cli->hint), "%s", hint);
}

void cli_step_done(struct cli *cli)
{
    if (cli->shows_step)
        fputs("\r\x1b[K", stderr);
    cli->shows_step = false;
}

void cli_step(struct cli *cli, const char *format, ...)
{
    if (cli->quiet || !cli->has_terminal)
        return;
    cli_step_done(cli);
    char line[LINE_SIZE_MAX];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(line, sizeof(line), format, arguments);
    va_end(arguments);
    terminal_mask(line);
    fprintf(stderr, "%s ...", line);
    cli->shows_step = true;
}

static void PRINTF_LIKE(2, 0) show_line(struct cli *cli, const char *format, va_list arguments)
{
    char line[LINE_SIZE_MAX];
    vsnprintf(line, sizeof(line), format, arguments);
    terminal_mask(line); /* much of what is said was a node's word first */
    cli_step_done(cli);
    fprintf(stderr, "%s\n", line);
}

void cli_message(struct cli *cli, const char *format, ...)
{
    if (cli->quiet)
        return;
    va_list arguments;
    va_start(arguments, format);
    show_line(cli, format, arguments);
    va_end(arguments);
}

void cli_detail(struct cli *cli, const char *format, ...)
{
    if (!cli->verbose)
        return;
    va_list arguments;
    va_start(arguments, format);
    show_line(cli, format, arguments);
    va_end(arguments);
}

const char *cli_color(const struct cli *cli, char text[16], const char *code)
{
    text[0] = '\0';
    if (cli->has_color)
        snprintf(text, 16, "\x1b[%sm", code);
    return text;
}

bool cli_write(struct bytes data, struct error *error)
{
    return file_write_all(STDOUT_FILENO, data, error) || error_within(error, "standard output");
}

bool cli_write_lines(struct bytes text, struct error *error)
{
    AUTO_BUFFER struct buffer shown;
    buffer_init(&shown, SIZE_MAX);
    while (text.size > 0) {
        size_t size = bytes_find(text, '\n');
        terminal_append(&shown, bytes_part(text, 0, size));
        if (size < text.size)
            buffer_append_string(&shown, "\n");
        text = bytes_part(text, size + 1, text.size);
    }
    if (shown.failed)
        return error_set(error, ERROR_NO_MEMORY, "no memory for the output");
    return cli_write(buffer_view(&shown), error);
}

bool cli_write_json(const json_t *json, struct error *error)
{
    char *text = json_dumps(json, JSON_INDENT(2) | JSON_REAL_PRECISION(15));
    if (text == NULL)
        return error_set(error, ERROR_NO_MEMORY, "no memory for JSON");
    bool written = cli_write(bytes_of_string(text), error) && cli_write(BYTES_LITERAL("\n"), error);
    free(text);
    return written;
}
