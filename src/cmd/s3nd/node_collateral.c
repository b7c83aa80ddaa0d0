/* SPDX-License-Identifier: Apache-2.0 */
#include "attest/eat/cmw.h"
#include "base/file.h"
#include "base/log.h"
#include "cmd/s3nd/fetcher.h"
#include "cmd/s3nd/node.h"
#include "collateral/collateral.h"
#include "collateral/schedule.h"
#include "core/reader.h"
#include "core/time.h"
#include "crypto/base64.h"
#include "crypto/random.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum {
    OTHER_S_MIN = 60 /* between two questions because the machine seems to be another */
};

struct node_collateral {
    struct node *node;
    uv_timer_t timer;
    bool is_ended; /* freed when the timer is closed and no request is under way */
    bool is_asking, is_closed;
    int answer;                     /* file of the request under way; -1 */
    struct buffer bundle;           /* a wrapper, CBOR */
    struct attest_collateral parts; /* views into it */
    struct digest32 subject;        /* that it is about */
    int64_t issued_s, next_update_s, asked_s;
    struct collateral_schedule times;
    uint64_t asked, failed;
    struct error error; /* of the latest request; code 0: none */
};

static int64_t now_s(void)
{
    return (int64_t)(clock_realtime_ns(&clock_system) / 1000000000u);
}

static void release(struct node_collateral *collateral)
{
    if (!collateral->is_closed || collateral->is_asking)
        return;
    file_close(&collateral->answer);
    buffer_done(&collateral->bundle);
    free(collateral);
}

/* --- the answer --- */

struct answer {
    struct buffer bundle;
    struct attest_collateral parts;
    struct digest32 subject;
    int64_t issued_s, next_update_s, due_s, refused_until_s;
    const char *error;
};

static bool bundle_read(struct answer *answer, const char *encoded, struct error *error)
{
    struct cmw cmw;
    struct bytes evidence;
    size_t capacity = strlen(encoded), size = 0;
    uint8_t *room = buffer_reserve(&answer->bundle, capacity + 1);
    if (room == NULL || !base64_decode(room, capacity, &size, bytes_of_string(encoded)))
        return error_set(error, ERROR_INVALID, "the answer about collateral is malformed");
    answer->bundle.size = size;
    /* CBOR: all are views. */
    return cmw_read(&cmw, bytes_of(room, size), NULL, 0, error) &&
           cmw_to_evidence(&cmw, &evidence, &answer->parts, error) &&
           collateral_subject_of(&answer->subject, evidence, error);
}

static bool answer_read(struct answer *answer, const json_t *root, struct error *error)
{
    const char *bundle;
    return json_get_integer(root, "issued", 0, INT64_MAX, &answer->issued_s, error) &&
           json_get_integer(root, "next_update", 0, INT64_MAX, &answer->next_update_s, error) &&
           json_get_integer(root, "due", 0, INT64_MAX, &answer->due_s, error) &&
           json_get_integer(root, "refused_until", 0, INT64_MAX, &answer->refused_until_s, error) &&
           json_get_string(root, "error", &answer->error, error) &&
           json_get_string(root, "bundle", &bundle, error) && bundle_read(answer, bundle, error);
}

/* What was had counts even when something is missing; nothing at all leaves what there was. */
static bool answer_take(struct node_collateral *collateral, int64_t *refused_until_s,
                        struct error *error)
{
    struct answer answer = { 0 };
    AUTO_JSON json_t *root = NULL;
    AUTO_BUFFER struct buffer text;
    buffer_init(&text, FETCHER_ANSWER_SIZE_MAX);
    buffer_init(&answer.bundle, FETCHER_ANSWER_SIZE_MAX);
    if (lseek(collateral->answer, 0, SEEK_SET) != 0 ||
        !file_read_descriptor(&text, collateral->answer, error) ||
        !json_parse(&root, buffer_view(&text), error) || !answer_read(&answer, root, error)) {
        buffer_done(&answer.bundle);
        return error_within(error, "collateral");
    }
    *refused_until_s = answer.refused_until_s;
    bool is_whole = answer.error[0] == '\0';
    if (is_whole || collateral->next_update_s < now_s()) {
        buffer_done(&collateral->bundle);
        collateral->bundle = answer.bundle;
        collateral->parts = answer.parts;
        collateral->subject = answer.subject;
        collateral->issued_s = answer.issued_s;
        collateral->next_update_s = answer.next_update_s;
        collateral->times.due_s = answer.due_s;
    } else {
        buffer_done(&answer.bundle);
    }
    return is_whole || error_set(error, ERROR_UNAVAILABLE, "%s", answer.error);
}

