/* SPDX-License-Identifier: Apache-2.0 */
#include "measure/snp.h"

#include "core/reader.h"
#include "core/writer.h"

#include <string.h>

enum {
    PAGE_INFO_SIZE = 0x70,
    METADATA_ITEM_SIZE = 12,
    HASH_TABLE_SIZE = 168,
    HASH_ENTRY_SIZE = 50,
    RESET_VECTOR = 0xfffffff0u
};

/* Types of pages, as the secure processor knows them. */
enum page_type {
    PAGE_NORMAL = 1,
    PAGE_VMSA = 2,
    PAGE_ZERO = 3,
    PAGE_UNMEASURED = 4,
    PAGE_SECRETS = 5,
    PAGE_CPUID = 6
};

/* Types of sections, as OVMF's metadata has them. */
enum section_type {
    SECTION_MEMORY = 1,
    SECTION_SECRETS = 2,
    SECTION_CPUID = 3,
    SECTION_SVSM_CAA = 4,
    SECTION_KERNEL_HASHES = 0x10
};

static const uint64_t vmsa_address = 0xfffffffff000;
static const uint64_t memory_end = UINT64_C(1) << 32;

#define METADATA_GUID   "dc886566-984a-4798-a75e-5585a7bf67cc"
#define RESET_GUID      "00f771de-1a7e-4fcb-890e-68c77e2fb44e"
#define HASH_PAGE_GUID  "7255371f-3a3b-4b04-927b-1da6efa8d454"
#define HASH_TABLE_GUID "9438d606-4f22-4cc9-b479-a793d411fd21"
#define COMMAND_GUID    "97d02dd8-bd20-4c94-aa78-e7714d36ab2a"
#define INITRD_GUID     "44baf731-3a2f-4bd7-9af1-41e29169781d"
#define KERNEL_GUID     "4de79437-abd2-427f-b835-d5b172d2045b"
#define SVSM_ENTRY_GUID "a789a612-0597-4c4b-a49f-cbb1fe9d1ddd"

/* The digest so far. */
struct launch_digest {
    struct digest48 value;
};

static void digest_update(struct launch_digest *digest, enum page_type type, uint64_t address,
                          const struct digest48 *content)
{
    uint8_t info[PAGE_INFO_SIZE];
    struct writer writer = writer_into(info, sizeof(info));
    write_bytes(&writer, BYTES_OF(digest->value.bytes));
    if (content != NULL)
        write_bytes(&writer, BYTES_OF(content->bytes));
    else
        write_zeros(&writer, sizeof(content->bytes));
    write_u16_le(&writer, PAGE_INFO_SIZE);
    write_u8(&writer, (uint8_t)type);
    write_zeros(&writer, 5); /* IMI and the permissions of lower privilege levels: none */
    write_u64_le(&writer, address);
    digest->value = sha384_of(BYTES_OF(info));
}

static void page_update(struct launch_digest *digest, enum page_type type, uint64_t address,
                        struct bytes page)
{
    struct digest48 content = sha384_of(page);
    digest_update(digest, type, address, &content);
}

static void pages_update(struct launch_digest *digest, uint64_t address, struct bytes image)
{
    for (size_t at = 0; at < image.size; at += MEASURE_PAGE_SIZE)
        page_update(digest, PAGE_NORMAL, address + at, bytes_part(image, at, MEASURE_PAGE_SIZE));
}

static void empty_update(struct launch_digest *digest, enum page_type type,
                         const struct snp_section *section)
{
    for (uint64_t at = 0; at < section->size; at += MEASURE_PAGE_SIZE)
        digest_update(digest, type, section->address + at, NULL);
}

static void hash_entry_write(struct writer *writer, const char *guid, struct bytes content)
{
    struct guid id = guid_of(guid);
    struct digest32 digest = sha256_of(content);
    write_bytes(writer, BYTES_OF(id.bytes));
    write_u16_le(writer, HASH_ENTRY_SIZE);
    write_bytes(writer, BYTES_OF(digest.bytes));
}

/* QEMU's table of the kernel's parts; the command line is hashed with its NUL. */
static bool hash_page_make(uint8_t page[MEASURE_PAGE_SIZE], const struct snp_launch *launch,
                           struct error *error)
{
    uint32_t address;
    if (!firmware_entry_number(launch->firmware, HASH_PAGE_GUID, &address))
        return error_set(error, ERROR_INVALID, "firmware has no place for a kernel's hashes");
    size_t offset = address & (MEASURE_PAGE_SIZE - 1);
    if (offset + HASH_TABLE_SIZE > MEASURE_PAGE_SIZE)
        return error_set(error, ERROR_INVALID, "the kernel's hashes cross the end of a page");
    AUTO(hash) struct hash *hash = hash_new(HASH_SHA256);
    hash_update(hash, launch->command_line);
    hash_update(hash, BYTES_LITERAL("\0"));
    struct digest32 command = hash_finish32(hash);
    struct guid table = guid_of(HASH_TABLE_GUID), entry = guid_of(COMMAND_GUID);
    struct writer writer = writer_into(page + offset, HASH_TABLE_SIZE);
    write_bytes(&writer, BYTES_OF(table.bytes));
    write_u16_le(&writer, HASH_TABLE_SIZE);
    write_bytes(&writer, BYTES_OF(entry.bytes));
    write_u16_le(&writer, HASH_ENTRY_SIZE);
    write_bytes(&writer, BYTES_OF(command.bytes));
    hash_entry_write(&writer, INITRD_GUID, launch->initrd);
    hash_entry_write(&writer, KERNEL_GUID, launch->kernel);
    ASSERT(!writer.failed);
    return true;
}

