/* SPDX-License-Identifier: Apache-2.0 */
#include "slipstream/linked.h"

#include "abi/layout.h"
#include "core/checked.h"
#include "slipstream/limits.h"
#include "slipstream/program.h"
#include "slipstream/shell.h"

#include <stdlib.h>
#include <string.h>

/* Entry stubs look at the eight bytes that a call returns to: they can be read behind the last call
 * of the code, too. */
enum {
    RETURN_ROOM = 8
};

/* Everything in an instance region may have been changed by the guest: it is copied before it is
 * looked at, addresses from there go to the guest again or are checked. */
struct linked {
    struct linked *next; /* the shell's next one */
    struct shell *shell;
    struct program *program;
    struct image_place place;
    uint8_t *region;             /* the host's view of its instance region */
    const struct linked *memory; /* whose memory it uses; NULL: it has none */
    uint64_t memory_limit;       /* bytes, of its own */
};

const struct image *linked_image(const struct linked *linked)
{
    return &linked->program->image;
}

const struct image *linked_code_at(const struct shell *shell, uint64_t address, uint64_t *start)
{
    for (const struct linked *linked = shell->linked; linked != NULL; linked = linked->next) {
        const struct image *image = linked_image(linked);
        if (address >= linked->place.code &&
            address - linked->place.code < image->sections[IMAGE_CODE].size) {
            *start = linked->place.code;
            return image;
        }
    }
    return NULL;
}

bool linked_is_memory(uint64_t address)
{
    return address >= LAYOUT_LINKED_MEMORY &&
           address - LAYOUT_LINKED_MEMORY < LAYOUT_LINKED_MAX * LAYOUT_LINKED_MEMORY_STRIDE;
}

bool linked_grow(const struct shell *shell, uint64_t base, uint64_t size)
{
    for (const struct linked *linked = shell->linked; linked != NULL; linked = linked->next) {
        if (linked->memory == linked && linked->place.memory == base)
            return size <= linked->memory_limit &&
                   shell->backend->area_grow(shell->machine, base, size);
    }
    return false;
}

void linked_close(struct linked *linked)
{
    while (linked != NULL) {
        struct linked *next = linked->next;
        program_close(linked->program);
        free(linked);
        linked = next;
    }
}

static struct instance region_instance(const struct linked *linked)
{
    struct instance instance;
    memcpy(&instance, linked->region, sizeof(instance));
    return instance;
}

/* Addresses of the guest within an instance's own region. */
static uint64_t share_address(const struct linked *linked, uint32_t node)
{
    return linked->place.instance + linked_image(linked)->header.shares_offset +
           node * sizeof(struct share);
}

static uint8_t *share_host(const struct linked *linked, uint32_t node)
{
    return linked->region + linked_image(linked)->header.shares_offset +
           node * sizeof(struct share);
}

static uint64_t table_address(const struct linked *linked, uint32_t table)
{
    return linked->place.instance + offsetof(struct instance, tables) +
           table * sizeof(struct table);
}

/* Nodes of rings that hold this instance alone. */
static void shares_init(struct linked *linked)
{
    for (uint32_t node = 0; node <= INSTANCE_TABLE_COUNT_MAX; node++) {
        struct share share = { .next = share_address(linked, node),
                               .target = node == 0 ? linked->place.instance
                                                   : table_address(linked, node - 1) };
        memcpy(share_host(linked, node), &share, sizeof(share));
    }
}

/* Puts a node of this instance behind one of another. */
static void share_join(struct linked *linked, uint32_t node, const struct linked *other,
                       uint32_t other_node)
{
    struct share own, theirs;
    memcpy(&own, share_host(linked, node), sizeof(own));
    memcpy(&theirs, share_host(other, other_node), sizeof(theirs));
    own.next = theirs.next;
    theirs.next = share_address(linked, node);
    memcpy(share_host(linked, node), &own, sizeof(own));
    memcpy(share_host(other, other_node), &theirs, sizeof(theirs));
}

