/* SPDX-License-Identifier: Apache-2.0 */
#include "attest/trust_anchor.h"

#include "base/buffer.h"
#include "crypto/base64.h"
#include "crypto/pem.h"
#include "tests/harness.h"

#include <string.h>

#define DATA "tests/data/certificates/"

static bool is_read_as(struct bytes file, struct bytes der)
{
    static struct x509_chain anchor;
    struct error error = { 0 };
    memset(&anchor, 0, sizeof(anchor));
    bool held = trust_anchor_read(&anchor, file, &error);
    if (!held)
        test_note("%s", error.text);
    return held && bytes_equal(anchor.certificates[0].der, der);
}

static bool is_refused(struct bytes file, const char *words)
{
    static struct x509_chain anchor;
    struct error error = { 0 };
    bool held = trust_anchor_read(&anchor, file, &error);
    test_note("%s", held ? "it is read" : error.text);
    return !held && error.code == ERROR_USAGE && strstr(error.text, words) != NULL;
}

static void reads_every_form(void)
{
    struct bytes der = test_file(DATA "intel_sgx_root_ca.der");
    AUTO_BUFFER struct buffer text;
    buffer_init(&text, 16 << 10);
    CHECK(is_read_as(der, der));
    buffer_format(&text, "Certificate:\n    Data:\n");
    pem_append(&text, "CERTIFICATE", der);
    struct bytes pem =
        bytes_part(buffer_view(&text), strlen("Certificate:\n    Data:\n"), text.size);
    CHECK(is_read_as(pem, der));
    CHECK(is_read_as(buffer_view(&text), der));
    buffer_clear(&text);
    for (size_t i = 0; i < der.size; i++)
        buffer_format(&text, "%02X%s", der.data[i], i % 32 == 31 ? "\r\n" : "");
    CHECK(is_read_as(buffer_view(&text), der));
    buffer_clear(&text);
    base64_append(&text, der);
    CHECK(is_read_as(buffer_view(&text), der));
}

static void refuses_all_else(void)
{
    struct bytes der = test_file(DATA "intel_sgx_root_ca.der");
    AUTO_BUFFER struct buffer text;
    buffer_init(&text, 16 << 10);
    CHECK(is_refused((struct bytes){ 0 }, "no certificate"));
    CHECK(is_refused(BYTES_LITERAL("secret"), "no certificate"));
    CHECK(is_refused(test_file(DATA "root_ca_crl_20250320.der"), "no certificate"));
    pem_append(&text, "PRIVATE KEY", der);
    CHECK(is_refused(buffer_view(&text), "no certificate"));
    buffer_clear(&text);
    pem_append(&text, "CERTIFICATE", der);
    pem_append(&text, "CERTIFICATE", der);
    CHECK(is_refused(buffer_view(&text), "it has 2"));
    for (size_t size = 0; size < der.size; size++)
        CHECK_NOTE(is_refused(bytes_part(der, 0, size), "no certificate"), "%zu bytes", size);
}

static const struct test tests[] = {
    TEST(reads_every_form),
    TEST(refuses_all_else),
};
TEST_MAIN(tests)
