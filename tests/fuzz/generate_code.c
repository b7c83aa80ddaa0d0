/* SPDX-License-Identifier: Apache-2.0 */
/* Expressions and statements. */
#include "tests/fuzz/generator.h"

const uint8_t generator_types[TYPE_COUNT] = { VALUE_I32, VALUE_I64, VALUE_F32, VALUE_F64,
                                              VALUE_V128 };

/* --- decisions --- */

unsigned below(struct generator *generator, unsigned limit)
{
    if (generator->decisions.size > 0) {
        unsigned byte = generator->decisions.data[0];
        generator->decisions = bytes_part(generator->decisions, 1, SIZE_MAX);
        generator->random = (generator->random ^ byte) * 0x100000001b3u;
        return byte % limit;
    }
    generator->random = generator->random * 6364136223846793005u + 1442695040888963407u;
    return (unsigned)(generator->random >> 33) % limit;
}

bool chance(struct generator *generator, unsigned one_in)
{
    return below(generator, one_in) == 0;
}

unsigned type_index(uint8_t type)
{
    unsigned index = 0;
    while (generator_types[index] != type)
        index++;
    return index;
}

uint8_t any_type(struct generator *generator)
{
    return generator_types[below(generator, TYPE_COUNT)];
}

/* --- bytes --- */

void put(struct buffer *buffer, unsigned byte)
{
    uint8_t one = (uint8_t)byte;
    buffer_append(buffer, bytes_of(&one, 1));
}

void put_unsigned(struct buffer *buffer, uint64_t number)
{
    for (; number >= 0x80; number >>= 7)
        put(buffer, 0x80 | (unsigned)(number & 0x7f));
    put(buffer, (unsigned)number);
}

void put_signed(struct buffer *buffer, int64_t number)
{
    while (number < -64 || number > 63) {
        put(buffer, 0x80 | (unsigned)(number & 0x7f));
        number = (number - (number & 0x7f)) / 128;
    }
    put(buffer, (unsigned)(number & 0x7f));
}

/* --- expressions --- */

void constant(struct generator *generator, uint8_t type)
{
    static const uint64_t integers[] = { 0,          1,          2,         7,      31,
                                         63,         64,         0xff,      0x8000, 0xffff,
                                         0x10000,    0x7fffffff, ~0ull,     ~1ull,  0x80000000,
                                         0xffffffff, 1ull << 63, ~0ull >> 1 };
    static const double floats[] = { 0.0,
                                     -0.0,
                                     1.0,
                                     -1.5,
                                     2.5,
                                     0.1,
                                     1e10,
                                     -1e10,
                                     2147483648.0,
                                     -2147483649.0,
                                     4294967296.0,
                                     9.3e18,
                                     1.9e19,
                                     1e38,
                                     5e-324,
                                     __builtin_inf(),
                                     -__builtin_inf(),
                                     __builtin_nan("") };
    struct buffer *body = &generator->body;
    uint64_t integer = integers[below(generator, ARRAY_COUNT(integers))];
    double real = floats[below(generator, ARRAY_COUNT(floats))];
    float single = (float)real;
    switch (type) {
    case VALUE_I32:
        put(body, OPCODE_I32_CONST);
        put_signed(body, (int32_t)(uint32_t)integer);
        break;
    case VALUE_I64:
        put(body, OPCODE_I64_CONST);
        put_signed(body, (int64_t)integer);
        break;
    case VALUE_F32:
        put(body, OPCODE_F32_CONST);
        buffer_append(body, bytes_of(&single, sizeof(single)));
        break;
    case VALUE_F64:
        put(body, OPCODE_F64_CONST);
        buffer_append(body, bytes_of(&real, sizeof(real)));
        break;
    default:
        put(body, 0xfd);
        put_unsigned(body, VECTOR_V128_CONST);
        for (unsigned i = 0; i < 16; i++)
            put(body, below(generator, 2) != 0 ? below(generator, 256) : 0xff * (i & 1));
    }
}

/* An address that mostly lies in memory. */
static void address(struct generator *generator)
{
    expression(generator, VALUE_I32);
    if (chance(generator, 24))
        return;
    put(&generator->body, OPCODE_I32_CONST);
    put_signed(&generator->body, 0xfff0);
    put(&generator->body, OPCODE_I32_AND);
}

