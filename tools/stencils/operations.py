# SPDX-License-Identifier: Apache-2.0
"""The table of operations: one row an operation, and the C text of each stencil.

An operation has a shape, which says what its operands a, b and its destination d may be.  A stencil
is an operation with one choice of kinds, written `abd`: a digit is a register (0-2 cache the operand
stack, the rest hold pinned locals), s a frame slot, c a constant, - nothing.
"""

INTEGER_REGISTERS = ["rax", "rdx", "rcx", "rdi", "rsi", "r8", "r9", "r11", "r15"]
FLOAT_REGISTERS = ["xmm%d" % n for n in range(8)]
INTEGER = "012345678sc"
FLOAT = "01234567s"
INTEGER_TARGET = "012345678"
FLOAT_TARGET = "01234567"
STACK = "012"
NONE = "-"

# shape: kinds of a, b and d
SHAPES = {
    "INTEGER_BINARY": (INTEGER, INTEGER, INTEGER_TARGET),
    "INTEGER_COMPARE": (INTEGER, INTEGER, INTEGER_TARGET),
    "INTEGER_BRANCH": (INTEGER, INTEGER, NONE),
    "INTEGER_UNARY": (INTEGER, NONE, INTEGER_TARGET),
    "INTEGER_TEST": (INTEGER, NONE, NONE),
    "FLOAT_BINARY": (FLOAT, FLOAT, FLOAT_TARGET),
    "FLOAT_UNARY": (FLOAT, NONE, FLOAT_TARGET),
    "FLOAT_COMPARE": (FLOAT, FLOAT, INTEGER_TARGET),
    "FLOAT_BRANCH": (FLOAT, FLOAT, NONE),
    "TO_FLOAT": (INTEGER, NONE, FLOAT_TARGET),
    "TO_INTEGER": (FLOAT, NONE, INTEGER_TARGET),
    "LOAD_INTEGER": (INTEGER, NONE, INTEGER_TARGET),
    "LOAD_FLOAT": (INTEGER, NONE, FLOAT_TARGET),
    "STORE_INTEGER": (INTEGER, INTEGER, NONE),
    "STORE_FLOAT": (INTEGER, FLOAT, NONE),
    "SELECT_INTEGER": (INTEGER, INTEGER, INTEGER_TARGET),
    "SELECT_FLOAT": (INTEGER, FLOAT, FLOAT_TARGET),
}

CONDITIONS = {  # name: C operator, signed, flag, negation, swapped
    "eq": ("==", False, "e", "ne", "eq"),
    "ne": ("!=", False, "ne", "eq", "ne"),
    "lt_s": ("<", True, "l", "ge_s", "gt_s"),
    "lt_u": ("<", False, "b", "ge_u", "gt_u"),
    "gt_s": (">", True, "g", "le_s", "lt_s"),
    "gt_u": (">", False, "a", "le_u", "lt_u"),
    "le_s": ("<=", True, "le", "gt_s", "ge_s"),
    "le_u": ("<=", False, "be", "gt_u", "ge_u"),
    "ge_s": (">=", True, "ge", "lt_s", "le_s"),
    "ge_u": (">=", False, "ae", "lt_u", "le_u"),
}
FLOAT_CONDITIONS = {"eq": "==", "ne": "!=", "lt": "<", "gt": ">", "le": "<=", "ge": ">="}
FLOAT_SWAPPED = {"eq": "eq", "ne": "ne", "lt": "gt", "gt": "lt", "le": "ge", "ge": "le"}
COMMUTATIVE = {"add", "mul", "and", "or", "xor"}
FLOAT_COMMUTATIVE = set()  # NaN payloads follow the first operand: never swapped

MASK = {32: 31, 64: 63}

# What src/wasm/baseline_encoded.c makes without a stencil, whatever the operands are.
ENCODED = {"f%d.%s" % (width, name) for width in (32, 64) for name in ("add", "sub", "mul", "div")}
ENCODED |= {"i%d.%s" % (width, name) for width in (32, 64)
            for name in ("add", "sub", "mul", "and", "or", "xor")}
