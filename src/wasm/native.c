/* SPDX-License-Identifier: Apache-2.0 */
#include "wasm/native.h"

#include "abi/layout.h"
#include "core/checked.h"
#include "core/sort.h"
#include "wasm/baseline_state.h"
#include "wasm/types.h"

#include <string.h>

enum {
    RAX = 0,
    RSP = 4,
    RDI = 7,
    R10 = 10,
    R11 = 11,
    PUSHED = 7 * 8, /* bytes that a thunk out of native code pushes */
    CHUNK = 128,
    OPCODE_LOAD = 0x8b, /* mov register, [memory] */
    OPCODE_STORE = 0x89,
    /* What stands at return addresses of thunks where there are tail calls, and nowhere else behind
     * a call: the first four bytes of a no-op of seven whose displacement nobody else emits. */
    LANDING_NATIVE = 0x42801f0f,   /* called native code */
    LANDING_BASELINE = 0x4e801f0f, /* called the baseline's; then the bytes of arguments */
    LANDING_SIZE = 7,
};

struct native_state {
    const struct native_code *code;
    uint32_t text;        /* where it stands in the code section */
    uint32_t *calls;      /* per function: of four bytes to fix in its thunk; 0: none */
    uint32_t *jumps;      /* per function: of four more; 0: none */
    uint32_t *stubs;      /* per function: what native code calls; 0: not yet */
    uint32_t *signatures; /* per canonical type: its thunk; 0: not yet */
};

/* Where the arguments of a type go by the native convention, one after the other. */
struct argument_walk {
    const struct function_type *type;
    uint32_t index, integers, floats;
    uint32_t next_slot, stack; /* the next argument's slot; bytes on the native stack */
    enum machine_type machine; /* the argument at hand */
    bool is_on_stack;
    unsigned reg;
    uint32_t slot, stack_offset;
};

static struct argument_walk walk_of(const struct function_type *type)
{
    return (struct argument_walk){ .type = type, .integers = type->result_count > 1 };
}

static bool argument_next(struct argument_walk *walk)
{
    static const uint8_t integers[] = { 7, 6, 2, 1, 8, 9 };
    if (walk->index == walk->type->parameter_count)
        return false;
    walk->machine = machine_type_of(walk->type->parameters[walk->index++]);
    walk->slot = walk->next_slot;
    walk->next_slot += slots_of(walk->machine);
    walk->is_on_stack = false;
    if (!is_float(walk->machine) && walk->integers < ARRAY_COUNT(integers)) {
        walk->reg = integers[walk->integers++];
    } else if (is_float(walk->machine) && walk->floats < 8) {
        walk->reg = walk->floats++;
    } else {
        uint32_t size = 8 * slots_of(walk->machine);
        walk->is_on_stack = true;
        walk->stack_offset = (uint32_t)round_up(walk->stack, size);
        walk->stack = walk->stack_offset + size;
    }
    return true;
}

/* Bytes of arguments on the native stack, which the callee takes off; 0: it takes none off. */
static uint32_t taken_off(const struct baseline *baseline, const struct function_type *type)
{
    struct argument_walk walk = walk_of(type);
    if (!baseline->native->code->has_tail_calls)
        return 0;
    while (argument_next(&walk))
        continue;
    return (uint32_t)round_up((uint64_t)walk.stack + 8, 16) - 8;
}

static uint32_t result_slots(const struct function_type *type)
{
    return slots_of_range((struct type_range){ type->results, type->result_count });
}

static unsigned put_memory(uint8_t *at, unsigned reg, unsigned base, uint32_t displacement)
{
    unsigned size = 0;
    at[size++] = (uint8_t)(0x80 | (reg & 7) << 3 | (base & 7));
    if ((base & 7) == RSP)
        at[size++] = 0x24;
    memcpy(at + size, &displacement, 4);
    return size + 4;
}

static void integer_operation(struct emitter *emitter, uint8_t opcode, unsigned reg, unsigned base,
                              uint32_t displacement)
{
    uint8_t code[12] = { (uint8_t)(0x48 | reg >> 3 << 2 | base >> 3), opcode };
    unsigned size = 2 + put_memory(code + 2, reg, base, displacement);
    emit_bytes(emitter, code, size);
}

