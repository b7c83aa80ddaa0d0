/* SPDX-License-Identifier: Apache-2.0 */
#include "outbound/url.h"

#include "core/hex.h"

#include <stdio.h>
#include <string.h>

static const uint16_t port_of_scheme[] = { 80, 443 };

static bool is_digit(uint8_t byte)
{
    return byte >= '0' && byte <= '9';
}

static uint8_t lower(uint8_t byte)
{
    return byte >= 'A' && byte <= 'Z' ? (uint8_t)(byte + 32) : byte;
}

static bool is_alphanumeric(uint8_t byte)
{
    return is_digit(byte) || (lower(byte) >= 'a' && lower(byte) <= 'z');
}

/* "http" or "https", any case. */
static bool scheme_parse(bool *is_secure, struct bytes text)
{
    char name[6] = "";
    if (text.size > 5)
        return false;
    for (size_t i = 0; i < text.size; i++)
        name[i] = (char)lower(text.data[i]);
    *is_secure = strcmp(name, "https") == 0;
    return *is_secure || strcmp(name, "http") == 0;
}

/* Resolvers and libraries read a last label that is a number as part of an address. */
static bool ends_in_number(struct bytes host)
{
    size_t start = host.size;
    while (start > 0 && host.data[start - 1] != '.')
        start--;
    struct bytes last = bytes_part(host, start, SIZE_MAX);
    if (last.size >= 2 && last.data[0] == '0' && lower(last.data[1]) == 'x')
        return true;
    for (size_t i = 0; i < last.size; i++)
        if (!is_digit(last.data[i]))
            return false;
    return true;
}

static bool label_is_good(struct bytes label)
{
    if (label.size < 1 || label.size > URL_LABEL_SIZE_MAX || label.data[0] == '-' ||
        label.data[label.size - 1] == '-')
        return false;
    for (size_t i = 0; i < label.size; i++)
        if (!is_alphanumeric(label.data[i]) && label.data[i] != '-' && label.data[i] != '_')
            return false;
    return true;
}

static bool name_is_good(struct bytes host)
{
    if (host.size < 1 || host.size > URL_HOST_SIZE_MAX)
        return false;
    for (size_t start = 0; start <= host.size;) {
        struct bytes rest = bytes_part(host, start, SIZE_MAX);
        struct bytes label = bytes_part(rest, 0, bytes_find(rest, '.'));
        if (!label_is_good(label))
            return false;
        start += label.size + 1;
    }
    return true;
}

bool url_host_parse(struct url *url, struct bytes text, struct error *error)
{
    bool is_bracketed = text.size > 2 && text.data[0] == '[' && text.data[text.size - 1] == ']';
    struct bytes inner = is_bracketed ? bytes_part(text, 1, text.size - 2) : text;
    bool is_v6 = bytes_find(inner, ':') < inner.size;
    url->is_address = address_parse(&url->address, inner) && is_v6 == is_bracketed;
    if (url->is_address) {
        address_write(url->host, &url->address);
        return true;
    }
    if (!name_is_good(text))
        return error_set(error, ERROR_INVALID, "%s is no name of a host", error_quote(text).text);
    if (ends_in_number(text))
        return error_set(error, ERROR_INVALID,
                         "%s is no address: four decimal numbers without leading zeros",
                         error_quote(text).text);
    for (size_t i = 0; i < text.size; i++)
        url->host[i] = (char)lower(text.data[i]);
    url->host[text.size] = '\0';
    return true;
}

bool url_port_parse(uint16_t *port, struct bytes text, struct error *error)
{
    uint32_t number = 0;
    bool is_good = text.size >= 1 && text.size <= 5 && text.data[0] != '0';
    for (size_t i = 0; i < text.size && is_good; i++) {
        is_good = is_digit(text.data[i]);
        number = 10 * number + (uint32_t)(text.data[i] - '0');
    }
    if (!is_good || number > UINT16_MAX)
        return error_set(error, ERROR_INVALID, "%s is no port", error_quote(text).text);
    *port = (uint16_t)number;
    return true;
}

static bool is_target_byte(uint8_t byte)
{
    return is_alphanumeric(byte) || (byte != 0 && strchr("-._~!$&'()*+,;=:@/?%", byte) != NULL);
}

static bool target_is_good(struct bytes target)
{
    for (size_t i = 0; i < target.size; i++) {
        if (!is_target_byte(target.data[i]))
            return false;
        if (target.data[i] != '%')
            continue;
        if (i + 2 >= target.size || hex_digit_value(target.data[i + 1]) < 0 ||
            hex_digit_value(target.data[i + 2]) < 0)
            return false;
    }
    return true;
}

