/* SPDX-License-Identifier: Apache-2.0 */
#include "net/client.h"

#include "crypto/base64.h"
#include "crypto/hash.h"
#include "crypto/tls.h"
#include "crypto/x509.h"

#include <curl/curl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    URL_SIZE_MAX = HTTP_AUTHORITY_SIZE_MAX + HTTP_TARGET_SIZE_MAX + 16,
    CONNECT_TIMEOUT_MS = 10000,
    TIMEOUT_MS = 120000
};

struct http_client {
    CURL *curl;
    char authority[HTTP_AUTHORITY_SIZE_MAX + 1];
    char no_proxy[1024];
    char user_agent[64];
    bool is_pinned;
    struct digest32 pin;
    bool has_peer_key;
    struct digest32 peer_key;
    bool is_bound;
    uint8_t bound[HTTP_EXPORTER_SIZE];    /* exporter of the session that requests must use */
    uint8_t exporter[HTTP_EXPORTER_SIZE]; /* of the one in use */
    bool is_elsewhere;                    /* a request was held back for it */
    uint32_t connect_timeout_ms, timeout_ms;
    struct bytes roots;
    struct curl_slist *resolved;
    char curl_text[CURL_ERROR_SIZE];
};

/* One request in progress. */
struct transfer {
    const struct http_client_request *request;
    struct http_client_answer *answer;
    bool too_long;
    bool given_up;
};

static void init_curl(void)
{
    ASSERT(curl_global_init(CURL_GLOBAL_DEFAULT) == 0);
}

static bool parse_url(struct http_client *client, const char *url, struct error *error)
{
    struct bytes text = bytes_of_string(url);
    struct bytes scheme = BYTES_LITERAL("https://");
    bool good = bytes_starts_with(text, scheme);
    if (good) {
        text = bytes_part(text, scheme.size, text.size);
        if (text.size > 0 && text.data[text.size - 1] == '/')
            text.size--;
        good = http_is_authority(text);
    }
    if (!good)
        return error_set(error, ERROR_INVALID, "\"%s\" is not a URL like https://host:port",
                         error_quote(bytes_of_string(url)).text);
    memcpy(client->authority, text.data, text.size);
    client->authority[text.size] = '\0';
    return true;
}

/* Proxies of the environment are honoured, but never for this machine itself. */
static void choose_no_proxy(struct http_client *client)
{
    const char *given = getenv("no_proxy");
    if (given == NULL)
        given = getenv("NO_PROXY");
    snprintf(client->no_proxy, sizeof(client->no_proxy), "localhost,127.0.0.1,::1%s%s",
             given == NULL ? "" : ",", given == NULL ? "" : given);
}

bool http_client_new(struct http_client **client, const struct http_client_options *options,
                     struct error *error)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    AUTO(http_client) struct http_client *made = calloc(1, sizeof(*made));
    pthread_once(&once, init_curl);
    if (made == NULL || (made->curl = curl_easy_init()) == NULL)
        return error_set(error, ERROR_NO_MEMORY, "no memory for the HTTP client");
    if (!parse_url(made, options->url, error))
        return false;
    choose_no_proxy(made);
    if (options->user_agent != NULL)
        snprintf(made->user_agent, sizeof(made->user_agent), "%s", options->user_agent);
    made->connect_timeout_ms =
        options->connect_timeout_ms == 0 ? CONNECT_TIMEOUT_MS : options->connect_timeout_ms;
    made->timeout_ms = options->timeout_ms == 0 ? TIMEOUT_MS : options->timeout_ms;
    made->roots = options->roots;
    if (options->resolved != NULL &&
        (made->resolved = curl_slist_append(NULL, options->resolved)) == NULL)
        return error_set(error, ERROR_NO_MEMORY, "no memory for the HTTP client");
    if (options->pin != NULL)
        http_client_pin(made, options->pin);
    *client = TAKE(made);
    return true;
}

