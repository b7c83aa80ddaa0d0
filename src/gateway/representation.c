/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/representation.h"

#include <string.h>

/* ---- lists ---- */

static struct bytes take(struct bytes *rest, uint8_t between)
{
    struct bytes part = bytes_part(*rest, 0, bytes_find(*rest, between));
    *rest = bytes_part(*rest, part.size + 1, rest->size);
    return bytes_trim(part);
}

/* ---- ranges ---- */

/* One of the list; WHOLE: malformed. */
static enum range_verdict range_parse(struct range *range, struct bytes spec, uint64_t size)
{
    uint64_t first = 0, last = 0;
    size_t hyphen = bytes_find(spec, '-');
    struct bytes from = bytes_part(spec, 0, hyphen), to = bytes_part(spec, hyphen + 1, spec.size);
    if (hyphen == spec.size || (from.size == 0 && to.size == 0) ||
        (from.size > 0 && !http_decimal_parse(&first, from)) ||
        (to.size > 0 && !http_decimal_parse(&last, to)))
        return RANGE_WHOLE;
    if (from.size == 0) { /* the last so many */
        if (last == 0 || size == 0)
            return RANGE_UNSATISFIABLE;
        *range = (struct range){ size - MIN(last, size), MIN(last, size) };
        return RANGE_PART;
    }
    if (to.size > 0 && last < first)
        return RANGE_WHOLE;
    if (first >= size)
        return RANGE_UNSATISFIABLE;
    uint64_t end = to.size == 0 || last >= size ? size - 1 : last;
    *range = (struct range){ first, end - first + 1 };
    return RANGE_PART;
}

/* Do they save anything, and touch nothing twice? */
static bool are_worth_it(const struct ranges *ranges, uint64_t size)
{
    uint64_t sum = 0;
    for (size_t i = 0; i < ranges->count; i++) {
        const struct range *one = &ranges->items[i];
        for (size_t k = 0; k < i; k++) {
            const struct range *other = &ranges->items[k];
            if (one->first < other->first + other->count && other->first < one->first + one->count)
                return false;
        }
        sum += one->count;
    }
    return size - sum > ranges->count * GATEWAY_RANGE_OVERHEAD;
}

enum range_verdict ranges_parse(struct ranges *ranges, struct bytes field, uint64_t size)
{
    struct bytes unit = BYTES_LITERAL("bytes=");
    size_t asked = 0;
    ranges->count = 0;
    if (!http_equal_fold(bytes_part(field, 0, unit.size), unit))
        return RANGE_WHOLE;
    for (struct bytes rest = bytes_part(field, unit.size, field.size); rest.size > 0;) {
        struct bytes spec = take(&rest, ',');
        if (spec.size == 0)
            continue; /* lists may have empty elements */
        if (asked++ == GATEWAY_RANGE_COUNT_MAX)
            return RANGE_WHOLE;
        enum range_verdict verdict = range_parse(&ranges->items[ranges->count], spec, size);
        if (verdict == RANGE_WHOLE)
            return RANGE_WHOLE;
        ranges->count += verdict == RANGE_PART;
    }
    if (ranges->count == 0)
        return asked == 0 ? RANGE_WHOLE : RANGE_UNSATISFIABLE;
    if (ranges->count == 1)
        return RANGE_PART;
    return are_worth_it(ranges, size) ? RANGE_PARTS : RANGE_WHOLE;
}

/* ---- weighted lists ---- */

/* qvalue, in thousandths; false: malformed. */
static bool weight_parse(unsigned *weight, struct bytes text)
{
    if (text.size == 0 || text.size > 5 || (text.data[0] != '0' && text.data[0] != '1') ||
        (text.size > 1 && text.data[1] != '.'))
        return false;
    unsigned value = text.data[0] == '1' ? 1000 : 0, unit = 100;
    for (size_t i = 2; i < text.size; i++, unit /= 10) {
        if (text.data[i] < '0' || text.data[i] > '9')
            return false;
        value += (unsigned)(text.data[i] - '0') * unit;
    }
    *weight = value;
    return value <= 1000;
}

/* "name;q=0.5": false when it is malformed; other parameters are passed over. */
static bool element_parse(struct bytes *name, unsigned *weight, struct bytes element)
{
    *name = take(&element, ';');
    *weight = 1000;
    while (element.size > 0) {
        struct bytes parameter = take(&element, ';');
        if (http_equal_fold(bytes_part(parameter, 0, 2), BYTES_LITERAL("q=")) &&
            !weight_parse(weight, bytes_part(parameter, 2, parameter.size)))
            return false;
    }
    return name->size > 0;
}

const char *encoding_name(enum encoding encoding)
{
    switch (encoding) {
    case ENCODING_GZIP:
        return "gzip";
    case ENCODING_BROTLI:
        return "br";
    case ENCODING_IDENTITY:
    case ENCODING_COUNT:
        return NULL;
    }
    return NULL;
}

