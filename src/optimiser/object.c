/* SPDX-License-Identifier: Apache-2.0 */
#include "optimiser/object.h"

#include "abi/layout.h"
#include "core/checked.h"
#include "optimiser/limits.h"
#include "optimiser/lines.h"
#include "optimiser/places.h"

#include <elf.h>
#include <string.h>

enum {
    SECTIONS_MAX = 64,
    NAME_MAX_SIZE = 16,
    PLACE_NONE = 0xffffffffu
};

struct section {
    uint32_t name, type;
    uint64_t flags, offset, size, link, info, align;
    uint32_t place; /* in the link's text, or PLACE_NONE */
};

struct object {
    struct bytes source;
    struct section sections[SECTIONS_MAX];
    unsigned section_count;
    struct bytes symbols, names, section_names;
};

struct symbol {
    bool is_here;   /* defined in this object, in text */
    uint32_t place; /* here: in the link's text */
    enum native_target target;
    uint32_t index;
};

static bool is_corrupt(struct error *error, const char *what)
{
    return error_set(error, ERROR_CORRUPT, "LLVM's object file: %s", what);
}

/* Copies a record out; false when it isn't all there. */
static bool take(struct bytes from, uint64_t offset, void *record, size_t size)
{
    if (offset > from.size || size > from.size - offset)
        return false;
    memcpy(record, from.data + offset, size);
    return true;
}

static bool section_bytes(const struct object *object, const struct section *section,
                          struct bytes *bytes)
{
    const struct bytes source = object->source;
    if (section->offset > source.size || section->size > source.size - section->offset)
        return false;
    *bytes = bytes_of(source.data + section->offset, section->size);
    return true;
}

static bool read_sections(struct object *object, struct error *error)
{
    Elf64_Ehdr header;
    if (!take(object->source, 0, &header, sizeof(header)) ||
        memcmp(header.e_ident, ELFMAG, SELFMAG) != 0 || header.e_ident[EI_CLASS] != ELFCLASS64 ||
        header.e_type != ET_REL || header.e_machine != EM_X86_64 ||
        header.e_shentsize != sizeof(Elf64_Shdr))
        return is_corrupt(error, "not an x86-64 ELF file to be linked");
    if (header.e_shnum > SECTIONS_MAX)
        return is_corrupt(error, "too many sections");
    for (unsigned i = 0; i < header.e_shnum; i++) {
        Elf64_Shdr row;
        if (!take(object->source, header.e_shoff + i * sizeof(row), &row, sizeof(row)))
            return is_corrupt(error, "section table cut off");
        object->sections[i] = (struct section){ .name = row.sh_name,
                                                .type = row.sh_type,
                                                .flags = row.sh_flags,
                                                .offset = row.sh_offset,
                                                .size = row.sh_size,
                                                .link = row.sh_link,
                                                .info = row.sh_info,
                                                .align = row.sh_addralign,
                                                .place = PLACE_NONE };
    }
    object->section_count = header.e_shnum;
    return header.e_shstrndx < header.e_shnum &&
                   section_bytes(object, &object->sections[header.e_shstrndx],
                                 &object->section_names)
               ? true
               : is_corrupt(error, "no names of sections");
}

static bool find_symbols(struct object *object, struct error *error)
{
    for (unsigned i = 0; i < object->section_count; i++) {
        const struct section *section = &object->sections[i];
        if (section->type != SHT_SYMTAB)
            continue;
        if (section->link >= object->section_count ||
            !section_bytes(object, section, &object->symbols) ||
            !section_bytes(object, &object->sections[section->link], &object->names))
            return is_corrupt(error, "symbol table cut off");
        return true;
    }
    return is_corrupt(error, "no symbol table");
}

