/* SPDX-License-Identifier: Apache-2.0 */
/* Both ends of the keeper's table in one process, over a socket pair and a made-up platform. */
#include "keys/keeper.h"

#include "base/ipc.h"
#include "core/hex.h"
#include "keys/keeper_desk.h"
#include "keys/keys_test_support.h"
#include "keys/sealing.h"
#include "tests/harness.h"

#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

static bool made_up_evidence(void *context, const struct digest64 *report_data,
                             struct buffer *quote, struct error *error)
{
    (void)context;
    (void)error;
    buffer_append_string(quote, "quote over ");
    buffer_append(quote, BYTES_OF(report_data->bytes));
    return true;
}

enum {
    NOW_S = 1790000050 /* within the validity of test_keyset */
};

static uint64_t fixed_time_ns(const struct clock *clock)
{
    (void)clock;
    return UINT64_C(1000000000) * NOW_S;
}

static const struct clock fixed_clock = { .realtime_ns = fixed_time_ns,
                                          .monotonic_ns = fixed_time_ns };

/* A keeper in a thread of its own. */
struct stage {
    struct keeper_service service;
    int event_register; /* an anonymous file */
    int service_socket;
    int client_socket;
    pthread_t thread;
    bool ended_well;
};

static void *serve(void *context)
{
    struct stage *stage = context;
    struct error error = { 0 };
    stage->ended_well = keeper_serve(&stage->service, stage->service_socket, &error);
    return NULL;
}

static bool stage_start(struct stage *stage)
{
    *stage = (struct stage){ 0 };
    stage->service.clock = &fixed_clock;
    stage->service.root = (struct secret32){ { 5, 6, 7 } };
    stage->service.platform = (struct platform){ .name = "sim", .evidence = made_up_evidence };
    memcpy(stage->service.platform.node, "00112233445566778899aabbccddeeff", KEYS_NODE_SIZE);
    stage->event_register = memfd_create("register", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    struct event_book_options events = {
        .target = event_register_of(&stage->service.platform, &stage->event_register),
        .clock = &fixed_clock,
        .file = -1,
        .node = stage->service.platform.node,
        .platform = "sim",
    };
    struct error error = { 0 };
    int ends[2];
    if (!event_book_open(&stage->service.events, &events, &error) ||
        socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0)
        return false;
    stage->service_socket = ends[0];
    stage->client_socket = ends[1];
    return pthread_create(&stage->thread, NULL, serve, stage) == 0;
}

static bool stage_end(struct stage *stage)
{
    pthread_join(stage->thread, NULL);
    event_book_done(&stage->service.events);
    close(stage->event_register);
    return stage->ended_well;
}

static void endorses_and_gives_evidence(void)
{
    struct error error = { 0 };
    struct stage stage;
    REQUIRE(stage_start(&stage));
    AUTO(keeper) struct keeper *keeper = NULL;
    REQUIRE(keeper_connect(&keeper, stage.client_socket, &error));
    struct keeper_info info;
    REQUIRE(keeper_get_info(keeper, &info, &error));
    CHECK_STRING(info.platform, "sim");
    CHECK_STRING(info.node, "00112233445566778899aabbccddeeff");
    struct keyset expected = test_keyset(), keyset;
    AUTO_BUFFER struct buffer text, again, quote;
    buffer_init(&text, KEYSET_SIZE_MAX);
    buffer_init(&again, KEYSET_SIZE_MAX);
    buffer_init(&quote, EVIDENCE_SIZE_MAX);
    REQUIRE(keeper_endorse(keeper, &expected.receipt_key, &expected.tls_key, &expected.validity,
                           &text, &error));
    REQUIRE(keyset_parse(&keyset, buffer_view(&text), &error));
    CHECK(ecdsa_public_equal(&keyset.receipt_key, &expected.receipt_key));
    CHECK(ecdsa_public_equal(&keyset.tls_key, &expected.tls_key));
    CHECK(keyset.validity.not_after_s == expected.validity.not_after_s);
    CHECK_STRING(keyset.node, info.node);
    REQUIRE(keeper_endorse(keeper, &expected.receipt_key, &expected.tls_key, &expected.validity,
                           &again, &error));
    CHECK_BYTES(buffer_view(&again), buffer_view(&text)); /* the encryption key is derived */
    struct digest32 digest = keyset_digest(buffer_view(&text));
    struct nonce32 nonce = { { 1, 2, 3 } };
    REQUIRE(keeper_evidence(keeper, &digest, &nonce, &quote, &error));
    struct digest64 data = report_data_of(&digest, &nonce);
    CHECK_BYTES(bytes_part(buffer_view(&quote), 11, 64), BYTES_OF(data.bytes));
    digest.bytes[0] ^= 1;
    CHECK(!keeper_evidence(keeper, &digest, &nonce, &quote, &error));
    CHECK_NUMBER(error.code, ERROR_DENIED);
    struct keyset_validity too_long = { NOW_S, NOW_S + KEYSET_VALIDITY_MAX_S + 1 };
    CHECK(!keeper_endorse(keeper, &expected.receipt_key, &expected.tls_key, &too_long, &again,
                          &error));
    CHECK_NUMBER(error.code, ERROR_INVALID);
    keeper_close(TAKE(keeper));
    CHECK(stage_end(&stage));
}

static void endorses_for_about_now_only(void)
{
    static const struct {
        int64_t not_before_s;
        bool is_endorsed;
    } cases[] = {
        { NOW_S, true },
        { NOW_S - KEYSET_VALIDITY_MAX_S, true },
        { NOW_S + KEEPER_CLOCK_SKEW_MAX_S, true },
        { NOW_S - KEYSET_VALIDITY_MAX_S - 1, false },
        { NOW_S + KEEPER_CLOCK_SKEW_MAX_S + 1, false },
        { NOW_S + 365 * 86400, false },
        { 0, false },
    };
    struct error error = { 0 };
    struct stage stage;
    REQUIRE(stage_start(&stage));
    AUTO(keeper) struct keeper *keeper = NULL;
    REQUIRE(keeper_connect(&keeper, stage.client_socket, &error));
    struct keyset keys = test_keyset();
    AUTO_BUFFER struct buffer text;
    buffer_init(&text, KEYSET_SIZE_MAX);
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        struct keyset_validity validity = { cases[i].not_before_s, cases[i].not_before_s + 10 };
        buffer_clear(&text);
        bool is_endorsed =
            keeper_endorse(keeper, &keys.receipt_key, &keys.tls_key, &validity, &text, &error);
        CHECK_NOTE(is_endorsed == cases[i].is_endorsed, "case %zu", i);
        CHECK(is_endorsed || error.code == ERROR_DENIED);
    }
    keeper_close(TAKE(keeper));
    CHECK(stage_end(&stage));
}

