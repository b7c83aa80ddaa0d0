/* SPDX-License-Identifier: Apache-2.0 */
/* Every two-operand instruction with its operands and its result in every kind of place, against C:
 * a wrong choice of code shows as one instruction with one choice of places. */
#include "base/buffer.h"
#include "tests/harness.h"
#include "wasm/executor.h"
#include "wasm/opcodes.h"
#include "wasm/test_reference.h"
#include "wasm/wasm.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* Where an operand stands when the instruction comes. */
enum given {
    GIVEN_CONSTANT,
    GIVEN_PINNED, /* a local that is used often */
    GIVEN_LOCAL,  /* one that isn't */
    GIVEN_MEMORY, /* what the instruction before loads from linear memory */
    GIVEN_CALL,   /* what a call returned: a stack register, or its slot behind another call */
    GIVEN_COUNT
};
/* What becomes of the result. */
enum wanted {
    WANTED_STACK,
    WANTED_PINNED, /* local.set of a local that is used often */
    WANTED_LOCAL,
    WANTED_TEE,
    WANTED_BRANCH, /* comparisons: br_if */
    WANTED_IF,
    WANTED_SELECT,
    WANTED_COUNT
};

enum {
    ADDRESS = 3, /* number of the local */
    VALUES = 8,
    BODY_MAX = 256
};

struct opcode_range {
    uint8_t first, last;
};
static const struct opcode_range ranges[] = {
    { OPCODE_I32_EQ, OPCODE_I32_GE_U },      { OPCODE_I64_EQ, OPCODE_I64_GE_U },
    { OPCODE_F32_EQ, OPCODE_F64_GE },        { OPCODE_I32_ADD, OPCODE_I32_ROTR },
    { OPCODE_I64_ADD, OPCODE_I64_ROTR },     { OPCODE_F32_ADD, OPCODE_F32_COPYSIGN },
    { OPCODE_F64_ADD, OPCODE_F64_COPYSIGN },
};

static const uint64_t integers[VALUES] = {
    0, 1, 2, 7, 0x80000000, 0xffffffff, 0x123456789abcdef0, 0x8000000000000000
};
static const double numbers[VALUES] = {
    0, -0.0, 1, -1.5, 3e10, 1e-40, (double)INFINITY, (double)NAN
};

static uint64_t value_of(uint8_t type, unsigned index)
{
    if (type == VALUE_I32)
        return (uint32_t)integers[index];
    if (type == VALUE_I64)
        return integers[index];
    uint64_t bits = 0;
    float single = (float)numbers[index];
    if (type == VALUE_F32)
        memcpy(&bits, &single, sizeof(single));
    else
        memcpy(&bits, &numbers[index], sizeof(bits));
    return bits;
}

struct code {
    uint8_t bytes[BODY_MAX];
    size_t size;
};

static void put(struct code *code, uint8_t byte)
{
    ASSERT(code->size < BODY_MAX);
    code->bytes[code->size++] = byte;
}

static void put_two(struct code *code, uint8_t first, uint8_t second)
{
    put(code, first);
    put(code, second);
}

static void put_constant(struct code *code, uint8_t type, uint64_t bits)
{
    bool is_float = type == VALUE_F32 || type == VALUE_F64;
    put(code, type == VALUE_I32   ? OPCODE_I32_CONST
              : type == VALUE_I64 ? OPCODE_I64_CONST
              : type == VALUE_F32 ? OPCODE_F32_CONST
                                  : OPCODE_F64_CONST);
    for (unsigned i = 0; is_float && i < (type == VALUE_F32 ? 4u : 8u); i++)
        put(code, (uint8_t)(bits >> 8 * i));
    int64_t number = type == VALUE_I32 ? (int32_t)(uint32_t)bits : (int64_t)bits;
    for (bool more = !is_float; more;) {
        uint8_t byte = number & 0x7f;
        number >>= 7;
        more = !((number == 0 && (byte & 0x40) == 0) || (number == -1 && (byte & 0x40) != 0));
        put(code, byte | (more ? 0x80 : 0));
    }
}

/* Functions 0 to 3 return their argument, one per type. */
static uint8_t identity_of(uint8_t type)
{
    return VALUE_I32 - type;
}

