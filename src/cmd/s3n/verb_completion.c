/* SPDX-License-Identifier: Apache-2.0 */
/* `s3n completion SHELL`: completion scripts written from the table of verbs. */
#include "cmd/s3n/cli.h"

#include <string.h>

static const struct option_table completion_table = {
    .program = "s3n completion",
    .usage = "bash|zsh|fish",
    .about = "Prints a completion script for a shell:\n"
             "  bash: source <(s3n completion bash)\n"
             "  zsh:  s3n completion zsh > \"${fpath[1]}/_s3n\"\n"
             "  fish: s3n completion fish > ~/.config/fish/completions/s3n.fish",
    CLI_SHARED,
    .positional_min = 1,
    .positional_max = 1,
};

typedef void row_writer(struct buffer *text, const struct verb *verb, const struct option_row *row);

/* Whether one of the commands before the n-th of a verb has an option of this name, too. */
static bool is_written(const struct verb *verb, size_t n, const char *name)
{
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < verb->subverbs[i]->table->row_count; j++)
            if (strcmp(verb->subverbs[i]->table->rows[j].name, name) == 0)
                return true;
    return false;
}

static void for_each_row(struct buffer *text, const struct verb *verb, row_writer *write)
{
    for (size_t i = 0; i < verb->table->row_count; i++)
        write(text, verb, &verb->table->rows[i]);
    for (size_t i = 0; verb->subverbs != NULL && verb->subverbs[i] != NULL; i++)
        for (size_t j = 0; j < verb->subverbs[i]->table->row_count; j++)
            if (!is_written(verb, i, verb->subverbs[i]->table->rows[j].name))
                write(text, verb, &verb->subverbs[i]->table->rows[j]);
    for (size_t i = 0; i < verb->table->shared_count; i++)
        write(text, verb, &verb->table->shared[i]);
}

static void write_name(struct buffer *text, const struct verb *verb UNUSED,
                       const struct option_row *row)
{
    buffer_format(text, " --%s", row->name);
}

static void write_verb_names(struct buffer *text)
{
    for (size_t i = 0; verbs[i] != NULL; i++)
        buffer_format(text, "%s%s", i == 0 ? "" : " ", verbs[i]->name);
}

static void write_subverb_names(struct buffer *text, const struct verb *verb)
{
    for (size_t i = 0; verb->subverbs[i] != NULL; i++)
        buffer_format(text, "%s%s", i == 0 ? "" : " ", verb->subverbs[i]->name);
}

static void write_bash(struct buffer *text)
{
    buffer_append_string(text, "_s3n() {\n"
                               "    local current=${COMP_WORDS[COMP_CWORD]} verb= word options=\n"
                               "    for word in \"${COMP_WORDS[@]:1:COMP_CWORD-1}\"; do\n"
                               "        [[ $word == -* ]] || { verb=$word; break; }\n"
                               "    done\n"
                               "    case $verb in\n"
                               "    '') options='");
    write_verb_names(text);
    buffer_append_string(text, "' ;;\n    help) options='");
    write_verb_names(text);
    buffer_append_string(text, "' ;;\n    completion) options='bash zsh fish' ;;\n");
    for (size_t i = 0; verbs[i] != NULL; i++) {
        if (verbs[i] == &verb_help || verbs[i] == &verb_completion)
            continue;
        buffer_format(text, "    %s) [[ $current == -* ]] && options='--help", verbs[i]->name);
        for_each_row(text, verbs[i], write_name);
        if (verbs[i]->subverbs != NULL) {
            buffer_append_string(text, "' || options='");
            write_subverb_names(text, verbs[i]);
        }
        buffer_append_string(text, "' ;;\n");
    }
    buffer_append_string(text, "    esac\n"
                               "    COMPREPLY=($(compgen -W \"$options\" -- \"$current\"))\n"
                               "}\n"
                               "complete -o default -F _s3n s3n\n");
}

/* Text within single quotes: `quote` stands for a quote in it, `specials` get a backslash. */
static void write_quoted(struct buffer *text, const char *words, const char *quote,
                         const char *specials)
{
    for (const char *at = words; *at != '\0'; at++) {
        if (*at == '\'')
            buffer_append_string(text, quote);
        else
            buffer_format(text, "%s%c", strchr(specials, *at) == NULL ? "" : "\\", *at);
    }
}