/* vmovss, vmovsd, vmovups */
static void vector_operation(struct emitter *emitter, uint8_t opcode, enum machine_type machine,
                             unsigned base, uint32_t displacement, unsigned reg)
{
    uint8_t prefix = machine == MACHINE_F32 ? 2 : machine == MACHINE_F64 ? 3 : 0;
    uint8_t code[12] = { 0xc4, (uint8_t)((reg < 8 ? 0x80 : 0) | 0x40 | (base < 8 ? 0x20 : 0) | 1),
                         (uint8_t)(0x78 | prefix), opcode };
    unsigned size = 4 + put_memory(code + 4, reg, base, displacement);
    emit_bytes(emitter, code, size);
}

static void load(struct emitter *emitter, enum machine_type machine, unsigned reg, unsigned base,
                 uint32_t displacement)
{
    if (is_float(machine))
        vector_operation(emitter, 0x10, machine, base, displacement, reg);
    else
        integer_operation(emitter, 0x8b, reg, base, displacement);
}

/* A slot is written whole: what is narrower is zero-extended.  Changes the upper half of `reg`. */
static void store_slot(struct emitter *emitter, enum machine_type machine, unsigned reg,
                       unsigned base, uint32_t displacement)
{
    if (is_float(machine)) {
        vector_operation(emitter, 0x11, machine, base, displacement, reg);
        if (machine == MACHINE_F32) { /* mov dword [base + displacement + 4], 0 */
            uint8_t code[16] = { (uint8_t)(0x40 | base >> 3), 0xc7 };
            unsigned size = 2 + put_memory(code + 2, 0, base, displacement + 4);
            emit_bytes(emitter, code, size + 4);
        }
        return;
    }
    if (machine == MACHINE_I32) { /* mov reg32, reg32 */
        uint8_t code[3] = { (uint8_t)(0x40 | reg >> 3 << 2 | reg >> 3), 0x89,
                            (uint8_t)(0xc0 | (reg & 7) << 3 | (reg & 7)) };
        emit_bytes(emitter, code, 3);
    }
    integer_operation(emitter, 0x89, reg, base, displacement);
}

static void copy_slots(struct emitter *emitter, unsigned to, uint32_t to_displacement,
                       unsigned from, uint32_t from_displacement, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        integer_operation(emitter, 0x8b, RAX, from, from_displacement + 8 * i);
        integer_operation(emitter, 0x89, RAX, to, to_displacement + 8 * i);
    }
}

/* Types of linked modules are numbered together with those of other modules. */
uint32_t native_signature(const struct module *module, const struct function_type *type)
{
    if (module->placement == 0)
        return type->canonical;
    uint32_t i = 0;
    while (i < module->type_count && !function_type_equal(&module->types[i], type))
        i++;
    return i;
}

void native_header(struct baseline *baseline)
{
    static const uint8_t filler[16] = { 0xcc, 0xcc, 0xcc, 0xcc, 0xcc, 0xcc,
                                        0xcc, 0xcc, 0xcc, 0xcc, 0xcc, 0xcc };
    if (baseline->native == NULL || baseline->module->placement != 0)
        return;
    emit_align(&baseline->emitter, 16, 0xcc);
    emit_bytes(&baseline->emitter, filler, sizeof(filler));
}

static void adjust_stack(struct emitter *emitter, unsigned extension, uint32_t size)
{
    uint8_t code[7] = { 0x48, 0x81, (uint8_t)(0xc0 | extension << 3 | RSP) };
    memcpy(code + 3, &size, 4);
    emit_bytes(emitter, code, 7);
}

/* The arguments from where the baseline's callers leave them: the first in rax or xmm0, the others
 * in slots at `frame`.  Those on the stack go to rsp + `stack` and up. */
static void arguments_to_native(struct emitter *emitter, const struct function_type *type,
                                unsigned frame, uint32_t stack)
{
    struct argument_walk walk = walk_of(type);
    while (argument_next(&walk)) {
        uint32_t slot = 8 * walk.slot;
        if (walk.is_on_stack) {
            for (uint32_t i = 0; i < 8 * slots_of(walk.machine); i += 8) {
                integer_operation(emitter, 0x8b, R10, frame, slot + i);
                integer_operation(emitter, 0x89, R10, RSP, stack + walk.stack_offset + i);
            }
        } else if (walk.index > 1) {
            load(emitter, walk.machine, walk.reg, frame, slot);
        } else if (!is_float(walk.machine)) { /* mov reg, rax; the first float is where it should */
            emit_bytes(emitter, (const uint8_t[]){ 0x48, 0x89, (uint8_t)(0xc0 | walk.reg) }, 3);
        }
    }
}

