"""What a bucket's name tells."""

from __future__ import annotations

from makings import (
    BUCKET,
    CODE,
    OTHER_SEED,
    SEED,
)

from laeforensics.facts.buckets import bears_seed, product_code_of, seed_of


def test_a_devpay_bucket_holds_product_code_and_seed():
    """A bucket of a subscription holds neither."""
    assert (product_code_of(BUCKET), seed_of(BUCKET)) == (CODE, SEED)
    subscription = "lae-on2wexinventedsubscription-mn2xgxinventedcustomer"
    assert (product_code_of(subscription), seed_of(subscription)) == (None, None)


def test_a_bucket_bears_the_seed_of_its_run():
    """At its end; in the later layout folder and bucket have the two halves in opposite order."""
    assert bears_seed(BUCKET, SEED)
    assert not bears_seed(BUCKET, OTHER_SEED)
    assert bears_seed("lae-subscription-customer", "customer-subscription")
    assert not bears_seed("lae-customer-subscription", "customer-other")