void http_client_free(struct http_client *client)
{
    if (client == NULL)
        return;
    curl_easy_cleanup(client->curl);
    curl_slist_free_all(client->resolved);
    free(client);
}

void http_client_pin(struct http_client *client, const struct digest32 *pin)
{
    CURL *fresh = curl_easy_init(); /* the old one keeps connections made without the pin */
    ASSERT(fresh != NULL);
    curl_easy_cleanup(client->curl);
    client->curl = fresh;
    client->is_pinned = true;
    client->is_bound = false;
    client->pin = *pin;
    client->has_peer_key = false;
}

struct bytes http_client_authority(const struct http_client *client)
{
    return bytes_of_string(client->authority);
}

void http_client_answer_done(struct http_client_answer *answer)
{
    buffer_done(&answer->body);
    buffer_done(&answer->memory);
    answer->field_count = 0;
}

static size_t on_body(char *data, size_t one, size_t size, void *context)
{
    struct transfer *transfer = context;
    buffer_append(&transfer->answer->body, bytes_of(data, one * size));
    transfer->too_long = transfer->answer->body.failed;
    return transfer->too_long ? 0 : one * size;
}

/* Keeps the lines of the last head: an interim answer (100) is followed by another one. */
static size_t on_line(char *data, size_t one, size_t size, void *context)
{
    struct transfer *transfer = context;
    struct bytes line = bytes_of(data, one * size);
    if (bytes_starts_with(line, BYTES_LITERAL("HTTP/")))
        buffer_clear(&transfer->answer->memory);
    else
        buffer_append(&transfer->answer->memory, line);
    transfer->too_long = transfer->answer->memory.failed;
    return transfer->too_long ? 0 : one * size;
}

static int on_progress(void *context, curl_off_t down_total, curl_off_t down, curl_off_t up_total,
                       curl_off_t up)
{
    struct transfer *transfer = context;
    const struct http_client_request *request = transfer->request;
    (void)down_total;
    (void)up_total;
    transfer->given_up =
        !request->progress(request->progress_context, (uint64_t)up, (uint64_t)down);
    return transfer->given_up;
}

static bool is_blank(uint8_t byte)
{
    return byte == ' ' || byte == '\t' || byte == '\r' || byte == '\n';
}

/* Splits answer->memory into fields; lowers names in place. */
static void split_fields(struct http_client_answer *answer)
{
    struct bytes rest = buffer_view(&answer->memory);
    while (rest.size > 0 && answer->field_count < CLIENT_FIELD_COUNT_MAX) {
        struct bytes line = bytes_part(rest, 0, bytes_find(rest, '\n'));
        rest = bytes_part(rest, line.size + 1, rest.size);
        size_t colon = bytes_find(line, ':');
        if (colon == line.size)
            continue;
        uint8_t *name = answer->memory.data + (line.data - answer->memory.data);
        for (size_t i = 0; i < colon; i++) {
            if (name[i] >= 'A' && name[i] <= 'Z')
                name[i] = (uint8_t)(name[i] + 32);
        }
        struct bytes value = bytes_part(line, colon + 1, line.size);
        while (value.size > 0 && is_blank(value.data[0]))
            value = bytes_part(value, 1, value.size);
        while (value.size > 0 && is_blank(value.data[value.size - 1]))
            value.size--;
        answer->fields[answer->field_count++] = (struct http_field){ bytes_of(name, colon), value };
    }
}

/* The key that the peer proved in the handshake of the connection used.  libcurl shows the
 * certificate only when it made a new connection. */
