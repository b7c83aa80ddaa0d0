/* SPDX-License-Identifier: Apache-2.0 */
#include "platform/platform.h"

#include "attest/events/events.h"
#include "tests/harness.h"
#include "tests/platform/fake_kernel.h"

#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

enum {
    TIMEOUT_MS = TEST_PATIENCE_MS,
    TIMEOUT_SHORT_MS = 1000, /* where it is what is tested */
    TIMEOUT_LONGEST_MS = 30000
};

/* A kernel with one interface. */
struct scene {
    struct fake_kernel kernel;
    struct fake_script *script;
    struct platform_options options;
    struct platform platform;
};

static void scene_done(struct scene *scene)
{
    platform_close(&scene->platform);
    fake_kernel_stop(&scene->kernel);
}
#define AUTO_SCENE __attribute__((cleanup(scene_done)))

/* Leaves the test with a skip where there is no FUSE. */
#define SCENE(scene, what)                                                                         \
    do {                                                                                           \
        const char *reason_;                                                                       \
        if (!fake_kernel_start(&(scene)->kernel, &reason_))                                        \
            SKIP("%s", reason_);                                                                   \
        (scene)->script = (scene)->kernel.script;                                                  \
        (scene)->script->provider = (what);                                                        \
        (scene)->options = (struct platform_options){ .folder = test_folder(),                     \
                                                      .system_root = (scene)->kernel.folder,       \
                                                      .timeout_ms = TIMEOUT_MS };                  \
    } while (0)

static bool open_as(struct scene *scene, const char *tee, struct error *error)
{
    *error = (struct error){ 0 };
    return platform_open(&scene->platform, tee, &scene->options, error);
}

/* Evidence over new report data, which must be in it at `offset`. */
static bool ask(struct scene *scene, size_t offset, struct error *error)
{
    static uint8_t count;
    struct digest64 report_data = { { ++count, 1, 2, 3, [63] = 9 } };
    AUTO_BUFFER struct buffer evidence;
    buffer_init(&evidence, PLATFORM_EVIDENCE_MAX);
    *error = (struct error){ 0 };
    if (!scene->platform.evidence(scene->platform.context, &report_data, &evidence, error))
        return false;
    CHECK_BYTES(bytes_part(buffer_view(&evidence), offset, 64), BYTES_OF(report_data.bytes));
    return true;
}

static const struct {
    const char *tee;
    enum fake_provider provider;
    const char *interface;
    size_t offset; /* of the report data in evidence */
    bool has_register;
} rows[] = {
    { "tdx", FAKE_TSM_TDX, "configfs-tsm", 48 + 520, true },
    { "snp", FAKE_TSM_SNP, "configfs-tsm", 0x50, false },
    { "sgx", FAKE_GRAMINE, "Gramine", 48 + 320, false },
};

static void opens_what_is_there(void)
{
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        AUTO_SCENE struct scene scene = { 0 };
        struct error error;
        SCENE(&scene, rows[i].provider);
        bool is_open = open_as(&scene, rows[i].tee, &error);
        CHECK_NOTE(is_open, "%s: %s", rows[i].tee, error.text);
        if (!is_open)
            continue;
        CHECK_STRING(scene.platform.name, rows[i].tee);
        CHECK_STRING(scene.platform.interface, rows[i].interface);
        CHECK_NUMBER(strlen(scene.platform.node), PLATFORM_NODE_SIZE);
        CHECK((scene.platform.extend != NULL) == rows[i].has_register);
        char node[PLATFORM_NODE_SIZE + 1];
        memcpy(node, scene.platform.node, sizeof(node));
        CHECK_NOTE(ask(&scene, rows[i].offset, &error), "%s", error.text);
        CHECK_NOTE(ask(&scene, rows[i].offset, &error), "%s", error.text);
        platform_close(&scene.platform);
        /* A second start finds the entry of the first, and the same machine. */
        REQUIRE(open_as(&scene, "auto", &error));
        CHECK_STRING(scene.platform.node, node);
    }
}

