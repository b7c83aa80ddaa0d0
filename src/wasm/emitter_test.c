/* SPDX-License-Identifier: Apache-2.0 */
/* Encodings, against what binutils' disassembler reads in them: every register in every place. */
#include "wasm/emitter.h"

#include "tests/harness.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    LINES_MAX = 20000,
    LINE_SIZE = 96
};

static struct {
    struct emitter emitter;
    struct buffer buffer;
    struct arena *arena;
    char (*expected)[LINE_SIZE];
    unsigned count;
} stage;

static const uint8_t vectors[] = { 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15 };
static const char *const integers[2][INTEGER_REGISTER_COUNT] = {
    { "eax", "edx", "ecx", "edi", "esi", "r8d", "r9d", "r11d", "r15d", "ebx", "ebp" },
    { "rax", "rdx", "rcx", "rdi", "rsi", "r8", "r9", "r11", "r15", "rbx", "rbp" },
};
static const int32_t displacements[] = { 0, 8, 127, 128, -128, -129, 0x12345678, 0x7fffffff };

PRINTF_LIKE(1, 2) static void expect(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    ASSERT(stage.count < LINES_MAX);
    vsnprintf(stage.expected[stage.count++], LINE_SIZE, format, arguments);
    va_end(arguments);
}

/* "+0x10" and "-0x10" as the disassembler has them. */
static const char *signed_text(int32_t number)
{
    static char text[4][16];
    static unsigned next;
    char *at = text[next++ % 4];
    snprintf(at, sizeof(text[0]), "%c0x%x", number < 0 ? '-' : '+',
             number < 0 ? 0u - (unsigned)number : (unsigned)number);
    return at;
}

static struct emitter *stage_begin(void)
{
    stage.arena = arena_new((size_t)16 << 20);
    stage.expected = arena_array(stage.arena, LINES_MAX, LINE_SIZE);
    ASSERT(stage.expected != NULL);
    stage.count = 0;
    buffer_init(&stage.buffer, (size_t)16 << 20);
    stage.emitter = (struct emitter){ .buffer = &stage.buffer, .arena = stage.arena };
    return &stage.emitter;
}

/* One instruction of the listing: what stands behind the address and the bytes. */
static bool next_line(FILE *listing, char text[LINE_SIZE])
{
    char line[256];
    while (fgets(line, sizeof(line), listing) != NULL) {
        char *tab = strrchr(line, '\t');
        if (strchr(line, ':') == NULL || tab == NULL || strchr(line, '\t') == tab)
            continue;
        unsigned size = 0;
        for (char *at = tab + 1; *at != '\n' && *at != '#' && size < LINE_SIZE - 1; at++) {
            if (*at != ' ' || (size > 0 && text[size - 1] != ' '))
                text[size++] = *at;
        }
        while (size > 0 && text[size - 1] == ' ')
            size--;
        text[size] = 0;
        if (size > 0)
            return true;
    }
    return false;
}

static void stage_check(void)
{
    char path[256], command[600], found[LINE_SIZE];
    snprintf(path, sizeof(path), "%s/code", test_folder());
    FILE *file = fopen(path, "wb");
    ASSERT(file != NULL && !stage.emitter.failed);
    ASSERT(fwrite(stage.emitter.code, 1, stage.emitter.size, file) == stage.emitter.size);
    fclose(file);
    snprintf(command, sizeof(command), "objdump -D -b binary -m i386:x86-64 -M intel '%s'", path);
    FILE *listing = popen(command, "r");
    ASSERT(listing != NULL);
    unsigned wrong = 0;
    for (unsigned i = 0; i < stage.count && wrong < 5; i++) {
        bool there = next_line(listing, found);
        bool same = there && strcmp(found, stage.expected[i]) == 0;
        CHECK_NOTE(same, "line %u: \"%s\" instead of \"%s\"", i, there ? found : "(end)",
                   stage.expected[i]);
        wrong += !same;
    }
    CHECK(wrong > 0 || !next_line(listing, found));
    pclose(listing);
    buffer_done(&stage.buffer);
    arena_free(stage.arena);
}

static bool has_objdump(void)
{
    return system("command -v objdump >/dev/null") == 0;
}

