/* SPDX-License-Identifier: Apache-2.0 */
#include "outbound/address.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    PARSE_SIZE_MAX = 45
};

struct class_row {
    const char *prefix;
    enum address_class class;
};

/* The first row that has it decides.  IANA's special-purpose registries of both versions (RFC
 * 6890), metadata services by their makers' documents: what most clouds have, AWS (containers, v6),
 * Alibaba, Azure, Oracle. */
static const struct class_row rows_v4[] = {
    { "169.254.169.254/32", ADDRESS_METADATA },
    { "169.254.170.2/32", ADDRESS_METADATA },
    { "169.254.170.23/32", ADDRESS_METADATA },
    { "100.100.100.200/32", ADDRESS_METADATA },
    { "168.63.129.16/32", ADDRESS_METADATA },
    { "192.0.0.192/32", ADDRESS_METADATA },
    { "0.0.0.0/8", ADDRESS_RESERVED }, /* 0.0.0.0 is this machine to the kernel */
    { "10.0.0.0/8", ADDRESS_PRIVATE },
    { "100.64.0.0/10", ADDRESS_SHARED },
    { "127.0.0.0/8", ADDRESS_LOOPBACK },
    { "169.254.0.0/16", ADDRESS_LINK_LOCAL },
    { "172.16.0.0/12", ADDRESS_PRIVATE },
    { "192.0.0.0/24", ADDRESS_RESERVED },
    { "192.0.2.0/24", ADDRESS_RESERVED },
    { "192.88.99.0/24", ADDRESS_RESERVED },
    { "192.168.0.0/16", ADDRESS_PRIVATE },
    { "198.18.0.0/15", ADDRESS_RESERVED },
    { "198.51.100.0/24", ADDRESS_RESERVED },
    { "203.0.113.0/24", ADDRESS_RESERVED },
    { "224.0.0.0/4", ADDRESS_MULTICAST },
    { "240.0.0.0/4", ADDRESS_RESERVED },
    { "0.0.0.0/0", ADDRESS_PUBLIC },
};

static const struct class_row rows_v6[] = {
    { "fd00:ec2::254/128", ADDRESS_METADATA },
    { "fd00:ec2::23/128", ADDRESS_METADATA },
    { "fd20:ce::254/128", ADDRESS_METADATA },
    { "::1/128", ADDRESS_LOOPBACK },
    { "::/128", ADDRESS_RESERVED },
    { "::ffff:0:0/96", ADDRESS_EMBEDDED },
    { "::ffff:0:0:0/96", ADDRESS_EMBEDDED },
    { "::/96", ADDRESS_EMBEDDED },
    { "64:ff9b::/96", ADDRESS_EMBEDDED },
    { "64:ff9b:1::/48", ADDRESS_EMBEDDED },
    { "2002::/16", ADDRESS_EMBEDDED },
    { "2001::/32", ADDRESS_EMBEDDED },
    { "2001::/23", ADDRESS_RESERVED },
    { "2001:db8::/32", ADDRESS_RESERVED },
    { "3fff::/20", ADDRESS_RESERVED },
    { "fe80::/10", ADDRESS_LINK_LOCAL },
    { "fec0::/10", ADDRESS_PRIVATE },
    { "fc00::/7", ADDRESS_PRIVATE },
    { "ff00::/8", ADDRESS_MULTICAST },
    { "2000::/3", ADDRESS_PUBLIC }, /* the only part that is given out */
    { "::/0", ADDRESS_RESERVED },
};

const char *address_class_text(enum address_class class)
{
    static const char *const texts[] = {
#define ADDRESS_CLASS_TEXT(name, text) text,
        ADDRESS_CLASSES(ADDRESS_CLASS_TEXT)
#undef ADDRESS_CLASS_TEXT
    };
    return texts[class];
}

