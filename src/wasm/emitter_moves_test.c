/* SPDX-License-Identifier: Apache-2.0 */
/* What is emitted, as a disassembler reads it, for every register; jumps, jump tables, traps and
 * constants by their bytes. */
#include "wasm/emitter.h"

#include "abi/layout.h"
#include "tests/harness.h"

#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const wide_names[INTEGER_REGISTER_COUNT] = { "rax", "rdx", "rcx", "rdi",
                                                                "rsi", "r8",  "r9",  "r11",
                                                                "r15", "rbx", "rbp" };
static const char *const narrow_names[INTEGER_REGISTER_COUNT] = { "eax",  "edx", "ecx", "edi",
                                                                  "esi",  "r8d", "r9d", "r11d",
                                                                  "r15d", "ebx", "ebp" };

static const char *name_of(bool wide, unsigned reg)
{
    if (reg == REGISTER_NONE)
        return wide ? "r10" : "r10d";
    return (wide ? wide_names : narrow_names)[reg];
}

struct scene {
    struct arena *arena;
    struct buffer buffer;
    struct emitter emitter;
    struct buffer expected; /* lines */
};

static void scene_open(struct scene *scene)
{
    memset(scene, 0, sizeof(*scene));
    scene->arena = arena_new(1 << 24);
    buffer_init(&scene->buffer, 1 << 24);
    buffer_init(&scene->expected, 1 << 24);
    scene->emitter = (struct emitter){ .buffer = &scene->buffer, .arena = scene->arena };
}

static void scene_close(struct scene *scene)
{
    buffer_done(&scene->buffer);
    buffer_done(&scene->expected);
    arena_free(scene->arena);
}

PRINTF_LIKE(2, 3) static void expect(struct scene *scene, const char *format, ...)
{
    char line[128];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(line, sizeof(line), format, arguments);
    va_end(arguments);
    buffer_append_string(&scene->expected, line);
    buffer_append_string(&scene->expected, "\n");
}

/* "-0x8", "+0x80"; nothing for 0. */
static const char *displacement_text(char text[24], int32_t number)
{
    if (number == 0)
        text[0] = '\0';
    else
        snprintf(text, 24, "%c0x%x", number < 0 ? '-' : '+',
                 (unsigned)(number < 0 ? -number : number));
    return text;
}

/* The next instruction of objdump's output, without its double spaces. */
static bool next_line(FILE *from, char line[256])
{
    while (fgets(line, 256, from) != NULL) {
        char *at = strrchr(line, '\t');
        if (strchr(line, ':') == NULL || at == NULL || strchr(line, '\t') == at)
            continue;
        at++;
        if (strncmp(at, "rex ", 4) == 0)
            at += 4;
        char *to = line;
        for (; *at != '\0' && *at != '\n' && *at != '#'; at++) {
            if (*at != ' ' || (to > line && to[-1] != ' '))
                *to++ = *at;
        }
        while (to > line && to[-1] == ' ')
            to--;
        *to = '\0';
        return true;
    }
    return false;
}

static void compare(struct scene *scene)
{
    char path[PATH_MAX], command[PATH_MAX + 128], line[256];
    snprintf(path, sizeof(path), "%s/code", test_folder());
    FILE *file = fopen(path, "wb");
    REQUIRE(file != NULL);
    fwrite(scene->emitter.code, 1, scene->emitter.size, file);
    fclose(file);
    snprintf(command, sizeof(command), "objdump -D -b binary -m i386:x86-64 -M intel '%s'", path);
    FILE *pipe = popen(command, "r");
    REQUIRE(pipe != NULL);
    buffer_append(&scene->expected, BYTES_LITERAL("\0"));
    unsigned wrong = 0, count = 0;
    char *rest = (char *)scene->expected.data, *expected;
    while ((expected = strsep(&rest, "\n")) != NULL && expected[0] != '\0') {
        bool has_line = next_line(pipe, line);
        bool same = has_line && strcmp(line, expected) == 0;
        count++;
        if (!same && wrong++ < 10)
            CHECK_NOTE(same, "emitted \"%s\", wanted \"%s\"", has_line ? line : "nothing",
                       expected);
    }
    CHECK(!next_line(pipe, line));
    CHECK_NUMBER(wrong, 0);
    pclose(pipe);
    printf("    %u instructions\n", count);
}

