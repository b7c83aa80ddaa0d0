/* SPDX-License-Identifier: Apache-2.0 */
/* Firmware and event logs of our own, sound but for one field: each is refused in the words of the
 * check that is about it. */
#include "core/writer.h"
#include "measure/event_log.h"
#include "measure/snp.h"
#include "measure/tdx.h"
#include "tests/harness.h"

#include <stdlib.h>
#include <string.h>

enum {
    IMAGE_SIZE = 4 * MEASURE_PAGE_SIZE,
    TDVF_AT = 0x1010, /* the descriptor; its GUID before it */
    SEV_AT = 0x2000,
    TABLE_TAIL = 32,
    ENTRY_TDVF = 0, /* in the order of the table */
    ENTRY_SEV,
    ENTRY_RESET,
    ENTRY_HASHES,
    ENTRY_SVSM,
    ENTRY_COUNT,
    ENTRY_SIZE = 4 + 2 + 16,
    TABLE_SIZE = ENTRY_COUNT * ENTRY_SIZE + 18,
    TABLE_AT = IMAGE_SIZE - TABLE_TAIL - TABLE_SIZE,
    FOOTER_AT = IMAGE_SIZE - TABLE_TAIL - 18
};

static const char *const guids[ENTRY_COUNT] = {
    "e47a6535-984a-4798-865e-4685a7bf8ec2", "dc886566-984a-4798-a75e-5585a7bf67cc",
    "00f771de-1a7e-4fcb-890e-68c77e2fb44e", "7255371f-3a3b-4b04-927b-1da6efa8d454",
    "a789a612-0597-4c4b-a49f-cbb1fe9d1ddd",
};

static void write_guid(struct writer *writer, const char *text)
{
    struct guid guid = guid_of(text);
    write_bytes(writer, BYTES_OF(guid.bytes));
}

/* For TDX and for SNP, with one section of each kind that matters. */
static void image_make(uint8_t image[IMAGE_SIZE])
{
    const uint32_t values[ENTRY_COUNT] = { IMAGE_SIZE - TDVF_AT, IMAGE_SIZE - SEV_AT, 0xff0000,
                                           0x10c00, 0x40 };
    memset(image, 0x5a, IMAGE_SIZE);
    struct writer table = writer_into(image + TABLE_AT, TABLE_SIZE);
    for (size_t i = 0; i < ENTRY_COUNT; i++) {
        write_u32_le(&table, values[i]);
        write_u16_le(&table, ENTRY_SIZE);
        write_guid(&table, guids[i]);
    }
    write_u16_le(&table, TABLE_SIZE);
    write_guid(&table, "96b582de-1fb2-45f7-baea-a366c55a082d");
    struct writer tdvf = writer_into(image + TDVF_AT - 16, 16 + 16 + 2 * 32);
    write_guid(&tdvf, "e9eaf9f3-168e-44d5-a8eb-7f4d8738f6ae");
    write_bytes(&tdvf, BYTES_LITERAL("TDVF"));
    write_u32_le(&tdvf, 16 + 2 * 32);
    write_u32_le(&tdvf, 1);
    write_u32_le(&tdvf, 2);
    for (uint32_t i = 0; i < 2; i++) {
        write_u32_le(&tdvf, 0);
        write_u32_le(&tdvf, 0x1000 * i); /* the first has memory alone */
        write_u64_le(&tdvf, 0x800000 + 0x10000 * i);
        write_u64_le(&tdvf, 0x1000);
        write_u32_le(&tdvf, i);
        write_u32_le(&tdvf, i);
    }
    struct writer sev = writer_into(image + SEV_AT, 16 + 2 * 12);
    write_bytes(&sev, BYTES_LITERAL("ASEV"));
    write_u32_le(&sev, 16 + 2 * 12);
    write_u32_le(&sev, 1);
    write_u32_le(&sev, 2);
    for (uint32_t i = 0; i < 2; i++) {
        write_u32_le(&sev, 0x10000 + 0x10000 * i);
        write_u32_le(&sev, 0x1000);
        write_u32_le(&sev, i == 0 ? 0x10 : 1); /* kernel hashes, memory */
    }
    ASSERT(!table.failed && !tdvf.failed && !sev.failed);
}

