/* SPDX-License-Identifier: Apache-2.0 */
/* For tests only (of this and higher modules): points of X25519 with which every secret is the same
 * known one. */
#ifndef CRYPTO_TEST_SMALL_ORDER_H
#define CRYPTO_TEST_SMALL_ORDER_H

/* 0, 1, two of order 8, p - 1, p, p + 1: every name of a point whose multiples by 8 are none.  The
 * highest bit does not count: with it these have another seven. */
static const char *const small_order[] = {
    "0000000000000000000000000000000000000000000000000000000000000000",
    "0100000000000000000000000000000000000000000000000000000000000000",
    "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
    "5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157",
    "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
};

#endif
