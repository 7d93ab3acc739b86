"""Each judge is needed, and within a stage their order does not matter."""

from __future__ import annotations

import json
import random
import time

import pytest
from makings import (
    ACCESS_KEY_ID,
    BUCKET,
    CODE,
    EMAIL,
    FAILURE,
    FURL,
    HOST,
    INTRODUCER,
    KEY,
    LAUNCHED,
    LOG_FILE,
    NAME,
    NODE_PRIVKEY,
    OTHER_NAME,
    OTHER_NODE,
    OTHER_SEED,
    PARTS,
    PRODUCT_TOKEN,
    SECRET_KEY,
    SEED,
    STORAGE,
    as_another,
    audit_row,
    cat,
    config,
    evidence,
    furl_of,
    hear_secrets,
    identities_read,
    log,
    open_files,
    re_record,
    read,
    replacement,
    request,
    result,
    secrets,
    serverinfo,
    settings,
    signup_row,
    values,
)

from laeforensics.doubting import judges

STAGES = (
    *("OF_A_PRINT", "OF_A_FILE", "OF_WHAT_IS_TIED", "ACROSS"),
    *("OF_WHAT_IS_OFFERED", "BEFORE_SETTLING", "SETTLING", "OF_WHAT_WINS"),
)
SECRETS = f"secrets/{NAME}"
OTHERS_KEY = "access_key_id = 'AKIASTRANGERKEYID234'\n"


def name_of(judge) -> str:
    return judge.__module__.rpartition(".")[2]


def own(data: bytes, field: str) -> set[str]:
    """What the program itself tells of a field in one log."""
    return values(read(data)).get(field, set())


# For each judge: what it alone keeps from being said. Each function gives an answer, and the right one.
def of_redacted(folder):
    blacked = evidence(log=log(credentials=PARTS["credentials"].replace(SECRET_KEY, "X" * 40)), secrets=None)
    return audit_row(open_files(folder, blacked))["verdict"], "INCOMPLETE"


def of_unannounced(folder):
    return own(log(address=OTHERS_KEY + PARTS["address"]), "user_access_key_id"), {ACCESS_KEY_ID}


def of_cut(folder):
    return own(log("poll", credentials=PARTS["credentials"].rpartition("usertoken")[0]), "user_secret_key"), set()


def of_in_error(folder):
    return own(log(until="credentials") + (FAILURE + PARTS["address"]).encode(), "public_host"), set()


def of_other_host(folder):
    return own(log(settings=PARTS["settings"].replace(HOST, HOST.replace("192", "19"))), "introducer_furl"), set()


def of_broken_key(folder):
    pem = INTRODUCER.pem.partition("-----BEGIN RSA")[0] + STORAGE.pem[STORAGE.pem.index("-----BEGIN RSA") :]
    return hear_secrets(secrets(introducer_node_pem=pem)).value("introducer_node_pem"), None


def of_broken_json(folder):
    damaged = secrets().replace(SECRET_KEY.encode() + b'"', SECRET_KEY.encode() + b'"x')
    return hear_secrets(damaged).value("user_secret_key"), None


def of_runs(folder):
    return own(log() + log().replace(SEED.encode(), OTHER_SEED.encode()), "bucket_name"), {BUCKET}


def of_vouching(folder):
    files = evidence(log=log(running=PARTS["running"] + identities_read()), secrets=None)
    return audit_row(open_files(folder, files))["grade"], "IDENTITY_KEPT"


def of_testimony(folder):
    case = open_files(folder, {LOG_FILE: re_record(), "lae_automation_config.json": config()})
    return signup_row(case)["user_access_key_id"], ACCESS_KEY_ID


def of_hosts_differ(folder):
    return hear_secrets(secrets(publichost="192.0.2.77")).value("public_host"), None


def of_swapped(folder):
    told = hear_secrets(secrets(server_node_pem=INTRODUCER.pem))
    return told.value("server_node_pem"), None


def of_neighbours(folder):
    overwritten = EMAIL.replace("ann", "aon")
    files = evidence(log=log(deployment=PARTS["deployment"].replace(EMAIL, overwritten)))
    return audit_row(open_files(folder, files))["customer_email"], EMAIL