/* A number in the place of another. */
struct fault {
    size_t at;
    unsigned size;
    uint64_t value;
    const char *words; /* of the refusal; NULL: none */
};

static void fault_apply(uint8_t *bytes, const struct fault *fault)
{
    for (unsigned i = 0; i < fault->size; i++)
        bytes[fault->at + i] = (uint8_t)(fault->value >> (8 * i));
}

static void check_refusal(const char *what, size_t row, bool is_taken, const struct error *error,
                          const char *words)
{
    CHECK_NOTE(is_taken == (words == NULL), "%s, row %zu: %s", what, row,
               is_taken ? "taken" : error->text);
    if (!is_taken && words != NULL)
        CHECK_NOTE(strstr(error->text, words) != NULL, "%s, row %zu: %s", what, row, error->text);
}

enum {
    TDVF_VALUE_AT = TABLE_AT + ENTRY_TDVF * ENTRY_SIZE,
    SECTION_AT = TDVF_AT + 16,
    OTHER_SECTION_AT = SECTION_AT + 32
};

static void judges_tdvf_metadata(void)
{
    static const struct fault faults[] = {
        { SECTION_AT, 4, IMAGE_SIZE, NULL },
        { SECTION_AT, 4, IMAGE_SIZE + 1, "outside the image" },
        { OTHER_SECTION_AT, 4, IMAGE_SIZE - 0x1000 + 1, "outside the image" },
        { OTHER_SECTION_AT, 4, IMAGE_SIZE - 0x1000, NULL },
        { SECTION_AT + 8, 8, 0x800800, "not made of pages" },
        { SECTION_AT + 16, 8, 0x1001, "not made of pages" },
        { SECTION_AT + 8, 8, UINT64_MAX - 0xfff, "leaves the address space" },
        { SECTION_AT + 8, 8, UINT64_MAX - 0x1fff, NULL },
        { OTHER_SECTION_AT + 4, 4, 0x1001, "larger than its memory" },
        { OTHER_SECTION_AT + 16, 8, 0, NULL },
        { SECTION_AT + 16, 8, FIRMWARE_MEASURED_SIZE_MAX, "cover at most" },
        { SECTION_AT + 16, 8, FIRMWARE_MEASURED_SIZE_MAX - 0x1000, NULL },
        { TDVF_AT, 4, 0x46564455, "another form" },
        { TDVF_AT + 4, 4, 16 + 2 * 32 - 1, "cut or too long" },
        { TDVF_AT + 4, 4, 16 + 2 * 32 + 1, NULL },
        { TDVF_AT + 8, 4, 2, "another form" },
        { TDVF_AT + 8, 4, 0, "another form" },
        { TDVF_AT + 12, 4, FIRMWARE_SECTION_COUNT_MAX + 1, "cut or too long" },
        { TDVF_AT + 12, 4, UINT32_MAX, "cut or too long" },
        { TDVF_AT + 12, 4, 0, NULL },
        { TDVF_AT - 16, 1, 0, "not where the image says" },
        { TDVF_VALUE_AT, 4, IMAGE_SIZE + 1, "not where the image says" },
        { TDVF_VALUE_AT, 4, IMAGE_SIZE, "not where the image says" },
        { TDVF_VALUE_AT, 4, 4, "not where the image says" },
        { TDVF_VALUE_AT + 6, 1, 0, "no TDVF metadata" },
        { FOOTER_AT + 2, 1, 0, "no TDVF metadata" },
        { FOOTER_AT, 2, 17, "no TDVF metadata" },
        { FOOTER_AT, 2, TABLE_SIZE - 1, "no TDVF metadata" },
        { FOOTER_AT, 2, IMAGE_SIZE, "no TDVF metadata" },
        { FOOTER_AT - 18, 2, 17, "no TDVF metadata" },
        { FOOTER_AT - 18, 2, 0xffff, "no TDVF metadata" },
    };
    for (size_t i = 0; i < ARRAY_COUNT(faults); i++) {
        uint8_t image[IMAGE_SIZE];
        struct tdvf tdvf;
        struct error error = { 0 };
        image_make(image);
        fault_apply(image, &faults[i]);
        check_refusal("TDVF", i, tdvf_parse(&tdvf, BYTES_OF(image), &error), &error,
                      faults[i].words);
    }
}

