// Command etcd is etcd's own server: the store of the Kubernetes API server and of Milvus's metadata.
package main

import (
	"os"

	"go.etcd.io/etcd/server/v3/etcdmain"
)

func main() {
	etcdmain.Main(os.Args)
}
