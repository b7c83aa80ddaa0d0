/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/fuzz/generate.h"
#include "wasm/opcodes.h"

#include <string.h>

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

static const uint8_t types[TYPE_COUNT] = { VALUE_I32, VALUE_I64, VALUE_F32, VALUE_F64, VALUE_V128 };

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

/* --- decisions --- */

static unsigned below(struct generator *generator, unsigned limit)
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

static bool chance(struct generator *generator, unsigned one_in)
{
    return below(generator, one_in) == 0;
}

static unsigned type_index(uint8_t type)
{
    unsigned index = 0;
    while (types[index] != type)
        index++;
    return index;
}

static uint8_t any_type(struct generator *generator)
{
    return types[below(generator, TYPE_COUNT)];
}

/* --- bytes --- */

static void put(struct buffer *buffer, unsigned byte)
{
    uint8_t one = (uint8_t)byte;
    buffer_append(buffer, bytes_of(&one, 1));
}

static void put_unsigned(struct buffer *buffer, uint64_t number)
{
    for (; number >= 0x80; number >>= 7)
        put(buffer, 0x80 | (unsigned)(number & 0x7f));
    put(buffer, (unsigned)number);
}

static void put_signed(struct buffer *buffer, int64_t number)
{
    while (number < -64 || number > 63) {
        put(buffer, 0x80 | (unsigned)(number & 0x7f));
        number = (number - (number & 0x7f)) / 128;
    }
    put(buffer, (unsigned)(number & 0x7f));
}

static void put_section(struct buffer *module, unsigned id, struct buffer *content)
{
    put(module, id);
    put_unsigned(module, content->size);
    buffer_append(module, buffer_view(content));
    buffer_clear(content);
}

/* --- expressions --- */

static void expression(struct generator *generator, uint8_t type);

static void constant(struct generator *generator, uint8_t type)
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

static void statements(struct generator *generator);

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

static void expression(struct generator *generator, uint8_t type)
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
        /* fall through */
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

static void statements(struct generator *generator)
{
    if (generator->depth >= DEPTH_MAX || generator->body.size > BODY_SIZE_MAX)
        return;
    generator->depth++;
    for (unsigned left = below(generator, STATEMENTS_MAX); left > 0; left--)
        statement(generator);
    generator->depth--;
}

/* --- functions and the module --- */

/* Ends with a tail call of an earlier function with the same results, when there is one. */
static bool tail_call(struct generator *generator)
{
    struct buffer *body = &generator->body;
    const struct shape *own = &generator->shapes[generator->function];
    if (generator->function == 0 || !chance(generator, 3))
        return false;
    unsigned callee = below(generator, generator->function);
    const struct shape *shape = &generator->shapes[callee];
    if (shape->result_count != own->result_count ||
        memcmp(shape->results, own->results, own->result_count) != 0)
        return false;
    for (unsigned i = 0; i < shape->parameter_count; i++)
        expression(generator, shape->parameters[i]);
    put(body, OPCODE_RETURN_CALL);
    put_unsigned(body, callee);
    return true;
}

static void function(struct generator *generator, struct buffer *code, unsigned number)
{
    const struct shape *shape = &generator->shapes[number];
    struct buffer *body = &generator->body;
    generator->function = number;
    generator->depth = 0;
    generator->parameter_count = generator->local_count = shape->parameter_count;
    memcpy(generator->locals, shape->parameters, shape->parameter_count);
    buffer_clear(body);
    unsigned count = below(generator, LOCALS_MAX - PARAMETERS_MAX + 1);
    put_unsigned(body, count);
    for (unsigned i = 0; i < count; i++) {
        generator->locals[generator->local_count] = any_type(generator);
        put(body, 1);
        put(body, generator->locals[generator->local_count++]);
    }
    statements(generator);
    if (!tail_call(generator)) {
        for (unsigned i = 0; i < shape->result_count; i++)
            expression(generator, shape->results[i]);
    }
    put(body, OPCODE_END);
    put_unsigned(code, body->size);
    buffer_append(code, buffer_view(body));
}

/* The value on the stack becomes an i64. */
static void put_bits(struct buffer *body, uint8_t type)
{
    switch (type) {
    case VALUE_I32:
        put(body, OPCODE_I64_EXTEND_I32_U);
        break;
    case VALUE_F32:
        put(body, OPCODE_I32_REINTERPRET_F32);
        put(body, OPCODE_I64_EXTEND_I32_U);
        break;
    case VALUE_F64:
        put(body, OPCODE_I64_REINTERPRET_F64);
        break;
    case VALUE_V128:
        put(body, 0xfd);
        put(body, VECTOR_I64X2_EXTRACT_LANE);
        put(body, 0);
        break;
    default:
        break;
    }
}

/* r<number>: calls the function with constants; its results, folded.  Of a vector only the first
 * half shows here; globals and memory show whole, in `digest`. */