static void judges_sizes_of_images(void)
{
    struct tdvf tdvf;
    struct digest48 digest;
    struct error error = { 0 };
    static uint8_t small[TABLE_TAIL + 18 - 1];
    uint8_t *large = calloc(1, FIRMWARE_SIZE_MAX + MEASURE_PAGE_SIZE);
    REQUIRE(large != NULL);
    struct bytes image = bytes_of(large, FIRMWARE_SIZE_MAX + MEASURE_PAGE_SIZE);
    check_refusal("TDVF", 0, tdvf_parse(&tdvf, BYTES_OF(small), &error), &error,
                  "no TDVF metadata");
    check_refusal("TDVF", 1, tdvf_parse(&tdvf, image, &error), &error, "at most");
    struct snp_launch launch = { .firmware = image, .vcpu_count = 1 };
    check_refusal("SNP", 0, snp_launch_digest(&digest, &launch, &error), &error, "whole pages");
    launch.firmware.size = MEASURE_PAGE_SIZE + 1;
    check_refusal("SNP", 1, snp_launch_digest(&digest, &launch, &error), &error, "whole pages");
    launch.firmware.size = 0;
    check_refusal("SNP", 2, snp_launch_digest(&digest, &launch, &error), &error, "whole pages");
    free(large);
}

enum {
    ITEM_AT = SEV_AT + 16,
    OTHER_ITEM_AT = ITEM_AT + 12,
    SEV_VALUE_AT = TABLE_AT + ENTRY_SEV * ENTRY_SIZE,
    RESET_VALUE_AT = TABLE_AT + ENTRY_RESET * ENTRY_SIZE,
    HASHES_VALUE_AT = TABLE_AT + ENTRY_HASHES * ENTRY_SIZE,
    SVSM_VALUE_AT = TABLE_AT + ENTRY_SVSM * ENTRY_SIZE
};

static void judges_sev_metadata(void)
{
    static const struct {
        struct fault fault;
        uint32_t vcpu_count;
        bool has_no_kernel;
    } rows[] = {
        { { 0, 0, 0, NULL }, 2, false },
        { { SEV_AT, 1, 0, "another form" }, 2, false },
        { { SEV_AT + 4, 4, 16 + 2 * 12 - 1, "another form" }, 2, false },
        { { SEV_AT + 8, 4, 2, "another form" }, 2, false },
        { { SEV_AT + 12, 4, FIRMWARE_SECTION_COUNT_MAX + 1, "another form" }, 2, false },
        { { OTHER_ITEM_AT, 4, 0x20800, "not made of pages" }, 2, false },
        { { OTHER_ITEM_AT + 4, 4, 0x1800, "not made of pages" }, 2, false },
        { { OTHER_ITEM_AT + 8, 4, 0x7f, "unknown type 127" }, 2, false },
        { { OTHER_ITEM_AT + 4, 4, FIRMWARE_MEASURED_SIZE_MAX + 0x1000, "SEV section" }, 2, false },
        { { ITEM_AT + 4, 4, 0x2000, "is not one page" }, 2, false },
        { { ITEM_AT + 4, 4, 0x2000, NULL }, 2, true },
        { { ITEM_AT + 8, 4, 1, "would not check the kernel" }, 2, false },
        { { ITEM_AT + 8, 4, 1, NULL }, 2, true },
        { { HASHES_VALUE_AT, 4, 0x10f59, "cross the end of a page" }, 2, false },
        { { HASHES_VALUE_AT, 4, 0x10f58, NULL }, 2, false },
        { { HASHES_VALUE_AT + 6, 1, 0, "no place for a kernel's hashes" }, 2, false },
        { { RESET_VALUE_AT + 6, 1, 0, "where further processors start" }, 2, false },
        { { RESET_VALUE_AT + 6, 1, 0, NULL }, 1, false },
        { { SEV_VALUE_AT, 4, IMAGE_SIZE + 1, "no SEV metadata" }, 2, false },
        { { SEV_VALUE_AT, 4, 8, "another form" }, 2, false },
        { { SEV_VALUE_AT + 6, 1, 0, "no SEV metadata" }, 2, false },
        { { 0, 0, 0, "has 1 to" }, 0, false },
        { { 0, 0, 0, "has 1 to" }, VCPU_COUNT_MAX + 1, false },
    };
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        uint8_t image[IMAGE_SIZE];
        struct digest48 digest;
        struct error error = { 0 };
        image_make(image);
        fault_apply(image, &rows[i].fault);
        struct snp_launch launch = { .firmware = BYTES_OF(image),
                                     .vcpu_count = rows[i].vcpu_count,
                                     .has_kernel = !rows[i].has_no_kernel };
        check_refusal("SEV", i, snp_launch_digest(&digest, &launch, &error), &error,
                      rows[i].fault.words);
    }
}

