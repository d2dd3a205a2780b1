"""What API Gateway answers by itself, as RFC 9457 problem details like those of the functions."""

import json
from collections.abc import Mapping

from aws_cdk import aws_apigateway as apigateway

from ledger.contracts import reasons
from ledger.contracts.problems import CONTENT_TYPE, problem
from ledger.contracts.reasons import Reason

_Response = apigateway.ResponseType

_DETAIL = '"$context.error.messageString"'


def answer_problems(api: apigateway.RestApi) -> None:
    """Make every answer of API Gateway's own a problem document.

    The one thing it fills in is `detail`, its own short message, which never quotes the request:
    `$context.error.messageString` comes with its quotation marks.
    """
    for response, reason in _reasons().items():
        body = problem(reason, extensions={"detail": "$context.error.messageString"})
        api.add_gateway_response(
            f"Problem{response.response_type.title().replace('_', '')}",
            type=response,
            status_code=str(int(reason.status)),
            response_headers={"Content-Type": f"'{CONTENT_TYPE}'"},
            templates={"application/json": json.dumps(body).replace(_DETAIL, _DETAIL.strip('"'))},
        )


def _reasons() -> Mapping[_Response, Reason]:
    return {
        _Response.BAD_REQUEST_BODY: reasons.INVALID_REQUEST,
        _Response.BAD_REQUEST_PARAMETERS: reasons.INVALID_REQUEST,
        _Response.ACCESS_DENIED: reasons.FORBIDDEN,
        _Response.UNAUTHORIZED: reasons.FORBIDDEN,
        _Response.INVALID_SIGNATURE: reasons.FORBIDDEN,
        _Response.EXPIRED_TOKEN: reasons.FORBIDDEN,
        # Unsigned; API Gateway answers the same for a method and path that it does not have.
        _Response.MISSING_AUTHENTICATION_TOKEN: reasons.FORBIDDEN,
        _Response.RESOURCE_NOT_FOUND: reasons.UNKNOWN_ROUTE,
        _Response.REQUEST_TOO_LARGE: reasons.PAYLOAD_TOO_LARGE,
        _Response.UNSUPPORTED_MEDIA_TYPE: reasons.UNSUPPORTED_MEDIA_TYPE,
        _Response.THROTTLED: reasons.THROTTLED,
        _Response.QUOTA_EXCEEDED: reasons.THROTTLED,
        # The function's answer was lost: what it decided may stand.
        _Response.INTEGRATION_TIMEOUT: reasons.UNAVAILABLE,
        _Response.INTEGRATION_FAILURE: reasons.INTERNAL_ERROR,
        # Whatever else there is or will be.
        _Response.DEFAULT_4_XX: reasons.INVALID_REQUEST,
        _Response.DEFAULT_5_XX: reasons.INTERNAL_ERROR,
    }