/* The log in order, as a verifier replays it, one kind after the other. */
static void check_kinds(struct bytes log, const char *const *kinds, size_t count)
{
    struct events_replay replay;
    struct event event;
    struct error error = { 0 };
    bool is_over = false;
    events_begin(&replay, log);
    for (size_t i = 0; i < count; i++) {
        CHECK(events_next(&replay, &event, &is_over, &error) && !is_over);
        CHECK_NOTE(is_over || event_is(&event, kinds[i]), "entry %zu", i + 1);
    }
    CHECK(events_next(&replay, &event, &is_over, &error) && is_over);
}

static void logs_before_it_releases(void)
{
    static const char *const kinds[] = { "start", "load", "keyset", "policy", "keyset" };
    struct error error = { 0 };
    struct stage stage;
    REQUIRE(stage_start(&stage));
    AUTO(keeper) struct keeper *keeper = NULL;
    REQUIRE(keeper_connect(&keeper, stage.client_socket, &error));
    struct keyset keys = test_keyset(), keyset;
    AUTO_BUFFER struct buffer text, log, rest;
    buffer_init(&text, KEYSET_SIZE_MAX);
    buffer_init(&log, EVENTS_SIZE_MAX);
    buffer_init(&rest, EVENTS_SIZE_MAX);
    CHECK(keeper_append(keeper, "load", "{\"version\":\"00\"}", &error));
    for (int i = 0; i < 2; i++) { /* the same keys again are no release */
        buffer_clear(&text);
        REQUIRE(keeper_endorse(keeper, &keys.receipt_key, &keys.tls_key, &keys.validity, &text,
                               &error));
        REQUIRE(keyset_parse(&keyset, buffer_view(&text), &error));
        CHECK_NUMBER(keyset.events.count, 3 + i);
        CHECK_STRING(keyset.events.event_register, "none");
        if (i == 0)
            CHECK(keeper_append(keeper, "policy", "{}", &error));
    }
    keys.validity.not_after_s--;
    CHECK(keeper_endorse(keeper, &keys.receipt_key, &keys.tls_key, &keys.validity, &text, &error));
    REQUIRE(keeper_events(keeper, 0, &log, &error));
    check_kinds(buffer_view(&log), kinds, ARRAY_COUNT(kinds));
    struct events_verdict verdict;
    struct events_expected expected = { .count = keyset.events.count, .head = keyset.events.head };
    CHECK(events_verify(&verdict, buffer_view(&log), &expected, &error));
    REQUIRE(keeper_events(keeper, 3, &rest, &error));
    CHECK(rest.size < log.size &&
          memcmp(log.data + log.size - rest.size, rest.data, rest.size) == 0);
    buffer_clear(&rest);
    CHECK(keeper_events(keeper, 1000, &rest, &error) && rest.size == 0);
    struct bytes key;
    struct digest32 id = ecdsa_public_id(&keys.receipt_key);
    struct events_replay replay;
    struct event event;
    bool is_over;
    events_begin(&replay, buffer_view(&log));
    for (int i = 0; i < 3; i++)
        CHECK(events_next(&replay, &event, &is_over, &error));
    CHECK(event_detail(event.details, "receipt_key", &key) &&
          bytes_equal_string(key, hex_of_digest(&id).text));
    /* What the keeper alone may say, and what is no event. */
    CHECK(!keeper_append(keeper, "keyset", "{}", &error) && error.code == ERROR_DENIED);
    CHECK(!keeper_append(keeper, "root", "{}", &error) && error.code == ERROR_DENIED);
    CHECK(!keeper_append(keeper, "start", "{\"format\":1}", &error) && error.code == ERROR_DENIED);
    CHECK(!keeper_append(keeper, "Load", "{}", &error) && error.code == ERROR_INVALID);
    CHECK(!keeper_append(keeper, "load", "{ }", &error) && error.code == ERROR_INVALID);
    CHECK(!keeper_append(keeper, "load", "", &error) && error.code == ERROR_INVALID);
    CHECK(!keeper_append(keeper, "", "{}", &error) && error.code == ERROR_INVALID);
    keeper_close(TAKE(keeper));
    CHECK(stage_end(&stage));
}