ENCODED |= {"br.i%d.%s" % (width, name) for width in (32, 64)
            for name in (*CONDITIONS, "eqz", "nez", "bits", "no_bits")}
ENCODED |= {"i32.add.scaled%d" % shift for shift in (1, 2, 3)}
ENCODED |= {"i32.wrap_i64", "i64.extend_i32_s"}


class Operation:
    def __init__(self, name, shape, body, opcode=None, source="NONE", target="NONE", file="double"):
        self.name, self.shape, self.body, self.opcode = name, shape, body, opcode
        self.source, self.target, self.file = source, target, file
        self.branch = self.branch_not = self.swapped = None

    def constant(self):
        return "STENCIL_" + self.name.upper().replace(".", "_")

    def kinds(self):
        return SHAPES[self.shape]

    def is_encoded(self):
        return self.name in ENCODED

    def guaranteed(self):
        """Kinds that are always generated: the first operand in a stack register, which the result
        replaces; the second as it comes.  To these the compiler falls back."""
        shape = self.shape
        seconds = self.kinds()[1]
        pairs = [a + b for a in STACK for b in seconds if a != b]
        if shape in ("INTEGER_BINARY", "FLOAT_BINARY", "INTEGER_COMPARE"):
            return [p + p[0] for p in pairs]
        if shape in ("INTEGER_BRANCH", "FLOAT_BRANCH", "STORE_INTEGER"):
            return [p + "-" for p in pairs]
        if shape in ("INTEGER_UNARY", "FLOAT_UNARY", "LOAD_INTEGER"):
            return [a + "-" + a for a in STACK]
        if shape == "INTEGER_TEST":
            return [a + "--" for a in STACK]
        if shape == "FLOAT_COMPARE":
            return [p + d for p in pairs for d in STACK if p[1] in STACK]
        if shape in ("TO_FLOAT", "TO_INTEGER"):
            return [a + "-" + d for a in STACK for d in STACK]
        if shape == "LOAD_FLOAT":
            return [a + "-" + d for a in INTEGER for d in FLOAT_TARGET]
        if shape == "STORE_FLOAT":
            return [a + b + "-" for a in INTEGER for b in FLOAT_TARGET]
        if shape == "SELECT_INTEGER":
            return [c + b + d for c in STACK for b in STACK for d in STACK
                    if c != b and b != d and c != d]
        if shape == "SELECT_FLOAT":
            return [c + b + d for c in STACK for b in STACK for d in STACK if b != d]
        raise ValueError(shape)


def unsigned(width):
    return "u%d" % width


def integer(kind, hole, width):
    """C text of an integer operand's value."""
    if kind == "s":
        return "(*(%s *)(frame + %s))" % (unsigned(width), hole)
    if kind == "c":
        return "CONSTANT%d(%s)" % (width, hole)
    return "((%s)R%s)" % (unsigned(width), kind)


def real(kind, hole):
    return "(*(real *)(frame + %s))" % hole if kind == "s" else "F%s" % kind


def integer_binary(name, width):
    suffix = "l" if width == 32 else "q"
    mask = MASK[width]
    signed = "s%d" % width
    expressions = {
        "add": "a + b", "sub": "a - b", "mul": "a * b", "and": "a & b", "or": "a | b",
        "xor": "a ^ b", "shl": "a << (b & %d)" % mask, "shr_u": "a >> (b & %d)" % mask,
        "shr_s": "(%s)((%s)a >> (b & %d))" % (unsigned(width), signed, mask),
        "rotl": "(a << (b & %d)) | (a >> (-b & %d))" % (mask, mask),
        "rotr": "(a >> (b & %d)) | (a << (-b & %d))" % (mask, mask),
    }
    in_place = {"and": "and", "or": "or", "xor": "xor", "shl": "shl", "shr_u": "shr", "shr_s": "sar",
                "rotl": "rol", "rotr": "ror"}

    def body(a, b, d):
        u = unsigned(width)
        if b != "c":
            return "%s a = %s, b = %s; R%s = (%s)(%s);" % (
                u, integer(a, "A", width), integer(b, "B", width), d, u, expressions[name])
        if name == "sub":
            return None
        # The whole register: clang would zero-extend a 32-bit result of asm once more.
        value = "R" + a if a in INTEGER_TARGET else integer(a, "A", width)
        k = "k" if width == 32 else ""
        text = "u64 a = %s; " % value
        if name == "add" and a != d:
            text += 'asm("lea%s %%c2(%%q1), %%%s0" : "=r"(a) : "r"(a), "i"(B));' % (suffix, k)
        elif name == "mul":
            text += 'asm("imul%s %%2, %%%s1, %%%s0" : "=r"(a) : "r"(a), "i"(B));' % (suffix, k, k)
        else:
            text += 'asm("%s%s %%1, %%%s0" : "+r"(a) : "i"(B));' % (
                in_place.get(name, name), suffix, k)
        return text + " R%s = a;" % d
    return body