static void put_operand(struct code *code, enum given given, uint8_t type, uint8_t local,
                        uint64_t bits)
{
    if (given == GIVEN_CONSTANT) {
        put_constant(code, type, bits);
        return;
    }
    if (given == GIVEN_MEMORY) {
        put_two(code, OPCODE_LOCAL_GET, ADDRESS);
        put(code, OPCODE_I32_LOAD + (VALUE_I32 - type));
        put_two(code, 0, 16 * local);
        return;
    }
    put_two(code, OPCODE_LOCAL_GET, local);
    if (given == GIVEN_CALL)
        put_two(code, OPCODE_CALL, identity_of(type));
}

static void use_often(struct code *code, uint8_t local)
{
    for (unsigned i = 0; i < 8; i++) {
        put_two(code, OPCODE_LOCAL_GET, local);
        put(code, OPCODE_DROP);
    }
}

struct choice {
    uint8_t opcode;
    enum given a, b;
    enum wanted wanted;
    unsigned value; /* index of the constants */
};

/* Where put_operand will load it from. */
static void put_store(struct code *code, uint8_t type, uint8_t local)
{
    put_two(code, OPCODE_LOCAL_GET, ADDRESS);
    put_two(code, OPCODE_LOCAL_GET, local);
    put(code, OPCODE_I32_STORE + (VALUE_I32 - type));
    put_two(code, 0, 16 * local);
}

/* Locals: 0 and 1 the operands, 2 the result, 3 an address. */
static void make_body(struct code *code, const struct choice *choice)
{
    const struct signature *signature = &instructions[choice->opcode].signature;
    uint8_t type = signature->operands[0], result = signature->result;
    put(code, 2); /* runs of one local */
    put_two(code, 1, result);
    put_two(code, 1, VALUE_I32);
    if (choice->a == GIVEN_MEMORY)
        put_store(code, type, 0);
    if (choice->b == GIVEN_MEMORY)
        put_store(code, type, 1);
    if (choice->a == GIVEN_PINNED)
        use_often(code, 0);
    if (choice->b == GIVEN_PINNED)
        use_often(code, 1);
    if (choice->wanted == WANTED_PINNED || choice->wanted == WANTED_TEE)
        use_often(code, 2);
    if (choice->wanted == WANTED_BRANCH)
        put_two(code, OPCODE_BLOCK, 0x40);
    if (choice->wanted == WANTED_SELECT) {
        put_constant(code, VALUE_I32, 1);
        put_constant(code, VALUE_I32, 0);
    }
    put_operand(code, choice->a, type, 0, value_of(type, choice->value));
    put_operand(code, choice->b, type, 1, value_of(type, (choice->value + 3) % VALUES));
    put(code, choice->opcode);
    switch (choice->wanted) {
    case WANTED_PINNED:
    case WANTED_LOCAL:
        put_two(code, OPCODE_LOCAL_SET, 2);
        put_two(code, OPCODE_LOCAL_GET, 2);
        break;
    case WANTED_TEE:
        put_two(code, OPCODE_LOCAL_TEE, 2);
        put(code, OPCODE_DROP);
        put_two(code, OPCODE_LOCAL_GET, 2);
        break;
    case WANTED_BRANCH:
        put_two(code, OPCODE_BR_IF, 0);
        put_constant(code, VALUE_I32, 0);
        put_two(code, OPCODE_RETURN, OPCODE_END);
        put_constant(code, VALUE_I32, 1);
        break;
    case WANTED_IF:
        put_two(code, OPCODE_IF, VALUE_I32);
        put_constant(code, VALUE_I32, 1);
        put(code, OPCODE_ELSE);
        put_constant(code, VALUE_I32, 0);
        put(code, OPCODE_END);
        break;
    case WANTED_SELECT:
        put(code, OPCODE_SELECT);
        break;
    default:
        break;
    }
    put(code, OPCODE_END);
}

static void put_number(struct buffer *to, size_t number)
{
    do {
        uint8_t byte = (uint8_t)((number & 0x7f) | (number > 0x7f ? 0x80 : 0));
        buffer_append(to, bytes_of(&byte, 1));
        number >>= 7;
    } while (number != 0);
}