/* Servers differ in what they decode before they take dot segments out: '.' and the separators may
 * be escaped, and some cut segments at ';'. */
static bool has_dot_segment(struct bytes path)
{
    size_t dots = 0;
    bool is_plain = true; /* nothing but dots so far */
    bool is_over = false; /* behind ';' */
    for (size_t i = 0; i <= path.size; i++) {
        int byte = i < path.size ? path.data[i] : '/';
        if (byte == '%') {
            byte = hex_digit_value(path.data[i + 1]) << 4 | hex_digit_value(path.data[i + 2]);
            i += 2;
        }
        if (byte == '/' || byte == '\\') {
            if (is_plain && (dots == 1 || dots == 2))
                return true;
            dots = 0;
            is_plain = true;
            is_over = false;
        } else if (byte == '.' && !is_over) {
            dots++;
        } else if (byte == ';') {
            is_over = true;
        } else if (!is_over) {
            is_plain = false;
        }
    }
    return false;
}

static bool has_escape(struct bytes path, const char *digits)
{
    for (size_t i = 0; i + 2 < path.size; i++)
        if (path.data[i] == '%' && path.data[i + 1] == (uint8_t)digits[0] &&
            path.data[i + 2] == (uint8_t)digits[1])
            return true;
    return false;
}

bool url_path_check(struct bytes path, struct error *error)
{
    if (path.size < 1 || path.size > URL_SIZE_MAX || path.data[0] != '/' ||
        bytes_find(path, '?') < path.size || !target_is_good(path) || has_escape(path, "00"))
        return error_set(error, ERROR_INVALID, "%s is no path of a URL", error_quote(path).text);
    if (has_dot_segment(path))
        return error_set(error, ERROR_INVALID, "%s has segments of dots", error_quote(path).text);
    return true;
}

/* The path, or "/" when there is none, and the query. */
static bool target_parse(struct url *url, struct bytes text, struct error *error)
{
    size_t path_size = bytes_find(text, '?');
    struct bytes query = bytes_part(text, path_size, SIZE_MAX);
    struct bytes path = path_size == 0 ? BYTES_LITERAL("/") : bytes_part(text, 0, path_size);
    if (path.size + query.size > URL_SIZE_MAX)
        return error_set(error, ERROR_LIMIT, "a URL has at most %d characters", URL_SIZE_MAX);
    if (!url_path_check(path, error))
        return false;
    if (!target_is_good(query))
        return error_set(error, ERROR_INVALID,
                         "the query of a URL has characters that must be encoded");
    snprintf(url->target, sizeof(url->target), "%.*s%.*s", (int)path.size, (const char *)path.data,
             (int)query.size, (const char *)query.data);
    url->path_size = path.size;
    return true;
}

/* host [":" port] */
static bool authority_parse(struct url *url, struct bytes text, struct error *error)
{
    size_t host_size = bytes_find(text, ':');
    if (bytes_find(text, '@') < text.size)
        return error_set(error, ERROR_INVALID, "a URL must not have user or password");
    if (text.size > 0 && text.data[0] == '[')
        host_size = MIN(bytes_find(text, ']') + 1, text.size);
    struct bytes port = bytes_part(text, host_size, SIZE_MAX);
    url->port = port_of_scheme[url->is_secure];
    if (!url_host_parse(url, bytes_part(text, 0, host_size), error))
        return false;
    if (port.size == 0)
        return true;
    if (port.data[0] != ':')
        return error_set(error, ERROR_INVALID, "behind a host comes a port or a path");
    return url_port_parse(&url->port, bytes_part(port, 1, SIZE_MAX), error);
}

bool url_parse(struct url *url, struct bytes text, struct error *error)
{
    struct url made = { 0 };
    size_t scheme_size = bytes_find(text, ':');
    struct bytes rest = bytes_part(text, MIN(scheme_size + 1, text.size), SIZE_MAX);
    if (text.size > URL_SIZE_MAX)
        return error_set(error, ERROR_LIMIT, "a URL has at most %d characters", URL_SIZE_MAX);
    if (!scheme_parse(&made.is_secure, bytes_part(text, 0, scheme_size)) ||
        !bytes_starts_with(rest, BYTES_LITERAL("//")))
        return error_set(error, ERROR_INVALID, "%s is no URL: https://host/path or http://",
                         error_quote(text).text);
    if (bytes_find(text, '#') < text.size)
        return error_set(error, ERROR_INVALID, "a URL of a request has no fragment");
    rest = bytes_part(rest, 2, SIZE_MAX);
    size_t authority_size = MIN(bytes_find(rest, '/'), bytes_find(rest, '?'));
    if (!authority_parse(&made, bytes_part(rest, 0, authority_size), error) ||
        !target_parse(&made, bytes_part(rest, authority_size, SIZE_MAX), error))
        return false;
    *url = made;
    return true;
}