#define NEED_OBJDUMP()                                                                             \
    do {                                                                                           \
        if (!has_objdump())                                                                        \
            SKIP("objdump (binutils) is not installed");                                           \
    } while (false)

static void vector_registers(void)
{
    NEED_OBJDUMP();
    static const struct vex paddb = { 1, 1, 0xfc, false }, pshufb = { 2, 1, 0, false },
                            pshufd = { 1, 1, 0x70, false }, shift = { 1, 1, 0x71, false };
    struct emitter *emitter = stage_begin();
    for (unsigned a = 0; a < 16; a++) {
        for (unsigned b = 0; b < 16; b++) {
            for (unsigned c = 0; c < 16; c += 5) {
                emit_vector_registers(emitter, paddb, FLOAT_BASE + a, FLOAT_BASE + c,
                                      FLOAT_BASE + b);
                expect("vpaddb xmm%u,xmm%u,xmm%u", a, c, b);
                emit_vector_registers(emitter, pshufb, FLOAT_BASE + a, FLOAT_BASE + c,
                                      FLOAT_BASE + b);
                expect("vpshufb xmm%u,xmm%u,xmm%u", a, c, b);
            }
            emit_vector_registers(emitter, pshufd, FLOAT_BASE + a, REGISTER_NONE, FLOAT_BASE + b);
            emit_byte(emitter, 0xee);
            expect("vpshufd xmm%u,xmm%u,0xee", a, b);
            emit_vector_extended(emitter, shift, 6, FLOAT_BASE + a, FLOAT_BASE + b);
            emit_byte(emitter, 5);
            expect("vpsllw xmm%u,xmm%u,0x5", a, b);
        }
    }
    stage_check();
}

static void vector_and_integer_registers(void)
{
    NEED_OBJDUMP();
    static const struct vex movd = { 1, 1, 0x6e, false }, movq_out = { 1, 1, 0x7e, true },
                            pextrb = { 3, 1, 0x14, false }, pinsrq = { 3, 1, 0x22, true },
                            pmovmskb = { 1, 1, 0xd7, false };
    struct emitter *emitter = stage_begin();
    for (unsigned i = 0; i < INTEGER_REGISTER_COUNT; i++) {
        for (unsigned a = 0; a < 16; a++) {
            unsigned reg = FLOAT_BASE + vectors[a];
            emit_vector_registers(emitter, movd, reg, REGISTER_NONE, i);
            expect("vmovd xmm%u,%s", a, integers[0][i]);
            emit_vector_registers(emitter, movq_out, reg, REGISTER_NONE, i);
            expect("vmovq %s,xmm%u", integers[1][i], a);
            emit_vector_registers(emitter, pextrb, reg, REGISTER_NONE, i);
            emit_byte(emitter, 15);
            expect("vpextrb %s,xmm%u,0xf", integers[0][i], a);
            emit_vector_registers(emitter, pinsrq, reg, FLOAT_BASE + 15 - a, i);
            emit_byte(emitter, 1);
            expect("vpinsrq xmm%u,xmm%u,%s,0x1", a, 15 - a, integers[1][i]);
            emit_vector_registers(emitter, pmovmskb, i, REGISTER_NONE, reg);
            expect("vpmovmskb %s,xmm%u", integers[0][i], a);
        }
    }
    stage_check();
}

static void vector_memory(void)
{
    NEED_OBJDUMP();
    static const struct vex movups = { 1, 0, 0x10, false }, pmovsx = { 2, 1, 0x20, false },
                            andps = { 1, 0, 0x54, false };
    struct emitter *emitter = stage_begin();
    for (unsigned d = 0; d < ARRAY_COUNT(displacements); d++) {
        const char *displacement = signed_text(displacements[d]);
        for (unsigned a = 0; a < 16; a += 3) {
            for (unsigned i = 0; i < INTEGER_REGISTER_COUNT; i++) {
                emit_vector_memory(emitter, movups, FLOAT_BASE + a, REGISTER_NONE, i,
                                   displacements[d]);
                expect("vmovups xmm%u,XMMWORD PTR [r13+%s*1%s]", a, integers[1][i], displacement);
            }
            emit_vector_memory(emitter, pmovsx, FLOAT_BASE + a, REGISTER_NONE, REGISTER_NONE,
                               displacements[d]);
            expect("vpmovsxbw xmm%u,QWORD PTR [r13%s]", a, displacement);
            emit_vector_slot(emitter, andps, FLOAT_BASE + a, FLOAT_BASE + 15 - a, displacements[d]);
            expect("vandps xmm%u,xmm%u,XMMWORD PTR [r12%s]", a, 15 - a, displacement);
        }
    }
    stage_check();
}