def of_outvoted(folder):
    files = evidence(log=log(credentials=PARTS["credentials"].replace(ACCESS_KEY_ID, ACCESS_KEY_ID[::-1])))
    files[f"signup_logs/{OTHER_NAME}"] = re_record()
    return audit_row(open_files(folder, files))["user_access_key_id"], ACCESS_KEY_ID


def of_offered(folder):
    files = evidence(
        config=config({"product_code": CODE, "product_token": PRODUCT_TOKEN.replace("INVENTED", "INVENTDE")})
    )
    files[f"signup_logs/{OTHER_NAME}"] = as_another(log())
    return audit_row(open_files(folder, files), BUCKET.replace(SEED, OTHER_SEED))["product_token"], None


def of_ends_lost(folder):
    files = {path: data.replace(b"INVENTED==", b"INVENTED" * 40) for path, data in evidence().items()}
    files[LOG_FILE] = log().replace(b"INVENTED==", b"INVENTED" * 20)
    return audit_row(open_files(folder, files))["verdict"], "RECOVERABLE"


def of_furl_differs(folder):
    told = hear_secrets(secrets(external_introducer_furl=furl_of(OTHER_NODE), internal_introducer_furl=None), SECRETS)
    return told.view.hearing.sure(f for f in told.file.facts if f.field == "server_node_pem"), []


def of_shared(folder):
    files = evidence()
    other = {path.replace(NAME, OTHER_NAME): as_another(data) for path, data in files.items() if SEED in path}
    theirs = other[f"secrets/{OTHER_NAME}"]
    other[f"secrets/{OTHER_NAME}"] = theirs.replace(ACCESS_KEY_ID[::-1].encode(), ACCESS_KEY_ID.encode())
    del files[LOG_FILE], other[f"signup_logs/{OTHER_NAME}"]
    return set(open_files(folder, {**files, **other}).audit["verdict"]), {"CONTESTED"}


def of_shared_pair(folder):
    """Three S4 accounts share their keys by design; beside the access key of one stands another secret key."""
    files = {}
    for name, secret_key in {"one": SECRET_KEY, "two": SECRET_KEY, "three": SECRET_KEY[::-1]}.items():
        customer, subscription = f"mn2xgx{name:a<15}", f"on2wex{name:a<15}"
        keys = {"access_key_id": ACCESS_KEY_ID, "secret_key": secret_key}
        told = {**keys, "bucket_name": f"lae-{subscription}-{customer}"}
        files[f"secrets/plan/2014-06-01T101500Z-{customer}-{subscription}/SSEC2"] = json.dumps(told).encode()
    return sorted(open_files(folder, files).audit["verdict"]), ["CONTESTED", "RECOVERABLE", "RECOVERABLE"]


def of_pieces(folder):
    files = evidence()
    other = {path.replace(NAME, OTHER_NAME): as_another(data) for path, data in files.items() if SEED in path}
    mixed = (SECRET_KEY[::-1][:20] + SECRET_KEY[20:]).encode()  # a sector of the other's file ends within the key
    files[f"secrets/{NAME}"] = files[f"secrets/{NAME}"].replace(SECRET_KEY.encode(), mixed)
    return audit_row(open_files(folder, {**files, **other}), BUCKET)["user_secret_key"], SECRET_KEY


def of_moved_cells(folder):
    files = evidence(requests=request(name=EMAIL, email="Ann"), results=None)
    return audit_row(open_files(folder, files))["customer_name"], None


def of_changed_cells(folder):
    files = evidence(requests=request(name="J%25C3%25B6rg"), results=None)
    return audit_row(open_files(folder, files))["customer_name"], None


def of_wholesale(folder):
    keys = [KEY[:-1] + letter for letter in "ABC"]
    requests = request() + b"".join(request(key=key, name=f"Customer {n}") for n, key in enumerate(keys))
    results = result() + b"".join(result(key=key, name=f"Customer {n + 1}") for n, key in enumerate(keys))
    return audit_row(open_files(folder, evidence(requests=requests, results=results)))["customer_name"], None


