/* SPDX-License-Identifier: Apache-2.0 */
/* s3n versions: an application's versions, what they are, and what differs. */
#include "cmd/s3n/cli.h"
#include "cmd/s3n/node_call.h"
#include "cmd/s3n/tables.h"
#include "core/time.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    DIFFERENCE_DEPTH_MAX = 32,
    PATH_SIZE_MAX = 512
};

static const struct option_table list_table = {
    .program = "s3n versions",
    .usage = "APPLICATION | show|diff|rm|restore ...",
    .about =
        "Lists an application's versions, the newest first: number, name, state, the percent of\n"
        "requests that it answers, digest.  States: serving, canary, released (could be served),\n"
        "pending (waits for signatures), deleted.",
    CLI_SHARED,
    .positional_min = 1,
    .positional_max = 1,
};
static const struct option_table show_table = {
    .program = "s3n versions show",
    .usage = "APPLICATION VERSION",
    .about =
        "Shows a version: who deployed and who signed it, its functions with their verification\n"
        "reports, its manifest.",
    CLI_SHARED,
    .positional_min = 2,
    .positional_max = 2,
};
static const struct option_table diff_table = {
    .program = "s3n versions diff",
    .usage = "APPLICATION VERSION OTHER",
    .about =
        "Shows what changes from VERSION to OTHER in manifest and verification reports.  Exit\n"
        "code 0 also when something does.",
    CLI_SHARED,
    .positional_min = 3,
    .positional_max = 3,
};
static const struct option_table remove_table = {
    .program = "s3n versions rm",
    .usage = "APPLICATION VERSION",
    .about =
        "Deletes a version that answers no requests; it can be restored for the node's retention\n"
        "time.",
    CLI_SHARED,
    .positional_min = 2,
    .positional_max = 2,
};
static const struct option_table restore_table = {
    .program = "s3n versions restore",
    .usage = "APPLICATION VERSION",
    .about = "Brings a deleted version back.",
    CLI_SHARED,
    .positional_min = 2,
    .positional_max = 2,
};

static void row_show(struct buffer *text, const json_t *row)
{
    char when[TIME_TEXT_SIZE + 1];
    if (!time_format(when, number_member(row, "deployed_s")))
        snprintf(when, sizeof(when), "?");
    buffer_format(text, "%4lld  %-12s %-9s %3lld %%  %s  sha256:%.12s…  %lld KiB\n",
                  number_member(row, "version_number"), text_member(row, "version"),
                  text_member(row, "state"), number_member(row, "weight"), when,
                  text_member(row, "version_digest"), (number_member(row, "size") + 1023) / 1024);
}

static bool list_run(struct cli *cli, const void *options UNUSED,
                     const struct option_arguments *arguments, struct error *error)
{
    char path[NODE_PATH_SIZE];
    AUTO_JSON json_t *root = NULL;
    AUTO_BUFFER struct buffer text;
    size_t index;
    json_t *row;
    buffer_init(&text, 16 << 20);
    if (!node_path(path, arguments->items[0], NULL, "/versions", error) ||
        !node_call(cli, HTTP_METHOD_GET, path, NULL, &root, error))
        return false;
    if (cli->json)
        return cli_write_json(root, error);
    json_array_foreach(json_object_get(root, "versions"), index, row) row_show(&text, row);
    return cli_write_lines(buffer_view(&text), error);
}

static bool version_fetch(struct cli *cli, const char *application, const char *number,
                          json_t **version, struct error *error)
{
    char path[NODE_PATH_SIZE];
    return node_path(path, application, number, "", error) &&
           node_call(cli, HTTP_METHOD_GET, path, NULL, version, error);
}

static void signers_show(struct buffer *text, const json_t *version)
{
    size_t index;
    json_t *row;
    buffer_format(
        text, "deployed by    %s\nsignatures     %zu of %lld\n", text_member(version, "author"),
        json_array_size(json_object_get(version, "signers")), number_member(version, "threshold"));
    json_array_foreach(json_object_get(version, "signers"), index, row)
        buffer_format(text, "signed by      %s\n", text_member(row, "signer"));
}

static bool show_run(struct cli *cli, const void *options UNUSED,
                     const struct option_arguments *arguments, struct error *error)
{
    AUTO_JSON json_t *version = NULL;
    AUTO_BUFFER struct buffer text;
    const char *name;
    json_t *report;
    buffer_init(&text, 16 << 20);
    if (!version_fetch(cli, arguments->items[0], arguments->items[1], &version, error))
        return false;
    if (cli->json)
        return cli_write_json(version, error);
    row_show(&text, version);
    buffer_format(&text, "digest         sha256:%s\nmanifest       sha256:%s\n",
                  text_member(version, "version_digest"), text_member(version, "manifest_digest"));
    signers_show(&text, version);
    json_object_foreach(json_object_get(version, "reports"), name, report)
    {
        char *line = json_dumps(report, JSON_SORT_KEYS);
        buffer_format(&text, "report of %s  %s\n", name, line == NULL ? "" : line);
        free(line);
    }
    char *manifest = json_dumps(json_object_get(version, "manifest"), JSON_INDENT(2));
    buffer_format(&text, "%s\n", manifest == NULL ? "" : manifest);
    free(manifest);
    return cli_write_lines(buffer_view(&text), error);
}