/* Where a global stands that the instance exports: its own slot, or another's that it imports. */
static uint64_t global_address(const struct linked *linked, uint32_t where)
{
    const struct image *image = linked_image(linked);
    for (size_t i = 0; i < image_count(image, IMAGE_IMPORTS); i++) {
        struct image_import import = image_import_at(image, i);
        uint64_t address;
        if (import.kind != IMAGE_EXPORT_GLOBAL || import.where != where)
            continue;
        memcpy(&address, linked->region + where, sizeof(address));
        return address;
    }
    return linked->place.instance + where;
}

/* The host's view of `size` bytes of the instance regions, or of read-only data; NULL: outside. */
static const uint8_t *host_at(const struct shell *shell, uint64_t address, uint64_t size)
{
    for (const struct linked *linked = shell->linked; linked != NULL; linked = linked->next) {
        const struct image *image = linked_image(linked);
        struct bytes rodata = image->sections[IMAGE_RODATA];
        uint64_t region = address - linked->place.instance;
        uint64_t constant = address - linked->place.rodata;
        if (linked->region == NULL)
            continue;
        if (address >= linked->place.instance && region < image->header.instance_size &&
            size <= image->header.instance_size - region)
            return linked->region + region;
        if (address >= linked->place.rodata && constant < rodata.size &&
            size <= rodata.size - constant)
            return rodata.data + constant;
    }
    return NULL;
}

bool linked_global(const struct linked *linked, const struct image_export *export, uint64_t slot[2],
                   struct error *error)
{
    const uint8_t *at =
        export->kind != IMAGE_EXPORT_GLOBAL
            ? NULL
            : host_at(linked->shell, global_address(linked, export->where), 2 * sizeof(*slot));
    if (at == NULL)
        return error_set(error, ERROR_INTERNAL, "global outside the instances");
    memcpy(slot, at, 2 * sizeof(*slot));
    return true;
}

bool linked_function(const struct linked *linked, uint64_t reference,
                     struct function_reference *row, struct error *error)
{
    const uint8_t *at = host_at(linked->shell, reference, sizeof(*row));
    if (at == NULL)
        return error_set(error, ERROR_INTERNAL, "function reference outside the instances");
    memcpy(row, at, sizeof(*row));
    return true;
}

uint32_t linked_size(const struct linked *linked, const struct image_export *export)
{
    struct instance instance = region_instance(linked);
    if (export->kind == IMAGE_EXPORT_TABLE)
        return instance.tables[export->where].size;
    return (uint32_t)(instance.memory_size / LAYOUT_WASM_PAGE_SIZE);
}

static struct bytes export_types(const struct linked *linked, const struct image_export *export)
{
    return image_string(linked_image(linked), export->types_offset, export->types_size);
}

/* The compiler has compared the types in full; this is what the guest's safety rests on. */
static bool source_fits(const struct linked *linked, const struct image_import *import,
                        const struct linked_export *source)
{
    if (source->instance == NULL || source->instance->shell != linked->shell)
        return false;
    const struct image *image = linked_image(source->instance);
    if (source->index >= image_count(image, IMAGE_EXPORTS))
        return false;
    struct image_export export = image_export_at(image, source->index);
    struct bytes wanted =
        image_string(linked_image(linked), import->types_offset, import->types_size);
    struct bytes given = export_types(source->instance, &export);
    if (export.kind == IMAGE_EXPORT_TABLE)
        given = bytes_part(given, 0, 1);
    return export.kind == import->kind &&
           (export.kind == IMAGE_EXPORT_MEMORY || bytes_equal(wanted, given));
}

static void import_table(struct linked *linked, uint32_t table, const struct linked *owner,
                         uint32_t owner_table)
{
    struct instance theirs = region_instance(owner);
    memcpy(linked->region + offsetof(struct instance, tables) + table * sizeof(struct table),
           &theirs.tables[owner_table], sizeof(struct table));
    share_join(linked, 1 + table, owner, 1 + owner_table);
}