static void judges_an_svsm(void)
{
    static const struct {
        struct fault fault;
        uint64_t variables_size;
        size_t cut;
    } rows[] = {
        { { 0, 0, 0, NULL }, 0x1000, 0 },
        { { 0, 0, 0, "do not fit" }, 0x1001, 0 },
        { { 0, 0, 0, NULL }, (UINT64_C(1) << 32) - 2 * IMAGE_SIZE, 0 },
        { { 0, 0, 0, "do not fit" }, (UINT64_C(1) << 32) - 2 * IMAGE_SIZE + 0x1000, 0 },
        { { SVSM_VALUE_AT + 6, 1, 0, "where it starts" }, 0x1000, 0 },
        { { SEV_AT, 1, 0, "another form" }, 0x1000, 0 },
        { { 0, 0, 0, "SVSM is not made of whole pages" }, 0x1000, 1 },
    };
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        uint8_t image[IMAGE_SIZE], svsm[IMAGE_SIZE];
        struct digest48 digest;
        struct error error = { 0 };
        image_make(image);
        image_make(svsm);
        fault_apply(svsm, &rows[i].fault);
        struct snp_launch launch = { .firmware = BYTES_OF(image),
                                     .svsm = bytes_of(svsm, IMAGE_SIZE - rows[i].cut),
                                     .vcpu_count = 2,
                                     .variables_size = rows[i].variables_size };
        check_refusal("SVSM", i, snp_launch_digest(&digest, &launch, &error), &error,
                      rows[i].fault.words);
    }
}

/* --- event logs --- */

enum {
    LOG_SIZE_MAX = 512,
    HEADER_TYPE_AT = 4,
    HEADER_SPEC_AT = 32,
    ALGORITHM_COUNT_AT = HEADER_SPEC_AT + 24,
    ALGORITHM_AT = ALGORITHM_COUNT_AT + 4,
    HEADER_DATA_SIZE = 16 + 8 + 4 + 2 * 4 + 1,
    EVENT_AT = 32 + HEADER_DATA_SIZE,
    DIGEST_COUNT_AT = EVENT_AT + 8,
    FIRST_ID_AT = DIGEST_COUNT_AT + 4,
    SECOND_ID_AT = FIRST_ID_AT + 2 + 48
};