static bool has_objdump(void)
{
    return system("command -v objdump >/dev/null") == 0;
}

static void emit_pairs(struct scene *scene, unsigned a, unsigned b, bool wide)
{
    struct emitter *emitter = &scene->emitter;
    const char *x = name_of(wide, a), *y = name_of(wide, b);
    enum machine_type type = wide ? MACHINE_I64 : MACHINE_I32;
    if (a != b) {
        emit_move(emitter, type, a, b);
        expect(scene, "mov %s,%s", x, y);
    }
    emit_integer_registers(emitter, 0x31, wide, a, b);
    expect(scene, "xor %s,%s", y, x);
    emit_multiply(emitter, wide, a, b);
    expect(scene, "imul %s,%s", x, y);
    emit_multiply_immediate(emitter, wide, a, b, 1000);
    expect(scene, "imul %s,%s,0x3e8", x, y);
    emit_rotate(emitter, wide, a, b, 5);
    expect(scene, "rorx %s,%s,0x5", x, y);
    emit_lea_immediate(emitter, wide, a, b, -8);
    expect(scene, "lea %s,[%s-0x8]", x, name_of(true, b));
}

static void encodes_integers(void)
{
    if (!has_objdump())
        SKIP("no objdump");
    struct scene scene;
    scene_open(&scene);
    struct emitter *emitter = &scene.emitter;
    for (unsigned wide = 0; wide < 2; wide++) {
        for (unsigned a = 0; a < INTEGER_REGISTER_COUNT; a++) {
            const char *x = name_of(wide, a);
            for (unsigned b = 0; b < INTEGER_REGISTER_COUNT; b++)
                emit_pairs(&scene, a, b, wide);
            emit_integer_slot(emitter, 0x03, wide, a, 0x78);
            expect(&scene, "add %s,%s PTR [r12+0x78]", x, wide ? "QWORD" : "DWORD");
            emit_integer_slot(emitter, 0x3b, wide, a, 0x80);
            expect(&scene, "cmp %s,%s PTR [r12+0x80]", x, wide ? "QWORD" : "DWORD");
            emit_integer_immediate(emitter, 4, wide, a, 0x7f);
            expect(&scene, "and %s,0x7f", x);
            emit_integer_immediate(emitter, 5, wide, a, 0x12345);
            expect(&scene, "sub %s,0x12345", x);
            emit_shift(emitter, 7, wide, a, 13);
            expect(&scene, "sar %s,0xd", x);
            emit_negate(emitter, wide, a);
            expect(&scene, "neg %s", x);
            emit_test_immediate(emitter, wide, a, 0x100);
            expect(&scene, "test %s,0x100", x);
            emit_rotate_slot(emitter, wide, a, 16, 7);
            expect(&scene, "rorx %s,%s PTR [r12+0x10],0x7", x, wide ? "QWORD" : "DWORD");
        }
    }
    emit_compare_slot(emitter, true, 8, 300);
    expect(&scene, "cmp QWORD PTR [r12+0x8],0x12c");
    emit_frame_move(emitter, 0x80);
    expect(&scene, "sub r12,0xffffffffffffff80");
    emit_frame_move(emitter, -0x80);
    expect(&scene, "add r12,0xffffffffffffff80");
    compare(&scene);
    scene_close(&scene);
}

/* All forms of a sum: which registers, how scaled, how far. */
static void emit_one_sum(struct scene *scene, bool wide, unsigned to, unsigned base,
                         unsigned second, unsigned shift, int32_t number)
{
    char text[24];
    const char *x = name_of(wide, to), *b = base == REGISTER_NONE ? "" : name_of(true, base);
    const char *s = name_of(true, second);
    emit_sum(&scene->emitter, wide, to, base, second, shift, number);
    if (base != REGISTER_NONE && shift == 0 && number == 0 && (to == base || to == second)) {
        expect(scene, "add %s,%s", x, name_of(wide, to == base ? second : base));
    } else if (base == REGISTER_NONE && number == 0) {
        if (to != second)
            expect(scene, "mov %s,%s", x, name_of(wide, second));
        expect(scene, "shl %s,0x%x", x, shift);
    } else {
        bool is_rbp = base != REGISTER_NONE && number == 0 && strcmp(b, "rbp") == 0;
        expect(scene, "lea %s,[%s%s%s*%u%s]", x, b, base == REGISTER_NONE ? "" : "+", s,
               1u << shift, is_rbp ? "+0x0" : displacement_text(text, number));
    }
}

