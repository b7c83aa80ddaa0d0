/* SPDX-License-Identifier: Apache-2.0 */
#include "attest/policy/policy.h"

#include "core/hex.h"
#include "core/time.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum {
    TD_ATTRIBUTE_SEPT_VE_DISABLE = 1 << 4, /* bit 28, in byte 3 */
    TD_ATTRIBUTE_MIGRATABLE = 1 << 5,      /* bit 29, in byte 3 */
    SNP_PLATFORM_SMT = 1 << 0              /* of PLATFORM_INFO */
};

/* What all rules look at. */
struct evaluation {
    struct policy_report *report;
    const struct policy *policy;
    const struct attest_verdict *verdict;
    const struct attest_claims *claims;
    int64_t now_s;
};

void policy_default(struct policy *policy)
{
    memset(policy, 0, sizeof(*policy));
    policy->tees =
        1u << ATTEST_TEE_TDX | 1u << ATTEST_TEE_SGX | 1u << ATTEST_TEE_SNP | 1u << ATTEST_TEE_NITRO;
    policy->migration = POLICY_FORBIDDEN;
    policy->statuses = 1u << INTEL_TCB_UP_TO_DATE | 1u << INTEL_TCB_SW_HARDENING;
    policy->tcb_date_min_s = INT64_MIN;
    policy->vmpl_max = -1;
    policy->collateral_age_max_s = INT64_MAX;
    policy->evidence_age_max_s = INT64_MAX;
}

static bool is_intel(const struct evaluation *evaluation)
{
    return evaluation->verdict->tee == ATTEST_TEE_TDX || evaluation->verdict->tee == ATTEST_TEE_SGX;
}

static struct policy_rule *rule_add(struct evaluation *evaluation, const char *name, bool is_met)
{
    struct policy_report *report = evaluation->report;
    ASSERT(report->rule_count < POLICY_RULE_COUNT_MAX);
    struct policy_rule *rule = &report->rules[report->rule_count++];
    rule->name = name;
    rule->is_met = is_met;
    return rule;
}

static void PRINTF_LIKE(2, 3) value_set(struct policy_rule *rule, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(rule->value, sizeof(rule->value), format, arguments);
    va_end(arguments);
}

static void PRINTF_LIKE(2, 3) wanted_set(struct policy_rule *rule, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(rule->wanted, sizeof(rule->wanted), format, arguments);
    va_end(arguments);
}

/* Appends a word to a list in a rule's text; a list that is too long ends in its last whole word.
 */
static void word_append(char text[160], const char *word)
{
    size_t used = strlen(text);
    if (used + strlen(word) + 3 < 160)
        snprintf(text + used, 160 - used, "%s%s", used == 0 ? "" : ", ", word);
}

static void judge_platform(struct evaluation *evaluation)
{
    const struct policy *policy = evaluation->policy;
    enum attest_tee tee = evaluation->verdict->tee;
    struct policy_rule *rule = rule_add(evaluation, "tee", (policy->tees & 1u << tee) != 0);
    value_set(rule, "%s", attest_tee_name(tee));
    for (enum attest_tee each = ATTEST_TEE_TDX; each <= ATTEST_TEE_NITRO; each++)
        if ((policy->tees & 1u << each) != 0)
            word_append(rule->wanted, attest_tee_name(each));
    if (rule->wanted[0] == '\0')
        wanted_set(rule, "none");
    bool is_simulated = evaluation->claims->is_simulated;
    rule = rule_add(evaluation, "simulated", !is_simulated || policy->allow_simulated);
    value_set(rule, "%s", is_simulated ? "SIMULATED: a development root" : "no");
    wanted_set(rule, "%s", policy->allow_simulated ? "any" : "no");
    bool is_debug = evaluation->claims->is_debug;
    rule = rule_add(evaluation, "debug", !is_debug || policy->allow_debug);
    value_set(rule, "%s", is_debug ? "yes: its host can look inside" : "no");
    wanted_set(rule, "%s", policy->allow_debug ? "any" : "no");
}

