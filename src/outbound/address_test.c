/* SPDX-License-Identifier: Apache-2.0 */
#include "outbound/address.h"
#include "tests/harness.h"

static enum address_class class_of(const char *text)
{
    struct address address;
    bool is_address = address_parse(&address, bytes_of_string(text));
    CHECK_NOTE(is_address, "%s", text);
    return is_address ? address_classify(&address) : ADDRESS_PUBLIC;
}

static const struct {
    const char *address;
    enum address_class class;
} classes[] = {
    { "1.1.1.1", ADDRESS_PUBLIC },
    { "9.255.255.255", ADDRESS_PUBLIC },
    { "10.0.0.0", ADDRESS_PRIVATE },
    { "10.255.255.255", ADDRESS_PRIVATE },
    { "11.0.0.0", ADDRESS_PUBLIC },
    { "0.0.0.0", ADDRESS_RESERVED },
    { "0.1.2.3", ADDRESS_RESERVED },
    { "100.63.255.255", ADDRESS_PUBLIC },
    { "100.64.0.0", ADDRESS_SHARED },
    { "100.127.255.255", ADDRESS_SHARED },
    { "100.128.0.0", ADDRESS_PUBLIC },
    { "100.100.100.200", ADDRESS_METADATA },
    { "126.255.255.255", ADDRESS_PUBLIC },
    { "127.0.0.1", ADDRESS_LOOPBACK },
    { "127.255.255.254", ADDRESS_LOOPBACK },
    { "169.253.255.255", ADDRESS_PUBLIC },
    { "169.254.0.1", ADDRESS_LINK_LOCAL },
    { "169.254.169.254", ADDRESS_METADATA },
    { "169.254.170.2", ADDRESS_METADATA },
    { "168.63.129.16", ADDRESS_METADATA },
    { "168.63.129.17", ADDRESS_PUBLIC },
    { "172.15.255.255", ADDRESS_PUBLIC },
    { "172.16.0.1", ADDRESS_PRIVATE },
    { "172.31.255.255", ADDRESS_PRIVATE },
    { "172.32.0.0", ADDRESS_PUBLIC },
    { "192.0.0.8", ADDRESS_RESERVED },
    { "192.0.2.1", ADDRESS_RESERVED },
    { "192.167.255.255", ADDRESS_PUBLIC },
    { "192.168.1.1", ADDRESS_PRIVATE },
    { "192.169.0.0", ADDRESS_PUBLIC },
    { "198.17.255.255", ADDRESS_PUBLIC },
    { "198.18.0.1", ADDRESS_RESERVED },
    { "198.19.255.255", ADDRESS_RESERVED },
    { "203.0.113.5", ADDRESS_RESERVED },
    { "223.255.255.255", ADDRESS_PUBLIC },
    { "224.0.0.1", ADDRESS_MULTICAST },
    { "239.255.255.255", ADDRESS_MULTICAST },
    { "240.0.0.1", ADDRESS_RESERVED },
    { "255.255.255.255", ADDRESS_RESERVED },
    { "2606:4700:4700::1111", ADDRESS_PUBLIC },
    { "2a00::1", ADDRESS_PUBLIC },
    { "::", ADDRESS_RESERVED },
    { "::1", ADDRESS_LOOPBACK },
    { "::7f00:1", ADDRESS_EMBEDDED },
    { "::ffff:127.0.0.1", ADDRESS_EMBEDDED },
    { "::ffff:1.1.1.1", ADDRESS_EMBEDDED },
    { "::ffff:0:1.1.1.1", ADDRESS_EMBEDDED },
    { "64:ff9b::10.0.0.1", ADDRESS_EMBEDDED },
    { "64:ff9b::1.1.1.1", ADDRESS_EMBEDDED },
    { "64:ff9b:1::1", ADDRESS_EMBEDDED },
    { "100::1", ADDRESS_RESERVED },
    { "2001::1", ADDRESS_EMBEDDED },
    { "2001:20::1", ADDRESS_RESERVED },
    { "2001:db8::1", ADDRESS_RESERVED },
    { "2001:200::1", ADDRESS_PUBLIC },
    { "2002:7f00:1::", ADDRESS_EMBEDDED },
    { "3fff::1", ADDRESS_RESERVED },
    { "3fff:1000::1", ADDRESS_PUBLIC },
    { "4000::1", ADDRESS_RESERVED },
    { "fc00::1", ADDRESS_PRIVATE },
    { "fdff::1", ADDRESS_PRIVATE },
    { "fd00:ec2::254", ADDRESS_METADATA },
    { "fe80::1", ADDRESS_LINK_LOCAL },
    { "febf::1", ADDRESS_LINK_LOCAL },
    { "fec0::1", ADDRESS_PRIVATE },
    { "ff02::1", ADDRESS_MULTICAST },
};

