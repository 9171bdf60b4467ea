//go:build tools

// Package tools names etcdctl and etcdutl, so that go.mod and go.sum pin them and all they need.
package tools

import (
	_ "go.etcd.io/etcd/etcdctl/v3"
	_ "go.etcd.io/etcd/etcdutl/v3"
)
