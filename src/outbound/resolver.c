/* SPDX-License-Identifier: Apache-2.0 */
#include "outbound/resolver.h"

#include "base/clock.h"
#include "base/file.h"
#include "crypto/random.h"
#include "outbound/url.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

enum {
    DNS_PORT = 53
};

struct host {
    char name[DNS_NAME_SIZE_MAX + 1];
    struct address address;
};

/* One of a lookup's two questions. */
struct asking {
    struct dns_question question;
    int socket; /* -1: over */
    bool is_stream, is_sent;
    unsigned tries;
    uint64_t due_ns;
    size_t size; /* of what came over a stream */
    uint8_t space[2 + DNS_MESSAGE_SIZE_MAX];
};

struct lookup {
    struct resolver *resolver;
    lookup_done *done;
    void *context;
    bool is_known; /* `answer` is there already */
    bool has_failed, has_no_name, is_late;
    uint64_t deadline_ns; /* CLOCK_MONOTONIC */
    struct asking askings[2];
    struct dns_answer answer;
};

struct resolver {
    struct name_server servers[NAME_SERVER_COUNT_MAX];
    size_t server_count;
    struct host *hosts;
    size_t host_count;
    struct lookup *lookups[LOOKUP_COUNT_MAX];
    size_t lookup_count;
};

/* --- the system's files --- */

static struct bytes word_next(struct bytes *line)
{
    size_t start = 0, end;
    while (start < line->size && (line->data[start] == ' ' || line->data[start] == '\t'))
        start++;
    end = start;
    while (end < line->size && line->data[end] != ' ' && line->data[end] != '\t')
        end++;
    struct bytes word = bytes_part(*line, start, end - start);
    *line = bytes_part(*line, end, SIZE_MAX);
    return word;
}

static struct bytes line_next(struct bytes *text, const char *comments)
{
    size_t size = bytes_find(*text, '\n');
    struct bytes line = bytes_part(*text, 0, size);
    *text = bytes_part(*text, MIN(size + 1, text->size), SIZE_MAX);
    for (; *comments != '\0'; comments++)
        line.size = bytes_find(line, (uint8_t)*comments);
    return bytes_trim(line);
}

void resolver_read_servers(struct resolver_options *options, struct bytes text)
{
    options->server_count = 0;
    while (text.size > 0 && options->server_count < NAME_SERVER_COUNT_MAX) {
        struct bytes line = line_next(&text, "#;");
        struct name_server *server = &options->servers[options->server_count];
        if (bytes_equal_string(word_next(&line), "nameserver") &&
            address_parse(&server->address, word_next(&line))) {
            server->port = DNS_PORT;
            options->server_count++;
        }
    }
    if (options->server_count > 0)
        return;
    options->servers[0] = (struct name_server){ { { 127, 0, 0, 1 }, false }, DNS_PORT };
    options->server_count = 1;
}

bool name_server_parse(struct name_server *server, struct bytes text, struct error *error)
{
    struct name_server made = { .port = DNS_PORT };
    struct bytes port = { 0 };
    struct bytes host = text;
    if (text.size > 0 && text.data[0] == '[') {
        size_t end = bytes_find(text, ']');
        host = bytes_part(text, 1, end - 1);
        port = bytes_part(text, end + 1, SIZE_MAX);
    } else if (bytes_find(text, '.') < text.size) {
        size_t end = bytes_find(text, ':');
        host = bytes_part(text, 0, end);
        port = bytes_part(text, end, SIZE_MAX);
    }
    if ((text.size > 0 && text.data[0] == '[' && bytes_find(text, ']') == text.size) ||
        !address_parse(&made.address, host) || (port.size > 0 && port.data[0] != ':'))
        return error_set(error, ERROR_INVALID, "%s is no address of a name server",
                         error_quote(text).text);
    if (port.size > 0 && !url_port_parse(&made.port, bytes_part(port, 1, SIZE_MAX), error))
        return false;
    *server = made;
    return true;
}

