/* SPDX-License-Identifier: Apache-2.0 */
/* For tests: a server that says what it is told to, however wrong, a name server, and the process
 * for outbound requests (a child without its jail) behind a line. */
#ifndef OUTBOUND_TEST_WORLD_H
#define OUTBOUND_TEST_WORLD_H

#include "outbound/line.h"

#include <pthread.h>
#include <sys/types.h>

enum page_end {
    PAGE_CLOSE,   /* then the connection is closed */
    PAGE_HANG,    /* nothing more comes */
    PAGE_FOREVER, /* `again` comes for ever */
    PAGE_DRIP     /* one byte of `again` now and then */
};

struct page {
    const char *path; /* as it stands in the request line */
    struct bytes text;
    enum page_end end;
    const char *again;
};

/* Addresses of a name; with `second`, from the second question on. */
struct zone {
    const char *name;
    const char *first, *second; /* separated by blanks; NULL: no such name */
    unsigned asked;             /* questions for A */
};

struct test_world {
    int web, dns; /* listening */
    uint16_t web_port, dns_port;
    pthread_t web_thread, dns_thread;
    const struct page *pages;
    size_t page_count;
    struct zone *zones;
    size_t zone_count;
    bool is_over;
    char request[64 << 10]; /* the last one */
    unsigned request_count;
    struct line *line;
    pid_t process;
    bool is_refusing; /* no process can be had */
    bool is_lying;    /* the process answers what is no answer */
    bool is_dying;    /* the process ends at once */
    unsigned started, killed;
};

void world_open(struct test_world *world, const struct page *pages, size_t page_count,
                struct zone *zones, size_t zone_count);
void world_close(struct test_world *world);

/* What became of a request. */
struct outcome {
    bool is_over, is_answered, is_ours;
    struct error error;
    unsigned status;
    char url[512], fields[4096];
    char body[8192]; /* its beginning */
    size_t body_size;
    struct line_ticket *ticket;
};
/* "~" in the URL and in rules stands for the server's port.  Runs until the answer is there. */
void world_fetch(struct test_world *world, struct outcome *outcome, const char *url,
                 const struct outbound_request *request);
/* Without waiting. */
void world_begin(struct test_world *world, struct outcome *outcome, const char *url,
                 const struct outbound_request *request);
void world_turn(struct test_world *world, int timeout_ms);

#endif
