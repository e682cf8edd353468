"""Scores as the workshop's client does, and as others who use `requests`.

`workshop.py CASE.json`, where the case has the url, the key, the style of answers, rows, and what to expect for them.
"""

import gzip
import json
import math
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import requests

CASE = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
URL, KEY, STYLE, ROWS, EXPECTED = (CASE[name] for name in ["url", "key", "style", "rows", "expected"])
HEADERS = {"Content-Type": "application/json", "Authorization": "Bearer " + KEY}
BODY = str.encode(json.dumps({"data": ROWS}))


def predictions(answer: object) -> list[float]:
    """An answer without what its style puts around."""
    if STYLE == "list":
        return answer
    # The workshop's first script encodes twice, so its client decodes twice.
    return (json.loads(answer) if STYLE == "json-string" else answer)["predictions"]


def check(response: requests.Response) -> None:
    assert response.status_code == 200, response.text
    assert response.headers["Content-Type"] == "application/json"
    scored = predictions(response.json())
    # JSON carries doubles whole: not one bit may be lost on the way.
    assert scored == EXPECTED, f"{scored} instead of {EXPECTED}"


def pieces() -> Iterator[bytes]:
    for start in range(0, len(BODY), 7):
        yield BODY[start : start + 7]


def a_request_of_the_workshop() -> None:
    check(requests.post(URL, str.encode(json.dumps({"data": ROWS})), headers=HEADERS))


def rows_without_an_envelope() -> None:
    check(requests.post(URL, json=ROWS, headers=HEADERS))


def gaps_as_python_writes_them() -> None:
    rows = [{name: math.nan if value is None else value for name, value in row.items()} for row in ROWS]
    body = json.dumps({"data": rows})
    assert "NaN" in body
    check(requests.post(URL, str.encode(body), headers=HEADERS))


def letters_beyond_ascii() -> None:
    body = json.dumps({"data": ROWS}, ensure_ascii=False)
    assert not body.isascii()
    check(requests.post(URL, body.encode(), headers=HEADERS))


def many_requests_on_one_connection() -> None:
    with requests.Session() as session:
        session.headers.update(HEADERS)
        for _ in range(20):
            check(session.post(URL, BODY))
        # A refusal with its body read leaves the connection usable.
        assert session.post(URL, b"[").status_code == 400
        check(session.post(URL, BODY))
        pools = session.get_adapter(URL).poolmanager.pools
        [pool] = [pools[key] for key in pools.keys()]
        assert (pool.num_connections, pool.num_requests) == (1, 22)


def a_compressed_body() -> None:
    check(requests.post(URL, gzip.compress(BODY), headers=HEADERS | {"Content-Encoding": "gzip"}))


def a_body_in_pieces() -> None:
    request = requests.Request("POST", URL, headers=HEADERS, data=pieces()).prepare()
    assert request.headers["Transfer-Encoding"] == "chunked" and "Content-Length" not in request.headers
    with requests.Session() as session:
        check(session.send(request))


def the_sample_of_the_studio() -> None:
    """Azure ML's pages show a client that needs no package."""
    request = urllib.request.Request(URL, BODY, HEADERS | {"Accept": "application/json"})
    with urllib.request.urlopen(request) as response:
        assert predictions(json.loads(response.read().decode("utf-8"))) == EXPECTED


def refusals_that_say_what_is_wrong() -> None:
    for headers, code in [({}, "MissingKey"), ({"Authorization": "Bearer " + KEY + "x"}, "WrongKey")]:
        refusal = requests.post(URL, BODY, headers=headers)
        assert (refusal.status_code, refusal.json()["error"]["code"]) == (401, code), refusal.text
    refusal = requests.post(URL, json={"data": [ROWS[0], ROWS[0] | {"area": "large"}]}, headers=HEADERS)
    detail = refusal.json()["error"]["details"][0]
    found = (refusal.status_code, detail["row"], detail["field"], detail["code"])
    assert found == (422, 1, "area", "InvalidValue"), refusal.text


CASES = [
    a_request_of_the_workshop,
    rows_without_an_envelope,
    gaps_as_python_writes_them,
    letters_beyond_ascii,
    many_requests_on_one_connection,
    a_compressed_body,
    a_body_in_pieces,
    the_sample_of_the_studio,
    refusals_that_say_what_is_wrong,
]

if __name__ == "__main__":
    for case in CASES:
        print(STYLE, case.__name__, flush=True)
        case()
    print(f"{len(CASES)} cases", flush=True)