static void never_simulates_by_itself(void)
{
    AUTO_SCENE struct scene scene = { 0 };
    struct error error;
    SCENE(&scene, FAKE_NONE);
    static const char *const names[] = { "auto", "tdx", "snp", "nitro", "sgx" };
    for (size_t i = 0; i < ARRAY_COUNT(names); i++) {
        CHECK(!open_as(&scene, names[i], &error));
        CHECK_NUMBER(error.code, ERROR_UNAVAILABLE);
    }
    CHECK(!open_as(&scene, "tpm", &error));
    CHECK_NUMBER(error.code, ERROR_INVALID);
    scene.script->has_no_driver = true; /* configfs is mounted, no TEE behind it */
    CHECK(!open_as(&scene, "auto", &error));
    CHECK_NUMBER(error.code, ERROR_UNAVAILABLE);
    REQUIRE(open_as(&scene, "sim", &error));
    CHECK_STRING(scene.platform.name, "sim");
}

static void asks_for_what_was_named(void)
{
    AUTO_SCENE struct scene scene = { 0 };
    struct error error;
    SCENE(&scene, FAKE_TSM_SNP);
    CHECK(!open_as(&scene, "tdx", &error));
    CHECK_NUMBER(error.code, ERROR_UNAVAILABLE);
    CHECK_NOTE(strstr(error.text, "tdx") != NULL, "%s", error.text);
}

static void tries_again_while_it_is_busy(void)
{
    AUTO_SCENE struct scene scene = { 0 };
    struct error error;
    SCENE(&scene, FAKE_TSM_TDX);
    REQUIRE(open_as(&scene, "tdx", &error));
    scene.script->busy_count = 3;
    unsigned before = scene.script->read_count;
    CHECK_NOTE(ask(&scene, 48 + 520, &error), "%s", error.text);
    CHECK_NUMBER(scene.script->read_count - before, 4);
    platform_close(&scene.platform);
    scene.options.timeout_ms = TIMEOUT_SHORT_MS;
    AWAIT(open_as(&scene, "tdx", &error)); /* which a loaded machine may not do in a second */
    scene.script->busy_count = INT_MAX;
    CHECK(!ask(&scene, 48 + 520, &error));
    CHECK_NUMBER(error.code, ERROR_TIMEOUT);
    scene.script->busy_count = 0;
    AWAIT(ask(&scene, 48 + 520, &error));
}

static void notices_others_at_the_same_entry(void)
{
    AUTO_SCENE struct scene scene = { 0 };
    struct error error;
    SCENE(&scene, FAKE_TSM_SNP);
    REQUIRE(open_as(&scene, "snp", &error));
    scene.script->foreign_count = 2;
    unsigned before = scene.script->read_count;
    CHECK_NOTE(ask(&scene, 0x50, &error), "%s", error.text);
    CHECK_NUMBER(scene.script->read_count - before, 3);
    platform_close(&scene.platform);
    scene.options.timeout_ms = TIMEOUT_SHORT_MS;
    AWAIT(open_as(&scene, "snp", &error)); /* which a loaded machine may not do in a second */
    scene.script->foreign_count = INT_MAX;
    CHECK(!ask(&scene, 0x50, &error));
    CHECK_NUMBER(error.code, ERROR_TIMEOUT);
    scene.script->foreign_count = 0;
}

static void reads_however_little_it_gets(void)
{
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        AUTO_SCENE struct scene scene = { 0 };
        struct error error;
        SCENE(&scene, rows[i].provider);
        REQUIRE(open_as(&scene, rows[i].tee, &error));
        scene.script->is_short = rows[i].provider == FAKE_TSM_SNP; /* the shortest is enough */
        CHECK_NOTE(ask(&scene, rows[i].offset, &error), "%s", error.text);
    }
}

/* The first fact that does not hold, or NULL. */
#define NEED(fact)                                                                                 \
    do {                                                                                           \
        if (!(fact))                                                                               \
            return #fact;                                                                          \
    } while (0)

/* Runs `case` on a scene for each row; where the machine itself misses the time limit, again with
 * more of it. */
