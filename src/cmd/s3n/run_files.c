/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/s3n/run_files.h"

#include "base/file.h"
#include "files/gather.h"

#include <limits.h>
#include <string.h>

struct copying {
    struct cli *cli;
    const char *folder;
};

static void report_skipped(void *context, const char *path, const char *reason)
{
    const struct copying *copying = context;
    cli_message(copying->cli, "s3n: %s/%s is left out: %s",
                error_quote(bytes_of_string(copying->folder)).text,
                error_quote(bytes_of_string(path)).text, reason);
}

/* Where the last "::" stands; NULL: there is none. */
static const char *find_separator(const char *text)
{
    const char *found = NULL;
    for (const char *at = text; (at = strstr(at, "::")) != NULL; at++)
        found = at;
    return found;
}

static bool copy_folder(struct cli *cli, struct tree *tree, const char *option, struct error *error)
{
    char host[PATH_MAX];
    const char *separator = find_separator(option);
    const char *guest = separator == NULL ? option : separator + 2;
    size_t size = separator == NULL ? strlen(option) : (size_t)(separator - option);
    if (size == 0 || guest[0] == '\0' || size >= sizeof(host))
        return error_set(error, ERROR_USAGE, "--dir wants HOST::GUEST, not \"%s\"",
                         error_quote(bytes_of_string(option)).text);
    memcpy(host, option, size);
    host[size] = '\0';
    struct copying copying = { .cli = cli, .folder = host };
    struct gather_watch watch = { .skipped = report_skipped, .context = &copying };
    return gather_folder(tree, host, guest, &watch, error) || error_within(error, "--dir");
}

bool run_files(struct cli *cli, const struct option_list *folders, int *descriptor,
               struct error *error)
{
    AUTO(tree) struct tree *tree = NULL;
    AUTO_BUFFER struct buffer archive;
    buffer_init(&archive, FILES_SIZE_MAX);
    *descriptor = -1;
    if (folders->count == 0)
        return true;
    if (!tree_new(&tree, error))
        return false;
    for (size_t i = 0; i < folders->count; i++)
        if (!copy_folder(cli, tree, folders->items[i], error))
            return false;
    return tree_write(&archive, tree, error) &&
           file_sealed(descriptor, "files", buffer_view(&archive), error);
}
