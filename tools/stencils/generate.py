#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes src/wasm/stencils.inc from operations.py, used.txt and clang-19.

    generate.py [--output FILE] [--used FILE] [--clang PROGRAM] [--work FOLDER]

Each stencil is compiled three times: with symbols in the place of displacements and immediates, which
gives the general form and its patches, and twice with small numbers, whose difference shows where the
one-byte form keeps them.  The same inputs give the same file.
"""

import argparse
import os
import re
import struct
import subprocess
import sys
import tempfile

import objects
import operations

HERE = os.path.dirname(os.path.abspath(__file__))
FLAGS = """-O2 -march=x86-64-v3 -std=gnu17 -fno-pic -fno-pie -mcmodel=small -mno-red-zone
-fomit-frame-pointer -fcf-protection=none -fno-asynchronous-unwind-tables -fno-stack-protector
-fno-jump-tables -ffp-contract=off -fno-math-errno -fno-strict-aliasing
-fno-delete-null-pointer-checks -ffunction-sections -fno-ident -w""".split()
# Two builds whose difference is the holes.  A negative number in one of them shows that the byte is
# sign-extended and not the low byte of a wider field.
SHORT = ({"A": 0x2b, "B": 0x3b, "C": 0x4b}, {"A": -0x35, "B": -0x45, "C": -0x55})
HOLES = "ABC"
PATCH_TAKEN, PATCH_TRAP, PATCH_POOL = 6, 16, 64
TRAPS = {"DIVIDE_BY_ZERO": 7, "INTEGER_OVERFLOW": 8, "CONVERSION": 9}
CODE_SIZE_MAX = 160

PRELUDE = r"""
typedef unsigned char u8; typedef unsigned short u16; typedef unsigned u32; typedef unsigned long u64;
typedef signed char s8; typedef short s16; typedef int s32; typedef long s64;
typedef u16 unaligned_u16 __attribute__((aligned(1))); typedef u32 unaligned_u32 __attribute__((aligned(1)));
typedef u64 unaligned_u64 __attribute__((aligned(1))); typedef u8 unaligned_u8;
typedef s16 unaligned_s16 __attribute__((aligned(1))); typedef s32 unaligned_s32 __attribute__((aligned(1)));
typedef REAL real; typedef real unaligned_real __attribute__((aligned(1)));
#define ARGUMENTS char *frame, char *memory, char *instance, u64 R8, u64 R3, u64 R4, u64 R1, u64 R2, \
  u64 R5, u64 R6, u64 R7, u64 R0, real F0, real F1, real F2, real F3, real F4, real F5, real F6, real F7
#define PASS (frame, memory, instance, R8, R3, R4, R1, R2, R5, R6, R7, R0, F0, F1, F2, F3, F4, F5, F6, F7)
#define STENCIL __attribute__((preserve_none)) void
#define GO __attribute__((musttail)) return
#define TAKEN GO HOLE_TAKEN PASS;
#define TRAP(name) GO HOLE_TRAP_##name PASS;
#define NEXT GO HOLE_NEXT PASS;
#define CONSTANT32(hole) ({ u64 k_; asm("movl %1, %k0" : "=r"(k_) : "i"(hole)); (u32)k_; })
#define CONSTANT64(hole) ({ u64 k_; asm("movq %1, %0" : "=r"(k_) : "i"(hole)); k_; })
STENCIL HOLE_NEXT(ARGUMENTS), HOLE_TAKEN(ARGUMENTS), HOLE_TRAP_DIVIDE_BY_ZERO(ARGUMENTS),
  HOLE_TRAP_INTEGER_OVERFLOW(ARGUMENTS), HOLE_TRAP_CONVERSION(ARGUMENTS);
#ifndef A
extern char HOLE_A[], HOLE_B[], HOLE_C[];
#define A ((long)&HOLE_A)
#define B ((long)&HOLE_B)
#define C ((long)&HOLE_C)
#endif
typedef BITS real_bits;
static inline real real_or(real a, real b) { real_bits x, y; __builtin_memcpy(&x, &a, sizeof a);
  __builtin_memcpy(&y, &b, sizeof b); x |= y; __builtin_memcpy(&a, &x, sizeof a); return a; }
static inline real real_and(real a, real b) { real_bits x, y; __builtin_memcpy(&x, &a, sizeof a);
  __builtin_memcpy(&y, &b, sizeof b); x &= y; __builtin_memcpy(&a, &x, sizeof a); return a; }