/* Code and constants; LLVM makes no writable data for this tier. */
static bool place_sections(struct object_link *link, struct object *object, struct error *error)
{
    static const uint8_t filler[64];
    for (unsigned i = 0; i < object->section_count; i++) {
        struct section *section = &object->sections[i];
        struct bytes content;
        if ((section->flags & SHF_ALLOC) == 0 || section->size == 0)
            continue;
        if (section->type != SHT_PROGBITS || (section->flags & SHF_WRITE) != 0 ||
            section->align > sizeof(filler) || (section->align & (section->align - 1)) != 0)
            return is_corrupt(error, "a section of an unknown kind");
        if (!section_bytes(object, section, &content))
            return is_corrupt(error, "section cut off");
        uint64_t align = MAX(section->align, (uint64_t)16);
        size_t gap = round_up(link->text.size, align) - link->text.size;
        buffer_append(&link->text, bytes_of(filler, gap));
        section->place = (uint32_t)link->text.size;
        buffer_append(&link->text, content);
    }
    return !link->text.failed ||
           error_set(error, ERROR_LIMIT, "optimised code is over %zu bytes", link->text.size_max);
}

/* "f12": the number; false when the name has another form. */
static bool number_after(const char *name, char first, uint32_t limit, uint32_t *number)
{
    uint64_t value = 0;
    if (name[0] != first || name[1] == 0)
        return false;
    for (const char *at = name + 1; *at != 0; at++) {
        if (*at < '0' || *at > '9')
            return false;
        value = value * 10 + (uint64_t)(*at - '0');
        if (value >= limit)
            return false;
    }
    *number = (uint32_t)value;
    return true;
}

static bool name_at(struct bytes names, uint32_t at, char name[NAME_MAX_SIZE])
{
    struct bytes rest = bytes_part(names, at, NAME_MAX_SIZE);
    size_t size = bytes_find(rest, 0);
    if (size == rest.size)
        return false;
    memcpy(name, rest.data, size + 1);
    return true;
}

static bool outside_symbol(const struct object_link *link, const char *name, struct symbol *symbol)
{
    *symbol = (struct symbol){ .target = NATIVE_TARGET_COUNT };
    if (strcmp(name, "instance") == 0)
        symbol->target = NATIVE_INSTANCE;
    else if (strcmp(name, "code") == 0)
        symbol->target = NATIVE_CODE;
    else if (number_after(name, 'f', link->function_count, &symbol->index))
        symbol->target = NATIVE_FUNCTION;
    else if (number_after(name, 's', link->type_count, &symbol->index))
        symbol->target = NATIVE_SIGNATURE;
    return symbol->target != NATIVE_TARGET_COUNT;
}

/* Where the object's code goes; PLACE_NONE: it has none, or several parts. */
static uint32_t code_section(const struct object *object)
{
    uint32_t found = PLACE_NONE;
    for (unsigned i = 0; i < object->section_count; i++) {
        const struct section *section = &object->sections[i];
        if ((section->flags & SHF_EXECINSTR) == 0 || section->size == 0)
            continue;
        if (found != PLACE_NONE)
            return PLACE_NONE;
        found = i;
    }
    return found;
}

static bool add_traps(struct object_link *link, const struct object *object, struct bytes traps,
                      struct error *error)
{
    struct image_trap row;
    uint32_t code = code_section(object);
    if (traps.size == 0)
        return true;
    if (code == PLACE_NONE || traps.size % sizeof(row) != 0)
        return is_corrupt(error, "traps without code");
    uint32_t least = 0;
    for (size_t at = 0; at < traps.size; at += sizeof(row)) {
        memcpy(&row, traps.data + at, sizeof(row));
        if (row.code_offset < least || row.code_offset >= object->sections[code].size)
            return is_corrupt(error, "traps out of order");
        least = row.code_offset + 1;
        row.code_offset += object->sections[code].place;
        buffer_append(&link->traps, bytes_of(&row, sizeof(row)));
    }
    return !link->traps.failed || error_set(error, ERROR_LIMIT, "too many traps");
}