static void integer_memory(void)
{
    NEED_OBJDUMP();
    static const struct access load = { .opcode = 0x8b },
                               wide = { .opcode = 0x8b, .is_wide = true },
                               byte = { .opcode = 0xb6, .is_long = true },
                               half = { .opcode = 0x89, .is_half = true },
                               constant = { .opcode = 0xc6, .is_extension = true };
    struct emitter *emitter = stage_begin();
    for (unsigned d = 0; d < ARRAY_COUNT(displacements); d++) {
        const char *displacement = signed_text(displacements[d]);
        for (unsigned i = 0; i <= INTEGER_REGISTER_COUNT; i++) {
            const char *index = i == REGISTER_SCRATCH ? "r10" : integers[1][i];
            unsigned reg = (i + 5) % INTEGER_REGISTER_COUNT;
            /* rbp and those that end in its number always have a displacement. */
            bool is_bare = displacements[d] == 0 && i != REGISTER_RBP;
            const char *rest = is_bare ? "" : displacement;
            emit_access(emitter, load, reg, i, displacements[d]);
            expect("mov %s,DWORD PTR [%s+r13*1%s]", integers[0][reg], index, rest);
            emit_access(emitter, wide, reg, i, displacements[d]);
            expect("mov %s,QWORD PTR [%s+r13*1%s]", integers[1][reg], index, rest);
            emit_access(emitter, byte, reg, i, displacements[d]);
            expect("movzx %s,BYTE PTR [%s+r13*1%s]", integers[0][reg], index, rest);
            emit_access(emitter, constant, 0, i, displacements[d]);
            emit_byte(emitter, 7);
            expect("mov BYTE PTR [%s+r13*1%s],0x7", index, rest);
        }
        emit_access(emitter, load, 3, REGISTER_NONE, displacements[d]);
        expect("mov edi,DWORD PTR [r13%s]", displacement);
        emit_access(emitter, half, 8, REGISTER_NONE, displacements[d]);
        expect("mov WORD PTR [r13%s],r15w", displacement);
    }
    stage_check();
}

static void moves(void)
{
    NEED_OBJDUMP();
    struct emitter *emitter = stage_begin();
    for (unsigned a = 0; a < 16; a++) {
        unsigned reg = FLOAT_BASE + a, b = (a + 9) % 16;
        emit_move(emitter, MACHINE_V128, reg, FLOAT_BASE + b);
        expect("vmovaps xmm%u,xmm%u", a, b);
        emit_load(emitter, MACHINE_V128, reg, FRAME_REGISTER, 0x20);
        expect("vmovups xmm%u,XMMWORD PTR [r12+0x20]", a);
        emit_load(emitter, MACHINE_F64, reg, INSTANCE_REGISTER, 0x200);
        expect("vmovsd xmm%u,QWORD PTR [r14+0x200]", a);
        emit_store(emitter, MACHINE_V128, reg, INSTANCE_REGISTER, 0x200);
        expect("vmovups XMMWORD PTR [r14+0x200],xmm%u", a);
        emit_store(emitter, MACHINE_F32, reg, FRAME_REGISTER, 8);
        expect("vmovss DWORD PTR [r12+0x8],xmm%u", a);
        emit_constant(emitter, MACHINE_V128, reg, 0);
        expect("vxorps xmm%u,xmm%u,xmm%u", a, a, a);
        static const uint64_t ones[2] = { UINT64_MAX, UINT64_MAX };
        emit_constant(emitter, MACHINE_V128, reg, (uint64_t)(uintptr_t)ones);
        expect("vpcmpeqd xmm%u,xmm%u,xmm%u", a, a, a);
    }
    static const char *const bytes[] = { "al",  "dl",   "cl",   "dil", "sil", "r8b",
                                         "r9b", "r11b", "r15b", "bl",  "bpl" };
    static const char *const words[] = { "ax",  "dx",   "cx",   "di", "si", "r8w",
                                         "r9w", "r11w", "r15w", "bx", "bp" };
    for (unsigned i = 0; i < INTEGER_REGISTER_COUNT; i++) {
        bool has_rex = i < 3 || i == 9; /* the disassembler tells a REX that says nothing */
        emit_condition(emitter, 5, i);
        expect("%ssetne %s", has_rex ? "rex " : "", bytes[i]);
        expect("%smovzx %s,%s", has_rex ? "rex " : "", integers[0][i], bytes[i]);
        emit_set_if(emitter, 2, i);
        expect("%ssetb %s", has_rex ? "rex " : "", bytes[i]);
        emit_widen_low(emitter, 8, 7, i);
        expect("movzx r11d,%s", bytes[i]);
        emit_widen_low(emitter, 16, i, 8);
        expect("movzx %s,r15w", integers[0][i]);
        emit_add_sign(emitter, REGISTER_SCRATCH, i);
        expect("%sbt %s,0x1f", i < 5 || i > 8 ? "rex " : "", integers[0][i]);
        expect("adc r10d,0x0");
        emit_sign_extend(emitter, 8, i);
        expect("%smovsx %s,%s", has_rex ? "rex " : "", integers[0][i], bytes[i]);
        emit_sign_extend(emitter, 16, i);
        bool is_low = has_rex || i == 3 || i == 4 || i == 10;
        expect("%smovsx %s,%s", is_low ? "rex " : "", integers[0][i], words[i]);
    }
    emit_vector_count(emitter, 63);
    expect("and r10d,0x3f");
    expect("vmovd xmm8,r10d");
    stage_check();
}

