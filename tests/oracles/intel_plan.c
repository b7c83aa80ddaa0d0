/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/oracles/intel_plan.h"

#include "crypto/oid.h"
#include "crypto/pem.h"
#include "tests/harness.h"

#include <string.h>

const char *const intel_shape_names[SHAPE_COUNT] = {
    [SHAPE_TDX_4] = "tdx-4", [SHAPE_TDX_5_10] = "tdx-5-10", [SHAPE_TDX_5_15] = "tdx-5-15",
    [SHAPE_SGX_3] = "sgx-3", [SHAPE_SGX_4] = "sgx-4",       [SHAPE_SGX_5] = "sgx-5",
};

static const uint8_t vendor[16] = { 0x93, 0x9a, 0x72, 0x33, 0xf7, 0x9c, 0x4c, 0xa9,
                                    0x94, 0x0a, 0x0d, 0xb3, 0x95, 0x7f, 0x06, 0x07 };

static uint64_t state;

void intel_plan_seed(uint64_t seed)
{
    state = seed * 0x9e3779b97f4a7c15ULL + 1;
}

uint64_t intel_plan_below(uint64_t limit)
{
    return test_random(&state) % limit;
}

static void fill(uint8_t *bytes, size_t size)
{
    for (size_t i = 0; i < size; i++)
        bytes[i] = (uint8_t)intel_plan_below(256);
}

#define FILL(field) fill((field), sizeof(field))

/* What Intel's certificates carry, and Go's verifier counts. */
static const struct x509_extra_extension subject_key_id = {
    .oid = { (const uint8_t *)"\x55\x1d\x0e", 3 },
    .value = { (const uint8_t *)"\x04\x04\x01\x02\x03\x04", 6 },
};
static const struct x509_extra_extension authority_key_id = {
    .oid = { (const uint8_t *)"\x55\x1d\x23", 3 },
    .value = { (const uint8_t *)"\x30\x06\x80\x04\x01\x02\x03\x05", 8 },
};
static const struct x509_extra_extension distribution_point = {
    .oid = { (const uint8_t *)"\x55\x1d\x1f", 3 },
    .value = { (const uint8_t *)"\x30\x10\x30\x0e\xa0\x0c\xa0\x0a\x86\x08http://c", 18 },
};
static const struct x509_extra_extension crl_number = {
    .oid = { (const uint8_t *)"\x55\x1d\x14", 3 },
    .value = { (const uint8_t *)"\x02\x01\x01", 3 },
};

static void add_usual_extensions(struct test_world *world)
{
    struct fixture_certificate *certificates[] = { &world->root, &world->ca, &world->tcb };
    /* The leaf's first one is the PCK's own. */
    world->leaf.extensions[1] = subject_key_id;
    world->leaf.extensions[2] = authority_key_id;
    world->leaf.extensions[3] = distribution_point;
    world->leaf.extension_count = 4;
    for (size_t i = 0; i < ARRAY_COUNT(certificates); i++) {
        certificates[i]->extensions[0] = distribution_point;
        certificates[i]->extension_count = 1;
    }
    world->root_crl.extensions[0] = crl_number;
    world->root_crl.extensions[1] = authority_key_id;
    world->root_crl.extension_count = 2;
    world->pck_crl.extensions[0] = crl_number;
    world->pck_crl.extensions[1] = authority_key_id;
    world->pck_crl.extension_count = 2;
}

