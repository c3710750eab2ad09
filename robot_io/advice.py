"""What to do about each fault, in a sentence: by the class of the error that the arm told."""

from __future__ import annotations

from collections.abc import Mapping

FAULTS: Mapping[str, tuple[str, str]] = {
    "Unplugged": (
        "The cable is out",
        "Plug the arm's USB cable in again, then press Release: the arm is taken anew where it stands.",
    ),
    "NoReply": (
        "The arm does not answer",
        "Check that its power supply is on and that every servo's cable is in, from the base upwards; then press "
        "Release.",
    ),
    "BadReply": (
        "The arm's answers are damaged",
        "Push every plug home, keep the cable away from power cables, try another one; then press Release.",
    ),
    "PowerLost": (
        "The arm has gone limp",
        "Hold it with a hand, check the plug and the cable of its supply, then press Release: it holds again where it "
        "then is.",
    ),
    "ServoFault": (
        "A servo protects itself",
        "Do what is said of it here: let it cool, take its load away, or check the supply. Then press Release.",
    ),
    "Stalled": (
        "A joint does not follow",
        "Look what is in its way or too heavy for it, and take that away; then press Release.",
    ),
    "Strained": (
        "A joint works too hard",
        "Take the load away, or bring the arm nearer to its base by hand; then press Release.",
    ),
    "PortBusy": (
        "Another program has this arm",
        "End that program, or close the lesson that uses the arm; then connect again.",
    ),
    "ArmNotFound": ("There is no arm at that port", "Plug it in, look again for ports, and choose the one it has now."),
    "NotCalibrated": ("The arm is not calibrated", "Press Calibrate and follow the steps; it takes about two minutes."),
    "WrongArm": (
        "This is another arm",
        "Plug the right one in. If this arm was calibrated anew or its servos were changed, remove it from the list "
        "and add it again.",
    ),
    "MissingDriver": (
        "A package is missing",
        "Install what the message names, in the environment that the app runs in; then connect again.",
    ),
    "NotConnected": ("The arm is not connected", "Connect it first."),
    "Unsupported": ("This arm cannot do that", "Choose something else, or another arm."),
    "Unreachable": ("The arm cannot reach that", "Choose a point nearer to the middle of its workspace."),
    "Refused": (
        "The rehearsal of this motion went wrong",
        "Look at what stands in the arm's way; choose another plan, or run it anyway where you know better.",
    ),
    "BadAction": ("What was asked of the arm makes no sense", "Ask again; if it happens twice, save the diagnostics."),
    "Stopped": ("The arm is stopped", "Look that nobody is in its reach, then press Release."),
    "Driven": ("Somebody else drives", "Wait until they hand it back, or ask them for it."),
    "CameraError": (
        "A camera fails",
        "Plug it in again, or close the program that uses it; it goes on by itself when pictures come again.",
    ),
    "WireError": ("The wire to the arm failed", "Check cable and supply, then press Release."),
    "ArmError": ("The arm refuses", "Do what the message says; if it happens twice, save the diagnostics."),
}
"""Class of the error → a title, and what to do."""


def advise(why: str) -> dict[str, str]:
    """Title, message and what to do for a fault as the arm tells it, "CLASS: message"."""
    name, colon, message = why.partition(": ")
    if not colon or name not in FAULTS:
        name, message = "ArmError", why
    title, do = FAULTS[name]
    return {"fault": name, "title": title, "message": message, "do": do}
