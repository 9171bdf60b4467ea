"""Generators of pages in docs/ and of files that are checked against them."""
