"""Where questions go is told: what is on this machine, in the user's own network, or elsewhere."""

import pytest

from rag.config import Config
from rag.console import warn_of_server
from rag.errors import UsageError
from rag.reach import Reach, check_url, reach, sent_to
from ui.render import promise, server_markdown

NAMES = {
    "box": ["192.168.1.20"],
    "lab.example": ["10.0.0.7", "fe80::1%eth0"],
    "half.example": ["10.0.0.7", "93.184.215.14"],
    "api.example": ["93.184.215.14"],
}


def addresses(host: str) -> list[str]:
    if host not in NAMES:
        raise OSError("unknown")
    return NAMES[host]


@pytest.mark.parametrize(
    ("url", "where"),
    [
        ("http://127.0.0.1:8080/v1", Reach.HERE),
        ("http://localhost:8080/v1", Reach.HERE),
        ("http://[::1]:8080/v1", Reach.HERE),
        ("http://192.168.0.9/v1", Reach.NETWORK),
        ("http://169.254.3.4/v1", Reach.NETWORK),
        ("http://100.64.3.4/v1", Reach.NETWORK),
        ("http://[fe80::1]:1/v1", Reach.NETWORK),
        ("http://box:8080/v1", Reach.NETWORK),
        ("http://lab.example/v1", Reach.NETWORK),
        ("http://half.example/v1", Reach.OUTSIDE),
        ("https://api.example/v1", Reach.OUTSIDE),
        ("https://93.184.215.14/v1", Reach.OUTSIDE),
        ("https://unknown.example/v1", Reach.OUTSIDE),
    ],
)
def test_how_far_a_server_is(url: str, where: Reach) -> None:
    assert reach(url, addresses) is where


@pytest.mark.parametrize(
    "url",
    ["http://", "http://x:port/v1", "http://x:99999/v1", "http://[::1", "http://x/v1?key=3", "http://me:secret@x/v1"],
)
def test_urls_that_are_none_or_hold_secrets_are_refused(url: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(UsageError, match="setting 'llm'"):
        check_url(url)
    with pytest.raises(UsageError, match="setting 'llm'"):
        warn_of_server(Config(llm=url))
    assert capsys.readouterr().err == ""


def test_it_is_said_on_the_console_and_on_the_page(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    warn_of_server(Config())
    warn_of_server(Config(llm="http://127.0.0.1:8080/v1"))
    warn_of_server(Config(llm="http://10.1.2.3:8080/v1"))
    assert capsys.readouterr().err == ""
    warn_of_server(Config(llm="http://93.184.215.14/v1"))
    assert "93.184.215.14 is outside your own network" in (told := capsys.readouterr().err)
    assert "sent there unencrypted" in told
    assert "unencrypted" not in sent_to("https://93.184.215.14/v1", Reach.OUTSIDE)
    assert promise("bundled", None) == "Nothing leaves it."
    assert promise("http://localhost/v1", Reach.HERE).startswith("Nothing leaves it. Answers")
    for where in (Reach.NETWORK, Reach.OUTSIDE):
        assert "Nothing leaves it" not in promise("http://box/v1", where)
        assert "box" in promise("http://box/v1", where)
    assert server_markdown({"context": "4 tokens"}) == "The server: context 4 tokens"