static void put_section(struct buffer *to, uint8_t id, size_t count, const struct buffer *content)
{
    AUTO_BUFFER struct buffer head;
    buffer_init(&head, 16);
    put_number(&head, count);
    buffer_append(to, bytes_of(&id, 1));
    put_number(to, head.size + content->size);
    buffer_append(to, buffer_view(&head));
    buffer_append(to, buffer_view(content));
}

enum {
    IDENTITIES = 4
};

struct functions {
    struct buffer types, indices, memory, exports, bodies;
    size_t count;
};

/* Types are one a function: parameters, results; exported under its number. */
static void add_function(struct functions *functions, const uint8_t *parameters,
                         size_t parameter_count, uint8_t result, const struct code *body)
{
    char name[16];
    int size = snprintf(name, sizeof(name), "%zu", functions->count);
    buffer_append(&functions->types, BYTES_LITERAL("\x60"));
    put_number(&functions->types, parameter_count);
    buffer_append(&functions->types, bytes_of(parameters, parameter_count));
    put_number(&functions->types, 1);
    buffer_append(&functions->types, bytes_of(&result, 1));
    put_number(&functions->indices, functions->count);
    put_number(&functions->exports, (size_t)size);
    buffer_append(&functions->exports, bytes_of_string(name));
    put_number(&functions->exports, 0);
    put_number(&functions->exports, functions->count);
    put_number(&functions->bodies, body->size);
    buffer_append(&functions->bodies, bytes_of(body->bytes, body->size));
    functions->count++;
}

static void begin(struct functions *functions)
{
    memset(functions, 0, sizeof(*functions));
    struct buffer *buffers[] = { &functions->types, &functions->indices, &functions->memory,
                                 &functions->exports, &functions->bodies };
    for (size_t i = 0; i < ARRAY_COUNT(buffers); i++)
        buffer_init(buffers[i], 1 << 24);
    buffer_append(&functions->memory, BYTES_LITERAL("\0\1"));
    for (unsigned i = 0; i < IDENTITIES; i++) {
        uint8_t type = (uint8_t)(VALUE_I32 - i);
        struct code body = { { 0, OPCODE_LOCAL_GET, 0, OPCODE_END }, 4 };
        add_function(functions, &type, 1, type, &body);
    }
}

static void finish(struct functions *functions, struct buffer *module)
{
    buffer_append(module, BYTES_LITERAL("\0asm\1\0\0\0"));
    put_section(module, 1, functions->count, &functions->types);
    put_section(module, 3, functions->count, &functions->indices);
    put_section(module, 5, 1, &functions->memory);
    put_section(module, 7, functions->count, &functions->exports);
    put_section(module, 10, functions->count, &functions->bodies);
    buffer_done(&functions->types);
    buffer_done(&functions->indices);
    buffer_done(&functions->memory);
    buffer_done(&functions->exports);
    buffer_done(&functions->bodies);
}

static bool is_possible(const struct choice *choice)
{
    const struct signature *signature = &instructions[choice->opcode].signature;
    bool is_comparison = signature->result == VALUE_I32 &&
                         (signature->operands[0] != VALUE_I32 || choice->opcode <= OPCODE_I32_GE_U);
    return is_comparison || choice->wanted < WANTED_BRANCH;
}

/* All choices for one instruction: `visit` gets each with its number. */
static void each_choice(uint8_t opcode, void (*visit)(void *, const struct choice *), void *context)
{
    struct choice choice = { .opcode = opcode };
    for (choice.a = 0; choice.a < GIVEN_COUNT; choice.a++) {
        for (choice.b = 0; choice.b < GIVEN_COUNT; choice.b++) {
            for (choice.wanted = 0; choice.wanted < WANTED_COUNT; choice.wanted++) {
                bool has_constant = choice.a == GIVEN_CONSTANT || choice.b == GIVEN_CONSTANT;
                for (choice.value = 0; choice.value < (has_constant ? VALUES : 1); choice.value++) {
                    if (is_possible(&choice))
                        visit(context, &choice);
                }
            }
        }
    }
}

static void add_choice(void *context, const struct choice *choice)
{
    const struct signature *signature = &instructions[choice->opcode].signature;
    struct code body = { .size = 0 };
    make_body(&body, choice);
    add_function(context, signature->operands, 2, signature->result, &body);
}

struct check {
    struct executor *executor;
    uint32_t function;
    unsigned failed, run;
};

