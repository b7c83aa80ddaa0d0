/* SPDX-License-Identifier: Apache-2.0 */
#include "net/fetch.h"

#include <curl/curl.h>
#include <netdb.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

enum {
    CONNECT_TIMEOUT_MS = 10000,
    HOST_SIZE_MAX = 255
};

struct transfer {
    struct http_fetched *fetched;
    bool too_long;
};

static void init_curl(void)
{
    ASSERT(curl_global_init(CURL_GLOBAL_DEFAULT) == 0);
}

void http_fetched_done(struct http_fetched *fetched)
{
    buffer_done(&fetched->body);
    buffer_done(&fetched->memory);
    fetched->field_count = 0;
}

static size_t on_body(char *data, size_t one, size_t size, void *context)
{
    struct transfer *transfer = context;
    buffer_append(&transfer->fetched->body, bytes_of(data, one * size));
    transfer->too_long = transfer->fetched->body.failed;
    return transfer->too_long ? 0 : one * size;
}

static bool judge(const char *url, CURLcode code, const struct transfer *transfer, const char *text,
                  struct error *error)
{
    struct quoted quoted = error_quote(bytes_of_string(text));
    struct quoted place = error_quote(bytes_of_string(url));
    switch (code) {
    case CURLE_OK:
        return true;
    case CURLE_OPERATION_TIMEDOUT:
        return error_set(error, ERROR_TIMEOUT, "%s: no complete answer in time", place.text);
    case CURLE_PEER_FAILED_VERIFICATION:
        return error_set(error, ERROR_UNVERIFIED, "%s: %s", place.text, quoted.text);
    case CURLE_WRITE_ERROR:
        if (transfer->too_long)
            return error_set(error, ERROR_LIMIT, "%s: the answer has more than %zu bytes",
                             place.text, transfer->fetched->body.size_max);
        break;
    case CURLE_URL_MALFORMAT:
    case CURLE_UNSUPPORTED_PROTOCOL:
        return error_set(error, ERROR_INVALID, "%s is not a URL that can be fetched", place.text);
    case CURLE_OUT_OF_MEMORY:
        return error_set(error, ERROR_NO_MEMORY, "no memory for a request");
    default:
        break;
    }
    return error_set(error, ERROR_UNAVAILABLE, "%s: %s", place.text, quoted.text);
}

static uint8_t lower(uint8_t byte)
{
    return byte >= 'A' && byte <= 'Z' ? (uint8_t)(byte + 32) : byte;
}

/* Copies the answer's fields; memory is reserved at once, so that views into it last. */
static bool keep_fields(struct http_fetched *fetched, CURL *curl, struct error *error)
{
    struct curl_header *header = NULL;
    if (buffer_reserve(&fetched->memory, FETCH_FIELD_SIZE_MAX) == NULL)
        return error_set(error, ERROR_NO_MEMORY, "no memory for an answer");
    while ((header = curl_easy_nextheader(curl, CURLH_HEADER, -1, header)) != NULL) {
        size_t name_size = strlen(header->name), value_size = strlen(header->value);
        if (fetched->field_count == ARRAY_COUNT(fetched->fields) ||
            name_size + value_size > FETCH_FIELD_SIZE_MAX - fetched->memory.size)
            return error_set(error, ERROR_LIMIT, "the answer has too many or too long fields");
        uint8_t *name = fetched->memory.data + fetched->memory.size;
        for (size_t i = 0; i < name_size; i++)
            name[i] = lower((uint8_t)header->name[i]);
        memcpy(name + name_size, header->value, value_size);
        fetched->memory.size += name_size + value_size;
        fetched->fields[fetched->field_count++] =
            (struct http_field){ bytes_of(name, name_size),
                                 bytes_of(name + name_size, value_size) };
    }
    return true;
}

