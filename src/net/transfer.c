/* SPDX-License-Identifier: Apache-2.0 */
#include "net/transfer.h"

#include "base/file.h"

#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    LINE_SIZE_MAX = 17 << 10,
    LENGTH_DIGITS_MAX = 18,
    PLACE_KEPT_S = 3600 /* longer than any transfer: libcurl must never look a name up */
};

struct transfers {
    CURLM *multi;
    struct transfers_options options;
};

struct transfer {
    struct transfers *owner;
    CURL *curl;
    struct curl_slist *fields, *places;
    transfer_done *done;
    void *context;
    struct buffer body;
    size_t head_size;
    unsigned line_count;
    bool is_head_long, is_refused;
    bool has_length, has_coding, is_ambiguous; /* of the head that comes */
    char text[CURL_ERROR_SIZE];
};

bool transfers_new(struct transfers **transfers, const struct transfers_options *options,
                   struct error *error)
{
    AUTO(transfers) struct transfers *made = calloc(1, sizeof(*made));
    if (made == NULL || curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
        return error_set(error, ERROR_NO_MEMORY, "no memory for the HTTP client");
    made->options = *options;
    made->multi = curl_multi_init();
    if (made->multi == NULL)
        return error_set(error, ERROR_NO_MEMORY, "no memory for the HTTP client");
    curl_multi_setopt(made->multi, CURLMOPT_MAXCONNECTS, (long)TRANSFER_KEPT_COUNT_MAX);
    *transfers = TAKE(made);
    return true;
}

void transfers_free(struct transfers *transfers)
{
    if (transfers == NULL)
        return;
    curl_multi_cleanup(transfers->multi);
    free(transfers);
}

static void transfer_free(struct transfer *transfer)
{
    if (transfer == NULL)
        return;
    if (transfer->curl != NULL)
        curl_easy_cleanup(transfer->curl);
    curl_slist_free_all(transfer->fields);
    curl_slist_free_all(transfer->places);
    buffer_done(&transfer->body);
    free(transfer);
}
DEFINE_AUTO(transfer, transfer_free)

/* --- what libcurl calls --- */

static size_t on_body(char *data, size_t one, size_t size, void *context)
{
    struct transfer *transfer = context;
    buffer_append(&transfer->body, bytes_of(data, one * size));
    return transfer->body.failed ? 0 : one * size;
}

/* Can the line be read in two ways?  libcurl takes the last of two lengths, chunks before a length,
 * and one that is too large for none; who stands between may have read it otherwise. */
static bool is_ambiguous(struct transfer *transfer, struct bytes line)
{
    struct bytes name = bytes_part(line, 0, bytes_find(line, ':'));
    struct bytes value = bytes_trim(bytes_part(line, name.size + 1, line.size));
    if (bytes_starts_with(line, BYTES_LITERAL("HTTP/")))
        transfer->has_length = transfer->has_coding = false;
    bool is_length = http_equal_fold(name, BYTES_LITERAL("content-length"));
    bool is_coding = http_equal_fold(name, BYTES_LITERAL("transfer-encoding"));
    bool is_good = !is_length || (value.size > 0 && value.size <= LENGTH_DIGITS_MAX);
    for (size_t i = 0; is_good && is_length && i < value.size; i++)
        is_good = value.data[i] >= '0' && value.data[i] <= '9';
    is_good = is_good && !(is_length && (transfer->has_length || transfer->has_coding)) &&
              !(is_coding && (transfer->has_length || transfer->has_coding));
    transfer->has_length = transfer->has_length || is_length;
    transfer->has_coding = transfer->has_coding || is_coding;
    return !is_good || bytes_find(line, '\r') < line.size;
}

static size_t on_head(char *data, size_t one, size_t size, void *context)
{
    struct transfer *transfer = context;
    struct bytes line = bytes_of(data, one * size);
    while (line.size > 0 && line.data[line.size - 1] == '\n')
        line.size--;
    if (line.size > 0 && line.data[line.size - 1] == '\r')
        line.size--;
    transfer->is_ambiguous = transfer->is_ambiguous || is_ambiguous(transfer, line);
    if (transfer->is_ambiguous)
        return 0;
    transfer->head_size += one * size;
    transfer->line_count++;
    transfer->is_head_long = transfer->head_size > TRANSFER_HEAD_SIZE_MAX ||
                             transfer->line_count > TRANSFER_LINE_COUNT_MAX;
    return transfer->is_head_long ? 0 : one * size;
}

static curl_socket_t on_socket(void *context, curlsocktype purpose, struct curl_sockaddr *address)
{
    struct transfer *transfer = context;
    const struct transfers_options *options = &transfer->owner->options;
    if (purpose != CURLSOCKTYPE_IPCXN || !options->is_allowed(options->context, &address->addr)) {
        transfer->is_refused = true;
        return CURL_SOCKET_BAD;
    }
    return socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
}

static CURLcode on_tls(CURL *curl, void *tls, void *context)
{
    const struct transfer *transfer = context;
    (void)curl;
    tls_trust_apply(transfer->owner->options.trust, tls);
    return CURLE_OK;
}

/* --- making a request --- */

static bool line_add(struct curl_slist **list, const char *line, struct error *error)
{
    struct curl_slist *longer = curl_slist_append(*list, line);
    if (longer == NULL)
        return error_set(error, ERROR_NO_MEMORY, "no memory for a request");
    *list = longer;
    return true;
}

static bool fields_add(struct curl_slist **list, const struct transfer_request *request,
                       struct error *error)
{
    AUTO_FREE char *line = malloc(LINE_SIZE_MAX);
    bool has_type = false;
    if (line == NULL)
        return error_set(error, ERROR_NO_MEMORY, "no memory for a request");
    for (size_t i = 0; i < request->field_count; i++) {
        const struct http_field *field = &request->fields[i];
        /* libcurl takes a field without a value by another mark. */
        const char *mark = field->value.size == 0 ? ";" : ": ";
        if (!http_is_token(field->name) || !http_is_field_value(field->value) ||
            snprintf(line, LINE_SIZE_MAX, "%.*s%s%.*s", (int)field->name.size,
                     (const char *)field->name.data, mark, (int)field->value.size,
                     (const char *)field->value.data) >= LINE_SIZE_MAX)
            return error_set(error, ERROR_INVALID, "a field of the request can't be sent");
        has_type = has_type || http_equal_fold(field->name, BYTES_LITERAL("content-type"));
        if (!line_add(list, line, error))
            return false;
    }
    /* What it would add of its own accord. */
    return line_add(list, "Expect:", error) && (has_type || line_add(list, "Content-Type:", error));
}

static bool has_body(const struct transfer_request *request)
{
    return request->body.size > 0 || request->method == HTTP_METHOD_POST ||
           request->method == HTTP_METHOD_PUT || request->method == HTTP_METHOD_PATCH;
}

static void method_set(CURL *curl, const struct transfer_request *request)
{
    bool is_safe = request->method == HTTP_METHOD_GET || request->method == HTTP_METHOD_HEAD ||
                   request->method == HTTP_METHOD_OPTIONS;
    if (has_body(request)) {
        curl_easy_setopt(curl, CURLOPT_POST, 1L);
        curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)request->body.size);
        curl_easy_setopt(curl, CURLOPT_POSTFIELDS,
                         request->body.size > 0 ? (const char *)request->body.data : "");
    } else if (request->method == HTTP_METHOD_HEAD) {
        curl_easy_setopt(curl, CURLOPT_NOBODY, 1L);
    }
    curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, http_method_name(request->method));
    /* A kept connection may turn out closed, and the request is then sent again. */
    curl_easy_setopt(curl, CURLOPT_FRESH_CONNECT, is_safe ? 0L : 1L);
    curl_easy_setopt(curl, CURLOPT_FORBID_REUSE, is_safe ? 0L : 1L);
}

