/* SPDX-License-Identifier: Apache-2.0 */
/* Inside crypto/p256 only: the field's arithmetic, Montgomery form, values below p in and out.  In
 * assembly on x86-64, where compilers make half its speed of the C; the C is for all others, and
 * the tests compare all. */
#ifndef CRYPTO_P256_FIELD_H
#define CRYPTO_P256_FIELD_H

#include "crypto/p256.h"

__extension__ typedef unsigned __int128 wide;

/* p = 2^256 - 2^224 + 2^192 + 2^96 - 1, least significant limb first. */
static const uint64_t prime[4] = { 0xffffffffffffffff, 0x00000000ffffffff, 0x0000000000000000,
                                   0xffffffff00000001 };

/* r = a + b, returns the carry. */
static inline uint64_t add_limbs(uint64_t *r, const uint64_t *a, const uint64_t *b)
{
    wide sum = 0;
    for (size_t i = 0; i < 4; i++) {
        sum += (wide)a[i] + b[i];
        r[i] = (uint64_t)sum;
        sum >>= 64;
    }
    return (uint64_t)sum;
}

/* r = a - b, returns the borrow. */
static inline uint64_t sub_limbs(uint64_t *r, const uint64_t *a, const uint64_t *b)
{
    uint64_t borrow = 0;
    for (size_t i = 0; i < 4; i++) {
        wide difference = (wide)a[i] - b[i] - borrow;
        r[i] = (uint64_t)difference;
        borrow = (uint64_t)(difference >> 64) & 1;
    }
    return borrow;
}

/* r = carry:a reduced by m once; what comes in is below 2m. */
static inline void reduce_once(uint64_t *r, const uint64_t *a, uint64_t carry, const uint64_t *m)
{
    uint64_t reduced[4];
    uint64_t borrow = sub_limbs(reduced, a, m);
    uint64_t keep = 0 - (uint64_t)(carry < borrow);
    for (size_t i = 0; i < 4; i++)
        r[i] = (a[i] & keep) | (reduced[i] & ~keep);
}

static inline UNUSED struct p256_element portable_add(const struct p256_element *a,
                                                      const struct p256_element *b)
{
    struct p256_element r;
    uint64_t sum[4];
    uint64_t carry = add_limbs(sum, a->limbs, b->limbs);
    reduce_once(r.limbs, sum, carry, prime);
    return r;
}

static inline UNUSED struct p256_element portable_sub(const struct p256_element *a,
                                                      const struct p256_element *b)
{
    struct p256_element r;
    uint64_t back[4];
    uint64_t mask = 0 - sub_limbs(r.limbs, a->limbs, b->limbs);
    for (size_t i = 0; i < 4; i++)
        back[i] = prime[i] & mask;
    add_limbs(r.limbs, r.limbs, back);
    return r;
}

/* a b / 2^256 mod p, one limb of b at a time.  -1/p mod 2^64 is 1, so that what clears the lowest
 * limb t0 is t0 times p, and that is t0 2^256 - t0 2^224 + t0 2^192 + t0 2^96 - t0. */
static inline UNUSED struct p256_element portable_mul(const struct p256_element *a,
                                                      const struct p256_element *b)
{
    const uint64_t *x = a->limbs;
    uint64_t t[5] = { 0 };
    for (size_t i = 0; i < 4; i++) {
        uint64_t y = b->limbs[i];
        wide c = (wide)x[0] * y + t[0];
        uint64_t low = (uint64_t)c;
        for (size_t j = 1; j < 4; j++) {
            c = (wide)x[j] * y + t[j] + (uint64_t)(c >> 64);
            t[j] = (uint64_t)c;
        }
        wide top = (wide)t[4] + (uint64_t)(c >> 64);
        c = (wide)t[1] + ((wide)low << 32);
        t[0] = (uint64_t)c;
        c = (wide)t[2] + (uint64_t)(c >> 64);
        t[1] = (uint64_t)c;
        c = (wide)low * prime[3] + t[3] + (uint64_t)(c >> 64);
        t[2] = (uint64_t)c;
        c = (wide)(uint64_t)top + (uint64_t)(c >> 64);
        t[3] = (uint64_t)c;
        t[4] = (uint64_t)(top >> 64) + (uint64_t)(c >> 64);
    }
    struct p256_element r;
    reduce_once(r.limbs, t, t[4], prime);
    return r;
}

#if defined(__x86_64__)

#include <cpuid.h>

