"""What a store may answer instead of a listing, or of an object: the runner and the program on hosts sit one exam."""

from __future__ import annotations

import threading
from collections import Counter
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from laerecover.adapters.s3 import S3Store
from laerecover.hosts.programs.bucket_shares import Listed
from laerecover.hosts.programs.joining import NOT_NOW, REFUSED, Changed, Ended
from laerecover.hosts.programs.s3_joining import S3Bucket
from laerecover.hosts.recipes.named import recipe_named
from laerecover.manifest import Account, Secret
from laerecover.planning.buckets import DATA_UNREACHABLE, in_buckets
from laerecover.settings import drill_settings

XML = {"Content-Type": "application/xml"}
HTML = {"Content-Type": "text/html"}
LOGIN = b"<html xmlns='http://www.w3.org/1999/xhtml'><head><title>Login</title></head><body>Log in</body></html>"
NAMES = ["a", "b", "c"]


def listing(names, truncated="false", more=""):
    """As S3 writes it."""
    rows = "".join(
        f"<Contents><Key>{name}</Key><LastModified>2014-05-20T00:00:00.000Z</LastModified><ETag>e</ETag>"
        "<Size>10</Size></Contents>"
        for name in names
    )
    return (
        "<ListBucketResult xmlns='http://s3.amazonaws.com/doc/2006-03-01/'><Name>bucket</Name>"
        f"<IsTruncated>{truncated}</IsTruncated>{more}{rows}</ListBucketResult>"
    ).encode()


def refusal(code):
    return f"<Error><Code>{code}</Code><Message>no</Message></Error>".encode()