static const char *choice_text(enum policy_choice choice)
{
    static const char *const texts[] = { "any", "no", "yes" };
    return texts[choice];
}

static void judge_choice(struct evaluation *evaluation, const char *name, enum policy_choice wanted,
                         bool is_so)
{
    bool is_met = wanted == POLICY_ANY || is_so == (wanted == POLICY_REQUIRED);
    struct policy_rule *rule = rule_add(evaluation, name, is_met);
    value_set(rule, "%s", is_so ? "yes" : "no");
    wanted_set(rule, "%s", choice_text(wanted));
}

/* A machine that doesn't tell meets no demand. */
static void judge_unknown(struct evaluation *evaluation, const char *name,
                          enum policy_choice wanted)
{
    struct policy_rule *rule = rule_add(evaluation, name, wanted == POLICY_ANY);
    value_set(rule, "not told");
    wanted_set(rule, "%s", choice_text(wanted));
}

static void judge_machine(struct evaluation *evaluation)
{
    const struct policy *policy = evaluation->policy;
    const struct attest_claims *claims = evaluation->claims;
    if (is_intel(evaluation)) {
        if (claims->intel.pck.has_configuration)
            judge_choice(evaluation, "smt", policy->smt, claims->intel.pck.has_smt);
        else
            judge_unknown(evaluation, "smt", policy->smt);
    }
    if (evaluation->verdict->tee == ATTEST_TEE_SNP) {
        judge_choice(evaluation, "smt", policy->smt,
                     (claims->snp.report.platform_info & SNP_PLATFORM_SMT) != 0);
        judge_choice(evaluation, "migration", policy->migration, claims->snp.is_migratable);
    }
    if (evaluation->verdict->tee == ATTEST_TEE_TDX) {
        uint8_t attributes = claims->intel.td.td_attributes[3];
        judge_choice(evaluation, "migration", policy->migration,
                     (attributes & TD_ATTRIBUTE_MIGRATABLE) != 0);
        judge_choice(evaluation, "tdx.sept_ve_disable", policy->sept_ve_disable,
                     (attributes & TD_ATTRIBUTE_SEPT_VE_DISABLE) != 0);
    }
}

/* "5d" or "3h": for people. */
static void age_text(char text[32], int64_t age_s)
{
    if (age_s == INT64_MAX)
        snprintf(text, 32, "any");
    else if (age_s >= 86400)
        snprintf(text, 32, "%lld days", (long long)(age_s / 86400));
    else
        snprintf(text, 32, "%lld s", (long long)age_s);
}

static void judge_age(struct evaluation *evaluation, const char *name, int64_t since_s,
                      int64_t age_max_s)
{
    char found[32], wanted[32];
    int64_t age_s = MAX(evaluation->now_s - since_s, 0);
    age_text(found, age_s);
    age_text(wanted, age_max_s);
    struct policy_rule *rule = rule_add(evaluation, name, age_s <= age_max_s);
    value_set(rule, "%s", found);
    wanted_set(rule, age_max_s == INT64_MAX ? "%s" : "at most %s", wanted);
}

static bool is_out_of_date(enum intel_tcb_status status)
{
    return status == INTEL_TCB_OUT_OF_DATE || status == INTEL_TCB_OUT_OF_DATE_CONFIGURATION;
}

/* Out of date counts as what it was before, while the grace lasts. */
static bool status_is_accepted(const struct evaluation *evaluation)
{
    const struct policy *policy = evaluation->policy;
    const struct intel_claims *intel = &evaluation->claims->intel;
    enum intel_tcb_status status = intel->tcb_status;
    if ((policy->statuses & 1u << status) != 0)
        return true;
    if (!is_out_of_date(status) || evaluation->now_s > intel->tcb_date_s + policy->grace_s)
        return false;
    enum intel_tcb_status before =
        status == INTEL_TCB_OUT_OF_DATE ? INTEL_TCB_UP_TO_DATE : INTEL_TCB_CONFIGURATION;
    return policy->grace_s > 0 && (policy->statuses & 1u << before) != 0;
}

