#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Compile bombs: small or large modules made to cost a compiler far more than their size.

Each is given to s3n-compile with a limit of one second of processor time (RLIMIT_CPU of its jail): it must end by
itself, with an image or with a refusal that names a limit.  bombs.py [NAME...]; bombs.py --write FOLDER keeps them.
"""
import os
import resource
import struct
import subprocess
import sys
import tempfile

BUILD = os.environ.get("S3N_BUILD") or os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "build")
IMAGE_GROWTH_MAX = 64  # WASM_CODE_GROWTH_MAX
BOMBS = {}


def bomb(function):
    BOMBS[function.__name__.replace("_", "-")] = function
    return function


def u(number):
    out = bytearray()
    while True:
        byte = number & 0x7F
        number >>= 7
        out.append(byte | (0x80 if number else 0))
        if not number:
            return bytes(out)


def s(number):
    out = bytearray()
    while True:
        byte = number & 0x7F
        number >>= 7
        done = (number == 0 and not byte & 0x40) or (number == -1 and byte & 0x40)
        out.append(byte | (0 if done else 0x80))
        if done:
            return bytes(out)


def vector(items):
    return u(len(items)) + b"".join(items)


def section(number, content):
    return bytes([number]) + u(len(content)) + content


def kind(parameters, results):
    return b"\x60" + u(len(parameters)) + parameters + u(len(results)) + results


I32, I64, F64 = b"\x7f", b"\x7e", b"\x7c"
GET, SET, TEE = b"\x20", b"\x21", b"\x22"
BLOCK, LOOP, IF, ELSE, END = b"\x02\x40", b"\x03\x40", b"\x04\x40", b"\x05", b"\x0b"
CONST, DROP, ADD = b"\x41", b"\x1a", b"\x6a"


def module(types, functions, bodies, memory=False, extra=()):
    """extra: (section number, content)."""
    parts = {1: vector(types), 3: vector([u(f) for f in functions]), 10: vector(bodies)}
    if memory:
        parts[5] = b"\x01\x00\x01"
    parts.update(dict(extra))
    order = [1, 2, 3, 4, 5, 6, 7, 8, 9, 12, 10, 11]
    out = b"\0asm\1\0\0\0" + b"".join(section(n, parts[n]) for n in order if n in parts)
    return out + (section(0, parts[0]) if 0 in parts else b"")


def body(code, runs=()):
    content = vector([u(count) + kind_ for count, kind_ in runs]) + code + END
    return u(len(content)) + content


def one(code, runs=(), parameters=b"", results=b"", **rest):
    return module([kind(parameters, results)], [0], [body(code, runs)], **rest)


@bomb
def dependent_loads():
    return one(GET + u(0) + b"\x28\x02\x00" * 60000 + DROP, parameters=I32, memory=True)


@bomb
def blocks_times_locals():
    steps = b"".join(BLOCK + GET + u(i % 400) + b"\x0d\x00" + GET + u(i * 7 % 400) + SET + u(i * 13 % 400) + END
                     for i in range(4000))
    return one(LOOP + steps + GET + u(3) + b"\x0d\x00" + END, runs=[(400, I32)])


@bomb
def branch_table_of_4000_blocks():
    table = b"\x0e" + u(4000) + b"".join(u(i) for i in range(4000)) + u(0)
    return one(BLOCK * 4001 + GET + u(0) + table + END * 4001, parameters=I32)


@bomb
def deepest_nesting():
    return one(BLOCK * 49000 + END * 49000)


@bomb
def too_deep_nesting():
    return one(BLOCK * 3000000 + END * 3000000)


@bomb
def nested_loops():
    inside = b"".join(GET + u(i) + SET + u((i + 1) % 40) for i in range(40))
    return one(LOOP * 20000 + inside + END * 20000, runs=[(20, I32), (20, F64)][:1] + [(20, I32)])


@bomb
def longest_branch_table():
    table = b"\x0e" + u(7000000) + bytes(7000000) + u(0)
    return one(BLOCK + GET + u(0) + table + END, parameters=I32)


@bomb
def branch_table_with_a_thousand_results():
    count = 1000
    types = [kind(I32, b""), kind(b"", I32 * count)]
    deep = b"\x02\x01" * 60
    table = b"\x0e" + u(60000) + b"".join(u(i % 60) for i in range(60000)) + u(0)
    code = deep + (CONST + b"\x01") * count + GET + u(0) + table + (END + DROP * count + (CONST + b"\x01") * count) * 60
    return module(types, [0], [body(code + DROP * count)])


@bomb
def conditional_branches_with_a_thousand_results():
    count = 1000
    types = [kind(I32, b""), kind(b"", I32 * count)]
    code = b"\x02\x01" + CONST + b"\x07" + (CONST + b"\x01") * count + (GET + u(0) + b"\x0d\x00") * 300000
    return module(types, [0], [body(code + b"\x00" + END + DROP * count)])


@bomb
def blocks_that_pass_a_thousand_values():
    count = 1000
    types = [kind(b"", b""), kind(I32 * count, I32 * count)]
    code = (CONST + b"\x01") * count + (b"\x02\x01" + END) * 200000 + DROP * count
    return module(types, [0], [body(code)])


@bomb
def calls_with_many_locals():
    uses = b"".join(GET + u(i) + GET + u(i) + GET + u(i) + DROP * 3 for i in range(0, 49000, 3))
    return one(uses + b"\x10\x00" * 400000, runs=[(50000, I64)])


@bomb
def calls_between_pinned_locals():
    step = b"".join(GET + u(i) + CONST + b"\x01" + ADD + SET + u(i) for i in range(8)) + b"\x10\x00"
    return one(LOOP + step * 60000 + END, runs=[(8, I32)])


@bomb
def calls_with_a_thousand_arguments():
    count = 1000
    types = [kind(I32 * count, b""), kind(b"", b"")]
    call = (CONST + b"\x01") * count + b"\x10\x00"
    return module(types, [0, 1], [body(b""), body(call * 2000)])


@bomb
def functions_flood():
    return module([kind(b"", b"")], [0] * 999999, [body(b"")] * 999999)


@bomb
def functions_with_all_locals():
    return module([kind(b"", b"")], [0] * 20000, [body(b"", [(50000, F64)])] * 20000)


@bomb
def functions_with_a_thousand_parameters():
    return module([kind(F64 * 1000, b"")], [0] * 900000, [body(b"")] * 900000)


@bomb
def types_flood():
    types = [kind(bytes([0x7F - (i >> k & 3) for k in range(0, 20, 2)]), b"") for i in range(700000)]
    return module(types, [], [])


@bomb
def huge_types():
    types = [kind(I32 * 990 + struct.pack(">I", i).translate(bytes(0x7C + (b & 3) for b in range(256))), I32 * 1000)
             for i in range(30000)]
    return module(types, [], [])


@bomb
def giant_data_segment():
    return module([], [], [], memory=True, extra=[(5, b"\x01\x00" + u(2000)), (11, b"\x01\x00\x41\x00\x0b" + u(100 << 20) + os.urandom(1 << 20) * 100)])


@bomb
def overlapping_data_segments():
    one_segment = b"\x00" + CONST + s(0) + END + u(1000) + bytes(range(250)) * 4
    return module([], [], [], memory=True, extra=[(11, vector([one_segment] * 99999))])


@bomb
def scattered_data_segments():
    rows = [b"\x00" + CONST + s(struct.unpack("<i", struct.pack("<I", i * 40503 % 65536 * 65536))[0]) + END + b"\x01x"
            for i in range(99999)]
    return module([], [], [], extra=[(5, b"\x01\x00" + u(65536)), (11, vector(rows))])


@bomb
def giant_element_segment():
    return module([kind(b"", b"")], [0], [body(b"")],
                  extra=[(4, b"\x01\x70\x00" + u(4 << 20)), (9, b"\x01\x00\x41\x00\x0b" + u(4 << 20) + bytes(4 << 20))])


@bomb
def element_expressions_flood():
    count = 4 << 20
    return module([kind(b"", b"")], [0], [body(b"")], extra=[(9, b"\x01\x05\x70" + u(count) + b"\xd2\x00\x0b" * count)])


@bomb
def element_segments_flood():
    return module([kind(b"", b"")], [0], [body(b"")],
                  extra=[(4, b"\x01\x70\x00\x01"), (9, vector([b"\x00\x41\x00\x0b\x01\x00"] * 99999))])


@bomb
def exports_flood():
    rows = [u(200) + b"x" * 193 + b"%07d" % (i * 7919 % 1000003) + b"\x00\x00" for i in range(99999)]
    return module([kind(b"", b"")], [0], [body(b"")], extra=[(7, vector(rows))])


@bomb
def equal_exports():
    return module([kind(b"", b"")], [0], [body(b"")], extra=[(7, vector([b"\x01x\x00\x00"] * 99999))])


@bomb
def names_flood():
    count = 900000
    names = b"".join(u(i) + b"\x03abc" for i in range(count))
    content = b"\x04name\x01" + u(len(u(count) + names)) + u(count) + names
    return module([kind(b"", b"")], [0] * 100, [body(b"")] * 100, extra=[(0, content)])


@bomb
def names_of_one_function():
    count = 9000000
    names = u(count) + b"\x00\x01x" * count
    return module([kind(b"", b"")], [0], [body(b"")], extra=[(0, b"\x04name\x01" + u(len(names)) + names)])


@bomb
def custom_sections_flood():
    return b"\0asm\1\0\0\0" + b"\x00\x02\x01x" * 5000000


@bomb
def globals_flood():
    return module([], [], [], extra=[(6, vector([b"\x7e\x01\x42\x01\x0b"] * 999999))])


@bomb
def long_constant_expressions():
    count = 100
    row = b"\x7f\x00" + CONST + b"\x01" + (CONST + b"\x03" + b"\x6c") * 20000 + END
    return module([], [], [], extra=[(6, vector([row] * count))])


@bomb
def tables_of_all_memory():
    return module([], [], [], extra=[(4, vector([b"\x70\x00" + u(10000000)] * 64))])


@bomb
def tables_that_grow():
    grow = b"".join(b"\xd0\x70" + CONST + b"\x01" + b"\xfc\x0f" + u(i) + DROP for i in range(64))
    return module([kind(b"", b"")], [0], [body(grow)], extra=[(4, vector([b"\x70\x00\x00"] * 64))])


@bomb
def deepest_stack():
    return one((CONST + b"\x01") * 499000 + DROP * 499000)


@bomb
def lazy_locals():
    return one((GET + u(0)) * 200000 + (CONST + b"\x01" + SET + u(0)) * 200000 + DROP * 200000, runs=[(1, I32)])


@bomb
def lazy_locals_again_and_again():
    step = (GET + u(0)) * 40 + (GET + u(0) + SET + u(1) + CONST + b"\x01" + SET + u(0)) * 8 + DROP * 40
    return one((GET + u(1)) * 1000 + step * 4000 + DROP * 1000, runs=[(2, I32)])


@bomb
def blocks_over_a_deep_stack():
    return one((CONST + b"\x01") * 1000 + (GET + u(0)) * 100000 + (BLOCK + END) * 1000000 + DROP * 101000, runs=[(1, I32)])


@bomb
def choices():
    return one((GET + u(0) + IF + GET + u(1) + SET + u(2) + ELSE + GET + u(2) + SET + u(1) + END) * 500000, runs=[(20, I32)])


@bomb
def float_constants():
    code = b"".join(b"\x44" + struct.pack("<d", i + 0.5) + SET + u(0) for i in range(500000))
    return one(code, runs=[(1, F64)])


@bomb
def bulk_operations():
    fill = CONST + b"\x00" + CONST + b"\x00" + CONST + b"\x00" + b"\xfc\x0b\x00"
    return one(fill * 500000, memory=True)


@bomb
def jumps_to_one_place():
    return one(BLOCK + (GET + u(0) + b"\x0d\x00") * 1500000 + END, parameters=I32)


V128 = b"\x7b"


def v(code, *immediates):
    """A vector instruction."""
    return b"\xfd" + u(code) + b"".join(immediates)


def v_const(number):
    return v(0x0C, struct.pack("<QQ", number, number * 0x9E3779B97F4A7C15 & (1 << 64) - 1))


@bomb
def vector_locals():
    uses = b"".join(GET + u(i) + GET + u((i + 1) % 50000) + v(0x6E) + SET + u(i) for i in range(50000))
    return one(uses * 3, runs=[(50000, V128)])


@bomb
def vector_locals_between_calls():
    step = b"".join(GET + u(i) + GET + u(i + 1) + v(0xE4) + SET + u(i) for i in range(11)) + b"\x10\x00"
    return one(LOOP + step * 30000 + END, runs=[(12, V128)])


@bomb
def deepest_vector_stack():
    return one((CONST + b"\x00" + v(0, b"\x00\x00")) * 490000 + v(0x50) * 489999 + DROP, memory=True)


@bomb
def lazy_vector_locals():
    step = (GET + u(0)) * 40 + (GET + u(0) + GET + u(1) + v(0x51) + SET + u(0)) * 8 + v(0x50) * 39 + SET + u(1)
    return one(step * 8000, runs=[(2, V128)])


@bomb
def vector_constants():
    return one(b"".join(v_const(i + 1) + SET + u(i & 3) for i in range(300000)), runs=[(4, V128)])


@bomb
def vector_shuffles():
    lanes = lambda i: bytes((i * 7 + n * n * (i % 13 + 1)) % 32 for n in range(16))  # noqa: E731
    return one(b"".join(GET + u(0) + GET + u(1) + v(0x0D, lanes(i)) + SET + u(i & 1) for i in range(250000)), runs=[(2, V128)])


@bomb
def vector_shifts_of_bytes():
    return one((GET + u(0) + CONST + b"\x03" + v(0x6C) + SET + u(0)) * 500000, runs=[(1, V128)])


@bomb
def vector_stencils():
    return one((GET + u(0) + v(0xF9) + GET + u(1) + v(0xE9) + v(0x62) + SET + u(0)) * 300000, runs=[(2, V128)])


@bomb
def vector_splats():
    return one(b"".join(CONST + s(i) + v(0x11) + SET + u(0) for i in range(500000)), runs=[(1, V128)])


@bomb
def branch_table_with_a_thousand_vectors():
    count = 1000
    types = [kind(I32, b""), kind(b"", V128 * count)]
    values = (CONST + b"\x01" + v(0x0F)) * count
    table = b"\x0e" + u(30000) + b"".join(u(i % 60) for i in range(30000)) + u(0)
    code = b"\x02\x01" * 60 + values + GET + u(0) + table + (END + DROP * count + values) * 60
    return module(types, [0], [body(code + DROP * count)])


@bomb
def blocks_that_pass_a_thousand_vectors():
    count = 1000
    types = [kind(b"", b""), kind(V128 * count, V128 * count)]
    return module(types, [0], [body((CONST + b"\x01" + v(0x0F)) * count + (b"\x02\x01" + END) * 200000 + DROP * count)])


@bomb
def calls_with_a_thousand_vectors():
    count = 1000
    types = [kind(V128 * count, b""), kind(b"", b"")]
    call = (GET + u(0)) * count + b"\x10\x00"
    return module(types, [0, 1], [body(b""), body(call * 2000, [(1, V128)])])


@bomb
def vector_choices():
    return one((GET + u(0) + GET + u(1) + CONST + b"\x01" + b"\x1b" + SET + u(0)) * 500000, runs=[(2, V128)])


def compile_one(content, options):
    with tempfile.TemporaryFile() as source, tempfile.TemporaryFile() as image:
        source.write(content)
        source.seek(0)
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        run = subprocess.run([os.path.join(BUILD, "bin", "s3n-compile"), "--cpu-seconds", "1", *options], stdin=source,
                             stdout=image, stderr=subprocess.PIPE, text=True)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        seconds = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
        return run.returncode, run.stderr.strip(), image.seek(0, 2), seconds


def main():
    names = sys.argv[1:]
    if names[:1] == ["--write"]:
        for name, make in BOMBS.items():
            with open(os.path.join(names[1], name + ".wasm"), "wb") as file:
                file.write(make())
        return 0
    failed = 0
    chosen = names or list(BOMBS)
    for name in chosen:
        content = BOMBS[name]()
        for options in ([], ["--fuel", "--deterministic"]):
            status, text, size, seconds = compile_one(content, options)
            done = status == 0 and size <= 64 * len(content) + (64 << 20)
            limited = status == 9 and text.startswith("limit: ")
            # A module that is invalid on purpose: equal names.
            refused = name == "equal-exports" and status == 3
            good = done or limited or refused
            failed += not good
            print("%s  %s%s: %.2f s, %d KiB, image %d KiB%s" % (
                "ok   " if good else "FAIL ", name, " metered" if options else "", seconds, len(content) >> 10, size >> 10,
                ", " + text[:100] if text or not good else "") + ("" if good else " (status %d)" % status), flush=True)
    print("%d passed, %d failed, 0 skipped" % (2 * len(chosen) - failed, failed))
    return failed > 0


sys.exit(main())