static bool is_same(uint8_t type, uint64_t found, uint64_t wanted)
{
    bool is_nan = (type == VALUE_F32 || type == VALUE_F64) && isnan(test_double(type, wanted));
    return is_nan ? isnan(test_double(type, found)) : found == wanted;
}

static void check_choice(void *context, const struct choice *choice)
{
    struct check *check = context;
    const struct signature *signature = &instructions[choice->opcode].signature;
    uint8_t type = signature->operands[0];
    struct image_export export = image_export_at(&check->executor->image, check->function++);
    for (unsigned i = 0; i < VALUES * VALUES; i += 3) {
        uint64_t a = value_of(type, choice->a == GIVEN_CONSTANT ? choice->value : i / VALUES);
        uint64_t b =
            value_of(type, choice->b == GIVEN_CONSTANT ? (choice->value + 3) % VALUES : i % VALUES);
        uint64_t slots[4] = { a, b }, wanted = 0;
        bool returns = test_expected(choice->opcode, a, b, &wanted);
        enum trap_reason trap = executor_call(check->executor, export.where, slots, 2, 1);
        bool good = returns ? trap == TRAP_NONE && is_same(signature->result, slots[0], wanted)
                            : trap == TRAP_DIVIDE_BY_ZERO || trap == TRAP_INTEGER_OVERFLOW;
        check->run++;
        if (good || check->failed++ > 10)
            continue;
        CHECK_NOTE(good,
                   "%s, operands %d and %d, result %d: of 0x%llx and 0x%llx 0x%llx, not 0x%llx",
                   instructions[choice->opcode].text, (int)choice->a, (int)choice->b,
                   (int)choice->wanted, (unsigned long long)a, (unsigned long long)b,
                   (unsigned long long)slots[0], (unsigned long long)wanted);
    }
}

static void check_range(const struct opcode_range *range, const struct wasm_options *options,
                        unsigned *run)
{
    AUTO_BUFFER struct buffer module;
    AUTO_BUFFER struct buffer image;
    struct functions functions;
    struct executor executor;
    struct error error = { 0 };
    const char *reason;
    buffer_init(&module, 1 << 26);
    buffer_init(&image, 1 << 28);
    begin(&functions);
    for (uint8_t opcode = range->first; opcode <= range->last; opcode++)
        each_choice(opcode, add_choice, &functions);
    finish(&functions, &module);
    bool compiled = wasm_compile(&image, buffer_view(&module), options, &error);
    CHECK_NOTE(compiled, "%s", error.text);
    if (!compiled || !executor_open(&executor, buffer_view(&image), &reason))
        return;
    executor.instance->fuel = UINT64_MAX;
    struct check check = { .executor = &executor, .function = IDENTITIES };
    for (uint8_t opcode = range->first; opcode <= range->last; opcode++)
        each_choice(opcode, check_choice, &check);
    CHECK_NUMBER(check.failed, 0);
    *run += check.run;
    executor_close(&executor);
}

static void run_ranges(const struct wasm_options *options)
{
    unsigned run = 0;
    for (size_t i = 0; i < ARRAY_COUNT(ranges); i++)
        check_range(&ranges[i], options, &run);
    printf("    %u calls\n", run);
    if (run == 0)
        SKIP("compiled only: a sanitizer has the addresses of the layout");
}

static void agrees_with_c_in_every_place(void)
{
    run_ranges(&(struct wasm_options){ 0 });
}

static void agrees_when_metered_and_deterministic(void)
{
    run_ranges(&(struct wasm_options){ .fuel = true, .deterministic = true });
}

/* Divisors whose inverses are rounded up and down, powers, the ends of the range. */
static const uint32_t divisors[] = {
    1,          2,          3,          4,          5,          6,          7,          9,
    10,         11,         12,         13,         14,         19,         21,         25,
    26,         28,         31,         53,         60,         97,         100,        107,
    127,        128,        255,        256,        274177,     365,        641,        1000,
    1009,       1024,       3600,       10000,      65535,      65536,      65537,      86400,
    1000000,    6700417,    16777619,   1000000000, 0x3fffffff, 0x40000000, 0x55555555, 0x7ffffffe,
    0x7fffffff, 0x80000000, 0x80000001, 0xaaaaaaab, 0xc0000000, 0xfffffff6, 0xfffffff9, 0xfffffffd,
    0xfffffffe, 0xffffffff,
};

