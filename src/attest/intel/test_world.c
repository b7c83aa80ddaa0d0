/* SPDX-License-Identifier: Apache-2.0 */
#include "attest/intel/test_world.h"

#include "core/hex.h"
#include "crypto/hash.h"
#include "crypto/pem.h"
#include "tests/harness.h"

#include <stdio.h>
#include <string.h>

#define ROOT_NAME "Intel SGX Root CA"
#define CA_NAME   "Intel SGX PCK Platform CA"

#define SVN(number)    "{\"svn\":" #number "}"
#define SVN_4(number)  SVN(number) "," SVN(number) "," SVN(number) "," SVN(number)
#define SVN_16(number) "[" SVN_4(number) "," SVN_4(number) "," SVN_4(number) "," SVN_4(number) "]"
#define ZEROS_96                                                                                   \
    "000000000000000000000000000000000000000000000000"                                             \
    "000000000000000000000000000000000000000000000000"
#define MODULE                                                                                     \
    "\"mrsigner\":\"" ZEROS_96                                                                     \
    "\",\"attributes\":\"0000000000000000\",\"attributesMask\":\"FFFFFFFFFFFFFFFF\""
#define DATES         "\"issueDate\":\"2026-05-01T00:00:00Z\",\"nextUpdate\":\"2026-07-01T00:00:00Z\""
#define STATE(status) "\"tcbDate\":\"2026-01-01T00:00:00Z\",\"tcbStatus\":\"" status "\""

static const char
    tcb_info_body[] = "{\"id\":\"TDX\",\"version\":3," DATES
                      ",\"fmspc\":\"0A0B0c0d0e0f\",\"pceId\":\"0000\","
                      "\"tcbType\":0,\"tcbEvaluationDataNumber\":20,\"tdxModule\":{" MODULE "},"
                      "\"tdxModuleIdentities\":[{\"id\":\"TDX_01\"," MODULE ",\"tcbLevels\":["
                      "{\"tcb\":{\"isvsvn\":5}," STATE(
                          "UpToDate") "},"
                                      "{\"tcb\":{\"isvsvn\":3}," STATE(
                                          "OutOfDate") ",\"advisoryIDs\":[\"INTEL-SA-00003\"]}]}],"
                                                       "\"tcbLevels\":["
                                                       "{\"tcb\":{\"sgxtcbcomponents\":" SVN_16(7) ",\"pcesvn\":11,\"tdxtcbcomponents\":" SVN_16(
                                                           5) "}," STATE("UpToDate") "},"
                                                                                     "{\"tcb\":{"
                                                                                     "\"sgxtcbcompo"
                                                                                     "nents\""
                                                                                     ":" SVN_16(
                                                                                         4) ",\"pce"
                                                                                            "svn\":"
                                                                                            "9,"
                                                                                            "\"tdxt"
                                                                                            "cbcomp"
                                                                                            "o"
                                                                                            "nents"
                                                                                            "\""
                                                                                            ":" SVN_16(3) "}," STATE(
                                                                                                "Ou"
                                                                                                "tO"
                                                                                                "fD"
                                                                                                "at"
                                                                                                "e") ",\"a"
                                                                                                     "dvis"
                                                                                                     "oryI"
                                                                                                     "Ds\""
                                                                                                     ":["
                                                                                                     "\"IN"
                                                                                                     "TEL-"
                                                                                                     "SA-"
                                                                                                     "0000"
                                                                                                     "1\","
                                                                                                     "\"IN"
                                                                                                     "TEL-"
                                                                                                     "SA-"
                                                                                                     "0000"
                                                                                                     "2\"]"
                                                                                                     "}]}";

static const char qe_identity_body[] =
    "{\"id\":\"TD_QE\",\"version\":2," DATES ",\"tcbEvaluationDataNumber\":20,"
    "\"miscselect\":\"00000000\",\"miscselectMask\":\"FFFFFFFF\","
    "\"attributes\":\"11000000000000000000000000000000\","
    "\"attributesMask\":\"FBFFFFFFFFFFFFFF0000000000000000\","
    "\"mrsigner\":\"5151515151515151515151515151515151515151515151515151515151515151\","
    "\"isvprodid\":2,\"tcbLevels\":[{\"tcb\":{\"isvsvn\":6}," STATE(
        "UpToDate") "},"
                    "{\"tcb\":{\"isvsvn\":4}," STATE("OutOfDate") "}]}";

static struct fixture_certificate certificate_of(const char *issuer, const char *subject,
                                                 struct bytes serial)
{
    return (struct fixture_certificate){ .issuer = issuer,
                                         .subject = subject,
                                         .serial = serial,
                                         .not_before_s = WORLD_NOW_S - 1000 * (int64_t)WORLD_DAY_S,
                                         .not_after_s = WORLD_NOW_S + 1000 * (int64_t)WORLD_DAY_S,
                                         .constraints = FIXTURE_NOT_CA,
                                         .key_usage = "\x06\xc0" };
}

