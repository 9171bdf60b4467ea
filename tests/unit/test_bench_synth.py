"""The synth is compared with a peer of the same resources, or said not to be."""

from __future__ import annotations

from collections import Counter

from tools.bench_synth.__main__ import compare_resources


def test_peer_with_the_same_resources_is_a_peer() -> None:
    assert not compare_resources(Counter({"AWS::S3::Bucket": 2}), Counter({"AWS::S3::Bucket": 2}))


def test_every_type_of_which_the_peer_has_more_or_less_is_named() -> None:
    peer = Counter({"AWS::S3::Bucket": 2, "AWS::KMS::Key": 1})
    prod = Counter({"AWS::S3::Bucket": 3, "AWS::IAM::Role": 1, "AWS::KMS::Key": 1})
    assert compare_resources(peer, prod) == "AWS::IAM::Role 0 instead of 1, AWS::S3::Bucket 2 instead of 3"
