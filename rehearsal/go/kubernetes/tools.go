//go:build tools

// Package tools names the programs of the Kubernetes control plane, so that go.mod and go.sum pin them and all they need.
package tools

import (
	_ "k8s.io/kubernetes/cmd/kube-apiserver"
	_ "k8s.io/kubernetes/cmd/kube-controller-manager"
	_ "k8s.io/kubernetes/cmd/kube-scheduler"
)
