#!/bin/bash
# `s3n verify evidence` and `s3n measure` as scripts use them: options, exit codes, JSON.
set -u
source "$(dirname "$0")/cases.bash"
cd "${S3N_SOURCE:-.}" || exit 1
s3n=${S3N_BUILD:-build}/bin/s3n
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

# expect NAME CODE FILTER VALUE ARGUMENTS...: the exit code, and what jq-like FILTER of the JSON prints.
expect() {
  local name=$1 code=$2 filter=$3 value=$4 status found
  shift 4
  timeout 60 "$s3n" "$@" --json >"$folder/out" 2>"$folder/err"
  status=$?
  found=$(python3 -c '
import json, sys
value = json.load(open(sys.argv[1]))
for key in sys.argv[2].split("."):
    key = key.replace("ear_status", "ear.status")  # a name with a dot in it
    value = value[int(key)] if key.isdigit() and isinstance(value, list) else value[key]
print(json.dumps(value) if not isinstance(value, str) else value)' "$folder/out" "$filter" 2>&1)
  if [ "$status" != "$code" ]; then
    fail "$name" "exit code $status, not $code: $(head -c 300 "$folder/err")"
  elif [ -n "$filter" ] && [ "$found" != "$value" ]; then
    fail "$name" "$filter is $found, not $value"
  else
    pass "$name"
  fi
}

# refuse NAME CODE TEXT ARGUMENTS...: an error on stderr, nothing on stdout.
refuse() {
  local name=$1 code=$2 text=$3 status
  shift 3
  timeout 60 "$s3n" "$@" >"$folder/out" 2>"$folder/err"
  status=$?
  if [ "$status" = "$code" ] && grep -qF -- "$text" "$folder/err" && [ ! -s "$folder/out" ]; then
    pass "$name"
  else
    fail "$name" "exit code $status: $(cat "$folder/err" "$folder/out" | head -c 300)"
  fi
}

quote=tests/data/attest/tdx_v4_phala_b0c06f.bin at=2025-06-20T00:00:00Z
: >"$folder/empty"
printf 's3n_policy_version = 1\n[tcb]\nstatus = ["OutOfDate"]\n' >"$folder/policy.toml"
printf 's3n_policy_version = 1\nstate = 1\n' >"$folder/bad.toml"

expect 'valid without a policy' 0 result valid verify evidence $quote --tee tdx --at $at --policy none
expect 'no policy is said' 0 policy none verify evidence $quote --tee tdx --at $at --policy none
expect 'the default wants collateral' 6 policy reject verify evidence $quote --tee tdx --at $at
expect 'a rejection is valid evidence' 6 result valid verify evidence $quote --tee tdx --at $at --policy "$folder/policy.toml"
expect 'hexadecimal claims' 0 claims.fmspc b0c06f000000 verify evidence $quote --at $at --policy none
expect 'too early' 6 reason PCK_CHAIN_NOT_YET_VALID verify evidence $quote --tee tdx --at 2015-01-01T00:00:00Z
expect 'an invalid verdict is rejected' 6 policy reject verify evidence $quote --tee tdx --at 2015-01-01T00:00:00Z
expect 'another root' 6 reason ROOT_UNTRUSTED verify evidence $quote --at $at --root tests/data/attest/synthetic_root_ca.der
expect 'report data differs' 6 reason REPORT_DATA_MISMATCH verify evidence $quote --at $at --report-data 00
expect 'an empty file' 6 reason FORMAT verify evidence "$folder/empty" --tee tdx
expect 'a text of no kind' 6 reason FORMAT verify evidence README.md
expect 'an empty file of no kind' 6 reason FORMAT verify evidence "$folder/empty"
# As other programs write it: PCCS a list, Azure and others a chain, openssl a certificate.
od -An -v -tx1 tests/data/attest/intel/root_ca_crl_20250320.der > "$folder/list.hex"
expect 'a list in digits' 0 result valid verify evidence $quote --at $at --policy none --root-crl "$folder/list.hex"
sed 's/1/2/' "$folder/list.hex" > "$folder/other.hex"
expect 'another list in digits' 6 result invalid verify evidence $quote --at $at --policy none --root-crl "$folder/other.hex"
expect 'a chain in one file' 0 result valid verify evidence tests/data/attest/snp/reports/turin_v5_yaxi.bin \
  --vek tests/data/attest/snp/certs/chain_yaxi_turin.pem --at 2026-01-01T00:00:00Z --policy none
{ echo 'Certificate:'; cat tests/data/attest/ratls/azure-attestation-cert.pem; } > "$folder/commented.pem"
expect 'a certificate with text before it' 0 claims.evidence_oid 1.3.6.1.4.1.311.105.1 \
  verify evidence "$folder/commented.pem" --at 2025-08-20T00:00:00Z --policy none
# What was asked to be judged and is empty is malformed, not absent.
intel=tests/data/attest/intel
while read -r option reason; do
  case $option in
  tcb-info | qe-identity) chain=(--tcb-chain $intel/tcb_signing_chain_2025.pem) ;;
  *) chain=() ;;
  esac
  expect "an empty --$option" 6 reason "$reason" verify evidence $quote --at $at --policy none --"$option" "$folder/empty" "${chain[@]}"