static void hosts_read(struct resolver *resolver, struct bytes text)
{
    while (text.size > 0) {
        struct address address;
        struct bytes line = line_next(&text, "#"), name;
        if (!address_parse(&address, word_next(&line)))
            continue;
        while ((name = word_next(&line)).size > 0 && resolver->host_count < HOST_COUNT_MAX) {
            struct host *host = &resolver->hosts[resolver->host_count];
            if (name.size > DNS_NAME_SIZE_MAX)
                continue;
            for (size_t i = 0; i < name.size; i++)
                host->name[i] =
                    (char)(name.data[i] >= 'A' && name.data[i] <= 'Z' ? name.data[i] + 32
                                                                      : name.data[i]);
            host->address = address;
            resolver->host_count++;
        }
    }
}

bool resolver_new(struct resolver **resolver, const struct resolver_options *options,
                  struct error *error)
{
    AUTO(resolver) struct resolver *made = calloc(1, sizeof(*made));
    if (made != NULL)
        made->hosts = calloc(HOST_COUNT_MAX, sizeof(*made->hosts));
    if (made == NULL || made->hosts == NULL)
        return error_set(error, ERROR_NO_MEMORY, "no memory for names of hosts");
    ASSERT(options->server_count >= 1 && options->server_count <= NAME_SERVER_COUNT_MAX);
    memcpy(made->servers, options->servers, sizeof(made->servers));
    made->server_count = options->server_count;
    hosts_read(made, options->hosts);
    *resolver = TAKE(made);
    return true;
}

void resolver_free(struct resolver *resolver)
{
    if (resolver == NULL)
        return;
    ASSERT(resolver->lookup_count == 0);
    free(resolver->hosts);
    free(resolver);
}

/* --- questions --- */

static void asking_end(struct asking *asking)
{
    file_close(&asking->socket);
    asking->due_ns = UINT64_MAX;
}

static int server_connect(const struct name_server *server, bool is_stream)
{
    struct sockaddr_in v4 = { .sin_family = AF_INET, .sin_port = htons(server->port) };
    struct sockaddr_in6 v6 = { .sin6_family = AF_INET6, .sin6_port = htons(server->port) };
    bool is_v6 = server->address.is_v6;
    memcpy(&v4.sin_addr, server->address.bytes, 4);
    memcpy(&v6.sin6_addr, server->address.bytes, 16);
    int type = (is_stream ? SOCK_STREAM : SOCK_DGRAM) | SOCK_CLOEXEC | SOCK_NONBLOCK;
    int made = socket(is_v6 ? AF_INET6 : AF_INET, type, 0);
    const struct sockaddr *address = is_v6 ? (const void *)&v6 : (const void *)&v4;
    socklen_t size = is_v6 ? sizeof(v6) : sizeof(v4);
    if (made >= 0 && connect(made, address, size) != 0 && errno != EINPROGRESS)
        file_close(&made);
    return made;
}

static void question_send(struct asking *asking)
{
    uint8_t space[2 + 512];
    size_t head = asking->is_stream ? 2 : 0;
    struct writer writer = writer_into(space + 2, sizeof(space) - 2);
    dns_question_write(&writer, &asking->question);
    struct writer size = writer_into(space, 2);
    write_u16_be(&size, (uint16_t)writer.size);
    ssize_t sent = send(asking->socket, space + 2 - head, writer.size + head, MSG_NOSIGNAL);
    /* What could not be sent gets no answer. */
    asking->is_sent = sent >= 0 || (errno != EAGAIN && errno != ENOTCONN);
}

/* The next try; all of them over: nothing is due any more. */
static void asking_begin(struct lookup *lookup, struct asking *asking, bool is_stream)
{
    const struct resolver *resolver = lookup->resolver;
    asking_end(asking);
    if (asking->tries == LOOKUP_TRY_COUNT_MAX) {
        lookup->has_failed = true;
        return;
    }
    const struct name_server *server = &resolver->servers[asking->tries % resolver->server_count];
    asking->tries++;
    asking->is_stream = is_stream;
    asking->is_sent = false;
    asking->size = 0;
    asking->due_ns = clock_monotonic_ns(&clock_system) + LOOKUP_TRY_MS * 1000000ull;
    random_bytes(&asking->question.id, sizeof(asking->question.id));
    asking->socket = server_connect(server, is_stream);
    if (asking->socket >= 0 && !is_stream)
        question_send(asking);
}

static bool is_below_localhost(const char *name)
{
    static const char suffix[] = ".localhost";
    size_t size = strlen(name), part = sizeof(suffix) - 1;
    return strcmp(name, suffix + 1) == 0 ||
           (size > part && strcmp(name + size - part, suffix) == 0);
}