def of_before_deployment(folder):
    strange = "[ubuntu@198.51.100.7] out: a line\n"
    failed = log(until="deployment", poll=strange + PARTS["poll"])
    return own(failed, "public_host"), set()


def of_impossible_key(folder):
    read_out = identities_read() + cat("storageserver/private/node.privkey", NODE_PRIVKEY)
    files = evidence(
        log=log(running=PARTS["running"] + read_out), secrets=secrets(server_node_privkey=NODE_PRIVKEY[:-1] + "b")
    )
    return signup_row(open_files(folder, files))["server_node_privkey"], NODE_PRIVKEY


def of_unknown_server(folder):
    strange = log().replace(SEED.encode(), b"another" + SEED.encode()[7:])
    glued = strange.replace(b"'i-", b"'i-f").replace(b"i-f0a1b2c3d", b"i-99999999") + replacement()
    case = open_files(folder, {**evidence(), f"signup_logs/{OTHER_NAME}": glued})
    return audit_row(case, BUCKET)["instance_id"], None


def of_other_bucket(folder):
    whole = secrets(access_key_id=ACCESS_KEY_ID[::-1]).rstrip(b"}\n")
    theirs = BUCKET.replace(SEED, OTHER_NAME.rpartition("-")[2])
    told = evidence(secrets=whole + f', "bucket_name": "{theirs}"}}\n'.encode())
    return {row["user_access_key_id"] for row in open_files(folder, told).audit.to_dict("records")}, {ACCESS_KEY_ID}


def of_tied(folder):
    spliced = secrets(publichost="192.0.2.77", access_key_id=ACCESS_KEY_ID[::-1])
    return audit_row(open_files(folder, evidence(secrets=spliced)))["user_access_key_id"], ACCESS_KEY_ID


def of_agreeing(folder):
    files = {"lae_automation_config.json": config()}
    for name in (NAME, OTHER_NAME):  # of a signup, and of a replacement of its server
        files[f"secrets/{name}"] = secrets(publichost="192.0.2.77", privatehost=f"ip-10-0-0-{len(files)}.ec2.internal")
    return audit_row(open_files(folder, files))["user_access_key_id"], ACCESS_KEY_ID


def of_swapped_nodes(folder):
    """With a log that tells no keys, then beside one that does, then against a second file without a furl."""
    nodes = {"introducer_node_pem": STORAGE.pem, "introducer_nodeid": STORAGE.nodeid}
    nodes |= {"server_node_pem": INTRODUCER.pem, "server_nodeid": INTRODUCER.nodeid}
    exchanged = evidence(secrets=secrets(**nodes))
    alone = audit_row(open_files(folder / "alone", exchanged))
    exchanged[LOG_FILE] = log(running=PARTS["running"] + identities_read())
    told = audit_row(open_files(folder / "told", exchanged))
    furls = dict.fromkeys(("external_introducer_furl", "internal_introducer_furl"))
    files = {f"secrets/{NAME}": secrets(**nodes, **furls), f"secrets/{OTHER_NAME}": secrets(**furls)}
    of_two = audit_row(open_files(folder / "of two", {"lae_automation_config.json": config(), **files}))
    both = ("contested:introducer_node_pem", "contested:server_node_pem")
    said = (alone["blocking"], told["server_nodeid"], told["grade"], of_two["blocking"])
    return said, (both, STORAGE.nodeid, "IDENTITY_KEPT", both)


def of_folded(folder):
    return hear_secrets(secrets(access_key_id=ACCESS_KEY_ID.lower())).value("user_secret_key"), None


def of_furl_parts(folder):
    printed = settings(FURL.replace(INTRODUCER.nodeid[:2], "zz"))
    files = evidence(log=log(running=PARTS["running"] + identities_read(), settings=printed), secrets=None)
    return audit_row(open_files(folder, files))["introducer_furl"], None


