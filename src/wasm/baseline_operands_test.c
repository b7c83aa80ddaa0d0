/* SPDX-License-Identifier: Apache-2.0 */
/* The model of the operand stack: whose slots are whose, and which registers operands borrow. */
#include "wasm/baseline_state.h"

#include "tests/harness.h"

#include <string.h>

enum {
    BASE = 10, /* frame slot of operand 0 */
    OPERANDS = 64,
    PIN = FLOAT_BASE + 3
};

static struct {
    struct baseline baseline;
    struct operand operands[OPERANDS];
    struct local locals[4];
    struct buffer buffer;
    struct arena *arena;
} stage;

/* Local 0 is a vector in xmm3, local 1 an i32 in its slot, local 2 a vector in its slots. */
static struct baseline *begin(void)
{
    static const struct local locals[4] = {
        { .type = MACHINE_V128, .pin = PIN, .slot = 0 },
        { .type = MACHINE_I32, .pin = REGISTER_NONE, .slot = 2 },
        { .type = MACHINE_V128, .pin = REGISTER_NONE, .slot = 3 },
        { .type = MACHINE_F64, .pin = REGISTER_NONE, .slot = 5 },
    };
    memset(&stage, 0, sizeof(stage));
    memcpy(stage.locals, locals, sizeof(locals));
    buffer_init(&stage.buffer, 1 << 20);
    stage.arena = arena_new(1 << 20);
    struct baseline *baseline = &stage.baseline;
    baseline->emitter = (struct emitter){ .buffer = &stage.buffer, .arena = stage.arena };
    baseline->operands = stage.operands;
    baseline->operand_capacity = OPERANDS;
    baseline->locals = stage.locals;
    baseline->operand_base = baseline->next_slot = BASE;
    baseline->pinned = 1u << PIN;
    baseline->pin_locals[PIN] = 0;
    baseline->pins.valid = 1u << PIN;
    return baseline;
}

static void end(void)
{
    CHECK(!stage.baseline.emitter.failed);
    buffer_done(&stage.buffer);
    arena_free(stage.arena);
}

static unsigned push_register(struct baseline *baseline, enum machine_type type)
{
    unsigned reg = register_take(baseline, is_float(type));
    operand_push_register(baseline, type, reg);
    return reg;
}

static void operands_have_their_slots(void)
{
    static const enum machine_type types[] = { MACHINE_I32, MACHINE_V128, MACHINE_F32, MACHINE_V128,
                                               MACHINE_I64 };
    static const uint32_t homes[] = { BASE, BASE + 1, BASE + 3, BASE + 4, BASE + 6 };
    struct baseline *baseline = begin();
    for (size_t i = 0; i < ARRAY_COUNT(types); i++)
        operand_push_constant(baseline, types[i], 0);
    CHECK_NUMBER(baseline->next_slot, BASE + 7);
    for (size_t i = 0; i < ARRAY_COUNT(types); i++)
        CHECK_NUMBER(stage.operands[i].home, homes[i]);
    operands_to_slots(baseline, 2);
    CHECK(stage.operands[3].place == PLACE_SLOT && stage.operands[3].index == BASE + 4);
    CHECK(stage.operands[4].place == PLACE_SLOT && stage.operands[4].index == BASE + 6);
    CHECK(stage.operands[2].place == PLACE_CONSTANT);
    operand_drop(baseline, 2);
    CHECK_NUMBER(baseline->next_slot, BASE + 4);
    struct operand taken = operand_take(baseline);
    CHECK_NUMBER(taken.home, BASE + 3);
    CHECK_NUMBER(baseline->next_slot, BASE + 3);
    static const uint8_t results[] = { VALUE_V128, VALUE_I64, VALUE_V128 };
    CHECK_NUMBER(slots_of_range((struct type_range){ results, 3 }), 5);
    operand_push_slots(baseline, (struct type_range){ results, 3 });
    CHECK_NUMBER(stage.operands[2].index, BASE + 3);
    CHECK_NUMBER(stage.operands[3].index, BASE + 5);
    CHECK_NUMBER(stage.operands[4].index, BASE + 6);
    CHECK_NUMBER(baseline->next_slot, BASE + 8);
    end();
}

/* Beyond the three registers of the stack, vectors borrow those without a pinned local; when none
 * is left, the oldest in a stack register goes to its slots. */