#define FOR_EACH_ROW_IN_TIME(function)                                                             \
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {                                               \
        struct error error;                                                                        \
        const char *missed = "";                                                                   \
        for (unsigned limit_ms = 400; missed != NULL && limit_ms < TIMEOUT_LONGEST_MS;             \
             limit_ms *= 4) {                                                                      \
            AUTO_SCENE struct scene scene = { 0 };                                                 \
            SCENE(&scene, rows[i].provider);                                                       \
            scene.options.timeout_ms = limit_ms;                                                   \
            missed = function(&scene, rows[i].tee, rows[i].offset, &error);                        \
        }                                                                                          \
        CHECK_NOTE(missed == NULL, "%s: %s: %s", rows[i].tee, missed, error.text);                 \
    }

/* Each of these must be an error in time, and the next good answer must be taken. */
static const char *survive_trouble(struct scene *scene, const char *tee, size_t offset,
                                   struct error *error)
{
    NEED(open_as(scene, tee, error));
    scene->script->hangs = true;
    NEED(!ask(scene, offset, error));
    NEED(error->code == ERROR_TIMEOUT);
    scene->script->hangs = false;
    scene->script->failure = EIO;
    NEED(!ask(scene, offset, error));
    NEED(error->os_errno == EIO);
    scene->script->failure = 0;
    scene->script->takes_half = true;
    NEED(!ask(scene, offset, error));
    scene->script->takes_half = false;
    NEED(ask(scene, offset, error));
    return NULL;
}

static void survives_a_kernel_in_trouble(void)
{
    FOR_EACH_ROW_IN_TIME(survive_trouble);
}

/* At the start an interface that hangs, lies or gives half of it is refused, not passed over. */
static const char *start_in_trouble(struct scene *scene, const char *tee, size_t offset,
                                    struct error *error)
{
    (void)offset;
    scene->script->lies = true;
    NEED(!open_as(scene, "auto", error));
    NEED(strstr(error->text, "about something else") != NULL);
    scene->script->lies = false;
    scene->script->is_cut = true;
    NEED(!open_as(scene, tee, error));
    NEED(error->code == ERROR_INVALID);
    scene->script->is_cut = false;
    scene->script->hangs = true;
    NEED(!open_as(scene, "auto", error));
    NEED(error->code == ERROR_TIMEOUT);
    scene->script->hangs = false;
    NEED(open_as(scene, "auto", error));
    return NULL;
}

static void does_not_start_with_a_kernel_in_trouble(void)
{
    FOR_EACH_ROW_IN_TIME(start_in_trouble);
}

static bool reads_twice_extended(struct scene *scene, const struct digest48 *digest)
{
    struct digest48 expected = { 0 }, value;
    struct error error = { 0 };
    events_extend(&expected, digest);
    events_extend(&expected, digest);
    bool done = scene->platform.read_register(scene->platform.context, &value, &error);
    CHECK_NOTE(done, "%s", error.text);
    return done && memcmp(value.bytes, expected.bytes, sizeof(value.bytes)) == 0;
}

static void extends_rtmr3(void)
{
    AUTO_SCENE struct scene scene = { 0 };
    struct error error;
    struct digest48 digest = { { 7, 8, 9 } };
    SCENE(&scene, FAKE_TSM_TDX);
    REQUIRE(open_as(&scene, "tdx", &error));
    REQUIRE(scene.platform.extend != NULL);
    CHECK(scene.platform.extend(scene.platform.context, &digest, &error));
    CHECK(scene.platform.extend(scene.platform.context, &digest, &error));
    CHECK_NUMBER(scene.script->extend_count, 2);
    CHECK_BYTES(BYTES_OF(scene.script->extended), BYTES_OF(digest.bytes));
    CHECK_STRING(scene.platform.event_register, "rtmr3");
    CHECK(reads_twice_extended(&scene, &digest));
    scene.script->takes_half = true;
    CHECK(!scene.platform.extend(scene.platform.context, &digest, &error));
    scene.script->takes_half = false;
}