static void answer_add(struct dns_answer *answer, const struct address *address)
{
    if (answer->count < DNS_ADDRESS_COUNT_MAX)
        answer->addresses[answer->count++] = *address;
}

static void known_find(struct lookup *lookup, const struct resolver *resolver, const char *name)
{
    static const struct address loopbacks[] = { { { 127, 0, 0, 1 }, false },
                                                { { [15] = 1 }, true } };
    for (size_t i = 0; i < ARRAY_COUNT(loopbacks) && is_below_localhost(name); i++)
        answer_add(&lookup->answer, &loopbacks[i]);
    for (size_t i = 0; i < resolver->host_count && lookup->answer.count == 0; i++)
        for (size_t j = i; j < resolver->host_count && strcmp(resolver->hosts[i].name, name) == 0;
             j++)
            if (strcmp(resolver->hosts[j].name, name) == 0)
                answer_add(&lookup->answer, &resolver->hosts[j].address);
    lookup->is_known = lookup->answer.count > 0;
}

bool lookup_start(struct lookup **lookup, struct resolver *resolver, const char *name,
                  lookup_done *done, void *context, struct error *error)
{
    static const uint16_t types[] = { DNS_TYPE_A, DNS_TYPE_AAAA };
    if (resolver->lookup_count == LOOKUP_COUNT_MAX)
        return error_set(error, ERROR_BUSY, "too many names are looked up at a time");
    struct lookup *made = calloc(1, sizeof(*made));
    if (made == NULL)
        return error_set(error, ERROR_NO_MEMORY, "no memory to look a name up");
    made->resolver = resolver;
    made->done = done;
    made->context = context;
    made->deadline_ns = UINT64_MAX;
    known_find(made, resolver, name);
    for (size_t i = 0; i < ARRAY_COUNT(types); i++) {
        struct asking *asking = &made->askings[i];
        asking->question.type = types[i];
        snprintf(asking->question.name, sizeof(asking->question.name), "%s", name);
        asking->socket = -1;
        asking->due_ns = UINT64_MAX;
        if (!made->is_known)
            asking_begin(made, asking, false);
    }
    resolver->lookups[resolver->lookup_count++] = made;
    *lookup = made;
    return true;
}

void lookup_limit(struct lookup *lookup, uint64_t deadline_ns)
{
    lookup->deadline_ns = deadline_ns;
}

void lookup_cancel(struct lookup *lookup)
{
    if (lookup == NULL)
        return;
    struct resolver *resolver = lookup->resolver;
    for (size_t i = 0; i < resolver->lookup_count; i++)
        if (resolver->lookups[i] == lookup) {
            resolver->lookups[i] = resolver->lookups[--resolver->lookup_count];
            break;
        }
    for (size_t i = 0; i < ARRAY_COUNT(lookup->askings); i++)
        asking_end(&lookup->askings[i]);
    free(lookup);
}

/* --- answers --- */

static void message_take(struct lookup *lookup, struct asking *asking, struct bytes message)
{
    struct dns_answer answer;
    switch (dns_answer_read(&answer, &asking->question, message)) {
    case DNS_FOREIGN:
        return; /* waits on */
    case DNS_CUT:
        if (asking->is_stream) {
            asking_begin(lookup, asking, false);
            return;
        }
        asking->tries--; /* the same server */
        asking_begin(lookup, asking, true);
        return;
    case DNS_FAILED:
        asking_begin(lookup, asking, false);
        return;
    case DNS_NO_NAME:
        lookup->has_no_name = true;
        break;
    case DNS_ANSWERED:
        for (size_t i = 0; i < answer.count; i++)
            answer_add(&lookup->answer, &answer.addresses[i]);
        break;
    }
    asking_end(asking);
}

static void datagram_read(struct lookup *lookup, struct asking *asking)
{
    ssize_t size = recv(asking->socket, asking->space, sizeof(asking->space), 0);
    if (size >= 0)
        message_take(lookup, asking, bytes_of(asking->space, (size_t)size));
    else if (errno != EAGAIN && errno != EINTR)
        asking_begin(lookup, asking, false); /* nobody listens there */
}

