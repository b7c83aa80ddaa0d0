/* SPDX-License-Identifier: Apache-2.0 */
/* The stage that answers with files of the version, and the pages that stand for errors. */
#include "gateway/assets.h"
#include "gateway/stage.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum {
    FIELDS_MAX = 10
};

static void add(struct http_answer *answer, struct http_field *fields, const char *name,
                struct bytes value)
{
    ASSERT(answer->field_count < FIELDS_MAX);
    fields[answer->field_count++] = (struct http_field){ bytes_of_string(name), value };
}

/* Ranges are of the file as it would be sent now: with If-Range, of the one that the client has.
 * Several are not cut out of an encoded one: nobody could tell whether the parts are encoded, or
 * all of the answer. */
static enum range_verdict ranges_of(struct ranges *ranges, const struct http_request *asked,
                                    const struct asset *asset)
{
    struct bytes condition = http_request_value(asked, "if-range");
    struct bytes field = http_request_value(asked, "range");
    if (asked->method != HTTP_METHOD_GET || field.size == 0 ||
        (http_request_field(asked, "if-range") != NULL &&
         !bytes_equal_string(condition, asset->etag)))
        return RANGE_WHOLE;
    enum range_verdict verdict = ranges_parse(ranges, field, asset->content.size);
    bool is_encoded = asset->encoding != ENCODING_IDENTITY;
    return verdict == RANGE_PARTS && is_encoded ? RANGE_WHOLE : verdict;
}

struct range_text {
    char text[96];
};

static struct range_text range_text_of(const struct range *range, const struct asset *asset)
{
    struct range_text made;
    snprintf(made.text, sizeof(made.text), "bytes %" PRIu64 "-%" PRIu64 "/%zu", range->first,
             range->first + range->count - 1, asset->content.size);
    return made;
}

/* multipart/byteranges (RFC 9110 section 14.6).  No file holds the boundary but by chance: it is
 * the request's id. */
static void parts_write(struct buffer *body, const struct ranges *ranges, const struct asset *asset,
                        const char *boundary)
{
    for (size_t i = 0; i < ranges->count; i++) {
        const struct range *range = &ranges->items[i];
        buffer_format(body, "%s--%s\r\ncontent-type: %s\r\ncontent-range: %s\r\n\r\n",
                      i == 0 ? "" : "\r\n", boundary, content_type_of(asset->name),
                      range_text_of(range, asset).text);
        buffer_append(body, bytes_part(asset->content, range->first, range->count));
    }
    buffer_format(body, "\r\n--%s--\r\n", boundary);
}

/* 200, 206 or 416 with the fields of the content. */
static void answer_content(struct gateway *gateway, struct gateway_request *request,
                           const struct asset *asset, struct http_answer *answer,
                           struct http_field *fields)
{
    AUTO_BUFFER struct buffer parts;
    struct ranges ranges;
    struct range_text range;
    char type[32 + sizeof("multipart/byteranges; boundary=")];
    enum range_verdict verdict = ranges_of(&ranges, request->call.request, asset);
    buffer_init(&parts, asset->content.size);
    if (verdict == RANGE_PARTS)
        parts_write(&parts, &ranges, asset, request->id);
    if (parts.failed)
        verdict = RANGE_WHOLE; /* no memory for parts */
    if (verdict == RANGE_PARTS) {
        snprintf(type, sizeof(type), "multipart/byteranges; boundary=%.32s", request->id);
        answer->status = 206;
        answer->body = buffer_view(&parts);
    } else if (verdict == RANGE_PART) {
        range = range_text_of(&ranges.items[0], asset);
        answer->status = 206;
        answer->body = bytes_part(asset->content, ranges.items[0].first, ranges.items[0].count);
        add(answer, fields, "content-range", bytes_of_string(range.text));
    } else if (verdict == RANGE_UNSATISFIABLE) {
        answer->status = 416;
        answer->body = (struct bytes){ 0 };
        snprintf(range.text, sizeof(range.text), "bytes */%zu", asset->content.size);
        add(answer, fields, "content-range", bytes_of_string(range.text));
    }
    add(answer, fields, "content-type",
        bytes_of_string(verdict == RANGE_PARTS ? type : content_type_of(asset->name)));
    request_answer(gateway, request, answer);
}

