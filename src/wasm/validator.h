/* SPDX-License-Identifier: Apache-2.0 */
/* The state of the validation algorithm (WebAssembly 2.0, appendix "Validation Algorithm"): a stack
 * of operand types and a stack of open blocks.  Internal to wasm: only the validate files include
 * it. */
#ifndef WASM_VALIDATOR_H
#define WASM_VALIDATOR_H

#include "wasm/opcodes.h"
#include "wasm/proposals.h"
#include "wasm/scan.h"

enum {
    /* Free places on the operand stack before each instruction; more is asked for explicitly. */
    VALIDATOR_ROOM = 4
};

/* Types that stand one after the other. */
struct type_list {
    const uint8_t *types;
    uint32_t count;
};

struct frame {
    struct type_list parameters;
    struct type_list results;
    uint32_t height; /* operands below the block */
    uint32_t weight; /* how often it may run: x8 per loop */
    uint8_t opcode;  /* BLOCK, LOOP, IF or ELSE */
    bool is_unreachable;
    bool is_dead;     /* stands in unreachable code */
    bool is_target;   /* a branch goes to it */
    uint32_t exit;    /* number of the outermost frame that a branch within goes to */
    uint32_t cost_at; /* the basic block that leads here */
    uint32_t loop_at; /* LOOP: number of its facts */
    struct loop_facts facts;
};

struct validator {
    const struct module *module;
    struct arena *arena;
    struct error *error;
    struct scan scan;
    const uint8_t *instruction; /* where the one at hand starts */
    uint32_t function_index;

    uint8_t *operands; /* enum value_type, UNKNOWN in unreachable code */
    uint32_t height, height_max, operand_capacity;
    struct frame *frames;
    uint32_t depth, depth_max, frame_capacity;
    struct frame *top; /* frames + depth - 1 */

    uint8_t *local_types;
    uint32_t *local_uses;
    uint32_t *local_lasts;
    uint32_t local_count, local_capacity;
    uint64_t locals_left; /* that the functions to come may declare */
    uint32_t call_count;
    uint32_t features;

    struct loop_facts *loops;
    uint32_t loop_count, loop_capacity;

    bool counts_costs;
    uint32_t *costs;
    uint32_t cost_count, cost_capacity;
    uint32_t cost_at; /* the block at hand */
};

/* Sets the error, with offset and function behind, and returns false. */
PRINTF_LIKE(3, 4)
bool validator_refuse(struct validator *validator, enum error_code code, const char *format, ...);
/* Names the proposal of an instruction behind a prefix byte, if one is known. */
bool validator_refuse_prefixed(struct validator *validator, uint8_t prefix,
                               enum proposal_place place, uint32_t code);
MUST_CHECK bool validator_make_room(struct validator *validator, uint32_t count);
MUST_CHECK bool validator_pop_slowly(struct validator *validator, enum value_type expected);
/* Takes any operand; its type may be UNKNOWN. */
MUST_CHECK bool validator_pop_any(struct validator *validator, enum value_type *type);
MUST_CHECK bool validator_pop_list(struct validator *validator, struct type_list list);
/* Checks without taking. */
MUST_CHECK bool validator_peek_list(struct validator *validator, struct type_list list);
MUST_CHECK bool validator_push_list(struct validator *validator, struct type_list list);
void validator_set_unreachable(struct validator *validator);
MUST_CHECK bool validator_push_frame(struct validator *validator, uint8_t opcode,
                                     struct type_list parameters, struct type_list results);
/* Reads a value type or reference type from the code. */
MUST_CHECK bool validator_read_type(struct validator *validator, enum value_type *type);
MUST_CHECK bool validator_check_memory(struct validator *validator);
/* Alignment and offset. */
MUST_CHECK bool validator_read_access(struct validator *validator,
                                      const struct instruction *instruction);
MUST_CHECK bool validator_apply(struct validator *validator, const struct signature *signature);

/* There is room: VALIDATOR_ROOM, or what was made. */
static inline void validator_push(struct validator *validator, enum value_type type)
{
    validator->operands[validator->height++] = (uint8_t)type;
    if (validator->height > validator->height_max)
        validator->height_max = validator->height;
}

static inline bool validator_pop(struct validator *validator, enum value_type expected)
{
    uint32_t height = validator->height;
    if (height > validator->top->height && validator->operands[height - 1] == expected) {
        validator->height = height - 1;
        return true;
    }
    return validator_pop_slowly(validator, expected);
}

/* A loop begins or ends: room for its facts; what is known of the frame goes there. */
MUST_CHECK bool validator_begin_loop(struct validator *validator);
void validator_end_loop(struct validator *validator, const struct frame *frame);

/* After an instruction at which a basic block may start: it does, or COST_NONE is noted. */
MUST_CHECK bool validator_split(struct validator *validator, bool starts_block);

/* One function per instruction with rules of its own, after its opcode was read. */
typedef bool check_function(struct validator *validator);
extern check_function *const control_checks[256];
extern check_function *const reference_checks[256];
MUST_CHECK bool validator_check_prefixed(struct validator *validator);
/* Behind 0xfd. */
MUST_CHECK bool validator_check_vector(struct validator *validator);

#endif