static void classifies_addresses(void)
{
    for (size_t i = 0; i < ARRAY_COUNT(classes); i++)
        CHECK_NOTE(class_of(classes[i].address) == classes[i].class, "%s is %s", classes[i].address,
                   address_class_text(class_of(classes[i].address)));
}

static void parses_strictly(void)
{
    static const char *const bad[] = { "",          "1",         "1.2.3",    "1.2.3.4.5",
                                       "01.2.3.4",  "1.2.3.256", " 1.2.3.4", "1.2.3.4 ",
                                       "fe80::1%1", "1:2",       "[::1]",    "0x1.2.3.4" };
    struct address address;
    for (size_t i = 0; i < ARRAY_COUNT(bad); i++)
        CHECK_NOTE(!address_parse(&address, bytes_of_string(bad[i])), "%s", bad[i]);
    CHECK(!address_parse(&address, bytes_of("1.1.1.1\0", 8)));
}

static void parses_prefixes(void)
{
    static const char *const bad[] = { "10.0.0.0/33", "10.0.0.0/",   "10.0.0.0/08", "10.0.0.1/8",
                                       "::/129",      "::1/127",     "10.0.0.0/-1", "10.0.0.0/8/8",
                                       "a.example",   "10.0.0.0/1x", "/8" };
    struct prefix prefix;
    struct error error;
    for (size_t i = 0; i < ARRAY_COUNT(bad); i++)
        CHECK_NOTE(!prefix_parse(&prefix, bytes_of_string(bad[i]), &error), "%s", bad[i]);
    REQUIRE(prefix_parse(&prefix, BYTES_LITERAL("10.128.0.0/9"), &error));
    struct address inside, outside, other;
    REQUIRE(address_parse(&inside, BYTES_LITERAL("10.200.0.1")));
    REQUIRE(address_parse(&outside, BYTES_LITERAL("10.127.0.1")));
    REQUIRE(address_parse(&other, BYTES_LITERAL("a80::")));
    CHECK(prefix_has(&prefix, &inside));
    CHECK(!prefix_has(&prefix, &outside));
    CHECK(!prefix_has(&prefix, &other));
    REQUIRE(prefix_parse(&prefix, BYTES_LITERAL("0.0.0.0/0"), &error));
    CHECK(prefix_has(&prefix, &outside) && !prefix_has(&prefix, &other));
}

static bool is_allowed(const char *text, const char *network)
{
    struct prefixes allowed = { .count = 1 };
    struct address address;
    struct error error;
    CHECK(prefix_parse(&allowed.list[0], bytes_of_string(network), &error));
    CHECK(address_parse(&address, bytes_of_string(text)));
    return address_is_allowed(&address, &allowed);
}

static void allows_what_the_operator_says(void)
{
    CHECK(is_allowed("1.1.1.1", "10.0.0.0/8"));
    CHECK(is_allowed("10.1.2.3", "10.0.0.0/8"));
    CHECK(!is_allowed("192.168.0.1", "10.0.0.0/8"));
    CHECK(is_allowed("127.0.0.1", "127.0.0.1"));
    CHECK(!is_allowed("127.0.0.2", "127.0.0.1"));
    CHECK(is_allowed("::1", "::1"));
    /* One way of writing an address does not allow another. */
    CHECK(!is_allowed("::ffff:127.0.0.1", "127.0.0.1"));
    CHECK(is_allowed("::ffff:127.0.0.1", "::ffff:127.0.0.1"));
    /* Metadata services by themselves alone. */
    CHECK(!is_allowed("169.254.169.254", "169.254.0.0/16"));
    CHECK(!is_allowed("169.254.169.254", "0.0.0.0/0"));
    CHECK(is_allowed("169.254.169.254", "169.254.169.254"));
    CHECK(is_allowed("169.254.0.1", "169.254.0.0/16"));
    CHECK(!is_allowed("fd00:ec2::254", "fd00::/8"));
}

static const struct test tests[] = {
    TEST(classifies_addresses),
    TEST(parses_strictly),
    TEST(parses_prefixes),
    TEST(allows_what_the_operator_says),
};
TEST_MAIN(tests)
