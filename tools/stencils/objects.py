# SPDX-License-Identifier: Apache-2.0
"""Reads what clang made: the bytes of each stencil and the places to patch in them."""

import struct

R_X86_64_64, R_X86_64_PC32, R_X86_64_PLT32, R_X86_64_32, R_X86_64_32S = 1, 2, 4, 10, 11
R_X86_64_16, R_X86_64_8 = 12, 14


class Section:
    def __init__(self, name, kind, offset, size, link, info):
        self.name, self.kind, self.offset, self.size = name, kind, offset, size
        self.link, self.info = link, info


def c_string(data, at):
    return data[at:data.index(b"\0", at)].decode()


def read_object(path):
    """{stencil: (bytes, [(offset, type, symbol, addend)])} and {section name: bytes}."""
    with open(path, "rb") as file:
        data = file.read()
    table_offset, = struct.unpack_from("<Q", data, 40)
    entry_size, count, names_index = struct.unpack_from("<HHH", data, 58)
    if count == 0:
        count, = struct.unpack_from("<Q", data, table_offset + 32)
    rows = [struct.unpack_from("<IIQQQQIIQQ", data, table_offset + n * entry_size)
            for n in range(count)]
    if names_index == 0xffff:
        names_index = rows[0][6]
    names = rows[names_index][4]
    sections = [Section(c_string(data, names + r[0]), r[1], r[4], r[5], r[6], r[7]) for r in rows]
    symbols = read_symbols(data, sections)
    content = {n: data[s.offset:s.offset + s.size] for n, s in enumerate(sections) if s.kind == 1}
    relocations = {}
    for section in sections:
        if section.kind != 4:
            continue
        rows = relocations.setdefault(section.info, [])
        for at in range(section.offset, section.offset + section.size, 24):
            offset, info, addend = struct.unpack_from("<QQq", data, at)
            rows.append((offset, info & 0xffffffff, symbols[info >> 32], addend))
    stencils = {}
    for index, section in enumerate(sections):
        if section.name.startswith(".text.s_"):
            stencils[section.name[6:]] = (content[index], sorted(relocations.get(index, [])))
    pools = {section.name: content[index] for index, section in enumerate(sections)
             if section.name.startswith(".rodata")}
    return stencils, pools


def read_symbols(data, sections):
    """Names; a section symbol or a local label gives (section name, offset)."""
    result = []
    for table in sections:
        if table.kind != 2:
            continue
        strings = sections[table.link].offset
        for at in range(table.offset, table.offset + table.size, 24):
            name, info, _, index, value, _ = struct.unpack_from("<IBBHQQ", data, at)
            text = c_string(data, strings + name)
            inside = 0 < index < 0xff00 and sections[index].name.startswith(".rodata")
            result.append((sections[index].name, value) if inside else (text, None))
    return result
