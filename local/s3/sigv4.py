"""Verification of Signature Version 4, in the header or in a presigned URL's query."""

import hashlib
import hmac
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import quote, unquote

from starlette.requests import Request

from local.aws import AwsError

ALGORITHM = "AWS4-HMAC-SHA256"
UNSIGNED = "UNSIGNED-PAYLOAD"
MAX_SKEW = 900
MAX_EXPIRY = 604_800


@dataclass(frozen=True)
class Claim:
    """What a request says about its own signature; times are in unix seconds."""

    scope: str
    signed_headers: list[str]
    signature: str
    date: str
    payload: str
    lifetime: int | None

    @property
    def time(self) -> float:
        try:
            return datetime.strptime(f"{self.date}+0000", "%Y%m%dT%H%M%SZ%z").timestamp()
        except ValueError as error:
            raise _denied("X-Amz-Date is not an ISO 8601 basic date.") from error


def verify(request: Request, secret_key: str, now: float) -> str:
    """The payload hash that the request's signature vouches for, or an AwsError.

    ``now`` is in unix seconds. The caller compares the hash with the body.
    """
    claim = _claim(request)
    _check_time(claim, now)
    _check_headers(claim, request)
    canonical = _canonical(claim, request)
    expected = _signature(claim, secret_key, canonical)
    if not hmac.compare_digest(expected, claim.signature):
        raise AwsError(
            "SignatureDoesNotMatch",
            "The request signature we calculated does not match the signature you provided. "
            "Check your key and signing method.",
            status=403,
        )
    return claim.payload


def _denied(message: str) -> AwsError:
    return AwsError("AccessDenied", message, status=403)


def _claim(request: Request) -> Claim:
    query = request.query_params
    if query.get("X-Amz-Algorithm") == ALGORITHM:
        fields = {
            name: query.get(f"X-Amz-{name}", "")
            for name in ("Credential", "SignedHeaders", "Signature", "Date", "Expires")
        }
        lifetime = fields["Expires"]
        if not all(fields.values()) or not lifetime.isdecimal() or int(lifetime) > MAX_EXPIRY:
            raise AwsError(
                "AuthorizationQueryParametersError",
                "X-Amz-Credential, -SignedHeaders, -Signature, -Date and -Expires (at most "
                f"{MAX_EXPIRY} seconds) are needed.",
            )
        date, payload, expires = fields["Date"], UNSIGNED, int(lifetime)
    elif request.headers.get("authorization", "").startswith(f"{ALGORITHM} "):
        pairs = request.headers["authorization"].removeprefix(ALGORITHM).split(",")
        fields = dict(pair.strip().partition("=")[::2] for pair in pairs)
        date = request.headers.get("x-amz-date", "")
        payload = request.headers.get("x-amz-content-sha256", "")
        expires = None
    elif "AWSAccessKeyId" in query or request.headers.get("authorization", "").startswith("AWS "):
        raise AwsError(
            "InvalidRequest",
            "The authorization mechanism you have provided is not supported. "
            f"Please use {ALGORITHM}.",
        )
    else:
        raise _denied("Access Denied")
    _, _, scope = fields.get("Credential", "").partition("/")
    signed = fields.get("SignedHeaders", "").split(";")
    return Claim(scope, signed, fields.get("Signature", ""), date, payload, expires)


def _check_time(claim: Claim, now: float) -> None:
    age = now - claim.time
    if claim.lifetime is None:
        if abs(age) > MAX_SKEW:
            raise AwsError(
                "RequestTimeTooSkewed",
                "The difference between the request time and the current time is too large.",
                status=403,
            )
    elif age > claim.lifetime:
        raise _denied("Request has expired")
    elif -age > MAX_SKEW:
        raise _denied("Request is not valid yet")


def _check_headers(claim: Claim, request: Request) -> None:
    """What the service acts on must be signed, or anyone could add it to a presigned URL."""
    acted_on = {name for name in request.headers if name.startswith("x-amz-")}
    unsigned = (acted_on - {"x-amz-content-sha256"} | {"host"}) - set(claim.signed_headers)
    if unsigned:
        raise _denied(
            "There were headers present in the request which were not signed: "
            + ", ".join(sorted(unsigned))
        )


def _canonical(claim: Claim, request: Request) -> str:
    pairs = [
        tuple(quote(unquote(part), safe="-_.~") for part in pair.partition("=")[::2])
        for pair in request.scope["query_string"].decode("latin-1").split("&")
        if pair and not pair.startswith("X-Amz-Signature=")
    ]
    headers = [
        f"{name}:{','.join(' '.join(each.split()) for each in request.headers.getlist(name))}\n"
        for name in claim.signed_headers
    ]
    return "\n".join(
        [
            request.method,
            request.scope["raw_path"].decode("latin-1"),
            "&".join("=".join(pair) for pair in sorted(pairs)),
            "".join(headers),
            ";".join(claim.signed_headers),
            claim.payload,
        ]
    )


def _signature(claim: Claim, secret_key: str, canonical: str) -> str:
    day, *rest = claim.scope.split("/")
    if day != claim.date[:8] or rest[1:] != ["s3", "aws4_request"]:
        raise AwsError(
            "AuthorizationHeaderMalformed",
            f"The credential scope {claim.scope} is not <day>/<region>/s3/aws4_request.",
        )
    key = f"AWS4{secret_key}".encode()
    for part in (day, *rest):
        key = hmac.digest(key, part.encode(), "sha256")
    digest = hashlib.sha256(canonical.encode()).hexdigest()
    to_sign = f"{ALGORITHM}\n{claim.date}\n{claim.scope}\n{digest}"
    return hmac.digest(key, to_sign.encode(), "sha256").hex()
