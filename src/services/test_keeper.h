/* SPDX-License-Identifier: Apache-2.0 */
/* For tests: a keeper in a thread, a desk to it, and one call of a service at a time. */
#ifndef SERVICES_TEST_KEEPER_H
#define SERVICES_TEST_KEEPER_H

#include "keys/keeper_desk.h"
#include "services/services.h"

extern struct keeper_service test_keeper;
extern struct keeper *test_keeper_client;
extern struct keeper_desk *test_desk;

bool test_keeper_start(void);
void test_keeper_end(void);

/* What came of the last call. */
struct test_answer {
    unsigned count; /* 0: it is on its way */
    int64_t value;
    uint8_t data[4096];
    size_t size;
    const char *text; /* the same, ended by NUL */
};
extern struct test_answer test_answer;
/* Begins a list of one. */
void test_ask(struct service_scope *scope, const struct call_request *request);
/* Until something is through at the desk, which is taken. */
void test_desk_wait(void);
/* Both until it is answered; its value. */
int64_t test_call(struct service_scope *scope, const struct call_request *request);

#endif
