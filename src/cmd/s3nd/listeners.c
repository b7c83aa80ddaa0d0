/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/s3nd/listeners.h"
#include "base/file.h"
#include "base/log.h"
#include "operations/control.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

enum {
    LISTEN_BACKLOG = 1024,
    CONTROL_BACKLOG = 8
};

union any_address {
    struct sockaddr any;
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
};

static bool address_parse(union any_address *parsed, socklen_t *size, const char *text,
                          struct error *error)
{
    char host[64];
    const char *colon = strrchr(text, ':');
    size_t length = colon == NULL ? 0 : (size_t)(colon - text);
    bool bracketed = length >= 2 && text[0] == '[' && text[length - 1] == ']';
    const char *from = bracketed ? text + 1 : text;
    length = bracketed ? length - 2 : length;
    char *end = NULL;
    unsigned long port = colon == NULL ? 65536 : strtoul(colon + 1, &end, 10);
    *parsed = (union any_address){ 0 };
    if (colon != NULL && colon[1] >= '0' && colon[1] <= '9' && *end == '\0' && port <= 65535 &&
        length < sizeof(host)) {
        memcpy(host, from, length);
        host[length] = '\0';
        if (bracketed && inet_pton(AF_INET6, host, &parsed->v6.sin6_addr) == 1) {
            parsed->v6.sin6_family = AF_INET6;
            parsed->v6.sin6_port = htons((uint16_t)port);
            *size = sizeof(parsed->v6);
            return true;
        }
        if (!bracketed && inet_pton(AF_INET, host, &parsed->v4.sin_addr) == 1) {
            parsed->v4.sin_family = AF_INET;
            parsed->v4.sin_port = htons((uint16_t)port);
            *size = sizeof(parsed->v4);
            return true;
        }
    }
    return error_set(error, ERROR_INVALID, "%s is not an address like 127.0.0.1:8443 or [::1]:0",
                     error_quote(bytes_of_string(text)).text);
}

bool listener_check(const char *address, struct error *error)
{
    union any_address parsed;
    socklen_t size = 0;
    return address_parse(&parsed, &size, address, error);
}

bool listener_check_loopback(const char *address, struct error *error)
{
    union any_address parsed;
    socklen_t size = 0;
    if (!address_parse(&parsed, &size, address, error))
        return false;
    bool is_loopback = parsed.any.sa_family == AF_INET6
                           ? IN6_IS_ADDR_LOOPBACK(&parsed.v6.sin6_addr)
                           : ntohl(parsed.v4.sin_addr.s_addr) >> 24 == 127;
    return is_loopback ||
           error_set(error, ERROR_INVALID,
                     "admin %s: plain HTTP is for loopback addresses only (127.0.0.0/8, [::1])",
                     address);
}

bool listener_open(int *descriptor, const char *address, struct error *error)
{
    union any_address parsed;
    socklen_t size = 0;
    if (!address_parse(&parsed, &size, address, error))
        return false;
    AUTO_CLOSE int opened =
        socket(parsed.any.sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    int yes = 1;
    if (opened < 0 || setsockopt(opened, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes)) != 0)
        return error_system(error, "socket for %s", address);
    if (parsed.any.sa_family == AF_INET6 &&
        setsockopt(opened, IPPROTO_IPV6, IPV6_V6ONLY, &yes, sizeof(yes)) != 0)
        return error_system(error, "socket for %s", address);
    if (bind(opened, &parsed.any, size) != 0 || listen(opened, LISTEN_BACKLOG) != 0)
        return errno == EADDRINUSE
                   ? error_set(error, ERROR_SYSTEM,
                               "listen on %s: Address already in use; stop what listens there, or "
                               "choose another one (port 0: any that is free)",
                               address)
                   : error_system(error, "listen on %s", address);
    *descriptor = opened;
    opened = -1;
    return true;
}

static bool control_address(struct sockaddr_un *address, const char *folder, struct error *error)
{
    *address = (struct sockaddr_un){ .sun_family = AF_UNIX };
    return snprintf(address->sun_path, sizeof(address->sun_path), "%s/" CONTROL_NAME, folder) <
               (int)sizeof(address->sun_path) ||
           error_set(error, ERROR_LIMIT, "%s is too long for a socket", folder);
}

static bool control_open(int *descriptor, const char *folder, struct error *error)
{
    struct sockaddr_un address;
    if (!control_address(&address, folder, error))
        return false;
    AUTO_CLOSE int opened = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (opened < 0)
        return error_system(error, "socket for %s", folder);
    /* What a node left that was killed; this one has the folder's lock. */
    (void)unlink(address.sun_path);
    mode_t before = umask(0177);
    bool bound = bind(opened, (const struct sockaddr *)&address, sizeof(address)) == 0;
    umask(before);
    if (!bound || listen(opened, CONTROL_BACKLOG) != 0)
        return error_system(error, "listen on %s", address.sun_path);
    *descriptor = opened;
    opened = -1;
    return true;
}

void listener_open_control(int *descriptor, const char *folder)
{
    struct error error;
    *descriptor = -1;
    if (!control_open(descriptor, folder, &error))
        log_error("the operator's socket", &error);
}

void listener_close_control(int *descriptor, const char *folder)
{
    struct sockaddr_un address;
    struct error ignored;
    if (*descriptor >= 0 && control_address(&address, folder, &ignored))
        (void)unlink(address.sun_path);
    file_close(descriptor);
}

bool listener_address_of(struct listener_address *address, int descriptor, struct error *error)
{
    union any_address bound;
    socklen_t size = sizeof(bound);
    char host[INET6_ADDRSTRLEN];
    if (getsockname(descriptor, &bound.any, &size) != 0)
        return error_system(error, "address of the listening socket");
    if (bound.any.sa_family == AF_INET6) {
        inet_ntop(AF_INET6, &bound.v6.sin6_addr, host, sizeof(host));
        snprintf(address->text, sizeof(address->text), "[%s]:%u", host, ntohs(bound.v6.sin6_port));
    } else {
        inet_ntop(AF_INET, &bound.v4.sin_addr, host, sizeof(host));
        snprintf(address->text, sizeof(address->text), "%s:%u", host, ntohs(bound.v4.sin_port));
    }
    return true;
}
