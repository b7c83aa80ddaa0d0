//go:build tools

// SPDX-License-Identifier: Apache-2.0

// Keeps gojq's command, which nothing here calls, in go.mod.
package tools

import _ "github.com/itchyny/gojq/cmd/gojq"