def of_pairs(folder):
    files = evidence(requests=None, results=None, servers=None)
    other = {path.replace(NAME, OTHER_NAME): as_another(data) for path, data in files.items() if SEED in path}
    for old, new in {ACCESS_KEY_ID: "AKIASOMEBODYSLOSTKEY", SECRET_KEY: SECRET_KEY[20:] + SECRET_KEY[:20]}.items():
        files[LOG_FILE] = files[LOG_FILE].replace(old.encode(), new.encode())
    for old, new in {ACCESS_KEY_ID[::-1]: "AKIASOMEBODYSLOSTKEY", SECRET_KEY[::-1]: SECRET_KEY}.items():
        other = {path: data.replace(old.encode(), new.encode()) for path, data in other.items()}
    return audit_row(open_files(folder, {**files, **other}), BUCKET)["user_secret_key"], None


def of_repeated(folder):
    strange = {
        path: data.replace(EMAIL.encode(), b"bob@example.net")
        for path, data in {LOG_FILE: log(), f"signup_logs/{OTHER_NAME}": replacement()}.items()
    }
    return audit_row(open_files(folder, {**evidence(), **strange}), BUCKET)["customer_email"], None


def of_one_address(folder):
    files = evidence(requests=None, results=None, servers=None)
    for letter in "xyz":
        seed = letter + OTHER_SEED[1:]
        for path, data in evidence(requests=None, results=None, servers=None).items():
            other = as_another(data).replace(b"192.0.2.5", HOST.encode()).replace(OTHER_SEED.encode(), seed.encode())
            files.update({path.replace(SEED, seed): other} if SEED in path else {})
    return audit_row(open_files(folder, files), BUCKET)["public_host"], None


def of_impossible_launch(folder):
    late = PARTS["instance"].replace("2012-03-20T10:17", "2012-03-20T16:17")
    return own(log(instance=late), "launch_time") | own(log(), "launch_time"), {LAUNCHED}


def of_cut_tokens(folder):
    files = {path: data.replace(b"INVENTED==", b"INVENTED" * 40) for path, data in evidence(secrets=None).items()}
    whole = PARTS["credentials"].replace("INVENTED==", "INVENTED" * 40)
    token = whole.partition("usertoken = '")[2]
    files[LOG_FILE] = files[LOG_FILE].replace(token[: token.index("'")].encode(), token[:255].encode())
    return audit_row(open_files(folder, files))["verdict"], "INCOMPLETE"


def of_server_rows(folder):
    rows = serverinfo() + serverinfo(host="192.0.2.9", launched="2012-03-20T10:25:00.000Z")
    return audit_row(open_files(folder, evidence(log=None, servers=rows)))["instance_id"], None


def of_rows_against_logs(folder):
    files = evidence(servers=serverinfo("i-99999999")) | {f"signup_logs/2012-03-20T101702Z-{OTHER_SEED}": re_record()}
    return audit_row(open_files(folder, files))["instance_id"], None


CASES = {
    case.__name__.removeprefix("of_"): case
    for case in (
        of_redacted,
        of_unannounced,
        of_cut,
        of_in_error,
        of_other_host,
        of_broken_key,
        of_broken_json,
        of_runs,
        of_vouching,
        of_testimony,
        of_hosts_differ,
        of_swapped,
        of_furl_differs,
        of_before_deployment,
        of_moved_cells,
        of_changed_cells,
        of_wholesale,
        of_other_bucket,
        of_tied,
        of_shared,
        of_shared_pair,
        of_pieces,
        of_impossible_key,
        of_unknown_server,
        of_outvoted,
        of_offered,
        of_ends_lost,
        of_neighbours,
        of_agreeing,
        of_swapped_nodes,
        of_folded,
        of_furl_parts,
        of_pairs,
        of_repeated,
        of_one_address,
        of_impossible_launch,
        of_cut_tokens,
        of_server_rows,
        of_rows_against_logs,
    )
}
JUDGES = [(stage, judge) for stage in STAGES for judge in getattr(judges, stage)]


