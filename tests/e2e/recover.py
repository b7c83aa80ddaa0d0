#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What a contract's `ecrecover(keccak256(TEXT), v, r, s)` gives: recover.py TEXT SIGNATURE (r, s, v in hexadecimal)."""
import sys

P = 2**256 - 2**32 - 977
N = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141
G = (0x79BE667EF9DCBBAC55A06295CE870B07029BFCDB2DCE28D959F2815B16F81798,
     0x483ADA7726A3C4655DA4FBFC0E1108A8FD17B448A68554199C47D08FFB10D4B8)
MASK = 2**64 - 1


def rotate(word: int, count: int) -> int:
    return (word << count | word >> (64 - count)) & MASK if count else word


def keccak_f(lanes: list[list[int]]) -> None:
    feedback = 1
    for _ in range(24):
        sums = [lanes[x][0] ^ lanes[x][1] ^ lanes[x][2] ^ lanes[x][3] ^ lanes[x][4] for x in range(5)]
        for x in range(5):
            for y in range(5):
                lanes[x][y] ^= sums[x - 1] ^ rotate(sums[(x + 1) % 5], 1)
        x, y, held = 1, 0, lanes[1][0]
        for step in range(24):
            x, y = y, (2 * x + 3 * y) % 5
            held, lanes[x][y] = lanes[x][y], rotate(held, (step + 1) * (step + 2) // 2 % 64)
        for y in range(5):
            row = [lanes[x][y] for x in range(5)]
            for x in range(5):
                lanes[x][y] = row[x] ^ (~row[(x + 1) % 5] & row[(x + 2) % 5] & MASK)
        for bit in range(7):
            if feedback & 1:
                lanes[0][0] ^= 1 << ((1 << bit) - 1)
            feedback = feedback << 1 ^ (0x171 if feedback & 0x80 else 0)


def keccak256(data: bytes) -> bytes:
    rate = 136
    padded = bytearray(data + b"\x01" + bytes(-(len(data) + 1) % rate))
    padded[-1] |= 0x80
    lanes = [[0] * 5 for _ in range(5)]
    for start in range(0, len(padded), rate):
        for i in range(rate // 8):
            lanes[i % 5][i // 5] ^= int.from_bytes(padded[start + 8 * i:start + 8 * i + 8], "little")
        keccak_f(lanes)
    return b"".join(lanes[i][0].to_bytes(8, "little") for i in range(4))


def add(one: tuple | None, two: tuple | None) -> tuple | None:
    if one is None or two is None:
        return one or two
    if one[0] == two[0] and (one[1] + two[1]) % P == 0:
        return None
    if one == two:
        slope = 3 * one[0] * one[0] * pow(2 * one[1], -1, P)
    else:
        slope = (two[1] - one[1]) * pow(two[0] - one[0], -1, P)
    x = (slope * slope - one[0] - two[0]) % P
    return x, (slope * (one[0] - x) - one[1]) % P


def times(point: tuple, count: int) -> tuple | None:
    total = None
    while count:
        if count & 1:
            total = add(total, point)
        point, count = add(point, point), count >> 1
    return total


def main() -> None:
    text, signature = sys.argv[1].encode(), bytes.fromhex(sys.argv[2])
    r, s, parity = int.from_bytes(signature[:32], "big"), int.from_bytes(signature[32:64], "big"), signature[64] - 27
    y = pow(r**3 + 7, (P + 1) // 4, P)
    point = (r, y if y % 2 == parity else P - y)
    inverse, digest = pow(r, -1, N), int.from_bytes(keccak256(text), "big")
    key = add(times(point, s * inverse % N), times(G, -digest * inverse % N))
    print("0x" + keccak256(key[0].to_bytes(32, "big") + key[1].to_bytes(32, "big"))[12:].hex())


main()