def add_scaled(shift):
    """a + (b << shift): one lea."""
    def body(a, b, d):
        if "c" in (a, b):
            return None
        return "u32 a = %s, b = %s; R%s = (u32)(a + (b << %d));" % (
            integer(a, "A", 32), integer(b, "B", 32), d, shift)
    return body


def divide(name, width):
    u, s = "u%d" % width, "s%d" % width
    least = "(%s)1 << %d" % (u, width - 1)
    trap_zero = "if (b == 0) TRAP(DIVIDE_BY_ZERO) "
    bodies = {
        "div_s": trap_zero + "%s q; if (b == (%s)-1) { if (a == (%s)) TRAP(INTEGER_OVERFLOW) "
                 "q = -a; } else q = (%s)((%s)a / (%s)b);" % (u, u, least, u, s, s),
        "div_u": trap_zero + "%s q = a / b;" % u,
        "rem_s": trap_zero + "%s q = b == (%s)-1 ? 0 : (%s)((%s)a %% (%s)b);" % (u, u, u, s, s),
        "rem_u": trap_zero + "%s q = a %% b;" % u,
    }

    def body(a, b, d):
        if b in "cs" or (width == 64 and a == "s"):  # slots take a scratch register too many
            return None
        return "%s a = %s, b = %s; %s R%s = q;" % (
            u, integer(a, "A", width), integer(b, "B", width), bodies[name], d)
    return body


def comparison(condition, width, a, b):
    """Statements that leave `bool f`."""
    operator, is_signed, flag = CONDITIONS[condition][:3]
    suffix = "l" if width == 32 else "q"
    if b == "c":
        place = '"m"' if a == "s" else '"r"'
        return 'int f; asm("cmp%s %%2, %%1" : "=@cc%s"(f) : %s(%s), "i"(B));' % (
            suffix, flag, place, integer(a, "A", width))
    u, t = unsigned(width), ("s%d" if is_signed else "u%d") % width
    return "%s a = %s, b = %s; int f = (%s)a %s (%s)b;" % (
        u, integer(a, "A", width), integer(b, "B", width), t, operator, t)


def integer_compare(condition, width):
    return lambda a, b, d: comparison(condition, width, a, b) + " R%s = (u32)f;" % d


def integer_branch(condition, width):
    return lambda a, b, d: comparison(condition, width, a, b) + " if (f) TAKEN"


def bit_branch(flag, width):
    """Branch on (a & b) == 0 or != 0."""
    suffix = "l" if width == 32 else "q"
    u = unsigned(width)

    def body(a, b, d):
        if b == "c":
            place = '"m"' if a == "s" else '"r"'
            return 'int f; asm("test%s %%2, %%1" : "=@cc%s"(f) : %s(%s), "i"(B)); if (f) TAKEN' % (
                suffix, flag, place, integer(a, "A", width))
        operator = "==" if flag == "e" else "!="
        return "%s a = %s, b = %s; if ((a & b) %s 0) TAKEN" % (
            u, integer(a, "A", width), integer(b, "B", width), operator)
    return body


def zero_branch(operator, width):
    return lambda a, b, d: "if (%s %s 0) TAKEN" % (integer(a, "A", width), operator)


