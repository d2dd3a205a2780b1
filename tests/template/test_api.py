"""The REST API: who may call, what is refused at the door, and how it says so."""

import json
from pathlib import Path

import pytest
from jsonschema import Draft4Validator, Draft202012Validator

from ledger.contracts.commands import CLIENT_COMMANDS
from ledger.contracts.reasons import BY_CODE
from ledger.contracts.routes import COMMAND_PATHS, INDEPENDENT_PATH
from tests.template.templates import Json, Templates

SCHEMAS = Path(__file__).resolve().parents[2] / "docs" / "schemas" / "commands"
OF_THE_STORE = (
    *("/payments/{id}", "/payments/{id}/screening", "/payments/{id}/metadata"),
    *("/accounts/{id}/alerts", "/accounts/{id}/limits", "/accounts/{id}/metadata"),
    *("/templates/{id}", "/books/{id}", "/health"),
)
OF_PROJECTIONS = ("/accounts", "/accounts/{id}", "/accounts/{id}/history", "/payments")
ROUTES = {
    **{("POST", path): ("api", "Command") for path in COMMAND_PATHS.values()},
    ("POST", "/commands"): ("api", "Commands"),
    **{("GET", path): ("api", None) for path in OF_THE_STORE},
    **{("GET", path): ("query", None) for path in OF_PROJECTIONS},
    ("GET", "/reviews"): ("reviews", None),
    ("GET", "/webhooks"): ("webhookmanager", None),
    ("GET", "/webhooks/{id}"): ("webhookmanager", None),
    ("PUT", "/webhooks/{id}"): ("webhookmanager", None),
    ("DELETE", "/webhooks/{id}"): ("webhookmanager", None),
    ("POST", "/webhooks/{id}/rotate"): ("webhookmanager", None),
    ("POST", "/webhooks/{id}/test"): ("webhookmanager", None),
}


def test_every_command_of_a_client_has_a_path_of_its_own() -> None:
    """One each, and none beneath the ids of something else."""
    assert set(COMMAND_PATHS) == CLIENT_COMMANDS
    paths = [*COMMAND_PATHS.values(), INDEPENDENT_PATH]
    assert len(set(paths)) == len(paths)
    assert all(path.count("/") == 1 for path in paths)


def test_routes_reach_their_functions_by_alias(templates: Templates) -> None:
    """Every route goes to the one function that serves it; commands have a model."""
    found = {}
    for method in templates.all("AWS::ApiGateway::Method"):
        [model] = method.properties.get("RequestModels", {"": None}).values()
        found[method.properties["HttpMethod"], _path(templates, method.properties)] = (
            _function(templates, method.properties["Integration"]),
            model,
        )
        assert method.properties["Integration"]["Type"] == "AWS_PROXY"
    assert found == ROUTES


def test_a_method_says_what_parameters_it_takes(templates: Templates) -> None:
    """Those of its path it needs; a command may be asked of what it would do."""
    for method in templates.all("AWS::ApiGateway::Method"):
        path = _path(templates, method.properties)
        expected = {"method.request.path.id": True} if "{id}" in path else {}
        if path in COMMAND_PATHS.values() and method.properties["HttpMethod"] == "POST":
            expected["method.request.querystring.dry_run"] = False
        assert method.properties.get("RequestParameters", {}) == expected, path


def test_a_function_is_called_by_the_api_with_one_permission(templates: Templates) -> None:
    """Whatever method it is for: a function's policy may have 20 KB, some 40 permissions."""
    granted = [
        json.dumps(permission.properties["FunctionName"])
        for permission in templates.all("AWS::Lambda::Permission")
        if permission.properties["Principal"] == "apigateway.amazonaws.com"
    ]
    assert len(granted) == len(set(granted)) == len({function for function, _ in ROUTES.values()})


def test_every_method_is_authorised_and_validated(templates: Templates) -> None:
    """IAM signs for every call, health included; bodies and parameters are checked at the door."""
    [validator] = templates.all("AWS::ApiGateway::RequestValidator")
    assert validator.properties["ValidateRequestBody"] is True
    assert validator.properties["ValidateRequestParameters"] is True
    for method in templates.all("AWS::ApiGateway::Method"):
        assert method.properties["AuthorizationType"] == "AWS_IAM"
        assert method.properties["RequestValidatorId"] == {"Ref": validator.logical_id}


def test_the_stage_is_throttled_and_logs_no_bodies(templates: Templates) -> None:
    """Rate and burst as the stage says; access logs of chosen fields; no data traces."""
    [stage] = templates.all("AWS::ApiGateway::Stage")
    rate, burst = {"dev": (200, 100), "prod": (2000, 1000)}[templates.stage]
    [everywhere] = stage.properties["MethodSettings"]
    assert everywhere == {
        "HttpMethod": "*",
        "ResourcePath": "/*",
        "DataTraceEnabled": False,
        "LoggingLevel": "ERROR",
        "MetricsEnabled": True,
        "ThrottlingBurstLimit": burst,
        "ThrottlingRateLimit": rate,
    }
    logged = json.loads(stage.properties["AccessLogSetting"]["Format"])
    assert "$context.path" not in logged.values()  # it holds ids
    assert not [value for value in logged.values() if "body" in value.lower()]
    assert stage.properties["TracingEnabled"] is False


