#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Compares our verdicts with another verifier's.  compare.py KIND OURS THEIRS (one JSON object a line each)

A disagreement is understood when a row of the table says who is stricter and why; docs/attestation.md repeats it.
Where both verdicts are valid and the other one tells a TCB status, status and advisories are compared, too.
"""
import collections
import json
import sys


def fault(*names):
    return lambda case, answer: case["fault"] in names


def says(text, *names):
    return lambda case, answer: text in answer["text"] and (not names or case["fault"] in names)


STRICT_DER = ("serial_negative", "serial_padded", "serial_21", "serial_long")
RELAUNCH = ("relaunch", "relaunch_level", "status_relaunch", "status_relaunch_low", "later_svn", "module_svn", "tee_component",
            "tee_component_0", "module_id_hexadecimal", "module_version", "sgx_component", "pce", "status_platform_module")

# kind -> [(why, whether our verdict is valid, which cases)]
UNDERSTOOD = {
    "snp": [
        ("it knows neither Turin's TCB layout nor its 8-byte hardware id", True, lambda case, _: case["product"] == "Turin"),
        ("it wants the components without a meaning, which Turin's keys lack", True, fault("no_spare")),
        ("it ignores the key's product name when the report has a CPUID", False,
         lambda case, _: case["fault"] in ("product_name", "no_product_name") and case["version"] >= 3),
        ("it takes a given root as it is; ours must sign itself", False, fault("root_not_self_signed")),
        ("it does not look at the number of the extensions' structure", False, fault("structure")),
        ("its X.509 reader takes negative serials", False, fault("negative_serial")),
    ],
    "nitro": [
        ("its chains are built: it takes what is in the bundle and not needed", False, fault("bundle_doubled")),
        ("it skips members without a name", False, fault("member_number")),
        ("its CBOR takes longer heads than needed, and strings in parts", False, fault("member_long", "member_parts", "header_long")),
        ("it takes headers that AWS does not write, or writes once", False,
         fault("header_more", "header_unprotected", "header_doubled")),
        ("it takes an authority without key usage", False, fault("ca_usage_absent")),
        ("it takes an authority, or a key for other things, as the signer of documents", False,
         fault("leaf_ca", "leaf_unconstrained", "leaf_usage")),
        ("its X.509 reader takes negative serials, and long ones", False, fault(*STRICT_DER)),
    ],
    "tdx-go": [
        ("it knows version 4 of TDX quotes only", True, lambda case, _: case["shape"] != "tdx-4"),
        ("it refuses whatever is not up to date: a policy", True,
         lambda case, answer: "TCB Status is not" in answer["text"] and
         {case["level"], case["module"], case["qe"]} != {"UpToDate"}),
        ("it takes the first level of the file that is reached, not the highest", True, fault("levels_reversed")),
        ("it wants exactly six extensions in a PCK certificate", True, says("certificate extensions length found")),
        ("it knows the Platform CA only", True, fault("ca_processor")),
        ("it wants a given root to bear Intel's name", True, fault("root_name")),
        ("it takes no key but P-256", True, fault("ca_p384")),
        ("it writes a module's version in lower case, Intel in upper case", True, fault("module_id_hexadecimal")),
        ("it compares FMSPC as text", True, fault("tcb_fmspc_upper")),
        ("it writes a module's version in lower case, Intel in upper case", False, fault("module_id_lower")),
        ("it ignores what follows a quote", False, fault("text_behind")),
        ("it does not look at the quoting enclave's vendor", False, fault("qe_vendor")),
        ("it takes an authority, or a key for other things, as the signer of data", False,
         fault("leaf_ca", "tcb_ca", "leaf_usage", "tcb_usage")),
        ("its X.509 reader takes negative serials, and long ones", False, fault(*STRICT_DER)),
        ("it ignores extensions of revocation lists: critical, doubled, delta", False,
         fault("list_critical", "list_extension_twice", "list_delta", "list_entry_critical")),
        ("it does not look at when a revocation list begins", False, fault("list_not_yet")),
        ("it does not look at when a document was issued", False, fault("document_not_yet")),
        ("its JSON is lax: members doubled, absent, null or unknown, depth, negative numbers", False,
         fault("document_twice", "document_extra", "document_number_absent", "document_null", "document_deep",
               "document_number_negative")),
        ("it does not look at the type of the TCB's components", False, fault("tcb_type")),
        ("it takes any text for an advisory", False, fault("advisory_odd")),
    ],
    "tdx-rust": [
        ("it takes SGX quotes of version 3 only", True, says("SGX TEE quote must have version 3")),
        ("it calls reserved bytes of version 3 a TEE type", True, says("Invalid TEE type", "tee_type")),
        ("it compares the bytes of CPUSVN, not its components", True, fault("cpu_svn")),
        ("it wants 32 bytes of authentication data", True, fault("auth_data_empty", "auth_data_long", "auth_data_short")),
        ("it refuses domains by their attributes: a policy", True, fault("td_attribute")),
        ("it wants zeros outside the mask of SEAMATTRIBUTES", True, fault("seam_attributes_unmasked")),
        ("it takes no key but P-256", True, fault("ca_p384")),
        ("it looks for the root on the root's own list", True, fault("revoked_root")),
        ("its lists end before nextUpdate, ours with it", True, fault("list_expires_now")),
        ("it wants extensions in revocation lists", True, fault("list_without_extensions")),
        ("it knows fewer statuses of a module or a quoting enclave; other ones do not count with us", True,
         says("Unrecognized TCB status", "status_module", "status_qe", "status_platform_module", "status_platform_qe")),
        ("it judges the module that runs now by all levels, ours by Intel's rule for a relaunch", True,
         lambda case, answer: case["shape"] == "tdx-5-15" and case["fault"] in RELAUNCH and
         ("current TDX TCB" in answer["text"] or "TDRelaunch" in case["status"] + answer["status"] or
          answer["text"] == "TCB status is invalid: Revoked")),
        ("it ignores what follows a quote, or its parts", False, fault("text_behind", "inner_size", "outer_size", "flip_lengths")),
        ("it does not look at the type of the outer certification data", False, fault("outer_type")),
        ("it compares the first half of the QE's report data only", False, fault("report_data_high")),
        ("it does not compare PCE ids", False, fault("pce_id", "tcb_pce_id")),
        ("it takes a chain that is not leaf, intermediate and root, and ignores the root in it", False,
         fault("chain_no_root", "chain_doubled", "chain_text")),
        ("it takes a given root as it is: flags, dates, form", False,
         lambda case, _: case["fault"] in ("root_no_ca", "root_path_length", "root_usage", "flip_anywhere", "expired", "not_yet") and
         case["reason"].startswith("PCK_CHAIN")),
        ("it takes a key for other things as the signer of data", False, fault("leaf_usage", "tcb_usage")),
        ("it does not look at names", False, fault("leaf_name", "ca_name", "tcb_name")),
        ("its X.509 reader takes doubled extensions that it does not know", False,
         fault("twice_leaf", "twice_ca", "twice_tcb", "list_extension_twice")),
        ("its X.509 reader takes negative, padded and long serials", False, fault(*STRICT_DER)),
        ("it does not look at when a revocation list begins", False, fault("list_not_yet")),
        ("its JSON is lax: members beside the document, depth", False, fault("document_extra", "document_deep")),
        ("it takes a date with a space in it", False, fault("document_date_space")),
        ("it takes any text for an advisory", False, fault("advisory_odd")),
        ("it takes versions that Intel did not publish, and does not look at the type of the components", False,
         fault("tcb_version", "qe_identity_version", "tcb_type")),
        ("it writes a module's version in any case", False, fault("module_id_lower")),
        ("it knows computed statuses where only published ones belong, if no platform has that level", False,
         fault("status_unknown")),
    ],
}


def lines(path):
    with open(path, encoding="utf-8") as file:
        return [json.loads(line) for line in file]


def is_same(case, answer) -> bool:
    if case["valid"] != answer["valid"]:
        return False
    return not case["valid"] or "status" not in answer or (
        case["status"] == answer["status"] and set(case["advisories"]) == set(answer["advisories"]))


def verdict_of(case) -> str:
    return " ".join([case.get("status", "valid"), *case.get("advisories", [])]) if case["valid"] else case["reason"]


def main() -> int:
    kind, ours, theirs = sys.argv[1], lines(sys.argv[2]), {answer["index"]: answer for answer in lines(sys.argv[3])}
    agreed, understood, failed = collections.Counter(), collections.Counter(), 0
    for case in ours:
        answer = theirs[case["index"]]
        if is_same(case, answer):
            agreed[case["valid"]] += 1
            continue
        for why, is_valid, fits in UNDERSTOOD[kind]:
            if case["valid"] == is_valid and fits(case, answer):
                understood[why] += 1
                break
        else:
            failed += 1
            theirs_says = verdict_of({"reason": answer["text"], **answer}) if answer["valid"] else answer["text"]
            print(f"FAIL  case {case['index']} ({case['fault']}, {case.get('shape') or case['product']}): ours "
                  f"{verdict_of(case)}, theirs {theirs_says}")
    for why, count in sorted(understood.items()):
        print(f"ok    {count} times: {why}")
    print(f"ok    agreed on {agreed[True]} valid and {agreed[False]} invalid cases")
    if agreed[True] < len(ours) // 8 or agreed[False] < len(ours) // 8:
        failed += 1
        print("FAIL  too few of one kind to mean anything")
    print(f"{len(ours) - failed} passed, {failed} failed, 0 skipped")
    return 1 if failed else 0


sys.exit(main())
