"""The REST API: IAM-authorised, request-validated, every answer a problem document or ours."""

import json
from collections.abc import Mapping
from typing import Any, Final, cast

from aws_cdk import aws_apigateway as apigateway
from aws_cdk import aws_lambda as lambda_
from constructs import Construct

from cdk.config import StageConfig
from cdk.patterns.acknowledgements import acknowledge
from cdk.patterns.encryption import EncryptionKey
from cdk.patterns.problems import answer_problems
from cdk.patterns.python_function import log_group
from cdk.patterns.request_models import COMMAND_MODEL, COMMANDS_MODEL
from ledger.contracts.routes import COMMAND_PATHS, INDEPENDENT_PATH

STAGE_NAME = "v1"
# Who, what, how long, with what outcome. No bodies; of the path its pattern only, without ids.
_ACCESS_LOG_FIELDS = {
    "request_id": "$context.requestId",
    "time": "$context.requestTime",
    "method": "$context.httpMethod",
    "resource": "$context.resourcePath",
    "status": "$context.status",
    "caller": "$context.identity.userArn",
    "source_ip": "$context.identity.sourceIp",
    "latency_ms": "$context.responseLatency",
    "integration_latency_ms": "$context.integrationLatency",
    "integration_status": "$context.integration.status",
    "response_bytes": "$context.responseLength",
    "error": "$context.error.responseType",
}
#: What is read from the event store itself: never behind an answer to a command.
_OF_THE_STORE: Final = (
    "/payments/{id}",
    "/payments/{id}/screening",
    "/payments/{id}/metadata",
    "/accounts/{id}/alerts",
    "/accounts/{id}/limits",
    "/accounts/{id}/metadata",
    "/templates/{id}",
    "/books/{id}",
    "/health",
)
_OF_PROJECTIONS: Final = ("/accounts", "/accounts/{id}", "/accounts/{id}/history", "/payments")