static void encodes_sums(void)
{
    static const int32_t numbers[] = { 0, 8, -128, 128, 0x12345678 };
    if (!has_objdump())
        SKIP("no objdump");
    struct scene scene;
    scene_open(&scene);
    for (unsigned to = 0; to <= INTEGER_REGISTER_COUNT; to += 5) {
        unsigned target = to == INTEGER_REGISTER_COUNT ? REGISTER_NONE : to;
        for (unsigned base = 0; base <= INTEGER_REGISTER_COUNT; base++) {
            unsigned first = base == INTEGER_REGISTER_COUNT ? REGISTER_NONE : base;
            for (unsigned second = 0; second < INTEGER_REGISTER_COUNT; second++) {
                for (unsigned i = 0; i < ARRAY_COUNT(numbers); i++) {
                    unsigned shift =
                        first == REGISTER_NONE ? 1 + (i + second) % 3 : (i + second) % 4;
                    emit_one_sum(&scene, base & 1, target, first, second, shift, numbers[i]);
                }
            }
        }
    }
    compare(&scene);
    scene_close(&scene);
}

static void encodes_floats(void)
{
    if (!has_objdump())
        SKIP("no objdump");
    struct scene scene;
    scene_open(&scene);
    struct emitter *emitter = &scene.emitter;
    for (unsigned i = 0; i < 16 * 16; i++) {
        unsigned a = i / 16, b = i % 16, c = (a + 7 * b) % 16;
        unsigned to = FLOAT_BASE + a, x = FLOAT_BASE + b, y = FLOAT_BASE + c;
        emit_float_registers(emitter, 0x58, MACHINE_F32, to, x, y);
        expect(&scene, "vaddss xmm%u,xmm%u,xmm%u", a, b, c);
        emit_float_registers(emitter, 0x5e, MACHINE_F64, to, x, y);
        expect(&scene, "vdivsd xmm%u,xmm%u,xmm%u", a, b, c);
        emit_float_slot(emitter, 0x59, MACHINE_F64, to, x, 0x100);
        expect(&scene, "vmulsd xmm%u,xmm%u,QWORD PTR [r12+0x100]", a, b);
        if (a != b) {
            emit_move(emitter, MACHINE_F64, to, x);
            expect(&scene, "vmovaps xmm%u,xmm%u", a, b);
        }
        if (b != 0)
            continue;
        emit_load(emitter, MACHINE_F32, to, FRAME_REGISTER, 8);
        expect(&scene, "vmovss xmm%u,DWORD PTR [r12+0x8]", a);
        emit_store(emitter, MACHINE_F64, to, INSTANCE_REGISTER, 0x570);
        expect(&scene, "vmovsd QWORD PTR [r14+0x570],xmm%u", a);
        emit_constant(emitter, MACHINE_F64, to, 0);
        expect(&scene, "vxorps xmm%u,xmm%u,xmm%u", a, a, a);
    }
    compare(&scene);
    scene_close(&scene);
}