void url_origin_write(char text[URL_ORIGIN_SIZE], const struct url *url)
{
    bool is_v6 = url->is_address && url->address.is_v6;
    char port[8] = "";
    if (url->port != port_of_scheme[url->is_secure])
        snprintf(port, sizeof(port), ":%u", url->port);
    snprintf(text, URL_ORIGIN_SIZE, "%s://%s%s%s%s", url->is_secure ? "https" : "http",
             is_v6 ? "[" : "", url->host, is_v6 ? "]" : "", port);
}

void url_write(char text[URL_TEXT_SIZE], const struct url *url)
{
    char origin[URL_ORIGIN_SIZE];
    url_origin_write(origin, url);
    snprintf(text, URL_TEXT_SIZE, "%s%s", origin, url->target);
}

bool url_same_origin(const struct url *a, const struct url *b)
{
    return a->is_secure == b->is_secure && a->port == b->port && a->is_address == b->is_address &&
           strcmp(a->host, b->host) == 0;
}

/* --- references --- */

static bool has_scheme(struct bytes text)
{
    size_t size = bytes_find(text, ':');
    if (size == text.size || size == 0)
        return false;
    for (size_t i = 0; i < size; i++)
        if (!is_alphanumeric(text.data[i]) && strchr("+-.", text.data[i]) == NULL)
            return false;
    return true;
}

/* RFC 3986 section 5.2.4, of plain dots alone; returns the size of what is left. */
static size_t dots_remove(char *path, size_t size)
{
    size_t out = 0, at = 0;
    while (at < size) { /* path[at] is '/' */
        size_t end = at + 1;
        while (end < size && path[end] != '/')
            end++;
        size_t segment = end - at - 1;
        bool is_one = segment == 1 && path[at + 1] == '.';
        bool is_two = segment == 2 && path[at + 1] == '.' && path[at + 2] == '.';
        while (is_two && out > 0 && path[--out] != '/')
            ;
        if (!is_one && !is_two) {
            memmove(path + out, path + at, end - at);
            out += end - at;
        } else if (end == size) {
            path[out++] = '/';
        }
        at = end;
    }
    return out;
}

/* Path and query of `reference`, which has neither scheme nor host, seen from `base`. */
static bool target_resolve(struct url *url, const struct url *base, struct bytes reference,
                           struct error *error)
{
    char joined[2 * URL_SIZE_MAX + 2];
    size_t path_size = bytes_find(reference, '?'), size = 0;
    struct bytes query = bytes_part(reference, path_size, SIZE_MAX);
    if (reference.size == 0)
        return target_parse(url, bytes_of_string(base->target), error);
    if (path_size == 0 || reference.data[0] != '/') { /* relative: behind base's last '/' */
        size = base->path_size;
        while (path_size > 0 && base->target[size - 1] != '/')
            size--;
        memcpy(joined, base->target, size);
    }
    memcpy(joined + size, reference.data, path_size);
    size = dots_remove(joined, size + path_size);
    memcpy(joined + size, query.data, query.size);
    return target_parse(url, bytes_of(joined, size + query.size), error);
}

bool url_resolve(struct url *url, const struct url *base, struct bytes reference,
                 struct error *error)
{
    char whole[URL_SIZE_MAX + 8];
    struct url made = *base;
    reference = bytes_part(reference, 0, bytes_find(reference, '#'));
    if (reference.size > URL_SIZE_MAX)
        return error_set(error, ERROR_LIMIT, "a URL has at most %d characters", URL_SIZE_MAX);
    bool has_host = bytes_starts_with(reference, BYTES_LITERAL("//"));
    if (!has_scheme(reference) && !has_host) {
        if (!target_resolve(&made, base, reference, error))
            return false;
        *url = made;
        return true;
    }
    snprintf(whole, sizeof(whole), "%s%.*s",
             !has_host         ? ""
             : base->is_secure ? "https:"
                               : "http:",
             (int)reference.size, (const char *)reference.data);
    if (bytes_find(reference, 0) < reference.size)
        return error_set(error, ERROR_INVALID, "a URL has no NUL");
    /* Dots are taken out of the path alone. */
    size_t size = strlen(whole), start = strcspn(whole, "?");
    const char *slashes = strstr(whole, "://");
    size_t path = slashes == NULL ? size : (size_t)(slashes - whole) + 3;
    path += strcspn(whole + path, "/?");
    if (path < start) {
        size_t left = path + dots_remove(whole + path, start - path);
        memmove(whole + left, whole + start, size - start);
        size = left + size - start;
    }
    return url_parse(url, bytes_of(whole, size), error);
}
