/* SPDX-License-Identifier: Apache-2.0 */
/* The state of the walk over one function, shared by the baseline files alone. */
#ifndef WASM_BASELINE_STATE_H
#define WASM_BASELINE_STATE_H

#include "wasm/baseline.h"
#include "wasm/emitter.h"
#include "wasm/scan.h"

enum place {
    PLACE_SLOT,     /* frame slot `index` */
    PLACE_REGISTER, /* stack register `reg` */
    PLACE_LOCAL,    /* the present value of local `index` */
    PLACE_SUM,      /* an integer still to be added up, of pinned locals: local `index`, plus local
                       `second` shifted left by `shift`, plus `bits`, which fits an int32_t */
    PLACE_CONSTANT, /* `bits`, i32 and f32 zero-extended */
    PLACE_ACCESS    /* never on the stack: linear memory at register `reg`, REGISTER_NONE for none,
                       plus `bits` */
};

struct operand {
    uint8_t place;
    uint8_t type; /* enum machine_type */
    uint8_t reg;
    uint8_t shift;
    uint32_t index;  /* SUM: LOCAL_NONE when there is none */
    uint32_t second; /* SUM: the same */
    uint32_t home;   /* on the stack: its own frame slot, the first of two for a vector */
    uint64_t bits;
};

#define LOCAL_NONE UINT32_MAX

struct local {
    uint8_t type;
    uint8_t pin;   /* register, or REGISTER_NONE */
    uint32_t slot; /* in the frame */
    uint32_t lazy; /* operands on the stack that wait for its present value */
};

/* What is known of the pinned locals, a bit a register.  Invariant: one that isn't valid is clean,
 * so its slot holds the value. */
struct pins {
    uint32_t valid; /* the register holds the value */
    uint32_t dirty; /* the slot doesn't */
};

struct type_range {
    const uint8_t *types;
    uint32_t count;
};

/* A loop that starts with a br_table: the code up to there, which jumps back repeat, so that each
 * has a branch of its own to be predicted. */
struct dispatch {
    uint32_t compare; /* where the bound is tested; 0: it doesn't start so */
    uint32_t table;
    uint32_t trap;        /* number of the first trap from the loop's head on */
    uint32_t fixed_count; /* of the emitter, at the head */
};

struct label {
    uint32_t chain;      /* jumps that wait for the address */
    uint32_t else_chain; /* IF: the jump around the first branch */
    uint32_t address;    /* LOOP */
    uint32_t height;     /* operands below the parameters */
    uint32_t slot;       /* frame slot of the first one above them */
    uint8_t opcode;      /* BLOCK, LOOP, IF, ELSE; the function is a BLOCK */
    bool is_skipped;     /* the block itself stands in unreachable code */
    bool has_jumps;
    struct dispatch dispatch; /* LOOP: its first instructions choose among targets */
    uint32_t loop_start;      /* place in the file of the outermost loop around; 0: none */
    uint32_t wanted;       /* pinned locals that the loop around uses: they had better stay valid */
    struct pins pins;      /* agreed by the jumps so far; LOOP: at its head */
    struct pins else_pins; /* IF: when the condition was tested */
    struct type_range parameters;
    struct type_range results;
};

struct baseline {
    const struct module *module;
    const struct instance_layout *layout;
    struct emitter emitter;
    uint32_t *starts;
    uint32_t *entries;     /* for calls from within, of defined functions; 0: not yet */
    uint32_t *call_chains; /* calls that wait for a start */
    const uint32_t *references;
    uint64_t grown_tables;
    struct native_state *native; /* NULL: there is no other tier's code */
    const struct native_row *native_rows;
    uint32_t native_row_count;

    /* The function at hand. */
    struct scan scan;
    const struct function_facts *facts;
    const struct function_type *type;
    struct operand *operands;
    uint32_t height, operand_capacity;
    uint32_t flushed; /* operands below are in slots or constants */
    struct label *labels;
    uint32_t depth, label_capacity;
    struct local *locals;
    uint32_t local_capacity;
    uint32_t operand_base; /* frame slot of operand 0 */
    uint32_t next_slot;    /* and of the operand that comes next */
    struct pins pins;
    uint32_t pinned;   /* a bit per register that holds a local */
    uint32_t borrowed; /* and per one that may hold an operand though it is no stack register */
    uint32_t pin_locals[REGISTER_COUNT];
    /* Stack registers: 0 free, OWNER_BUSY taken by an operand in use, otherwise stack index + 1. */
    uint32_t owners[REGISTER_COUNT];
    bool is_metered;
    bool is_deterministic;
    uint32_t cost_at; /* next of facts->costs */
    uint32_t loop_at; /* and of facts->loops */
    bool is_reachable;
    bool has_calls; /* rsp was aligned in the prologue */
};