def integer_unary(expression, width, result):
    def body(a, b, d):
        if a == "c":
            return None
        return "%s a = %s; R%s = (%s)(%s);" % (
            unsigned(width), integer(a, "A", width), d, unsigned(result), expression)
    return body


def float_binary(expression):
    return lambda a, b, d: "real a = %s, b = %s; %s F%s = r;" % (
        real(a, "A"), real(b, "B"), expression, d)


def float_unary(expression):
    return lambda a, b, d: "real a = %s; F%s = %s;" % (real(a, "A"), d, expression)


def float_compare(operator):
    return lambda a, b, d: "R%s = (u32)(%s %s %s);" % (d, real(a, "A"), operator, real(b, "B"))


def float_branch(operator, negated):
    def body(a, b, d):
        test = "%s %s %s" % (real(a, "A"), operator, real(b, "B"))
        return "if (%s) TAKEN" % ("!(%s)" % test if negated else test)
    return body


def promote(instruction):
    """Between the two float types: the registers hold either, so asm and not a C cast."""
    def body(a, b, d):
        if a == "s":
            return ('real r; asm("vxorps %%0, %%0, %%0\\n\\t%s %%1, %%0, %%0" : "=x"(r) : '
                    '"m"(*(u64 *)(frame + A))); F%s = r;' % (instruction, d))
        return 'real r; asm("%s %%1, %%1, %%0" : "=x"(r) : "x"(F%s)); F%s = r;' % (instruction, a, d)
    return body


def to_float(cast, width):
    def body(a, b, d):
        if a == "c":
            return None
        return "F%s = (real)(%s)%s;" % (d, cast, integer(a, "A", width))
    return body


def reinterpret_to_float(width):
    def body(a, b, d):
        if a == "c":
            return None
        return "u%d a = %s; real r; __builtin_memcpy(&r, &a, sizeof r); F%s = r;" % (
            width, integer(a, "A", width), d)
    return body


def reinterpret_to_integer(width):
    return lambda a, b, d: "real a = %s; u%d r; __builtin_memcpy(&r, &a, sizeof r); R%s = r;" % (
        real(a, "A"), width, d)


# Bounds of the conversions: the first value below and above what fits.
def truncation_bounds(source, target):
    low = {"s32": "-2147483649.0", "u32": "-1.0", "s64": "-9223372036854777856.0", "u64": "-1.0"}
    high = {"s32": "2147483648.0", "u32": "4294967296.0", "s64": "9223372036854775808.0",
            "u64": "18446744073709551616.0"}
    if source == "float" and target == "s32":
        low["s32"] = "-2147483904.0"
    if source == "float" and target == "s64":
        low["s64"] = "-9223373136366403584.0"
    return low[target], high[target]


def convert(target):
    """Vector instructions convert signed integers only; 32-bit unsigned goes by way of 64 bits."""
    return {"s32": "(u32)(s32)a", "u32": "(u32)(s64)a", "s64": "(u64)(s64)a",
            "u64": "(a < (real)0x1p63 ? (u64)(s64)a : (u64)(s64)(a - (real)0x1p63) ^ (1ull << 63))"
            }[target]


def truncate(source, target):
    low, high = truncation_bounds(source, target)
    return lambda a, b, d: (
        "real a = %s; if (a != a) TRAP(CONVERSION) "
        "if (!(a > (real)%s && a < (real)%s)) TRAP(INTEGER_OVERFLOW) R%s = %s;" % (
            real(a, "A"), low, high, d, convert(target)))


def saturate(source, target):
    low, high = truncation_bounds(source, target)
    least = {"s32": "0x80000000u", "u32": "0", "s64": "1ull << 63", "u64": "0"}[target]
    most = {"s32": "0x7fffffffu", "u32": "0xffffffffu", "s64": "~0ull >> 1", "u64": "~0ull"}[target]
    u = "u" + target[1:]
    return lambda a, b, d: (
        "real a = %s; %s r; if (a != a) r = 0; else if (!(a > (real)%s)) r = %s; "
        "else if (!(a < (real)%s)) r = %s; else r = (%s)(%s); R%s = r;" % (
            real(a, "A"), u, low, least, high, most, u, convert(target), d))