done <<'EMPTY'
root-crl PCK_CA_CRL_FORMAT
pck-crl PCK_CRL_FORMAT
tcb-chain TCB_CHAIN_INVALID
tcb-info TCB_INFO_FORMAT
qe-identity QE_IDENTITY_FORMAT
EMPTY
expect 'steps' 0 steps.0.ok true verify evidence $quote --at $at --policy none
refuse 'unknown kind' 2 'must be tdx, sgx, snp or nitro' verify evidence $quote --tee tpm
refuse 'bad time' 2 'RFC 3339' verify evidence $quote --at yesterday
refuse 'bad report data' 2 'hexadecimal' verify evidence $quote --report-data xy
refuse 'bad root' 2 '--root' verify evidence $quote --root $quote
refuse 'bad policy' 3 'state' verify evidence $quote --policy "$folder/bad.toml"
refuse 'no such file' 5 'nowhere' verify evidence nowhere
refuse 'no file' 2 '' verify evidence
mkdir "$folder/folder"
truncate -s 9M "$folder/huge"
for option in root tcb-info qe-identity tcb-chain pck-chain pck-crl root-crl vek intermediate crl policy bundle; do
  refuse "--$option: a folder" 3 'Is a directory' verify evidence $quote --"$option" "$folder/folder"
  refuse "--$option: nothing there" 5 'nowhere' verify evidence $quote --"$option" nowhere
  refuse "--$option: too large" 9 'more than' verify evidence $quote --"$option" "$folder/huge"
done
refuse 'a folder' 3 'Is a directory' verify evidence "$folder/folder"
refuse 'too large' 9 'more than' verify evidence "$folder/huge"
refuse 'a device without end' 9 'more than' verify evidence /dev/zero
refuse 'a node without TLS' 2 'https://' verify http://127.0.0.1:1
refuse 'unknown option' 2 '--tcb-info' verify evidence $quote --tcbinfo x

snp=tests/data/attest/snp
# Every case of the Nitro and certificate manifests: name, file, time, result or reason.
nitro=tests/data/attest/nitro ratls=tests/data/attest/ratls
while IFS=$'\t' read -r name file at filter value; do
  expect "$name" "$([ "$value" = valid ] && echo 0 || echo 6)" "$filter" "$value" \
    verify evidence $nitro/"$file" --tee nitro --at "$at" --policy none
