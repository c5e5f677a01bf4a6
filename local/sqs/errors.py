"""SQS errors: their JSON shape and, in a header, the older code that clients match on."""

from typing import Any

from local.aws import AwsError

_PREFIX = "AWS.SimpleQueueService."
_OLDER_CODES = {
    "QueueDoesNotExist": _PREFIX + "NonExistentQueue",
    "QueueNameExists": "QueueAlreadyExists",
    "InvalidParameterValueException": "InvalidParameterValue",
    "MissingRequiredParameterException": "MissingParameter",
} | {
    name: _PREFIX + name
    for name in (
        "BatchEntryIdsNotDistinct",
        "BatchRequestTooLong",
        "EmptyBatchRequest",
        "InvalidBatchEntryId",
        "MessageNotInflight",
        "TooManyEntriesInBatchRequest",
    )
}


def refusal(shape: str, message: str) -> AwsError:
    """The error named ``shape`` in the vendor's service model, caused by the sender."""
    code = _OLDER_CODES.get(shape, shape)
    return AwsError(
        f"com.amazonaws.sqs#{shape}", message, headers={"x-amzn-query-error": f"{code};Sender"}
    )


def invalid(value: Any, parameter: str, reason: str) -> AwsError:
    """``value`` is not one that ``parameter`` can have."""
    return refusal(
        "InvalidParameterValueException",
        f"Value {value} for parameter {parameter} is invalid. Reason: {reason}",
    )


def required(args: dict[str, Any], parameter: str) -> Any:
    """The value of ``parameter``, which must be there and not empty."""
    if args.get(parameter) in (None, ""):
        raise refusal(
            "MissingRequiredParameterException",
            f"The request must contain the parameter {parameter}.",
        )
    return args[parameter]


def within(args: dict[str, Any], parameter: str, default: int, least: int, most: int) -> int:
    """The whole number in ``parameter``, between ``least`` and ``most``."""
    value = args.get(parameter)
    if value is None:
        return default
    if not isinstance(value, int) or not least <= value <= most:
        raise invalid(value, parameter, f"Must be between {least} and {most}, if provided.")
    return value