static void vectors_borrow_registers(void)
{
    struct baseline *baseline = begin();
    uint32_t borrowed = 0;
    for (unsigned i = 0; i < 13; i++) { /* 16 without xmm3, xmm8 and xmm9 */
        unsigned reg = push_register(baseline, MACHINE_V128);
        CHECK(reg < FLOAT_BASE + STENCIL_STACK_REGISTERS);
    }
    for (unsigned i = 0; i < 13; i++) {
        const struct operand *operand = &stage.operands[i];
        REQUIRE(operand->place == PLACE_REGISTER);
        CHECK(operand->reg != PIN && operand->reg != REGISTER_XMM8 &&
              operand->reg != REGISTER_XMM8 + 1);
        CHECK_NUMBER(baseline->owners[operand->reg], i + 1);
        CHECK((borrowed & 1u << operand->reg) == 0);
        borrowed |= 1u << operand->reg;
    }
    push_register(baseline, MACHINE_V128);
    unsigned in_slots = 0;
    for (unsigned i = 0; i < 14; i++) {
        if (stage.operands[i].place == PLACE_SLOT) {
            CHECK_NUMBER(stage.operands[i].index, BASE + 2 * i);
            in_slots++;
        }
    }
    CHECK_NUMBER(in_slots, 1);
    registers_spill(baseline);
    for (unsigned i = 0; i < 14; i++)
        CHECK(stage.operands[i].place == PLACE_SLOT && stage.operands[i].index == BASE + 2 * i);
    for (unsigned reg = 0; reg < REGISTER_COUNT; reg++)
        CHECK_NUMBER(baseline->owners[reg], 0);
    end();
}

/* So do integers, of the registers that stencils know, and floats; calls find them in slots. */
static void numbers_borrow_registers(void)
{
    struct baseline *baseline = begin();
    unsigned in_slots = 0;
    baseline->pinned |= 1u << 4;
    for (unsigned i = 0; i < 9; i++)
        push_register(baseline, MACHINE_I64);
    push_register(baseline, MACHINE_F64);
    for (unsigned i = 0; i < 10; i++) {
        const struct operand *operand = &stage.operands[i];
        in_slots += operand->place == PLACE_SLOT;
        CHECK(operand->place == PLACE_SLOT || operand->reg != 4);
        CHECK(i == 9 || operand->reg < STENCIL_INTEGER_REGISTERS);
    }
    CHECK_NUMBER(in_slots, 1); /* eight registers without the pinned one */
    for (unsigned i = 0; i < 3; i++)
        push_register(baseline, MACHINE_F64);
    CHECK(stage.operands[9].reg >= FLOAT_BASE + STENCIL_STACK_REGISTERS);
    registers_spill(baseline);
    for (unsigned i = 0; i < 13; i++)
        CHECK(stage.operands[i].place == PLACE_SLOT && stage.operands[i].index == BASE + i);
    for (unsigned reg = 0; reg < REGISTER_COUNT; reg++)
        CHECK_NUMBER(baseline->owners[reg], 0);
    CHECK_NUMBER(baseline->borrowed, 0);
    operand_drop(baseline, 13);
    end();
}

static void stencils_find_their_operands(void)
{
    struct baseline *baseline = begin();
    /* A vector out of a borrowed register is put where stencils find it. */
    for (unsigned i = 0; i < 4; i++)
        push_register(baseline, MACHINE_V128);
    operand_drop(baseline, 3);
    struct operand vector = operand_take(baseline);
    CHECK(vector.place == PLACE_REGISTER && vector.reg >= FLOAT_BASE + STENCIL_STACK_REGISTERS);
    operand_to_stack_register(baseline, &vector);
    CHECK(vector.reg < FLOAT_BASE + STENCIL_STACK_REGISTERS);
    operand_release(baseline, &vector);
    for (unsigned reg = 0; reg < REGISTER_COUNT; reg++)
        CHECK_NUMBER(baseline->owners[reg], 0);
    end();
}

static void changing_locals_keep_their_old_values(void)
{
    struct baseline *baseline = begin();
    for (unsigned i = 0; i < 3; i++)
        operand_push(baseline, (struct operand){ .place = PLACE_LOCAL,
                                                 .type = MACHINE_V128,
                                                 .index = i == 1 ? 2 : 0 });
    CHECK_NUMBER(stage.locals[0].lazy, 2);
    local_preserve(baseline, 0);
    CHECK_NUMBER(stage.locals[0].lazy, 0);
    CHECK(stage.operands[0].place == PLACE_REGISTER && stage.operands[0].reg != PIN);
    CHECK(stage.operands[2].place == PLACE_REGISTER &&
          stage.operands[2].reg != stage.operands[0].reg);
    CHECK(stage.operands[1].place == PLACE_LOCAL);
    local_preserve(baseline, 2); /* from its slots: through memory */
    CHECK(stage.operands[1].place == PLACE_SLOT && stage.operands[1].index == BASE + 2);
    CHECK_NUMBER(stage.locals[2].lazy, 0);
    struct operand value = { .place = PLACE_CONSTANT, .type = MACHINE_V128 };
    local_assign(baseline, 0, &value);
    CHECK((baseline->pins.dirty & 1u << PIN) != 0);
    pins_store(baseline, baseline->pinned);
    CHECK((baseline->pins.dirty & 1u << PIN) == 0);
    end();
}

static const struct test tests[] = {
    TEST(operands_have_their_slots),
    TEST(vectors_borrow_registers),
    TEST(numbers_borrow_registers),
    TEST(stencils_find_their_operands),
    TEST(changing_locals_keep_their_old_values),
};
TEST_MAIN(tests)