"""


class Failure(Exception):
    pass


def read_used(path):
    used = {}
    with open(path) as file:
        for line in file:
            if line.startswith("#") or not line.strip():
                continue
            name, *kinds = line.split()
            used.setdefault(name, set()).update(kinds)
    return used


def choose(rows, used):
    """[(operation, kinds, body)] in the order of the table."""
    chosen = []
    for row in rows:
        if row.is_encoded():
            continue
        allowed = row.kinds()
        kinds = set(row.guaranteed()) | used.get(row.name, set())
        for kind in sorted(kinds):
            if len(kind) != 3 or any(k not in a for k, a in zip(kind, allowed)):
                raise Failure("%s can't have operands %s" % (row.name, kind))
            body = row.body(*kind)
            if body is not None:
                chosen.append((row, kind, body))
    unknown = set(used) - {row.name for row in rows}
    if unknown:
        raise Failure("no operation is called " + ", ".join(sorted(unknown)))
    return chosen


def write_source(path, chosen, real):
    with open(path, "w") as file:
        bits = "u32" if real == "float" else "u64"
        file.write("#define REAL %s\n#define BITS %s\n%s" % (real, bits, PRELUDE))
        for index, (row, _, body) in enumerate(chosen):
            if row.file == real:
                file.write("STENCIL s_%d(ARGUMENTS) { %s NEXT }\n" % (index, body))


def compile_source(clang, source, values):
    """The object's stencils and constants, and what each stencil does to registers of others.  Through
    assembly text, where that shows."""
    stem = source[:-2] + ("" if values is None else "_%d" % (values["A"] & 255))
    defines = [] if values is None else ["-D%s=%dL" % item for item in values.items()]
    subprocess.run([clang, *FLAGS, *defines, "-S", source, "-o", stem + ".s"], check=True)
    subprocess.run([clang, "-c", stem + ".s", "-o", stem + ".o"], check=True)
    return (*objects.read_object(stem + ".o"), find_effects(stem + ".s"))


# Registers that hold pinned locals although no stencil knows them: rbx and rbp when none clobbers
# them, the upper float registers always.
CLOBBERS = ((re.compile(r"%[re]?bx|%bl|%bh"), 1), (re.compile(r"%[re]?bp|%bpl"), 2))
USES_STACK = 4
STACK = re.compile(r"%[er]?sp\b|\tpush|\tpop[ql]|\tcall")
RESERVED = re.compile(r"%[xy]mm1[0-5]")


def find_effects(path):
    effects, name = {}, None
    with open(path) as file:
        for line in file:
            if line.startswith("s_") and ":" in line:
                name = line.split(":")[0]
                effects[name] = 0
            if RESERVED.search(line):
                raise Failure("stencil %s uses a reserved register: %s" % (name, line.strip()))
            for pattern, bit in (*CLOBBERS, (STACK, USES_STACK)):
                if pattern.search(line):
                    effects[name] |= bit
    return effects


class Pool:
    """Constants of float code, copied to the head of the code section."""

    def __init__(self):
        self.data = bytearray()
        self.known = {}

    def place(self, value):
        if value not in self.known:
            while len(self.data) % len(value):
                self.data.append(0)
            self.known[value] = len(self.data)
            self.data += value
        return self.known[value]


def invert_tail(code, relocations):
    """`jcc NEXT; jmp TAKEN` at the end becomes `jncc TAKEN`; a final `jmp NEXT` goes."""
    size = len(code)
    if not relocations or relocations[-1][0] != size - 4 or code[size - 5] != 0xe9:
        return code, relocations
    last = relocations[-1][2][0]
    if last == "HOLE_NEXT":
        return code[:size - 5], relocations[:-1]
    if len(relocations) < 2:
        return code, relocations
    before = relocations[-2]
    jumps = before[0] == size - 9 and code[size - 11] == 0x0f and code[size - 10] >> 4 == 8
    if last == "HOLE_TAKEN" and before[2][0] == "HOLE_NEXT" and jumps:
        inverted = bytearray(code[:size - 5])
        inverted[size - 10] ^= 1
        return bytes(inverted), relocations[:-2] + [(before[0], before[1], relocations[-1][2], -4)]
    return code, relocations


def pool_offset(pool, pools, symbol, addend):
    section, value = symbol
    match = re.match(r"\.rodata\.cst(\d+)$", section)
    if value is None or not match:
        raise Failure("relocation against %s" % section)
    size, at = int(match.group(1)), value + addend + 4
    if at % size:
        raise Failure("constant at %d of %s" % (at, section))
    return pool.place(pools[section][at:at + size])


def finish(code, relocations, pools, pool):
    """Bytes and patches [(offset, kind)] of one stencil."""
    code, relocations = invert_tail(code, relocations)
    code, patches = bytearray(code), []
    for offset, kind, symbol, addend in relocations:
        name = symbol[0]
        if name == "HOLE_NEXT":
            struct.pack_into("<i", code, offset, len(code) - offset - 4)
        elif name == "HOLE_TAKEN":
            patches.append((offset, PATCH_TAKEN))
        elif name.startswith("HOLE_TRAP_"):
            patches.append((offset, PATCH_TRAP + TRAPS[name[10:]]))
        elif name.startswith("HOLE_"):
            narrow = kind == objects.R_X86_64_8
            if addend or kind not in (objects.R_X86_64_8, objects.R_X86_64_16, objects.R_X86_64_32,
                                      objects.R_X86_64_32S):
                raise Failure("relocation %d against %s" % (kind, name))
            if kind == objects.R_X86_64_16:
                patches.append((offset, 9 + HOLES.index(name[5])))
            else:
                patches.append((offset, HOLES.index(name[5]) + (3 if narrow else 0)))
        else:
            patches.append((offset, PATCH_POOL + pool_offset(pool, pools, symbol, addend) // 4))
        if name.startswith("HOLE_") and kind in (objects.R_X86_64_PC32, objects.R_X86_64_PLT32) \
                and addend != -4:
            raise Failure("branch with addend %d" % addend)
    if len(code) > CODE_SIZE_MAX:
        raise Failure("stencil of %d bytes" % len(code))
    return bytes(code), sorted(patches)


def shorten(first, second, values, long_patches):
    """Patches of the one-byte form, found by comparing two builds; None when there is no such form."""
    code, patches = first
    other, other_patches = second
    if len(code) != len(other) or patches != other_patches:
        return None
    found = []
    for offset, (one, two) in enumerate(zip(code, other)):
        if one == two:
            continue
        hole = [h for h in HOLES if values[0][h] & 255 == one and values[1][h] & 255 == two]
        if not hole:
            return None
        found.append((offset, 3 + HOLES.index(hole[0])))
    holes = sorted(kind % 3 for _, kind in long_patches if kind < PATCH_TRAP and kind != PATCH_TAKEN)
    if sorted(kind % 3 for _, kind in found) != holes:
        return None
    return code, sorted(found + patches)


def build(clang, folder, chosen):
    pool, results = Pool(), {}
    for real in ("double", "float"):
        source = os.path.join(folder, real + ".c")
        write_source(source, chosen, real)
        general = compile_source(clang, source, None)
        short = [compile_source(clang, source, values) for values in SHORT]
        for name, (code, relocations) in general[0].items():
            row, kind, _ = chosen[int(name[2:])]
            effects = general[2][name] | short[0][2][name] | short[1][2][name]
            if effects:
                branches = row.shape.endswith(("BRANCH", "TEST"))
                if kind not in row.guaranteed():
                    continue  # the compiler does without
                if branches or effects & USES_STACK:
                    raise Failure("%s %s needs too many registers" % (row.name, kind))
            full = finish(code, relocations, general[1], pool)
            small = None
            if any(kind < 3 for _, kind in full[1]):
                forms = [finish(*s[0][name], s[1], pool) for s in short]
                small = shorten(forms[0], forms[1], SHORT, full[1])
                if small and len(small[0]) >= len(full[0]):
                    small = None
            results[int(name[2:])] = (full, small, effects)
    return pool, results


def write_bytes(file, name, data):
    file.write("static const uint8_t %s[%d] = {\n" % (name, len(data)))
    for at in range(0, len(data), 32):
        file.write(",".join(str(b) for b in data[at:at + 32]) + ",\n")
    file.write("};\n\n")


class Sharing:
    """Equal byte strings are kept once."""

    def __init__(self):
        self.data, self.known = bytearray(), {}

    def place(self, value):
        if value not in self.known:
            self.known[value] = len(self.data)
            self.data += value
        return self.known[value]


def write_table(path, rows, chosen, pool, results):
    code, patches = Sharing(), Sharing()
    forms = {}

    def form(entry, effects):
        body, holes = entry
        flat = bytes(n for patch in holes for n in patch)
        row = (code.place(body), len(body), patches.place(flat), len(holes) + 64 * effects)
        return forms.setdefault(row, len(forms))

    bases, total = {}, 0
    for row in rows:
        bases[row.name] = total
        a, b, d = (len(kinds) for kinds in row.kinds())
        total += 0 if row.is_encoded() else a * b * d
    entries = []
    for index, (row, kind, _) in enumerate(chosen):
        if index not in results:
            continue
        full, small, effects = results[index]
        a, b, d = (kinds.index(k) for k, kinds in zip(kind, row.kinds()))
        at = bases[row.name] + (a * len(row.kinds()[1]) + b) * len(row.kinds()[2]) + d
        full = form(full, effects)
        entries.append((at, full, form(small, effects) if small else full))
    with open(path, "w") as file:
        file.write("/* SPDX-License-Identifier: Apache-2.0 */\n"
                   "/* Generated by tools/stencils/generate.py; docs/compiler.md tells how.  Don't edit. */\n")
        file.write("/* clang-format off */\n")
        write_definitions(file, rows, bases, total)
        file.write("enum { STENCIL_ENTRY_COUNT = %d, STENCIL_FORM_COUNT = %d };\n\n" % (
            len(entries), len(forms)))
        file.write("static const struct stencil_form stencil_forms[] = {\n")
        ordered = [row for row, _ in sorted(forms.items(), key=lambda item: item[1])]
        for at in range(0, len(ordered), 6):
            file.write("".join("{%d,%d,%d,%d}," % (c, p, n, m) for c, n, p, m in ordered[at:at + 6]) + "\n")
        file.write("};\n\nstatic const struct stencil_entry stencil_entries[] = {\n")
        for at in range(0, len(entries), 8):
            file.write("".join("{%d,%d,%d}," % e for e in entries[at:at + 8]) + "\n")
        file.write("};\n\n")
        write_bytes(file, "stencil_code", bytes(code.data) + bytes(32))
        write_bytes(file, "stencil_patches", bytes(patches.data) + bytes(8))
        write_bytes(file, "stencil_pool", bytes(pool.data))
        file.write("#endif\n")
    return len(entries), len(code.data), len(forms)


def write_definitions(file, rows, bases, total):
    file.write("#ifdef STENCIL_WANT_OPERATIONS\nenum stencil_operation {\nSTENCIL_NONE,\n")
    for row in rows:
        file.write(row.constant() + ",\n")
    file.write("STENCIL_OPERATION_COUNT\n};\n#endif\n#ifdef STENCIL_WANT_TABLES\n")
    file.write("enum { STENCIL_INDEX_SIZE = %d };\n\n" % total)
    file.write("static const struct stencil_family stencil_families[] = {\n{0, 0, 0, 0},\n")
    for row in rows:
        a, b, d = (len(kinds) for kinds in row.kinds())
        file.write("{%d, %d, %d, SHAPE_%s}, /* %s */\n" % (bases[row.name], b, d, row.shape, row.name))
    file.write("};\n\n")
    accesses = {}
    by_name = {row.name: row for row in rows}
    for opcode, (name, kind) in operations.ACCESS_OPCODES.items():
        accesses[opcode] = (by_name[name], kind)
    for title, low, count in (("operations", 0, 256), ("saturating_operations", 0xfc00, 8)):
        file.write("const struct operation %s[%d] = {\n" % (title, count))
        for row in rows:
            if row.opcode is not None and low <= row.opcode < low + count:
                others = [o.constant() if o else "STENCIL_NONE"
                          for o in (row.branch, row.branch_not)]
                others.append(str(row.swapped.opcode if row.swapped else 0))
                file.write("[%d] = {%s, SHAPE_%s, MACHINE_%s, MACHINE_%s, %s},\n" % (
                    row.opcode - low, row.constant(), row.shape, row.source, row.target,
                    ", ".join(others)))
        for opcode, (row, kind) in accesses.items():
            if low <= opcode < low + count:
                file.write("[%d] = {%s, SHAPE_%s, MACHINE_I32, MACHINE_%s, 0, 0, 0},\n" % (
                    opcode, row.constant(), row.shape, kind))
        file.write("};\n\n")
    file.write("#ifdef STENCIL_WANT_NAMES\nstatic const char *const stencil_names[] = {\n\"none\",\n")
    for row in rows:
        file.write('"%s",\n' % row.name)
    file.write("};\n#endif\n\n")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--output", default=os.path.join(HERE, "../../src/wasm/stencils.inc"))
    parser.add_argument("--used", default=os.path.join(HERE, "used.txt"))
    parser.add_argument("--clang", default="clang-19")
    parser.add_argument("--work", default=None)
    options = parser.parse_args()
    rows = operations.build()
    try:
        chosen = choose(rows, read_used(options.used))
        with tempfile.TemporaryDirectory() as folder:
            pool, results = build(options.clang, options.work or folder, chosen)
        entries, size, forms = write_table(options.output, rows, chosen, pool, results)
    except Failure as failure:
        sys.exit("generate.py: %s" % failure)
    print("%d stencils in %d forms, %d bytes of code, %d of constants" % (
        entries, forms, size, len(pool.data)))


if __name__ == "__main__":
    main()
