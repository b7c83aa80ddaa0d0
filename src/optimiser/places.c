/* SPDX-License-Identifier: Apache-2.0 */
#include "optimiser/places.h"

#include <llvm-c/DebugInfo.h>
#include <string.h>

enum {
    DWARF_VERSION = 4
};

void places_begin(struct translator *translator)
{
    static const char name[] = "m", producer[] = "s3n";
    LLVMValueRef version = LLVMConstInt(translator->types.i32, DWARF_VERSION, 0);
    LLVMValueRef format = LLVMConstInt(translator->types.i32, LLVMDebugMetadataVersion(), 0);
    LLVMAddModuleFlag(translator->llvm, LLVMModuleFlagBehaviorWarning, "Dwarf Version", 13,
                      LLVMValueAsMetadata(version));
    LLVMAddModuleFlag(translator->llvm, LLVMModuleFlagBehaviorWarning, "Debug Info Version", 18,
                      LLVMValueAsMetadata(format));
    LLVMDIBuilderRef places = LLVMCreateDIBuilder(translator->llvm);
    translator->places = places;
    translator->places_file = LLVMDIBuilderCreateFile(places, name, 1, "", 0);
    (void)LLVMDIBuilderCreateCompileUnit(places, LLVMDWARFSourceLanguageC99,
                                         translator->places_file, producer, 3, 1, "", 0, 0, "", 0,
                                         LLVMDWARFEmissionLineTablesOnly, 0, 0, 0, "", 0, "", 0);
    translator->places_type =
        LLVMDIBuilderCreateSubroutineType(places, translator->places_file, NULL, 0, LLVMDIFlagZero);
}

void places_function(struct translator *translator, uint32_t offset)
{
    uint32_t line = PLACE_START | offset;
    translator->places_function = LLVMDIBuilderCreateFunction(
        translator->places, translator->places_file, "f", 1, "", 0, translator->places_file, line,
        translator->places_type, 1, 1, line, LLVMDIFlagZero, 1);
    LLVMSetSubprogram(translator->function, translator->places_function);
    place_begin(translator, offset);
}

void place_begin(struct translator *translator, uint32_t offset)
{
    translator->offset = offset;
    translator->place = NULL;
}

static LLVMMetadataRef location(const struct translator *translator, uint32_t line,
                                LLVMMetadataRef function)
{
    return LLVMDIBuilderCreateDebugLocation(translator->context, line, 0, function, NULL);
}

void place_set(struct translator *translator, LLVMValueRef made)
{
    if (translator->place == NULL)
        translator->place = location(translator, translator->offset, translator->places_function);
    LLVMInstructionSetDebugLoc(made, translator->place);
}

typedef void visit_instruction(struct translator *translator, LLVMValueRef instruction,
                               void *context);

static void visit_all(struct translator *translator, visit_instruction *visit, void *context)
{
    for (LLVMValueRef function = LLVMGetFirstFunction(translator->llvm); function != NULL;
         function = LLVMGetNextFunction(function)) {
        translator->places_function = LLVMGetSubprogram(function);
        for (LLVMBasicBlockRef block = LLVMGetFirstBasicBlock(function); block != NULL;
             block = LLVMGetNextBasicBlock(block)) {
            for (LLVMValueRef at = LLVMGetFirstInstruction(block); at != NULL;
                 at = LLVMGetNextInstruction(at))
                visit(translator, at, context);
        }
    }
}

static bool is_access(LLVMValueRef instruction)
{
    LLVMOpcode opcode = LLVMGetInstructionOpcode(instruction);
    return opcode == LLVMLoad || opcode == LLVMStore;
}

static unsigned note_kind(const struct translator *translator)
{
    return LLVMGetMDKindIDInContext(translator->context, "s3n", 3);
}

static void note(struct translator *translator, LLVMValueRef instruction, void *context)
{
    const unsigned *kind = context;
    LLVMMetadataRef place = is_access(instruction) ? LLVMInstructionGetDebugLoc(instruction) : NULL;
    if (place != NULL)
        LLVMSetMetadata(instruction, *kind, LLVMMetadataAsValue(translator->context, place));
}

static void restore(struct translator *translator, LLVMValueRef instruction, void *context)
{
    (void)translator;
    const unsigned *kind = context;
    LLVMValueRef place = is_access(instruction) ? LLVMGetMetadata(instruction, *kind) : NULL;
    if (place == NULL)
        return;
    LLVMInstructionSetDebugLoc(instruction, LLVMValueAsMetadata(place));
    LLVMSetMetadata(instruction, *kind, NULL);
}

void places_note(struct translator *translator)
{
    unsigned kind = note_kind(translator);
    visit_all(translator, note, &kind);
}

