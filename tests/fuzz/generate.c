/* SPDX-License-Identifier: Apache-2.0 */
/* Functions and the module around them. */
#include "tests/fuzz/generator.h"

#include <string.h>

static void put_section(struct buffer *module, unsigned id, struct buffer *content)
{
    put(module, id);
    put_unsigned(module, content->size);
    buffer_append(module, buffer_view(content));
    buffer_clear(content);
}

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
        put(&generator->body, generator_types[i / GLOBALS_EACH]);
        put(&generator->body, 1);
        constant(generator, generator_types[i / GLOBALS_EACH]);
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
