"""Host, Origin, secret, token: each wrong one is refused, on every path."""

from __future__ import annotations

import json

import pytest
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route, WebSocketRoute
from starlette.testclient import TestClient, WebSocketDenialResponse
from starlette.websockets import WebSocket, WebSocketDisconnect

from robot_io import wire
from robot_io.access import (
    BAD_FRAME,
    UNAUTHORISED,
    Grant,
    Tokens,
    checked_origin,
    first_frame,
    guarded,
    own_hosts,
    own_origins,
    receive_frame,
    token_route,
)

HOST = "localhost:4711"
SOCKET = f"ws://{HOST}/socket"
ORIGIN = "http://localhost:8501"
SECRET = {"X-Askback-Secret": "open sesame"}


async def hello(_):
    return PlainTextResponse("hello")


@pytest.fixture
def tokens() -> Tokens:
    return Tokens("open sesame")


@pytest.fixture
def client(tokens) -> TestClient:
    async def socket(websocket: WebSocket) -> None:
        first = await first_frame(websocket, tokens, roles=("drive", "watch"), timeout=0.2)
        if first is None:
            return
        await websocket.send_json({"session": first[0].session, "role": first[0].role})
        try:
            while True:
                await websocket.send_json(await receive_frame(websocket, 100))
        except WebSocketDisconnect:
            return
        except ValueError as error:
            await websocket.close(BAD_FRAME, str(error)[:120])

    origins = own_origins(8501)
    routes = [Route("/", hello), token_route(tokens, origins), WebSocketRoute("/socket", socket)]
    app = guarded(Starlette(routes=routes), origins=origins, hosts=own_hosts(4711))
    return TestClient(app, base_url=f"http://{HOST}")


def asks(client, **headers):
    return client.get("/", headers=headers).status_code


@pytest.mark.parametrize("host", ["localhost:4711", "127.0.0.1:4711", "LOCALHOST:4711"])
def test_our_own_hosts_pass(client, host):
    assert asks(client, Host=host) == 200


@pytest.mark.parametrize(
    "host", ["evil.example", "localhost", "localhost:4712", "localhost:4711.evil.example", "127.0.0.1.nip.io:4711", ""]
)
def test_other_hosts_are_refused(client, host):
    assert asks(client, Host=host) == 403
    assert client.get("/nowhere", headers={"Host": host}).status_code == 403
    with pytest.raises(WebSocketDenialResponse), client.websocket_connect(SOCKET, headers={"Host": host}):
        pass


def test_two_hosts_are_refused(client):
    assert client.get("/", headers=[("Host", HOST), ("Host", "evil.example")]).status_code == 403


@pytest.mark.parametrize("origin", ["http://localhost:8501", "http://127.0.0.1:8501"])
def test_our_own_origins_pass(client, origin):
    assert asks(client, Origin=origin) == 200


@pytest.mark.parametrize(
    "origin",
    [
        "null",
        "http://evil.example",
        "https://localhost:8501",
        "http://localhost:85011",
        "http://localhost:8501.evil.example",
    ],
)
def test_other_origins_are_refused(client, origin):
    assert asks(client, Origin=origin) == 403
    assert client.post("/token", headers={"Origin": origin, **SECRET}, json={}).status_code == 403
    with pytest.raises(WebSocketDenialResponse), client.websocket_connect(SOCKET, headers={"Origin": origin}):
        pass


def test_hosts_of_a_proxy_are_those_of_its_origin():
    hosts = own_hosts(4711, ["https://Robot.example.org", "http://localhost:9000"])
    assert {"robot.example.org", "localhost:9000", "127.0.0.1:4711"} <= hosts
    assert "localhost" in own_hosts(80)


@pytest.mark.parametrize("wrong", ["*", "robot.example.org", "http://", "ftp://x", "http://a/b", "http://a?b"])
def test_an_origin_that_is_none(wrong):
    with pytest.raises(ValueError, match="expected an origin like"):
        checked_origin(wrong)


def test_a_token_holds_its_grant(tokens):
    token = tokens.issue("anna", "drive")
    assert tokens.grant(token) == Grant("anna", "drive")
    assert tokens.issue("anna", "drive") != token