void places_restore(struct translator *translator)
{
    unsigned kind = note_kind(translator);
    visit_all(translator, restore, &kind);
}

static uint32_t line_of(LLVMValueRef value)
{
    LLVMMetadataRef place =
        LLVMIsAInstruction(value) != NULL ? LLVMInstructionGetDebugLoc(value) : NULL;
    return place != NULL ? LLVMDILocationGetLine(place) : 0;
}

static void add_row(struct translator *translator, struct buffer *rows, LLVMValueRef instruction,
                    const struct place *row)
{
    buffer_append(rows, bytes_of(row, sizeof(*row)));
    uint32_t number = (uint32_t)(rows->size / sizeof(*row));
    LLVMInstructionSetDebugLoc(instruction,
                               location(translator, number, translator->places_function));
}

/* What traps itself.  An access stays in its place from here on, since another one that traps may
 * not come before it. */
static void number_trapping(struct translator *translator, LLVMValueRef instruction, void *context)
{
    struct place row = { .offset = line_of(instruction) };
    LLVMOpcode opcode = LLVMGetInstructionOpcode(instruction);
    LLVMMetadataRef function = translator->places_function;
    if (opcode == LLVMRet) {
        /* LLVM leaves out functions in which nothing has a line. */
        LLVMInstructionSetDebugLoc(
            instruction, location(translator, LLVMDISubprogramGetLine(function), function));
        return;
    }
    if (row.offset == 0 || (!is_access(instruction) && opcode != LLVMCall)) {
        LLVMInstructionSetDebugLoc(instruction, NULL);
        return;
    }
    if (is_access(instruction))
        LLVMSetVolatile(instruction, 1);
    add_row(translator, context, instruction, &row);
}

static void add_load(struct place *row, uint32_t number)
{
    uint32_t i = 0;
    while (i < PLACE_LOADS_MAX && row->loads[i] != 0 && row->loads[i] != number)
        i++;
    if (i < PLACE_LOADS_MAX)
        row->loads[i] = number;
}

static struct place row_at(const struct buffer *rows, uint32_t number)
{
    struct place row;
    memcpy(&row, rows->data + (number - 1) * sizeof(row), sizeof(row));
    return row;
}

/* The loads that the operand is, or is made of. */
static void add_loads(struct place *row, const struct buffer *rows, LLVMValueRef operand)
{
    uint32_t number = line_of(operand);
    if (number == 0 || rows->failed)
        return;
    struct place made_of = row_at(rows, number);
    if (made_of.offset != 0) {
        if (LLVMGetInstructionOpcode(operand) == LLVMLoad)
            add_load(row, number);
        return;
    }
    for (uint32_t i = 0; i < PLACE_LOADS_MAX && made_of.loads[i] != 0; i++)
        add_load(row, made_of.loads[i]);
}

/* A store of what was made of a load from the same place: both may be one instruction, which faults
 * when it loads; a store to where a load was possible does not fault. */
static void join_store(struct buffer *rows, LLVMValueRef store)
{
    uint32_t number = line_of(store);
    struct place from = { 0 };
    if (number == 0 || rows->failed)
        return;
    LLVMValueRef value = LLVMGetOperand(store, 0), target = LLVMGetOperand(store, 1);
    if (LLVMIsAInstruction(value) == NULL)
        return;
    int count = LLVMGetNumOperands(value);
    for (int i = -1; i < count; i++) {
        LLVMValueRef load = i < 0 ? value : LLVMGetOperand(value, (unsigned)i);
        if (LLVMIsALoadInst(load) == NULL || LLVMGetOperand(load, 0) != target ||
            line_of(load) == 0)
            continue;
        from = row_at(rows, line_of(load));
        memcpy(rows->data + (number - 1) * sizeof(from), &from, sizeof(from));
        return;
    }
}

static void number_other(struct translator *translator, LLVMValueRef instruction, void *context)
{
    struct buffer *rows = context;
    struct place row = { 0 };
    LLVMOpcode opcode = LLVMGetInstructionOpcode(instruction);
    if (opcode == LLVMStore)
        join_store(rows, instruction);
    if (opcode == LLVMPHI || opcode == LLVMRet || line_of(instruction) != 0)
        return;
    int count = LLVMGetNumOperands(instruction);
    for (int i = 0; i < count; i++)
        add_loads(&row, rows, LLVMGetOperand(instruction, (unsigned)i));
    if (row.loads[0] != 0)
        add_row(translator, rows, instruction, &row);
}

void places_number(struct translator *translator, struct buffer *rows)
{
    visit_all(translator, number_trapping, rows);
    visit_all(translator, number_other, rows);
}