bool address_parse(struct address *address, struct bytes text)
{
    char name[PARSE_SIZE_MAX + 1];
    struct address made = { 0 };
    if (text.size == 0 || text.size > PARSE_SIZE_MAX || bytes_find(text, 0) < text.size)
        return false;
    snprintf(name, sizeof(name), "%.*s", (int)text.size, (const char *)text.data);
    made.is_v6 = bytes_find(text, ':') < text.size;
    if (inet_pton(made.is_v6 ? AF_INET6 : AF_INET, name, made.bytes) != 1)
        return false;
    *address = made;
    return true;
}

void address_write(char text[ADDRESS_TEXT_SIZE], const struct address *address)
{
    bool written = inet_ntop(address->is_v6 ? AF_INET6 : AF_INET, address->bytes, text,
                             ADDRESS_TEXT_SIZE) != NULL;
    ASSERT(written);
}

bool address_equal(const struct address *a, const struct address *b)
{
    return a->is_v6 == b->is_v6 && memcmp(a->bytes, b->bytes, a->is_v6 ? 16 : 4) == 0;
}

bool prefix_has(const struct prefix *prefix, const struct address *address)
{
    unsigned whole = prefix->size / 8, rest = prefix->size % 8;
    if (prefix->address.is_v6 != address->is_v6 ||
        memcmp(prefix->address.bytes, address->bytes, whole) != 0)
        return false;
    uint8_t mask = (uint8_t)(0xff00u >> rest);
    return rest == 0 || ((prefix->address.bytes[whole] ^ address->bytes[whole]) & mask) == 0;
}

static bool bits_parse(unsigned *bits, struct bytes text)
{
    unsigned number = 0;
    if (text.size < 1 || text.size > 3 || (text.size > 1 && text.data[0] == '0'))
        return false;
    for (size_t i = 0; i < text.size; i++) {
        if (text.data[i] < '0' || text.data[i] > '9')
            return false;
        number = 10 * number + (unsigned)(text.data[i] - '0');
    }
    *bits = number;
    return true;
}

bool prefix_parse(struct prefix *prefix, struct bytes text, struct error *error)
{
    struct prefix made = { 0 };
    size_t slash = bytes_find(text, '/');
    bool is_good = address_parse(&made.address, bytes_part(text, 0, slash));
    unsigned whole = made.address.is_v6 ? 128 : 32;
    made.size = whole;
    if (is_good && slash < text.size)
        is_good = bits_parse(&made.size, bytes_part(text, slash + 1, SIZE_MAX));
    if (!is_good || made.size > whole)
        return error_set(error, ERROR_INVALID, "%s is no network like \"10.0.0.0/8\" or \"::1\"",
                         error_quote(text).text);
    for (unsigned bit = made.size; bit < whole; bit++)
        if ((made.address.bytes[bit / 8] & (0x80u >> bit % 8)) != 0)
            return error_set(error, ERROR_INVALID, "%s has bits behind its prefix",
                             error_quote(text).text);
    *prefix = made;
    return true;
}

enum address_class address_classify(const struct address *address)
{
    const struct class_row *rows = address->is_v6 ? rows_v6 : rows_v4;
    for (;; rows++) {
        struct prefix prefix;
        struct error ignored;
        bool is_network = prefix_parse(&prefix, bytes_of_string(rows->prefix), &ignored);
        ASSERT(is_network);
        if (prefix_has(&prefix, address)) /* of the last row always */
            return rows->class;
    }
}

bool address_is_allowed(const struct address *address, const struct prefixes *allowed)
{
    enum address_class class = address_classify(address);
    if (class == ADDRESS_PUBLIC)
        return true;
    for (size_t i = 0; i < allowed->count; i++) {
        const struct prefix *prefix = &allowed->list[i];
        bool is_single = prefix->size == (prefix->address.is_v6 ? 128u : 32u);
        if (prefix_has(prefix, address) && (class != ADDRESS_METADATA || is_single))
            return true;
    }
    return false;
}
