"""What the activity sensor says on the bus is what llum understands."""

from schemas.apps import ADMIN_APP
from schemas.codec import decode_command
from schemas.commands import MakeComponent, MakeContext, MakeModel, RegisterApp, SetPermission, Tell
from sensors.activity.messages import installation, telling
from sensors.activity.states import ACTIVE, Observation
from tests.model.applying import apply


def test_the_installation_makes_everything_that_a_telling_needs():
    commands = [(it.app, decode_command(it.payload, it.verb)) for it in installation("alice")]
    assert [(app, type(command)) for app, command in commands] == [
        ("llum", RegisterApp),
        ("llum", MakeContext),
        ("llum", SetPermission),
        ("activity_monitor", MakeContext),
        ("activity_monitor", MakeContext),
        ("activity_monitor", MakeComponent),
    ]


def test_the_installation_can_be_repeated():
    made = [decode_command(it.payload, it.verb) for it in installation("alice")]
    assert all(command.exist_ok for command in made if isinstance(command, MakeContext | MakeComponent))


def test_registration_is_the_same_command_at_each_start_and_all_else_has_an_id_of_its_own():
    first, second = ([decode_command(it.payload, it.verb).id for it in installation("alice")] for _ in range(2))
    assert set(first) & set(second) == {"register-activity-sensor", "permit-activity-sensor"}
    assert len(set(first)) == len(first)


def test_a_telling_is_implicit_evidence_with_its_time():
    entry = telling("alice", "activity_monitor", Observation(ACTIVE, 12.5))
    command = decode_command(entry.payload, entry.verb)
    assert isinstance(command, Tell)
    assert (entry.user, entry.app) == ("alice", "activity_monitor")
    assert (command.context, command.component) == (["Devices", "activity_monitor", "activity"], "data")
    evidence = command.evidence
    assert (evidence.value, evidence.time, evidence.evidence_type) == (1, 12.5, "implicit")


def test_a_model_takes_installation_and_tellings_and_the_installation_again():
    """Nothing that the sensor says is refused, neither at its first start nor at a later one."""
    model = apply(None, "alice", ADMIN_APP, MakeModel(id="make"), 1, 1).model
    told = telling("alice", "activity_monitor", Observation(ACTIVE, 12.5))
    entries = [*installation("alice"), told, *installation("alice")]
    for seq, entry in enumerate(entries, 2):
        changes = apply(model, "alice", entry.app, decode_command(entry.payload, entry.verb), seq, seq).changes
        assert bool(changes) == (seq < 2 + 7), "what is repeated changes nothing"