def address(kind):
    if kind == "c":
        return "memory + C"
    if kind == "s":
        return "memory + (u64)*(u32 *)(frame + A) + C"
    return "memory + R%s + C" % kind


def load_integer(memory, result):
    return lambda a, b, d: "R%s = (%s)*(%s *)(%s);" % (d, result, memory, address(a))


def load_float():
    return lambda a, b, d: "F%s = *(unaligned_real *)(%s);" % (d, address(a))


def store_integer(width):
    letter = {8: "b", 16: "w", 32: "l", 64: "q"}[width]

    def body(a, b, d):
        if b != "c":
            value = integer(b, "B", 64 if width == 64 else 32)
            return "*(unaligned_u%d *)(%s) = (u%d)%s;" % (width, address(a), width, value)
        if a == "c":
            return 'asm volatile("mov%s %%0, %%c1(%%2)" :: "i"(B), "i"(C), "r"(memory) : "memory");' % letter
        index = "(u64)*(u32 *)(frame + A)" if a == "s" else "R" + a
        return ('asm volatile("mov%s %%0, %%c1(%%2,%%3)" :: "i"(B), "i"(C), "r"(memory), "r"(%s) '
                ': "memory");' % (letter, index))
    return body


def store_float():
    def body(a, b, d):
        if b == "s":
            return None
        return "*(unaligned_real *)(%s) = F%s;" % (address(a), b)
    return body


def select_integer():
    """d is also the value taken when the condition holds."""
    def body(c, b, d):
        if c == "c" or b == "c":
            return None
        return "u64 b = %s; R%s = %s ? R%s : b;" % (integer(b, "B", 64), d, integer(c, "A", 32), d)
    return body


def select_float():
    def body(c, b, d):
        if c == "c":
            return None
        return "if (!%s) F%s = %s;" % (integer(c, "A", 32), d, real(b, "B"))
    return body


MINIMUM = ("real r; if (a < b) r = a; else if (b < a) r = b; else if (a == b) r = real_or(a, b); "
           "else r = a + b;")
MAXIMUM = ("real r; if (a > b) r = a; else if (b > a) r = b; else if (a == b) r = real_and(a, b); "
           "else r = a + b;")