enum division_form {
    FORM_STACK,
    FORM_PINNED,
    FORM_ITSELF, /* the local that was divided gets the result */
    FORM_COUNT
};

static void add_division(struct functions *functions, uint8_t opcode, uint32_t divisor,
                         enum division_form form)
{
    static const uint8_t parameter[1] = { VALUE_I32 };
    struct code body = { .size = 0 };
    put(&body, 1);
    put_two(&body, 1, VALUE_I32);
    if (form != FORM_STACK)
        use_often(&body, form == FORM_PINNED);
    put_two(&body, OPCODE_LOCAL_GET, 0);
    put_constant(&body, VALUE_I32, divisor);
    put(&body, opcode);
    if (form != FORM_STACK) {
        put_two(&body, OPCODE_LOCAL_SET, form == FORM_PINNED);
        put_two(&body, OPCODE_LOCAL_GET, form == FORM_PINNED);
    }
    put(&body, OPCODE_END);
    add_function(functions, parameter, 1, VALUE_I32, &body);
}

/* Dividends around multiples of the divisor and the ends of the range. */
static uint32_t dividend(uint32_t divisor, unsigned index)
{
    uint32_t step = (uint32_t)index / 3 * 0x0f0f0f0fu;
    uint32_t near = step / divisor * divisor + index % 3 - 1;
    static const uint32_t ends[] = { 0, 1, 0x7fffffff, 0x80000000, 0x80000001, 0xffffffff };
    return index < ARRAY_COUNT(ends) ? ends[index] : near;
}

static void divides_by_constants(void)
{
    enum {
        DIVIDENDS = 60
    };
    AUTO_BUFFER struct buffer module;
    AUTO_BUFFER struct buffer image;
    struct functions functions;
    struct executor executor;
    struct error error = { 0 };
    const char *reason;
    buffer_init(&module, 1 << 24);
    buffer_init(&image, 1 << 24);
    begin(&functions);
    for (uint8_t opcode = OPCODE_I32_DIV_S; opcode <= OPCODE_I32_REM_U; opcode++) {
        for (size_t i = 0; i < ARRAY_COUNT(divisors) * FORM_COUNT; i++)
            add_division(&functions, opcode, divisors[i / FORM_COUNT], i % FORM_COUNT);
    }
    finish(&functions, &module);
    bool compiled = wasm_compile(&image, buffer_view(&module), &(struct wasm_options){ 0 }, &error);
    CHECK_NOTE(compiled, "%s", error.text);
    if (!compiled || !executor_open(&executor, buffer_view(&image), &reason))
        SKIP("compiled only: a sanitizer has the addresses of the layout");
    unsigned wrong = 0;
    size_t per_opcode = ARRAY_COUNT(divisors) * FORM_COUNT;
    for (size_t i = 0; i < 4 * per_opcode; i++) {
        uint8_t opcode = (uint8_t)(OPCODE_I32_DIV_S + i / per_opcode);
        uint32_t divisor = divisors[i % per_opcode / FORM_COUNT];
        struct image_export export = image_export_at(&executor.image, (uint32_t)i + IDENTITIES);
        for (unsigned k = 0; k < DIVIDENDS; k++) {
            uint64_t slots[4] = { dividend(divisor, k) }, wanted = 0;
            bool returns = test_expected(opcode, slots[0], divisor, &wanted);
            enum trap_reason trap = executor_call(&executor, export.where, slots, 1, 1);
            bool good =
                returns ? trap == TRAP_NONE && slots[0] == wanted : trap == TRAP_INTEGER_OVERFLOW;
            if (!good && wrong++ < 10)
                CHECK_NOTE(good, "%s of 0x%x by 0x%x: 0x%llx", instructions[opcode].text,
                           dividend(divisor, k), divisor, (unsigned long long)slots[0]);
        }
    }
    CHECK_NUMBER(wrong, 0);
    executor_close(&executor);
}

static const struct test tests[] = {
    TEST(divides_by_constants),
    TEST(agrees_with_c_in_every_place),
    TEST(agrees_when_metered_and_deterministic),
};
TEST_MAIN(tests)
