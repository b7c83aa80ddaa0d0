/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/s3n/session.h"
#include "core/reader.h"

void session_show(const struct session *session, struct cli *cli, bool is_brief)
{
    static const enum verify_step steps[] = { VERIFY_STEP_KEYSET, VERIFY_STEP_EVIDENCE,
                                              VERIFY_STEP_ROOT };
    const struct verify_result *seen = &session->seen;
    for (size_t i = 0; i < ARRAY_COUNT(steps); i++) {
        enum verify_verdict verdict = seen->steps[steps[i]].verdict;
        if (verdict != VERIFY_NOT_REACHED)
            cli_message(cli, "  %-9s %s  %s", verify_step_name(steps[i]),
                        verdict == VERIFY_PASSED ? "✓" : "✗", seen->steps[steps[i]].detail);
    }
    for (size_t i = 0; !is_brief && seen->has_policy && i < seen->policy.rule_count; i++) {
        const struct policy_rule *rule = &seen->policy.rules[i];
        cli_message(cli, "  %s policy %-21s %s (wanted: %s)", rule->is_met ? "✓" : "✗", rule->name,
                    rule->value, rule->wanted);
    }
    AUTO_BUFFER struct buffer text;
    buffer_init(&text, 16 << 10);
    if (!is_brief && seen->has_appraisal)
        collateral_text_of_evidence(&text, buffer_view(&session->evidence), &session->gathered,
                                    seen->judged_at_s);
    struct reader lines = reader_of(buffer_view(&text));
    while (!text.failed && reader_left(&lines) > 0) {
        struct bytes rest = bytes_of(lines.at, reader_left(&lines));
        struct bytes line = read_bytes(&lines, bytes_find(rest, '\n'));
        cli_message(cli, "  %.*s", (int)line.size, (const char *)line.data);
        (void)read_u8(&lines);
    }
    if (session->unfetched.code != ERROR_NONE)
        cli_message(cli, "  collateral: %s", session->unfetched.text);
}

void session_show_refusal(const struct session *session, struct cli *cli)
{
    const struct verify_result *seen = &session->seen;
    if (seen->steps[VERIFY_STEP_EVIDENCE].verdict == VERIFY_FAILED ||
        seen->steps[VERIFY_STEP_ROOT].verdict == VERIFY_FAILED)
        session_show(session, cli, false);
}