static void randomise(struct intel_plan *plan)
{
    struct td_report *td = &plan->world.td;
    FILL(td->mr_seam);
    FILL(td->mr_td);
    FILL(td->mr_config_id);
    FILL(td->mr_owner);
    FILL(td->mr_owner_config);
    for (size_t i = 0; i < ARRAY_COUNT(td->rtmr); i++)
        FILL(td->rtmr[i]);
    FILL(td->report_data);
    FILL(td->xfam);
    FILL(plan->sgx.cpu_svn);
    FILL(plan->sgx.mr_enclave);
    FILL(plan->sgx.mr_signer);
    FILL(plan->sgx.report_data);
    plan->sgx.attributes[0] = 5;
    plan->sgx.isv_prod_id = (uint16_t)intel_plan_below(65536);
    plan->sgx.isv_svn = (uint16_t)intel_plan_below(65536);
    /* At or above what an up-to-date platform has. */
    for (size_t i = 0; i < sizeof(td->tee_tcb_svn); i++) {
        if (i != 1)
            td->tee_tcb_svn[i] = (uint8_t)(5 + intel_plan_below(3));
        plan->world.pck.tcb_component_svn[i] = (uint8_t)(7 + intel_plan_below(200));
    }
    td->tee_tcb_svn[1] = (uint8_t)intel_plan_below(2);
    memcpy(td->tee_tcb_svn_2, td->tee_tcb_svn, sizeof(td->tee_tcb_svn_2));
    plan->world.pck.pce_svn = (uint16_t)(11 + intel_plan_below(500));
    FILL(plan->world.pck.ppid);
    plan->world.pck.has_platform_instance_id = intel_plan_below(2) == 0;
    plan->world.pck.has_configuration = plan->world.pck.has_platform_instance_id;
    plan->world.pck.has_smt = intel_plan_below(2) == 0;
    FILL(plan->world.pck.platform_instance_id);
    FILL(plan->world.qe.mr_enclave);
    FILL(plan->world.qe.cpu_svn);
    plan->world.qe.isv_svn = (uint16_t)(6 + intel_plan_below(5));
}

void intel_plan_init(struct intel_plan *plan, enum intel_shape shape)
{
    static const enum intel_shape shapes[] = { SHAPE_TDX_4,    SHAPE_TDX_4,    SHAPE_TDX_4,
                                               SHAPE_TDX_4,    SHAPE_TDX_4,    SHAPE_TDX_5_10,
                                               SHAPE_TDX_5_15, SHAPE_TDX_5_15, SHAPE_SGX_3,
                                               SHAPE_SGX_3 };
    static const uint8_t auth_data[32] = { 0, 1, 2, 3, 4 };
    memset(plan, 0, sizeof(*plan));
    world_init(&plan->world);
    plan->shape = shape == SHAPE_COUNT ? shapes[intel_plan_below(ARRAY_COUNT(shapes))] : shape;
    plan->outer_type = 6;
    plan->inner_type = 5;
    plan->world.auth_data = BYTES_OF(auth_data);
    add_usual_extensions(&plan->world);
    randomise(plan);
    /* As Intel writes it; Go's verifier compares text. */
    world_replace(&plan->world.tcb_info, "0A0B0c0d0e0f", "0a0b0c0d0e0f");
    /* Modules without a version of their own reach the levels, too. */
    world_replace(&plan->world.tcb_info, "\"tdxtcbcomponents\":[{\"svn\":5},{\"svn\":5}",
                  "\"tdxtcbcomponents\":[{\"svn\":5},{\"svn\":0}");
    world_replace(&plan->world.tcb_info, "\"tdxtcbcomponents\":[{\"svn\":3},{\"svn\":3}",
                  "\"tdxtcbcomponents\":[{\"svn\":3},{\"svn\":0}");
    if (!intel_shape_is_tdx(plan->shape)) {
        world_replace(&plan->world.tcb_info, "\"id\":\"TDX\"", "\"id\":\"SGX\"");
        world_replace(&plan->world.qe_identity, "\"id\":\"TD_QE\"", "\"id\":\"QE\"");
    }
}

void intel_plan_relaunch(struct intel_plan *plan)
{
    struct td_report *td = &plan->world.td;
    if (intel_shape_is_tdx(plan->shape))
        plan->shape = SHAPE_TDX_5_15;
    td->tee_tcb_svn[1] = 1;
    td->tee_tcb_svn[0] = (uint8_t)(3 + intel_plan_below(2));
    td->tee_tcb_svn_2[1] = 1;
    td->tee_tcb_svn_2[0] = (uint8_t)(2 + intel_plan_below(5));
}

void intel_plan_relaunch_level(struct intel_plan *plan)
{
    struct td_report *td = &plan->world.td;
    if (intel_shape_is_tdx(plan->shape))
        plan->shape = SHAPE_TDX_5_15;
    td->tee_tcb_svn[2] = 3;
    td->tee_tcb_svn[1] = 1;
    td->tee_tcb_svn_2[1] = 1;
}