/* A header of SHA-384 and SHA-256, and one event with digests of both. */
static struct bytes log_make(uint8_t log[LOG_SIZE_MAX])
{
    struct writer writer = writer_into(log, LOG_SIZE_MAX);
    write_u32_le(&writer, 0);
    write_u32_le(&writer, 3); /* EV_NO_ACTION */
    write_zeros(&writer, 20);
    write_u32_le(&writer, HEADER_DATA_SIZE);
    write_bytes(&writer, BYTES_LITERAL("Spec ID Event03\0"));
    write_zeros(&writer, 8);
    write_u32_le(&writer, 2);
    write_u16_le(&writer, 0x0c);
    write_u16_le(&writer, 48);
    write_u16_le(&writer, 0x0b);
    write_u16_le(&writer, 32);
    write_u8(&writer, 0);
    ASSERT(writer.size == EVENT_AT);
    write_u32_le(&writer, 1);
    write_u32_le(&writer, 4); /* EV_SEPARATOR */
    write_u32_le(&writer, 2);
    write_u16_le(&writer, 0x0c);
    write_bytes(&writer, BYTES_LITERAL("123456789012345678901234567890123456789012345678"));
    write_u16_le(&writer, 0x0b);
    write_bytes(&writer, BYTES_LITERAL("12345678901234567890123456789012"));
    write_u32_le(&writer, 4);
    write_zeros(&writer, 4);
    write_u32_le(&writer, UINT32_MAX); /* the end */
    ASSERT(!writer.failed);
    return writer_view(&writer);
}

static void judges_event_logs(void)
{
    static const struct fault faults[] = {
        { 0, 0, 0, NULL },
        { HEADER_TYPE_AT, 4, 4, "does not begin with a Spec ID event" },
        { HEADER_SPEC_AT, 1, 's', "does not begin with a Spec ID event" },
        { 28, 4, 27, "does not begin with a Spec ID event" },
        { 28, 4, 0x10000, "does not begin with a Spec ID event" },
        { ALGORITHM_COUNT_AT, 4, 99, "does not begin with a Spec ID event" },
        { ALGORITHM_COUNT_AT, 4, 0, "no SHA-384 digests" },
        { ALGORITHM_AT, 2, 0x0d, "no SHA-384 digests" },
        { ALGORITHM_AT + 2, 2, 32, "no SHA-384 digests" },
        { EVENT_AT, 4, 0, "which is no RTMR" },
        { EVENT_AT, 4, RTMR_COUNT, NULL },
        { EVENT_AT, 4, RTMR_COUNT + 1, "which is no RTMR" },
        { EVENT_AT + 4, 4, 3, NULL }, /* says something, measures nothing */
        { DIGEST_COUNT_AT, 4, 99, "cut or malformed" },
        { FIRST_ID_AT, 2, 0x04, "cut or malformed" },
        { SECOND_ID_AT, 2, 0x0c, "cut or malformed" }, /* twice */
        { SECOND_ID_AT + 2 + 32, 4, 0x10000, "cut or malformed" },
    };
    for (size_t i = 0; i < ARRAY_COUNT(faults); i++) {
        uint8_t space[LOG_SIZE_MAX];
        struct event_replay replay = { 0 };
        struct error error = { 0 };
        struct bytes log = log_make(space);
        fault_apply(space, &faults[i]);
        check_refusal("log", i, event_log_replay_ccel(&replay, log, &error), &error,
                      faults[i].words);
    }
}

/* An event that has a digest by SHA-256 alone. */
static void wants_a_digest_of_each_event(void)
{
    uint8_t space[LOG_SIZE_MAX];
    struct event_replay replay = { 0 };
    struct error error = { 0 };
    struct bytes log = log_make(space);
    space[DIGEST_COUNT_AT] = 1;
    memmove(space + FIRST_ID_AT, space + SECOND_ID_AT, log.size - SECOND_ID_AT);
    log.size -= SECOND_ID_AT - FIRST_ID_AT;
    check_refusal("log", 0, event_log_replay_ccel(&replay, log, &error), &error,
                  "has no SHA-384 digest");
}

/* Lengths that add up all the same: SHA-384 twice, and an algorithm that the header does not name.
 */
static void takes_known_digests_once(void)
{
    static const struct {
        uint8_t id;
        size_t digest_size;
        const char *words;
    } rows[] = { { 0x0b, 32, NULL },
                 { 0x0c, 48, "cut or malformed" },
                 { 0x99, 0, "cut or malformed" } };
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        uint8_t space[LOG_SIZE_MAX];
        struct event_replay replay = { 0 };
        struct error error = { 0 };
        struct bytes log = log_make(space);
        size_t behind = SECOND_ID_AT + 2 + 32;
        memmove(space + SECOND_ID_AT + 2 + rows[i].digest_size, space + behind, log.size - behind);
        space[SECOND_ID_AT] = rows[i].id;
        log.size = log.size - 32 + rows[i].digest_size;
        check_refusal("log", i, event_log_replay_ccel(&replay, log, &error), &error, rows[i].words);
    }
}

