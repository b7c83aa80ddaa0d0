/* SPDX-License-Identifier: Apache-2.0 */
#include "attest/intel/pck.h"

#include <string.h>

/* 1.2.840.113741.1.13.1; the items are its children. */
#define EXTENSION_OID "\x2a\x86\x48\x86\xf8\x4d\x01\x0d\x01"

const struct bytes pck_extension_oid = { (const uint8_t *)EXTENSION_OID, 9 };

enum item {
    ITEM_PPID = 1,
    ITEM_TCB = 2,
    ITEM_PCE_ID = 3,
    ITEM_FMSPC = 4,
    ITEM_SGX_TYPE = 5,
    ITEM_PLATFORM_INSTANCE_ID = 6,
    ITEM_CONFIGURATION = 7
};

enum tcb_item {
    TCB_COMPONENT_FIRST = 1,
    TCB_COMPONENT_LAST = 16,
    TCB_PCE_SVN = 17,
    TCB_CPU_SVN = 18
};

enum configuration_item {
    CONFIGURATION_DYNAMIC_PLATFORM = 1,
    CONFIGURATION_CACHED_KEYS = 2,
    CONFIGURATION_SMT = 3
};

#define BIT(item) (1U << (item))

/* The last arc of an OID `depth` arcs below the extension's; 0 (which never occurs) for others.
 * Every arc in use is below 128, one byte. */
static unsigned child_of(struct bytes oid, uint8_t parent)
{
    size_t depth = parent == 0 ? 1 : 2;
    if (oid.size != pck_extension_oid.size + depth || !bytes_starts_with(oid, pck_extension_oid) ||
        (depth == 2 && oid.data[pck_extension_oid.size] != parent))
        return 0;
    unsigned arc = oid.data[oid.size - 1];
    return arc < 32 ? arc : 0;
}

static void read_exactly(struct reader *reader, uint8_t *target, size_t size)
{
    struct bytes content = der_read(reader, DER_OCTET_STRING);
    if (content.size != size) {
        reader_fail(reader);
        return;
    }
    memcpy(target, content.data, size);
}

/* Calls `read_item` for each SEQUENCE{OID, value}; returns the set of items seen, each once. */
static uint32_t read_items(struct reader *list, uint8_t parent, struct pck_info *info,
                           void (*read_item)(struct pck_info *info, unsigned item,
                                             struct reader *value))
{
    uint32_t seen = 0;
    while (reader_left(list) > 0) {
        struct reader pair = der_enter(list, DER_SEQUENCE);
        unsigned item = child_of(der_read(&pair, DER_OID), parent);
        if (item == 0 || (seen & BIT(item)) != 0) {
            reader_fail(list);
            break;
        }
        seen |= BIT(item);
        read_item(info, item, &pair);
        if (!read_end(&pair))
            reader_fail(list);
    }
    return list->failed ? 0 : seen;
}

static void read_tcb_item(struct pck_info *info, unsigned item, struct reader *value)
{
    if (item <= TCB_COMPONENT_LAST)
        info->tcb_component_svn[item - TCB_COMPONENT_FIRST] =
            (uint8_t)der_read_unsigned(value, UINT8_MAX);
    else if (item == TCB_PCE_SVN)
        info->pce_svn = (uint16_t)der_read_unsigned(value, UINT16_MAX);
    else if (item == TCB_CPU_SVN)
        read_exactly(value, info->cpu_svn, sizeof(info->cpu_svn));
    else
        reader_fail(value);
}

static void read_configuration_item(struct pck_info *info, unsigned item, struct reader *value)
{
    bool is_set = der_read_boolean(value);
    if (item == CONFIGURATION_DYNAMIC_PLATFORM)
        info->is_dynamic_platform = is_set;
    else if (item == CONFIGURATION_CACHED_KEYS)
        info->has_cached_keys = is_set;
    else if (item == CONFIGURATION_SMT)
        info->has_smt = is_set;
}

static void read_tcb(struct pck_info *info, struct reader *value)
{
    struct reader items = der_enter(value, DER_SEQUENCE);
    /* All of 1 to 18, no other. */
    if (read_items(&items, ITEM_TCB, info, read_tcb_item) != BIT(TCB_CPU_SVN + 1) - BIT(1))
        reader_fail(value);
}

static void read_configuration(struct pck_info *info, struct reader *value)
{
    struct reader items = der_enter(value, DER_SEQUENCE);
    info->has_configuration = true;
    (void)read_items(&items, ITEM_CONFIGURATION, info, read_configuration_item);
    if (!read_end(&items))
        reader_fail(value);
}

