from gochat_contracts.logic import users_pb2
from tests.integration.accounts.conftest import Rpc


def test_a_registered_user_logs_in_and_sees_the_profile(rpc: Rpc) -> None:
    user = rpc.register("Alice.1")
    pair = rpc.login("aLICE.1")
    assert (user.username, user.display_name) == ("alice.1", "Alice.1")
    assert pair.user == user
    assert rpc.call(rpc.users.GetMe, users_pb2.GetMeRequest(), token=pair.access_token).user == user