/* --- differences --- */

static void difference_add(json_t *list, const char *path, const json_t *before,
                           const json_t *after)
{
    json_array_append_new(
        list, json_pack("{s:s, s:O*, s:O*}", "path", path, "before", before, "after", after));
}

/* What differs below two values, as {"path","before","after"}; an absent side is left out. */
static void difference_find(json_t *list, const char *path, const json_t *before,
                            const json_t *after, unsigned depth)
{
    const char *key;
    json_t *value;
    char below[PATH_SIZE_MAX];
    if (json_equal(before, after))
        return;
    if (!json_is_object(before) || !json_is_object(after) || depth == DIFFERENCE_DEPTH_MAX) {
        difference_add(list, path, before, after);
        return;
    }
    json_object_foreach((json_t *)(uintptr_t)before, key, value)
    {
        snprintf(below, sizeof(below), "%.250s%s%.250s", path, path[0] == '\0' ? "" : ".", key);
        const json_t *other = json_object_get(after, key);
        if (other == NULL)
            difference_add(list, below, value, NULL);
        else
            difference_find(list, below, value, other, depth + 1);
    }
    json_object_foreach((json_t *)(uintptr_t)after, key, value)
    {
        snprintf(below, sizeof(below), "%.250s%s%.250s", path, path[0] == '\0' ? "" : ".", key);
        if (json_object_get(before, key) == NULL)
            difference_add(list, below, NULL, value);
    }
}

static void side_show(struct buffer *text, char sign, const char *path, const json_t *value)
{
    if (value == NULL)
        return;
    char *shown = json_dumps(value, JSON_ENCODE_ANY | JSON_SORT_KEYS);
    buffer_format(text, "%c %s = %s\n", sign, path, shown == NULL ? "?" : shown);
    free(shown);
}

static bool diff_run(struct cli *cli, const void *options UNUSED,
                     const struct option_arguments *arguments, struct error *error)
{
    static const char *const parts[] = { "manifest", "reports" };
    AUTO_JSON json_t *before = NULL;
    AUTO_JSON json_t *after = NULL;
    AUTO_JSON json_t *list = json_array();
    AUTO_BUFFER struct buffer text;
    size_t index;
    json_t *row;
    buffer_init(&text, 16 << 20);
    if (!version_fetch(cli, arguments->items[0], arguments->items[1], &before, error) ||
        !version_fetch(cli, arguments->items[0], arguments->items[2], &after, error))
        return false;
    for (size_t i = 0; i < ARRAY_COUNT(parts); i++)
        difference_find(list, parts[i], json_object_get(before, parts[i]),
                        json_object_get(after, parts[i]), 0);
    if (cli->json) {
        AUTO_JSON json_t *root = json_pack("{s:O}", "changes", list);
        return cli_write_json(root, error);
    }
    json_array_foreach(list, index, row)
    {
        side_show(&text, '-', text_member(row, "path"), json_object_get(row, "before"));
        side_show(&text, '+', text_member(row, "path"), json_object_get(row, "after"));
    }
    if (json_array_size(list) == 0)
        cli_message(cli, "no difference");
    return cli_write_lines(buffer_view(&text), error);
}

/* --- deleting --- */

static bool change_run(struct cli *cli, const struct option_arguments *arguments,
                       enum http_method method, const char *rest, const char *done,
                       struct error *error)
{
    char path[NODE_PATH_SIZE];
    AUTO_JSON json_t *root = NULL;
    if (!node_path(path, arguments->items[0], arguments->items[1], rest, error) ||
        !node_call(cli, method, path, NULL, &root, error))
        return false;
    cli_message(cli, "%s %s version %s", done, arguments->items[0], arguments->items[1]);
    return !cli->json || root == NULL || cli_write_json(root, error);
}

static bool remove_run(struct cli *cli, const void *options UNUSED,
                       const struct option_arguments *arguments, struct error *error)
{
    return change_run(cli, arguments, HTTP_METHOD_DELETE, "", "deleted", error);
}

static bool restore_run(struct cli *cli, const void *options UNUSED,
                        const struct option_arguments *arguments, struct error *error)
{
    return change_run(cli, arguments, HTTP_METHOD_POST, "/restore", "restored", error);
}

static const struct verb verb_show = {
    .name = "show", .summary = "show a version", .table = &show_table, .run = show_run
};
static const struct verb verb_diff = {
    .name = "diff", .summary = "show what changes", .table = &diff_table, .run = diff_run
};
static const struct verb verb_remove = {
    .name = "rm", .summary = "delete a version", .table = &remove_table, .run = remove_run
};
static const struct verb verb_restore_version = {
    .name = "restore", .summary = "restore a version", .table = &restore_table, .run = restore_run
};
static const struct verb *const subverbs[] = { &verb_show, &verb_diff, &verb_remove,
                                               &verb_restore_version, NULL };

const struct verb verb_versions = { .name = "versions",
                                    .summary = "list, show, compare, delete versions",
                                    .table = &list_table,
                                    .run = list_run,
                                    .subverbs = subverbs };