static void init_certificates(struct test_world *world)
{
    world->root = certificate_of(ROOT_NAME, ROOT_NAME, BYTES_LITERAL("\x11"));
    world->ca = certificate_of(ROOT_NAME, CA_NAME, BYTES_LITERAL("\x12"));
    world->leaf = certificate_of(CA_NAME, "Intel SGX PCK Certificate", BYTES_LITERAL("\x13"));
    world->tcb = certificate_of(ROOT_NAME, "Intel SGX TCB Signing", BYTES_LITERAL("\x14"));
    world->root.constraints = FIXTURE_CA;
    world->root.key_usage = "\x01\x06";
    world->ca.constraints = FIXTURE_CA_OF_LEAVES;
    world->ca.key_usage = "\x01\x06";
    world->ca_issuer_key = world->root_key;
    world->leaf_issuer_key = world->ca_key;
    world->tcb_issuer_key = world->root_key;
    struct der_writer extension =
        der_writer_into(world->pck_extension, sizeof(world->pck_extension));
    memset(world->pck.tcb_component_svn, 7, sizeof(world->pck.tcb_component_svn));
    world->pck.pce_svn = 11;
    memcpy(world->pck.fmspc, "\x0a\x0b\x0c\x0d\x0e\x0f", sizeof(world->pck.fmspc));
    pck_write(&extension, &world->pck);
    world->pck_extension_size = der_writer_view(&extension).size;
}

static void init_lists(struct test_world *world)
{
    struct fixture_crl list = { .issuer = ROOT_NAME,
                                .this_update_s = WORLD_NOW_S - WORLD_DAY_S,
                                .next_update_s = WORLD_NOW_S + WORLD_DAY_S };
    world->root_crl = list;
    world->pck_crl = list;
    world->pck_crl.issuer = CA_NAME;
    world->root_crl_key = world->root_key;
    world->pck_crl_key = world->ca_key;
}

void world_init(struct test_world *world)
{
    memset(world, 0, sizeof(*world));
    struct fixture_key **keys[] = {
        &world->root_key, &world->ca_key,          &world->leaf_key,
        &world->tcb_key,  &world->attestation_key, &world->stranger_key
    };
    for (size_t i = 0; i < ARRAY_COUNT(keys); i++)
        *keys[i] = fixture_key_new(PUBLIC_KEY_P256, 0);
    init_certificates(world);
    init_lists(world);
    world->tcb_info = (struct world_document){
        .name = "tcbInfo", .signer = world->tcb_key, .suffix = "\n", .extra = ""
    };
    world->qe_identity = world->tcb_info;
    world->qe_identity.name = "enclaveIdentity";
    snprintf(world->tcb_info.body, sizeof(world->tcb_info.body), "%s", tcb_info_body);
    snprintf(world->qe_identity.body, sizeof(world->qe_identity.body), "%s", qe_identity_body);
    world->td =
        (struct td_report){ .tee_tcb_svn = { 5, 1, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5 },
                            .td_attributes = { [3] = 0x10 } };
    world->qe =
        (struct sgx_report){ .attributes = { 0x15, [8] = 0xe7 }, .isv_prod_id = 2, .isv_svn = 6 };
    memset(world->qe.mr_signer, 0x51, sizeof(world->qe.mr_signer));
    world->auth_data = BYTES_LITERAL("authentication data");
    world->options = (struct attest_options){ .tee = ATTEST_TEE_TDX, .now_s = WORLD_NOW_S };
}

void world_done(struct test_world *world)
{
    struct fixture_key *keys[] = { world->root_key, world->ca_key,          world->leaf_key,
                                   world->tcb_key,  world->attestation_key, world->stranger_key };
    struct buffer *buffers[] = {
        &world->ders[0],  &world->ders[1],  &world->ders[2],       &world->ders[3],
        &world->lists[0], &world->lists[1], &world->tcb_info.text, &world->qe_identity.text,
        &world->pck_pem,  &world->tcb_pem,  &world->quote
    };
    for (size_t i = 0; i < ARRAY_COUNT(keys); i++)
        fixture_key_free(keys[i]);
    for (size_t i = 0; i < ARRAY_COUNT(buffers); i++)
        buffer_done(buffers[i]);
}

static void fresh(struct buffer *buffer)
{
    buffer_done(buffer);
    buffer_init(buffer, 1 << 20);
}

static struct ecdsa_signature sign(const struct fixture_key *key, struct bytes message)
{
    AUTO_BUFFER struct buffer der;
    struct signature_value signature;
    buffer_init(&der, 128);
    fixture_sign(&der, key, FIXTURE_ECDSA, message);
    CHECK(signature_view(&signature, SIGNATURE_ECDSA_SHA256, buffer_view(&der)));
    return signature.p256;
}

static struct ecdsa_public public_of(const struct fixture_key *key)
{
    struct public_key public;
    CHECK(public_key_view_spki(&public, fixture_key_spki(key)));
    return public.p256;
}