#define OWNER_BUSY UINT32_MAX

/* Where a result goes: onto the stack, or straight into the pinned local that the next instruction
 * sets. */
struct destination {
    unsigned reg;
    uint32_t local;
    uint8_t opcode; /* LOCAL_SET, LOCAL_TEE, or 0 for the stack */
};

static inline bool is_float(unsigned type)
{
    return type >= MACHINE_F32;
}

static inline enum machine_type machine_type_of(uint8_t value_type)
{
    switch (value_type) {
    case VALUE_I32:
        return MACHINE_I32;
    case VALUE_F32:
        return MACHINE_F32;
    case VALUE_F64:
        return MACHINE_F64;
    case VALUE_V128:
        return MACHINE_V128;
    default:
        return MACHINE_I64;
    }
}

/* Where a function's first argument and only result, and a block's only result, travel. */
static inline unsigned value_register(enum machine_type type)
{
    return is_float(type) ? FLOAT_BASE : 0;
}

/* From r12, which stands emitter.bias bytes behind slot 0 while the function runs. */
static inline int32_t slot_displacement(const struct baseline *baseline, uint32_t slot)
{
    return (int32_t)(slot * 8) - (int32_t)baseline->emitter.bias;
}

static inline uint32_t slots_of(enum machine_type type)
{
    return type == MACHINE_V128 ? 2 : 1;
}

static inline uint32_t slots_of_range(struct type_range range)
{
    uint32_t slots = range.count;
    for (uint32_t i = 0; i < range.count; i++)
        slots += range.types[i] == VALUE_V128;
    return slots;
}

/* Where an operand in memory, or a local's, stands in the frame. */
static inline int32_t operand_displacement(const struct baseline *baseline,
                                           const struct operand *operand)
{
    return slot_displacement(baseline, operand->place == PLACE_LOCAL
                                           ? baseline->locals[operand->index].slot
                                           : operand->index);
}

/* A call of the runtime: operands, then `extras`, in consecutive slots. */
struct helper_call {
    enum helper helper;
    uint32_t operand_count;
    uint32_t extras[2];
    uint32_t extra_count;
    uint8_t result; /* enum value_type, 0: none */
};

/* baseline_operands.c: the operand stack */
static inline struct operand *operand_top(struct baseline *baseline)
{
    return &baseline->operands[baseline->height - 1];
}

/* A lazy operand comes onto the stack (1) or leaves it (-1). */
static inline void locals_wait(struct baseline *baseline, const struct operand *operand, int change)
{
    if (operand->index != LOCAL_NONE)
        baseline->locals[operand->index].lazy += (uint32_t)change;
    if (operand->place == PLACE_SUM && operand->second != LOCAL_NONE)
        baseline->locals[operand->second].lazy += (uint32_t)change;
}

static inline void operand_push(struct baseline *baseline, struct operand operand)
{
    ASSERT(baseline->height < baseline->operand_capacity);
    if (operand.place == PLACE_LOCAL || operand.place == PLACE_SUM)
        locals_wait(baseline, &operand, 1);
    else if (operand.place == PLACE_REGISTER)
        baseline->owners[operand.reg] = baseline->height + 1;
    operand.home = baseline->next_slot;
    baseline->next_slot += slots_of(operand.type);
    baseline->operands[baseline->height++] = operand;
}

void operand_push_constant(struct baseline *baseline, enum machine_type type, uint64_t bits);
/* A busy register becomes the top of the stack. */
void operand_push_register(struct baseline *baseline, enum machine_type type, unsigned reg);
void operand_push_slots(struct baseline *baseline, struct type_range types);
/* Into a stack register, which becomes busy. */
void operand_to_register(struct baseline *baseline, struct operand *operand);

/* Takes the top off; its register stays busy until operand_release.  A sum stays one: it must be
 * moved, stored or added up before its locals change. */
static inline struct operand operand_take_lazily(struct baseline *baseline)
{
    struct operand taken = baseline->operands[--baseline->height];
    baseline->next_slot = taken.home;
    if (baseline->flushed > baseline->height)
        baseline->flushed = baseline->height;
    if (taken.place == PLACE_LOCAL || taken.place == PLACE_SUM)
        locals_wait(baseline, &taken, -1);
    else if (taken.place == PLACE_REGISTER)
        baseline->owners[taken.reg] = OWNER_BUSY;
    return taken;
}