static void wrapper(struct generator *generator, struct buffer *code, unsigned number)
{
    const struct shape *shape = &generator->shapes[number];
    struct buffer *body = &generator->body;
    buffer_clear(body);
    put_unsigned(body, 1);
    put(body, 1);
    put(body, VALUE_I64);
    for (unsigned i = 0; i < shape->parameter_count; i++)
        constant(generator, shape->parameters[i]);
    put(body, OPCODE_CALL);
    put_unsigned(body, number);
    for (unsigned i = shape->result_count; i-- > 0;) {
        put_bits(body, shape->results[i]);
        put(body, OPCODE_LOCAL_GET);
        put(body, 0);
        put(body, OPCODE_I64_CONST);
        put_signed(body, 7);
        put(body, OPCODE_I64_ROTL);
        put(body, OPCODE_I64_XOR);
        put(body, OPCODE_LOCAL_SET);
        put(body, 0);
    }
    put(body, OPCODE_LOCAL_GET);
    put(body, 0);
    put(body, OPCODE_END);
    put_unsigned(code, body->size);
    buffer_append(code, buffer_view(body));
}

/* Stores every global behind the memory's first half, then folds 64 KiB of memory. */
static void digest(struct generator *generator, struct buffer *code)
{
    struct buffer *body = &generator->body;
    buffer_clear(body);
    static const uint8_t locals[] = { 2, 1, VALUE_I32, 1, VALUE_I64 };
    buffer_append(body, BYTES_OF(locals));
    for (unsigned i = 0; i < TYPE_COUNT * GLOBALS_EACH; i++) {
        static const struct {
            uint8_t code[2];
            uint8_t size;
        } stores[TYPE_COUNT] = { { { OPCODE_I32_STORE }, 1 },
                                 { { OPCODE_I64_STORE }, 1 },
                                 { { OPCODE_F32_STORE }, 1 },
                                 { { OPCODE_F64_STORE }, 1 },
                                 { { 0xfd, VECTOR_V128_STORE }, 2 } };
        put(body, OPCODE_I32_CONST);
        put_signed(body, 0x8000 + 16 * (int64_t)i);
        put(body, OPCODE_GLOBAL_GET);
        put_unsigned(body, 1 + i);
        buffer_append(body, bytes_of(stores[i / GLOBALS_EACH].code, stores[i / GLOBALS_EACH].size));
        put(body, 0);
        put(body, 0);
    }
    static const uint8_t fold[] = { OPCODE_LOOP,
                                    0x40,
                                    OPCODE_LOCAL_GET,
                                    1,
                                    OPCODE_I64_CONST,
                                    5,
                                    OPCODE_I64_ROTL,
                                    OPCODE_LOCAL_GET,
                                    0,
                                    OPCODE_I64_LOAD,
                                    0,
                                    0,
                                    OPCODE_I64_ADD,
                                    OPCODE_LOCAL_SET,
                                    1,
                                    OPCODE_LOCAL_GET,
                                    0,
                                    OPCODE_I32_CONST,
                                    8,
                                    OPCODE_I32_ADD,
                                    OPCODE_LOCAL_TEE,
                                    0,
                                    OPCODE_I32_CONST,
                                    0x80,
                                    0x80,
                                    4,
                                    OPCODE_I32_LT_U,
                                    OPCODE_BR_IF,
                                    0,
                                    OPCODE_END,
                                    OPCODE_LOCAL_GET,
                                    1,
                                    OPCODE_END };
    buffer_append(body, BYTES_OF(fold));
    put_unsigned(code, body->size);
    buffer_append(code, buffer_view(body));
}

static void collect(struct generator *generator, const struct instruction *rows, unsigned count,
                    unsigned prefix)
{
    for (unsigned i = 0; i < count; i++) {
        const struct instruction *row = &rows[i];
        struct choice choice = { row, (uint8_t)prefix, (uint16_t)i };
        if (row->kind == OPCODE_ABSENT || row->kind == OPCODE_SPECIAL)
            continue;
        if (row->signature.result == 0) {
            generator->stores[generator->store_count++] = choice;
            continue;
        }
        unsigned index = type_index(row->signature.result);
        generator->by_result[index][generator->result_counts[index]++] = choice;
    }
}

static void shape_make(struct generator *generator, struct shape *shape)
{
    shape->parameter_count = below(generator, PARAMETERS_MAX + 1);
    shape->result_count = 1 + chance(generator, 3);
    for (unsigned i = 0; i < shape->parameter_count; i++)
        shape->parameters[i] = any_type(generator);
    for (unsigned i = 0; i < shape->result_count; i++)
        shape->results[i] = any_type(generator);
}

