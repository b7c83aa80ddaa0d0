# SPDX-License-Identifier: Apache-2.0
"""Answers of a name server that means no good, for names below lies.other.test; python 3, no libraries."""
import ipaddress
import struct

A, CNAME, TXT, AAAA = 1, 5, 16, 28
OWNER = b"\xc0\x0c"  # the question's name


def record(kind, data, owner=OWNER, size=None, group=1):
    return owner + struct.pack(">HHIH", kind, group, 0, len(data) if size is None else size) + data


def labels(name):
    return b"".join(bytes([len(part)]) + part.encode() for part in name.split(".")) + b"\0"


def address(text):
    packed = ipaddress.ip_address(text).packed
    return record(A if len(packed) == 4 else AAAA, packed)


# Addresses that are refused, whatever they stand for; the name's first label is the address without its dots and colons.
ADDRESSES = [
    "0.0.0.0", "0.1.2.3", "10.0.0.1", "100.64.0.1", "100.100.100.200", "127.0.0.2", "169.254.1.1", "172.16.0.1", "192.0.0.8", "192.168.0.1", "198.18.0.1", "224.0.0.1", "240.0.0.1",
    "255.255.255.255", "::", "::1", "::127.0.0.1", "::ffff:127.0.0.1", "::ffff:169.254.169.254", "::ffff:0:127.0.0.1", "64:ff9b::7f00:1", "64:ff9b::a9fe:a9fe", "64:ff9b:1::7f00:1",
    "2002:7f00:1::", "2002:a9fe:a9fe::1", "2001::7f00:1", "2001:0:7f00:1::80ff:fffe", "fc00::1", "fd00:ec2::254", "fe80::1", "fec0::1", "ff02::1", "2001:db8::1", "100::1", "5f00::1",
]


def label_of(text):
    return text.replace(".", "-").replace(":", "x")


BY_LABEL = {label_of(text): text for text in ADDRESSES}
GOOD, BAD = address("127.0.0.1"), address("10.0.0.1")
chain = b"".join(record(CNAME, labels(f"c{i + 1}.other.test"), labels(f"c{i}.other.test") if i else OWNER) for i in range(40))

# name -> the answer's records, how many are said to be there, flags, TCP only
LIES = {
    "two": (GOOD + BAD, 2), "two-last": (BAD + GOOD, 2), "many": (GOOD * 2000 + BAD, 2001),
    "other-name": (record(A, b"\x7f\0\0\1", labels("evil.other.test")), 1), "root": (record(A, b"\x7f\0\0\1", b"\0"), 1),
    "alias-away": (record(CNAME, labels("inner.other.test")) + record(A, b"\x0a\0\0\1", labels("inner.other.test")), 2),
    "alias-loop": (record(CNAME, labels("b.other.test")) + record(CNAME, OWNER, labels("b.other.test")), 2), "alias-self": (record(CNAME, OWNER), 1),
    "alias-chain": (chain + record(A, b"\x7f\0\0\1", labels("c40.other.test")), 41), "alias-none": (record(CNAME, labels("x.other.test")), 1),
    "pointer": (record(A, b"\x7f\0\0\1", b"\xff\xff"), 1), "pointer-self": (record(A, b"\x7f\0\0\1", b"\xc0\x2a"), 1), "short": (record(A, b"\x7f\0\0", size=3), 1), "long": (record(A, b"\x7f\0\0\1\1"), 1),
    "beyond": (record(A, b"\x7f\0\0\1", size=400), 1), "half": (GOOD[:9], 1), "none": (b"", 1), "more-said": (GOOD, 65535), "chaos": (record(A, b"\x7f\0\0\1", group=3), 1),
    "text": (record(TXT, b"\x04evil"), 1), "wide": (record(A, ipaddress.ip_address("::1").packed), 1), "nothing": (b"", 0),
}


def response(label, kind, message, question):
    """The datagram for a question, or b"" for none."""
    records, count, flags, number = b"", 0, 0x8180, message[:2]
    if label in BY_LABEL:
        if (kind == A) == ("." in BY_LABEL[label] and ":" not in BY_LABEL[label]):
            records, count = address(BY_LABEL[label]), 1
    elif label == "id":
        records, count, number = GOOD, 1, bytes([message[0] ^ 1, message[1]])
    elif label == "query":
        records, count, flags = GOOD, 1, 0x0180
    elif label == "question":
        records, count, question = GOOD, 1, labels("other.lies.other.test") + question[-4:]
    elif label == "servfail":
        records, count, flags = GOOD, 1, 0x8182
    elif label == "empty":
        return b""
    elif label == "bytes":
        return b"\0"
    elif label in ("cut", "cut-huge", "cut-half", "cut-bad"):
        flags = 0x8380  # the rest by TCP
    elif kind == A and label in LIES:
        records, count = LIES[label]
    return number + struct.pack(">HHHHH", flags, 1, count, 0, 0) + question + records


def by_tcp(label, message, question):
    """What comes by TCP, its two bytes of length included."""
    head = message[:2] + struct.pack(">HHHHH", 0x8180, 1, 1, 0, 0) + question
    if label == "cut-huge":  # 64 KiB, and the last one of its addresses is not to be asked
        count = (65535 - len(head)) // len(GOOD) - 1
        text = message[:2] + struct.pack(">HHHHH", 0x8180, 1, count + 1, 0, 0) + question + GOOD * count + BAD
        return struct.pack(">H", len(text)) + text
    if label == "cut-half":
        return struct.pack(">H", 65535) + head
    if label == "cut-bad":
        return struct.pack(">H", len(head + BAD)) + head + BAD
    return struct.pack(">H", len(head + GOOD)) + head + GOOD