static void import_memory(struct linked *linked, const struct linked *owner)
{
    struct instance theirs = region_instance(owner), ours = region_instance(linked);
    ours.memory_base = theirs.memory_base;
    ours.memory_size = theirs.memory_size;
    ours.memory_size_max = theirs.memory_size_max;
    memcpy(linked->region, &ours, sizeof(ours));
    linked->memory = owner->memory;
    share_join(linked, 0, owner, 0);
}

static bool resolve(struct linked *linked, const struct linked_export *sources, size_t count,
                    struct error *error)
{
    const struct image *image = linked_image(linked);
    if (count != image_count(image, IMAGE_IMPORTS))
        return error_set(error, ERROR_INVALID, "the module has %zu imports from other instances",
                         image_count(image, IMAGE_IMPORTS));
    for (size_t i = 0; i < count; i++) {
        struct image_import import = image_import_at(image, i);
        if (!source_fits(linked, &import, &sources[i]))
            return error_set(error, ERROR_INVALID, "import %zu is given something else", i);
        const struct linked *owner = sources[i].instance;
        struct image_export export = image_export_at(linked_image(owner), sources[i].index);
        uint64_t address = 0;
        switch ((enum image_export_kind)import.kind) {
        case IMAGE_EXPORT_FUNCTION:
            address = owner->place.code + export.where;
            memcpy(linked->region + import.where, &address, sizeof(address));
            break;
        case IMAGE_EXPORT_GLOBAL:
            address = global_address(owner, export.where);
            memcpy(linked->region + import.where, &address, sizeof(address));
            break;
        case IMAGE_EXPORT_TABLE:
            import_table(linked, import.where, owner, export.where);
            break;
        case IMAGE_EXPORT_MEMORY:
            import_memory(linked, owner);
            break;
        }
    }
    return true;
}

/* Its own memory, when it defines one. */
static bool place_memory(struct linked *linked, struct error *error)
{
    const struct shell *shell = linked->shell;
    const struct image_header *header = &linked_image(linked)->header;
    const struct area area = { .address = linked->place.memory,
                               .size = header->memory_size,
                               .reserve = MEMORY_SIZE_MAX,
                               .right = AREA_WRITE };
    uint8_t *host;
    if ((header->flags & IMAGE_HAS_MEMORY) == 0)
        return true;
    linked->memory_limit = MIN(header->memory_size_max, shell->settings.memory_size_max);
    if (header->memory_size > linked->memory_limit)
        return error_set(
            error, ERROR_LIMIT, "the module starts with %llu bytes of memory, the limit is %llu",
            (unsigned long long)header->memory_size, (unsigned long long)linked->memory_limit);
    linked->memory = linked;
    return shell->backend->area_add(shell->machine, &area, &host, error);
}

static bool place_all(struct linked *linked, struct error *error)
{
    const struct shell *shell = linked->shell;
    const struct image *image = linked_image(linked);
    const struct area areas[] = {
        { .address = linked->place.code,
          .size = image->sections[IMAGE_CODE].size + RETURN_ROOM,
          .content = image->sections[IMAGE_CODE],
          .right = AREA_EXECUTE },
        { .address = linked->place.rodata,
          .size = image->sections[IMAGE_RODATA].size,
          .content = image->sections[IMAGE_RODATA],
          .right = AREA_READ },
        { .address = linked->place.instance,
          .size = image->header.instance_size,
          .content = image->sections[IMAGE_INSTANCE],
          .right = AREA_WRITE },
    };
    for (size_t i = 0; i < ARRAY_COUNT(areas); i++) {
        if (areas[i].size > 0 &&
            !shell->backend->area_add(shell->machine, &areas[i], &linked->region, error))
            return false;
    }
    struct instance instance = region_instance(linked);
    instance.memory_base = linked->place.memory;
    memcpy(linked->region, &instance, sizeof(instance));
    shares_init(linked);
    return place_memory(linked, error);
}

