/* SPDX-License-Identifier: Apache-2.0 */
#include "optimiser/lines.h"

#include "core/reader.h"

enum {
    /* standard opcodes */
    EXTENDED = 0,
    COPY,
    ADVANCE_PC,
    ADVANCE_LINE,
    SET_FILE,
    SET_COLUMN,
    NEGATE_STATEMENT,
    SET_BASIC_BLOCK,
    CONST_ADD_PC,
    FIXED_ADVANCE_PC,
    SET_PROLOGUE_END,
    SET_EPILOGUE_BEGIN,
    SET_ISA,
    /* extended ones */
    END_SEQUENCE = 1,
    SET_ADDRESS = 2,
};

struct table {
    uint8_t step; /* bytes of the shortest instruction */
    int8_t line_base;
    uint8_t line_range, opcode_base;
};

struct machine {
    uint64_t address;
    int64_t line;
};

/* What follows the length of a table's header up to its program. */
static bool read_header(struct reader *unit, struct table *table)
{
    uint16_t version = read_u16_le(unit);
    if (version != 4 && version != 5)
        return false;
    if (version == 5)
        read_skip(unit, 2); /* sizes of addresses and of segments */
    uint32_t size = read_u32_le(unit);
    struct reader header = reader_of(read_bytes(unit, size));
    table->step = read_u8(&header);
    uint8_t operations = read_u8(&header); /* of a bundle */
    read_skip(&header, 1);
    table->line_base = (int8_t)read_u8(&header);
    table->line_range = read_u8(&header);
    table->opcode_base = read_u8(&header);
    return !unit->failed && !header.failed && operations == 1 && table->line_range != 0 &&
           table->opcode_base == SET_ISA + 1;
}

static void extended(struct reader *unit, struct machine *machine)
{
    struct reader operation = reader_of(read_bytes(unit, read_leb_u32(unit)));
    uint8_t opcode = read_u8(&operation);
    if (opcode == END_SEQUENCE)
        *machine = (struct machine){ .line = 1 };
    else if (opcode == SET_ADDRESS)
        machine->address = read_u64_le(&operation);
    if (operation.failed)
        reader_fail(unit);
}

static void standard(struct reader *unit, const struct table *table, uint8_t opcode,
                     struct machine *machine)
{
    switch (opcode) {
    case ADVANCE_PC:
        machine->address += (uint64_t)read_leb_u32(unit) * table->step;
        break;
    case ADVANCE_LINE:
        machine->line += read_leb_i64(unit);
        break;
    case SET_FILE:
    case SET_COLUMN:
    case SET_ISA:
        read_leb_u32(unit);
        break;
    case CONST_ADD_PC:
        machine->address +=
            (uint64_t)((255 - table->opcode_base) / table->line_range) * table->step;
        break;
    case FIXED_ADVANCE_PC:
        machine->address += read_u16_le(unit);
        break;
    default:
        break;
    }
}

static bool read_table(struct reader *unit, lines_visit *visit, void *context)
{
    struct table table;
    struct machine machine = { .line = 1 };
    if (!read_header(unit, &table))
        return false;
    while (reader_left(unit) > 0 && !unit->failed) {
        uint8_t opcode = read_u8(unit);
        bool is_row = opcode == COPY;
        if (opcode >= table.opcode_base) {
            opcode = (uint8_t)(opcode - table.opcode_base);
            machine.address += (uint64_t)(opcode / table.line_range) * table.step;
            machine.line += table.line_base + opcode % table.line_range;
            is_row = true;
        } else if (opcode == EXTENDED) {
            extended(unit, &machine);
        } else {
            standard(unit, &table, opcode, &machine);
        }
        if (machine.line < 0 || machine.line > UINT32_MAX)
            return false;
        if (is_row && !visit(context, machine.address, (uint32_t)machine.line))
            return false;
    }
    return read_end(unit);
}

bool lines_read(struct bytes section, lines_visit *visit, void *context, struct error *error)
{
    struct reader reader = reader_of(section);
    while (reader_left(&reader) > 0) {
        uint32_t size = read_u32_le(&reader);
        struct reader unit = reader_of(read_bytes(&reader, size));
        if (reader.failed || !read_table(&unit, visit, context))
            return error_set(error, ERROR_CORRUPT, "LLVM's object file: line table");
    }
    return true;
}