#define DIGEST                                                                                     \
    "\"digest\":\"000000000000000000000000000000000000000000000000000000000000000000000000000000"  \
    "000000000000000000\""
#define REST "\"event\":\"e\",\"event_payload\":\"00\"}]"

static void judges_dstack_events(void)
{
    static const struct {
        const char *log;
        bool is_taken;
    } rows[] = {
        { "[{\"imr\":0,\"event_type\":1," DIGEST "," REST, true },
        { "[{\"imr\":4,\"event_type\":1," DIGEST "," REST, false },
        { "[{\"imr\":-1,\"event_type\":1," DIGEST "," REST, false },
        { "[{\"event_type\":1," DIGEST "," REST, false },
        { "[{\"imr\":0,\"event_type\":4294967296," DIGEST "," REST, false },
        { "[{\"imr\":0," DIGEST "," REST, false },
        { "[{\"imr\":0,\"event_type\":1,\"digest\":\"00\"," REST, false },
        { "[{\"imr\":0,\"event_type\":1," REST, false },
        { "[{\"imr\":0,\"event_type\":1," DIGEST ",\"event\":1,\"event_payload\":\"00\"}]", false },
        { "[{\"imr\":0,\"event_type\":1," DIGEST ",\"event\":\"e\",\"event_payload\":0}]", false },
        { "[{\"imr\":0,\"event_type\":1," DIGEST ",\"event\":\"e\"}]", false },
        { "[{\"imr\":3,\"event_type\":1," DIGEST "," REST, false }, /* another digest */
        { "[{\"imr\":0,\"event_type\":1," DIGEST "," REST "x", false },
        { "{\"imr\":0}", false },
    };
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        struct event_replay replay = { 0 };
        struct error error;
        bool is_taken = event_log_replay_dstack(&replay, bytes_of_string(rows[i].log), &error);
        CHECK_NOTE(is_taken == rows[i].is_taken, "row %zu", i);
    }
}

static void bounds_logs(void)
{
    uint8_t space[LOG_SIZE_MAX];
    struct bytes log = log_make(space);
    struct error error = { 0 };
    size_t event_size = log.size - 4 - EVENT_AT;
    uint8_t *large = calloc(1, EVENT_LOG_SIZE_MAX + 1);
    REQUIRE(large != NULL);
    memcpy(large, space, EVENT_AT);
    size_t size = EVENT_AT;
    for (size_t i = 0; i < EVENT_COUNT_MAX; i++) {
        memcpy(large + size, space + EVENT_AT, event_size);
        size += event_size;
    }
    struct event_replay replay = { 0 };
    check_refusal("log", 0, event_log_replay_ccel(&replay, bytes_of(large, size), &error), &error,
                  NULL);
    memcpy(large + size, space + EVENT_AT, event_size);
    check_refusal("log", 1,
                  event_log_replay_ccel(&replay, bytes_of(large, size + event_size), &error),
                  &error, "events");
    struct bytes whole = bytes_of(large, EVENT_LOG_SIZE_MAX + 1);
    check_refusal("log", 2, event_log_replay_ccel(&replay, whole, &error), &error, "bytes");
    check_refusal("log", 3, event_log_replay_dstack(&replay, whole, &error), &error, "bytes");
    free(large);
}

static const struct test tests[] = {
    TEST(judges_tdvf_metadata),
    TEST(judges_sizes_of_images),
    TEST(judges_sev_metadata),
    TEST(judges_an_svsm),
    TEST(judges_event_logs),
    TEST(wants_a_digest_of_each_event),
    TEST(takes_known_digests_once),
    TEST(judges_dstack_events),
    TEST(bounds_logs),
};
TEST_MAIN(tests)
