"""Reads an environment file: first its fields are validated, then the rules across them."""

from __future__ import annotations

import difflib
import os
from collections.abc import Sequence
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import BaseModel, ValidationError

from settings.base import Problem, Rule
from settings.environment import Environment
from settings.messages import wrong_fields
from settings.rules import RULES
from settings.rules.advice import warnings
from settings.rules.cluster import out_of_support

_OF_THE_CHECKOUT = Path(__file__).parent.parent / "environments"
# Where the files are: environments/ of the checkout, or of the caller where this is installed without one; or another
# folder, for tests and for whoever keeps them elsewhere.
ENVIRONMENTS = Path(
    os.environ.get("MILVUS_ENVIRONMENTS")
    or (_OF_THE_CHECKOUT if _OF_THE_CHECKOUT.is_dir() else Path("environments").absolute())
)

Model = TypeVar("Model", bound=BaseModel)


class SettingsError(Exception):
    """A settings file that cannot be used.

    Attributes:
        source: The file, as the user would name it.
        problems: Everything that is wrong with it.
    """

    def __init__(self, source: str, problems: list[Problem]) -> None:
        self.source = source
        self.problems = problems
        count = "1 error" if len(problems) == 1 else f"{len(problems)} errors"
        super().__init__("\n".join([f"{source}: {count}", *(f"  {problem}" for problem in problems)]))


class UniqueKeyLoader(yaml.SafeLoader):
    """Refuses a key that appears twice: YAML would silently keep the last."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        """Return the mapping of a node.

        Raises:
            ConstructorError: A key appears twice, or is no plain text.
        """
        seen: set[str] = set()
        for key_node, _ in node.value:
            if not isinstance(key_node, yaml.ScalarNode):
                raise yaml.constructor.ConstructorError(
                    None, None, "a key has to be plain text, not a list or mapping", key_node.start_mark
                )
            if key_node.value in seen:
                raise yaml.constructor.ConstructorError(
                    None, None, f"the key {key_node.value} appears twice; keep one", key_node.start_mark
                )
            seen.add(key_node.value)
        return super().construct_mapping(node, deep)


def available() -> list[str]:
    """Return the names that ``-c env=`` takes: the environment files without their ending."""
    return sorted(path.stem for path in ENVIRONMENTS.glob("*.yaml") if not path.stem.startswith("pipeline"))


def file_name(name: str) -> str:
    """Return an environment's or a pipeline's file as messages name it: with its folder."""
    return f"{ENVIRONMENTS.name}/{name}.yaml"


def no_environment(name: str) -> str:
    """Return what to tell somebody who asked for an environment that is not there."""
    known = available()
    if not known:
        return f"no environment {name}; {ENVIRONMENTS} holds no settings file"
    close = difflib.get_close_matches(name, known)
    hint = f"did you mean {close[0]}? There are" if close else "there are"
    return f"no environment {name}; {hint}: {', '.join(known)}"


def load_environment(
    name: str, *, account: str | None = None, region: str | None = None, today: date | None = None
) -> Environment:
    """Load ``environments/<name>.yaml``, judged by every rule in the account and region where it is to be.

    Args:
        name: Name of the environment, as given to ``-c env=``.
        account: Account instead of the file's, if given.
        region: Region instead of the file's, if given.
        today: Day by which support dates are judged; the current day if not given.

    Raises:
        SettingsError: The file is missing, is not YAML, or breaks a rule.
    """
    path = ENVIRONMENTS / f"{name}.yaml"
    source = file_name(name)
    if not path.is_file() or name not in available():
        raise SettingsError(source, [Problem("env", no_environment(name))])
    return load_environment_file(path, source=source, account=account, region=region, today=today)


def load_environment_file(
    path: Path,
    *,
    source: str | None = None,
    account: str | None = None,
    region: str | None = None,
    today: date | None = None,
) -> Environment:
    """Load a settings file from anywhere, judged as `load_environment` does.

    Args:
        path: The file.
        source: How errors name it; by its path if not given.
        account: Account instead of the file's, if given.
        region: Region instead of the file's, if given.
        today: Day by which support dates are judged; the current day if not given.

    Raises:
        SettingsError: The file is missing, is not YAML, or breaks a rule.
    """
    source = source or str(path)
    data = read_yaml(path, source)
    place = {key: value for key, value in (("account", account), ("region", region)) if value is not None}
    if isinstance(data, dict):
        data |= place
    return parse_environment(data, source=source, today=today)


def parse_environment(data: object, *, source: str, today: date | None = None) -> Environment:
    """Validate what an environment file holds.

    Raises:
        SettingsError: It breaks a rule.
    """
    day = today or current_day()
    return validate(Environment, data, source, [*RULES, lambda env: out_of_support(env, day)])


def load_warnings(env: Environment, *, today: date | None = None) -> list[Problem]:
    """Return what an operator should know about a valid environment; see `settings.rules.advice`."""
    return warnings(env, today or current_day())


def current_day() -> date:
    """Return the day by which support dates are judged: ``MILVUS_TODAY`` shows what another day will refuse."""
    given = os.environ.get("MILVUS_TODAY")
    if not given:
        return datetime.now(tz=UTC).date()
    try:
        return date.fromisoformat(given)
    except ValueError as error:
        message = f"must be a day such as 2027-12-31, got {given}; correct it, or unset it to judge by today"
        raise SettingsError("environment variables", [Problem("MILVUS_TODAY", message)]) from error


def read_yaml(path: Path, source: str) -> object:
    """Read a YAML file, each key once.

    Raises:
        SettingsError: It is not YAML, or a key appears twice.
    """
    try:
        return yaml.load(path.read_text(encoding="utf-8"), Loader=UniqueKeyLoader)  # noqa: S506 - a SafeLoader
    except OSError as error:
        message = f"cannot be read: {error.strerror}; give another path"
        raise SettingsError(source, [Problem("file", message)]) from error
    except UnicodeDecodeError as error:
        message = f"byte {error.start + 1} is not valid UTF-8; save the file as UTF-8"
        raise SettingsError(source, [Problem("file", message)]) from error
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        where = f"line {mark.line + 1}, column {mark.column + 1}" if mark else "file"
        raise SettingsError(source, [Problem(where, f"{error.problem}; fix the YAML there")]) from error
    except yaml.reader.ReaderError as error:
        message = f"character {error.position + 1} is a control character, which YAML forbids; remove it"
        raise SettingsError(source, [Problem("file", message)]) from error


def validate(model: type[Model], data: object, source: str, rules: Sequence[Rule]) -> Model:
    """Validate data by a model, and then by the rules across its fields.

    A rule is judged only when every field is valid: it would judge a default that nobody meant.

    Raises:
        SettingsError: With every wrong field; where there is none, with every broken rule.
    """
    if not isinstance(data, dict):
        given = "nothing" if data is None else type(data).__name__
        raise SettingsError(source, [Problem("file", f"must be a mapping of settings, got {given}")])
    try:
        settings = model.model_validate(data)
    except ValidationError as error:
        raise SettingsError(source, _by_path(wrong_fields(model, error))) from error
    broken = [problem for rule in rules for problem in rule(settings)]
    if broken:
        raise SettingsError(source, _by_path(broken))
    return settings


def _by_path(problems: list[Problem]) -> list[Problem]:
    return sorted(dict.fromkeys(problems), key=lambda problem: problem.path)
