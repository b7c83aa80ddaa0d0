/* SPDX-License-Identifier: Apache-2.0 */
/* The state of generate.h's generator, and what its two files share. */
#ifndef TESTS_FUZZ_GENERATOR_H
#define TESTS_FUZZ_GENERATOR_H

#include "tests/fuzz/generate.h"
#include "wasm/opcodes.h"

enum {
    TYPE_COUNT = 5,
    PARAMETERS_MAX = 5,
    RESULTS_MAX = 2,
    LOCALS_MAX = 12,
    GLOBALS_EACH = 2,
    FUEL = 2000,          /* of all loops together */
    DEPTH_MAX = 5,        /* of expressions and of blocks */
    STATEMENTS_MAX = 6,   /* of a block */
    BODY_SIZE_MAX = 6000, /* then only constants follow */
    TABLE_SIZE = GENERATE_FUNCTION_COUNT + 2,
    INSTRUCTIONS_MAX = 512,
    PAGES = 1,
    PAGES_MAX = 3
};

extern const uint8_t generator_types[TYPE_COUNT];

/* An instruction that leaves one value, or none (stores), by its operands. */
struct choice {
    const struct instruction *row;
    uint8_t prefix; /* 0: none */
    uint16_t code;
};

struct shape {
    uint8_t parameters[PARAMETERS_MAX];
    uint8_t results[RESULTS_MAX];
    unsigned parameter_count, result_count;
};

struct generator {
    struct bytes decisions;
    uint64_t random;
    struct choice by_result[TYPE_COUNT][INSTRUCTIONS_MAX];
    struct choice stores[64];
    unsigned result_counts[TYPE_COUNT], store_count;
    struct shape shapes[GENERATE_FUNCTION_COUNT];
    /* The function at hand. */
    struct buffer body;
    unsigned function;
    uint8_t locals[LOCALS_MAX];
    unsigned local_count, parameter_count;
    unsigned depth;
};

/* The next decision: a number below the limit. */
unsigned below(struct generator *generator, unsigned limit);
bool chance(struct generator *generator, unsigned one_in);
unsigned type_index(uint8_t type);
uint8_t any_type(struct generator *generator);

void put(struct buffer *buffer, unsigned byte);
void put_unsigned(struct buffer *buffer, uint64_t number);
void put_signed(struct buffer *buffer, int64_t number);

/* Each appends to the body at hand. */
void constant(struct generator *generator, uint8_t type);
void expression(struct generator *generator, uint8_t type);
void statements(struct generator *generator);

#endif