/* Whether the processor has BMI2 and ADX: asked once, whoever asks first. */
static inline bool p256_has_adx(void)
{
    enum {
        UNKNOWN,
        NO,
        YES
    };
    static int known = UNKNOWN;
    int answer = __atomic_load_n(&known, __ATOMIC_RELAXED);
    if (answer == UNKNOWN) {
        unsigned a = 0, b = 0, c = 0, d = 0;
        bool has = __get_cpuid_count(7, 0, &a, &b, &c, &d) != 0 && (b & bit_BMI2) != 0 &&
                   (b & bit_ADX) != 0;
        answer = has ? YES : NO;
        __atomic_store_n(&known, answer, __ATOMIC_RELAXED);
    }
    return answer == YES;
}

/* What lies from e0 to e3, with e4 above and the carry into e5, plus a times the limb b_i. */
#define P256_ROW(limb, e0, e1, e2, e3, e4, e5)                                                     \
    "mov " limb ", %%rax\n"                                                                        \
    "mulq 0(%[a])\n"                                                                               \
    "add %%rax, " e0 "\n"                                                                          \
    "mov " limb ", %%rax\n"                                                                        \
    "adc $0, %%rdx\n"                                                                              \
    "mov %%rdx, %%rcx\n"                                                                           \
    "mulq 8(%[a])\n"                                                                               \
    "add %%rcx, " e1 "\n"                                                                          \
    "adc $0, %%rdx\n"                                                                              \
    "add %%rax, " e1 "\n"                                                                          \
    "mov " limb ", %%rax\n"                                                                        \
    "adc $0, %%rdx\n"                                                                              \
    "mov %%rdx, %%rcx\n"                                                                           \
    "mulq 16(%[a])\n"                                                                              \
    "add %%rcx, " e2 "\n"                                                                          \
    "adc $0, %%rdx\n"                                                                              \
    "add %%rax, " e2 "\n"                                                                          \
    "mov " limb ", %%rax\n"                                                                        \
    "adc $0, %%rdx\n"                                                                              \
    "mov %%rdx, %%rcx\n"                                                                           \
    "mulq 24(%[a])\n"                                                                              \
    "add %%rcx, " e3 "\n"                                                                          \
    "adc $0, %%rdx\n"                                                                              \
    "add %%rax, " e3 "\n"                                                                          \
    "adc %%rdx, " e4 "\n"                                                                          \
    "adc $0, " e5 "\n"

/* Clears e0 by adding e0 p; it is then free for the next row's carry. */
#define P256_CLEAR(e0, e1, e2, e3, e4, e5)                                                         \
    "mov " e0 ", %%rax\n"                                                                          \
    "mov " e0 ", %%rcx\n"                                                                          \
    "mulq %[p3]\n"                                                                                 \
    "shl $32, " e0 "\n"                                                                            \
    "shr $32, %%rcx\n"                                                                             \
    "add " e0 ", " e1 "\n"                                                                         \
    "adc %%rcx, " e2 "\n"                                                                          \
    "adc %%rax, " e3 "\n"                                                                          \
    "adc %%rdx, " e4 "\n"                                                                          \
    "adc $0, " e5 "\n"                                                                             \
    "sub " e0 ", " e0 "\n"

#define P256_STEP(limb, e0, e1, e2, e3, e4, e5)                                                    \
    P256_ROW(limb, e0, e1, e2, e3, e4, e5) P256_CLEAR(e0, e1, e2, e3, e4, e5)

/* e0 to e3 minus p unless that borrows from `over`; c0 to c3 are scratch. */
#define P256_REDUCE(e0, e1, e2, e3, over, c0, c1, c2, c3)                                          \
    "mov " e0 ", " c0 "\n"                                                                         \
    "mov " e1 ", " c1 "\n"                                                                         \
    "mov " e2 ", " c2 "\n"                                                                         \
    "mov " e3 ", " c3 "\n"                                                                         \
    "sub $-1, " c0 "\n"                                                                            \
    "sbb %[p1], " c1 "\n"                                                                          \
    "sbb $0, " c2 "\n"                                                                             \
    "sbb %[p3], " c3 "\n"                                                                          \
    "sbb $0, " over "\n"                                                                           \
    "cmovnc " c0 ", " e0 "\n"                                                                      \
    "cmovnc " c1 ", " e1 "\n"                                                                      \
    "cmovnc " c2 ", " e2 "\n"                                                                      \
    "cmovnc " c3 ", " e3 "\n"