@pytest.mark.parametrize("wrong", ["", "a", "a.b", "a.b.c", "ä.ö", "e30=.e30=", "." * 50])
def test_what_is_no_token(tokens, wrong):
    assert tokens.grant(wrong) is None


def test_a_token_of_another_secret_or_altered_is_none(tokens):
    token = tokens.issue("anna", "watch")
    assert Tokens("another").grant(token) is None
    forged = Tokens("another").issue("anna", "drive").split(".")[0] + "." + token.split(".")[1]
    assert tokens.grant(forged) is None


def test_only_roles_that_exist(tokens):
    with pytest.raises(ValueError, match="role among"):
        tokens.issue("anna", "admin")
    with pytest.raises(ValueError, match="200"):
        tokens.issue("a" * 201, "drive")


def test_secrets_differ():
    assert Tokens().secret != Tokens().secret


def test_the_secret_buys_a_token(client, tokens):
    answer = client.post("/token", headers=SECRET, json={"session": "anna", "role": "watch"})
    assert tokens.grant(answer.json()["token"]) == Grant("anna", "watch")


@pytest.mark.parametrize("secret", ["", "wrong", "open sesame "])
def test_another_secret_buys_nothing(client, secret):
    headers = {"X-Askback-Secret": secret + "x"}
    assert client.post("/token", headers=headers, json={"session": "a", "role": "watch"}).status_code == 401
    assert client.post("/token", json={"session": "a", "role": "watch"}).status_code == 401


@pytest.mark.parametrize(
    "body", [b"", b"[]", b"{", b'{"session": "a"}', b'{"session": "a", "role": "admin"}', b"1" * 5000, b"\xff"]
)
def test_a_token_request_that_is_none(client, body):
    assert client.post("/token", headers=SECRET, content=body).status_code == 400


def test_who_knows_the_secret_may_add_an_origin(client):
    assert asks(client, Origin="http://localhost:9999") == 403
    wanted = {"session": "a", "role": "watch", "origin": "http://localhost:9999"}
    assert client.post("/token", headers=SECRET, json=wanted).status_code == 200
    assert asks(client, Origin="http://localhost:9999") == 200
    assert asks(client, Origin=ORIGIN) == 200


@pytest.mark.parametrize("encode", [lambda m: ("text", json.dumps(m)), lambda m: ("bytes", wire.pack(m))])
def test_the_first_frame_carries_the_token(client, tokens, encode):
    with client.websocket_connect(SOCKET, headers={"Origin": ORIGIN}) as socket:
        kind, data = encode({"token": tokens.issue("anna", "drive"), "session": "anna"})
        getattr(socket, f"send_{kind}")(data)
        assert socket.receive_json() == {"session": "anna", "role": "drive"}


def refused(client, send) -> int:
    with client.websocket_connect(SOCKET) as socket:
        send(socket)
        with pytest.raises(WebSocketDisconnect) as closed:
            socket.receive_json()
        return closed.value.code


@pytest.mark.parametrize(
    "text", ["", "{", "[]", "{}", '{"token": 1}', '{"token": "x"}', '{"token": "' + "x" * 9000 + '"}']
)
def test_a_first_frame_without_a_good_token_closes(client, text):
    assert refused(client, lambda socket: socket.send_text(text)) == UNAUTHORISED


def test_a_first_frame_of_nonsense_bytes_closes(client):
    assert refused(client, lambda socket: socket.send_bytes(b"\xc1\xff")) == UNAUTHORISED


def test_silence_closes(client):
    assert refused(client, lambda socket: None) == UNAUTHORISED


def test_a_token_for_another_role_or_session_closes(client, tokens):
    for frame in (
        {"token": tokens.issue("anna", "link")},
        {"token": tokens.issue("anna", "drive"), "session": "bela"},
    ):
        assert refused(client, lambda socket, frame=frame: socket.send_json(frame)) == UNAUTHORISED


@pytest.mark.parametrize("text", ["{", "[]", "1", '{"x": "' + "x" * 200 + '"}'])
def test_a_later_frame_that_is_none_closes(client, tokens, text):
    with client.websocket_connect(SOCKET) as socket:
        socket.send_json({"token": tokens.issue("anna", "drive")})
        socket.receive_json()
        socket.send_text(text)
        with pytest.raises(WebSocketDisconnect) as closed:
            socket.receive_json()
        assert closed.value.code == BAD_FRAME