static void build_document(struct world_document *document)
{
    struct ecdsa_signature signature = sign(document->signer, bytes_of_string(document->body));
    char hex[2 * sizeof(signature.bytes) + 1];
    hex_encode(hex, BYTES_OF(signature.bytes));
    fresh(&document->text);
    buffer_append_string(&document->text, "{");
    buffer_append_string(&document->text, document->extra);
    buffer_format(&document->text, "\"%s\":", document->name);
    buffer_append_string(&document->text, document->body);
    buffer_format(&document->text, ",\"signature\":\"%s\"}", hex);
    buffer_append_string(&document->text, document->suffix);
}

static void build_certificates(struct test_world *world)
{
    const struct fixture_certificate *contents[] = { &world->root, &world->ca, &world->leaf,
                                                     &world->tcb };
    const struct fixture_key *subjects[] = { world->root_key, world->ca_key, world->leaf_key,
                                             world->tcb_key };
    const struct fixture_key *issuers[] = { world->root_key, world->ca_issuer_key,
                                            world->leaf_issuer_key, world->tcb_issuer_key };
    struct error error;
    world->leaf.extensions[0] = (struct x509_extra_extension){
        .oid = pck_extension_oid, .value = bytes_of(world->pck_extension, world->pck_extension_size)
    };
    world->leaf.extension_count = MAX(world->leaf.extension_count, (size_t)1);
    for (size_t i = 0; i < ARRAY_COUNT(contents); i++) {
        fresh(&world->ders[i]);
        fixture_certificate(&world->ders[i], contents[i], subjects[i], issuers[i], FIXTURE_ECDSA);
    }
    CHECK(x509_parse(&world->anchor, buffer_view(&world->ders[0]), &error));
    fresh(&world->pck_pem);
    fresh(&world->tcb_pem);
    pem_append(&world->pck_pem, "CERTIFICATE", buffer_view(&world->ders[2]));
    pem_append(&world->pck_pem, "CERTIFICATE", buffer_view(&world->ders[1]));
    pem_append(&world->pck_pem, "CERTIFICATE", buffer_view(&world->ders[0]));
    pem_append(&world->tcb_pem, "CERTIFICATE", buffer_view(&world->ders[3]));
    pem_append(&world->tcb_pem, "CERTIFICATE", buffer_view(&world->ders[0]));
}

void world_build_quote(struct test_world *world)
{
    uint8_t space[QUOTE_SIZE_MAX];
    uint8_t qe_report[SGX_REPORT_SIZE];
    struct quote quote = { .td = world->td,
                           .attestation_key = public_of(world->attestation_key),
                           .auth_data = world->auth_data,
                           .pck_chain = buffer_view(&world->pck_pem) };
    struct writer bound = writer_into(space, sizeof(space));
    write_bytes(&bound, BYTES_OF(quote.attestation_key.bytes));
    write_bytes(&bound, world->auth_data);
    struct digest32 digest = sha256_of(writer_view(&bound));
    memcpy(world->qe.report_data, digest.bytes, sizeof(digest.bytes));
    struct writer report = writer_into(qe_report, sizeof(qe_report));
    sgx_report_write(&report, &world->qe);
    quote.qe_report_part = BYTES_OF(qe_report);
    quote.qe_report_signature = sign(world->leaf_key, quote.qe_report_part);
    struct writer writer = writer_into(space, sizeof(space));
    quote_write_signed_part(&writer, &quote);
    quote.signature = sign(world->attestation_key, writer_view(&writer));
    quote_write_signature_data(&writer, &quote);
    fresh(&world->quote);
    buffer_append(&world->quote, writer_view(&writer));
    CHECK(world->quote.size > 0);
}

void world_build(struct test_world *world)
{
    build_certificates(world);
    fresh(&world->lists[0]);
    fresh(&world->lists[1]);
    fixture_crl(&world->lists[0], &world->root_crl, world->root_crl_key, FIXTURE_ECDSA);
    fixture_crl(&world->lists[1], &world->pck_crl, world->pck_crl_key, FIXTURE_ECDSA);
    build_document(&world->tcb_info);
    build_document(&world->qe_identity);
    world_build_quote(world);
    world->options.root = &world->anchor;
    world->options.collateral =
        (struct attest_collateral){ .tcb_info = buffer_view(&world->tcb_info.text),
                                    .qe_identity = buffer_view(&world->qe_identity.text),
                                    .tcb_chain = buffer_view(&world->tcb_pem),
                                    .root_crl = buffer_view(&world->lists[0]),
                                    .pck_crl = buffer_view(&world->lists[1]) };
}

void world_replace(struct world_document *document, const char *what, const char *with)
{
    char copy[sizeof(document->body)];
    const char *at = strstr(document->body, what);
    test_check(at != NULL, what, __FILE__, __LINE__);
    if (at == NULL)
        return;
    snprintf(copy, sizeof(copy), "%.*s%s%s", (int)(at - document->body), document->body, with,
             at + strlen(what));
    snprintf(document->body, sizeof(document->body), "%s", copy);
}
