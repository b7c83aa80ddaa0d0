#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes src/wasm/stencils_simd.inc: vector operations that are more than a few instructions.

    vectors.py [--output FILE] [--clang PROGRAM]

What one or two instructions do, src/wasm/baseline_vector.c encodes for any registers.  Here an operation takes
stack registers only (vectors xmm0-2, a shift's count rax, rdx, rcx); the result takes the place of the first
operand and the second is lost, which leaves clang three registers.  The same inputs give the same file.
"""

import argparse
import os
import re
import struct
import sys
import tempfile

import generate
import objects

STACK = 3
PRELUDE = r"""
#include <immintrin.h>
typedef unsigned long u64; typedef unsigned u32;
typedef __m128i v; typedef float f32x4 __attribute__((vector_size(16))); typedef double f64x2 __attribute__((vector_size(16)));
typedef u32 u32x4 __attribute__((vector_size(16))); typedef u64 u64x2 __attribute__((vector_size(16)));
#define ARGUMENTS char *frame, char *memory, char *instance, u64 R8, u64 R3, u64 R4, u64 R1, u64 R2, \
  u64 R5, u64 R6, u64 R7, u64 R0, v F0, v F1, v F2, v F3, v F4, v F5, v F6, v F7
#define PASS (frame, memory, instance, R8, R3, R4, R1, R2, R5, R6, R7, R0, F0, F1, F2, F3, F4, F5, F6, F7)
#define STENCIL __attribute__((preserve_none)) void
#define NEXT __attribute__((musttail)) return HOLE_NEXT PASS;
STENCIL HOLE_NEXT(ARGUMENTS);
#define PS(x) ((__m128)(x))
#define PD(x) ((__m128d)(x))
#define ALL8(n) _mm_set1_epi8(n)
#define ALL16(n) _mm_set1_epi16(n)
#define ALL32(n) _mm_set1_epi32(n)
#define ALL64(n) _mm_set1_epi64x(n)
#define AGAIN asm("" : "+r"(n), "+x"(a));  /* so that nothing is kept for later: there is no register for it */
#define COUNT(n) _mm_cvtsi32_si128((int)(n))
"""

UNARY, WIDE, BINARY, SHIFT = "UNARY", "WIDE", "BINARY", "SHIFT"  # WIDE: b is no operand, but lost


def extend_multiply(name, source, sign, high):
    """The halves' products in twice the width."""
    if source == 8:
        half = "_mm_shuffle_epi32(%s, 0xee)" if high else "%s"
        wide = "_mm_cvtep%s8_epi16(%s)" % ("iu"[sign == "u"], half)
        return "a = _mm_mullo_epi16(%s, %s);" % (wide % "a", wide % "b")
    if source == 16:
        return "v low = _mm_mullo_epi16(a, b); a = _mm_unpack%s_epi16(low, _mm_mulhi_ep%s16(a, b));" % (
            "hi" if high else "lo", "iu"[sign == "u"])
    order = 0xfa if high else 0x50
    return "a = _mm_mul_ep%s32(_mm_shuffle_epi32(a, %d), _mm_shuffle_epi32(b, %d));" % (
        "iu"[sign == "u"], order, order)


# Minima and maxima differ from the processor's for zeros of both signs and for NaN, which comes out canonical.
def minimum(suffix, cast, width, drop):
    return ("v x = (v)_mm_min_%s(%s(a), %s(b)), y = (v)_mm_min_%s(%s(b), %s(a)); x = _mm_or_si128(x, y); "
            "v n = (v)_mm_cmpunord_%s(%s(x), %s(x)); x = _mm_or_si128(x, n); "
            "a = _mm_andnot_si128(_mm_srli_epi%d(n, %d), x);" % (
                suffix, cast, cast, suffix, cast, cast, suffix, cast, cast, width, drop))


def maximum(suffix, cast, width, drop):
    return ("v x = (v)_mm_max_%s(%s(a), %s(b)), y = (v)_mm_max_%s(%s(b), %s(a)); "
            "v d = _mm_xor_si128(x, y); x = _mm_or_si128(x, d); x = (v)_mm_sub_%s(%s(x), %s(d)); "
            "v n = (v)_mm_cmpunord_%s(%s(x), %s(x)); a = _mm_andnot_si128(_mm_srli_epi%d(n, %d), x);" % (
                suffix, cast, cast, suffix, cast, cast, suffix, cast, cast, suffix, cast, cast, width, drop))


OPERATIONS = [  # opcode, name, shape, what becomes of a
    (0x62, "i8x16.popcnt", WIDE,
     "v t = _mm_setr_epi8(0, 1, 1, 2, 1, 2, 2, 3, 1, 2, 2, 3, 2, 3, 3, 4); "
     "v low = _mm_and_si128(a, ALL8(15)); a = _mm_and_si128(_mm_srli_epi16(a, 4), ALL8(15)); "
     "a = _mm_add_epi8(_mm_shuffle_epi8(t, low), _mm_shuffle_epi8(t, a));"),
    (0x6b, "i8x16.shl", SHIFT,
     "n = (n & 7) | 8; v m = _mm_srl_epi16(ALL8(-1), COUNT(n)); a = _mm_and_si128(a, _mm_packus_epi16(m, m)); "
     "AGAIN n &= 7; a = _mm_sll_epi16(a, COUNT(n));"),
    (0x6c, "i8x16.shr_s", SHIFT,
     "v c = COUNT((n & 7) + 8); a = _mm_packs_epi16(_mm_sra_epi16(_mm_unpacklo_epi8(a, a), c), "
     "_mm_sra_epi16(_mm_unpackhi_epi8(a, a), c));"),
    (0x6d, "i8x16.shr_u", SHIFT,
     "n &= 7; a = _mm_srl_epi16(a, COUNT(n)); AGAIN n |= 8; v m = _mm_srl_epi16(ALL8(-1), COUNT(n)); "
     "a = _mm_and_si128(a, _mm_packus_epi16(m, m));"),
    (0x7f, "i32x4.extadd_pairwise_i16x8_u", UNARY,
     "a = _mm_add_epi32(_mm_madd_epi16(_mm_xor_si128(a, ALL16(-32768)), ALL16(1)), ALL32(65536));"),
    (0x82, "i16x8.q15mulr_sat_s", BINARY,
     "a = _mm_mulhrs_epi16(a, b); a = _mm_xor_si128(a, _mm_cmpeq_epi16(a, ALL16(-32768)));"),
    (0xc0, "i64x2.abs", UNARY,
     "v s = _mm_cmpgt_epi64(_mm_setzero_si128(), a); a = _mm_sub_epi64(_mm_xor_si128(a, s), s);"),
    (0xcc, "i64x2.shr_s", SHIFT,
     "v c = COUNT(n & 63), s = _mm_srl_epi64(ALL64(1l << 63), c); "
     "a = _mm_sub_epi64(_mm_xor_si128(_mm_srl_epi64(a, c), s), s);"),
    (0xd5, "i64x2.mul", BINARY,
     "v x = _mm_mul_epu32(_mm_srli_epi64(a, 32), b), y = _mm_mul_epu32(_mm_srli_epi64(b, 32), a); "
     "a = _mm_add_epi64(_mm_mul_epu32(a, b), _mm_slli_epi64(_mm_add_epi64(x, y), 32));"),
    (0xe8, "f32x4.min", BINARY, minimum("ps", "PS", 32, 10)),
    (0xe9, "f32x4.max", BINARY, maximum("ps", "PS", 32, 10)),
    (0xf4, "f64x2.min", BINARY, minimum("pd", "PD", 64, 13)),
    (0xf5, "f64x2.max", BINARY, maximum("pd", "PD", 64, 13)),
    (0xf8, "i32x4.trunc_sat_f32x4_s", UNARY,
     "a = _mm_and_si128(a, (v)_mm_cmpeq_ps(PS(a), PS(a))); "
     "v over = (v)_mm_cmpge_ps(PS(a), _mm_set1_ps(0x1p31f)); a = _mm_xor_si128(_mm_cvttps_epi32(PS(a)), over);"),
    (0xf9, "i32x4.trunc_sat_f32x4_u", UNARY,
     "a = (v)_mm_max_ps(PS(a), _mm_setzero_ps()); v low = _mm_cvttps_epi32(PS(a)); "
     "a = (v)_mm_sub_ps(PS(a), _mm_set1_ps(0x1p31f)); "
     "low = _mm_or_si128(low, (v)_mm_cmpge_ps(PS(a), _mm_set1_ps(0x1p31f))); "
     "a = _mm_and_si128(_mm_cvttps_epi32(PS(a)), _mm_srai_epi32(low, 31)); a = _mm_or_si128(a, low);"),
    (0xfb, "f32x4.convert_i32x4_u", UNARY, "a = (v)__builtin_convertvector((u32x4)a, f32x4);"),
    (0xfc, "i32x4.trunc_sat_f64x2_s_zero", UNARY,
     "v most = (v)_mm_and_pd(_mm_cmpeq_pd(PD(a), PD(a)), _mm_set1_pd(2147483647.0)); "
     "a = _mm_cvttpd_epi32(_mm_min_pd(PD(a), PD(most)));"),
    (0xfd, "i32x4.trunc_sat_f64x2_u_zero", UNARY,
     "__m128d x = _mm_max_pd(PD(a), _mm_setzero_pd()); x = _mm_min_pd(x, _mm_set1_pd(4294967295.0)); "
     "x = _mm_add_pd(_mm_round_pd(x, 3), _mm_set1_pd(0x1p52)); "
     "a = (v)_mm_shuffle_ps(PS(x), _mm_setzero_ps(), 0x88);"),
    (0xff, "f64x2.convert_low_i32x4_u", UNARY,
     "a = (v)_mm_sub_pd(PD(_mm_or_si128(_mm_cvtepu32_epi64(a), ALL64(0x4330000000000000))), _mm_set1_pd(0x1p52));"),
]
for base, width in ((0x9c, 8), (0xbc, 16), (0xdc, 32)):
    for index, (sign, high) in enumerate((("s", False), ("s", True), ("u", False), ("u", True))):
        OPERATIONS.append((base + index, "i%dx%d.extmul_%s_i%dx%d_%s" % (
            width * 2, 64 // width, "high" if high else "low", width, 128 // width, sign), BINARY,
            extend_multiply("", width, sign, high)))
OPERATIONS.sort()


def variants():
    """[(opcode, a, b, C text)]"""
    rows = []
    for opcode, _, shape, body in OPERATIONS:
        for a in range(STACK):
            for b in range(STACK):
                if (shape == UNARY and b > 0) or (shape in (WIDE, BINARY) and a == b):
                    continue
                text = "v a = F%d;" % a
                if shape in (WIDE, BINARY):
                    text += " v b = F%d, lost;" % b
                if shape == SHIFT:
                    text += " u64 n = R%d, lost;" % b
                text += " %s F%d = a;" % (body, a)
                if shape != UNARY:
                    text += " %s%d = lost;" % ("R" if shape == SHIFT else "F", b)
                rows.append((opcode, a, b, text))
    return rows


def finish(name, code, relocations, pools, pool):
    code, relocations = generate.invert_tail(code, relocations)
    code, patches = bytearray(code), []
    for offset, kind, symbol, addend in relocations:
        if symbol[0] == "HOLE_NEXT":
            struct.pack_into("<i", code, offset, len(code) - offset - 4)
            continue
        match = re.match(r"\.rodata(?:\.cst(\d+))?$", symbol[0])
        if not match or symbol[1] is None or kind != objects.R_X86_64_PC32:
            raise generate.Failure("%s: relocation against %s" % (name, symbol[0]))
        # Constants of one and two bytes stand in .rodata itself.  An immediate behind the displacement is in the
        # addend; it goes into the hole.
        size, at = int(match.group(1) or 1), symbol[1] + addend + 4
        tail = -at % size
        if tail > 1:
            raise generate.Failure("%s: constant at %d" % (name, at))
        struct.pack_into("<i", code, offset, -tail)
        value = pools[symbol[0]][at + tail:at + tail + max(size, 4)]
        patches += [offset, pool.place(value + bytes(-len(value) % 4)) // 4]
    if len(code) > generate.CODE_SIZE_MAX or max(patches, default=0) > 255:
        raise generate.Failure("%s is too large" % name)
    return bytes(code), bytes(patches)


def build(clang, folder):
    source = os.path.join(folder, "vectors.c")
    rows = variants()
    with open(source, "w") as file:
        file.write(PRELUDE)
        for index, row in enumerate(rows):
            file.write("STENCIL s_%d(ARGUMENTS) { %s NEXT }\n" % (index, row[3]))
    stencils, pools, effects = generate.compile_source(clang, source, None)
    pool, results = generate.Pool(), []
    for index, (opcode, a, b, _) in enumerate(rows):
        name = "s_%d" % index
        if effects[name]:
            raise generate.Failure("%s %d %d needs too many registers" % (hex(opcode), a, b))
        results.append((opcode, a, b, *finish(name, *stencils[name], pools, pool)))
    return pool, results


def write_table(path, pool, results):
    code, patches = generate.Sharing(), generate.Sharing()
    rows = ["{%d, %d, %d, %d, %d}," % (opcode << 4 | a << 2 | b, code.place(body), patches.place(holes), len(body),
                                       len(holes) // 2) for opcode, a, b, body, holes in results]
    with open(path, "w") as file:
        file.write("/* SPDX-License-Identifier: Apache-2.0 */\n"
                   "/* Generated by tools/stencils/vectors.py; docs/compiler.md tells how.  Don't edit. */\n"
                   "/* clang-format off */\n"
                   "static const struct vector_entry vector_entries[%d] = {\n" % len(rows))
        for at in range(0, len(rows), 6):
            file.write(" ".join(rows[at:at + 6]) + "\n")
        file.write("};\n\n")
        generate.write_bytes(file, "vector_code", bytes(code.data))
        generate.write_bytes(file, "vector_patches", bytes(patches.data))
        generate.write_bytes(file, "vector_constants", bytes(pool.data))
    return len(rows), len(code.data)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--output", default=os.path.join(generate.HERE, "../../src/wasm/stencils_simd.inc"))
    parser.add_argument("--clang", default="clang-19")
    options = parser.parse_args()
    try:
        with tempfile.TemporaryDirectory() as folder:
            pool, results = build(options.clang, folder)
        count, size = write_table(options.output, pool, results)
    except generate.Failure as failure:
        sys.exit("vectors.py: %s" % failure)
    print("%d vector stencils, %d bytes of code, %d of constants" % (count, size, len(pool.data)))


if __name__ == "__main__":
    main()
