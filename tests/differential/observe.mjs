// SPDX-License-Identifier: Apache-2.0
// What Node's engine answers to a call, as a command of wast2json.

const TRAPS = [
  [/divide by zero|remainder by zero/, 'integer divide by zero'],
  [/divide result unrepresentable/, 'integer overflow'],
  [/float unrepresentable/, 'in'], // "invalid conversion" of a NaN or "integer overflow": V8 does not tell which
  [/memory access out of bounds/, 'out of bounds memory access'],
  [/table index is out of bounds/, 'undefined element'],
  [/signature mismatch/, 'indirect call type mismatch'],
  [/unreachable/, 'unreachable'],
];

// `name`: an export without parameters that returns an i64.
export function observe(instance, name) {
  const action = { type: 'invoke', field: name, args: [] };
  try {
    const answer = BigInt.asUintN(64, instance.exports[name]());
    return { type: 'assert_return', action, expected: [{ type: 'i64', value: answer.toString() }] };
  } catch (error) {
    const known = TRAPS.find(([pattern]) => pattern.test(error.message));
    if (!known) throw error;
    return { type: 'assert_trap', action, text: known[1], expected: [] };
  }
}
