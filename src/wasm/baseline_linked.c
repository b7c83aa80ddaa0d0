/* SPDX-License-Identifier: Apache-2.0 */
/* Linked instances: how functions are called from other instances and call there.
 *
 * Whoever refers to a function from outside holds the address of its entry stub: lea rax, function;
 * jmp common.  The common part looks whether the caller belongs to this instance already; if not,
 * it saves r13 and r14, sets them and calls.  When the return address is already one of a common
 * part, a tail call came here from another instance: then what is saved already serves, which keeps
 * tail calls across instances in constant stack. */
#include "abi/layout.h"
#include "wasm/baseline_state.h"
#include "wasm/emitter.h"

#include <string.h>

/* Stands at return addresses of common parts and nowhere else behind a call: a no-op whose
 * displacement nobody else emits. */
static const uint8_t landing[8] = { 0x0f, 0x1f, 0x84, 0x00, 0x53, 0x33, 0x4e, 0x4c };

static void emit_number(struct emitter *emitter, const void *number)
{
    emit_bytes(emitter, number, 8);
}

static uint32_t emit_common(struct baseline *baseline)
{
    struct emitter *emitter = &baseline->emitter;
    uint64_t instance = image_place(baseline->module->placement).instance;
    const uint8_t base = offsetof(struct instance, memory_base) - 0x100;
    emit_align(emitter, 16, 0xcc);
    uint32_t start = emitter->size;
    emit_bytes(emitter, (const uint8_t[]){ 0x49, 0xba }, 2); /* mov r10, instance */
    emit_number(emitter, &instance);
    emit_bytes(emitter,
               (const uint8_t[]){
                   0x4d, 0x39, 0xd6,       /* cmp r14, r10 */
                   0x75, 0x02,             /* jne +2 */
                   0xff, 0xe0,             /* jmp rax */
                   0x48, 0x8b, 0x0c, 0x24, /* mov rcx, [rsp] */
                   0x48, 0xba,             /* mov rdx, landing */
               },
               13);
    emit_number(emitter, landing);
    emit_bytes(emitter,
               (const uint8_t[]){
                   0x48, 0x39, 0x11,                         /* cmp [rcx], rdx */
                   0x75, 12,                                 /* jne +12 */
                   0x4d, 0x89, 0xd6,                         /* mov r14, r10 */
                   0x4d, 0x8b, 0xae, base, 0x01, 0x00, 0x00, /* mov r13, [r14 + memory_base] */
                   0xff, 0xe0,                               /* jmp rax */
                   0x41, 0x55,                               /* push r13 */
                   0x41, 0x56,                               /* push r14 */
                   0x52,                                     /* push rdx aligns rsp */
                   0x4d, 0x89, 0xd6,                         /* mov r14, r10 */
                   0x4d, 0x8b, 0xae, base, 0x01, 0x00, 0x00, /* mov r13, [r14 + memory_base] */
                   0xff, 0xd0,                               /* call rax */
               },
               34);
    emit_bytes(emitter, landing, sizeof(landing));
    emit_bytes(emitter,
               (const uint8_t[]){
                   0x59,       /* pop rcx */
                   0x41, 0x5e, /* pop r14 */
                   0x41, 0x5d, /* pop r13 */
                   0xc3,       /* ret */
               },
               6);
    return start;
}

_Static_assert(offsetof(struct instance, memory_base) >= 0x100 &&
                   offsetof(struct instance, memory_base) < 0x200,
               "the displacement in emit_common");

/* Where others enter function `function_index`. */
static uint32_t emit_entry(struct baseline *baseline, uint32_t function_index, uint32_t common)
{
    struct emitter *emitter = &baseline->emitter;
    emit_at(emitter);
    uint32_t start = emitter->size;
    emit_bytes(emitter, (const uint8_t[]){ 0x48, 0x8d, 0x05 }, 3); /* lea rax, [rip + function] */
    emitter->size += 4;
    emit_fix(emitter, emitter->size - 4,
             (struct target){ .address = baseline->starts[function_index] });
    emit_jump(emitter, (struct target){ .address = common });
    return start;
}

bool emit_entries(struct baseline *baseline)
{
    const struct module *module = baseline->module;
    struct emitter *emitter = &baseline->emitter;
    uint32_t *references =
        arena_array(emitter->arena, module->function_count + 1u, sizeof(*references));
    if (references == NULL)
        return false;
    uint32_t common = emit_common(baseline);
    for (uint32_t i = 0; i < module->function_count && !emitter->failed; i++) {
        references[i] = module->functions[i].is_referenced ? emit_entry(baseline, i, common)
                                                           : baseline->starts[i];
    }
    baseline->references = references;
    return true;
}

void linked_import_stub(struct baseline *baseline, uint32_t function_index)
{
    struct emitter *emitter = &baseline->emitter;
    emit_align(emitter, 16, 0xcc);
    baseline->starts[function_index] = emitter->size;
    baseline->entries[function_index] = emitter->size;
    uint8_t jump[7] = { 0x41, 0xff, 0xa6 }; /* jmp [r14 + record] */
    uint32_t record = baseline->layout->imports + 8 * function_index;
    memcpy(jump + 3, &record, 4);
    emit_bytes(emitter, jump, 7);
}