static bool hashes_update(struct launch_digest *digest, const struct snp_launch *launch,
                          const struct snp_section *section, struct error *error)
{
    if (!launch->has_kernel) {
        empty_update(digest, PAGE_ZERO, section);
        return true;
    }
    uint8_t page[MEASURE_PAGE_SIZE] = { 0 };
    if (section->size != MEASURE_PAGE_SIZE)
        return error_set(error, ERROR_INVALID, "the section of kernel hashes is not one page");
    if (!hash_page_make(page, launch, error))
        return false;
    page_update(digest, PAGE_NORMAL, section->address, BYTES_OF(page));
    return true;
}

static bool section_update(struct launch_digest *digest, const struct snp_launch *launch,
                           const struct snp_section *section, struct error *error)
{
    switch (section->type) {
    case SECTION_MEMORY:
        empty_update(digest, launch->vmm == SNP_VMM_GCE ? PAGE_UNMEASURED : PAGE_ZERO, section);
        return true;
    case SECTION_SECRETS:
        digest_update(digest, PAGE_SECRETS, section->address, NULL);
        return true;
    case SECTION_CPUID:
        if (launch->vmm != SNP_VMM_EC2) /* which adds it behind all others */
            digest_update(digest, PAGE_CPUID, section->address, NULL);
        return true;
    case SECTION_SVSM_CAA:
        empty_update(digest, PAGE_ZERO, section);
        return true;
    case SECTION_KERNEL_HASHES:
        return hashes_update(digest, launch, section, error);
    default:
        return error_set(error, ERROR_UNSUPPORTED, "firmware has a section of unknown type %u",
                         section->type);
    }
}

static bool sections_update(struct launch_digest *digest, const struct snp_launch *launch,
                            const struct snp_svsm_layout *layout, struct error *error)
{
    bool has_hashes = false;
    for (size_t i = 0; i < layout->section_count; i++) {
        if (!section_update(digest, launch, &layout->sections[i], error))
            return false;
        has_hashes = has_hashes || layout->sections[i].type == SECTION_KERNEL_HASHES;
    }
    for (size_t i = 0; launch->vmm == SNP_VMM_EC2 && i < layout->section_count; i++)
        if (layout->sections[i].type == SECTION_CPUID)
            digest_update(digest, PAGE_CPUID, layout->sections[i].address, NULL);
    return !launch->has_kernel || has_hashes ||
           error_set(error, ERROR_INVALID,
                     "firmware has no section of kernel hashes: it would not check the kernel");
}

/* The metadata table "ASEV". */
static bool sections_read(struct snp_svsm_layout *layout, struct bytes image, struct error *error)
{
    uint32_t offset;
    struct bytes table;
    if (!firmware_entry_number(image, METADATA_GUID, &offset) ||
        !firmware_from_end(image, offset, &table))
        return error_set(error, ERROR_INVALID, "image has no SEV metadata");
    struct reader reader = reader_of(table);
    bool is_sev = bytes_equal(read_bytes(&reader, 4), BYTES_LITERAL("ASEV"));
    uint32_t size = read_u32_le(&reader);
    uint32_t version = read_u32_le(&reader);
    uint32_t count = read_u32_le(&reader);
    layout->section_count =
        read_count(&reader, count, FIRMWARE_SECTION_COUNT_MAX, METADATA_ITEM_SIZE);
    uint64_t measured_size = 0;
    if (reader.failed || !is_sev || version != 1 ||
        size < 16 + (uint64_t)count * METADATA_ITEM_SIZE)
        return error_set(error, ERROR_INVALID, "SEV metadata is of another form");
    for (size_t i = 0; i < layout->section_count; i++) {
        struct snp_section *section = &layout->sections[i];
        *section = (struct snp_section){ .address = read_u32_le(&reader),
                                         .size = read_u32_le(&reader),
                                         .type = read_u32_le(&reader) };
        if (section->address % MEASURE_PAGE_SIZE != 0 || section->size % MEASURE_PAGE_SIZE != 0)
            return error_set(error, ERROR_INVALID, "a SEV section is not made of pages");
        measured_size += section->size;
        if (measured_size > FIRMWARE_MEASURED_SIZE_MAX)
            return error_set(error, ERROR_LIMIT, "SEV sections cover at most %d bytes",
                             FIRMWARE_MEASURED_SIZE_MAX);
    }
    return true;
}