/* The simulated register outlives its process, and its evidence shows it. */
static void sim_has_an_rtmr3(void)
{
    struct error error = { 0 };
    struct platform platform;
    struct digest48 digest = { { 4, 5, 6 } }, expected = { 0 }, zeros = { 0 }, value;
    struct platform_options options = { .folder = test_folder() };
    for (int i = 0; i < 3; i++) {
        REQUIRE(platform_open(&platform, "sim", &options, &error));
        CHECK_STRING(platform.event_register, "rtmr3");
        CHECK(platform.read_register(platform.context, &value, &error));
        CHECK_BYTES(BYTES_OF(value.bytes), BYTES_OF(expected.bytes));
        CHECK(platform.extend(platform.context, &digest, &error));
        events_extend(&expected, &digest);
        AUTO_BUFFER struct buffer evidence;
        buffer_init(&evidence, PLATFORM_EVIDENCE_MAX);
        struct digest64 report_data = { { 7 } };
        CHECK(platform.evidence(platform.context, &report_data, &evidence, &error));
        bool is_shown = false;
        for (size_t at = 0; at + 48 <= evidence.size && !is_shown; at++)
            is_shown = memcmp(evidence.data + at, expected.bytes, 48) == 0;
        CHECK(is_shown);
        platform_close(&platform);
    }
    char path[4096];
    snprintf(path, sizeof(path), "%s/sim-rtmr3", test_folder());
    FILE *file = fopen(path, "r+"); /* another boot */
    REQUIRE(file != NULL);
    fputc('x', file);
    fclose(file);
    REQUIRE(platform_open(&platform, "sim", &options, &error));
    CHECK(platform.read_register(platform.context, &value, &error));
    CHECK_BYTES(BYTES_OF(value.bytes), BYTES_OF(zeros.bytes));
    platform_close(&platform);
}

static void speaks_with_the_nitro_module(void)
{
    AUTO_SCENE struct scene scene = { 0 };
    struct error error;
    struct digest48 digest = { { 1, 2, 3 } };
    SCENE(&scene, FAKE_NSM);
    REQUIRE(open_as(&scene, "auto", &error));
    CHECK_STRING(scene.platform.name, "nitro");
    CHECK(scene.platform.extend(scene.platform.context, &digest, &error));
    CHECK_BYTES(BYTES_OF(scene.script->extended), BYTES_OF(digest.bytes));
    CHECK(scene.platform.extend(scene.platform.context, &digest, &error));
    CHECK_STRING(scene.platform.event_register, "pcr16");
    CHECK(reads_twice_extended(&scene, &digest));
    scene.script->extend_fails = true;
    CHECK(!scene.platform.extend(scene.platform.context, &digest, &error));
    scene.script->extend_fails = false;
    AUTO_BUFFER struct buffer evidence;
    buffer_init(&evidence, PLATFORM_EVIDENCE_MAX);
    struct digest64 report_data = { { 5 } };
    REQUIRE(scene.platform.evidence(scene.platform.context, &report_data, &evidence, &error));
    CHECK(platform_identify(&scene.platform, ATTEST_TEE_NITRO, buffer_view(&evidence), &report_data,
                            &error));
    scene.script->refuses = true;
    CHECK(!scene.platform.evidence(scene.platform.context, &report_data, &evidence, &error));
    CHECK_NOTE(strstr(error.text, "InvalidOperation") != NULL, "%s", error.text);
    scene.script->refuses = false;
    scene.script->failure = EMSGSIZE;
    CHECK(!scene.platform.evidence(scene.platform.context, &report_data, &evidence, &error));
    scene.script->failure = 0;
    platform_close(&scene.platform);
    scene.options.timeout_ms = TIMEOUT_SHORT_MS;
    AWAIT(open_as(&scene, "auto", &error)); /* which a loaded machine may not do in a second */
    scene.script->hangs = true;
    CHECK(!scene.platform.evidence(scene.platform.context, &report_data, &evidence, &error));
    CHECK_NOTE(error.code == ERROR_TIMEOUT, "%s", error.text);
    scene.script->hangs = false;
    platform_close(&scene.platform);
    scene.options.timeout_ms = TIMEOUT_MS;
    scene.script->lies = true;
    CHECK(!open_as(&scene, "nitro", &error));
    scene.script->lies = false;
    scene.script->is_cut = true;
    CHECK(!open_as(&scene, "nitro", &error));
}