static void security_set(struct transfer *transfer)
{
    CURL *curl = transfer->curl;
    curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "https,http");
    curl_easy_setopt(curl, CURLOPT_PROXY, "");
    curl_easy_setopt(curl, CURLOPT_NOPROXY, "*");
    curl_easy_setopt(curl, CURLOPT_NETRC, (long)CURL_NETRC_IGNORED);
    curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 0L);
    curl_easy_setopt(curl, CURLOPT_HTTP09_ALLOWED, 0L);
    curl_easy_setopt(curl, CURLOPT_PATH_AS_IS, 1L);
    curl_easy_setopt(curl, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
    curl_easy_setopt(curl, CURLOPT_SSL_VERIFYPEER, 1L);
    curl_easy_setopt(curl, CURLOPT_SSL_VERIFYHOST, 2L);
    curl_easy_setopt(curl, CURLOPT_CAINFO, NULL);
    curl_easy_setopt(curl, CURLOPT_CAPATH, NULL);
    curl_easy_setopt(curl, CURLOPT_SSL_CTX_FUNCTION, on_tls);
    curl_easy_setopt(curl, CURLOPT_SSL_CTX_DATA, transfer);
    curl_easy_setopt(curl, CURLOPT_OPENSOCKETFUNCTION, on_socket);
    curl_easy_setopt(curl, CURLOPT_OPENSOCKETDATA, transfer);
}

