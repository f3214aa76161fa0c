"""Tests that cannot run say so, and are not silently absent where all must run."""

import pytest

from tests.real.programs import needed, needed_module


def test_without_its_program_a_test_is_skipped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CI", raising=False)

    with pytest.raises(pytest.skip.Exception, match="NOT TESTED: this needs 'no-such-program'"):
        needed("no-such-program")


def test_without_its_program_a_test_fails_in_ci(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CI", "true")

    with pytest.raises(pytest.fail.Exception, match="NOT TESTED: this needs 'no-such-program'"):
        needed("no-such-program")


def test_without_a_program_that_ci_could_not_build_a_test_is_skipped(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("CI", "true")
    monkeypatch.setenv("NOT_BUILT", "another no-such-program")

    with pytest.raises(pytest.skip.Exception, match="NOT TESTED: this needs 'no-such-program'"):
        needed("no-such-program")


def test_without_its_python_package_a_test_is_skipped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CI", raising=False)

    with pytest.raises(pytest.skip.Exception, match="needs the Python package 'no_such_package'"):
        needed_module("no_such_package")


def test_a_program_that_is_there_is_found() -> None:
    assert needed("sh").endswith("/sh")