@pytest.mark.parametrize(("stage", "judge"), JUDGES, ids=[name_of(judge) for _, judge in JUDGES])
def test_a_case_falls_without_its_judge(stage, judge, monkeypatch, tmp_path):
    """What is right with all judges is wrong when this one is cut out."""
    case = CASES[name_of(judge)]
    said, right = case(tmp_path / "whole")
    assert said == right
    monkeypatch.setattr(judges, stage, tuple(other for other in getattr(judges, stage) if other is not judge))
    said, right = case(tmp_path / "without")
    assert said != right


def test_every_judge_has_a_case():
    """And no case is of a judge that is no more."""
    assert sorted(CASES) == sorted(name_of(judge) for _, judge in JUDGES)


@pytest.mark.parametrize("name", CASES)
def test_a_judge_changes_nothing_and_says_the_same_twice_in_any_order(name, monkeypatch, tmp_path):
    """Nor does it add to what is believed: a stage sees what those before it said, and may speak in any order."""

    def seen(view) -> list:
        signups = getattr(view, "signups", ())
        of = [(s.values, s.contested, s.findings, s.witnesses) for s in (signups() if callable(signups) else signups)]
        beliefs = [s.beliefs for s in (signups() if callable(signups) else signups)]
        return [repr(of), *map(list, beliefs or [getattr(view, "beliefs", ())])]

    def hear(stage, view):
        for judge in stage:
            before = seen(view)
            assert list(map(repr, judge(view))) == list(map(repr, judge(view))), name_of(judge)
            assert seen(view) == before, name_of(judge)
        return heard(draw.sample(stage, len(stage)), view)

    heard, draw = judges.hear, random.Random(name)
    monkeypatch.setattr(judges, "hear", hear)
    said, right = CASES[name](tmp_path)
    assert said == right


@pytest.mark.parametrize("number", range(4))
def test_within_a_stage_the_order_does_not_matter(number, monkeypatch, tmp_path):
    """The same is said of damaged evidence, however the judges of a stage are shuffled."""
    files = evidence(
        log=log(
            deployment=PARTS["deployment"].replace(EMAIL, EMAIL.replace("ann", "aon")),
            credentials=PARTS["credentials"].replace(SECRET_KEY, "X" * 40),
            running=PARTS["running"] + identities_read() + OTHERS_KEY,
        ),
        secrets=secrets(publichost="192.0.2.77", server_node_pem=INTRODUCER.pem),
        requests=request() + request(email="bob@example.org"),
        results=result(name="Anm"),
    )
    files[f"backup/{NAME}"] = log().replace(SECRET_KEY.encode(), SECRET_KEY.encode().replace(b"i", b"j"))
    before = audit_row(open_files(tmp_path / "before", files))
    draw = random.Random(number)
    for stage in STAGES:
        shuffled = list(getattr(judges, stage))
        draw.shuffle(shuffled)
        monkeypatch.setattr(judges, stage, tuple(shuffled))
    assert audit_row(open_files(tmp_path / "after", files)) == before


def test_a_judge_that_is_not_asked_has_nothing_to_say(monkeypatch, tmp_path):
    """Where the witnesses of the fields that it looks at are of one mind; in every case of damage that is here."""
    asked: list[bool] = []

    def watched(judge):
        def both(view):
            said = list(judge(view))
            assert said == list(judge.__wrapped__(view))
            asked.append(bool(said))
            return said

        return both if hasattr(judge, "__wrapped__") else judge

    for stage in STAGES:
        monkeypatch.setattr(judges, stage, tuple(map(watched, getattr(judges, stage))))
    for name, case in CASES.items():
        case(tmp_path / name)
    assert any(asked)


@pytest.mark.long  # it takes the time of a machine that may have other things to do
def test_four_times_as_many_logs_of_one_bucket_take_no_sixteen_times_as_long(tmp_path):
    """Whoever copied one signup's log under many names: the account is asked once for those whom it is about."""
    took = []
    for many in (1, 60, 240):  # the first one loads the grammars
        logs = {f"signup_logs/2012-03-01T00{n // 60:02}{n % 60:02}Z-{SEED}": log() for n in range(many)}
        cpu = time.process_time()
        assert len(open_files(tmp_path / str(many), logs).judgement.accounts) == 1
        took.append(time.process_time() - cpu)
    assert took[2] < 8 * max(took[1], 0.05)
