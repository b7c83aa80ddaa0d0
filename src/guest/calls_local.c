/* SPDX-License-Identifier: Apache-2.0 */
/* Imports of module `s3n` that the runtime answers itself. */
#include "guest/calls.h"
#include "guest/clock.h"
#include "guest/hash.h"
#include "guest/memory.h"
#include "guest/random.h"
#include "guest/stdio.h"

enum {
    LOG_LEVEL_COUNT = 8 /* of syslog: 3 error, 4 warning, 6 information, 7 debugging */
};

void s3n_abi(struct instance *instance UNUSED, uint64_t *slots)
{
    slots[0] = CALL_ABI_VERSION;
}

void s3n_random(struct instance *instance, uint64_t *slots)
{
    uint8_t *at;
    uint64_t size = (uint32_t)slots[1];
    calls_rewind();
    if (!memory_range(instance, (uint32_t)slots[0], size, &at)) {
        slots[0] = (uint64_t)calls_fail(CALL_ERROR_MEMORY, NULL);
        return;
    }
    random_refresh(guest.control->seed);
    random_fill(at, size);
    slots[0] = 0;
}

void s3n_time(struct instance *instance UNUSED, uint64_t *slots)
{
    slots[0] = clock_read_ns(CLOCK_ID_REALTIME);
}

static int64_t hash_run(const struct instance *instance, const uint64_t *slots)
{
    uint8_t *data, *target, digest[HASH_SIZE_MAX];
    uint64_t size = (uint32_t)slots[2], capacity = (uint32_t)slots[4];
    if (!memory_range(instance, (uint32_t)slots[1], size, &data) ||
        !memory_range(instance, (uint32_t)slots[3], capacity, &target))
        return calls_fail(CALL_ERROR_MEMORY, NULL);
    uint64_t digest_size = hash_size((uint32_t)slots[0]);
    if (digest_size == 0)
        return calls_fail(CALL_ERROR_UNSUPPORTED, "there is no hash of this number");
    hash_of((enum hash_algorithm)slots[0], data, size, digest);
    uint64_t part = MIN(digest_size, capacity);
    if (part > 0)
        copy_bytes(target, digest, part);
    return (int64_t)digest_size;
}

void s3n_hash(struct instance *instance, uint64_t *slots)
{
    calls_rewind();
    slots[0] = (uint64_t)hash_run(instance, slots);
}

/* Each line of the text begins with "<level>", as sd-daemon(3) has it. */
static void log_write(uint32_t level, const uint8_t *text, uint64_t size)
{
    const uint8_t prefix[3] = { '<', (uint8_t)('0' + level), '>' };
    const uint8_t newline = '\n';
    for (uint64_t start = 0; start < size || start == 0;) {
        uint64_t end = start;
        while (end < size && text[end] != '\n')
            end++;
        stdio_write(DESCRIPTOR_ERRORS, prefix, sizeof(prefix));
        stdio_write(DESCRIPTOR_ERRORS, text + start, end - start);
        stdio_write(DESCRIPTOR_ERRORS, &newline, 1);
        start = end + 1;
    }
}

int64_t calls_log(uint32_t level, const uint8_t *text, uint64_t size)
{
    if (level >= LOG_LEVEL_COUNT)
        return calls_fail(CALL_ERROR_INVALID, "a log level is 0 to 7");
    if ((guest.control->settings.flags & SETTINGS_NO_LOG) != 0)
        return calls_fail(CALL_ERROR_DENIED,
                          "no permission for log: `permissions.log = false` in s3n.toml takes it");
    log_write(level, text, size);
    return 0;
}

static int64_t log_run(const struct instance *instance, const uint64_t *slots)
{
    uint8_t *text;
    uint64_t size = (uint32_t)slots[2];
    if (!memory_range(instance, (uint32_t)slots[1], size, &text))
        return calls_fail(CALL_ERROR_MEMORY, NULL);
    return calls_log((uint32_t)slots[0], text, size);
}

void s3n_log(struct instance *instance, uint64_t *slots)
{
    calls_rewind();
    slots[0] = (uint64_t)log_run(instance, slots);
}