static bool note_peer_key(struct http_client *client, struct error *error)
{
    struct curl_certinfo *info = NULL;
    long connects = 0;
    if (client->roots.size > 0)
        return true;
    curl_easy_getinfo(client->curl, CURLINFO_NUM_CONNECTS, &connects);
    if (connects == 0 && client->has_peer_key)
        return true;
    client->has_peer_key = false;
    if (curl_easy_getinfo(client->curl, CURLINFO_CERTINFO, &info) != CURLE_OK || info == NULL ||
        info->num_of_certs < 1)
        return error_set(error, ERROR_UNVERIFIED, "the server showed no certificate");
    for (struct curl_slist *at = info->certinfo[0]; at != NULL; at = at->next) {
        if (strncmp(at->data, "Cert:", 5) != 0)
            continue;
        struct x509_chain *chain = malloc(sizeof(*chain));
        if (chain == NULL)
            return error_set(error, ERROR_NO_MEMORY, "no memory for a certificate");
        bool parsed = x509_chain_parse_pem(chain, bytes_of_string(at->data + 5), error);
        if (parsed)
            client->peer_key = public_key_id(&chain->certificates[0].key);
        free(chain);
        client->has_peer_key = parsed;
        return parsed || error_within(error, "the server's certificate");
    }
    return error_set(error, ERROR_UNVERIFIED, "the server showed no certificate");
}

static bool judge(struct http_client *client, const struct transfer *transfer, CURLcode code,
                  struct error *error)
{
    const char *text = client->curl_text[0] != '\0' ? client->curl_text : curl_easy_strerror(code);
    struct quoted quoted = error_quote(bytes_of_string(text));
    switch (code) {
    case CURLE_OK:
        return true;
    case CURLE_COULDNT_CONNECT:
        return error_set(error, ERROR_UNAVAILABLE, "nobody answers at %s (is it running?)",
                         client->authority);
    case CURLE_OPERATION_TIMEDOUT:
        return error_set(error, ERROR_TIMEOUT, "%s: %s", client->authority, quoted.text);
    case CURLE_SSL_PINNEDPUBKEYNOTMATCH:
        return error_set(error, ERROR_UNVERIFIED,
                         "%s shows another TLS key than the one pinned for it", client->authority);
    case CURLE_PEER_FAILED_VERIFICATION:
        return error_set(error, ERROR_UNVERIFIED, "%s: %s", client->authority, quoted.text);
    case CURLE_WRITE_ERROR:
        if (transfer->too_long)
            return error_set(error, ERROR_LIMIT, "the answer of %s is over %zu bytes",
                             client->authority, transfer->request->body_size_max);
        break;
    case CURLE_ABORTED_BY_CALLBACK:
        if (client->is_elsewhere) {
            client->is_bound = false;
            return error_set(error, ERROR_CONFLICT, "the TLS session is another one now");
        }
        return error_set(error, ERROR_UNAVAILABLE, "given up");
    case CURLE_OUT_OF_MEMORY:
        return error_set(error, ERROR_NO_MEMORY, "no memory for a request");
    default:
        break;
    }
    return error_set(error, ERROR_UNAVAILABLE, "%s: %s", client->authority, quoted.text);
}

static bool add_field(struct curl_slist **list, struct bytes name, struct bytes value)
{
    struct buffer line;
    buffer_init(&line, HTTP_HEAD_SIZE_MAX);
    buffer_append(&line, name);
    /* libcurl's way to say a field without a value is a semicolon */
    buffer_append_string(&line, value.size > 0 ? ": " : ";");
    buffer_append(&line, value);
    buffer_append(&line, bytes_of("", 1));
    struct curl_slist *longer =
        line.failed ? NULL : curl_slist_append(*list, (const char *)line.data);
    buffer_done(&line);
    if (longer != NULL)
        *list = longer;
    return longer != NULL;
}