static bool image_check(struct bytes image, const char *what, struct error *error)
{
    if (image.size == 0 || image.size > FIRMWARE_SIZE_MAX || image.size % MEASURE_PAGE_SIZE != 0)
        return error_set(error, ERROR_INVALID, "%s is not made of whole pages, up to %d MiB", what,
                         FIRMWARE_SIZE_MAX >> 20);
    return true;
}

static void vcpus_update(struct launch_digest *digest, const struct snp_launch *launch,
                         const struct snp_vmsa *boot, const struct snp_vmsa *other)
{
    struct digest48 boot_digest = sha384_of(BYTES_OF(boot->bytes));
    struct digest48 other_digest = sha384_of(BYTES_OF(other->bytes));
    for (uint32_t i = 0; i < launch->vcpu_count; i++)
        digest_update(digest, PAGE_VMSA, vmsa_address, i == 0 ? &boot_digest : &other_digest);
}

static bool plain_launch(struct launch_digest *digest, const struct snp_launch *launch,
                         struct error *error)
{
    struct snp_svsm_layout layout = { 0 };
    uint32_t entry = RESET_VECTOR;
    if (!sections_read(&layout, launch->firmware, error) ||
        !sections_update(digest, launch, &layout, error))
        return false;
    if (launch->vcpu_count > 1 && !firmware_entry_number(launch->firmware, RESET_GUID, &entry))
        return error_set(error, ERROR_INVALID,
                         "firmware does not say where further processors start");
    struct snp_vmsa boot = snp_vmsa_of(launch, RESET_VECTOR, true);
    struct snp_vmsa other = snp_vmsa_of(launch, entry, false);
    vcpus_update(digest, launch, &boot, &other);
    return true;
}

/* Where the SVSM lies and starts, from its image or as the caller knows it. */
static bool svsm_layout_of(struct snp_svsm_layout *layout, const struct snp_launch *launch,
                           struct error *error)
{
    uint32_t entry;
    if (launch->svsm.size == 0) {
        *layout = *launch->svsm_layout;
        return launch->svsm_page_hashes.size % sizeof(struct digest48) == 0 ||
               error_set(error, ERROR_INVALID, "page hashes are not whole");
    }
    if (!image_check(launch->svsm, "SVSM", error) || !sections_read(layout, launch->svsm, error))
        return false;
    uint64_t below = launch->firmware.size + launch->variables_size + launch->svsm.size;
    if (launch->variables_size % MEASURE_PAGE_SIZE != 0 || below > memory_end)
        return error_set(error, ERROR_INVALID,
                         "SVSM, variables and firmware do not fit below 4 GiB");
    if (!firmware_entry_number(launch->svsm, SVSM_ENTRY_GUID, &entry))
        return error_set(error, ERROR_INVALID, "SVSM does not say where it starts");
    layout->address = memory_end - below;
    layout->entry = layout->address + entry;
    return true;
}

static bool svsm_launch(struct launch_digest *digest, const struct snp_launch *launch,
                        struct error *error)
{
    struct snp_svsm_layout layout = { 0 };
    if (!svsm_layout_of(&layout, launch, error))
        return false;
    pages_update(digest, layout.address, launch->svsm);
    struct reader hashes = reader_of(launch->svsm_page_hashes);
    for (uint64_t at = layout.address; reader_left(&hashes) > 0; at += MEASURE_PAGE_SIZE) {
        struct digest48 content;
        read_into(&hashes, content.bytes, sizeof(content.bytes));
        digest_update(digest, PAGE_NORMAL, at, &content);
    }
    if (!sections_update(digest, launch, &layout, error))
        return false;
    struct snp_vmsa vmsa = snp_vmsa_of_svsm(launch, layout.entry);
    vcpus_update(digest, launch, &vmsa, &vmsa);
    return true;
}

bool snp_vmm_find(enum snp_vmm *vmm, const char *name)
{
    static const char *const names[] = { "qemu", "ec2", "gce" };
    for (size_t i = 0; i < ARRAY_COUNT(names); i++)
        if (strcmp(name, names[i]) == 0) {
            *vmm = (enum snp_vmm)i;
            return true;
        }
    return false;
}

bool snp_launch_digest(struct digest48 *digest, const struct snp_launch *launch,
                       struct error *error)
{
    struct launch_digest value = { 0 };
    if (!image_check(launch->firmware, "firmware", error))
        return false;
    if (launch->vcpu_count == 0 || launch->vcpu_count > VCPU_COUNT_MAX)
        return error_set(error, ERROR_INVALID, "a guest has 1 to %d processors", VCPU_COUNT_MAX);
    pages_update(&value, memory_end - launch->firmware.size, launch->firmware);
    bool has_svsm = launch->svsm.size > 0 || launch->svsm_page_hashes.size > 0;
    if (!(has_svsm ? svsm_launch(&value, launch, error) : plain_launch(&value, launch, error)))
        return false;
    *digest = value.value;
    return true;
}