def build():
    rows = []
    by_name = {}

    def add(name, shape, body, opcode=None, source="NONE", target="NONE", file="double"):
        operation = Operation(name, shape, body, opcode, source, target, file)
        rows.append(operation)
        by_name[name] = operation
        return operation

    for width, compare, arithmetic in ((32, 0x46, 0x67), (64, 0x51, 0x79)):
        prefix, kind = "i%d." % width, "I%d" % width
        for index, condition in enumerate(CONDITIONS):
            add(prefix + condition, "INTEGER_COMPARE", integer_compare(condition, width),
                compare + index, kind, "I32")
            add("br." + prefix + condition, "INTEGER_BRANCH", integer_branch(condition, width))
        add(prefix + "eqz", "INTEGER_UNARY", integer_unary("a == 0", width, 32),
            0x45 if width == 32 else 0x50, kind, "I32")
        add("br." + prefix + "eqz", "INTEGER_TEST", zero_branch("==", width))
        add("br." + prefix + "nez", "INTEGER_TEST", zero_branch("!=", width))
        add("br." + prefix + "bits", "INTEGER_BRANCH", bit_branch("ne", width))
        add("br." + prefix + "no_bits", "INTEGER_BRANCH", bit_branch("e", width))
        for condition in CONDITIONS:
            row = by_name[prefix + condition]
            row.branch = by_name["br." + prefix + condition]
            row.branch_not = by_name["br." + prefix + CONDITIONS[condition][3]]
            row.swapped = by_name[prefix + CONDITIONS[condition][4]]
        by_name[prefix + "eqz"].branch = by_name["br." + prefix + "eqz"]
        by_name[prefix + "eqz"].branch_not = by_name["br." + prefix + "nez"]
        suffix = "" if width == 32 else "ll"
        for index, (name, text) in enumerate((
                ("clz", "a ? __builtin_clz%s(a) : %d" % (suffix, width)),
                ("ctz", "a ? __builtin_ctz%s(a) : %d" % (suffix, width)),
                ("popcnt", "__builtin_popcount%s(a)" % suffix))):
            add(prefix + name, "INTEGER_UNARY", integer_unary(text, width, width), arithmetic + index,
                kind, kind)
        for index, name in enumerate(("add", "sub", "mul", "div_s", "div_u", "rem_s", "rem_u", "and",
                                      "or", "xor", "shl", "shr_s", "shr_u", "rotl", "rotr")):
            maker = divide if name[:3] in ("div", "rem") else integer_binary
            row = add(prefix + name, "INTEGER_BINARY", maker(name, width), arithmetic + 3 + index,
                      kind, kind)
            row.swapped = row if name in COMMUTATIVE else None
    for real_type, compare, arithmetic, suffix in (("float", 0x5b, 0x8b, "f"),
                                                   ("double", 0x61, 0x99, "")):
        prefix = "f32." if real_type == "float" else "f64."
        kind = prefix[:3].upper()
        for index, (condition, operator) in enumerate(FLOAT_CONDITIONS.items()):
            row = add(prefix + condition, "FLOAT_COMPARE", float_compare(operator), compare + index,
                      kind, "I32", real_type)
            row.branch = add("br." + prefix + condition, "FLOAT_BRANCH",
                             float_branch(operator, False), file=real_type)
            row.branch_not = add("br.not." + prefix + condition, "FLOAT_BRANCH",
                                 float_branch(operator, True), file=real_type)
        for condition, swapped in FLOAT_SWAPPED.items():
            by_name[prefix + condition].swapped = by_name[prefix + swapped]
        for index, (name, text) in enumerate((
                ("abs", "__builtin_fabs%s(a)" % suffix), ("neg", "-a"),
                ("ceil", "__builtin_ceil%s(a)" % suffix), ("floor", "__builtin_floor%s(a)" % suffix),
                ("trunc", "__builtin_trunc%s(a)" % suffix),
                ("nearest", "__builtin_roundeven%s(a)" % suffix),
                ("sqrt", "__builtin_sqrt%s(a)" % suffix))):
            add(prefix + name, "FLOAT_UNARY", float_unary(text), arithmetic + index, kind, kind,
                real_type)
        for index, (name, text) in enumerate((
                ("add", "real r = a + b;"), ("sub", "real r = a - b;"), ("mul", "real r = a * b;"),
                ("div", "real r = a / b;"), ("min", MINIMUM), ("max", MAXIMUM),
                ("copysign", "real r = __builtin_copysign%s(a, b);" % suffix))):
            add(prefix + name, "FLOAT_BINARY", float_binary(text), arithmetic + 7 + index, kind, kind,
                real_type)
    conversions(add)
    memory_accesses(add)
    for shift in (1, 2, 3):
        add("i32.add.scaled%d" % shift, "INTEGER_BINARY", add_scaled(shift))
    add("i.select", "SELECT_INTEGER", select_integer())
    add("f32.select", "SELECT_FLOAT", select_float(), file="float")
    add("f64.select", "SELECT_FLOAT", select_float())
    return rows