/* Metered code has the fuel in rbp, native code in the instance. */
static void move_fuel(struct baseline *baseline, uint8_t opcode)
{
    enum {
        RBP = 5
    };
    if (baseline->is_metered)
        emit_instance_operation(&baseline->emitter, opcode, RBP, offsetof(struct instance, fuel),
                                true);
}

/* Behind a call in a thunk. */
static void put_landing(struct baseline *baseline, uint32_t landing, uint32_t size)
{
    uint8_t code[LANDING_SIZE + 1];
    if (!baseline->native->code->has_tail_calls)
        return;
    memcpy(code, &landing, 4);
    memcpy(code + 4, &size, 4);
    emit_bytes(&baseline->emitter, code, LANDING_SIZE);
}

/* Jumps on, to four bytes that are to be fixed, unless the return address is such a landing, which
 * r11 then points to. */
static uint32_t unless_landing(struct emitter *emitter, uint32_t landing)
{
    /* mov r11, [rsp]; cmp dword [r11], landing; jne */
    uint8_t code[17] = { 0x4c, 0x8b, 0x1c, 0x24, 0x41, 0x81, 0x3b, 0, 0, 0, 0, 0x0f, 0x85 };
    memcpy(code + 7, &landing, 4);
    emit_bytes(emitter, code, sizeof(code));
    return emitter->size - 4;
}

/* This tail call leaves what a thunk out of native code called (its landing: r11): that thunk is
 * undone, and the function is called in its place. */
static void replace_signature_thunk(struct baseline *baseline, uint32_t function_index)
{
    static const uint8_t code[] = {
        0x41, 0x8b, 0x4b, 0x04,             /* mov ecx, [r11 + 4] */
        0x81, 0xe1, 0xff, 0xff, 0xff, 0x00, /* and ecx, 0xffffff */
        0x48, 0x8d, 0x4c, 0x0c, 72,         /* lea rcx, [rsp + rcx + 72]: the arguments' end */
        0x4c, 0x8b, 0x5c, 0x24, 16,         /* mov r11, [rsp + 16]: frame_top */
        0x4c, 0x8b, 0x54, 0x24, 64,         /* mov r10, [rsp + 64]: the return address */
        0x48, 0x8b, 0x7c, 0x24, 8,          /* mov rdi, [rsp + 8]: where results go */
    };
    static const uint8_t restore[] = {
        0x4d, 0x89, 0xe3,                 /* mov r11, r12 */
        0x48, 0x8b, 0x5c, 0x24, 56,       /* mov rbx, [rsp + 56] */
        0x48, 0x8b, 0x6c, 0x24, 48,       /* mov rbp, [rsp + 48] */
        0x4c, 0x8b, 0x64, 0x24, 40,       /* mov r12, [rsp + 40] */
        0x4c, 0x8b, 0x74, 0x24, 32,       /* mov r14, [rsp + 32] */
        0x4c, 0x8b, 0x7c, 0x24, 24,       /* mov r15, [rsp + 24] */
        0x48, 0x8d, 0xa1, 0,    0,  0, 0, /* lea rsp, [rcx - arguments - 8] */
    };
    _Static_assert(PUSHED == 56, "places above");
    struct emitter *emitter = &baseline->emitter;
    const struct function_type *type = baseline->module->functions[function_index].type;
    uint32_t below = 0u - (taken_off(baseline, type) + 8);
    move_fuel(baseline, OPCODE_STORE);
    emit_bytes(emitter, code, sizeof(code));
    emit_instance_operation(emitter, OPCODE_STORE, R11, offsetof(struct instance, frame_top), true);
    emit_bytes(emitter, restore, sizeof(restore) - 4);
    emit_bytes(emitter, (const uint8_t *)&below, 4);
    emit_bytes(emitter, (const uint8_t[]){ 0x4c, 0x89, 0x14, 0x24 }, 4); /* mov [rsp], r10 */
    arguments_to_native(emitter, type, R11, 8);
    emit_bytes(emitter, (const uint8_t[]){ 0xe9, 0, 0, 0, 0 }, 5);
    baseline->native->jumps[function_index] = emitter->size - 4;
}