static void set_security(CURL *curl, const struct http_fetch *request)
{
    struct curl_blob blob = { .data = (void *)(uintptr_t)request->authorities.data,
                              .len = request->authorities.size,
                              .flags = CURL_BLOB_NOCOPY };
    char no_proxy[1024];
    const char *given = getenv("no_proxy") != NULL ? getenv("no_proxy") : getenv("NO_PROXY");
    /* Never for this machine itself: a caching service may stand there. */
    snprintf(no_proxy, sizeof(no_proxy), "localhost,127.0.0.1,::1%s%s", given == NULL ? "" : ",",
             given == NULL ? "" : given);
    curl_easy_setopt(curl, CURLOPT_NOPROXY, no_proxy); /* copied */
    curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR,
                     request->is_plain_allowed ? "https,http" : "https");
    curl_easy_setopt(curl, CURLOPT_SSLVERSION, CURL_SSLVERSION_TLSv1_2);
    if (request->authorities.size > 0) {
        curl_easy_setopt(curl, CURLOPT_CAINFO_BLOB, &blob);
        curl_easy_setopt(curl, CURLOPT_CAPATH, NULL);
    }
}

static bool add_fields(struct curl_slist **list, const struct http_fetch *request,
                       struct error *error)
{
    for (size_t i = 0; i < request->field_count; i++) {
        char line[512];
        const struct http_field *field = &request->fields[i];
        if (!http_is_token(field->name) || !http_is_field_value(field->value) ||
            snprintf(line, sizeof(line), "%.*s: %.*s", (int)field->name.size, field->name.data,
                     (int)field->value.size, field->value.data) >= (int)sizeof(line))
            return error_set(error, ERROR_INVALID, "a field of the request can't be sent");
        struct curl_slist *longer = curl_slist_append(*list, line);
        if (longer == NULL)
            return error_set(error, ERROR_NO_MEMORY, "no memory for a request");
        *list = longer;
    }
    /* Not libcurl's own "Expect: 100-continue" for long ones. */
    struct curl_slist *longer = request->is_post ? curl_slist_append(*list, "Expect:") : *list;
    if (request->is_post && longer == NULL)
        return error_set(error, ERROR_NO_MEMORY, "no memory for a request");
    *list = longer;
    return true;
}

static bool perform(CURL *curl, struct http_fetched *fetched, const struct http_fetch *request,
                    struct error *error)
{
    char text[CURL_ERROR_SIZE] = "";
    struct transfer transfer = { .fetched = fetched };
    curl_easy_setopt(curl, CURLOPT_URL, request->url);
    curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, text);
    curl_easy_setopt(curl, CURLOPT_HTTP_VERSION, CURL_HTTP_VERSION_1_1);
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_USERAGENT, "s3n/" S3N_VERSION);
    curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS,
                     (long)MIN(request->timeout_ms, (uint32_t)CONNECT_TIMEOUT_MS));
    curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, (long)request->timeout_ms);
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, on_body);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, &transfer);
    if (request->is_post) {
        curl_easy_setopt(curl, CURLOPT_POST, 1L);
        curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)request->content.size);
        curl_easy_setopt(curl, CURLOPT_POSTFIELDS, request->content.data); /* not copied */
    }
    set_security(curl, request);
    CURLcode code = curl_easy_perform(curl);
    const char *why = text[0] != '\0' ? text : curl_easy_strerror(code);
    bool done = judge(request->url, code, &transfer, why, error);
    curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, NULL);
    return done;
}

static bool fetch(CURL *curl, struct http_fetched *fetched, const struct http_fetch *request,
                  struct error *error)
{
    struct curl_slist *fields = NULL, *places = NULL;
    long status = 0;
    curl_off_t wait_s = 0;
    bool done = add_fields(&fields, request, error);
    if (request->place != NULL)
        places = curl_slist_append(NULL, request->place);
    curl_easy_setopt(curl, CURLOPT_HTTPHEADER, fields);
    curl_easy_setopt(curl, CURLOPT_RESOLVE, places);
    done = done && perform(curl, fetched, request, error) && keep_fields(fetched, curl, error);
    curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
    curl_easy_getinfo(curl, CURLINFO_RETRY_AFTER, &wait_s);
    fetched->status = (int)status;
    fetched->retry_after_s = wait_s > 0 ? (uint64_t)wait_s : 0;
    curl_slist_free_all(fields);
    curl_slist_free_all(places);
    return done;
}