static UNUSED struct p256_element mul_plain(const struct p256_element *a,
                                            const struct p256_element *b)
{
    uint64_t t0 = 0, t1 = 0, t2 = 0, t3 = 0, t4 = 0, t5 = 0;
    __asm__(P256_STEP("0(%[b])", "%[t0]", "%[t1]", "%[t2]", "%[t3]", "%[t4]", "%[t5]")
                P256_STEP("8(%[b])", "%[t1]", "%[t2]", "%[t3]", "%[t4]", "%[t5]", "%[t0]")
                    P256_STEP("16(%[b])", "%[t2]", "%[t3]", "%[t4]", "%[t5]", "%[t0]", "%[t1]")
                        P256_STEP("24(%[b])", "%[t3]", "%[t4]", "%[t5]", "%[t0]", "%[t1]", "%[t2]")
                            P256_REDUCE("%[t4]", "%[t5]", "%[t0]", "%[t1]", "%[t2]", "%%rax",
                                        "%%rcx", "%%rdx", "%[t3]")
            : [t0] "+&r"(t0), [t1] "+&r"(t1), [t2] "+&r"(t2), [t3] "+&r"(t3), [t4] "+&r"(t4),
              [t5] "+&r"(t5)
            : [a] "r"(a->limbs), [b] "r"(b->limbs), [p1] "m"(prime[1]), [p3] "m"(prime[3]), "m"(*a),
              "m"(*b)
            : "rax", "rcx", "rdx", "cc");
    return (struct p256_element){ { t4, t5, t0, t1 } };
}

/* P256_ROW and P256_CLEAR with two chains of carries. */
#define P256_ROW_ADX(limb, e0, e1, e2, e3, e4, e5)                                                 \
    "mov " limb ", %%rdx\n"                                                                        \
    "xor %%ecx, %%ecx\n"                                                                           \
    "mulx 0(%[a]), %%rax, %%rcx\n"                                                                 \
    "adcx %%rax, " e0 "\n"                                                                         \
    "adox %%rcx, " e1 "\n"                                                                         \
    "mulx 8(%[a]), %%rax, %%rcx\n"                                                                 \
    "adcx %%rax, " e1 "\n"                                                                         \
    "adox %%rcx, " e2 "\n"                                                                         \
    "mulx 16(%[a]), %%rax, %%rcx\n"                                                                \
    "adcx %%rax, " e2 "\n"                                                                         \
    "adox %%rcx, " e3 "\n"                                                                         \
    "mulx 24(%[a]), %%rax, %%rcx\n"                                                                \
    "adcx %%rax, " e3 "\n"                                                                         \
    "adox %%rcx, " e4 "\n"                                                                         \
    "mov $0, %%eax\n"                                                                              \
    "adcx %%rax, " e4 "\n"                                                                         \
    "adox %%rax, " e5 "\n"                                                                         \
    "adcx %%rax, " e5 "\n"

#define P256_CLEAR_ADX(e0, e1, e2, e3, e4, e5)                                                     \
    "mov " e0 ", %%rdx\n"                                                                          \
    "mov " e0 ", %%rcx\n"                                                                          \
    "shl $32, " e0 "\n"                                                                            \
    "shr $32, %%rcx\n"                                                                             \
    "mulx %[p3], %%rax, %%rdx\n"                                                                   \
    "add " e0 ", " e1 "\n"                                                                         \
    "adc %%rcx, " e2 "\n"                                                                          \
    "adc %%rax, " e3 "\n"                                                                          \
    "adc %%rdx, " e4 "\n"                                                                          \
    "adc $0, " e5 "\n"                                                                             \
    "xor " e0 ", " e0 "\n"

#define P256_STEP_ADX(limb, e0, e1, e2, e3, e4, e5)                                                \
    P256_ROW_ADX(limb, e0, e1, e2, e3, e4, e5) P256_CLEAR_ADX(e0, e1, e2, e3, e4, e5)