static void options_set(struct transfer *transfer, const struct transfer_request *request)
{
    CURL *curl = transfer->curl;
    long timeout_ms = (long)request->timeout_ms;
    curl_easy_setopt(curl, CURLOPT_URL, request->url);
    curl_easy_setopt(curl, CURLOPT_PRIVATE, transfer);
    curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, transfer->text);
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
    curl_easy_setopt(curl, CURLOPT_ACCEPT_ENCODING, "gzip, deflate, br");
    curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, timeout_ms);
    curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS,
                     MIN(timeout_ms, (long)TRANSFER_CONNECT_TIMEOUT_MS));
    curl_easy_setopt(curl, CURLOPT_MAXAGE_CONN, (long)TRANSFER_KEPT_S_MAX);
    curl_easy_setopt(curl, CURLOPT_DNS_CACHE_TIMEOUT, (long)PLACE_KEPT_S);
    curl_easy_setopt(curl, CURLOPT_RESOLVE, transfer->places);
    curl_easy_setopt(curl, CURLOPT_HTTPHEADER, transfer->fields);
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, on_body);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, transfer);
    curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, on_head);
    curl_easy_setopt(curl, CURLOPT_HEADERDATA, transfer);
}

bool transfer_start(struct transfer **transfer, struct transfers *transfers,
                    const struct transfer_request *request, transfer_done *done, void *context,
                    struct error *error)
{
    AUTO(transfer) struct transfer *made = calloc(1, sizeof(*made));
    if (made == NULL)
        return error_set(error, ERROR_NO_MEMORY, "no memory for a request");
    made->owner = transfers;
    made->done = done;
    made->context = context;
    buffer_init(&made->body, request->body_size_max);
    made->curl = curl_easy_init();
    if (made->curl == NULL)
        return error_set(error, ERROR_NO_MEMORY, "no memory for a request");
    if (!fields_add(&made->fields, request, error))
        return false;
    if (request->place != NULL) {
        char place[1024]; /* "+": forgotten some time */
        if (snprintf(place, sizeof(place), "+%s", request->place) >= (int)sizeof(place))
            return error_set(error, ERROR_LIMIT, "a host has too many addresses");
        if (!line_add(&made->places, place, error))
            return false;
    }
    options_set(made, request);
    security_set(made);
    method_set(made->curl, request);
    if (curl_multi_add_handle(transfers->multi, made->curl) != CURLM_OK)
        return error_set(error, ERROR_NO_MEMORY, "no memory for a request");
    *transfer = TAKE(made);
    return true;
}

void transfer_cancel(struct transfer *transfer)
{
    if (transfer == NULL)
        return;
    curl_multi_remove_handle(transfer->owner->multi, transfer->curl);
    transfer_free(transfer);
}

/* --- its end --- */

static bool judge(const struct transfer *transfer, CURLcode code, struct error *error)
{
    const char *why = transfer->text[0] != '\0' ? transfer->text : curl_easy_strerror(code);
    struct quoted quoted = error_quote(bytes_of_string(why));
    if (transfer->is_refused && code != CURLE_OK)
        return error_set(error, ERROR_DENIED, "the address is not allowed");
    if (transfer->is_ambiguous)
        return error_set(error, ERROR_INVALID,
                         "what came is no answer: its length or a field can be read in two ways");
    if (transfer->is_head_long)
        return error_set(error, ERROR_LIMIT, "the answer's head has more than %d bytes or %d lines",
                         TRANSFER_HEAD_SIZE_MAX, TRANSFER_LINE_COUNT_MAX);
    if (transfer->body.failed)
        return error_set(error, ERROR_LIMIT, "the answer has more than %zu bytes",
                         transfer->body.size_max);
    switch (code) {
    case CURLE_OK:
        return true;
    case CURLE_OPERATION_TIMEDOUT:
        return error_set(error, ERROR_TIMEOUT, "no complete answer in time");
    case CURLE_PEER_FAILED_VERIFICATION:
        return error_set(error, ERROR_UNVERIFIED, "%s", quoted.text);
    case CURLE_BAD_CONTENT_ENCODING:
    case CURLE_WEIRD_SERVER_REPLY:
    case CURLE_UNSUPPORTED_PROTOCOL:
    case CURLE_WRITE_ERROR:
        return error_set(error, ERROR_INVALID, "what came is no answer: %s", quoted.text);
    case CURLE_OUT_OF_MEMORY: /* what it also says of a line that is too long for it */
        return error_set(error, ERROR_LIMIT, "the answer's head is too long, or memory too short");
    default:
        return error_set(error, ERROR_UNAVAILABLE, "%s", quoted.text);
    }
}

