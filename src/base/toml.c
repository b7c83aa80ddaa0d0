/* SPDX-License-Identifier: Apache-2.0 */
#include "base/toml.h"

#include "base/limits.h"
#include "base/toml_shim.h"

#include <string.h>

/* A walk over the text that knows strings and comments, and nothing else. */
struct walk {
    struct bytes text;
    size_t at;
    unsigned depth; /* of brackets */
    unsigned dots;  /* in the key or value at hand */
};

/* Skips a string that starts at `walk->at`; unfinished ones end with the text. */
static void skip_string(struct walk *walk)
{
    const uint8_t *data = walk->text.data;
    size_t size = walk->text.size, at = walk->at;
    uint8_t quote = data[at];
    bool is_long = at + 2 < size && data[at + 1] == quote && data[at + 2] == quote;
    at += is_long ? 3 : 1;
    for (; at < size; at++) {
        if (data[at] == '\\' && quote == '"')
            at++;
        else if (data[at] == '\n' && !is_long)
            break;
        else if (data[at] == quote && !is_long)
            break;
        else if (data[at] == quote && at + 2 < size && data[at + 1] == quote &&
                 data[at + 2] == quote) {
            at += 2;
            break;
        }
    }
    walk->at = at;
}

static void skip_comment(struct walk *walk)
{
    while (walk->at < walk->text.size && walk->text.data[walk->at] != '\n')
        walk->at++;
    walk->dots = 0;
}

/* toml++ recurses over what it has built, so depth is bounded before it builds: brackets, and dots
 * of one dotted key. */
static bool depth_fits(struct bytes text)
{
    for (struct walk walk = { .text = text }; walk.at < text.size; walk.at++) {
        switch (text.data[walk.at]) {
        case '"':
        case '\'':
            skip_string(&walk);
            break;
        case '#':
            skip_comment(&walk);
            break;
        case '[':
        case '{':
            walk.depth++;
            walk.dots = 0;
            break;
        case ']':
        case '}':
            walk.depth -= walk.depth > 0;
            walk.dots = 0;
            break;
        case '=':
        case ',':
        case '\n':
            walk.dots = 0;
            break;
        case '.':
            walk.dots++;
            break;
        default:
            break;
        }
        if (walk.depth > TOML_DEPTH_MAX || walk.dots > TOML_DEPTH_MAX)
            return false;
    }
    return true;
}

bool toml_parse(struct toml_document *document, const char *file_name, struct bytes text,
                struct error *error)
{
    if (text.size > TOML_SIZE_MAX)
        return error_set(error, ERROR_LIMIT, "%s: %zu bytes of TOML, at most %d", file_name,
                         text.size, TOML_SIZE_MAX);
    if (!depth_fits(text))
        return error_set(error, ERROR_LIMIT, "%s: nested deeper than %d", file_name,
                         TOML_DEPTH_MAX);
    struct toml_shim_problem problem;
    struct toml_document parsed = { 0 };
    const char *data = text.size == 0 ? "" : (const char *)text.data;
    if (toml_shim_parse(data, text.size, JSON_DEPTH_MAX, &parsed.root, &parsed.lines, &problem)) {
        *document = parsed;
        return true;
    }
    if (problem.line == 0)
        return error_set(error, ERROR_NO_MEMORY, "%s: no memory to parse it", file_name);
    return error_set(error, ERROR_INVALID, "%s:%u:%u: %s", file_name, problem.line, problem.column,
                     error_quote(bytes_of_string(problem.text)).text);
}

void toml_done(struct toml_document *document)
{
    json_auto_release(&document->root);
    json_auto_release(&document->lines);
}

unsigned toml_line(const struct toml_document *document, const char *path)
{
    char parent[512];
    size_t size = strlen(path);
    if (size >= sizeof(parent))
        return 0;
    memcpy(parent, path, size + 1);
    for (;;) {
        const json_t *line = json_object_get(document->lines, parent);
        if (line != NULL)
            return (unsigned)json_integer_value(line);
        char *end = MAX(strrchr(parent, '.'), strrchr(parent, '['));
        if (end == NULL)
            return 0;
        *end = '\0';
    }
}