static void stream_work(struct lookup *lookup, struct asking *asking)
{
    if (!asking->is_sent) {
        question_send(asking);
        return;
    }
    ssize_t size =
        recv(asking->socket, asking->space + asking->size, sizeof(asking->space) - asking->size, 0);
    if (size < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (size <= 0) {
        asking_begin(lookup, asking, false);
        return;
    }
    asking->size += (size_t)size;
    size_t whole = 2 + (asking->size < 2 ? 0 : (size_t)asking->space[0] << 8 | asking->space[1]);
    if (whole > sizeof(asking->space))
        asking_begin(lookup, asking, false);
    else if (asking->size >= 2 && asking->size >= whole)
        message_take(lookup, asking, bytes_of(asking->space + 2, whole - 2));
    if (asking->is_stream && asking->size == sizeof(asking->space) && asking->socket >= 0)
        asking_begin(lookup, asking, false); /* a foreign message fills it */
}

unsigned resolver_watches(struct resolver *resolver, struct transfers_watch *watches)
{
    unsigned count = 0;
    for (size_t i = 0; i < resolver->lookup_count; i++)
        for (size_t j = 0; j < ARRAY_COUNT(resolver->lookups[i]->askings); j++) {
            const struct asking *asking = &resolver->lookups[i]->askings[j];
            if (asking->socket >= 0)
                watches[count++] =
                    (struct transfers_watch){ asking->socket, asking->is_stream && !asking->is_sent,
                                              false };
        }
    return count;
}

uint64_t resolver_due_ns(const struct resolver *resolver)
{
    uint64_t due_ns = UINT64_MAX;
    for (size_t i = 0; i < resolver->lookup_count; i++) {
        const struct lookup *lookup = resolver->lookups[i];
        due_ns = MIN(due_ns, lookup->deadline_ns);
        for (size_t j = 0; j < ARRAY_COUNT(lookup->askings); j++)
            due_ns = MIN(due_ns, lookup->askings[j].due_ns);
        if (lookup->is_known)
            due_ns = 0;
    }
    return due_ns;
}

/* Some servers never answer for the version that they know nothing of: with addresses of the other,
 * one try is enough. */
static bool lookup_is_over(const struct lookup *lookup)
{
    bool is_over = true;
    for (size_t i = 0; i < ARRAY_COUNT(lookup->askings); i++) {
        const struct asking *asking = &lookup->askings[i];
        is_over = is_over &&
                  (asking->due_ns == UINT64_MAX || (lookup->answer.count > 0 && asking->tries > 1));
    }
    return is_over;
}

static void lookup_finish(struct lookup *lookup)
{
    struct error error = { 0 };
    struct dns_answer answer = lookup->answer;
    lookup_done *done = lookup->done;
    void *context = lookup->context;
    struct quoted name = error_quote(bytes_of_string(lookup->askings[0].question.name));
    if (answer.count == 0 && lookup->is_late)
        error_set(&error, ERROR_TIMEOUT, "no name server told the address of %s in time",
                  name.text);
    else if (answer.count == 0 && lookup->has_failed && !lookup->has_no_name)
        error_set(&error, ERROR_UNAVAILABLE, "no name server tells the address of %s", name.text);
    else if (answer.count == 0)
        error_set(&error, ERROR_NOT_FOUND, "there is no address of %s", name.text);
    lookup_cancel(lookup);
    done(context, answer.count > 0 ? &answer : NULL, &error);
}

void resolver_work(struct resolver *resolver, uint64_t now_ns)
{
    /* From the last: one that ends puts the last in its place, and may start another behind it. */
    for (size_t i = resolver->lookup_count; i-- > 0;) {
        if (i >= resolver->lookup_count)
            continue;
        struct lookup *lookup = resolver->lookups[i];
        for (size_t j = 0; j < ARRAY_COUNT(lookup->askings); j++) {
            struct asking *asking = &lookup->askings[j];
            bool is_stream = asking->is_stream;
            if (asking->socket >= 0 && is_stream)
                stream_work(lookup, asking);
            else if (asking->socket >= 0)
                datagram_read(lookup, asking);
            if (asking->due_ns <= now_ns)
                asking_begin(lookup, asking, false);
        }
        bool is_over = lookup_is_over(lookup);
        lookup->is_late = !is_over && lookup->deadline_ns <= now_ns;
        if (is_over || lookup->is_late)
            lookup_finish(lookup);
    }
}
