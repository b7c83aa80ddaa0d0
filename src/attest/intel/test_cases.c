/* SPDX-License-Identifier: Apache-2.0 */
#include "attest/intel/test_cases.h"

#include "core/hex.h"
#include "core/time.h"
#include "tests/harness.h"

#include <stdio.h>
#include <string.h>

#define DATA "tests/data/attest/"

static struct bytes file_of(const json_t *object, const char *key)
{
    char path[256];
    const char *name = json_string_value(json_object_get(object, key));
    if (name == NULL)
        return (struct bytes){ 0 };
    snprintf(path, sizeof(path), DATA "%s", name);
    return test_file(path);
}

size_t test_cases_open(json_t **file)
{
    struct error error;
    if (!json_parse(file, test_file(DATA "intel_cases.json"), &error)) {
        test_check(false, error.text, __FILE__, __LINE__);
        return 0;
    }
    return json_array_size(json_object_get(*file, "cases"));
}

/* The first `size` bytes, with [offset, "hex"] written over. */
static void change_quote(struct test_case *test_case, const json_t *entry)
{
    struct bytes source = test_case->quote;
    const json_t *size = json_object_get(entry, "size");
    const json_t *edits = json_object_get(entry, "edits");
    memcpy(test_case->space, source.data, source.size);
    for (size_t i = 0; i < json_array_size(edits); i++) {
        const json_t *edit = json_array_get(edits, i);
        size_t offset = (size_t)json_integer_value(json_array_get(edit, 0));
        struct bytes text = bytes_of_string(json_string_value(json_array_get(edit, 1)));
        CHECK(offset + text.size / 2 <= source.size &&
              hex_decode(test_case->space + offset, text.size / 2, text));
    }
    test_case->quote =
        bytes_of(test_case->space, size == NULL ? source.size : (size_t)json_integer_value(size));
}

bool test_case_read(struct test_case *test_case, const json_t *file, size_t index)
{
    struct error error;
    const json_t *entry = json_array_get(json_object_get(file, "cases"), index);
    const json_t *collateral = json_object_get(entry, "collateral");
    test_case->name = json_string_value(json_object_get(entry, "name"));
    test_case->expect = json_object_get(entry, "expect");
    test_case->quote = file_of(entry, "quote");
    test_case->options = (struct attest_options){
        .tee = ATTEST_TEE_TDX,
        .collateral = { .tcb_info = file_of(collateral, "tcb_info"),
                        .qe_identity = file_of(collateral, "qe_identity"),
                        .tcb_chain = file_of(collateral, "tcb_chain"),
                        .pck_chain = file_of(collateral, "pck_chain"),
                        .pck_crl = file_of(collateral, "pck_crl"),
                        .root_crl = file_of(collateral, "root_crl") },
    };
    change_quote(test_case, entry);
    struct bytes root = file_of(entry, "root");
    const char *at = json_string_value(json_object_get(entry, "at"));
    if (at == NULL || !time_parse(&test_case->options.now_s, bytes_of_string(at)) ||
        (root.size > 0 && !x509_chain_parse(&test_case->root, root, &error))) {
        test_check(false, test_case->name, __FILE__, __LINE__);
        return false;
    }
    if (root.size > 0)
        test_case->options.root = &test_case->root.certificates[0];
    return true;
}

bool test_case_find(struct test_case *test_case, const json_t *file, const char *name)
{
    const json_t *cases = json_object_get(file, "cases");
    for (size_t i = 0; i < json_array_size(cases); i++) {
        const json_t *entry = json_array_get(cases, i);
        if (strcmp(json_string_value(json_object_get(entry, "name")), name) == 0)
            return test_case_read(test_case, file, i);
    }
    test_check(false, name, __FILE__, __LINE__);
    return false;
}