/* --- asking --- */

static void on_time(uv_timer_t *timer);

static void schedule(struct node_collateral *collateral, uint64_t wait_ms)
{
    if (!collateral->is_ended)
        uv_timer_start(&collateral->timer, on_time, wait_ms, 0);
}

static void schedule_next(struct node_collateral *collateral)
{
    schedule(collateral, collateral_schedule_wait_ms(&collateral->times, now_s()));
}

static void asked(struct node_collateral *collateral, bool is_whole, const struct error *error,
                  int64_t refused_until_s)
{
    bool was_failing = collateral->times.failures > 0;
    collateral->is_asking = false;
    collateral->asked_s = now_s();
    collateral->asked++;
    collateral->failed += !is_whole;
    collateral->times.failures = is_whole ? 0 : collateral->times.failures + 1;
    collateral->error = is_whole ? (struct error){ 0 } : *error;
    if (!is_whole)
        log_error("collateral", error);
    else if (was_failing || collateral->asked == 1)
        log_line(LOG_LEVEL_INFO, "collateral is there", NULL);
    collateral->times.has_asked = true;
    collateral->times.refused_until_s = refused_until_s;
    schedule_next(collateral);
}

static void answered(void *context, struct ipc_message *message, const struct error *failure)
{
    struct node_collateral *collateral = context;
    int64_t refused_until_s = 0;
    struct error error = { 0 };
    bool is_whole = false;
    if (message == NULL) {
        error = *failure;
    } else {
        struct reader reader = reader_of(message->payload);
        uint32_t status = read_u32_le(&reader);
        if (!read_end(&reader) || status != 0)
            error_set(&error, ERROR_UNAVAILABLE, "the process that asks for it failed (%u)",
                      (unsigned)status);
        else
            is_whole = answer_take(collateral, &refused_until_s, &error);
    }
    file_close(&collateral->answer);
    asked(collateral, is_whole, &error, refused_until_s);
    if (collateral->is_ended)
        release(collateral);
}

/* Over numbers of no meaning: it tells which machine this is. */
static bool evidence_make(struct node *node, int *file, struct error *error)
{
    struct nonce32 nonce;
    AUTO_BUFFER struct buffer evidence;
    AUTO_CLOSE int made = memfd_create("evidence", MFD_CLOEXEC);
    buffer_init(&evidence, FETCHER_EVIDENCE_SIZE_MAX);
    random_bytes(nonce.bytes, sizeof(nonce.bytes));
    if (made < 0)
        return error_system(error, "file for evidence");
    if (!node_evidence(node, &nonce, &evidence, error)) {
        node_keeper_failed(node, error);
        return false;
    }
    if (!file_write_all(made, buffer_view(&evidence), error) || lseek(made, 0, SEEK_SET) != 0)
        return error_within(error, "file for evidence");
    *file = made;
    made = -1;
    return true;
}

static bool ask(struct node_collateral *collateral, struct error *error)
{
    AUTO_CLOSE int evidence = -1;
    AUTO_CLOSE int answer = memfd_create("collateral", MFD_CLOEXEC);
    if (answer < 0)
        return error_system(error, "file for collateral");
    if (!evidence_make(collateral->node, &evidence, error))
        return false;
    int files[] = { evidence, answer };
    if (!supervisor_request(collateral->node->supervisor, SUPERVISOR_COLLATERAL,
                            (struct bytes){ 0 }, files, ARRAY_COUNT(files), answered, collateral,
                            error))
        return false;
    collateral->answer = answer;
    answer = -1;
    collateral->is_asking = true;
    return true;
}

static void on_time(uv_timer_t *timer)
{
    struct node_collateral *collateral = timer->data;
    struct error error;
    if (collateral->is_asking)
        return;
    if (!collateral_schedule_is_due(&collateral->times, now_s()))
        schedule_next(collateral);
    else if (!ask(collateral, &error))
        asked(collateral, false, &error, 0);
}