static bool read_symbol(const struct object_link *link, const struct object *object,
                        uint64_t number, struct symbol *symbol, struct error *error)
{
    Elf64_Sym row;
    char name[NAME_MAX_SIZE];
    if (number > object->symbols.size / sizeof(row) ||
        !take(object->symbols, number * sizeof(row), &row, sizeof(row)))
        return is_corrupt(error, "no such symbol");
    if (row.st_shndx == SHN_UNDEF || ELF64_ST_BIND(row.st_info) == STB_GLOBAL) {
        /* Functions are known by their names, here and elsewhere. */
        if (name_at(object->names, row.st_name, name) && outside_symbol(link, name, symbol))
            return true;
        return is_corrupt(error, "a symbol of an unknown name");
    }
    if (row.st_shndx >= object->section_count ||
        object->sections[row.st_shndx].place == PLACE_NONE ||
        row.st_value > object->sections[row.st_shndx].size)
        return is_corrupt(error, "a symbol outside the sections");
    *symbol =
        (struct symbol){ .is_here = true,
                         .place = object->sections[row.st_shndx].place + (uint32_t)row.st_value };
    return true;
}

static bool add_functions(struct object_link *link, const struct object *object,
                          struct error *error)
{
    for (uint64_t i = 0; i < object->symbols.size / sizeof(Elf64_Sym); i++) {
        Elf64_Sym row;
        char name[NAME_MAX_SIZE];
        uint32_t index;
        if (!take(object->symbols, i * sizeof(row), &row, sizeof(row)))
            return is_corrupt(error, "symbol table cut off");
        if (ELF64_ST_TYPE(row.st_info) != STT_FUNC || row.st_shndx == SHN_UNDEF)
            continue;
        if (row.st_shndx >= object->section_count ||
            object->sections[row.st_shndx].place == PLACE_NONE ||
            row.st_value >= object->sections[row.st_shndx].size ||
            !name_at(object->names, row.st_name, name) ||
            !number_after(name, 'f', link->function_count, &index) ||
            link->starts[index] != NATIVE_NONE)
            return is_corrupt(error, "a function that is not ours");
        link->starts[index] = object->sections[row.st_shndx].place + (uint32_t)row.st_value;
    }
    return true;
}

static bool relocate(struct object_link *link, const struct object *object,
                     const struct section *target, const Elf64_Rela *row, struct error *error)
{
    struct symbol symbol;
    uint64_t type = ELF64_R_TYPE(row->r_info);
    if (type != R_X86_64_PC32 && type != R_X86_64_PLT32)
        return is_corrupt(error, "a relocation of an unknown kind");
    if (row->r_offset > target->size || target->size - row->r_offset < 4 ||
        row->r_addend < INT32_MIN || row->r_addend > INT32_MAX)
        return is_corrupt(error, "a relocation outside its section");
    if (!read_symbol(link, object, ELF64_R_SYM(row->r_info), &symbol, error))
        return false;
    uint32_t at = target->place + (uint32_t)row->r_offset;
    if (symbol.is_here) {
        uint32_t value = symbol.place + (uint32_t)row->r_addend - at;
        memcpy(link->text.data + at, &value, sizeof(value));
        return true;
    }
    struct native_relocation made = {
        .at = at, .target = symbol.target, .index = symbol.index, .addend = (int32_t)row->r_addend
    };
    buffer_append(&link->relocations, bytes_of(&made, sizeof(made)));
    return !link->relocations.failed || error_set(error, ERROR_LIMIT, "too many relocations");
}