/* A register that fails: nothing is released, and nothing stays in the log. */
static void releases_nothing_unlogged(void)
{
    struct error error = { 0 };
    struct stage stage;
    REQUIRE(stage_start(&stage));
    AUTO(keeper) struct keeper *keeper = NULL;
    REQUIRE(keeper_connect(&keeper, stage.client_socket, &error));
    struct keyset keys = test_keyset();
    AUTO_BUFFER struct buffer text, log;
    buffer_init(&text, KEYSET_SIZE_MAX);
    buffer_init(&log, EVENTS_SIZE_MAX);
    CHECK(fcntl(stage.event_register, F_ADD_SEALS, F_SEAL_WRITE) == 0);
    CHECK(!keeper_endorse(keeper, &keys.receipt_key, &keys.tls_key, &keys.validity, &text, &error));
    CHECK_NOTE(strstr(error.text, "register") != NULL, "%s", error.text);
    CHECK_NUMBER(text.size, 0);
    CHECK(!keeper_append(keeper, "load", "{}", &error));
    CHECK(keeper_events(keeper, 0, &log, &error));
    check_kinds(buffer_view(&log), (const char *const[]){ "start" }, 1);
    keeper_close(TAKE(keeper));
    CHECK(stage_end(&stage));
}

static void only_the_last_keysets_get_evidence(void)
{
    struct error error = { 0 };
    struct stage stage;
    REQUIRE(stage_start(&stage));
    AUTO(keeper) struct keeper *keeper = NULL;
    REQUIRE(keeper_connect(&keeper, stage.client_socket, &error));
    struct keyset keys = test_keyset();
    struct digest32 digests[KEEPER_KEYSETS_MAX + 1];
    AUTO_BUFFER struct buffer text, quote;
    buffer_init(&text, KEYSET_SIZE_MAX);
    buffer_init(&quote, EVIDENCE_SIZE_MAX);
    for (int i = 0; i <= KEEPER_KEYSETS_MAX; i++) {
        struct keyset_validity validity = { NOW_S + i, NOW_S + 1000 + i };
        buffer_clear(&text);
        REQUIRE(keeper_endorse(keeper, &keys.receipt_key, &keys.tls_key, &validity, &text, &error));
        digests[i] = keyset_digest(buffer_view(&text));
    }
    struct nonce32 nonce = { { 0 } };
    CHECK(!keeper_evidence(keeper, &digests[0], &nonce, &quote, &error));
    for (int i = 1; i <= KEEPER_KEYSETS_MAX; i++)
        CHECK(keeper_evidence(keeper, &digests[i], &nonce, &quote, &error));
    keeper_close(TAKE(keeper));
    CHECK(stage_end(&stage));
}