static void read_top_item(struct pck_info *info, unsigned item, struct reader *value)
{
    switch (item) {
    case ITEM_PPID:
        read_exactly(value, info->ppid, sizeof(info->ppid));
        break;
    case ITEM_TCB:
        read_tcb(info, value);
        break;
    case ITEM_PCE_ID:
        read_exactly(value, info->pce_id, sizeof(info->pce_id));
        break;
    case ITEM_FMSPC:
        read_exactly(value, info->fmspc, sizeof(info->fmspc));
        break;
    case ITEM_SGX_TYPE:
        info->sgx_type = (enum pck_sgx_type)der_read_enumerated(value, PCK_SGX_SCALABLE_INTEGRITY);
        break;
    case ITEM_PLATFORM_INSTANCE_ID:
        info->has_platform_instance_id = true;
        read_exactly(value, info->platform_instance_id, sizeof(info->platform_instance_id));
        break;
    case ITEM_CONFIGURATION:
        read_configuration(info, value);
        break;
    default:
        /* Later items may come; they carry no decision yet. */
        read_rest(value);
        break;
    }
}

bool pck_parse(struct pck_info *info, struct bytes extension, struct error *error)
{
    struct pck_info parsed = { 0 };
    struct reader outer = reader_of(extension);
    struct reader items = der_enter(&outer, DER_SEQUENCE);
    uint32_t seen = read_items(&items, 0, &parsed, read_top_item);
    uint32_t needed =
        BIT(ITEM_PPID) | BIT(ITEM_TCB) | BIT(ITEM_PCE_ID) | BIT(ITEM_FMSPC) | BIT(ITEM_SGX_TYPE);
    if (!read_end(&items) || !read_end(&outer) || (seen & needed) != needed)
        return error_set(error, ERROR_INVALID,
                         "SGX extension of the PCK certificate is malformed or incomplete");
    *info = parsed;
    return true;
}

/* Opens SEQUENCE{OID, ...}; `parent` 0 for the top level. */
static void open_item(struct der_writer *writer, uint8_t parent, uint8_t item)
{
    uint8_t oid[16];
    size_t size = pck_extension_oid.size;
    memcpy(oid, pck_extension_oid.data, size);
    if (parent != 0)
        oid[size++] = parent;
    oid[size++] = item;
    der_open(writer, DER_SEQUENCE);
    der_write(writer, DER_OID, bytes_of(oid, size));
}

static void write_octets(struct der_writer *writer, uint8_t item, struct bytes octets)
{
    open_item(writer, 0, item);
    der_write(writer, DER_OCTET_STRING, octets);
    der_close(writer);
}

static void write_tcb(struct der_writer *writer, const struct pck_info *info)
{
    open_item(writer, 0, ITEM_TCB);
    der_open(writer, DER_SEQUENCE);
    for (size_t i = 0; i < sizeof(info->tcb_component_svn); i++) {
        open_item(writer, ITEM_TCB, (uint8_t)(TCB_COMPONENT_FIRST + i));
        der_write_unsigned(writer, info->tcb_component_svn[i]);
        der_close(writer);
    }
    open_item(writer, ITEM_TCB, TCB_PCE_SVN);
    der_write_unsigned(writer, info->pce_svn);
    der_close(writer);
    open_item(writer, ITEM_TCB, TCB_CPU_SVN);
    der_write(writer, DER_OCTET_STRING, BYTES_OF(info->cpu_svn));
    der_close(writer);
    der_close(writer);
    der_close(writer);
}

static void write_configuration(struct der_writer *writer, const struct pck_info *info)
{
    const bool values[] = { info->is_dynamic_platform, info->has_cached_keys, info->has_smt };
    open_item(writer, 0, ITEM_CONFIGURATION);
    der_open(writer, DER_SEQUENCE);
    for (size_t i = 0; i < ARRAY_COUNT(values); i++) {
        open_item(writer, ITEM_CONFIGURATION, (uint8_t)(CONFIGURATION_DYNAMIC_PLATFORM + i));
        der_write_boolean(writer, values[i]);
        der_close(writer);
    }
    der_close(writer);
    der_close(writer);
}

void pck_write(struct der_writer *writer, const struct pck_info *info)
{
    der_open(writer, DER_SEQUENCE);
    write_octets(writer, ITEM_PPID, BYTES_OF(info->ppid));
    write_tcb(writer, info);
    write_octets(writer, ITEM_PCE_ID, BYTES_OF(info->pce_id));
    write_octets(writer, ITEM_FMSPC, BYTES_OF(info->fmspc));
    open_item(writer, 0, ITEM_SGX_TYPE);
    der_write_enumerated(writer, info->sgx_type);
    der_close(writer);
    if (info->has_platform_instance_id)
        write_octets(writer, ITEM_PLATFORM_INSTANCE_ID, BYTES_OF(info->platform_instance_id));
    if (info->has_configuration)
        write_configuration(writer, info);
    der_close(writer);
}