static void instruct(struct generator *generator, const struct choice *choice)
{
    struct buffer *body = &generator->body;
    const struct instruction *row = choice->row;
    bool is_access = row->kind == OPCODE_ACCESS || row->kind == OPCODE_ACCESS_LANE;
    for (unsigned i = 0; i < row->signature.operand_count; i++) {
        if (is_access && i == 0)
            address(generator);
        else
            expression(generator, row->signature.operands[i]);
    }
    if (choice->prefix != 0) {
        put(body, choice->prefix);
        put_unsigned(body, choice->code);
    } else {
        put(body, choice->code);
    }
    if (is_access) {
        put(body, below(generator, row->alignment + 1u));
        put_unsigned(body, chance(generator, 32) ? 0xfffffff0u : below(generator, 16));
    }
    if (row->kind == OPCODE_LANE)
        put(body, below(generator, row->alignment));
    if (row->kind == OPCODE_ACCESS_LANE)
        put(body, below(generator, 16u >> row->alignment));
}

static void use_variable(struct generator *generator, uint8_t type, bool is_set)
{
    struct buffer *body = &generator->body;
    unsigned start = below(generator, LOCALS_MAX);
    for (unsigned i = 0; i < generator->local_count; i++) {
        unsigned local = (start + i) % generator->local_count;
        if (generator->locals[local] != type || chance(generator, 4))
            continue;
        put(body, is_set ? OPCODE_LOCAL_SET : OPCODE_LOCAL_GET);
        put_unsigned(body, local);
        return;
    }
    put(body, is_set ? OPCODE_GLOBAL_SET : OPCODE_GLOBAL_GET);
    put_unsigned(body, 1 + GLOBALS_EACH * type_index(type) + below(generator, GLOBALS_EACH));
}

/* A call of an earlier function whose first result has the type; the others are dropped.  False:
 * there is none. */
static bool call(struct generator *generator, uint8_t type)
{
    struct buffer *body = &generator->body;
    if (generator->function == 0)
        return false;
    unsigned callee = below(generator, generator->function);
    const struct shape *shape = &generator->shapes[callee];
    if (shape->results[0] != type)
        return false;
    for (unsigned i = 0; i < shape->parameter_count; i++)
        expression(generator, shape->parameters[i]);
    if (chance(generator, 3)) {
        /* mostly itself, sometimes an entry of another type or none */
        put(body, OPCODE_I32_CONST);
        put_signed(body,
                   (int64_t)(chance(generator, 12) ? below(generator, TABLE_SIZE + 1) : callee));
        put(body, OPCODE_CALL_INDIRECT);
        put_unsigned(body, callee);
        put(body, 0);
    } else {
        put(body, OPCODE_CALL);
        put_unsigned(body, callee);
    }
    for (unsigned i = 1; i < shape->result_count; i++)
        put(body, OPCODE_DROP);
    return true;
}

/* A block or if that leaves a value, with a branch out of it now and then. */
static void block_value(struct generator *generator, uint8_t type)
{
    struct buffer *body = &generator->body;
    bool is_if = chance(generator, 2);
    if (is_if)
        expression(generator, VALUE_I32);
    put(body, is_if ? OPCODE_IF : OPCODE_BLOCK);
    put(body, type);
    statements(generator);
    expression(generator, type);
    if (chance(generator, 2)) {
        expression(generator, VALUE_I32);
        put(body, OPCODE_BR_IF);
        put(body, 0);
    }
    if (is_if) {
        put(body, OPCODE_ELSE);
        expression(generator, type);
    }
    put(body, OPCODE_END);
}

void expression(struct generator *generator, uint8_t type)
{
    struct buffer *body = &generator->body;
    if (generator->depth >= DEPTH_MAX || body->size > BODY_SIZE_MAX) {
        if (chance(generator, 2))
            constant(generator, type);
        else
            use_variable(generator, type, false);
        return;
    }
    generator->depth++;
    unsigned index = type_index(type);
    switch (below(generator, 12)) {
    case 0:
        constant(generator, type);
        break;
    case 1:
        use_variable(generator, type, false);
        break;
    case 2:
        if (!call(generator, type))
            constant(generator, type);
        break;
    case 3:
        block_value(generator, type);
        break;
    case 4:
        expression(generator, type);
        expression(generator, type);
        expression(generator, VALUE_I32);
        put(body, OPCODE_SELECT);
        break;
    case 5:
        if (type == VALUE_I32 && chance(generator, 2)) {
            put(body, OPCODE_MEMORY_SIZE);
            put(body, 0);
            break;
        }
        __attribute__((fallthrough));
    default:
        instruct(generator,
                 &generator->by_result[index][below(generator, generator->result_counts[index])]);
    }
    generator->depth--;
}