static bool make_fields(struct curl_slist **list, const struct http_client_request *request,
                        struct error *error)
{
    bool has_type = false;
    for (size_t i = 0; i < request->field_count; i++) {
        const struct http_field *field = &request->fields[i];
        if (!http_is_token(field->name) || !http_is_field_value(field->value))
            return error_set(error, ERROR_INVALID, "field %s can't be sent",
                             error_quote(field->name).text);
        has_type = has_type || http_equal_fold(field->name, BYTES_LITERAL("content-type"));
        if (!add_field(list, field->name, field->value))
            return error_set(error, ERROR_NO_MEMORY, "no memory for a request");
    }
    struct curl_slist *longer = has_type ? *list : curl_slist_append(*list, "Content-Type:");
    if (longer == NULL && !has_type)
        return error_set(error, ERROR_NO_MEMORY, "no memory for a request");
    *list = longer;
    return true;
}

static void set_method(CURL *curl, const struct http_client_request *request)
{
    bool has_body = request->method == HTTP_METHOD_POST || request->method == HTTP_METHOD_PUT ||
                    request->method == HTTP_METHOD_PATCH;
    if (request->method == HTTP_METHOD_HEAD) {
        curl_easy_setopt(curl, CURLOPT_NOBODY, 1L);
    } else if (has_body) {
        curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)request->body.size);
        curl_easy_setopt(curl, CURLOPT_POSTFIELDS,
                         request->body.size > 0 ? (const char *)request->body.data : "");
    }
    curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, http_method_name(request->method));
}

static void set_security(struct http_client *client)
{
    CURL *curl = client->curl;
    char pin[128] = "sha256//";
    curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "https");
    curl_easy_setopt(curl, CURLOPT_SSLVERSION, CURL_SSLVERSION_TLSv1_3);
    if (client->roots.size > 0) {
        struct curl_blob roots = { .data = (void *)(uintptr_t)client->roots.data,
                                   .len = client->roots.size,
                                   .flags = CURL_BLOB_NOCOPY };
        curl_easy_setopt(curl, CURLOPT_SSL_VERIFYPEER, 1L);
        curl_easy_setopt(curl, CURLOPT_SSL_VERIFYHOST, 2L);
        curl_easy_setopt(curl, CURLOPT_CAINFO_BLOB, &roots);
        curl_easy_setopt(curl, CURLOPT_CAPATH, NULL); /* not the system's as well */
    } else {
        /* The key is the identity: by pin, or judged by the caller at first contact. */
        curl_easy_setopt(curl, CURLOPT_SSL_VERIFYPEER, 0L);
        curl_easy_setopt(curl, CURLOPT_SSL_VERIFYHOST, 0L);
        curl_easy_setopt(curl, CURLOPT_CERTINFO, 1L);
    }
    curl_easy_setopt(curl, CURLOPT_NOPROXY, client->resolved == NULL ? client->no_proxy : "*");
    curl_easy_setopt(curl, CURLOPT_RESOLVE, client->resolved);
    if (client->is_pinned) {
        base64_encode(pin + 8, BYTES_OF(client->pin.bytes));
        curl_easy_setopt(curl, CURLOPT_PINNEDPUBLICKEY, pin);
    }
}

void http_client_bind(struct http_client *client, const uint8_t *exporter)
{
    client->is_bound = exporter != NULL;
    if (client->is_bound)
        memcpy(client->bound, exporter, sizeof(client->bound));
}

/* libcurl has a connection and has not sent a byte of the request yet. */
static int on_session(void *context, char *peer UNUSED, char *local UNUSED, int peer_port UNUSED,
                      int local_port UNUSED)
{
    struct http_client *client = context;
    struct curl_tlssessioninfo *session = NULL;
    struct error error;
    if (curl_easy_getinfo(client->curl, CURLINFO_TLS_SSL_PTR, &session) != CURLE_OK ||
        session == NULL || session->backend != CURLSSLBACKEND_OPENSSL ||
        session->internals == NULL ||
        !tls_exporter_of(session->internals, HTTP_EXPORTER_LABEL, client->exporter,
                         sizeof(client->exporter), &error))
        return CURL_PREREQFUNC_ABORT;
    client->is_elsewhere =
        client->is_bound && memcmp(client->bound, client->exporter, sizeof(client->bound)) != 0;
    return client->is_elsewhere ? CURL_PREREQFUNC_ABORT : CURL_PREREQFUNC_OK;
}