static void encodes_memory_and_constants(void)
{
    if (!has_objdump())
        SKIP("no objdump");
    struct scene scene;
    scene_open(&scene);
    struct emitter *emitter = &scene.emitter;
    for (unsigned reg = 0; reg < INTEGER_REGISTER_COUNT; reg++) {
        emit_load(emitter, MACHINE_I32, reg, FRAME_REGISTER, 0);
        expect(&scene, "mov %s,DWORD PTR [r12+0x0]", name_of(false, reg));
        emit_store(emitter, MACHINE_I32, reg, FRAME_REGISTER, -8);
        expect(&scene, "mov QWORD PTR [r12-0x8],%s", name_of(true, reg));
        emit_integer_constant(emitter, reg, 0);
        expect(&scene, "xor %s,%s", name_of(false, reg), name_of(false, reg));
        emit_integer_constant(emitter, reg, 0xffffffff);
        expect(&scene, "mov %s,0xffffffff", name_of(false, reg));
        emit_integer_constant(emitter, reg, UINT64_MAX);
        expect(&scene, "mov %s,0xffffffffffffffff", name_of(true, reg));
        emit_integer_constant(emitter, reg, 0x123456789abcull);
        expect(&scene, "movabs %s,0x123456789abc", name_of(true, reg));
        emit_scratch_move(emitter, reg);
        expect(&scene, "mov r10d,%s", name_of(false, reg));
        emit_add_scratch(emitter, reg);
        expect(&scene, "add %s,r10", name_of(true, reg));
    }
    emit_copy(emitter, FRAME_REGISTER, 16, 8);
    expect(&scene, "mov r10,QWORD PTR [r12+0x8]");
    expect(&scene, "mov QWORD PTR [r12+0x10],r10");
    emit_copy(emitter, FRAME_REGISTER, 8, 8); /* nothing */
    emit_store_constant(emitter, FRAME_REGISTER, 0x90, 5);
    expect(&scene, "mov QWORD PTR [r12+0x90],0x5");
    emit_store_constant(emitter, FRAME_REGISTER, 0, 0xffffffff);
    expect(&scene, "mov r10d,0xffffffff");
    expect(&scene, "mov QWORD PTR [r12+0x0],r10");
    emit_clear_upper(emitter, 2);
    expect(&scene, "mov DWORD PTR [r12+0x14],0x0");
    emit_zero_slots(emitter, 1, 3);
    expect(&scene, "vxorps xmm0,xmm0,xmm0");
    expect(&scene, "vmovups XMMWORD PTR [r12+0x8],xmm0");
    expect(&scene, "mov QWORD PTR [r12+0x18],0x0");
    emit_zero_slots(emitter, 0, 65);
    expect(&scene, "vxorps xmm0,xmm0,xmm0");
    expect(&scene, "lea rdx,[r12+0x0]");
    expect(&scene, "mov ecx,0x10");
    unsigned back = emitter->size - 12 - 12; /* the loop, and the store behind it */
    expect(&scene, "vmovups YMMWORD PTR [rdx],ymm0");
    expect(&scene, "add rdx,0x20");
    expect(&scene, "dec ecx");
    expect(&scene, "jne 0x%x", back);
    expect(&scene, "mov QWORD PTR [r12+0x200],0x0");
    compare(&scene);
    scene_close(&scene);
}

static uint32_t u32_at(const struct emitter *emitter, uint32_t at)
{
    uint32_t number;
    memcpy(&number, emitter->code + at, sizeof(number));
    return number;
}

static void resolves_jumps(void)
{
    struct scene scene;
    scene_open(&scene);
    struct emitter *emitter = &scene.emitter;
    uint32_t chain = CHAIN_END;
    emitter->base = 0x1000;
    emit_align(emitter, 16, 0xcc);
    emit_bytes(emitter, (const uint8_t[]){ 0x90 }, 1);
    emit_jump(emitter, (struct target){ .chain = &chain });
    uint32_t first = emitter->size;
    emit_jump_if(emitter, 4, (struct target){ .chain = &chain });
    uint32_t second = emitter->size, table = second;
    emit_table_entry(emitter, (struct target){ .chain = &chain });
    emit_table_entry(emitter, (struct target){ .address = 1 });
    CHECK(chain != CHAIN_END);
    emit_chain_here(emitter, &chain);
    CHECK_NUMBER(chain, CHAIN_END);
    CHECK_NUMBER(first + u32_at(emitter, first - 4), emitter->size);
    CHECK_NUMBER(second + u32_at(emitter, second - 4), emitter->size);
    CHECK_NUMBER(u32_at(emitter, table), 0x1000 + emitter->size); /* addresses */
    CHECK_NUMBER(u32_at(emitter, table + TABLE_ENTRY), 0x1001);
    CHECK_NUMBER(u32_at(emitter, table + 4), 0);
    uint32_t fixed = emitter->fixed_count;
    emit_jump(emitter, (struct target){ .address = 1 });
    CHECK_NUMBER((int32_t)(emitter->size + u32_at(emitter, emitter->size - 4)), 1);
    CHECK(emitter->fixed_count > fixed);
    scene_close(&scene);
}