static bool is_taken(const struct shell *shell, uint32_t placement)
{
    for (const struct linked *linked = shell->linked; linked != NULL; linked = linked->next) {
        if (linked_image(linked)->header.placement == placement)
            return true;
    }
    return false;
}

static struct entry_point entry_of(const struct linked *linked, uint64_t code)
{
    const struct linked *memory = linked->memory;
    return (struct entry_point){ .code = code,
                                 .instance = linked->place.instance,
                                 .memory_base = memory != NULL ? memory->place.memory : 0,
                                 .memory_limit = memory != NULL ? memory->memory_limit : 0 };
}

/* Always enters once: the guest fills in what it gives every instance. */
static bool instantiate(struct linked *linked, struct outcome *outcome, struct error *error)
{
    struct shell *shell = linked->shell;
    const struct image_header *header = &linked_image(linked)->header;
    bool starts = (header->flags & IMAGE_HAS_START) != 0;
    struct entry_point entry =
        entry_of(linked, starts ? linked->place.code + header->start_offset : 0);
    shell->backend->machine_control(shell->machine)->entry = ENTRY_COMMAND;
    return exits_serve_at(shell, &entry, NULL, outcome, error);
}

bool shell_link(struct shell *shell, struct program *program, const struct linked_export *sources,
                size_t source_count, const struct settings *settings, struct linked **made,
                struct outcome *outcome, struct error *error)
{
    uint32_t placement = program->image.header.placement;
    *made = NULL;
    if (placement == 0)
        return error_set(error, ERROR_INVALID, "the image was compiled to stand alone");
    if (shell->program != NULL || shell->is_broken)
        return error_set(error, ERROR_INTERNAL, "the micro-VM can't take linked instances");
    if (is_taken(shell, placement))
        return error_set(error, ERROR_INVALID, "place %u is taken", placement);
    struct linked *linked = calloc(1, sizeof(*linked));
    if (linked == NULL)
        return error_set(error, ERROR_NO_MEMORY, "no memory for a linked instance");
    *linked = (struct linked){ .next = shell->linked,
                               .shell = shell,
                               .program = program_share(program),
                               .place = image_place(placement) };
    shell->settings = *settings;
    if (shell->settings.memory_size_max == 0 || shell->settings.memory_size_max > MEMORY_SIZE_MAX)
        shell->settings.memory_size_max = MEMORY_SIZE_MAX;
    /* From here on its place is taken, whatever comes. */
    shell->linked = linked;
    if (!place_all(linked, error) || !resolve(linked, sources, source_count, error) ||
        !instantiate(linked, outcome, error))
        return false;
    if (outcome->kind == OUTCOME_DONE)
        *made = linked;
    return true;
}

bool linked_call(struct linked *linked, const struct image_export *export,
                 const uint64_t *arguments, uint32_t argument_count, uint64_t *results,
                 uint32_t result_count, struct outcome *outcome, struct error *error)
{
    struct shell *shell = linked->shell;
    if (shell->is_broken || export->kind != IMAGE_EXPORT_FUNCTION)
        return error_set(error, ERROR_INTERNAL, "the micro-VM has no such function");
    if (argument_count > CONTROL_SLOTS_MAX || result_count > CONTROL_SLOTS_MAX)
        return error_set(error, ERROR_LIMIT, "a call takes at most %d slots", CONTROL_SLOTS_MAX);
    struct entry_point entry = entry_of(linked, linked->place.code + export->where);
    struct control *control = shell->backend->machine_control(shell->machine);
    control->entry = ENTRY_CALL;
    control->argument_count = argument_count;
    control->result_count = result_count;
    memcpy(control->arguments, arguments, argument_count * sizeof(uint64_t));
    if (!exits_serve_at(shell, &entry, NULL, outcome, error))
        return false;
    if (outcome->kind == OUTCOME_DONE)
        memcpy(results, shell->mailbox->results, result_count * sizeof(uint64_t));
    return true;
}