static void seals_for_the_store(void)
{
    struct error error = { 0 };
    struct stage stage;
    REQUIRE(stage_start(&stage));
    AUTO(keeper) struct keeper *keeper = NULL;
    REQUIRE(keeper_connect(&keeper, stage.client_socket, &error));
    struct sealer sealer = keeper_sealer(keeper);
    struct secret32 root = stage.service.root;
    struct sealer local = sealing_local(&root);
    size_t size = STORE_CHUNK_SIZE;
    uint8_t *content = malloc(size);
    REQUIRE(content != NULL);
    memset(content, 0x3c, size);
    AUTO_BUFFER struct buffer sealed, plain, local_plain;
    buffer_init(&sealed, 2 << 20);
    buffer_init(&plain, 2 << 20);
    buffer_init(&local_plain, 2 << 20);
    struct bytes associated = BYTES_LITERAL("here");
    CHECK(sealer.seal(sealer.context, "app", associated, bytes_of(content, size), &sealed, &error));
    CHECK(sealer.open(sealer.context, "app", associated, buffer_view(&sealed), &plain, &error));
    CHECK(bytes_equal(buffer_view(&plain), bytes_of(content, size)));
    CHECK(local.open(local.context, "app", associated, buffer_view(&sealed), &local_plain, &error));
    CHECK(!sealer.open(sealer.context, "other", associated, buffer_view(&sealed), &plain, &error));
    CHECK_NUMBER(error.code, ERROR_CORRUPT);
    CHECK(!sealer.open(sealer.context, "app", BYTES_LITERAL("there"), buffer_view(&sealed), &plain,
                       &error));
    CHECK_NUMBER(error.code, ERROR_CORRUPT);
    buffer_clear(&sealed);
    CHECK(sealer.seal(sealer.context, "app", associated, (struct bytes){ 0 }, &sealed, &error));
    buffer_clear(&plain);
    CHECK(sealer.open(sealer.context, "app", associated, buffer_view(&sealed), &plain, &error) &&
          plain.size == 0);
    free(content);
    keeper_close(TAKE(keeper));
    CHECK(stage_end(&stage));
}

/* What came back when a raw request was sent: the answer's error, or none; `ended`: whether the
 * keeper hung up. */
static enum error_code ask_raw(uint16_t type, struct bytes payload, bool *ended)
{
    struct error error = { 0 };
    struct stage stage;
    *ended = false;
    if (!stage_start(&stage))
        return ERROR_INTERNAL;
    AUTO(ipc) struct ipc *ipc = NULL;
    struct ipc_message answer;
    if (!ipc_new(&ipc, stage.client_socket, KEEPER_PAYLOAD_MAX, &error))
        return ERROR_INTERNAL;
    bool answered = ipc_call(ipc, type, payload, NULL, 0, &answer, 5000, &error);
    if (answered)
        ipc_message_done(&answer);
    ipc_free(TAKE(ipc));
    *ended = !stage_end(&stage);
    return answered ? ERROR_NONE : error.code;
}