static void needs_gramine_to_attest(void)
{
    AUTO_SCENE struct scene scene = { 0 };
    struct error error;
    SCENE(&scene, FAKE_GRAMINE);
    scene.script->refuses = true; /* attestation_type is none */
    CHECK(!open_as(&scene, "sgx", &error));
    CHECK_NUMBER(error.code, ERROR_UNAVAILABLE);
}

/* --- a quote generation service --- */

enum qgs_mode {
    QGS_GOOD,
    QGS_ERROR,
    QGS_CUT,
    QGS_SILENT,
    QGS_LONG
};

struct service {
    int listener;
    _Atomic int mode;
    pthread_t thread;
};

static void put_u32(uint8_t *at, uint32_t number, bool is_big)
{
    for (int i = 0; i < 4; i++)
        at[i] = (uint8_t)(number >> (8 * (is_big ? 3 - i : i)));
}

/* Answers one request with a real quote over the report data of the report. */
static void service_answer(int connection, int mode)
{
    static uint8_t answer[16 << 10];
    uint8_t request[4 + 16 + 8 + 1024];
    size_t taken = 0;
    while (taken < sizeof(request)) {
        ssize_t size = recv(connection, request + taken, sizeof(request) - taken, 0);
        if (size <= 0)
            return;
        taken += (size_t)size;
    }
    if (mode == QGS_SILENT) {
        (void)!recv(connection, request, 1, 0); /* until the other end gives up */
        return;
    }
    struct bytes quote = test_file("tests/data/attest/tdx_v4_phala_b0c06f.bin");
    uint32_t size = (uint32_t)(16 + 8 + quote.size);
    put_u32(answer, mode == QGS_LONG ? UINT32_MAX : size, true);
    put_u32(answer + 4, 1, false);
    put_u32(answer + 8, 1, false);
    put_u32(answer + 12, size, false);
    put_u32(answer + 16, mode == QGS_ERROR ? 0x12001 : 0, false);
    put_u32(answer + 20, 0, false);
    put_u32(answer + 24, (uint32_t)quote.size, false);
    memcpy(answer + 28, quote.data, quote.size);
    memcpy(answer + 28 + 48 + 520, request + 28 + 128, 64);
    (void)!send(connection, answer, mode == QGS_CUT ? 2000 : 4 + size, MSG_NOSIGNAL);
}

static void *service_run(void *context)
{
    struct service *service = context;
    for (;;) {
        int connection = accept(service->listener, NULL, NULL);
        if (connection < 0)
            return NULL;
        service_answer(connection, service->mode);
        close(connection);
    }
}

static bool service_start(struct service *service, const char *root)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    char folder[200];
    snprintf(folder, sizeof(folder), "%s/run", root);
    mkdir(folder, 0700);
    snprintf(folder, sizeof(folder), "%s/run/tdx-qgs", root);
    mkdir(folder, 0700);
    int size = snprintf(address.sun_path, sizeof(address.sun_path), "%s/qgs.socket", folder);
    service->listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    return size < (int)sizeof(address.sun_path) && service->listener >= 0 &&
           bind(service->listener, (const struct sockaddr *)&address, sizeof(address)) == 0 &&
           listen(service->listener, 4) == 0 &&
           pthread_create(&service->thread, NULL, service_run, service) == 0;
}

static void service_stop(struct service *service)
{
    shutdown(service->listener, SHUT_RDWR);
    pthread_join(service->thread, NULL);
    close(service->listener);
}

