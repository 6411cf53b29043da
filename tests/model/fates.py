"""What people's connections, the platform and the machines do in a walk; importing it enters these acts too."""

from tests.model.acts import Walker, act
from tests.model.promises import settle, work_off
from tests.model.syncing import forget, sync

CLOCKS_DIFFER_MS = 20_000
"""So far apart may functions' clocks be: a sync token reaches back 30 s, for that and for a late commit."""


@act(4)
def connect(walker: Walker, a: int, b: int, c: int, d: int) -> None:
    """Connect, or connect anew while an older connection stands; mostly catch up then."""
    device = walker.device(a)
    is_open = walker.world.connect(device, which=c, orders=walker.orders(d, 12, alone=True))
    if is_open and b % 4:
        sync(walker.world, device)


@act(4)
def catch_up(walker: Walker, a: int, b: int, c: int, d: int) -> None:
    """Sync; now and then as a client that has forgotten what it knew."""
    device = walker.device(a)
    if not device.is_logged_in:
        return
    if b % 7 == 0:
        forget(device, keeps_cursors=bool(b % 2))
    sync(walker.world, device, which=c, orders=walker.orders(d, 12))


@act(2)
def disconnect(walker: Walker, a: int, b: int, c: int, d: int) -> None:
    """Close in order, break, or vanish without anybody's noticing."""
    device = walker.device(a)
    if device.socket is not None and device.is_connected:
        device.is_live = False
        if b % 3 == 2:
            device.socket.phase = "limbo"
        else:
            walker.world.cell.end(device.socket, "closed" if b % 3 else "dropped")


@act(2)
def notice(walker: Walker, a: int, b: int, c: int, d: int) -> None:
    """Have the platform notice that a client is gone."""
    lost = [one for one in walker.world.cell.sockets.values() if one.phase == "limbo"]
    if lost:
        walker.world.cell.end(lost[a % len(lost)], "dropped")


@act(3)
def farewell(walker: Walker, a: int, b: int, c: int, d: int) -> None:
    """Send a `$disconnect`, late as it may be, or lose it."""
    farewells = walker.world.cell.farewells
    if farewells:
        socket = farewells.pop(a % len(farewells))
        if b % 4:
            walker.world.say_farewell(socket, which=c, orders=walker.orders(d, 8, alone=True))


@act(1)
def sweep(walker: Walker, a: int, b: int, c: int, d: int) -> None:
    walker.world.sweep(which=c, orders=walker.orders(d, 12))


@act(1, fault=True)
def throttle(walker: Walker, a: int, b: int, c: int, d: int) -> None:
    device = walker.device(a)
    if device.socket is not None:
        walker.world.faults += 1
        device.socket.throttled = 1 + b % 3


@act(2, fault=True)
def flush_cache(walker: Walker, a: int, b: int, c: int, d: int) -> None:
    walker.world.redis.flushall()


@act(1, fault=True)
def cache_away(walker: Walker, a: int, b: int, c: int, d: int) -> None:
    """Have Redis stop, or start again, empty."""
    world = walker.world
    if "cache" in world.fleet.away:
        world.fleet.away.discard("cache")
        world.redis.flushall()
    else:
        world.fleet.away.add("cache")


@act(1, fault=True)
def broker_away(walker: Walker, a: int, b: int, c: int, d: int) -> None:
    """Have the broker stop or start, or die in the middle of what it is given next."""
    walker.world.faults += 1
    log = walker.world.log
    if b % 2:
        log.fail_after = a % 4
    else:
        log.available = not log.available


@act(2, fault=True)
def rewind(walker: Walker, a: int, b: int, c: int, d: int) -> None:
    """Bring the last records of a partition once more, to whatever function consumes it."""
    walker.world.faults += 1
    name = ("upstream", "deliver", "worker", "bulk")[a % 4]
    walker.world.mappings[name].rewind(b % 2, 1 + c % 6)


@act(3)
def let_time_pass(walker: Walker, a: int, b: int, c: int, d: int) -> None:
    """Let seconds pass, or so long that a token of before does not reach back to now; machines are done by then."""
    if b % 4:
        walker.world.clock.advance_ms(a * 5)
    elif not walker.world.fleet.away and walker.world.log.available:
        work_off(walker.world)
        walker.world.clock.advance_ms(45_000)


@act(1, fault=True)
def jump(walker: Walker, a: int, b: int, c: int, d: int) -> None:
    """Have minutes pass, or the functions' clock be set back by seconds."""
    walker.world.faults += 1
    clock = walker.world.clock
    walker.latest_ms = max(walker.latest_ms, clock.now_ms())
    earliest = walker.latest_ms - CLOCKS_DIFFER_MS - clock.now_ms()
    clock.advance_ms(max((40_000, 130_000, 300_000, -5_000, -15_000)[b % 5], earliest))


@act(1)
def log_out(walker: Walker, a: int, b: int, c: int, d: int) -> None:
    """End a device's login, or log it in again."""
    device, world = walker.device(a), walker.world
    if not device.is_logged_in and not device.is_leaving:
        world.people.log_in(device)
    elif b % 2 or device.is_leaving:
        world.log_out(device, which=c, orders=walker.orders(d, 20, alone=True))


@act(1, fault=True)
def poison(walker: Walker, a: int, b: int, c: int, d: int) -> None:
    """Put a record on the upstream topic that can't be read, or that can't be stored."""
    walker.world.poison(can_be_read=bool(a % 2), chat_id=walker.chat_id(b))


@act(1)
def come_to_rest(walker: Walker, a: int, b: int, c: int, d: int) -> None:
    """Let everything be done, and look at all promises."""
    settle(walker.world)