void intel_plan_done(struct intel_plan *plan)
{
    buffer_done(&plan->quote);
    world_done(&plan->world);
}

static struct ecdsa_signature sign(const struct fixture_key *key, struct bytes message)
{
    AUTO_BUFFER struct buffer der;
    struct signature_value signature;
    buffer_init(&der, 128);
    fixture_sign(&der, key, FIXTURE_ECDSA, message);
    bool is_read = signature_view(&signature, SIGNATURE_ECDSA_SHA256, buffer_view(&der));
    ASSERT(is_read);
    return signature.p256;
}

static void append_pem(struct buffer *target, const struct test_world *world, size_t which)
{
    pem_append(target, "CERTIFICATE", buffer_view(&world->ders[which]));
}

/* 0 root, 1 CA, 2 leaf. */
static void write_chain(struct buffer *target, const struct intel_plan *plan)
{
    static const size_t orders[][4] = {
        { 2, 1, 0, 9 }, { 2, 1, 9, 9 }, { 0, 1, 2, 9 }, { 2, 1, 1, 0 }
    };
    size_t order = plan->chain <= CHAIN_DOUBLED_CA ? (size_t)plan->chain : 0;
    for (size_t i = 0; i < 4 && orders[order][i] != 9; i++)
        append_pem(target, &plan->world, orders[order][i]);
    if (plan->chain == CHAIN_ZERO)
        buffer_append(target, BYTES_LITERAL("\0"));
    if (plan->chain == CHAIN_TEXT)
        buffer_append_string(target, "and so on\n");
    if (plan->chain == CHAIN_CRLF) {
        AUTO_BUFFER struct buffer copy;
        buffer_init(&copy, 1 << 16);
        buffer_append(&copy, buffer_view(target));
        target->size = 0;
        for (size_t i = 0; i < copy.size; i++) {
            if (copy.data[i] == '\n')
                buffer_append_string(target, "\r");
            buffer_append(target, bytes_of(copy.data + i, 1));
        }
    }
}

static void write_signed_part(struct writer *writer, const struct intel_plan *plan)
{
    static const struct {
        uint16_t version;
        uint16_t body;
        uint32_t size;
    } shapes[SHAPE_COUNT] = {
        [SHAPE_TDX_4] = { 4, 0, 0 },
        [SHAPE_TDX_5_10] = { 5, 2, TD_REPORT_10_SIZE },
        [SHAPE_TDX_5_15] = { 5, 3, TD_REPORT_15_SIZE },
        [SHAPE_SGX_3] = { 3, 0, 0 },
        [SHAPE_SGX_4] = { 4, 0, 0 },
        [SHAPE_SGX_5] = { 5, 1, SGX_REPORT_SIZE },
    };
    uint8_t user_data[20];
    FILL(user_data);
    write_u16_le(writer, shapes[plan->shape].version);
    write_u16_le(writer, 2);
    write_u32_le(writer, intel_shape_is_tdx(plan->shape) ? 0x81 : 0);
    write_u32_le(writer, (uint32_t)intel_plan_below(1 << 20));
    write_bytes(writer, BYTES_OF(vendor));
    write_bytes(writer, BYTES_OF(user_data));
    if (shapes[plan->shape].version == 5) {
        write_u16_le(writer, shapes[plan->shape].body);
        write_u32_le(writer, shapes[plan->shape].size);
    }
    if (intel_shape_is_tdx(plan->shape))
        td_report_write(writer, &plan->world.td);
    else
        sgx_report_write(writer, &plan->sgx);
    if (plan->signed_patch.is_set)
        writer->data[plan->signed_patch.offset] = plan->signed_patch.value;
}

struct certification {
    uint8_t report[SGX_REPORT_SIZE];
    struct ecdsa_signature signature;
    struct public_key key;
};