static void turns_tdreports_into_quotes(void)
{
    AUTO_SCENE struct scene scene = { 0 };
    struct service service = { 0 };
    struct error error;
    SCENE(&scene, FAKE_TDX_GUEST);
    /* The device comes from the fake kernel; the socket stands in a folder of its own. */
    char root[160], link[200], target[300];
    snprintf(root, sizeof(root), "%s/q", test_folder());
    REQUIRE(mkdir(root, 0700) == 0);
    snprintf(link, sizeof(link), "%s/dev", root);
    snprintf(target, sizeof(target), "%s/dev", scene.kernel.folder);
    REQUIRE(symlink(target, link) == 0);
    scene.options.system_root = root;
    CHECK(!open_as(&scene, "tdx", &error)); /* nobody listens */
    CHECK_NOTE(error.code == ERROR_UNAVAILABLE, "%s", error.text);
    REQUIRE(service_start(&service, root));
    bool is_open = open_as(&scene, "auto", &error);
    CHECK_NOTE(is_open, "%s", error.text);
    if (is_open) {
        CHECK_STRING(scene.platform.interface, "/dev/tdx_guest");
        CHECK_NOTE(ask(&scene, 48 + 520, &error), "%s", error.text);
        static const int modes[] = { QGS_ERROR, QGS_CUT, QGS_LONG };
        for (size_t i = 0; i < ARRAY_COUNT(modes); i++) {
            service.mode = modes[i];
            CHECK(!ask(&scene, 48 + 520, &error));
            CHECK_NOTE(error.text[0] != '\0', "mode %d", modes[i]);
        }
        service.mode = QGS_GOOD;
        scene.script->lies = true;
        CHECK(!ask(&scene, 48 + 520, &error));
        scene.script->lies = false;
        CHECK_NOTE(ask(&scene, 48 + 520, &error), "%s", error.text);
        platform_close(&scene.platform);
        scene.options.timeout_ms = TIMEOUT_SHORT_MS;
        AWAIT(open_as(&scene, "auto", &error)); /* which a loaded machine may not do in a second */
        service.mode = QGS_SILENT;
        CHECK(!ask(&scene, 48 + 520, &error));
        CHECK(error.text[0] != '\0');
        service.mode = QGS_GOOD;
        AWAIT(ask(&scene, 48 + 520, &error));
    }
    service_stop(&service);
}

static void takes_no_nonsense(void)
{
    static const struct {
        const char *said;
        enum fake_provider provider;
        enum fake_nonsense nonsense;
        bool is_register; /* it is in the register that nonsense is found */
    } cases[] = {
        { "longer than its room", FAKE_NSM, FAKE_NSM_LONG, false },
        { "is not CBOR", FAKE_NSM, FAKE_NSM_NO_CBOR, false },
        { "of another kind", FAKE_NSM, FAKE_NSM_OTHER_KIND, false },
        { "holds no document", FAKE_NSM, FAKE_NSM_NO_DOCUMENT, false },
        { "describes no PCR", FAKE_NSM, FAKE_REGISTER_SHORT, true },
        { "RTMR3 has 47 bytes", FAKE_TSM_TDX, FAKE_REGISTER_SHORT, true },
        { "generation is no number", FAKE_TSM_TDX, FAKE_GENERATION_NO_NUMBER, false },
        { "generation is longer than can be", FAKE_TSM_TDX, FAKE_GENERATION_LONG, false },
    };
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        AUTO_SCENE struct scene scene = { 0 };
        AUTO_BUFFER struct buffer evidence;
        struct digest64 report_data = { { 5 } };
        struct digest48 value;
        struct error error = { 0 };
        buffer_init(&evidence, PLATFORM_EVIDENCE_MAX);
        SCENE(&scene, cases[i].provider);
        REQUIRE(open_as(&scene, "auto", &error));
        scene.script->nonsense = (int)cases[i].nonsense;
        struct platform *platform = &scene.platform;
        CHECK_NOTE(!(cases[i].is_register
                         ? platform->read_register(platform->context, &value, &error)
                         : platform->evidence(platform->context, &report_data, &evidence, &error)),
                   "case %zu", i);
        CHECK_NOTE(strstr(error.text, cases[i].said) != NULL, "case %zu: %s", i, error.text);
    }
}

static const struct test tests[] = {
    TEST(opens_what_is_there),
    TEST(never_simulates_by_itself),
    TEST(asks_for_what_was_named),
    TEST(tries_again_while_it_is_busy),
    TEST(notices_others_at_the_same_entry),
    TEST(reads_however_little_it_gets),
    TEST(survives_a_kernel_in_trouble),
    TEST(does_not_start_with_a_kernel_in_trouble),
    TEST(extends_rtmr3),
    TEST(sim_has_an_rtmr3),
    TEST(speaks_with_the_nitro_module),
    TEST(takes_no_nonsense),
    TEST(needs_gramine_to_attest),
    TEST(turns_tdreports_into_quotes),
};
TEST_MAIN(tests)