class Store:
    """A store on loopback that answers as it is told: `answer(verb, query)` gives status, headers, body."""

    def __init__(self, folder) -> None:
        self.folder, self.calls, self.conditions = folder, Counter(), []
        store = self

        class Pages(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                self.rfile.read(int(self.headers.get("Content-Length") or 0))
                store.calls[self.command] += 1
                store.conditions = [self.headers[name] for name in ("If-Match", "x-amz-copy-source-if-match")]
                status, headers, body = store.answer(self.command, parse_qs(urlsplit(self.path).query))
                self.send_response(status)
                for name, value in {**headers, "Content-Length": str(len(body))}.items():
                    self.send_header(name, value)
                self.end_headers()
                if self.command != "HEAD":
                    self.wfile.write(body)

            do_HEAD = do_PUT = do_GET

            def log_message(self, *_):
                """Nobody reads it."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Pages)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.endpoint = f"http://127.0.0.1:{self.server.server_port}"

    def answers(self, status, body, headers=XML):
        self.answer = lambda verb, query: (status, headers, body)

    @property
    def host(self):
        file = self.folder / "rclone.conf"
        file.write_text(
            "[store]\naccess_key_id = KEY\nsecret_access_key = SECRET\nregion = us-east-1\n"
            f"endpoint = {self.endpoint}\n[shares]\nremote = store:bucket/recovered\n"
        )
        return S3Bucket(str(file))

    def found(self, bucket="bucket"):
        """What the plan finds."""
        one = Account(
            account_id="lae-1",
            verdict="RECOVERABLE",
            bucket_name=bucket,
            user_access_key_id="KEY",
            user_secret_key=Secret("SECRET"),
        )
        settings = drill_settings(Path()).changed(recipe={"s3_endpoint": self.endpoint})
        return in_buckets([one], S3Store(settings), recipe_named("tahoe"))


@pytest.fixture
def store(tmp_path):
    made = Store(tmp_path)
    yield made
    made.server.shutdown()
    made.server.server_close()


def test_a_listing_is_read_to_its_end(store):
    """Page by page, by the token that each gives, though one holds nothing."""
    pages = {"": (["a"], "1"), "1": ([], "2"), "2": (["b", "c"], "")}

    def answer(verb, query):
        names, more = pages[query.get("continuation-token", [""])[0]]
        token = f"<NextContinuationToken>{more}</NextContinuationToken>" if more else ""
        return 200, XML, listing(names, "true" if more else "false", token)

    store.answer = answer
    assert [entry.name for entry in store.host.listing()] == NAMES
    assert store.found() == []


NO_LISTINGS = {
    "a page": (200, LOGIN, HTML),
    "nothing": (200, b"", HTML),
    "another answer": (200, b"<ListAllMyBucketsResult></ListAllMyBucketsResult>", XML),
    "no word of its end": (200, listing(NAMES).replace(b"<IsTruncated>false</IsTruncated>", b""), XML),
    "it breaks off": (200, listing(NAMES, "true"), XML),
    "no order": (200, listing(["b", "a"]), XML),
    "twice the same": (200, listing(["a", "a"]), XML),
    "again and again": (200, listing(NAMES, "true", "<NextContinuationToken>1</NextContinuationToken>"), XML),
    "nothing for ever": (200, listing([], "true", "<NextContinuationToken>1</NextContinuationToken>"), XML),
    "no sizes": (200, listing(NAMES).replace(b"<Size>10</Size>", b""), XML),
    "less than nothing": (200, listing(NAMES).replace(b"<Size>10<", b"<Size>-1<"), XML),
    "forbidden by a page": (403, LOGIN, HTML),
    "not found by a page": (404, LOGIN, HTML),
    "a method": (405, refusal("MethodNotAllowed"), XML),
    **{f"elsewhere {n}": (n, LOGIN, {**HTML, "Location": "http://127.0.0.1:1/login"}) for n in (301, 302, 307)},
}


@pytest.mark.parametrize("case", NO_LISTINGS)
def test_what_is_no_listing_is_no_empty_bucket(store, case):
    """But an obstacle, and the end of the host's program, each with what to do; nobody asks for ever."""
    store.answers(*NO_LISTINGS[case])
    (found,) = store.found()
    assert (found.what, found.account_id, found.blocks) == (DATA_UNREACHABLE, "lae-1", True)
    assert "what answered is no S3, but a proxy, say" in found.remedy
    assert found.message.rstrip(": ") == found.message
    with pytest.raises(Ended, match="what answered is no S3, but a proxy, say") as ended:
        list(store.host.listing())
    assert ended.value.status == REFUSED
    assert sum(store.calls.values()) < 20


REFUSALS = {
    "AuthorizationHeaderMalformed": (400, "in another region"),
    "PermanentRedirect": (301, "in another region"),
    "ExpiredToken": (400, "session_token = false"),
    "InvalidPayer": (403, "what is not paid"),
    "AccountProblem": (403, "what is not paid"),
    "InvalidObjectState": (403, "restore-object"),
    "ObjectNotInActiveTierError": (403, "restore-object"),
    "QuotaExceeded": (403, "no more room"),
    "KMS.DisabledException": (400, "encrypted with"),
    "NotImplemented": (501, "does not"),
}


@pytest.mark.parametrize("code", REFUSALS)
def test_each_refusal_has_one_remedy_for_both(store, code):
    """By the store's own word, whoever of the two is refused."""
    status, remedy = REFUSALS[code]
    store.answers(status, refusal(code))
    (found,) = store.found()
    assert found.what == DATA_UNREACHABLE
    assert remedy in found.remedy
    with pytest.raises(Ended) as ended:
        list(store.host.listing())
    assert code in str(ended.value)
    if status < 500:
        assert found.remedy.startswith(str(ended.value).partition("; ")[2])
        assert ended.value.status == REFUSED


def test_a_wrong_clock_is_said_on_hosts_too(store):
    """Theirs may be the wrong one."""
    store.answers(403, refusal("RequestTimeTooSkewed"))
    with pytest.raises(Ended, match="set the clock") as ended:
        list(store.host.listing())
    assert ended.value.status == REFUSED


def test_a_store_that_has_enough_is_asked_again_later(store, monkeypatch):
    """That is no refusal, and nothing is wrong with the way to it."""
    monkeypatch.setattr("laerecover.hosts.programs.s3_joining._TRIES", 2)
    monkeypatch.setattr("laerecover.adapters.aws._TRIES", 2)
    store.answers(503, refusal("SlowDown"))
    with pytest.raises(Ended, match="the store says SlowDown") as ended:
        list(store.host.listing())
    assert ended.value.status == NOT_NOW
    (found,) = store.found()
    assert "run again later" in found.remedy


@pytest.mark.parametrize("name", ["arn:aws:s3:us-east-1:123456789012:accesspoint/x", "a/b", "", "x", "-" * 9, "a\nb"])
def test_what_is_no_buckets_name_is_not_asked_for(store, name):
    """An ARN would have Amazon's library leave the endpoint of the settings."""
    store.answers(200, listing(NAMES))
    (found,) = store.found(bucket=name)
    assert found.what == DATA_UNREACHABLE
    assert store.calls == {}


ENTRY = Listed("shares/x", 100, '"e"')


def test_a_store_without_parts_of_objects_is_told_as_that(store):
    """Nobody has changed the share."""
    store.answers(200, b"x" * 100, {"ETag": '"e"'})
    with pytest.raises(Ended, match="gives no parts of objects") as ended:
        store.host.read(ENTRY, 0, 10)
    assert ended.value.status == REFUSED
    assert store.host.read(ENTRY, 0, 100) == b"x" * 100


def test_an_object_is_asked_for_as_it_was_listed(store):
    """To be read, and to be copied: where it was changed meanwhile the store says no (412)."""
    store.answers(206, b"x" * 10, {"ETag": '"e"'})
    store.host.read(ENTRY, 0, 10)
    assert store.conditions == ['"e"', None]
    store.answers(200, b"<CopyObjectResult><ETag>e</ETag></CopyObjectResult>")
    store.host.copy(ENTRY, "recovered/shares/x")
    assert store.conditions == [None, '"e"']


@pytest.mark.parametrize(("etag", "error"), [('"e"', Ended), ('"f"', Changed)])
def test_a_store_that_cannot_tell_whether_an_object_changed_is_told_as_that(store, etag, error):
    """It is asked what the object is now."""
    store.answer = lambda verb, query: (
        (200, {"ETag": etag}, b"") if verb == "HEAD" else (412, XML, refusal("PreconditionFailed"))
    )
    with pytest.raises(error):
        store.host.read(ENTRY, 0, 10)
    with pytest.raises(error):
        store.host.copy(ENTRY, "recovered/shares/x")