void native_function(struct baseline *baseline, uint32_t function_index)
{
    struct emitter *emitter = &baseline->emitter;
    const struct function_type *type = baseline->module->functions[function_index].type;
    baseline->type = type;
    function_enter(baseline, function_index);
    struct argument_walk walk = walk_of(type);
    while (argument_next(&walk))
        continue;
    uint32_t stack = (uint32_t)round_up(walk.stack, 16) + 8;
    uint32_t slots = MAX(walk.next_slot, result_slots(type));
    bool has_tail_calls = baseline->native->code->has_tail_calls;
    slots = MAX(slots, 2u);
    if (has_tail_calls) {
        uint32_t around = unless_landing(emitter, LANDING_BASELINE);
        stack = taken_off(baseline, type);
        replace_signature_thunk(baseline, function_index);
        emit_fix(emitter, around, (struct target){ .address = emitter->size });
    }
    adjust_stack(emitter, 5, stack);
    arguments_to_native(emitter, type, FRAME_REGISTER, 0);
    if (type->result_count > 1) /* mov rdi, r12 */
        emit_bytes(emitter, (const uint8_t[]){ 0x4c, 0x89, 0xe7 }, 3);
    emit_frame_address(emitter, R10, (int32_t)(slots * 8));
    emit_instance_operation(emitter, 0x89, R10, offsetof(struct instance, frame_top), true);
    move_fuel(baseline, OPCODE_STORE);
    emit_bytes(emitter, (const uint8_t[]){ 0xe8, 0, 0, 0, 0 }, 5);
    baseline->native->calls[function_index] = emitter->size - 4;
    put_landing(baseline, LANDING_NATIVE, 0);
    move_fuel(baseline, OPCODE_LOAD);
    if (type->result_count == 1)
        store_slot(emitter, machine_type_of(type->results[0]), 0, FRAME_REGISTER, 0);
    if (!has_tail_calls)
        adjust_stack(emitter, 0, stack);
    emit_bytes(emitter, (const uint8_t[]){ 0xc3 }, 1);
}

/* From the start of the code. */
static uint32_t instance_distance(const struct baseline *baseline)
{
    struct image_place place = image_place(baseline->module->placement);
    return (uint32_t)(place.instance - place.code);
}

/* Arguments to slots of the frame; those on the stack stand at rsp + `stack` and up. */
static void arguments_to_slots(struct emitter *emitter, const struct function_type *type,
                               uint32_t stack)
{
    struct argument_walk walk = walk_of(type);
    while (argument_next(&walk)) {
        if (walk.is_on_stack)
            copy_slots(emitter, FRAME_REGISTER, 8 * walk.slot, RSP, stack + walk.stack_offset,
                       slots_of(walk.machine));
        if (walk.is_on_stack && (walk.machine == MACHINE_I32 || walk.machine == MACHINE_F32))
            emit_clear_upper(emitter, walk.slot);
        if (!walk.is_on_stack)
            store_slot(emitter, walk.machine, walk.reg, FRAME_REGISTER, 8 * walk.slot);
    }
}

/* This tail call leaves a function that its thunk called: that one's caller gets what is in r10,
 * with the frame that it gave. */
static void replace_function_thunk(struct baseline *baseline, const struct function_type *type)
{
    struct emitter *emitter = &baseline->emitter;
    uint32_t above = 8 + taken_off(baseline, type);
    arguments_to_slots(emitter, type, 8);
    move_fuel(baseline, OPCODE_LOAD);
    adjust_stack(emitter, 0, above);
    emit_bytes(emitter, (const uint8_t[]){ 0x41, 0xff, 0xe2 }, 3); /* jmp r10 */
}

