/* SPDX-License-Identifier: Apache-2.0 */
#include "base/origin.h"

enum {
    HOST_SIZE_MAX = 253
};

static bool is_word(uint8_t byte)
{
    return (byte >= 'a' && byte <= 'z') || (byte >= '0' && byte <= '9');
}

/* Labels of letters, digits, hyphens and underscores, none empty. */
static bool is_name(struct bytes host)
{
    bool is_inside = false;
    if (host.size == 0 || host.size > HOST_SIZE_MAX)
        return false;
    for (size_t i = 0; i < host.size; i++) {
        uint8_t byte = host.data[i];
        if (byte == '.' ? !is_inside : !(is_word(byte) || byte == '-' || byte == '_'))
            return false;
        is_inside = byte != '.';
    }
    return is_inside;
}

/* "[" hexadecimal digits, colons, dots "]"; whether it is an address at all the browser knows. */
static bool is_literal(struct bytes host)
{
    if (host.size < 4 || host.data[0] != '[' || host.data[host.size - 1] != ']')
        return false;
    for (size_t i = 1; i + 1 < host.size; i++) {
        uint8_t byte = host.data[i];
        bool is_digit = (byte >= '0' && byte <= '9') || (byte >= 'a' && byte <= 'f');
        if (!is_digit && byte != ':' && byte != '.')
            return false;
    }
    return host.size <= sizeof("[ffff:ffff:ffff:ffff:ffff:ffff:255.255.255.255]");
}

static bool is_port(struct bytes text, unsigned usual)
{
    unsigned port = 0;
    if (text.size == 0 || text.size > 5 || text.data[0] == '0')
        return false;
    for (size_t i = 0; i < text.size; i++) {
        if (text.data[i] < '0' || text.data[i] > '9')
            return false;
        port = port * 10 + (unsigned)(text.data[i] - '0');
    }
    return port <= 65535 && port != usual;
}

bool origin_is_valid(struct bytes text)
{
    static const struct {
        struct bytes scheme;
        unsigned port;
    } kinds[] = { { BYTES_LITERAL("https://"), 443 }, { BYTES_LITERAL("http://"), 80 } };
    for (size_t i = 0; i < ARRAY_COUNT(kinds); i++) {
        if (!bytes_starts_with(text, kinds[i].scheme))
            continue;
        struct bytes rest = bytes_part(text, kinds[i].scheme.size, text.size);
        bool has_bracket = rest.size > 0 && rest.data[0] == '[';
        size_t size = has_bracket ? bytes_find(rest, ']') + 1 : bytes_find(rest, ':');
        struct bytes host = bytes_part(rest, 0, size);
        struct bytes port = bytes_part(rest, host.size, rest.size);
        return (has_bracket ? is_literal(host) : is_name(host)) &&
               (port.size == 0 ||
                (port.data[0] == ':' && is_port(bytes_part(port, 1, port.size), kinds[i].port)));
    }
    return false;
}