static void write_zsh_row(struct buffer *text, const struct verb *verb UNUSED,
                          const struct option_row *row)
{
    bool has_value = row->kind != OPTION_FLAG;
    buffer_format(text, " \\\n            '%s--%s%s[", row->kind == OPTION_LIST ? "*" : "",
                  row->name, has_value ? "=" : "");
    write_quoted(text, row->help, "'\\''", "[]\\");
    buffer_append_string(text, "]");
    if (has_value) {
        buffer_append_string(text, ":");
        write_quoted(text, row->value, "'\\''", ":\\");
        buffer_append_string(text, ":_files");
    }
    buffer_append_string(text, "'");
}

static void write_zsh(struct buffer *text)
{
    buffer_append_string(text, "#compdef s3n\n_s3n() {\n    local -a verbs\n    verbs=(\n");
    for (size_t i = 0; verbs[i] != NULL; i++) {
        buffer_format(text, "        '%s:", verbs[i]->name);
        write_quoted(text, verbs[i]->summary, "'\\''", "");
        buffer_append_string(text, "'\n");
    }
    buffer_append_string(text, "    )\n    if (( CURRENT == 2 )); then\n"
                               "        _describe command verbs\n        return\n    fi\n"
                               "    local verb=${words[2]}\n    shift words\n    (( CURRENT-- ))\n"
                               "    case $verb in\n"
                               "    help) _describe command verbs ;;\n"
                               "    completion) compadd bash zsh fish ;;\n");
    for (size_t i = 0; verbs[i] != NULL; i++) {
        if (verbs[i] == &verb_help || verbs[i] == &verb_completion)
            continue;
        buffer_format(text, "    %s)\n        _arguments", verbs[i]->name);
        for_each_row(text, verbs[i], write_zsh_row);
        if (verbs[i]->subverbs != NULL) {
            buffer_append_string(text, " \\\n            '1:command:(");
            write_subverb_names(text, verbs[i]);
            buffer_append_string(text, ")'");
        }
        buffer_append_string(text, " \\\n            '*:file:_files' ;;\n");
    }
    buffer_append_string(text, "    esac\n}\n_s3n \"$@\"\n");
}

static void write_fish_row(struct buffer *text, const struct verb *verb,
                           const struct option_row *row)
{
    buffer_format(text, "complete -c s3n -n '__fish_seen_subcommand_from %s' -l %s", verb->name,
                  row->name);
    if (row->letter != 0)
        buffer_format(text, " -s %c", row->letter);
    buffer_format(text, "%s -d '", row->kind == OPTION_FLAG ? "" : " -r");
    write_quoted(text, row->help, "\\'", "\\");
    buffer_append_string(text, "'\n");
}

static void write_fish(struct buffer *text)
{
    for (size_t i = 0; verbs[i] != NULL; i++) {
        buffer_format(text, "complete -c s3n -f -n __fish_use_subcommand -a %s -d '",
                      verbs[i]->name);
        write_quoted(text, verbs[i]->summary, "\\'", "\\");
        buffer_append_string(text, "'\n");
        for_each_row(text, verbs[i], write_fish_row);
        if (verbs[i]->subverbs == NULL)
            continue;
        buffer_format(text,
                      "complete -c s3n -f -n '__fish_seen_subcommand_from %s; and not "
                      "__fish_seen_subcommand_from ",
                      verbs[i]->name);
        write_subverb_names(text, verbs[i]);
        buffer_append_string(text, "' -a '");
        write_subverb_names(text, verbs[i]);
        buffer_append_string(text, "'\n");
    }
    buffer_append_string(text, "complete -c s3n -f -n '__fish_seen_subcommand_from completion' -a "
                               "'bash zsh fish'\n"
                               "complete -c s3n -f -n '__fish_seen_subcommand_from help' -a '");
    write_verb_names(text);
    buffer_append_string(text, "'\n");
}

static bool completion_run(struct cli *cli UNUSED, const void *options UNUSED,
                           const struct option_arguments *arguments, struct error *error)
{
    static const struct {
        const char *shell;
        void (*write)(struct buffer *text);
    } shells[] = { { "bash", write_bash }, { "zsh", write_zsh }, { "fish", write_fish } };
    AUTO_BUFFER struct buffer text;
    buffer_init(&text, 1 << 20);
    for (size_t i = 0; i < ARRAY_COUNT(shells); i++) {
        if (strcmp(arguments->items[0], shells[i].shell) != 0)
            continue;
        shells[i].write(&text);
        return cli_write(buffer_view(&text), error);
    }
    return error_set(error, ERROR_USAGE, "no completion for \"%s\"; there is bash, zsh and fish",
                     error_quote(bytes_of_string(arguments->items[0])).text);
}

const struct verb verb_completion = { .name = "completion",
                                      .summary = "print a completion script for a shell",
                                      .table = &completion_table,
                                      .run = completion_run };