/* From native code to code by the baseline's convention whose address is in r10. */
static void signature_thunk(struct baseline *baseline, const struct function_type *type)
{
    /* push rbx, rbp, r12, r14, r15; lea r14, [rip + instance] */
    static const uint8_t begin[] = { 0x53, 0x55, 0x41, 0x54, 0x41, 0x56, 0x41, 0x57,
                                     0x4c, 0x8d, 0x35, 0,    0,    0,    0 };
    /* push r12; push rdi */
    static const uint8_t keep[] = { 0x41, 0x54, 0x57 };
    static const uint8_t call[] = { 0x41, 0xff, 0xd2 };   /* call r10 */
    static const uint8_t called[] = { 0x41, 0x5b, 0x59 }; /* pop r11; pop rcx */
    /* pop r15, r14, r12, rbp, rbx; ret arguments */
    uint8_t end[] = { 0x41, 0x5f, 0x41, 0x5e, 0x41, 0x5c, 0x5d, 0x5b, 0xc3, 0, 0 };
    enum {
        RCX = 1
    };
    struct emitter *emitter = &baseline->emitter;
    emit_align(emitter, 16, 0xcc);
    baseline->native->signatures[native_signature(baseline->module, type)] = emitter->size;
    emit_trap_point(emitter);
    uint32_t arguments = taken_off(baseline, type);
    if (arguments != 0) {
        uint32_t around = unless_landing(emitter, LANDING_NATIVE);
        replace_function_thunk(baseline, type);
        emit_fix(emitter, around, (struct target){ .address = emitter->size });
        end[8] = 0xc2;
        memcpy(end + 9, &arguments, 2);
    }
    emit_bytes(emitter, begin, sizeof(begin));
    emit_fix(emitter, emitter->size - 4, (struct target){ .address = instance_distance(baseline) });
    emit_instance_operation(emitter, 0x8b, FRAME_REGISTER, offsetof(struct instance, frame_top),
                            true);
    emit_bytes(emitter, keep, sizeof(keep));
    arguments_to_slots(emitter, type, PUSHED + 8);
    move_fuel(baseline, OPCODE_LOAD);
    emit_bytes(emitter, call, sizeof(call));
    put_landing(baseline, LANDING_BASELINE, arguments);
    emit_bytes(emitter, called, sizeof(called));
    move_fuel(baseline, OPCODE_STORE);
    emit_instance_operation(emitter, 0x89, RCX, offsetof(struct instance, frame_top), true);
    if (type->result_count == 1)
        load(emitter, machine_type_of(type->results[0]), 0, FRAME_REGISTER, 0);
    else
        copy_slots(emitter, R11, 0, FRAME_REGISTER, 0, result_slots(type));
    emit_bytes(emitter, end, end[8] == 0xc2 ? 11 : 9);
}

static uint32_t thunk_of_type(struct baseline *baseline, const struct function_type *type)
{
    uint32_t *thunk = &baseline->native->signatures[native_signature(baseline->module, type)];
    if (*thunk == 0)
        signature_thunk(baseline, type);
    return *thunk;
}

/* What native code calls for a function of the baseline. */
static uint32_t stub_of(struct baseline *baseline, uint32_t index)
{
    struct native_state *native = baseline->native;
    struct emitter *emitter = &baseline->emitter;
    if (native->code->starts[index] != NATIVE_NONE || native->stubs[index] != 0)
        return native->stubs[index];
    uint32_t thunk = thunk_of_type(baseline, baseline->module->functions[index].type);
    emit_align(emitter, 16, 0xcc);
    native->stubs[index] = emitter->size;
    emit_trap_point(emitter);
    /* lea r10, [rip + start] */
    emit_bytes(emitter, (const uint8_t[]){ 0x4c, 0x8d, 0x15, 0, 0, 0, 0 }, 7);
    emit_fix(emitter, emitter->size - 4, (struct target){ .address = baseline->starts[index] });
    emit_jump(emitter, (struct target){ .address = thunk });
    return native->stubs[index];
}

/* All that stands before the native text: stubs and thunks that it or a reference names. */
static void make_stubs(struct baseline *baseline)
{
    const struct native_code *code = baseline->native->code;
    const struct module *module = baseline->module;
    for (uint32_t i = 0; i < code->relocation_count; i++) {
        if (code->relocations[i].target == NATIVE_FUNCTION)
            stub_of(baseline, code->relocations[i].index);
        else if (code->relocations[i].target == NATIVE_SIGNATURE)
            thunk_of_type(baseline, &module->types[code->relocations[i].index]);
    }
    for (uint32_t i = 0; i < module->function_count; i++) {
        if (module->functions[i].is_referenced && module->placement == 0)
            stub_of(baseline, i);
    }
}

static uint32_t native_entry(const struct baseline *baseline, uint32_t index)
{
    const struct native_state *native = baseline->native;
    uint32_t start = native->code->starts[index];
    return start != NATIVE_NONE ? native->text + start : native->stubs[index];
}