static bool relocate_all(struct object_link *link, const struct object *object, struct error *error)
{
    for (unsigned i = 0; i < object->section_count; i++) {
        const struct section *section = &object->sections[i];
        struct bytes rows;
        if (section->type != SHT_RELA || section->info >= object->section_count ||
            object->sections[section->info].place == PLACE_NONE)
            continue;
        if (!section_bytes(object, section, &rows) || rows.size % sizeof(Elf64_Rela) != 0)
            return is_corrupt(error, "relocations cut off");
        for (size_t at = 0; at < rows.size; at += sizeof(Elf64_Rela)) {
            Elf64_Rela row;
            memcpy(&row, rows.data + at, sizeof(row));
            if (!relocate(link, object, &object->sections[section->info], &row, error))
                return false;
        }
    }
    return true;
}

bool object_add(struct object_link *link, struct bytes source, struct bytes traps,
                struct error *error)
{
    struct object object = { .source = source };
    return read_sections(&object, error) && find_symbols(&object, error) &&
           place_sections(link, &object, error) && add_functions(link, &object, error) &&
           relocate_all(link, &object, error) && add_traps(link, &object, traps, error);
}

bool object_link_init(struct object_link *link, uint32_t function_count, uint32_t type_count,
                      struct arena *arena, struct error *error)
{
    *link = (struct object_link){ .function_count = function_count, .type_count = type_count };
    link->starts = arena_array(arena, function_count + 1u, sizeof(uint32_t));
    if (link->starts == NULL)
        return error_set(error, ERROR_NO_MEMORY, "no memory to link");
    memset(link->starts, 0xff, function_count * sizeof(uint32_t));
    buffer_init(&link->text, LAYOUT_CODE_SIZE_MAX / 2);
    buffer_init(&link->relocations, LAYOUT_CODE_SIZE_MAX);
    buffer_init(&link->traps, LAYOUT_CODE_SIZE_MAX);
    return true;
}

void object_link_done(struct object_link *link)
{
    buffer_done(&link->text);
    buffer_done(&link->relocations);
    buffer_done(&link->traps);
}

struct native_code object_link_view(const struct object_link *link)
{
    return (struct native_code){
        .text = buffer_view(&link->text),
        .starts = link->starts,
        .relocations = (const struct native_relocation *)(const void *)link->relocations.data,
        .relocation_count = (uint32_t)(link->relocations.size / sizeof(struct native_relocation)),
        .traps = (const struct image_trap *)(const void *)link->traps.data,
        .trap_count = (uint32_t)(link->traps.size / sizeof(struct image_trap)),
        .grown_tables = link->grown_tables,
    };
}

/* What the line table says, in two passes: which numbers have code of their own; then the rows. */
struct trap_list {
    const struct object *object;
    struct bytes places;
    uint8_t *has_code; /* a bit per number */
    struct buffer *traps;
    size_t first; /* in traps, of this object */
    uint64_t code_size, last;
    bool is_second_pass;
};

static bool place_at(const struct trap_list *list, uint32_t number, struct place *place)
{
    return number != 0 &&
           take(list->places, (uint64_t)(number - 1) * sizeof(*place), place, sizeof(*place));
}

/* The offset in the module that a number stands for; 0: none. */
static uint32_t offset_of(const struct trap_list *list, uint32_t number)
{
    struct place place;
    if (!place_at(list, number, &place))
        return 0;
    if (place.offset != 0)
        return place.offset;
    for (unsigned i = 0; i < PLACE_LOADS_MAX; i++) {
        struct place load;
        uint32_t other = place.loads[i];
        if (place_at(list, other, &load) && (list->has_code[other / 8] >> (other % 8) & 1) == 0)
            return load.offset;
    }
    return 0;
}

static void append_trap(struct trap_list *list, uint32_t at, uint32_t wasm_offset)
{
    struct image_trap row = { .code_offset = at, .wasm_offset = wasm_offset }, before;
    struct buffer *traps = list->traps;
    if (traps->size > list->first) {
        memcpy(&before, traps->data + traps->size - sizeof(before), sizeof(before));
        if (before.wasm_offset == wasm_offset)
            return;
        if (before.code_offset == at)
            traps->size -= sizeof(before);
    }
    buffer_append(traps, bytes_of(&row, sizeof(row)));
}