static void bad_requests_are_refused(void)
{
    bool ended;
    uint8_t zeros[300] = { 0 };
    ask_raw(99, (struct bytes){ 0 }, &ended);
    CHECK(ended);
    ask_raw(0, (struct bytes){ 0 }, &ended);
    CHECK(ended);
    ask_raw(KEEPER_INFO, bytes_of(zeros, 1), &ended);
    CHECK(ended);
    ask_raw(KEEPER_ENDORSE, BYTES_OF(zeros), &ended);
    CHECK(ended);
    CHECK_NUMBER(ask_raw(KEEPER_ENDORSE, bytes_of(zeros, 144), &ended), ERROR_INVALID);
    CHECK(!ended);
    CHECK_NUMBER(ask_raw(KEEPER_ENDORSE, bytes_of(zeros, 143), &ended), ERROR_INVALID);
    CHECK_NUMBER(ask_raw(KEEPER_EVIDENCE, bytes_of(zeros, 63), &ended), ERROR_INVALID);
    CHECK_NUMBER(ask_raw(KEEPER_UNSEAL, bytes_of(zeros, 42), &ended), ERROR_INVALID);
    CHECK_NUMBER(ask_raw(KEEPER_UNSEAL, bytes_of(zeros, 43), &ended), ERROR_INVALID);
    zeros[9] = 2; /* the AEAD; the keyset began in 1970 */
    CHECK_NUMBER(ask_raw(KEEPER_UNSEAL, bytes_of(zeros, 43), &ended), ERROR_DENIED);
    zeros[9] = 0;
    CHECK_NUMBER(ask_raw(KEEPER_EVENTS, bytes_of(zeros, 7), &ended), ERROR_INVALID);
    CHECK_NUMBER(ask_raw(KEEPER_EVENTS, bytes_of(zeros, 8), &ended), ERROR_NONE);
    CHECK_NUMBER(ask_raw(KEEPER_APPEND, bytes_of(zeros, 8), &ended), ERROR_INVALID);
    CHECK_NUMBER(ask_raw(KEEPER_APPEND, BYTES_LITERAL("load"), &ended), ERROR_INVALID);
    CHECK_NUMBER(ask_raw(KEEPER_APPEND, BYTES_LITERAL("load\0{}\0"), &ended), ERROR_INVALID);
    CHECK_NUMBER(ask_raw(KEEPER_APPEND, BYTES_LITERAL("load\0{}"), &ended), ERROR_NONE);
    CHECK_NUMBER(ask_raw(KEEPER_EVIDENCE, bytes_of(zeros, 64), &ended), ERROR_DENIED);
    CHECK_NUMBER(ask_raw(KEEPER_SEAL, (struct bytes){ 0 }, &ended), ERROR_INVALID);
    CHECK_NUMBER(ask_raw(KEEPER_SEAL, BYTES_OF(zeros), &ended), ERROR_INVALID);
    zeros[0] = 200; /* a space longer than any */
    CHECK_NUMBER(ask_raw(KEEPER_SEAL, BYTES_OF(zeros), &ended), ERROR_INVALID);
    zeros[0] = 3; /* with a NUL inside */
    CHECK_NUMBER(ask_raw(KEEPER_OPEN, BYTES_OF(zeros), &ended), ERROR_INVALID);
    zeros[2] = zeros[3] = zeros[4] = 'a';
    CHECK_NUMBER(ask_raw(KEEPER_OPEN, BYTES_OF(zeros), &ended), ERROR_CORRUPT);
    zeros[5] = 0xff;
    zeros[6] = 0xff; /* more associated data than there is */
    CHECK_NUMBER(ask_raw(KEEPER_SEAL, BYTES_OF(zeros), &ended), ERROR_INVALID);
    CHECK(!ended);
}

static void a_lost_keeper_is_unavailable_until_reconnected(void)
{
    struct error error = { 0 };
    struct stage stage;
    AUTO(keeper) struct keeper *keeper = NULL;
    int ends[2];
    REQUIRE(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) == 0);
    REQUIRE(keeper_connect(&keeper, ends[0], &error));
    close(ends[1]);
    struct keeper_info info;
    CHECK(!keeper_get_info(keeper, &info, &error) && error.code == ERROR_UNAVAILABLE);
    CHECK(!keeper_get_info(keeper, &info, &error) && error.code == ERROR_UNAVAILABLE);
    REQUIRE(stage_start(&stage));
    REQUIRE(keeper_reconnect(keeper, stage.client_socket, &error));
    CHECK(keeper_get_info(keeper, &info, &error));
    keeper_close(TAKE(keeper));
    CHECK(stage_end(&stage));
}

