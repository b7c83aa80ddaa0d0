#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Compares our verdicts with another verifier's.  compare.py snp OURS THEIRS (one JSON object a line each)

A disagreement is understood when a row of the table says who is stricter and why; docs/attestation.md repeats it.
"""
import collections
import json
import sys

# kind -> [(why, whether our verdict is valid, which cases)]
UNDERSTOOD = {
    "snp": [
        ("it knows neither Turin's TCB layout nor its 8-byte hardware id", True, lambda case: case["product"] == "Turin"),
        ("it wants the components without a meaning, which Turin's keys lack", True, lambda case: case["fault"] == "no_spare"),
        ("it ignores the key's product name when the report has a CPUID", False,
         lambda case: case["fault"] in ("product_name", "no_product_name") and case["version"] >= 3),
        ("it takes a given root as it is; ours must sign itself", False, lambda case: case["fault"] == "root_not_self_signed"),
        ("it does not look at the number of the extensions' structure", False, lambda case: case["fault"] == "structure"),
        ("its X.509 reader takes negative serials", False, lambda case: case["fault"] == "negative_serial"),
    ],
}


def lines(path):
    with open(path, encoding="utf-8") as file:
        return [json.loads(line) for line in file]


def main() -> int:
    kind, ours, theirs = sys.argv[1], lines(sys.argv[2]), {answer["index"]: answer for answer in lines(sys.argv[3])}
    agreed, understood, failed = collections.Counter(), collections.Counter(), 0
    for case in ours:
        answer = theirs[case["index"]]
        if case["valid"] == answer["valid"]:
            agreed[case["valid"]] += 1
            continue
        for why, is_valid, fits in UNDERSTOOD[kind]:
            if case["valid"] == is_valid and fits(case):
                understood[why] += 1
                break
        else:
            failed += 1
            print(f"FAIL  case {case['index']} ({case['fault']}, {case['product']}, version {case['version']}): ours "
                  f"{'valid' if case['valid'] else case['reason']}, theirs {'valid' if answer['valid'] else answer['text']}")
    for why, count in sorted(understood.items()):
        print(f"ok    {count} times: {why}")
    print(f"ok    agreed on {agreed[True]} valid and {agreed[False]} invalid cases")
    if agreed[True] < len(ours) // 8 or agreed[False] < len(ours) // 8:
        failed += 1
        print("FAIL  too few of one kind to mean anything")
    print(f"{len(ours) - failed} passed, {failed} failed, 0 skipped")
    return 1 if failed else 0


sys.exit(main())
