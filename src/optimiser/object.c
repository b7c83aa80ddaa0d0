/* SPDX-License-Identifier: Apache-2.0 */
#include "optimiser/object.h"

#include "abi/layout.h"
#include "core/checked.h"

#include <elf.h>
#include <string.h>

enum {
    SECTIONS_MAX = 64,
    NAME_MAX_SIZE = 16,
    PLACE_NONE = 0xffffffffu
};

struct section {
    uint32_t type;
    uint64_t flags, offset, size, link, info, align;
    uint32_t place; /* in the link's text, or PLACE_NONE */
};

struct object {
    struct bytes source;
    struct section sections[SECTIONS_MAX];
    unsigned section_count;
    struct bytes symbols, names;
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
        object->sections[i] = (struct section){ .type = row.sh_type,
                                                .flags = row.sh_flags,
                                                .offset = row.sh_offset,
                                                .size = row.sh_size,
                                                .link = row.sh_link,
                                                .info = row.sh_info,
                                                .align = row.sh_addralign,
                                                .place = PLACE_NONE };
    }
    object->section_count = header.e_shnum;
    return true;
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

static bool name_of(const struct object *object, uint32_t at, char name[NAME_MAX_SIZE])
{
    struct bytes rest = bytes_part(object->names, at, NAME_MAX_SIZE);
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
        if (name_of(object, row.st_name, name) && outside_symbol(link, name, symbol))
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
            !name_of(object, row.st_name, name) ||
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

bool object_add(struct object_link *link, struct bytes source, struct error *error)
{
    struct object object = { .source = source };
    return read_sections(&object, error) && find_symbols(&object, error) &&
           place_sections(link, &object, error) && add_functions(link, &object, error) &&
           relocate_all(link, &object, error);
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
    return true;
}

void object_link_done(struct object_link *link)
{
    buffer_done(&link->text);
    buffer_done(&link->relocations);
}

struct native_code object_link_view(const struct object_link *link)
{
    return (struct native_code){
        .text = buffer_view(&link->text),
        .starts = link->starts,
        .relocations = (const struct native_relocation *)(const void *)link->relocations.data,
        .relocation_count = (uint32_t)(link->relocations.size / sizeof(struct native_relocation)),
        .grown_tables = link->grown_tables,
    };
}