class LedgerApi(Construct):
    """`commands` serves what writes or reads the event store, `queries` what reads projections."""

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        config: StageConfig,
        key: EncryptionKey,
        commands: lambda_.IFunction,
        queries: lambda_.IFunction,
    ) -> None:
        super().__init__(scope, f"{id}Gateway")
        self.api_name = config.name("api")
        self.stage_name = STAGE_NAME
        access_log = log_group(
            self, "AccessLog", config=config, key=key, name=f"/ledger/{config.stage}/api-access"
        )
        self._api = apigateway.RestApi(
            self,
            "RestApi",
            rest_api_name=self.api_name,
            description=f"Payments and accounts of the ledger, {config.stage}",
            endpoint_types=[apigateway.EndpointType.REGIONAL],
            default_method_options=apigateway.MethodOptions(
                authorization_type=apigateway.AuthorizationType.IAM
            ),
            cloud_watch_role=True,
            deploy_options=apigateway.StageOptions(
                stage_name=STAGE_NAME,
                throttling_rate_limit=config.api_requests_per_second,
                throttling_burst_limit=config.api_burst,
                metrics_enabled=True,
                logging_level=apigateway.MethodLoggingLevel.ERROR,
                data_trace_enabled=False,  # it would log bodies
                tracing_enabled=False,  # see python_function.py
                access_log_destination=apigateway.LogGroupLogDestination(access_log),
                access_log_format=apigateway.AccessLogFormat.custom(json.dumps(_ACCESS_LOG_FIELDS)),
            ),
        )
        self._api.node.try_remove_child(
            "Endpoint"
        )  # its output; ours are named in the service stack
        self.api_id = self._api.rest_api_id
        self.url = self._api.url
        self._validator = apigateway.RequestValidator(
            self,
            "Validator",
            rest_api=self._api,
            validate_request_body=True,
            validate_request_parameters=True,
        )
        self._keep_execution_log(config, key)
        answer_problems(self._api)
        self._routes(commands, queries)
        acknowledge(
            self._api,
            "APIG3",
            "Every method takes signed requests of known principals only, and is throttled: there "
            "is no anonymous traffic for a web ACL to judge.",
        )
        acknowledge(
            self._api,
            "COG4",
            "Callers are services and operators with IAM roles; no human signs in here.",
        )

    def _routes(self, commands: lambda_.IFunction, queries: lambda_.IFunction) -> None:
        deciding = _integration(commands)
        reading = _integration(queries)
        command = self._model("Command", "A command, version 1", COMMAND_MODEL)
        for path in COMMAND_PATHS.values():
            self._takes(path, deciding, command, "dry_run")
        several = self._model("Commands", "Commands, each decided by itself", COMMANDS_MODEL)
        self._takes(INDEPENDENT_PATH, deciding, several)
        for path in _OF_THE_STORE:
            self._answers(self._api.root.resource_for_path(path), deciding)
        for path in _OF_PROJECTIONS:
            self._answers(self._api.root.resource_for_path(path), reading)

    def serve_reviews(self, function: lambda_.IFunction) -> None:
        """Let `function` list the payments that the fraud scorer did not clear."""
        self._answers(self._api.root.add_resource("reviews"), _integration(function))

    def serve_webhooks(self, function: lambda_.IFunction) -> None:
        """Let `function` answer everything about subscribers of webhooks."""
        integration = _integration(function)
        webhooks = self._api.root.add_resource("webhooks")
        webhook = webhooks.add_resource("{id}")
        self._answers(webhooks, integration)
        self._answers(webhook, integration)
        self._answers(webhook, integration, method="PUT")
        self._answers(webhook, integration, method="DELETE")
        for verb in ("rotate", "test"):
            self._answers(webhook.add_resource(verb), integration, method="POST")

    def _model(self, name: str, description: str, schema: Mapping[str, Any]) -> apigateway.CfnModel:
        # Not the L2 construct: its schema class cannot express every draft 4 schema.
        model = apigateway.CfnModel(
            self,
            f"{name}Model",
            rest_api_id=self.api_id,
            name=name,
            content_type="application/json",
            description=description,
            schema=schema,
        )
        # A deployment is a snapshot: another schema needs another one.
        cast(apigateway.Deployment, self._api.latest_deployment).add_to_logical_id({name: schema})
        return model

    def _takes(
        self,
        path: str,
        integration: apigateway.Integration,
        model: apigateway.CfnModel,
        *query: str,
    ) -> None:
        name = str(model.name)
        resource = self._api.root.resource_for_path(path)
        method = resource.add_method(
            "POST",
            integration,
            request_models={
                "application/json": apigateway.Model.from_model_name(resource, "Body", name)
            },
            request_parameters={f"method.request.querystring.{one}": False for one in query},
            request_validator=self._validator,
        )
        method.node.add_dependency(model)

    def _answers(
        self,
        resource: apigateway.IResource,
        integration: apigateway.Integration,
        *,
        method: str = "GET",
    ) -> None:
        names = [step[1:-1] for step in resource.path.split("/") if step.startswith("{")]
        resource.add_method(
            method,
            integration,
            request_parameters={f"method.request.path.{name}": True for name in names},
            request_validator=self._validator,
        )

    def _keep_execution_log(self, config: StageConfig, key: EncryptionKey) -> None:
        """API Gateway would make this group by itself: unencrypted, and kept for ever."""
        group = log_group(
            self,
            "ExecutionLog",
            config=config,
            key=key,
            name=f"API-Gateway-Execution-Logs_{self.api_id}/{STAGE_NAME}",
        )
        self._api.deployment_stage.node.add_dependency(group)
        acknowledge(
            self._api.node.find_child("CloudWatchRole"),
            "IAM4",
            "API Gateway accepts no less for the role with which it writes the logs of an account.",
            finding="Policy::arn:<AWS::Partition>:iam::aws:policy/service-role/AmazonAPIGatewayPushToCloudWatchLogs",
        )


def _integration(function: lambda_.IFunction) -> apigateway.LambdaIntegration:
    # One permission for the whole API: with one for each method, and there are dozens, a function's
    # policy would near the 20 KB that it may have.
    return apigateway.LambdaIntegration(
        function, proxy=True, allow_test_invoke=False, scope_permission_to_method=False
    )