/* The same, but a sum is added up. */
static inline struct operand operand_take(struct baseline *baseline)
{
    struct operand taken = operand_take_lazily(baseline);
    if (taken.place == PLACE_SUM)
        operand_to_register(baseline, &taken);
    return taken;
}

static inline void operand_release(struct baseline *baseline, const struct operand *operand)
{
    bool has_register = operand->place == PLACE_REGISTER ||
                        (operand->place == PLACE_ACCESS && operand->reg != REGISTER_NONE);
    if (has_register && baseline->owners[operand->reg] == OWNER_BUSY)
        baseline->owners[operand->reg] = 0;
}

void operand_drop(struct baseline *baseline, uint32_t count);
/* A free stack register, marked busy; another operand may be put into its slot for it. */
unsigned register_take(struct baseline *baseline, bool is_for_float);
/* The same for one register in particular. */
void register_claim(struct baseline *baseline, unsigned reg);
/* operand_to_register when it may be in a register that the stack has borrowed. */
void operand_to_stack_register(struct baseline *baseline, struct operand *operand);
/* Into register `to`, whatever the operand is. */
void operand_move(struct baseline *baseline, const struct operand *operand, unsigned to);
/* A 32-bit operand into r10; it is released. */
void operand_to_scratch(struct baseline *baseline, struct operand *operand);
void operand_store(struct baseline *baseline, const struct operand *operand, unsigned base,
                   int32_t displacement);
/* The operand at stack index `at` into its own slot. */
void operand_spill(struct baseline *baseline, uint32_t at);
/* Everything but constants into slots; the top `count` operands, constants too, into slots. */
void operands_flush(struct baseline *baseline);
void operands_to_slots(struct baseline *baseline, uint32_t count);
/* Stack registers into slots. */
void registers_spill(struct baseline *baseline);
/* Before local `index` changes. */
void local_preserve(struct baseline *baseline, uint32_t index);
void local_assign(struct baseline *baseline, uint32_t index, const struct operand *operand);
void pin_validate(struct baseline *baseline, unsigned reg);
void pins_load(struct baseline *baseline, uint32_t registers);
/* What is dirty of them into its slot, if anything is still going to use it. */
void pins_store(struct baseline *baseline, uint32_t registers);

/* baseline_operations.c: instructions that are one stencil */
void compile_operation(struct baseline *baseline, const struct operation *operation);
void compile_load(struct baseline *baseline, const struct operation *operation);
void compile_store(struct baseline *baseline, const struct operation *operation);
/* Its second operand is in linear memory. */
void compile_with_memory(struct baseline *baseline, const struct operation *operation,
                         struct operand *memory);
/* A destination in any register that can hold it; a and b (NULL: there is none) have been taken. */
struct destination destination_choose_any(struct baseline *baseline, enum machine_type type,
                                          const struct operand *a, const struct operand *b);
/* The result is there: it becomes an operand or the local's value; a and b are released. */
void destination_finish(struct baseline *baseline, enum machine_type type,
                        const struct destination *destination, const struct operand *a,
                        const struct operand *b);
/* What part of an access's offset a displacement can say; the rest is added to the address. */
int32_t near_offset(struct baseline *baseline, struct operand *address, uint32_t offset);
void compile_select(struct baseline *baseline);
void compile_extend(struct baseline *baseline);
/* Emits `operation` on a and b with its result in `to`; the operands are released. */
void operation_emit(struct baseline *baseline, unsigned operation, struct operand *a,
                    struct operand *b, unsigned to, int32_t offset, struct target target);

/* baseline_sums.c: true when the operation on a and b, which may be sums, has become one. */
bool compile_sum(struct baseline *baseline, unsigned stencil, struct operand *a, struct operand *b);
/* i32.wrap_i64: true when the top operand, a pinned local or a sum, has become a sum of 32 bits. */
bool compile_wrap(struct baseline *baseline);

/* baseline_divide.c: true when a / b or its rest, b a constant, was made without dividing. */
bool compile_division(struct baseline *baseline, unsigned operation, struct operand *a,
                      const struct operand *b);

/* baseline_encoded.c: whether the operation is made without a stencil, and making it.  Operands may
 * be moved to stack registers, but aren't released. */
bool is_encoded(unsigned operation, const struct operand *b);
void operation_encode(struct baseline *baseline, unsigned operation, struct operand *a,
                      struct operand *b, unsigned to, struct target target);
