/* SPDX-License-Identifier: Apache-2.0 */
#include "files/pattern.h"

/* The first name; *rest is what follows its slash. */
static struct bytes name_take(struct bytes path, struct bytes *rest)
{
    size_t size = bytes_find(path, '/');
    *rest = bytes_part(path, size + 1, path.size);
    return bytes_part(path, 0, size);
}

static bool is_any_folders(struct bytes name)
{
    return bytes_equal(name, BYTES_LITERAL("**"));
}

bool pattern_check(struct bytes pattern, struct error *error)
{
    struct quoted quoted = error_quote(pattern);
    struct bytes rest = pattern;
    if (!bytes_is_utf8(pattern) || bytes_find(pattern, 0) != pattern.size)
        return error_set(error, ERROR_INVALID, "pattern \"%s\" is no text", quoted.text);
    if (bytes_starts_with(pattern, BYTES_LITERAL("/")))
        return error_set(error, ERROR_INVALID,
                         "pattern \"%s\" is absolute; patterns start at the manifest's folder",
                         quoted.text);
    do {
        struct bytes name = name_take(rest, &rest);
        if (name.size == 0)
            return error_set(error, ERROR_INVALID, "pattern \"%s\" has an empty name", quoted.text);
        if (bytes_equal_string(name, ".") || bytes_equal_string(name, ".."))
            return error_set(error, ERROR_INVALID, "pattern \"%s\" has \".\" or \"..\" in it",
                             quoted.text);
    } while (rest.size > 0);
    if (pattern.data[pattern.size - 1] == '/')
        return error_set(error, ERROR_INVALID, "pattern \"%s\" ends with a slash", quoted.text);
    return true;
}

/* Bytes of the character at the start of a text in UTF-8. */
static size_t character_size(struct bytes text)
{
    size_t size = 1;
    while (size < text.size && (text.data[size] & 0xc0) == 0x80)
        size++;
    return size;
}

static struct bytes skip(struct bytes text, size_t size)
{
    return bytes_part(text, size, text.size);
}

/* Only the last `*` is ever tried again: if what follows it matches further on, an earlier one need
 * not reach further. */
static bool name_matches(struct bytes pattern, struct bytes name)
{
    struct bytes behind_star = { 0 }, tried = { 0 };
    bool has_star = false;
    if (name.data[0] == '.' && pattern.data[0] != '.')
        return false;
    while (name.size > 0) {
        if (pattern.size > 0 && pattern.data[0] == '*') {
            has_star = true;
            pattern = behind_star = skip(pattern, 1);
            tried = name;
        } else if (pattern.size > 0 && pattern.data[0] == '?') {
            pattern = skip(pattern, 1);
            name = skip(name, character_size(name));
        } else if (pattern.size > 0 && pattern.data[0] == name.data[0]) {
            pattern = skip(pattern, 1);
            name = skip(name, 1);
        } else if (has_star) {
            pattern = behind_star;
            name = tried = skip(tried, character_size(tried));
        } else {
            return false;
        }
    }
    while (pattern.size > 0 && pattern.data[0] == '*')
        pattern = skip(pattern, 1);
    return pattern.size == 0;
}

/* Like name_matches, with names for characters and `**` for `*`.  `may_end`: the path may stop
 * before the pattern does. */
static bool names_match(struct bytes pattern, struct bytes path, bool may_end)
{
    struct bytes behind_star = { 0 }, tried = { 0 }, pattern_rest, path_rest;
    bool has_star = false;
    while (path.size > 0) {
        struct bytes wanted = name_take(pattern, &pattern_rest);
        struct bytes name = name_take(path, &path_rest);
        if (is_any_folders(wanted)) {
            has_star = true;
            pattern = behind_star = pattern_rest;
            tried = path;
            /* At the end: everything below, but nothing hidden. */
            if (pattern.size == 0)
                break;
            continue;
        }
        if (pattern.size > 0 && name_matches(wanted, name)) {
            pattern = pattern_rest;
            path = path_rest;
            continue;
        }
        struct bytes passed = name_take(tried, &path_rest);
        if (!has_star || passed.size == 0 || passed.data[0] == '.')
            return false;
        pattern = behind_star;
        path = tried = path_rest;
    }
    if (path.size == 0)
        return may_end || pattern.size == 0;
    while (path.size > 0)
        if (name_take(path, &path).data[0] == '.')
            return false;
    return true;
}

bool pattern_matches(struct bytes pattern, struct bytes path)
{
    return names_match(pattern, path, false);
}

bool pattern_reaches(struct bytes pattern, struct bytes path)
{
    return names_match(pattern, path, true);
}
