"""CloudFormation refuses references to nothing, before it creates anything."""

from __future__ import annotations

from typing import Any

import pytest

from rehearsal.account.references import check

_UNRESOLVED = r"Template format error: Unresolved resource dependencies \[{}\] in the {} block of the template"


def _template(value: Any, **more: Any) -> dict[str, Any]:
    resources = {"Key": {"Type": "AWS::KMS::Key"}, "Bucket": {"Type": "AWS::S3::Bucket", "Properties": {"X": [value]}}}
    return {"Parameters": {"Size": {"Type": "String"}}, "Resources": resources, **more}


@pytest.mark.parametrize(
    "value",
    [
        {"Ref": "Key"},
        {"Ref": "Size"},
        {"Ref": "AWS::NoValue"},
        {"Fn::GetAtt": ["Key", "Arn"]},
        {"Fn::GetAtt": "Key.Arn"},
        {"Fn::Sub": "${Key} ${Key.Arn} ${Size} ${AWS::Region} ${!Literal} $Dollar"},
        {"Fn::Sub": ["${Name} ${Other.Arn}", {"Name": {"Ref": "Key"}, "Other.Arn": "x"}]},
        {"Fn::If": ["Condition", {"Ref": "Key"}, {"Fn::Join": ["", ["a", {"Ref": "Size"}]]}]},
    ],
)
def test_what_the_template_has_may_be_referenced(value: Any) -> None:
    check(_template(value, Outputs={"Out": {"Value": value}}))


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ({"Ref": "Gone"}, _UNRESOLVED.format("Gone", "Resources")),
        ([{"Ref": "Gone"}, {"Ref": "Lost"}, {"Ref": "Gone"}], _UNRESOLVED.format("Gone, Lost", "Resources")),
        ({"Fn::If": ["C", {"Ref": "Gone"}, {"Ref": "Key"}]}, _UNRESOLVED.format("Gone", "Resources")),
        ({"Fn::Sub": "a ${Gone}"}, _UNRESOLVED.format("Gone", "Resources")),
        ({"Fn::Sub": ["${Name}", {"Name": {"Ref": "Gone"}}]}, _UNRESOLVED.format("Gone", "Resources")),
        ({"Fn::GetAtt": ["Gone", "Arn"]}, "instance of Fn::GetAtt references undefined resource Gone"),
        ({"Fn::GetAtt": "Size.Arn"}, "instance of Fn::GetAtt references undefined resource Size"),
        ({"Fn::Sub": "${Gone.Arn}"}, r"instance of Fn::Sub references invalid resource attribute Gone\.Arn"),
    ],
)
def test_a_reference_to_nothing_is_refused(value: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        check(_template(value))


@pytest.mark.parametrize("depends_on", ["Gone", ["Key", "Gone"]])
def test_a_resource_cannot_depend_on_nothing(depends_on: Any) -> None:
    template = _template("x")
    template["Resources"]["Bucket"]["DependsOn"] = depends_on
    with pytest.raises(ValueError, match=_UNRESOLVED.format("Gone", "Resources")):
        check(template)


def test_an_output_cannot_refer_to_nothing() -> None:
    with pytest.raises(ValueError, match=_UNRESOLVED.format("Gone", "Outputs")):
        check(_template("x", Outputs={"Out": {"Value": {"Ref": "Gone"}}}))


def test_a_template_that_a_macro_rewrites_is_left_alone() -> None:
    check(_template({"Ref": "MadeByTheMacro"}, Transform="Macro"))