/* --- the node's side --- */

static bool is_wanted(const struct node *node)
{
    const char *platform = node->info.platform;
    return !node->config->collateral.is_off &&
           (strcmp(platform, "tdx") == 0 || strcmp(platform, "sgx") == 0 ||
            strcmp(platform, "snp") == 0);
}

void node_collateral_start(struct node *node)
{
    if (!is_wanted(node))
        return;
    struct node_collateral *made = calloc(1, sizeof(*made));
    if (made == NULL || uv_timer_init(&node->loop, &made->timer) != 0) {
        free(made);
        return;
    }
    buffer_init(&made->bundle, FETCHER_ANSWER_SIZE_MAX);
    made->node = node;
    made->answer = -1;
    made->timer.data = made;
    node->collateral = made;
    schedule(made, 0);
}

static void on_closed(uv_handle_t *handle)
{
    struct node_collateral *collateral = handle->data;
    collateral->is_closed = true;
    collateral->is_asking = false; /* requests without an answer are forgotten with the loop */
    release(collateral);
}

void node_collateral_end(struct node *node)
{
    struct node_collateral *collateral = TAKE(node->collateral);
    if (collateral == NULL)
        return;
    collateral->is_ended = true;
    uv_close((uv_handle_t *)&collateral->timer, on_closed);
}

/* The machine has another TCB than when it was asked about, or is another one after a migration:
 * what is there would spoil its evidence. */
static bool fits(struct node_collateral *collateral, struct bytes evidence)
{
    struct digest32 subject;
    struct error error;
    if (collateral_subject_of(&subject, evidence, &error) &&
        digest32_equal(&subject, &collateral->subject))
        return true;
    if (collateral->error.code == ERROR_NONE && !collateral->is_asking &&
        now_s() >= collateral->asked_s + OTHER_S_MIN) {
        log_line(LOG_LEVEL_INFO, "collateral is of another TCB or machine", NULL);
        collateral->times.due_s = 0;
        schedule(collateral, 0);
    }
    return false;
}

void node_collateral_add(struct node *node, struct buffer *evidence)
{
    struct node_collateral *collateral = node->collateral;
    struct error error;
    if (collateral == NULL || collateral->bundle.size == 0 ||
        !fits(collateral, buffer_view(evidence)))
        return;
    struct attest_collateral parts = collateral->parts;
    if (collateral->next_update_s < now_s())
        collateral_drop_stale(&parts, now_s());
    /* Bare, it is evidence all the same. */
    if (!collateral_add(evidence, &parts, &error))
        log_error("collateral", &error);
}

struct node_collateral_state node_collateral_state(const struct node *node)
{
    const struct node_collateral *collateral = node->collateral;
    if (collateral == NULL)
        return (struct node_collateral_state){ .error = "" };
    bool is_there = collateral->next_update_s >= now_s();
    return (struct node_collateral_state){
        .is_wanted = true,
        .is_there = is_there,
        .age_s = collateral->issued_s == 0 ? 0 : MAX(now_s() - collateral->issued_s, (int64_t)0),
        .next_update_s = collateral->next_update_s,
        .asked = collateral->asked,
        .failed = collateral->failed,
        .failures = collateral->times.failures,
        .error = collateral->error.text,
    };
}

void node_collateral_describe(struct buffer *text, const struct node *node)
{
    struct node_collateral_state state = node_collateral_state(node);
    char end[TIME_TEXT_SIZE + 1] = "?";
    (void)!time_format(end, state.next_update_s);
    if (!state.is_wanted)
        return;
    if (state.asked == 0)
        buffer_append_string(text, "collateral is being asked for\n");
    else if (!state.is_there)
        buffer_format(text, "collateral missing%s%s, %u failures",
                      state.next_update_s > 0 ? " since " : "", state.next_update_s > 0 ? end : "",
                      state.failures);
    else
        buffer_format(text, "collateral %lld s old, until %s, %u failures", (long long)state.age_s,
                      end, state.failures);
    if (state.asked > 0)
        buffer_format(text, "%s%s\n", state.error[0] == '\0' ? "" : ": ", state.error);
}
