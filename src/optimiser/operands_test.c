/* SPDX-License-Identifier: Apache-2.0 */
/* Every instruction on numbers and vectors, each in a function of its own, on operands of all
 * kinds: both tiers must give the same bits, the same traps and the same count of fuel. */
#include "optimiser/optimiser.h"
#include "tests/harness.h"
#include "wasm/executor.h"
#include "wasm/module.h"
#include "wasm/opcodes.h"
#include "wasm/vector_opcodes.h"

#include <stdio.h>
#include <string.h>

enum {
    CASES_MAX = 512,
    ROUNDS = 60,
    OPERANDS_MAX = 3,
    SLOTS = 2 * OPERANDS_MAX,
    FUEL = 1000
};

struct case_of_operation {
    const struct instruction *instruction;
    uint8_t code[4];
    unsigned code_size;
};

static struct case_of_operation cases[CASES_MAX];
static unsigned case_count;

static void add_case(const struct instruction *instruction, uint8_t prefix, unsigned code)
{
    struct case_of_operation *made = &cases[case_count++];
    bool is_lane = prefix == 0xfd && instruction->kind == OPCODE_LANE;
    *made = (struct case_of_operation){ .instruction = instruction };
    if (prefix != 0)
        made->code[made->code_size++] = prefix;
    if (prefix == 0 || code < 0x80) {
        made->code[made->code_size++] = (uint8_t)code;
    } else {
        made->code[made->code_size++] = (uint8_t)(code | 0x80);
        made->code[made->code_size++] = (uint8_t)(code >> 7);
    }
    if (is_lane)
        made->code[made->code_size++] = 1;
}

static void find_cases(void)
{
    case_count = 0;
    for (unsigned i = 0; i < 256; i++) {
        if (instructions[i].kind == OPCODE_PLAIN)
            add_case(&instructions[i], 0, i);
    }
    for (unsigned i = 0; i < PREFIXED_COUNT; i++) {
        if (prefixed_instructions[i].kind == OPCODE_PLAIN)
            add_case(&prefixed_instructions[i], 0xfc, i);
    }
    for (unsigned i = 0; i < VECTOR_COUNT; i++) {
        unsigned kind = vector_instructions[i].kind;
        if (kind == OPCODE_PLAIN || kind == OPCODE_LANE)
            add_case(&vector_instructions[i], 0xfd, i);
    }
}

static void put(struct buffer *buffer, uint8_t byte)
{
    buffer_append(buffer, bytes_of(&byte, 1));
}

static void put_number(struct buffer *buffer, size_t number)
{
    for (; number >= 0x80; number >>= 7)
        put(buffer, (uint8_t)(number | 0x80));
    put(buffer, (uint8_t)number);
}

static void put_section(struct buffer *module, uint8_t id, struct buffer *content)
{
    put(module, id);
    put_number(module, content->size);
    buffer_append(module, buffer_view(content));
    buffer_clear(content);
}

/* One type, function and export "0000"... per case. */
static void build(struct buffer *module)
{
    static const uint8_t head[] = { 0, 'a', 's', 'm', 1, 0, 0, 0 };
    AUTO_BUFFER struct buffer part;
    buffer_init(&part, 1 << 20);
    buffer_append(module, BYTES_OF(head));
    put_number(&part, case_count);
    for (unsigned i = 0; i < case_count; i++) {
        const struct signature *signature = &cases[i].instruction->signature;
        put(&part, 0x60);
        put_number(&part, signature->operand_count);
        buffer_append(&part, bytes_of(signature->operands, signature->operand_count));
        put(&part, 1);
        put(&part, signature->result);
    }
    put_section(module, 1, &part);
    put_number(&part, case_count);
    for (unsigned i = 0; i < case_count; i++)
        put_number(&part, i);
    put_section(module, 3, &part);
    put_number(&part, case_count);
    for (unsigned i = 0; i < case_count; i++) {
        put(&part, 4);
        buffer_format(&part, "%04u", i);
        put(&part, 0);
        put_number(&part, i);
    }
    put_section(module, 7, &part);
    put_number(&part, case_count);
    for (unsigned i = 0; i < case_count; i++) {
        unsigned operands = cases[i].instruction->signature.operand_count;
        put_number(&part, 2 + 2u * operands + cases[i].code_size);
        put(&part, 0);
        for (unsigned j = 0; j < operands; j++) {
            put(&part, OPCODE_LOCAL_GET);
            put(&part, (uint8_t)j);
        }
        buffer_append(&part, bytes_of(cases[i].code, cases[i].code_size));
        put(&part, OPCODE_END);
    }
    put_section(module, 10, &part);
}

struct result {
    enum trap_reason trap;
    uint64_t slots[2];
    uint64_t fuel;
};

static uint64_t random_state;

static uint64_t random_next(void)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return random_state;
}