done < <(python3 -c '
import json, sys
for case in json.load(open(sys.argv[1]))["cases"]:
    want = case["expect"]
    filter = "result" if want["result"] == "valid" else "reason"
    print("nitro " + case["name"], case["document"], case["at"], filter, want[filter], sep="\t")' $nitro/manifest.json)
sample=tests/data/attest/sgx_v3_intel_sample_testpki.bin sample_root=tests/data/attest/sample_root_ca.pem
expect 'a quote without its chain' 6 reason NO_PCK_CERT verify evidence $sample --root $sample_root --at 2023-03-01T00:00:00Z
expect 'the chain beside the quote' 0 result valid \
  verify evidence $sample --root $sample_root --pck-chain tests/data/attest/sample_pck_full_chain.pem --at 2023-03-01T00:00:00Z --policy none
expect 'a certificate of an RSA key, another root given' 0 claims.fmspc 10606a000000 \
  verify evidence $ratls/graphene-cert.pem --tee sgx --root $ratls/intel-sandbox-root.der --at 2022-01-01T00:00:00Z --policy none
at=2025-12-25T16:04:19Z
document=$nitro/docs/dstack_attest.cbor
expect 'a document by its first bytes' 0 tee nitro verify evidence $document --at $at
base64 $document >"$folder/document.txt"
expect 'a document as text' 0 policy accept verify evidence "$folder/document.txt" --at $at
expect 'a document is accepted by default' 0 policy accept verify evidence $document --tee nitro --at $at
expect 'a debug enclave is rejected by default' 6 policy reject verify evidence $nitro/docs/dstack_attest_debug.cbor --at 2025-12-25T08:20:46Z
expect 'PCRs' 0 claims.pcr4 7b3574ad9b7e88ec8335e8ce967315fac77218441e97eea9795de704d7f2678d0b298ecda39b544c1689669f48cba5e8 \
  verify evidence $document --at $at
expect 'another root of a document' 6 reason ROOT_UNTRUSTED verify evidence $document --at $at --root tests/data/attest/synthetic_root_ca.der
expect 'the built-in root, given' 0 result valid verify evidence $document --at $at --root $nitro/aws_nitro_root_g1.der
expect 'report data is user data' 0 result valid verify evidence $document --at $at \
  --report-data e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b8550000000000000000000000000000000000000000000000000000000000000000
for name in gramine rats-tls intel-sgxsdk; do
  expect "certificate of $name" 0 claims.evidence_oid 2.23.133.5.4.9 \
    verify evidence $ratls/$name-cert.pem --tee sgx --at 2025-08-20T00:00:00Z --policy none
done
expect 'a certificate names its second quote' 0 claims.legacy_extension 1.2.840.113741.1.13.1 \
  verify evidence $ratls/intel-sgxsdk-cert.pem --tee sgx --at 2025-08-20T00:00:00Z --policy none
sed '30s/A/B/' $ratls/gramine-cert.pem >"$folder/changed.pem"
expect 'a changed certificate' 6 result invalid verify evidence "$folder/changed.pem" --tee sgx --at 2025-08-20T00:00:00Z --policy none
expect 'an appraisal for RATS tools' 0 ear.submods.nitro.ear_status affirming verify evidence $document --at $at
expect 'an appraisal of what is rejected' 6 ear.submods.nitro.ear_status contraindicated \
  verify evidence $nitro/docs/dstack_attest_debug.cbor --at 2025-12-25T08:20:46Z
expect 'claims of a token' 0 eat.dbgstat disabled-since-boot verify evidence $document --at $at
python3 - $document "$folder/cmw.json" <<'END'
import base64, json, sys
value = base64.urlsafe_b64encode(open(sys.argv[1], "rb").read()).rstrip(b"=").decode()
json.dump({"evidence": ["application/vnd.s3n.nitro-document", value, 4]}, open(sys.argv[2], "w"))
END
expect 'a wrapped document' 0 tee nitro verify evidence "$folder/cmw.json" --at $at
expect 'a wrapper without evidence' 6 reason FORMAT verify evidence $nitro/manifest.json --tee nitro --at $at

milan=(--tee snp --vek $snp/certs/vcek_coco_milan.der --intermediate $snp/certs/milan_ask.der --at 2025-07-01T00:00:00Z)
expect 'SNP report' 0 claims.product milan verify evidence $snp/reports/milan_v2_coco.bin "${milan[@]}" --crl $snp/crl/milan_crl.der
expect 'SNP report, root given' 0 claims.reported_tcb.microcode 115 verify evidence $snp/reports/milan_v2_coco.bin "${milan[@]}" \
  --root $snp/certs/milan_ark.der
expect 'SNP report, another root' 6 reason VEK_CHAIN_INVALID verify evidence $snp/reports/milan_v2_coco.bin "${milan[@]}" \
  --root $snp/certs/genoa_ark.der
expect 'SNP report, a list of another root' 6 reason CRL_SIG_INVALID verify evidence $snp/reports/milan_v2_coco.bin "${milan[@]}" \
  --crl $snp/crl/genoa_crl.der
expect 'SNP report, changed' 6 reason SIGNATURE_INVALID verify evidence $snp/negative/milan_v2_coco_hostdata.bin "${milan[@]}"
expect 'SNP report without certificates' 6 reason NO_VEK_CERT verify evidence $snp/reports/milan_v2_coco.bin --tee snp
expect 'SNP report with its table' 0 claims.csp_id CN=cc-us-east-2.amazonaws.com verify evidence fuzz/corpus/amd-snp/vlek_table_crl \
  --at 2025-07-01T00:00:00Z
debug=(--vek $snp/certs/vcek_google_milan.der --intermediate $snp/certs/milan_ask.der --at 2025-07-01T00:00:00Z)
expect 'a debug guest is valid' 6 result valid verify evidence $snp/reports/milan_v2_google_debug.bin "${debug[@]}"
expect 'and rejected' 6 policy reject verify evidence $snp/reports/milan_v2_google_debug.bin "${debug[@]}"

# --- bundles: what a verification was judged by, kept for years
intel=tests/data/attest/intel quote=tests/data/attest/tdx_v4_phala_b0c06f.bin at=2025-06-20T00:00:00Z
given="--tcb-info $intel/tcb_info_b0c06f_20250619.json --qe-identity $intel/td_qe_identity_b0c06f_20250619.json
  --tcb-chain $intel/tcb_signing_chain_2025.pem --pck-crl $intel/pck_platform_crl_b0c06f_20250619.der
  --root-crl $intel/root_ca_crl_20250320.der"
# shellcheck disable=SC2086
expect 'a bundle is kept' 0 policy accept verify evidence $quote --at $at $given --save-bundle "$folder/bundle.json"
expect 'a bundle is enough' 0 tcb_status UpToDate verify evidence $quote --at $at --bundle "$folder/bundle.json"
expect 'a bundle is evidence too' 0 policy accept verify evidence "$folder/bundle.json" --at $at
expect "a bundle's time is a parameter" 6 reason PCK_CA_CRL_EXPIRED verify evidence $quote --at 2027-06-20T00:00:00Z --bundle "$folder/bundle.json"
expect 'an option counts instead' 6 reason PCK_CRL_FORMAT verify evidence $quote --at $at --bundle "$folder/bundle.json" --pck-crl $quote
expect 'nothing is kept of what is invalid' 6 result invalid verify evidence $quote --at 2015-01-01T00:00:00Z --save-bundle "$folder/none.json"
[ ! -e "$folder/none.json" ] && pass 'no file' || fail 'no file' 'there is one'
refuse 'a bundle that is none' 3 '--bundle' verify evidence $quote --at $at --bundle "$folder/policy.toml"
timeout 60 "$s3n" -q verify evidence $quote --at $at --policy none --save-bundle /nowhere/b.json >/dev/null 2>&1
[ $? = 5 ] && pass 'a folder that is not there' || fail 'a folder that is not there'

data=tests/data/measure
expect 'MRTD' 0 mrtd b01e69dd6a6ca9617c26384b17c7b14846f6e4c14364e2db41d42cfd7dea3c7043d02b1417491fbb5fbe87f13bf0ec96 \
  measure tdx --firmware $data/tdvf_c.fd
expect 'MRTD in two passes' 0 mrtd 89eba0336421455187b25e2b0e135bdfe5c5a39cd395f6c104f0ae57ccb739ce1f6479e6f32b4030d38ec9a0b47bcd9f \
  measure tdx --firmware $data/tdvf_c.fd --two-pass
expect 'sections' 0 sections.0.gpa 0xffffc000 measure tdx --firmware $data/tdvf_c.fd
head -c 540672 /dev/zero >"$folder/vars.fd"
expect 'split firmware' 0 mrtd e33f9524ac332b8fc9e51169a45cf470c89efe090cd810699f0b6c248e9995a412891be7e5b47c3de6982be22fc58a23 \
  measure tdx --firmware $data/svsm_ovmf.fd --variables "$folder/vars.fd"
expect 'CCEL' 0 events 43 measure rtmr --event-log $data/gcp_cos113_ccel.bin --format ccel
expect 'RTMR' 0 rtmr.rtmr2 35b87e05bb5e6c7db86a1e3f9a5c7fe361741f01c1a3b1f54474ff8f39b38e9295ff142b932720dfc92e59797df081ec \
  measure rtmr --event-log $data/cdai_tdx_ccel_live2.bin
expect 'dstack' 0 rtmr.rtmr3 0f787c3877f3e95095d5a4d13dd0fe0233803b30120d8469866719dc28f519ce021fe1e53459121e7a5a4443147185a8 \
  measure rtmr --event-log $data/dstack_eventlog.json --format dstack
expect 'the log of a node' 0 rtmr.rtmr3 5bd8faae1e2d129295dfa926b5f7a53ab6710b8123a2342acfe1f3498278377f0447bf1b9b73cac94588a9c7e71243b6 \
  measure rtmr --event-log fuzz/corpus/events-events/three --format s3n
expect 'what it says' 0 log.1.says 'load {"image":"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa","version":"bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"}' \
  measure rtmr --event-log fuzz/corpus/events-events/three --format s3n
refuse 'a log with a gap' 3 'gap: entry 2 is missing' measure rtmr --event-log fuzz/corpus/events-events/gap --format s3n
refuse 'swapped entries' 3 'swap: entry 1 is not where' measure rtmr --event-log fuzz/corpus/events-events/swap --format s3n
refuse 'a cut log' 3 'cut: entry 2 is cut' measure rtmr --event-log fuzz/corpus/events-events/cut --format s3n
refuse 'another form of log' 2 'ccel, dstack or s3n' measure rtmr --event-log fuzz/corpus/events-events/cut --format tcg
expect 'launch digest' 0 launch_digest 6d287813eb5222d770f75005c664e34c204f385ce832cc2ce7d0d6f354454362f390ef83a92046c042e706363b4b08fa \
  measure snp --firmware $data/ovmf_AmdSev_suffix.bin --vcpus 1 --vcpu-sig 0x00800f12 --sev-features 0x1 \
  --kernel "$folder/empty" --initrd "$folder/empty" --cmdline 'console=ttyS0 loglevel=7'
expect 'launch digest of GCE' 0 launch_digest 5c5debf100fc339f90276e761ee1f1658d08922c3b20e2a2e6c7a6c3370b2452a15a00eae11886a93d6fd1e7ab81e29d \
  measure snp --firmware $data/ovmf_AmdSev_suffix.bin --vcpus 4 --vcpu-sig 0 --sev-features 1 --vmm gce --kernel "$folder/empty"
expect 'launch digest of EC2' 0 launch_digest 0ce9ccc06bab55eebe8abc234f3df6514883977a68a591b71052498ab52b2f1aa415db338033946ef93aa8278c0d67fb \
  measure snp --firmware $data/ovmf_AmdSev_suffix.bin --vcpus 1 --vcpu-sig 0x800f12 --sev-features 21 --vmm ec2 --kernel "$folder/empty"
expect 'QEMU is the default' 0 launch_digest ddc5224521617a536ee7ce9dd6224d1b58a8d4fda1c741f3ac99fc4bfa04ba6e9fc98646d4a07a9079397fa3852819b5 \
  measure snp --firmware $data/ovmf_AmdSev_suffix.bin --vcpus 1 --vcpu-sig 0x800f12 --sev-features 1 --vmm qemu --kernel "$folder/empty"
refuse 'an SVSM that does not say where it starts' 3 'where it starts' measure snp --firmware $data/ovmf_OvmfX64_suffix.bin \
  --vcpus 1 --vcpu-sig 0x800f12 --sev-features 1 --svsm $data/ovmf_AmdSev_suffix.bin
expect 'ID key of an ID block' 0 id_key_digest 59fb2c686dfa4fef49f38339aa775c90051c28d57383ddc3baf3b5eb4b1496df3b0dbbdcbae5fe27677a644820773fe2 \
  measure snp --id-block $snp/id_block.bin --id-auth $snp/id_auth_block.bin
expect 'its author key' 0 author_key_digest eed81169fb0cb5e0ec34794f128fd4e0c4a46f67c65a1adfa81fcb24bcc088c272369b7ffc3eb2b6af6a4284a1b36c5f \
  measure snp --id-block $snp/id_block.bin --id-auth $snp/id_auth_block.bin
refuse 'an ID block for another launch' 6 'another launch' measure snp --firmware $data/ovmf_AmdSev_suffix.bin \
  --id-block $snp/id_block.bin --id-auth $snp/id_auth_block.bin
refuse 'an ID block alone' 2 '--id-auth' measure snp --id-block $snp/id_block.bin
expect 'MRENCLAVE' 0 mrenclave 2305dcd6e69d8aba9117adf59c9965b71a762e407ab8d1d31cce88cde5806335 measure sgx fuzz/corpus/sgx/enclave.sgxs
expect 'PCRs' 0 pcr2 21b9efbc184807662e966d34f390821309eeac6802309798826296bf3e8bec7c10edb30948c90ba67310f7b964fc500a \
  measure nitro fuzz/corpus/eif/image.eif
refuse 'a kernel nobody checks' 3 'would not check the kernel' measure snp --firmware $data/ovmf_OvmfX64_suffix.bin --kernel "$folder/empty"
refuse 'no firmware' 2 'which --firmware?' measure tdx
refuse 'no kind' 2 'measure what?' measure
refuse 'an unknown kind' 2 'unknown command' measure tpm
refuse 'no TDVF' 3 'no TDVF metadata' measure tdx --firmware fuzz/corpus/eif/image.eif
refuse 'no EIF' 3 'no enclave image' measure nitro $data/tdvf_b.fd
refuse 'no stream' 3 'no SGX stream' measure sgx "$folder/empty"
refuse 'a bad number' 2 '--vcpu-sig' measure snp --firmware $data/tdvf_b.fd --vcpu-sig zz
refuse 'a bad launcher' 2 '--vmm' measure snp --firmware $data/tdvf_b.fd --vmm xen
refuse 'a bad format' 2 '--format' measure rtmr --event-log $data/tdvf_b.fd --format tcg

finish