static void judge_status(struct evaluation *evaluation)
{
    const struct policy *policy = evaluation->policy;
    const struct intel_claims *intel = &evaluation->claims->intel;
    struct policy_rule *rule = rule_add(evaluation, "tcb.status", status_is_accepted(evaluation));
    value_set(rule, "%s",
              intel->tcb_status == INTEL_TCB_UNKNOWN ? "Unknown: no collateral was given"
                                                     : intel_tcb_status_name(intel->tcb_status));
    for (enum intel_tcb_status each = INTEL_TCB_UNKNOWN; each <= INTEL_TCB_REVOKED; each++)
        if ((policy->statuses & 1u << each) != 0)
            word_append(rule->wanted, intel_tcb_status_name(each));
    if (rule->wanted[0] == '\0')
        wanted_set(rule, "none");
    if (policy->grace_s > 0) {
        char grace[32], text[48];
        age_text(grace, policy->grace_s);
        snprintf(text, sizeof(text), "out of date for %s", grace);
        word_append(rule->wanted, text);
    }
}

static void judge_numbers(struct evaluation *evaluation)
{
    const struct policy *policy = evaluation->policy;
    const struct intel_claims *intel = &evaluation->claims->intel;
    bool is_known = intel->tcb_status != INTEL_TCB_UNKNOWN;
    if (policy->tcb_date_min_s != INT64_MIN) {
        struct policy_rule *rule = rule_add(
            evaluation, "tcb.date_min", is_known && intel->tcb_date_s >= policy->tcb_date_min_s);
        if (!is_known || !time_format(rule->value, intel->tcb_date_s))
            value_set(rule, "unknown");
        if (!time_format(rule->wanted, policy->tcb_date_min_s))
            wanted_set(rule, "a date");
    }
    if (policy->evaluation_number_min > 0) {
        uint32_t number = MIN(intel->tcb_evaluation_data_number, intel->qe_evaluation_data_number);
        struct policy_rule *rule = rule_add(evaluation, "tcb.evaluation_number_min",
                                            is_known && number >= policy->evaluation_number_min);
        value_set(rule, "%u", number);
        wanted_set(rule, "at least %u", policy->evaluation_number_min);
    }
}

static void judge_advisories(struct evaluation *evaluation)
{
    const struct policy *policy = evaluation->policy;
    const struct intel_claims *intel = &evaluation->claims->intel;
    if (!policy->has_advisories)
        return;
    struct policy_rule *rule = rule_add(evaluation, "tcb.advisories", true);
    for (size_t i = 0; i < intel->advisory_count; i++) {
        bool is_tolerated = false;
        for (size_t j = 0; j < policy->advisory_count && !is_tolerated; j++)
            is_tolerated = strcmp(intel->advisory_ids[i], policy->advisories[j]) == 0;
        rule->is_met = rule->is_met && is_tolerated;
        word_append(rule->value, intel->advisory_ids[i]);
    }
    for (size_t i = 0; i < policy->advisory_count; i++)
        word_append(rule->wanted, policy->advisories[i]);
    if (rule->value[0] == '\0')
        value_set(rule, "none");
    if (rule->wanted[0] == '\0')
        wanted_set(rule, "none");
}

static void judge_svns(struct evaluation *evaluation, const char *name,
                       const struct policy_floor *floor, const uint8_t *svns)
{
    if (!floor->is_set)
        return;
    struct policy_rule *rule = rule_add(evaluation, name, true);
    char word[32];
    for (size_t i = 0; i < POLICY_SVN_COUNT; i++) {
        rule->is_met = rule->is_met && svns[i] >= floor->svn[i];
        snprintf(word, sizeof(word), "%u", svns[i]);
        word_append(rule->value, word);
        snprintf(word, sizeof(word), "%u", floor->svn[i]);
        word_append(rule->wanted, word);
    }
}