static bool visit_line(void *context, uint64_t address, uint32_t line)
{
    struct trap_list *list = context;
    if (address < list->last || address > list->code_size)
        return false;
    list->last = address;
    bool is_start = (line & PLACE_START) != 0;
    if (!list->is_second_pass) {
        struct place place;
        if (!is_start && place_at(list, line, &place))
            list->has_code[line / 8] |= (uint8_t)(1u << line % 8);
        return true;
    }
    uint32_t offset = is_start ? line & ~PLACE_START : offset_of(list, line);
    if (offset != 0 && address < list->code_size)
        append_trap(list, (uint32_t)address, offset);
    return true;
}

/* The line table with its addresses: of the code, from the section's start. */
static bool line_table(struct buffer *table, const struct object *object, uint32_t code,
                       struct error *error)
{
    for (unsigned i = 0; i < object->section_count; i++) {
        const struct section *section = &object->sections[i];
        struct bytes rows, content;
        if (section->type != SHT_RELA || section->info >= object->section_count)
            continue;
        const struct section *target = &object->sections[section->info];
        char name[NAME_MAX_SIZE];
        if (!name_at(object->section_names, target->name, name) || strcmp(name, ".debug_line") != 0)
            continue;
        if (!section_bytes(object, section, &rows) || !section_bytes(object, target, &content))
            return is_corrupt(error, "line table cut off");
        buffer_append(table, content);
        for (size_t at = 0; at + sizeof(Elf64_Rela) <= rows.size && !table->failed;
             at += sizeof(Elf64_Rela)) {
            Elf64_Rela row;
            Elf64_Sym symbol;
            memcpy(&row, rows.data + at, sizeof(row));
            if (ELF64_R_TYPE(row.r_info) != R_X86_64_64)
                continue;
            if (table->size < 8 || row.r_offset > table->size - 8 ||
                !take(object->symbols, ELF64_R_SYM(row.r_info) * sizeof(symbol), &symbol,
                      sizeof(symbol)) ||
                symbol.st_shndx != code)
                return is_corrupt(error, "line table of something else");
            uint64_t address = symbol.st_value + (uint64_t)row.r_addend;
            memcpy(table->data + row.r_offset, &address, sizeof(address));
        }
        return !table->failed || error_set(error, ERROR_NO_MEMORY, "no memory for lines");
    }
    return is_corrupt(error, "no line table");
}

bool object_traps(struct buffer *traps, struct bytes source, struct bytes places,
                  struct error *error)
{
    struct object object = { .source = source };
    AUTO_BUFFER struct buffer table;
    buffer_init(&table, OPTIMISER_OBJECT_SIZE_MAX);
    if (!read_sections(&object, error) || !find_symbols(&object, error))
        return false;
    uint32_t code = code_section(&object);
    if (code == PLACE_NONE || !line_table(&table, &object, code, error))
        return is_corrupt(error, "no lines of code");
    AUTO_BUFFER struct buffer has_code;
    buffer_init(&has_code, OPTIMISER_OBJECT_SIZE_MAX);
    size_t size = places.size / sizeof(struct place) / 8 + 1;
    uint8_t *bits = buffer_reserve(&has_code, size);
    if (bits == NULL)
        return error_set(error, ERROR_NO_MEMORY, "no memory for lines");
    memset(bits, 0, size);
    struct trap_list list = { .object = &object,
                              .places = places,
                              .has_code = bits,
                              .traps = traps,
                              .first = traps->size,
                              .code_size = object.sections[code].size };
    if (!lines_read(buffer_view(&table), visit_line, &list, error))
        return false;
    list.is_second_pass = true;
    list.last = 0;
    return lines_read(buffer_view(&table), visit_line, &list, error) &&
           (!traps->failed || error_set(error, ERROR_NO_MEMORY, "no memory for traps"));
}