/* Constants behind the code: found from where they are used, equal ones once, aligned. */
static void vector_constants(void)
{
    static const struct vex movups = { 1, 0, 0x10, false }, cmpps = { 1, 0, 0xc2, false };
    struct emitter *emitter = stage_begin();
    static const uint64_t first[2] = { 1, 2 }, second[2] = { 3, 4 }, same[2] = { 1, 2 };
    emit_vector_constant(emitter, movups, FLOAT_BASE, REGISTER_NONE, (const uint8_t *)first, 0);
    uint32_t ends[3] = { emitter->size };
    emit_vector_constant(emitter, cmpps, FLOAT_BASE + 9, FLOAT_BASE, (const uint8_t *)second, 1);
    emit_byte(emitter, 0x11);
    ends[1] = emitter->size;
    emit_vector_constant(emitter, movups, FLOAT_BASE + 3, REGISTER_NONE, (const uint8_t *)same, 0);
    ends[2] = emitter->size;
    emit_islands(emitter);
    REQUIRE(!emitter->failed);
    CHECK_NUMBER(emitter->size, 32 + 2 * 16);
    static const uint8_t tails[3] = { 0, 1, 0 };
    for (unsigned i = 0; i < 3; i++) {
        int32_t distance;
        memcpy(&distance, emitter->code + ends[i] - tails[i] - 4, 4);
        uint32_t at = ends[i] + (uint32_t)distance;
        REQUIRE(at % 16 == 0 && at + 16 <= emitter->size);
        CHECK(memcmp(emitter->code + at, i == 1 ? second : first, 16) == 0);
    }
    CHECK_NUMBER(emitter->vector_site_count, 0);
    buffer_done(&stage.buffer);
    arena_free(stage.arena);
}

/* Out of room, everything goes on without harm. */
static void fails_quietly(void)
{
    static const struct vex movups = { 1, 0, 0x10, false };
    static const uint64_t constant[2] = { 1, 2 };
    struct emitter *emitter = stage_begin();
    stage.buffer.size_max = 100000;
    for (unsigned i = 0; i < 20000; i++)
        emit_vector_constant(emitter, movups, FLOAT_BASE, REGISTER_NONE, (const uint8_t *)constant,
                             0);
    CHECK(emitter->failed);
    emit_vector_pool(emitter);
    emit_islands(emitter);
    CHECK(emitter->failed);
    buffer_done(&stage.buffer);
    arena_free(stage.arena);
}

static const struct test tests[] = {
    TEST(vector_registers),
    TEST(vector_and_integer_registers),
    TEST(vector_memory),
    TEST(integer_memory),
    TEST(moves),
    TEST(vector_constants),
    TEST(fails_quietly),
};
TEST_MAIN(tests)
