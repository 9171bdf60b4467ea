"""From a workload to the cheapest nodes that start it and hold it.

The formulae of memory and disk are those of the public sizing tool of Milvus (https://milvus.io/tools/sizing), read at
commit f57ab625 of github.com/milvus-io/milvus.io. What we recommend differs from it on purpose, and the report says
where.
"""