/* Numbers at which something happens, else any. */
static uint64_t operand(uint8_t type)
{
    static const uint64_t wide[] = { 0,
                                     1,
                                     ~0ull,
                                     1ull << 63,
                                     (1ull << 63) - 1,
                                     1ull << 31,
                                     63,
                                     64,
                                     0x7ff0000000000000,
                                     0x7ff8000000000000,
                                     0x7ff0000000000001,
                                     0xfff8000000000123,
                                     0x3ff0000000000000,
                                     0xbff0000000000000,
                                     0x8000000000000000,
                                     0x43e0000000000000,
                                     0xc3e0000000000000,
                                     0x41dfffffffc00000,
                                     0x41e0000000000000,
                                     0xc1e0000000200000,
                                     0x3fe0000000000000,
                                     0x4004000000000000 };
    static const uint32_t narrow[] = { 0,          1,          ~0u,        0x80000000, 0x7fffffff,
                                       31,         32,         0x7f800000, 0x7fc00000, 0x7f800001,
                                       0xffc00123, 0x3f800000, 0xbf800000, 0x4f000000, 0xcf000000,
                                       0x5f000000, 0x3f000000, 0x40200000, 0x7f7fffff, 0x00000001 };
    uint64_t any = random_next();
    bool is_narrow = type == VALUE_I32 || type == VALUE_F32;
    if ((any >> 40) % 3 == 0)
        return is_narrow ? (uint32_t)random_next() : random_next();
    if (is_narrow)
        return narrow[any % ARRAY_COUNT(narrow)];
    if (type == VALUE_V128 && (any >> 50) % 2 == 0)
        return narrow[any % ARRAY_COUNT(narrow)] |
               (uint64_t)narrow[(any >> 20) % ARRAY_COUNT(narrow)] << 32;
    return wide[any % ARRAY_COUNT(wide)];
}

static bool run_all(struct bytes image, struct result *results)
{
    struct executor executor;
    const char *reason = "";
    if (!executor_open(&executor, image, &reason))
        return false;
    random_state = 0x53334e2d32303236;
    for (unsigned i = 0; i < case_count; i++) {
        const struct signature *signature = &cases[i].instruction->signature;
        struct image_export export;
        char name[16];
        snprintf(name, sizeof(name), "%04u", i);
        if (!image_find_export(&executor.image, bytes_of_string(name), &export))
            return false;
        for (unsigned round = 0; round < ROUNDS; round++) {
            struct result *result = &results[i * ROUNDS + round];
            uint64_t slots[SLOTS] = { 0 };
            unsigned count = 0;
            for (unsigned j = 0; j < signature->operand_count; j++) {
                slots[count++] = operand(signature->operands[j]);
                if (signature->operands[j] == VALUE_V128)
                    slots[count++] = operand(VALUE_V128);
            }
            unsigned result_slots = signature->result == VALUE_V128 ? 2 : 1;
            executor.instance->fuel = FUEL;
            result->trap = executor_call(&executor, export.where, slots, count, result_slots);
            if (result->trap == TRAP_NONE)
                memcpy(result->slots, slots, result_slots * sizeof(*slots));
            result->fuel = result->trap == TRAP_NONE ? executor.instance->fuel : 0;
        }
    }
    executor_close(&executor);
    return true;
}

static void agrees_with_the_baseline(void)
{
    static struct result ours[CASES_MAX * ROUNDS], theirs[CASES_MAX * ROUNDS];
    AUTO_BUFFER struct buffer module, image;
    struct error error = { 0 };
    struct optimise_report report;
    buffer_init(&module, 1 << 20);
    buffer_init(&image, 1 << 26);
    find_cases();
    build(&module);
    struct optimise_options options = { .wasm = { .deterministic = true, .fuel = true } };
    bool done = wasm_compile(&image, buffer_view(&module), &options.wasm, &error);
    CHECK_NOTE(done, "%s", error.text);
    if (!done)
        return;
    if (!run_all(buffer_view(&image), theirs))
        SKIP("a sanitizer has the addresses of the layout");
    done = optimise_compile(&image, buffer_view(&module), &options, &report, &error);
    CHECK_NOTE(done, "%s", error.text);
    if (!done || !run_all(buffer_view(&image), ours))
        return;
    CHECK(report.optimised_count == case_count);
    unsigned differences = 0;
    for (unsigned i = 0; i < case_count * ROUNDS; i++) {
        bool same = memcmp(&ours[i], &theirs[i], sizeof(ours[i])) == 0;
        differences += !same;
        if (!same && differences < 20)
            printf(
                "    %s: trap %d, 0x%llx 0x%llx, fuel %llu; the baseline %d, 0x%llx 0x%llx, %llu\n",
                cases[i / ROUNDS].instruction->text, (int)ours[i].trap,
                (unsigned long long)ours[i].slots[0], (unsigned long long)ours[i].slots[1],
                (unsigned long long)ours[i].fuel, (int)theirs[i].trap,
                (unsigned long long)theirs[i].slots[0], (unsigned long long)theirs[i].slots[1],
                (unsigned long long)theirs[i].fuel);
    }
    CHECK_NOTE(differences == 0, "%u differences", differences);
    printf("    %u instructions, %u calls each\n", case_count, (unsigned)ROUNDS);
    CHECK(case_count > 300);
}

static const struct test tests[] = { TEST(agrees_with_the_baseline) };
TEST_MAIN(tests)