/* --- secrets --- */

/* A secret sealed to the keyset that begins now. */
static void secret_sealed(struct buffer *envelope, const struct secret_place *place,
                          struct keeper *keeper, const char *value)
{
    struct keyset expected = test_keyset(), keyset;
    AUTO_BUFFER struct buffer text;
    struct error error;
    buffer_init(&text, KEYSET_SIZE_MAX);
    buffer_init(envelope, 1 << 20);
    REQUIRE(keeper_endorse(keeper, &expected.receipt_key, &expected.tls_key, &expected.validity,
                           &text, &error) &&
            keyset_parse(&keyset, buffer_view(&text), &error) &&
            secret_seal(envelope, place, &keyset.encryption_key, bytes_of_string(value), &error));
}

static size_t events_of_kind(struct keeper *keeper, const char *kind)
{
    AUTO_BUFFER struct buffer log;
    struct error error;
    size_t count = 0;
    char text[64];
    buffer_init(&log, EVENTS_SIZE_MAX);
    snprintf(text, sizeof(text), "\"kind\":\"%s\"", kind);
    CHECK(keeper_events(keeper, 0, &log, &error));
    buffer_append(&log, bytes_of("", 1));
    for (const char *at = (const char *)log.data; (at = strstr(at, text)) != NULL; at++)
        count++;
    return count;
}

static void secrets_are_taken_and_released_at_their_place(void)
{
    struct secret_place place = {
        .application = "shop", .owner = { { 1 } }, .name = "API_KEY", .version = 1
    };
    struct digest32 receiver = { { 3 } }, another = { { 4 } };
    struct error error = { 0 };
    struct stage stage;
    REQUIRE(stage_start(&stage));
    AUTO(keeper) struct keeper *keeper = NULL;
    AUTO_BUFFER struct buffer envelope, sealed, value;
    REQUIRE(keeper_connect(&keeper, stage.client_socket, &error));
    secret_sealed(&envelope, &place, keeper, "swordfish");
    int64_t not_before_s = test_keyset().validity.not_before_s;
    buffer_init(&sealed, 1 << 20);
    buffer_init(&value, 1 << 20);
    CHECK(!keeper_admit(keeper, &place, not_before_s - 1, buffer_view(&envelope), &sealed, &error));
    CHECK_NUMBER(error.code, ERROR_UNVERIFIED); /* another keyset's key */
    CHECK(!keeper_admit(keeper, &place, NOW_S - KEYSET_VALIDITY_MAX_S - 1, buffer_view(&envelope),
                        &sealed, &error));
    CHECK_NUMBER(error.code, ERROR_DENIED); /* too old for anything */
    REQUIRE(keeper_admit(keeper, &place, not_before_s, buffer_view(&envelope), &sealed, &error));
    size_t before = events_of_kind(keeper, "key");
    REQUIRE(keeper_release(keeper, &place, &receiver, buffer_view(&sealed), &value, &error));
    CHECK(bytes_equal_string(buffer_view(&value), "swordfish"));
    CHECK_NUMBER(events_of_kind(keeper, "key"), before + 1);
    REQUIRE(keeper_release(keeper, &place, &receiver, buffer_view(&sealed), &value, &error));
    CHECK_NUMBER(events_of_kind(keeper, "key"), before + 1); /* once */
    stage.service.handed_out_count = 0;                      /* as after a restart */
    REQUIRE(keeper_release(keeper, &place, &receiver, buffer_view(&sealed), &value, &error));
    CHECK_NUMBER(events_of_kind(keeper, "key"), before + 1);
    REQUIRE(keeper_release(keeper, &place, &another, buffer_view(&sealed), &value, &error));
    CHECK_NUMBER(events_of_kind(keeper, "key"), before + 2);
    place.owner.bytes[0] = 2;
    CHECK(!keeper_release(keeper, &place, &receiver, buffer_view(&sealed), &value, &error));
    CHECK_NUMBER(error.code, ERROR_CORRUPT);
    /* The general requests do not reach them. */
    struct sealer sealer = keeper_sealer(keeper);
    CHECK(!sealer.open(sealer.context, "secret/shop/01000000000000000000000000000000",
                       (struct bytes){ 0 }, buffer_view(&sealed), &value, &error));
    CHECK_NUMBER(error.code, ERROR_DENIED);
    CHECK(!sealer.seal(sealer.context, "secret/shop/01000000000000000000000000000000",
                       (struct bytes){ 0 }, BYTES_LITERAL("x"), &value, &error));
    CHECK_NUMBER(error.code, ERROR_DENIED);
    keeper_close(TAKE(keeper));
    CHECK(stage_end(&stage));
}