def test_execution_logs_are_ours(templates: Templates) -> None:
    """The group API Gateway would make, unencrypted and for ever, is made before the stage."""
    [stage] = templates.all("AWS::ApiGateway::Stage")
    [group] = [
        group
        for name, group in templates.named("AWS::Logs::LogGroup").items()
        if name.startswith("API-Gateway-Execution-Logs_")
    ]
    assert group.logical_id in stage.body["DependsOn"]
    [api] = templates.all("AWS::ApiGateway::RestApi")
    name = group.properties["LogGroupName"]["Fn::Join"][1]
    assert name == ["API-Gateway-Execution-Logs_", {"Ref": api.logical_id}, "/v1"]


def test_gateway_answers_are_problem_documents(templates: Templates) -> None:
    """Whatever API Gateway refuses by itself, the answer has the reason, status and retry of ours.

    The one variable, its short message, comes with quotation marks; the request is never quoted.
    """
    answers = {
        response.properties["ResponseType"]: response.properties
        for response in templates.all("AWS::ApiGateway::GatewayResponse")
    }
    for answer in answers.values():
        assert answer["ResponseParameters"] == {
            "gatewayresponse.header.Content-Type": "'application/problem+json'"
        }
        template = answer["ResponseTemplates"]["application/json"]
        assert template.count("$") == 1
        body = json.loads(template.replace("$context.error.messageString", '"Said by AWS"'))
        reason = BY_CODE[body["reason"]]
        assert body == {
            "type": f"urn:ledger:problem:{reason.code}",
            "title": reason.meaning,
            "status": int(answer["StatusCode"]),
            "reason": reason.code,
            "retry": reason.retry,
            "detail": "Said by AWS",
        }
    assert {kind: json_reason(answer) for kind, answer in answers.items()} == {
        "BAD_REQUEST_BODY": "invalid_request",
        "BAD_REQUEST_PARAMETERS": "invalid_request",
        "ACCESS_DENIED": "forbidden",
        "UNAUTHORIZED": "forbidden",
        "INVALID_SIGNATURE": "forbidden",
        "EXPIRED_TOKEN": "forbidden",
        "MISSING_AUTHENTICATION_TOKEN": "forbidden",
        "RESOURCE_NOT_FOUND": "unknown_route",
        "REQUEST_TOO_LARGE": "payload_too_large",
        "UNSUPPORTED_MEDIA_TYPE": "unsupported_media_type",
        "THROTTLED": "throttled",
        "QUOTA_EXCEEDED": "throttled",
        "INTEGRATION_TIMEOUT": "unavailable",
        "INTEGRATION_FAILURE": "internal_error",
        "DEFAULT_4XX": "invalid_request",
        "DEFAULT_5XX": "internal_error",
    }


@pytest.mark.parametrize(
    ("name", "body"),
    [
        ("Command", {"type": "x", "v": "1", "id": 3, "unknown": []}),
        ("Commands", {"commands": None, "unknown": []}),
    ],
)
def test_models_refuse_what_is_no_command(templates: Templates, name: str, body: Json) -> None:
    """They want an object with the members that make it one, and judge nothing else: whatever the
    function would name the field of reaches the function."""
    models = {
        model.properties["Name"]: model.properties["Schema"]
        for model in templates.all("AWS::ApiGateway::Model")
    }
    assert set(models) == {"Command", "Commands"}
    Draft4Validator.check_schema(models[name])
    judge = Draft4Validator(models[name])
    for member in models[name]["required"]:
        assert not judge.is_valid({k: v for k, v in body.items() if k != member})
    assert not judge.is_valid([])
    assert judge.is_valid(body)


@pytest.mark.parametrize("command", sorted(CLIENT_COMMANDS))
def test_the_model_refuses_nothing_that_a_schema_accepts(
    templates: Templates, command: str
) -> None:
    """The examples of the published schemas, and each with an optional field left out, pass."""
    schema = json.loads((SCHEMAS / f"{command}.v1.json").read_text(encoding="utf-8"))
    published = Draft202012Validator(schema)
    [model] = [
        model.properties["Schema"]
        for model in templates.all("AWS::ApiGateway::Model")
        if model.properties["Name"] == "Command"
    ]
    judge = Draft4Validator(model)
    for example in schema["examples"]:
        shorter = [{k: v for k, v in example.items() if k != left_out} for left_out in example]
        for variant in filter(published.is_valid, [example, *shorter]):
            assert judge.is_valid(variant)


def json_reason(answer: Json) -> str:
    """The reason in a gateway response's template."""
    template = answer["ResponseTemplates"]["application/json"]
    return str(json.loads(template.replace("$context.error.messageString", "0"))["reason"])


def _path(templates: Templates, method: Json) -> str:
    path, resource_id = "", method["ResourceId"]
    while "Ref" in resource_id:
        resource = templates.find("service", resource_id["Ref"])
        path = f"/{resource.properties['PathPart']}{path}"
        resource_id = resource.properties["ParentId"]
    return path


def _function(templates: Templates, integration: Json) -> str:
    [alias] = [
        part["Ref"]
        for part in integration["Uri"]["Fn::Join"][1]
        if isinstance(part, dict) and not part["Ref"].startswith("AWS::")
    ]
    resource = templates.find("service", alias)
    assert resource.type == "AWS::Lambda::Alias"
    return templates.text("service", resource.properties["FunctionName"])