static void judge_intel(struct evaluation *evaluation)
{
    const struct policy *policy = evaluation->policy;
    const struct intel_claims *intel = &evaluation->claims->intel;
    judge_status(evaluation);
    judge_numbers(evaluation);
    judge_advisories(evaluation);
    judge_svns(evaluation, "tcb.sgx_svn_min", &policy->sgx_svn_min, intel->pck.tcb_component_svn);
    if (evaluation->verdict->tee == ATTEST_TEE_TDX)
        judge_svns(evaluation, "tcb.tdx_svn_min", &policy->tdx_svn_min, intel->td.tee_tcb_svn);
    if (policy->pce_svn_min > 0) {
        struct policy_rule *rule =
            rule_add(evaluation, "tcb.pce_svn_min", intel->pck.pce_svn >= policy->pce_svn_min);
        value_set(rule, "%u", intel->pck.pce_svn);
        wanted_set(rule, "at least %u", policy->pce_svn_min);
    }
}

static bool tcb_is_at_least(const struct snp_tcb *tcb, const struct policy_amd_floor *floor)
{
    return tcb->boot_loader >= floor->boot_loader && tcb->tee >= floor->tee &&
           tcb->snp >= floor->snp && tcb->microcode >= floor->microcode && tcb->fmc >= floor->fmc;
}

static void judge_snp(struct evaluation *evaluation)
{
    const struct policy *policy = evaluation->policy;
    const struct snp_claims *snp = &evaluation->claims->snp;
    if (policy->amd_tcb_min.is_set) {
        const struct policy_amd_floor *floor = &policy->amd_tcb_min;
        struct policy_rule *rule = rule_add(evaluation, "snp.tcb_min",
                                            tcb_is_at_least(&snp->reported_tcb, floor) &&
                                                tcb_is_at_least(&snp->committed_tcb, floor) &&
                                                tcb_is_at_least(&snp->launch_tcb, floor));
        value_set(rule, "reported %u %u %u %u %u, committed %u %u %u %u %u",
                  snp->reported_tcb.boot_loader, snp->reported_tcb.tee, snp->reported_tcb.snp,
                  snp->reported_tcb.microcode, snp->reported_tcb.fmc,
                  snp->committed_tcb.boot_loader, snp->committed_tcb.tee, snp->committed_tcb.snp,
                  snp->committed_tcb.microcode, snp->committed_tcb.fmc);
        wanted_set(rule, "at least boot_loader %u tee %u snp %u microcode %u fmc %u",
                   floor->boot_loader, floor->tee, floor->snp, floor->microcode, floor->fmc);
    }
    if (policy->vmpl_max >= 0) {
        struct policy_rule *rule =
            rule_add(evaluation, "snp.vmpl_max", snp->report.vmpl <= (uint32_t)policy->vmpl_max);
        value_set(rule, "%u", snp->report.vmpl);
        wanted_set(rule, "at most %d", policy->vmpl_max);
    }
    if (policy->guest_svn_min > 0) {
        struct policy_rule *rule = rule_add(evaluation, "snp.guest_svn_min",
                                            snp->report.guest_svn >= policy->guest_svn_min);
        value_set(rule, "%u", snp->report.guest_svn);
        wanted_set(rule, "at least %u", policy->guest_svn_min);
    }
}

/* When the oldest piece of collateral was issued; false without any. */
static bool collateral_issued(const struct evaluation *evaluation, int64_t *issued_s)
{
    if (is_intel(evaluation)) {
        *issued_s = evaluation->claims->intel.collateral_issued_s;
        return evaluation->claims->intel.tcb_status != INTEL_TCB_UNKNOWN;
    }
    *issued_s = evaluation->claims->snp.crl_this_update_s;
    return evaluation->claims->snp.has_crl;
}