static void make_certification(struct certification *made, struct intel_plan *plan)
{
    struct test_world *world = &plan->world;
    uint8_t space[1024];
    struct public_key named;
    const struct fixture_key *key =
        plan->is_key_swapped ? world->stranger_key : world->attestation_key;
    bool is_read = public_key_view_spki(&made->key, fixture_key_spki(world->attestation_key)) &&
                   public_key_view_spki(&named, fixture_key_spki(key));
    ASSERT(is_read);
    struct writer bound = writer_into(space, sizeof(space));
    write_bytes(&bound, BYTES_OF(named.p256.bytes));
    write_bytes(&bound, world->auth_data);
    struct digest32 digest = sha256_of(writer_view(&bound));
    memcpy(world->qe.report_data, digest.bytes, sizeof(digest.bytes));
    struct writer report = writer_into(made->report, sizeof(made->report));
    sgx_report_write(&report, &world->qe);
    if (plan->qe_patch.is_set)
        made->report[plan->qe_patch.offset] = plan->qe_patch.value;
    made->signature =
        sign(plan->is_qe_other ? world->stranger_key : world->leaf_key, BYTES_OF(made->report));
}

static void write_certification(struct writer *writer, const struct intel_plan *plan,
                                const struct certification *made, struct bytes chain)
{
    write_bytes(writer, BYTES_OF(made->report));
    write_bytes(writer, BYTES_OF(made->signature.bytes));
    write_u16_le(writer, (uint16_t)plan->world.auth_data.size);
    write_bytes(writer, plan->world.auth_data);
    write_u16_le(writer, plan->inner_type);
    write_u32_le(writer, (uint32_t)((int)chain.size + plan->inner_size_change));
    write_bytes(writer, chain);
}

static void write_quote(struct intel_plan *plan)
{
    static uint8_t space[1 << 16];
    static uint8_t item_space[1 << 16];
    AUTO_BUFFER struct buffer chain;
    struct certification made;
    buffer_init(&chain, 1 << 16);
    write_chain(&chain, plan);
    make_certification(&made, plan);
    struct writer item = writer_into(item_space, sizeof(item_space));
    write_certification(&item, plan, &made, buffer_view(&chain));
    struct writer writer = writer_into(space, sizeof(space));
    write_signed_part(&writer, plan);
    struct ecdsa_signature signature =
        sign(plan->is_quote_other ? plan->world.stranger_key : plan->world.attestation_key,
             writer_view(&writer));
    bool is_3 = plan->shape == SHAPE_SGX_3;
    size_t size = 128 + writer_view(&item).size + (is_3 ? 0 : 6);
    write_u32_le(&writer, (uint32_t)size);
    write_bytes(&writer, BYTES_OF(signature.bytes));
    write_bytes(&writer, BYTES_OF(made.key.p256.bytes));
    if (!is_3) {
        write_u16_le(&writer, plan->outer_type);
        write_u32_le(&writer, (uint32_t)((int)writer_view(&item).size + plan->outer_size_change));
    }
    write_bytes(&writer, writer_view(&item));
    write_zeros(&writer, plan->zeros);
    if (plan->tail != NULL)
        write_bytes(&writer, bytes_of_string(plan->tail));
    ASSERT(!writer.failed);
    if (plan->flip_last > 0) {
        size_t last = MIN(plan->flip_last, writer_view(&writer).size - 1);
        size_t at = plan->flip_first + (size_t)intel_plan_below(last - plan->flip_first + 1);
        space[at] ^= (uint8_t)(1U << intel_plan_below(8));
    }
    buffer_init(&plan->quote, 1 << 16);
    size_t whole = writer_view(&writer).size;
    buffer_append(&plan->quote, bytes_of(space, whole - MIN(plan->cut, whole)));
}

void intel_plan_build(struct intel_plan *plan)
{
    struct pck_info *pck = &plan->world.pck;
    plan->world.td.is_15 = plan->shape == SHAPE_TDX_5_15;
    if (!plan->is_cpu_svn_other)
        memcpy(pck->cpu_svn, pck->tcb_component_svn, sizeof(pck->cpu_svn));
    struct der_writer extension =
        der_writer_into(plan->world.pck_extension, sizeof(plan->world.pck_extension));
    if (plan->world.pck_extension_size > 0) { /* a fault may have taken it away */
        pck_write(&extension, pck);
        plan->world.pck_extension_size = der_writer_view(&extension).size;
    }
    world_build(&plan->world);
    write_quote(plan);
}