/* --- the desk --- */

struct desk_job {
    struct keeper_job job;
    bool ran;
    struct error failure;
    unsigned done;
};

static bool desk_job_run(struct keeper_job *job, struct keeper *keeper, struct error *error)
{
    struct keeper_info info;
    ((struct desk_job *)job)->ran = true;
    return keeper_get_info(keeper, &info, error);
}

static void desk_job_done(struct keeper_job *job, const struct error *failure)
{
    struct desk_job *own = (struct desk_job *)job;
    own->failure = failure == NULL ? (struct error){ 0 } : *failure;
    own->done++;
}

static void desk_wait(struct keeper_desk *desk, const struct desk_job *job)
{
    while (job->done == 0) {
        struct pollfd readable = { keeper_desk_descriptor(desk), POLLIN, 0 };
        REQUIRE(poll(&readable, 1, TEST_PATIENCE_MS) == 1);
        keeper_desk_take(desk);
    }
}

static void the_desk_does_what_is_left_there(void)
{
    struct desk_job jobs[20] = { 0 };
    struct error error = { 0 };
    struct stage stage;
    REQUIRE(stage_start(&stage));
    AUTO(keeper) struct keeper *keeper = NULL;
    struct keeper_desk *desk = NULL;
    REQUIRE(keeper_connect(&keeper, stage.client_socket, &error));
    REQUIRE(keeper_desk_new(&desk, keeper, &error));
    for (size_t i = 0; i < ARRAY_COUNT(jobs); i++) {
        jobs[i].job = (struct keeper_job){ .run = desk_job_run, .done = desk_job_done };
        keeper_desk_leave(desk, &jobs[i].job);
    }
    desk_wait(desk, &jobs[ARRAY_COUNT(jobs) - 1]);
    for (size_t i = 0; i < ARRAY_COUNT(jobs); i++)
        CHECK(jobs[i].ran && jobs[i].done == 1 && jobs[i].failure.code == ERROR_NONE);
    shutdown(stage.client_socket, SHUT_RDWR);
    jobs[0].done = 0;
    keeper_desk_leave(desk, &jobs[0].job);
    desk_wait(desk, &jobs[0]);
    CHECK_NUMBER(jobs[0].failure.code, ERROR_UNAVAILABLE);
    for (size_t i = 0; i < ARRAY_COUNT(jobs); i++) {
        jobs[i].done = 0;
        keeper_desk_leave(desk, &jobs[i].job);
    }
    keeper_desk_free(desk); /* whatever it came to */
    for (size_t i = 0; i < ARRAY_COUNT(jobs); i++)
        CHECK(jobs[i].done == 1 && jobs[i].failure.code == ERROR_UNAVAILABLE);
    keeper_close(TAKE(keeper));
    CHECK(stage_end(&stage));
}

static const struct test tests[] = {
    TEST(secrets_are_taken_and_released_at_their_place),
    TEST(the_desk_does_what_is_left_there),
    TEST(endorses_and_gives_evidence),
    TEST(endorses_for_about_now_only),
    TEST(logs_before_it_releases),
    TEST(releases_nothing_unlogged),
    TEST(only_the_last_keysets_get_evidence),
    TEST(seals_for_the_store),
    TEST(bad_requests_are_refused),
    TEST(a_lost_keeper_is_unavailable_until_reconnected),
};
TEST_MAIN(tests)