static void collects_traps_and_constants(void)
{
    struct scene scene;
    scene_open(&scene);
    struct emitter *emitter = &scene.emitter;
    emitter->wasm_offset = 77;
    uint32_t head = emitter->size;
    emit_trap_point(emitter);
    emit_load(emitter, MACHINE_I64, 0, FRAME_REGISTER, 0);
    uint32_t end = emitter->size;
    emit_again(emitter, head, end, 0);
    CHECK_NUMBER(emitter->trap_count, 2);
    CHECK_NUMBER(emitter->traps[1].code_offset, end);
    CHECK_NUMBER(emitter->traps[1].wasm_offset, 77);
    CHECK(memcmp(emitter->code, emitter->code + end, end) == 0);
    emitter->wasm_offset = 88;
    emit_trap_if(emitter, 3, TRAP_TABLE, TRAP_NONE);
    uint32_t site = emitter->size;
    emit_trap_if(emitter, 5, TRAP_SIGNATURE, TRAP_ELEMENT_NULL);
    for (unsigned i = 0; i < 3; i++)
        emit_constant(emitter, MACHINE_F64, FLOAT_BASE + i, 0x3ff8000000000000);
    emit_constant(emitter, MACHINE_F32, FLOAT_BASE, 0x3fc00000);
    uint32_t last = emitter->size;
    emit_canonical_nan(emitter, MACHINE_F64, FLOAT_BASE + 3);
    uint32_t behind = emitter->size;
    emit_islands(emitter);
    /* ud2 and its reason stand where the jump goes. */
    uint32_t island = site + u32_at(emitter, site - 4);
    CHECK_BYTES(bytes_of(emitter->code + island, 3),
                bytes_of((const uint8_t[]){ 0x0f, 0x0b, TRAP_TABLE }, 3));
    bool is_mapped = false;
    for (uint32_t i = 0; i < emitter->trap_count; i++)
        is_mapped |= emitter->traps[i].code_offset == island && emitter->traps[i].wasm_offset == 88;
    CHECK(is_mapped);
    /* Equal constants stand once. */
    uint32_t places[4];
    for (unsigned i = 0; i < 4; i++) {
        uint32_t at = last - 8 * (4 - i);
        places[i] = at + 8 + u32_at(emitter, at + 4);
    }
    CHECK(places[0] == places[1] && places[1] == places[2] && places[3] != places[2]);
    CHECK_NUMBER(u32_at(emitter, places[0] + 4), 0x3ff80000);
    CHECK_NUMBER(u32_at(emitter, places[3]), 0x3fc00000);
    /* The way back from where a NaN becomes the canonical one. */
    uint32_t nan = behind + u32_at(emitter, behind - 4);
    CHECK_NUMBER((int32_t)(nan + 13 + u32_at(emitter, nan + 9)), (int32_t)behind);
    scene_close(&scene);
}

static void stops_when_it_is_full(void)
{
    struct scene scene;
    scene_open(&scene);
    struct emitter *emitter = &scene.emitter;
    scene.buffer.size_max = 1 << 17;
    for (unsigned i = 0; i < 100000; i++)
        emit_integer_constant(emitter, 3, 0x123456789abcull);
    CHECK(emitter->failed);
    CHECK(scene.buffer.size <= 1 << 17);
    emit_jump(emitter, (struct target){ .address = 5 });
    emit_islands(emitter);
    scene_close(&scene);
}

static const struct test tests[] = {
    TEST(encodes_integers),      TEST(encodes_sums),
    TEST(encodes_floats),        TEST(encodes_memory_and_constants),
    TEST(resolves_jumps),        TEST(collects_traps_and_constants),
    TEST(stops_when_it_is_full),
};
TEST_MAIN(tests)
