/* SPDX-License-Identifier: Apache-2.0 */
/* One row a key, in the order of the documentation: a table's keys stand together. */
#include "operations/configuration.h"

#define TEXT(key, value, example, meaning, page)                                                   \
    {                                                                                              \
        key, CONFIGURATION_TEXT, value, NULL, example, meaning, page                               \
    }
#define NUMBER(key, value, example, meaning, page)                                                 \
    {                                                                                              \
        key, CONFIGURATION_NUMBER, value, NULL, example, meaning, page                             \
    }
#define WITHOUT(key, kind, otherwise, example, meaning, page)                                      \
    {                                                                                              \
        key, CONFIGURATION_##kind, NULL, otherwise, example, meaning, page                         \
    }

/* clang-format off */
const struct configuration_key configuration_keys[] = {
    WITHOUT("data_dir", TEXT, "root: `/var/lib/s3n`, others: `~/.local/state/s3n`", "\"/srv/s3n\"",
      "what must survive", "operating.md"),
    TEXT("listen", "\"127.0.0.1:8443\"", "\"[::1]:443\"",
      "HTTPS for everyone: TLS 1.3, HTTP/1.1 and HTTP/2; port 0: a free one", NULL),
    TEXT("admin", "\"127.0.0.1:0\"", "\"127.0.0.1:9443\"",
      "`/healthz`, `/readyz`, `/metrics`, `/status`; loopback only, no TLS", "metrics.md"),
    TEXT("tee", "\"auto\"", "\"sim\"",
      "platform that gives evidence: `tdx`, `snp`, `nitro`, `sgx`, `sim`; `auto` takes the first TEE that is there "
      "and never `sim`", "platforms.md"),
    TEXT("backend", "\"auto\"", "\"process\"",
      "where functions run: `kvm` (micro-VMs), `process` (jailed processes, one wall less), or `auto`: kvm, but process "
      "inside a confidential VM (`/dev/tdx_guest`, `/dev/sev-guest`, `/dev/nsm` or `/dev/attestation` is there and "
      "`/dev/kvm` is not). `/.well-known/s3n/info` tells which", "slipstream.md"),
    TEXT("handover", "\"auto\"", "\"block\"",
      "how invocations go to workers and back: `block`, `watch` (costs a core that would be free), or by measurement", NULL),
    TEXT("optimiser", "\"on\"", "\"off\"",
      "compile what runs long with LLVM in the background, where `s3n-optimise` is installed; `off` leaves LLVM out",
      "compiler.md"),
    WITHOUT("owners", LIST, "none",
      "[\"MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEaxfR8uEsQkf4vOblY6RA8ncDfYEt6zOg9KE5RdiYwpZP40Li/hp/"
      "m47n60p8D54WK84zV2sxXs7LtkBoN79R9Q==\"]",
      "keys that may deploy: base64 of the SubjectPublicKeyInfo, as `s3n login` prints it", NULL),
    TEXT("first_owner", "\"claim\"", "\"none\"",
      "while nobody owns the node, whoever presents the claim code becomes an owner; `none` closes that", NULL),
    TEXT("process.reset", "\"auto\"", "\"copy\"",
      "how the backend `process` restores memory: `track`, `copy`, `discard`, or by measurement", "slipstream.md"),
    TEXT("root.provider", "\"file\"", "\"kbs\"",
      "where the root secret comes from: a file of the keeper's, or `kbs`, a key broker, which needs the three keys below",
      "kbs.md"),
    WITHOUT("root.url", TEXT, "none", "\"https://kbs.example:8080\"", "the broker", "kbs.md"),
    WITHOUT("root.resource", TEXT, "none", "\"default/s3n/root\"", "what it calls the secret", "kbs.md"),
    WITHOUT("root.ca", TEXT, "none", "\"/etc/s3n/kbs.pem\"", "certificates that the broker's must end in", "kbs.md"),
    TEXT("root.protocol", "\"0.4.0\"", "\"0.2.0\"", "version of the broker's protocol", "kbs.md"),
    TEXT("root.key", "\"p256\"", "\"rsa\"", "kind of the key that its answer is encrypted to: `p256`, `p521`, `rsa`", "kbs.md"),
    NUMBER("root.timeout_ms", "5000", "3000", "how long one request to it may take, at most 8000", "kbs.md"),
    TEXT("collateral.fetch", "\"on\"", "\"off\"",
      "on TDX, SGX and SEV-SNP: ask the makers' services for what strangers need to judge the node's evidence, and hand it "
      "out with it; `off`: they must have it themselves", "collateral.md"),
    WITHOUT("collateral.intel_url", TEXT, "the maker's", "\"https://pccs.example/\"", "another service for Intel's", "collateral.md"),
    WITHOUT("collateral.root_crl_url", TEXT, "the maker's", "\"https://pccs.example/root.crl\"",
      "where Intel's root revocation list is", "collateral.md"),
    WITHOUT("collateral.amd_url", TEXT, "the maker's", "\"https://kds.example/\"", "another service for AMD's", "collateral.md"),
    WITHOUT("collateral.update", TEXT, "the maker's own default", "\"early\"",
      "which of Intel's TCB infos: `standard` or `early`", "collateral.md"),
    WITHOUT("collateral.service_ca", TEXT, "the system's", "\"/etc/s3n/pccs.pem\"",
      "authorities for the services' TLS, PEM", "collateral.md"),
    WITHOUT("collateral.intel_key", TEXT, "none", "\"/etc/s3n/intel-key\"", "file with a subscription key", "collateral.md"),
    WITHOUT("telemetry.endpoint", TEXT, "nothing is sent", "\"http://127.0.0.1:4318\"",
      "a collector's address for OTLP over HTTP: `/v1/traces` and `/v1/metrics` are added", "metrics.md"),
    TEXT("telemetry.traces", "\"on\"", "\"off\"", "`off`: metrics alone", "metrics.md"),
    TEXT("telemetry.metrics", "\"on\"", "\"off\"", "`off`: traces alone", "metrics.md"),
    WITHOUT("telemetry.ca", TEXT, "the system's", "\"/etc/s3n/collector.pem\"", "authorities for the collector's TLS, PEM", "metrics.md"),
    TEXT("telemetry.compression", "\"none\"", "\"gzip\"", "of what is sent: `none` or `gzip`", "metrics.md"),
    WITHOUT("telemetry.headers_file", TEXT, "none", "\"/etc/s3n/collector-headers\"",
      "file with lines `Name: value` that go with each request: credentials", "metrics.md"),
    NUMBER("telemetry.sample", "1", "0.1", "share of the traces that begin at this node", "metrics.md"),
    TEXT("telemetry.service", "\"s3n\"", "\"prices\"", "`service.name`", "metrics.md"),
    WITHOUT("telemetry.attributes", TEXT, "none", "\"deployment.environment=test\"", "more attributes of the resource, `name=value,...`", "metrics.md"),
    NUMBER("telemetry.interval_ms", "60000", "10000", "between two exports of metrics", "metrics.md"),
    NUMBER("telemetry.delay_ms", "5000", "1000", "how long a span waits at most for others", "metrics.md"),
    NUMBER("telemetry.timeout_ms", "10000", "3000", "of one request to the collector, at most 20000", "metrics.md"),
    WITHOUT("outbound.allow_private", LIST, "none", "[\"10.1.0.0/16\"]",
      "networks that functions may ask besides public addresses; a metadata service only as an address of its own", "outbound.md"),
    WITHOUT("outbound.name_servers", LIST, "those of `/etc/resolv.conf`", "[\"10.0.0.2\", \"[::1]:5353\"]",
      "who is asked for the addresses of hosts, at most 3", "outbound.md"),
    WITHOUT("outbound.roots", TEXT, "the system's", "\"/etc/s3n/roots.pem\"", "certificate authorities that functions believe, PEM",
      "outbound.md"),
    NUMBER("outbound.concurrency", "8", "32", "requests of one application under way at a time, at most 64; 64 more wait", "outbound.md"),
    NUMBER("users.uid_base", "63000", "70000", "started by root: first user number of the children", "operating.md"),
    NUMBER("limits.input_kib", "8192", "1024", "body of one invocation", NULL),
    NUMBER("limits.blob_kib", "65536", "1024", "one uploaded module", NULL),
    NUMBER("limits.idle_s", "60", "30",
      "a worker without work for so long ends; the function stays, its next invocation starts cold", NULL),
    NUMBER("limits.idle_min_s", "10", "5",
      "it ends as early as this when its next work is not to be expected in time: a worker is kept twice as long as the "
      "longest pause (of a second or more) that its application made lately, and only for this long when that pause is "
      "longer than `idle_s`. While no pause is known it is kept for `idle_s`", NULL),
    NUMBER("limits.lanes_min", "1", "2",
      "least micro-VMs (or processes) of one application that are ready or running at a time", NULL),
    NUMBER("limits.lanes_max", "16", "8",
      "and most, 64 at most; never more than the largest `concurrency` of its functions. Between them their number follows "
      "how many were busy in the last seconds, and one more than are busy is made ready; what has not been needed for ten "
      "seconds ends. A ready one takes about 0.7 MiB", NULL),
    WITHOUT("limits.memory_mib", NUMBER, "half of the machine", "4096",
      "what all workers together may take, as estimated from their instances; the longest idle one gives way", NULL),
    NUMBER("limits.workers", "64", "32", "versions with a worker at once; the longest idle one gives way", NULL),
    NUMBER("limits.ready_min", "1", "2", "least workers started and jailed ahead of need", NULL),
    NUMBER("limits.ready_max", "8", "4",
      "and most, 64 at most; between them their number follows how often one was taken in the last seconds. Each takes "
      "about 0.8 MiB (with `kvm` a micro-VM is made in it already), not counted in `memory_mib`", NULL),
    NUMBER("limits.drain_ms", "30000", "10000", "how long a stop waits for requests under way", NULL),
    WITHOUT("access.hosts", LIST, "all", "[\"functions.example.com\"]", "names and addresses in URLs that the node answers to; others get 421", "access.md"),
    WITHOUT("access.origins", LIST, "none", "[\"https://app.example.com\"]", "origins of pages that may fetch evidence and post sealed requests, or `\"*\"`; applications have their own (`[middleware.cors]`)", "sealed.md"),
    WITHOUT("access.issuers", LIST, "none", "[\"http://127.0.0.1:8080\"]", "issuers (`[jwt]` of applications) whose keys are fetched without TLS too, and from addresses that are not public", "access.md"),
    WITHOUT("quotas.applications", NUMBER, "none", "20", "what one owner may have: applications", "versions.md#quotas"),
    WITHOUT("quotas.versions", NUMBER, "none", "50", "versions of all of them", "versions.md#quotas"),
    WITHOUT("quotas.mib", NUMBER, "none", "512", "MiB of artefacts", "versions.md#quotas"),
    WITHOUT("quotas.invocations_per_hour", NUMBER, "none", "100000", "invocations", "versions.md#quotas"),
    WITHOUT("policy.kinds", LIST, "all", "[\"wasm\"]", "kinds of functions allowed: `wasm`, `native`", "versions.md"),
    WITHOUT("policy.imports", LIST, "all", "[\"wasi_snapshot_preview1.*\"]",
      "imports allowed, as `module.field` or `module.*`", "versions.md"),
    WITHOUT("policy.no_imports", LIST, "none", "[\"s3n.*\"]", "imports refused", "versions.md"),
    WITHOUT("policy.features", LIST, "all", "[\"simd\"]", "features of WebAssembly allowed", "inspect.md"),
    { "policy.deterministic", CONFIGURATION_FLAG, "false", NULL, "true", "only what can run deterministically", "versions.md" },
    WITHOUT("policy.module_kib", NUMBER, "no limit", "1024", "size of a module", "versions.md"),
    WITHOUT("policy.image_kib", NUMBER, "no limit", "4096", "size of what it compiles to", "versions.md"),
    WITHOUT("policy.memory_mib", NUMBER, "no limit", "128", "memory that a function may ask for", "versions.md"),
    NUMBER("versions.retention_s", "604800", "86400", "how long deleted versions and applications can be restored", "versions.md"),
    NUMBER("logs.retention_s", "604800", "86400", "how long what functions logged is kept", "logs.md"),
    NUMBER("logs.mib", "32", "8", "of one application's logs: the oldest go first", "logs.md"),
    NUMBER("logs.total_mib", "1024", "256", "of all logs; each application that logs has an equal share", "logs.md"),
    NUMBER("logs.kib_per_s", "256", "64", "that one application may log in the long run; more is dropped and counted", "logs.md"),
    NUMBER("logs.burst_kib", "4096", "1024", "and at once", "logs.md"),
    TEXT("cgroup.use", "\"auto\"", "\"required\"",
      "limits by control groups: where they can be had; `required`: no start without memory, pids and cpu; `off`", "operating.md"),
    WITHOUT("cgroup.worker_memory_mib", NUMBER, "`limits.memory_mib`", "2048",
      "of each worker with its cells: what it may take at most", "operating.md"),
    NUMBER("cgroup.worker_pids", "512", "1024",
      "its processes and threads (up to twelve for each of `limits.lanes_max` lanes of an application with many functions)",
      "operating.md"),
    NUMBER("cgroup.worker_weight", "100", "200", "its share of a busy processor (1 to 10000)", "operating.md"),
    NUMBER("cgroup.compiler_memory_mib", "4096", "2048", "the same of each compiler", "operating.md"),
    NUMBER("cgroup.compiler_pids", "256", "128", "the same of each compiler", "operating.md"),
    NUMBER("cgroup.compiler_weight", "20", "50", "the same of each compiler", "operating.md"),
    TEXT("processor.smt", "\"any\"", "\"off\"", "`off`: start only where no two programs share a core", "side-channels.md"),
    TEXT("processor.mitigations", "\"any\"", "\"required\"",
      "`required`: start only where the kernel calls no known vulnerability open", "side-channels.md"),
};
/* clang-format on */
const size_t configuration_key_count = ARRAY_COUNT(configuration_keys);
