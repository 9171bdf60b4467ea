//go:build tools

// Package tools names kwok (simulated nodes and pods), so that go.mod and go.sum pin it and all it needs.
package tools

import _ "sigs.k8s.io/kwok/cmd/kwok"