def conversions(add):
    add("i32.wrap_i64", "INTEGER_UNARY", integer_unary("a", 32, 32), 0xa7, "I64", "I32")
    add("i64.extend_i32_s", "INTEGER_UNARY", integer_unary("(s64)(s32)a", 32, 64), 0xac, "I32", "I64")
    for opcode, name, cast, width, kind in (
            (0xc0, "i32.extend8_s", "(s32)(s8)a", 32, "I32"),
            (0xc1, "i32.extend16_s", "(s32)(s16)a", 32, "I32"),
            (0xc2, "i64.extend8_s", "(s64)(s8)a", 64, "I64"),
            (0xc3, "i64.extend16_s", "(s64)(s16)a", 64, "I64"),
            (0xc4, "i64.extend32_s", "(s64)(s32)a", 64, "I64")):
        add(name, "INTEGER_UNARY", integer_unary(cast, width, width), opcode, kind, kind)
    for base, result, letter in ((0xa8, "i32", "32"), (0xae, "i64", "64")):
        index = 0
        for real_type, source in (("float", "f32"), ("double", "f64")):
            for sign in "su":
                target = sign + letter
                add("%s.trunc_%s_%s" % (result, source, sign), "TO_INTEGER",
                    truncate(real_type, target), base + index, source.upper(), result.upper(),
                    real_type)
                add("%s.trunc_sat_%s_%s" % (result, source, sign), "TO_INTEGER",
                    saturate(real_type, target),
                    0xfc00 + index + (0 if result == "i32" else 4), source.upper(), result.upper(),
                    real_type)
                index += 1
    for base, result, real_type in ((0xb2, "f32", "float"), (0xb7, "f64", "double")):
        for index, (source, cast) in enumerate((("i32_s", "s32"), ("i32_u", "u64"), ("i64_s", "s64"),
                                                ("i64_u", "u64"))):
            width = int(source[1:3])
            add("%s.convert_%s" % (result, source), "TO_FLOAT", to_float(cast, width), base + index,
                source[:3].upper(), result.upper(), real_type)
    add("f32.demote_f64", "FLOAT_UNARY", promote("vcvtsd2ss"), 0xb6, "F64", "F32")
    add("f64.promote_f32", "FLOAT_UNARY", promote("vcvtss2sd"), 0xbb, "F32", "F64")
    add("i32.reinterpret_f32", "TO_INTEGER", reinterpret_to_integer(32), 0xbc, "F32", "I32", "float")
    add("i64.reinterpret_f64", "TO_INTEGER", reinterpret_to_integer(64), 0xbd, "F64", "I64")
    add("f32.reinterpret_i32", "TO_FLOAT", reinterpret_to_float(32), 0xbe, "I32", "F32", "float")
    add("f64.reinterpret_i64", "TO_FLOAT", reinterpret_to_float(64), 0xbf, "I64", "F64")


# Several opcodes share a stencil where the zero-extended results are equal.
def memory_accesses(add):
    loads = (
        ("load.u8", "u8", "u64"), ("load.u16", "unaligned_u16", "u64"),
        ("load.u32", "unaligned_u32", "u64"), ("load.u64", "unaligned_u64", "u64"),
        ("load.s8.i32", "s8", "u32)(s32"), ("load.s16.i32", "unaligned_s16", "u32)(s32"),
        ("load.s8.i64", "s8", "u64)(s64"), ("load.s16.i64", "unaligned_s16", "u64)(s64"),
        ("load.s32.i64", "unaligned_s32", "u64)(s64"))
    for name, memory, result in loads:
        add(name, "LOAD_INTEGER", load_integer(memory, result))
    add("load.f32", "LOAD_FLOAT", load_float(), file="float")
    add("load.f64", "LOAD_FLOAT", load_float())
    for width in (8, 16, 32, 64):
        add("store.%d" % width, "STORE_INTEGER", store_integer(width))
    add("store.f32", "STORE_FLOAT", store_float(), file="float")
    add("store.f64", "STORE_FLOAT", store_float())


ACCESS_OPCODES = {  # opcode: operation, type of the value
    0x28: ("load.u32", "I32"), 0x29: ("load.u64", "I64"), 0x2a: ("load.f32", "F32"),
    0x2b: ("load.f64", "F64"), 0x2c: ("load.s8.i32", "I32"), 0x2d: ("load.u8", "I32"),
    0x2e: ("load.s16.i32", "I32"), 0x2f: ("load.u16", "I32"), 0x30: ("load.s8.i64", "I64"),
    0x31: ("load.u8", "I64"), 0x32: ("load.s16.i64", "I64"), 0x33: ("load.u16", "I64"),
    0x34: ("load.s32.i64", "I64"), 0x35: ("load.u32", "I64"),
    0x36: ("store.32", "I32"), 0x37: ("store.64", "I64"), 0x38: ("store.f32", "F32"),
    0x39: ("store.f64", "F64"), 0x3a: ("store.8", "I32"), 0x3b: ("store.16", "I32"),
    0x3c: ("store.8", "I64"), 0x3d: ("store.16", "I64"), 0x3e: ("store.32", "I64"),
}