static pthread_once_t once = PTHREAD_ONCE_INIT;

bool http_fetch_prepare(struct error *error)
{
    pthread_once(&once, init_curl);
    CURL *curl = curl_easy_init();
    if (curl == NULL)
        return error_set(error, ERROR_NO_MEMORY, "no memory for the HTTP client");
    curl_easy_cleanup(curl);
    return true;
}

bool http_fetch(struct http_fetched *fetched, const struct http_fetch *request, struct error *error)
{
    struct http_fetched made = { 0 };
    pthread_once(&once, init_curl);
    if (strlen(request->url) >= FETCH_URL_SIZE_MAX)
        return error_set(error, ERROR_INVALID, "a URL has at most %d characters",
                         FETCH_URL_SIZE_MAX - 1);
    CURL *curl = curl_easy_init();
    if (curl == NULL)
        return error_set(error, ERROR_NO_MEMORY, "no memory for the HTTP client");
    buffer_init(&made.body, request->body_size_max);
    buffer_init(&made.memory, FETCH_FIELD_SIZE_MAX);
    bool done = fetch(curl, &made, request, error);
    curl_easy_cleanup(curl);
    if (!done) {
        http_fetched_done(&made);
        return false;
    }
    *fetched = made;
    return true;
}

struct bytes http_fetched_value(const struct http_fetched *fetched, const char *name)
{
    for (size_t i = 0; i < fetched->field_count; i++) {
        if (bytes_equal_string(fetched->fields[i].name, name))
            return fetched->fields[i].value;
    }
    return (struct bytes){ 0 };
}

/* "host" and "port" of a URL, by libcurl's own rules. */
static bool split_url(const char *url, char host[HOST_SIZE_MAX + 1], char port[8])
{
    CURLU *parsed = curl_url();
    char *host_part = NULL, *port_part = NULL;
    bool done = parsed != NULL && curl_url_set(parsed, CURLUPART_URL, url, 0) == CURLUE_OK &&
                curl_url_get(parsed, CURLUPART_HOST, &host_part, 0) == CURLUE_OK &&
                curl_url_get(parsed, CURLUPART_PORT, &port_part, CURLU_DEFAULT_PORT) == CURLUE_OK &&
                strlen(host_part) <= HOST_SIZE_MAX && strlen(port_part) < 8;
    if (done) {
        memcpy(host, host_part, strlen(host_part) + 1);
        memcpy(port, port_part, strlen(port_part) + 1);
    }
    curl_free(host_part);
    curl_free(port_part);
    curl_url_cleanup(parsed);
    return done;
}

bool http_fetch_locate(char place[FETCH_PLACE_SIZE], const char *url, struct error *error)
{
    char host[HOST_SIZE_MAX + 1], port[8], address[64];
    struct addrinfo hints = { .ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM }, *found = NULL;
    if (!split_url(url, host, port))
        return error_set(error, ERROR_INVALID, "%s is not a URL that can be fetched",
                         error_quote(bytes_of_string(url)).text);
    /* An IPv6 literal stands in brackets there. */
    char *name = host;
    size_t size = strlen(host);
    if (size > 2 && host[0] == '[') {
        host[size - 1] = '\0';
        name = host + 1;
    }
    int failure = getaddrinfo(name, port, &hints, &found);
    if (failure != 0)
        return error_set(error, ERROR_UNAVAILABLE, "no address of %s: %s",
                         error_quote(bytes_of_string(name)).text, gai_strerror(failure));
    failure = getnameinfo(found->ai_addr, found->ai_addrlen, address, sizeof(address), NULL, 0,
                          NI_NUMERICHOST);
    bool is_v6 = found->ai_family == AF_INET6;
    freeaddrinfo(found);
    if (failure != 0 || snprintf(place, FETCH_PLACE_SIZE, "%s:%s:%s%s%s", name, port,
                                 is_v6 ? "[" : "", address, is_v6 ? "]" : "") >= FETCH_PLACE_SIZE)
        return error_set(error, ERROR_UNAVAILABLE, "no address of %s",
                         error_quote(bytes_of_string(name)).text);
    return true;
}