static void answer_asset(struct gateway *gateway, struct gateway_request *request,
                         const struct asset *asset)
{
    const struct http_request *asked = request->call.request;
    struct http_field fields[FIELDS_MAX];
    struct http_answer answer = { .status = 200, .fields = fields, .body = asset->content };
    const char *cache = request->rules == NULL ? NULL : request->rules->asked.assets.cache_control;
    add(&answer, fields, "etag", bytes_of_string(asset->etag));
    add(&answer, fields, "cache-control", bytes_of_string(cache == NULL ? "no-cache" : cache));
    if (asset->has_variants)
        add(&answer, fields, "vary", BYTES_LITERAL("accept-encoding"));
    if (etag_matches(http_request_value(asked, "if-none-match"), bytes_of_string(asset->etag))) {
        answer.status = 304;
        answer.body = (struct bytes){ 0 };
        request_answer(gateway, request, &answer);
        return;
    }
    add(&answer, fields, "x-content-type-options", BYTES_LITERAL("nosniff"));
    add(&answer, fields, "accept-ranges", BYTES_LITERAL("bytes"));
    if (asset->encoding != ENCODING_IDENTITY)
        add(&answer, fields, "content-encoding", bytes_of_string(encoding_name(asset->encoding)));
    answer_content(gateway, request, asset, &answer, fields);
}

bool stage_static(struct gateway *gateway, struct gateway_request *request, struct refusal *refusal)
{
    const struct gateway_options *options = &gateway->options;
    struct gateway_call *call = &request->call;
    struct asset asset;
    if (request->folder[0] == '\0')
        return true;
    struct assets *assets =
        options->assets_find == NULL
            ? NULL
            : options->assets_find(options->context, call->application, call->version,
                                   call->function, &refusal->error);
    if (assets == NULL)
        return options->assets_find != NULL ||
               error_set(&refusal->error, ERROR_UNSUPPORTED, "this node serves no files");
    struct bytes path = pattern_value(&request->route_values, "*");
    const char *index = request->rules == NULL ? NULL : request->rules->asked.assets.index;
    /* a route without a star is one file, or a folder's index */
    if (!assets_find(assets, request->folder, path, index == NULL ? "index.html" : index,
                     http_request_value(call->request, "accept-encoding"), &asset))
        return error_set(&refusal->error, ERROR_NOT_FOUND, "there is no such file");
    const struct http_field *condition = http_request_field(call->request, "if-match");
    if (condition != NULL &&
        !etag_matches_strongly(condition->value, bytes_of_string(asset.etag))) {
        refusal->status = 412;
        return error_set(&refusal->error, ERROR_INVALID,
                         "the file has another tag than If-Match names");
    }
    answer_asset(gateway, request, &asset);
    refusal->is_taken = true;
    return true;
}

/* "404" before "4xx". */
static const struct gateway_page *page_of(const struct gateway_pages *pages, int status)
{
    const struct gateway_page *found = NULL;
    for (size_t i = 0; i < pages->count; i++) {
        const struct gateway_page *page = &pages->items[i];
        if (page->status == status)
            return page;
        if (page->status == status / 100)
            found = page;
    }
    return found;
}

bool page_answer(struct gateway *gateway, struct gateway_request *request, int status,
                 const struct http_field *more, size_t more_count, bool *answered)
{
    const struct gateway_options *options = &gateway->options;
    const struct gateway_call *call = &request->call;
    struct http_field fields[FIELDS_MAX];
    struct asset asset;
    struct error ignored; /* then there is the usual answer */
    if (request->rules == NULL || request->rules->asked.pages.count == 0 ||
        options->assets_find == NULL || call->operation != GATEWAY_FUNCTION_ROUTE ||
        !request->wants_pages)
        return false;
    const struct gateway_pages *pages = &request->rules->asked.pages;
    const struct gateway_page *page = page_of(pages, status);
    struct assets *assets =
        page == NULL ? NULL
                     : options->assets_find(options->context, call->application, call->version,
                                            bytes_of_string(pages->function), &ignored);
    if (assets == NULL ||
        !assets_find(assets, "", bytes_of_string(page->file), "", (struct bytes){ 0 }, &asset))
        return false;
    struct http_answer answer = { .status = status, .fields = fields, .body = asset.content };
    add(&answer, fields, "content-type", BYTES_LITERAL("text/html; charset=utf-8"));
    add(&answer, fields, "cache-control", BYTES_LITERAL("no-store"));
    for (size_t i = 0; i < more_count && answer.field_count < FIELDS_MAX; i++)
        fields[answer.field_count++] = more[i];
    *answered = answer_request(gateway, request, &answer);
    return true;
}