static void judge_collateral(struct evaluation *evaluation)
{
    const struct policy *policy = evaluation->policy;
    if (policy->revocation == POLICY_REQUIRED && evaluation->verdict->tee != ATTEST_TEE_NITRO) {
        struct policy_rule *rule = rule_add(evaluation, "collateral.revocation", true);
        for (size_t i = 0; i < evaluation->verdict->step_count; i++) {
            const struct attest_step *step = &evaluation->verdict->steps[i];
            if (step->state == ATTEST_STEP_LEFT_OUT && strstr(step->name, "revocation") != NULL)
                rule->is_met = false;
        }
        value_set(rule, "%s", rule->is_met ? "checked" : "not checked: a list was not given");
        wanted_set(rule, "checked");
    }
    int64_t issued_s = 0;
    if (policy->collateral_age_max_s != INT64_MAX && evaluation->verdict->tee != ATTEST_TEE_NITRO) {
        if (collateral_issued(evaluation, &issued_s)) {
            judge_age(evaluation, "collateral.age_max_days", issued_s,
                      policy->collateral_age_max_s);
        } else {
            struct policy_rule *rule = rule_add(evaluation, "collateral.age_max_days", false);
            value_set(rule, "no collateral was given");
            wanted_set(rule, "some");
        }
    }
}

static void judge_evidence_age(struct evaluation *evaluation)
{
    int64_t age_max_s = evaluation->policy->evidence_age_max_s;
    if (age_max_s == INT64_MAX || evaluation->verdict->tee != ATTEST_TEE_NITRO)
        return;
    uint64_t made_s = evaluation->claims->nitro.timestamp_ms / 1000;
    judge_age(evaluation, "evidence.age_max_s", (int64_t)MIN(made_s, (uint64_t)INT64_MAX / 2),
              age_max_s);
}

static bool field_matches(const struct evaluation *evaluation, const struct policy_field *field)
{
    return (field->kind->tees & 1u << evaluation->verdict->tee) != 0 &&
           bytes_equal(policy_field_of(field->kind, evaluation->claims),
                       bytes_of(field->value.bytes, field->value.size));
}

/* A field of the evidence for people, as far as it fits. */
static void field_text(const struct evaluation *evaluation, const struct policy_field *field,
                       char text[160])
{
    struct bytes found = policy_field_of(field->kind, evaluation->claims);
    char digits[2 * sizeof(field->value.bytes) + 1];
    if (field->kind->size == 0) {
        snprintf(text, 160, "%s %s", field->kind->name, error_quote(found).text);
        return;
    }
    hex_encode(digits, bytes_part(found, 0, sizeof(field->value.bytes)));
    snprintf(text, 160, "%s %s", field->kind->name, digits);
}

static void judge_measurement(struct evaluation *evaluation)
{
    const struct policy *policy = evaluation->policy;
    struct policy_rule *rule = rule_add(evaluation, "measurement", policy->measurement_count == 0);
    if (rule->is_met) {
        value_set(rule, "not compared");
        wanted_set(rule, "any");
        return;
    }
    const struct policy_field *other = NULL; /* the first that differed */
    for (size_t i = 0; i < policy->measurement_count && !rule->is_met; i++) {
        const struct policy_measurement *measurement = &policy->measurements[i];
        bool matches = true;
        for (size_t j = 0; j < measurement->field_count && matches; j++) {
            const struct policy_field *field = &measurement->fields[j];
            matches = field_matches(evaluation, field);
            if (!matches && other == NULL &&
                (field->kind->tees & 1u << evaluation->verdict->tee) != 0)
                other = field;
        }
        rule->is_met = matches;
        if (matches)
            evaluation->report->measurement = measurement->name;
        word_append(rule->wanted, measurement->name);
    }
    if (rule->is_met)
        value_set(rule, "%s", evaluation->report->measurement);
    else if (other != NULL)
        field_text(evaluation, other, rule->value);
    else
        value_set(rule, "none is of this kind of evidence");
}

