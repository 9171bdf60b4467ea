"""Moves partitions onto the brokers that were added to a cluster: MSK creates brokers, and leaves them empty."""

from ops.rebalance.kafka import Brokers, connect
from ops.rebalance.login import read_login
from ops.rebalance.plan import Move, Partition, moves
from ops.rebalance.run import Progress, rebalance

__all__ = ["Brokers", "Move", "Partition", "Progress", "connect", "moves", "read_login", "rebalance"]