static bool perform(struct http_client *client, struct transfer *transfer, const char *url,
                    struct curl_slist *fields, struct error *error)
{
    CURL *curl = client->curl;
    const struct http_client_request *request = transfer->request;
    uint32_t timeout_ms = request->timeout_ms == 0 ? client->timeout_ms : request->timeout_ms;
    curl_easy_reset(curl); /* keeps connections */
    set_security(client);
    set_method(curl, request);
    client->curl_text[0] = '\0';
    curl_easy_setopt(curl, CURLOPT_URL, url);
    curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, client->curl_text);
    curl_easy_setopt(curl, CURLOPT_HTTPHEADER, fields);
    curl_easy_setopt(curl, CURLOPT_HTTP_VERSION, CURL_HTTP_VERSION_1_1);
    curl_easy_setopt(curl, CURLOPT_PATH_AS_IS, 1L);
    curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS, (long)client->connect_timeout_ms);
    curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, (long)timeout_ms);
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, on_body);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, transfer);
    curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, on_line);
    curl_easy_setopt(curl, CURLOPT_HEADERDATA, transfer);
    client->is_elsewhere = false;
    curl_easy_setopt(curl, CURLOPT_PREREQFUNCTION, on_session);
    curl_easy_setopt(curl, CURLOPT_PREREQDATA, client);
    if (client->user_agent[0] != '\0')
        curl_easy_setopt(curl, CURLOPT_USERAGENT, client->user_agent);
    if (request->progress != NULL) {
        curl_easy_setopt(curl, CURLOPT_NOPROGRESS, 0L);
        curl_easy_setopt(curl, CURLOPT_XFERINFOFUNCTION, on_progress);
        curl_easy_setopt(curl, CURLOPT_XFERINFODATA, transfer);
    }
    CURLcode code = curl_easy_perform(curl);
    return judge(client, transfer, code, error) && note_peer_key(client, error);
}

bool http_client_request(struct http_client *client, const struct http_client_request *request,
                         struct http_client_answer *answer, struct error *error)
{
    char url[URL_SIZE_MAX];
    struct curl_slist *fields = NULL;
    struct http_client_answer made = { 0 };
    struct transfer transfer = { .request = request, .answer = &made };
    long status = 0;
    curl_off_t total_us = 0;
    if (!http_is_target(bytes_of_string(request->target)))
        return error_set(error, ERROR_INVALID, "\"%s\" is not a path that can be asked for",
                         error_quote(bytes_of_string(request->target)).text);
    snprintf(url, sizeof(url), "https://%s%s", client->authority, request->target);
    buffer_init(&made.body, request->body_size_max);
    buffer_init(&made.memory, CLIENT_FIELD_MEMORY_MAX);
    bool done =
        make_fields(&fields, request, error) && perform(client, &transfer, url, fields, error);
    curl_slist_free_all(fields);
    if (!done) {
        http_client_answer_done(&made);
        return false;
    }
    curl_easy_getinfo(client->curl, CURLINFO_RESPONSE_CODE, &status);
    curl_easy_getinfo(client->curl, CURLINFO_TOTAL_TIME_T, &total_us);
    made.status = (int)status;
    made.total_us = (uint64_t)total_us;
    made.peer_key = client->peer_key;
    memcpy(made.exporter, client->exporter, sizeof(made.exporter));
    split_fields(&made);
    *answer = made;
    return true;
}

struct bytes http_client_answer_value(const struct http_client_answer *answer, const char *name)
{
    for (size_t i = 0; i < answer->field_count; i++) {
        if (bytes_equal_string(answer->fields[i].name, name))
            return answer->fields[i].value;
    }
    return (struct bytes){ 0 };
}