static uint8_t lower(uint8_t byte)
{
    return byte >= 'A' && byte <= 'Z' ? (uint8_t)(byte + 32) : byte;
}

/* The last head's fields; what can't be a field is left out. */
static bool fields_keep(struct transfer_answer *answer, struct buffer *names, CURL *curl,
                        struct error *error)
{
    struct curl_header *header = NULL;
    if (buffer_reserve(names, TRANSFER_HEAD_SIZE_MAX) == NULL)
        return error_set(error, ERROR_NO_MEMORY, "no memory for an answer");
    while ((header = curl_easy_nextheader(curl, CURLH_HEADER, -1, header)) != NULL) {
        struct bytes name = bytes_of_string(header->name);
        struct bytes value = bytes_trim(bytes_of_string(header->value));
        if (!http_is_token(name) || !http_is_field_value(value))
            continue;
        if (answer->field_count == TRANSFER_FIELD_COUNT_MAX ||
            name.size > TRANSFER_HEAD_SIZE_MAX - names->size)
            return error_set(error, ERROR_LIMIT, "the answer has more than %d fields",
                             TRANSFER_FIELD_COUNT_MAX);
        uint8_t *at = names->data + names->size;
        for (size_t i = 0; i < name.size; i++)
            at[i] = lower(name.data[i]);
        names->size += name.size;
        answer->is_decoded =
            answer->is_decoded || http_equal_fold(name, BYTES_LITERAL("content-encoding"));
        answer->fields[answer->field_count++] =
            (struct http_field){ bytes_of(at, name.size), value };
    }
    return true;
}

static void transfer_end(struct transfer *transfer, CURLcode code)
{
    struct error error = { 0 };
    struct transfer_answer answer = { .body = buffer_view(&transfer->body) };
    AUTO_BUFFER struct buffer names;
    long status = 0;
    buffer_init(&names, TRANSFER_HEAD_SIZE_MAX);
    curl_easy_getinfo(transfer->curl, CURLINFO_RESPONSE_CODE, &status);
    answer.status = (int)status;
    bool is_whole =
        judge(transfer, code, &error) && fields_keep(&answer, &names, transfer->curl, &error);
    if (is_whole && (status < 200 || status > 599))
        is_whole = error_set(&error, ERROR_INVALID, "what came is no answer: status %ld", status);
    transfer->done(transfer->context, is_whole ? &answer : NULL, &error);
    transfer_cancel(transfer);
}

/* How many transfers ended. */
static unsigned transfers_end(struct transfers *transfers)
{
    unsigned count = 0;
    int left;
    for (CURLMsg *message; (message = curl_multi_info_read(transfers->multi, &left)) != NULL;) {
        struct transfer *transfer;
        if (message->msg != CURLMSG_DONE)
            continue;
        CURLcode code = message->data.result;
        curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, (char **)&transfer);
        transfer_end(transfer, code);
        count++;
    }
    return count;
}

void transfers_wait(struct transfers *transfers, struct transfers_watch *watches, unsigned count,
                    int timeout_ms)
{
    struct curl_waitfd waits[TRANSFERS_WATCH_COUNT_MAX] = { { 0 } };
    int running;
    ASSERT(count <= TRANSFERS_WATCH_COUNT_MAX);
    for (unsigned i = 0; i < count; i++)
        waits[i] = (struct curl_waitfd){ .fd = watches[i].descriptor,
                                         .events = watches[i].for_writing ? CURL_WAIT_POLLOUT
                                                                          : CURL_WAIT_POLLIN };
    curl_multi_perform(transfers->multi, &running);
    if (transfers_end(transfers) > 0)
        timeout_ms = 0;
    curl_multi_poll(transfers->multi, waits, count, timeout_ms, NULL);
    for (unsigned i = 0; i < count; i++)
        watches[i].is_ready = waits[i].revents != 0;
    curl_multi_perform(transfers->multi, &running);
    (void)transfers_end(transfers);
}