static void put_types(struct generator *generator, struct buffer *module, struct buffer *content)
{
    put_unsigned(content, GENERATE_FUNCTION_COUNT + 1);
    for (unsigned i = 0; i < GENERATE_FUNCTION_COUNT; i++) {
        const struct shape *shape = &generator->shapes[i];
        put(content, 0x60);
        put_unsigned(content, shape->parameter_count);
        buffer_append(content, bytes_of(shape->parameters, shape->parameter_count));
        put_unsigned(content, shape->result_count);
        buffer_append(content, bytes_of(shape->results, shape->result_count));
    }
    static const uint8_t exported[] = { 0x60, 0, 1, VALUE_I64 };
    buffer_append(content, BYTES_OF(exported));
    put_section(module, 1, content);
    put_unsigned(content, 2 * GENERATE_FUNCTION_COUNT + 1);
    for (unsigned i = 0; i <= 2 * GENERATE_FUNCTION_COUNT; i++)
        put_unsigned(content, MIN(i, (unsigned)GENERATE_FUNCTION_COUNT));
    put_section(module, 3, content);
}

static void put_state(struct generator *generator, struct buffer *module, struct buffer *content)
{
    static const uint8_t table[] = { 1, 0x70, 0, TABLE_SIZE };
    static const uint8_t memory[] = { 1, 1, PAGES, PAGES_MAX };
    buffer_append(content, BYTES_OF(table));
    put_section(module, 4, content);
    buffer_append(content, BYTES_OF(memory));
    put_section(module, 5, content);
    put_unsigned(content, 1 + TYPE_COUNT * GLOBALS_EACH);
    buffer_clear(&generator->body);
    put(&generator->body, VALUE_I32);
    put(&generator->body, 1);
    put(&generator->body, OPCODE_I32_CONST);
    put_signed(&generator->body, FUEL);
    put(&generator->body, OPCODE_END);
    for (unsigned i = 0; i < TYPE_COUNT * GLOBALS_EACH; i++) {
        put(&generator->body, types[i / GLOBALS_EACH]);
        put(&generator->body, 1);
        constant(generator, types[i / GLOBALS_EACH]);
        put(&generator->body, OPCODE_END);
    }
    buffer_append(content, buffer_view(&generator->body));
    put_section(module, 6, content);
    put_unsigned(content, GENERATE_FUNCTION_COUNT + 1);
    for (unsigned i = 0; i <= GENERATE_FUNCTION_COUNT; i++) {
        bool is_last = i == GENERATE_FUNCTION_COUNT;
        char name[] = { 'r', (char)('0' + i) };
        struct bytes text = is_last ? BYTES_LITERAL("digest") : bytes_of(name, sizeof(name));
        put_unsigned(content, text.size);
        buffer_append(content, text);
        put(content, 0);
        put_unsigned(content, GENERATE_FUNCTION_COUNT + i);
    }
    put_section(module, 7, content);
}

static void put_segments(struct generator *generator, struct buffer *module, struct buffer *content)
{
    put_unsigned(content, 2); /* one active at 0, one passive */
    for (unsigned i = 0; i < 2; i++) {
        static const uint8_t active[] = { 0, OPCODE_I32_CONST, 0, OPCODE_END };
        if (i == 0)
            buffer_append(content, BYTES_OF(active));
        else
            put(content, 1);
        put_unsigned(content, 64);
        for (unsigned n = 0; n < 64; n++)
            put(content, below(generator, 256));
    }
    put_section(module, 11, content);
}

void generate_module(struct buffer *module, struct bytes decisions)
{
    static const uint8_t magic[] = { 0, 'a', 's', 'm', 1, 0, 0, 0 };
    static struct generator generator;
    AUTO_BUFFER struct buffer content, code;
    generator = (struct generator){ .decisions = decisions, .random = 0xcbf29ce484222325u };
    buffer_init(&generator.body, 1 << 20);
    buffer_init(&content, 1 << 20);
    buffer_init(&code, 1 << 20);
    buffer_clear(module);
    collect(&generator, instructions, 256, 0);
    collect(&generator, prefixed_instructions, PREFIXED_COUNT, 0xfc);
    collect(&generator, vector_instructions, VECTOR_COUNT, 0xfd);
    for (unsigned i = 0; i < GENERATE_FUNCTION_COUNT; i++)
        shape_make(&generator, &generator.shapes[i]);
    buffer_append(module, BYTES_OF(magic));
    put_types(&generator, module, &content);
    put_state(&generator, module, &content);
    static const uint8_t element[] = { 1, 0, OPCODE_I32_CONST, 0, OPCODE_END };
    buffer_append(&content, BYTES_OF(element));
    put_unsigned(&content, GENERATE_FUNCTION_COUNT);
    for (unsigned i = 0; i < GENERATE_FUNCTION_COUNT; i++)
        put_unsigned(&content, i);
    put_section(module, 9, &content);
    put_unsigned(&content, 2); /* data segments */
    put_section(module, 12, &content);
    put_unsigned(&code, 2 * GENERATE_FUNCTION_COUNT + 1);
    for (unsigned i = 0; i < GENERATE_FUNCTION_COUNT; i++)
        function(&generator, &code, i);
    for (unsigned i = 0; i < GENERATE_FUNCTION_COUNT; i++)
        wrapper(&generator, &code, i);
    digest(&generator, &code);
    put_section(module, 10, &code);
    put_segments(&generator, module, &content);
    buffer_done(&generator.body);
}