/* The same on processors with BMI2 and ADX, in two thirds of the time. */
static UNUSED struct p256_element mul_adx(const struct p256_element *a,
                                          const struct p256_element *b)
{
    uint64_t t0 = 0, t1 = 0, t2 = 0, t3 = 0, t4 = 0, t5 = 0;
    __asm__(
        P256_STEP_ADX("0(%[b])", "%[t0]", "%[t1]", "%[t2]", "%[t3]", "%[t4]", "%[t5]")
            P256_STEP_ADX("8(%[b])", "%[t1]", "%[t2]", "%[t3]", "%[t4]", "%[t5]", "%[t0]")
                P256_STEP_ADX("16(%[b])", "%[t2]", "%[t3]", "%[t4]", "%[t5]", "%[t0]", "%[t1]")
                    P256_STEP_ADX("24(%[b])", "%[t3]", "%[t4]", "%[t5]", "%[t0]", "%[t1]", "%[t2]")
                        P256_REDUCE("%[t4]", "%[t5]", "%[t0]", "%[t1]", "%[t2]", "%%rax", "%%rcx",
                                    "%%rdx", "%[t3]")
        : [t0] "+&r"(t0), [t1] "+&r"(t1), [t2] "+&r"(t2), [t3] "+&r"(t3), [t4] "+&r"(t4),
          [t5] "+&r"(t5)
        : [a] "r"(a->limbs), [b] "r"(b->limbs), [p1] "m"(prime[1]), [p3] "m"(prime[3]), "m"(*a),
          "m"(*b)
        : "rax", "rcx", "rdx", "cc");
    return (struct p256_element){ { t4, t5, t0, t1 } };
}

static inline struct p256_element mul(const struct p256_element *a, const struct p256_element *b)
{
    return p256_has_adx() ? mul_adx(a, b) : mul_plain(a, b);
}

static inline struct p256_element add(const struct p256_element *a, const struct p256_element *b)
{
    uint64_t t0 = a->limbs[0], t1 = a->limbs[1], t2 = a->limbs[2], t3 = a->limbs[3];
    uint64_t over = 0;
    uint64_t scratch;
    __asm__("add 0(%[b]), %[t0]\n"
            "adc 8(%[b]), %[t1]\n"
            "adc 16(%[b]), %[t2]\n"
            "adc 24(%[b]), %[t3]\n"
            "adc $0, %[over]\n" P256_REDUCE("%[t0]", "%[t1]", "%[t2]", "%[t3]", "%[over]", "%%rax",
                                            "%%rcx", "%%rdx", "%[scratch]")
            : [t0] "+&r"(t0), [t1] "+&r"(t1), [t2] "+&r"(t2), [t3] "+&r"(t3), [over] "+&r"(over),
              [scratch] "=&r"(scratch)
            : [b] "r"(b->limbs), [p1] "m"(prime[1]), [p3] "m"(prime[3]), "m"(*b)
            : "rax", "rcx", "rdx", "cc");
    return (struct p256_element){ { t0, t1, t2, t3 } };
}

static inline struct p256_element sub(const struct p256_element *a, const struct p256_element *b)
{
    uint64_t t0 = a->limbs[0], t1 = a->limbs[1], t2 = a->limbs[2], t3 = a->limbs[3];
    uint64_t mask;
    __asm__("sub 0(%[b]), %[t0]\n"
            "sbb 8(%[b]), %[t1]\n"
            "sbb 16(%[b]), %[t2]\n"
            "sbb 24(%[b]), %[t3]\n"
            "sbb %[mask], %[mask]\n"
            "mov %[p1], %%rax\n"
            "mov %[p3], %%rcx\n"
            "and %[mask], %%rax\n"
            "and %[mask], %%rcx\n"
            "add %[mask], %[t0]\n"
            "adc %%rax, %[t1]\n"
            "adc $0, %[t2]\n"
            "adc %%rcx, %[t3]\n"
            : [t0] "+&r"(t0), [t1] "+&r"(t1), [t2] "+&r"(t2), [t3] "+&r"(t3), [mask] "=&r"(mask)
            : [b] "r"(b->limbs), [p1] "m"(prime[1]), [p3] "m"(prime[3]), "m"(*b)
            : "rax", "rcx", "cc");
    return (struct p256_element){ { t0, t1, t2, t3 } };
}

#else

static inline UNUSED struct p256_element mul_plain(const struct p256_element *a,
                                                   const struct p256_element *b)
{
    return portable_mul(a, b);
}

static inline struct p256_element mul(const struct p256_element *a, const struct p256_element *b)
{
    return portable_mul(a, b);
}

static inline struct p256_element add(const struct p256_element *a, const struct p256_element *b)
{
    return portable_add(a, b);
}

static inline struct p256_element sub(const struct p256_element *a, const struct p256_element *b)
{
    return portable_sub(a, b);
}

#endif

#endif