/* --- statements --- */

/* (block (loop (br_if 1 (fuel is 0)) fuel -= 1, statements, (br_if 0 condition))) */
static void loop(struct generator *generator)
{
    struct buffer *body = &generator->body;
    static const uint8_t head[] = {
        OPCODE_BLOCK,      0x40, OPCODE_LOOP,       0x40, OPCODE_GLOBAL_GET, 0, OPCODE_I32_EQZ,
        OPCODE_BR_IF,      1,    OPCODE_GLOBAL_GET, 0,    OPCODE_I32_CONST,  1, OPCODE_I32_SUB,
        OPCODE_GLOBAL_SET, 0
    };
    buffer_append(body, BYTES_OF(head));
    statements(generator);
    expression(generator, VALUE_I32);
    put(body, OPCODE_BR_IF);
    put(body, 0);
    put(body, OPCODE_END);
    put(body, OPCODE_END);
}

static void br_table(struct generator *generator)
{
    struct buffer *body = &generator->body;
    unsigned count = 1 + below(generator, 4);
    for (unsigned i = 0; i < count; i++) {
        put(body, OPCODE_BLOCK);
        put(body, 0x40);
    }
    expression(generator, VALUE_I32);
    put(body, OPCODE_BR_TABLE);
    put_unsigned(body, count);
    for (unsigned i = 0; i <= count; i++)
        put(body, below(generator, count));
    for (unsigned i = 0; i < count; i++) {
        put(body, OPCODE_END);
        statements(generator);
    }
}

static void bulk(struct generator *generator)
{
    struct buffer *body = &generator->body;
    static const uint8_t codes[] = { PREFIXED_MEMORY_FILL, PREFIXED_MEMORY_COPY,
                                     PREFIXED_MEMORY_INIT };
    uint8_t code = codes[below(generator, ARRAY_COUNT(codes))];
    address(generator);
    if (code == PREFIXED_MEMORY_FILL)
        expression(generator, VALUE_I32);
    else if (code == PREFIXED_MEMORY_COPY)
        address(generator);
    else
        constant(generator, VALUE_I32);
    put(body, OPCODE_I32_CONST);
    put_signed(body, below(generator, 64));
    put(body, 0xfc);
    put(body, code);
    if (code == PREFIXED_MEMORY_INIT)
        put(body, 1); /* the passive segment */
    put(body, 0);
    if (code == PREFIXED_MEMORY_COPY)
        put(body, 0);
}

static void statement(struct generator *generator)
{
    struct buffer *body = &generator->body;
    uint8_t type;
    switch (below(generator, 9)) {
    case 0:
        instruct(generator, &generator->stores[below(generator, generator->store_count)]);
        break;
    case 1:
        loop(generator);
        break;
    case 2:
        br_table(generator);
        break;
    case 3:
        bulk(generator);
        break;
    case 4:
        put(body, OPCODE_I32_CONST);
        put_signed(body, below(generator, 3));
        put(body, OPCODE_MEMORY_GROW);
        put(body, 0);
        put(body, OPCODE_DROP);
        break;
    case 5:
        expression(generator, VALUE_I32);
        put(body, OPCODE_IF);
        put(body, 0x40);
        statements(generator);
        put(body, OPCODE_ELSE);
        statements(generator);
        put(body, OPCODE_END);
        break;
    default:
        type = any_type(generator);
        expression(generator, type);
        use_variable(generator, type, true);
    }
}

void statements(struct generator *generator)
{
    if (generator->depth >= DEPTH_MAX || generator->body.size > BODY_SIZE_MAX)
        return;
    generator->depth++;
    for (unsigned left = below(generator, STATEMENTS_MAX); left > 0; left--)
        statement(generator);
    generator->depth--;
}