/* The register that holds the operand now, or REGISTER_NONE. */
unsigned register_of(struct baseline *baseline, const struct operand *operand);
/* Whether the operation's second operand, of type `operand`, may be in linear memory as `type`. */
bool takes_memory(unsigned operation, enum machine_type type, enum machine_type operand);

/* baseline_access.c */
/* Accesses what `memory`, a PLACE_ACCESS, says. */
void emit_operand_access(struct baseline *baseline, struct access access, unsigned reg,
                         const struct operand *memory);

/* baseline_vector.c and baseline_shuffle.c: what stands behind 0xfd */
void compile_vector(struct baseline *baseline);
void compile_shuffle(struct baseline *baseline);
/* Operations of no stencil, for operation_emit: a branch when the test `opcode` of a vector holds,
 * or doesn't. */
static inline unsigned vector_branch(unsigned opcode, bool negated)
{
    return (unsigned)STENCIL_OPERATION_COUNT + 2 * opcode + negated;
}
void emit_vector_branch(struct baseline *baseline, unsigned branch, struct operand *a,
                        struct target target);
/* The register that holds the operand; what is in none is moved to a stack register. */
unsigned register_with(struct baseline *baseline, struct operand *operand);

/* A comparison whose branch is `operation`, and the select behind it whose operands are still on
 * the stack: true when they became one comparison and one conditional move. */
bool encode_select(struct baseline *baseline, unsigned operation, struct operand *a,
                   struct operand *b);

/* baseline_control.c */
bool label_push(struct baseline *baseline, uint8_t opcode, struct type_range parameters,
                struct type_range results);
void compile_block(struct baseline *baseline, uint8_t opcode);
void compile_else(struct baseline *baseline);
void compile_end(struct baseline *baseline);
void compile_branch(struct baseline *baseline, uint32_t depth);
void compile_branch_if(struct baseline *baseline, uint32_t depth);
void compile_branch_table(struct baseline *baseline);
void compile_return(struct baseline *baseline);
/* r12 and rsp as they were at entry. */
void frame_leave(struct baseline *baseline);
/* Nothing behind this can be reached. */
void compile_dead_end(struct baseline *baseline);
/* After a condition `operation` on a and b was decoded: true when the next instruction is a branch
 * that both fit in; it has been compiled then. */
bool compile_fused(struct baseline *baseline, unsigned branch, unsigned branch_not,
                   struct operand *a, struct operand *b);
void function_finish(struct baseline *baseline);

/* baseline_fuel.c: nothing, unless the code is metered */
/* Here a basic block may start: takes its cost off the fuel. */
void fuel_charge(struct baseline *baseline);
/* The number in frame slot `slot`, shifted right, is taken off too. */
void fuel_charge_slot(struct baseline *baseline, uint32_t slot, unsigned shift);
/* Before the runtime is called. */
void fuel_store(struct baseline *baseline);

/* baseline_calls.c */
void compile_call(struct baseline *baseline, uint32_t function_index);
void compile_call_indirect(struct baseline *baseline, uint32_t type_index, uint32_t table);
/* The callee takes over the frame and returns to the caller of this function. */
void compile_return_call(struct baseline *baseline, uint32_t function_index);
void compile_return_call_indirect(struct baseline *baseline, uint32_t type_index, uint32_t table);
void compile_helper(struct baseline *baseline, const struct helper_call *call);
void compile_global_get(struct baseline *baseline, uint32_t index);
void compile_global_set(struct baseline *baseline, uint32_t index);
void compile_memory_size(struct baseline *baseline);
void compile_prefixed(struct baseline *baseline);
void import_stub(struct baseline *baseline, uint32_t function_index);

/* baseline_linked.c: entry stubs of functions that are referenced, behind all code */
bool emit_entries(struct baseline *baseline);
void linked_import_stub(struct baseline *baseline, uint32_t function_index);

/* baseline.c: the function's start, where its first argument is loaded, and its entry behind that.
 */
void function_enter(struct baseline *baseline, uint32_t function_index);

/* native.c: another tier's functions */
bool native_new(struct baseline *baseline, const struct native_code *code, struct arena *arena);
bool native_has(const struct baseline *baseline, uint32_t function_index);
/* Before each function and import, when there are any. */
void native_header(struct baseline *baseline);
/* In place of baseline code: enters the native code. */
void native_function(struct baseline *baseline, uint32_t function_index);
/* Behind the last function. */
bool native_finish(struct baseline *baseline, struct arena *arena);

#endif