static bool has_platform_id(const struct evaluation *evaluation)
{
    static const char *const names[] = { "ppid", "platform_instance_id", "chip_id", "module_id" };
    for (size_t i = 0; i < ARRAY_COUNT(names); i++) {
        const struct policy_field_kind *kind = policy_field_find(names[i], true);
        if ((kind->tees & 1u << evaluation->verdict->tee) == 0)
            continue;
        struct bytes found = policy_field_of(kind, evaluation->claims);
        for (size_t j = 0; j < found.size; j++)
            if (found.data[j] != 0)
                return true;
    }
    return false;
}

static void judge_platform_id(struct evaluation *evaluation)
{
    const struct policy *policy = evaluation->policy;
    if (policy->requires_platform_id) {
        struct policy_rule *rule =
            rule_add(evaluation, "require_platform_id", has_platform_id(evaluation));
        value_set(rule, "%s", rule->is_met ? "told" : "the evidence does not say which machine");
        wanted_set(rule, "told");
    }
    if (policy->pin_count == 0)
        return;
    struct policy_rule *rule = rule_add(evaluation, "platform", false);
    for (size_t i = 0; i < policy->pin_count && !rule->is_met; i++) {
        const struct policy_pin *pin = &policy->pins[i];
        rule->is_met = field_matches(evaluation, &pin->field);
        if (rule->is_met)
            evaluation->report->pin = pin->name;
        else if (rule->value[0] == '\0' &&
                 (pin->field.kind->tees & 1u << evaluation->verdict->tee) != 0)
            field_text(evaluation, &pin->field, rule->value);
        word_append(rule->wanted, pin->name);
    }
    if (rule->is_met)
        value_set(rule, "%s", evaluation->report->pin);
    else if (rule->value[0] == '\0')
        value_set(rule, "no pin is of this kind of evidence");
}

bool policy_evaluate(struct policy_report *report, const struct policy *policy,
                     const struct attest_verdict *verdict, int64_t now_s, struct error *error)
{
    *report = (struct policy_report){ 0 };
    struct evaluation evaluation = { .report = report,
                                     .policy = policy,
                                     .verdict = verdict,
                                     .claims = &verdict->claims,
                                     .now_s = now_s };
    ASSERT(verdict->is_valid);
    judge_platform(&evaluation);
    judge_machine(&evaluation);
    if (is_intel(&evaluation))
        judge_intel(&evaluation);
    if (verdict->tee == ATTEST_TEE_SNP)
        judge_snp(&evaluation);
    judge_collateral(&evaluation);
    judge_evidence_age(&evaluation);
    judge_measurement(&evaluation);
    judge_platform_id(&evaluation);
    for (size_t i = 0; i < report->rule_count; i++) {
        const struct policy_rule *rule = &report->rules[i];
        if (!rule->is_met)
            return error_set(error, ERROR_UNVERIFIED, "policy: %s is %s, wanted %s", rule->name,
                             rule->value, rule->wanted);
    }
    report->is_accepted = true;
    return true;
}

void policy_report_write(struct json_writer *json, const struct policy_report *report)
{
    json_write_name(json, "policy");
    json_write_string(json, report == NULL ? "none" : report->is_accepted ? "accept" : "reject");
    json_write_name(json, "rules");
    json_write_array_begin(json);
    for (size_t i = 0; report != NULL && i < report->rule_count; i++) {
        const struct policy_rule *rule = &report->rules[i];
        json_write_object_begin(json);
        json_write_name(json, "name");
        json_write_string(json, rule->name);
        json_write_name(json, "ok");
        json_write_bool(json, rule->is_met);
        json_write_name(json, "value");
        json_write_string(json, rule->value);
        json_write_name(json, "wanted");
        json_write_string(json, rule->wanted);
        json_write_object_end(json);
    }
    json_write_array_end(json);
}
