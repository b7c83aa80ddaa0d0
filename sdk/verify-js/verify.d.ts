// SPDX-License-Identifier: Apache-2.0
export { INPUT_SIZE_MAX, Verifier, VerifyError } from './index.js';
