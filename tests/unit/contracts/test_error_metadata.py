import pytest

from gochat_contracts.error_metadata import MAX_FAULTS, decode_error, encode_error
from gochat_core.errors import FieldFault, GochatError, InvalidRequest, TooManyAttempts, every_error


@pytest.mark.parametrize("kind", list(every_error()))
def test_every_error_arrives_as_what_it_was(kind: type[GochatError]) -> None:
    assert type(decode_error(encode_error(kind("what happened")))) is kind


def test_faults_detail_and_patience_travel_along() -> None:
    fault = FieldFault(field="content.text", message="naïve 😀")
    told = decode_error(encode_error(InvalidRequest("so", faults=[fault])))
    assert (told.detail, told.faults) == ("so", (fault,))
    assert decode_error(encode_error(TooManyAttempts(retry_after_ms=1234))).retry_after_ms == 1234


def test_so_many_faults_travel_as_metadata_can_carry() -> None:
    faults = [FieldFault(field=f"field_{number}", message="is required") for number in range(500)]
    encoded = encode_error(InvalidRequest(faults=faults))
    assert len(encoded) < 8_192
    assert len(decode_error(encoded).faults) == MAX_FAULTS


def test_what_is_no_error_is_told_apart() -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - msgspec's own is one
        decode_error(b"nonsense")