static void put_u32(struct emitter *emitter, uint32_t at, uint32_t number)
{
    if (!emitter->failed)
        memcpy(emitter->code + at, &number, sizeof(number));
}

static void relocate(struct baseline *baseline, const struct native_relocation *relocation)
{
    uint32_t at = baseline->native->text + relocation->at;
    uint32_t target = 0;
    switch (relocation->target) {
    case NATIVE_FUNCTION:
        target = native_entry(baseline, relocation->index);
        break;
    case NATIVE_SIGNATURE:
        target = baseline->native->signatures[relocation->index];
        break;
    case NATIVE_INSTANCE:
        target = instance_distance(baseline);
        break;
    case NATIVE_CODE:
    case NATIVE_TARGET_COUNT:
        break;
    }
    put_u32(&baseline->emitter, at, target + (uint32_t)relocation->addend - at);
}

static void append_text(struct emitter *emitter, const struct native_code *code)
{
    emit_align(emitter, 64, 0xcc);
    for (size_t at = 0; at < code->text.size; at += CHUNK) {
        struct bytes part = bytes_part(code->text, at, CHUNK);
        emit_bytes(emitter, part.data, (unsigned)part.size);
    }
}

static int compare_rows(const void *a, const void *b)
{
    struct native_row x, y;
    memcpy(&x, a, sizeof(x));
    memcpy(&y, b, sizeof(y));
    return x.start < y.start ? -1 : x.start > y.start;
}

static bool list_rows(struct baseline *baseline, struct arena *arena)
{
    const struct native_state *native = baseline->native;
    uint32_t count = baseline->module->function_count;
    struct native_row *rows = arena_array(arena, count + 1u, sizeof(*rows));
    if (rows == NULL)
        return false;
    uint32_t found = 0;
    for (uint32_t i = 0; i < count; i++) {
        if (native->code->starts[i] != NATIVE_NONE)
            rows[found++] =
                (struct native_row){ .start = native->text + native->code->starts[i], .index = i };
    }
    sort_items(rows, found, sizeof(*rows), compare_rows);
    baseline->native_rows = rows;
    baseline->native_row_count = found;
    return true;
}

bool native_new(struct baseline *baseline, const struct native_code *code, struct arena *arena)
{
    const struct module *module = baseline->module;
    struct native_state *made = arena_take(arena, sizeof(*made));
    if (made == NULL)
        return false;
    made->code = code;
    made->calls = arena_array(arena, module->function_count + 1u, sizeof(uint32_t));
    made->jumps = arena_array(arena, module->function_count + 1u, sizeof(uint32_t));
    made->stubs = arena_array(arena, module->function_count + 1u, sizeof(uint32_t));
    made->signatures = arena_array(arena, module->type_count + 2u, sizeof(uint32_t));
    baseline->native = made;
    return made->calls != NULL && made->jumps != NULL && made->stubs != NULL &&
           made->signatures != NULL;
}

bool native_has(const struct baseline *baseline, uint32_t function_index)
{
    return baseline->native != NULL &&
           baseline->native->code->starts[function_index] != NATIVE_NONE;
}

bool native_finish(struct baseline *baseline, struct arena *arena)
{
    struct native_state *native = baseline->native;
    struct emitter *emitter = &baseline->emitter;
    const struct native_code *code = native->code;
    emitter->wasm_offset = IMAGE_NOWHERE;
    make_stubs(baseline);
    emit_align(emitter, 64, 0xcc);
    native->text = emitter->size;
    append_text(emitter, code);
    for (uint32_t i = 0; i < baseline->module->function_count; i++) {
        if (baseline->module->placement == 0)
            put_u32(emitter, baseline->starts[i] - NATIVE_HEADER, native_entry(baseline, i));
        if (native->calls[i] != 0)
            put_u32(emitter, native->calls[i], native_entry(baseline, i) - (native->calls[i] + 4));
        if (native->jumps[i] != 0)
            put_u32(emitter, native->jumps[i], native_entry(baseline, i) - (native->jumps[i] + 4));
    }
    for (uint32_t i = 0; i < code->relocation_count; i++)
        relocate(baseline, &code->relocations[i]);
    for (uint32_t i = 0; i < code->trap_count; i++)
        emit_trap_row(emitter, native->text + code->traps[i].code_offset,
                      code->traps[i].wasm_offset);
    baseline->grown_tables |= code->grown_tables;
    return list_rows(baseline, arena);
}
