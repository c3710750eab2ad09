"""The one door to LeRobot's robots and leaders: how they are found and made, and what their errors mean."""

from __future__ import annotations

import contextlib
import importlib
import io
import pkgutil
import sys
import termios
from collections.abc import Iterator, Mapping
from typing import Any

from robot_io.errors import ArmError, ArmNotFound, BadReply, MissingDriver, NoReply, NotCalibrated, Unplugged

HINT = "pip install 'lerobot[feetech]' (0.4.4 for Python 3.11, 0.6.1 for 3.12)"


def make_robot(kind: str, options: Mapping[str, Any]) -> Any:
    """A LeRobot Robot by the name of its type; plug-ins are found, too."""
    return _make("robots", "RobotConfig", "make_robot_from_config", kind, options)


def make_leader(kind: str, options: Mapping[str, Any]) -> Any:
    """A LeRobot Teleoperator by the name of its type."""
    return _make("teleoperators", "TeleoperatorConfig", "make_teleoperator_from_config", kind, options)


def leader_class(kind: str) -> Any:
    """The configuration class of a leader's type; loads LeRobot, which takes seconds the first time."""
    return _class("teleoperators", "TeleoperatorConfig", kind)


def make_realsense(serial: str, width: int, height: int, rate: int) -> Any:
    """A LeRobot RealSenseCamera that gives depth, not yet connected, its depth laid on its colours."""
    try:
        vendor = importlib.import_module("pyrealsense2")
        from lerobot.cameras.realsense import RealSenseCamera, RealSenseCameraConfig
    except ImportError as error:
        raise MissingDriver(
            f"expected what a RealSense camera needs, got: {error}; run: pip install 'lerobot[intelrealsense]'"
        ) from error
    _one_thread()

    class Aligned(RealSenseCamera):  # type: ignore[misc]
        """LeRobot gives depth as its own sensor sees it, from beside the colours."""

        def _read_from_hardware(self) -> Any:
            return self._onto_colour.process(super()._read_from_hardware())

    if not hasattr(RealSenseCamera, "_read_from_hardware"):
        raise MissingDriver(f"expected LeRobot's RealSenseCamera to read as in 0.4.4, got another; run: {HINT}")
    config = RealSenseCameraConfig(serial_number_or_name=serial, width=width, height=height, fps=rate, use_depth=True)
    camera = Aligned(config)
    camera._onto_colour = vendor.align(vendor.stream.color)
    return camera


def set_calibration(device: Any, spans: Mapping[str, Mapping[str, int]]) -> None:
    """Give a robot or leader the calibration that its motors carry."""
    from lerobot.motors import MotorCalibration

    device.calibration = {name: MotorCalibration(**span) for name, span in spans.items()}
    device.bus.calibration = device.calibration


def _class(room: str, config: str, kind: str) -> Any:
    try:
        package = importlib.import_module(f"lerobot.{room}")
    except ImportError as error:
        raise MissingDriver(f"expected LeRobot for this arm, got: {error}; run: {HINT}") from error
    _one_thread()
    return _registered(room, getattr(package, config), kind)


def _make(room: str, config: str, maker: str, kind: str, options: Mapping[str, Any]) -> Any:
    cls = _class(room, config, kind)
    package = importlib.import_module(f"lerobot.{room}")
    fields = cls.__dataclass_fields__
    strange = sorted(set(options) - set(fields))
    wanted = {key: value for key, value in options.items() if key in fields and value is not None}
    if any(isinstance(options[key], str) for key in strange):
        raise ArmNotFound(f"expected options of {kind} among {', '.join(fields)}, got {', '.join(strange)}")
    try:
        from draccus.parsers.decoding import decode

        made = cls(**{k: decode(fields[k].type, v) if isinstance(v, str) else v for k, v in wanted.items()})
        return getattr(package, maker)(made)
    except ImportError as error:
        raise MissingDriver(f"expected what {kind} needs, got: {error}; run: {HINT}") from error
    except Exception as error:
        raise ArmNotFound(f"expected LeRobot to make a {kind} of {wanted}, it says: {error}") from error


def _registered(room: str, registry: Any, kind: str) -> Any:
    """The configuration class of a type; looks in LeRobot's own rooms first, then among plug-ins."""
    family = kind.replace("100", "").replace("101", "")
    for name in (family, kind):
        with contextlib.suppress(ImportError):
            importlib.import_module(f"lerobot.{room}.{name}")
        if kind in registry.get_known_choices():
            return registry.get_choice_class(kind)
    package = importlib.import_module(f"lerobot.{room}")
    for module in pkgutil.iter_modules(package.__path__):
        if module.name.split("_")[0] == kind.split("_")[0]:
            with contextlib.suppress(ImportError):
                importlib.import_module(f"lerobot.{room}.{module.name}")
    if kind not in registry.get_known_choices():
        importlib.import_module("lerobot.utils.import_utils").register_third_party_plugins()
    if kind not in registry.get_known_choices():
        raise ArmNotFound(
            f"expected a LeRobot type such as {', '.join(sorted(registry.get_known_choices())[:6])}, got {kind!r}; "
            "install the plug-in that brings it (a package named lerobot_robot_… or lerobot_teleoperator_…)"
        )
    return registry.get_choice_class(kind)


def _one_thread() -> None:
    """LeRobot brings torch; the control loop keeps its cores."""
    torch = sys.modules.get("torch")
    if torch is not None:
        torch.set_num_threads(1)


@contextlib.contextmanager
def no_questions() -> Iterator[None]:
    """Whoever asks something of a terminal gets an end of input."""
    before, sys.stdin = sys.stdin, io.StringIO("")
    try:
        yield
    except EOFError as error:
        raise NotCalibrated(
            "expected a calibrated arm, but its driver asks questions on a terminal; calibrate it once with "
            "lerobot-calibrate, and name its id here: …,id=NAME"
        ) from error
    finally:
        sys.stdin = before


@contextlib.contextmanager
def translated(port: str, handler: Any = None) -> Iterator[None]:
    """What LeRobot, its SDK and the system raise, in our own words."""
    try:
        yield
    except ArmError:
        raise
    except ConnectionError as error:
        raise _wire_error(port, error) from error
    except (OSError, termios.error, TypeError, AttributeError) as error:
        raise Unplugged(f"{port} is gone ({error}); plug the arm in, then release") from error
    except (IndexError, KeyError) as error:
        raise BadReply("expected a whole answer, got a short one; check the cable") from error
    except RuntimeError as error:
        raise _wire_error(port, error) from error
    finally:
        if handler is not None:
            handler.is_using = False


def _wire_error(port: str, error: Exception) -> ArmError:
    text = " ".join(str(error).split())
    if "no calibration" in text:
        return NotCalibrated(f"expected a calibrated arm, LeRobot says: {text}; calibrate it")
    if "no status packet" in text or "Missing motor" in text:
        return NoReply(f"expected every motor at {port} to answer, LeRobot says: {text[:200]}")
    if "Could not connect" in text and "no status packet" in str(error.__cause__ or error.__context__):
        return NoReply(f"expected every motor at {port} to answer, one was silent while LeRobot opened it")
    if "Could not connect" in text:
        return ArmNotFound(f"expected to open {port}, LeRobot says: {text[:200]}; plug the arm in")
    return BadReply(f"expected a whole answer from {port}, LeRobot says: {text[:200]}; check the cable")