enum encoding encoding_choose(struct bytes accept_encoding, unsigned available)
{
    enum {
        UNSAID = 2000
    };
    unsigned weights[ENCODING_COUNT] = { UNSAID, UNSAID, UNSAID }, others = 0;
    while (accept_encoding.size > 0) {
        struct bytes name;
        unsigned weight;
        if (!element_parse(&name, &weight, take(&accept_encoding, ',')))
            continue;
        if (bytes_equal_string(name, "*"))
            others = weight;
        else if (http_equal_fold(name, BYTES_LITERAL("identity")))
            weights[ENCODING_IDENTITY] = weight;
        else if (http_equal_fold(name, BYTES_LITERAL("gzip")) ||
                 http_equal_fold(name, BYTES_LITERAL("x-gzip")))
            weights[ENCODING_GZIP] = weight;
        else if (http_equal_fold(name, BYTES_LITERAL("br")))
            weights[ENCODING_BROTLI] = weight;
    }
    enum encoding best = ENCODING_IDENTITY;
    /* what is not said is as acceptable as need be, and given when nothing else is */
    unsigned best_weight = weights[ENCODING_IDENTITY] == UNSAID ? 1 : weights[ENCODING_IDENTITY];
    for (unsigned i = ENCODING_GZIP; i < ENCODING_COUNT; i++) {
        unsigned weight = weights[i] == UNSAID ? others : weights[i];
        if ((available & (1u << i)) != 0 && weight > 0 && weight >= best_weight) {
            best = (enum encoding)i;
            best_weight = weight;
        }
    }
    return best;
}

/* ---- conditions ---- */

static struct bytes opaque_of(struct bytes tag)
{
    return bytes_starts_with(tag, BYTES_LITERAL("W/")) ? bytes_part(tag, 2, tag.size) : tag;
}

bool etag_matches(struct bytes list, struct bytes etag)
{
    if (bytes_equal_string(bytes_trim(list), "*"))
        return true;
    while (list.size > 0) {
        /* a comma inside a tag of somebody else's cuts it: then it is not ours */
        if (bytes_equal(opaque_of(take(&list, ',')), etag))
            return true;
    }
    return false;
}

bool etag_matches_strongly(struct bytes list, struct bytes etag)
{
    bool is_found = bytes_equal_string(bytes_trim(list), "*");
    while (!is_found && list.size > 0)
        is_found = bytes_equal(bytes_trim(take(&list, ',')), etag);
    return is_found;
}

bool accepts_html(struct bytes accept)
{
    while (accept.size > 0) {
        struct bytes name;
        unsigned weight;
        if (element_parse(&name, &weight, take(&accept, ',')) && weight > 0 &&
            http_equal_fold(name, BYTES_LITERAL("text/html")))
            return true;
    }
    return false;
}

/* ---- types ---- */

static const struct content_type {
    const char *ending, *type;
} content_types[] = {
    { "html", "text/html; charset=utf-8" },
    { "htm", "text/html; charset=utf-8" },
    { "css", "text/css; charset=utf-8" },
    { "js", "text/javascript; charset=utf-8" },
    { "mjs", "text/javascript; charset=utf-8" },
    { "txt", "text/plain; charset=utf-8" },
    { "md", "text/markdown; charset=utf-8" },
    { "csv", "text/csv; charset=utf-8" },
    { "json", "application/json" },
    { "map", "application/json" },
    { "webmanifest", "application/manifest+json" },
    { "xml", "application/xml" },
    { "svg", "image/svg+xml" },
    { "wasm", "application/wasm" },
    { "pdf", "application/pdf" },
    { "zip", "application/zip" },
    { "gz", "application/gzip" },
    { "png", "image/png" },
    { "jpg", "image/jpeg" },
    { "jpeg", "image/jpeg" },
    { "gif", "image/gif" },
    { "webp", "image/webp" },
    { "avif", "image/avif" },
    { "ico", "image/x-icon" },
    { "woff", "font/woff" },
    { "woff2", "font/woff2" },
    { "ttf", "font/ttf" },
    { "otf", "font/otf" },
    { "mp3", "audio/mpeg" },
    { "ogg", "audio/ogg" },
    { "mp4", "video/mp4" },
    { "webm", "video/webm" },
};

const char *content_type_of(struct bytes name)
{
    struct bytes ending = name;
    for (size_t dot; (dot = bytes_find(ending, '.')) < ending.size;)
        ending = bytes_part(ending, dot + 1, ending.size);
    for (size_t i = 0; ending.size < name.size && i < ARRAY_COUNT(content_types); i++) {
        if (http_equal_fold(ending, bytes_of_string(content_types[i].ending)))
            return content_types[i].type;
    }
    return "application/octet-stream";
}
