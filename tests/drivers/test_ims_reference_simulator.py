"""The reference trace detector's simulator: physics against the formulas, and its behaviour seen through the driver."""

import math
from random import Random

import numpy as np
import pytest

from devicehub.model.reading import (
    Capability,
    Cause,
    DeviceAlarm,
    Identity,
    Level,
    Measurement,
    Outcome,
    Result,
    Spectrum,
)
from simulators.trace import _ims_reference_wire as wire
from simulators.trace._ims_physics import SUBSTANCES, Tube
from simulators.trace.ims_reference import SIMULATOR, ImsReference
from tests.drivers.ims_reference_bench import Bench, apex, facts, points

CALIBRANTS = {"negative": 1.652, "positive": 1.860}


def drift_time(k0: float, temperature: float, pressure: float) -> float:
    """Drift time in ms in 6 cm at 1400 V, from the definition of the reduced mobility."""
    return 6.0**2 / (1400 * k0 * (temperature / 273.15) * (1013.25 / pressure)) * 1e3


@pytest.mark.parametrize(("k0", "milliseconds"), [(1.451, 12.63), (1.387, 13.22), (1.16, 15.80), (1.04, 17.63)])
def test_drift_times_are_those_of_the_specification(k0: float, milliseconds: float) -> None:
    assert Tube().drift_time(k0, 383, 1013.25) * 1e3 == pytest.approx(milliseconds, abs=0.01)
    assert drift_time(k0, 383, 1013.25) == pytest.approx(milliseconds, abs=0.01)


def test_the_resolving_power_is_limited_by_diffusion_and_gate() -> None:
    time = Tube().drift_time(1.16, 383, 1013.25)
    assert time / Tube(gate=0.0).width(time, 383) == pytest.approx(62, abs=0.5)
    assert time / Tube(gate=200e-6).width(time, 383) == pytest.approx(49, abs=0.5)
    assert time / Tube(gate=100e-6).width(time, 383) == pytest.approx(58, abs=0.5)


@pytest.mark.parametrize("mode", ["negative", "positive"])
def test_the_calibrant_stands_within_half_a_sample_of_its_computed_drift_time(mode: str) -> None:
    bench = Bench().warmed().run(40)
    seen = list(bench.scans(mode))
    assert len(seen) >= 4
    for spectrum, temperature, pressure in seen:
        expected = drift_time(CALIBRANTS[mode], temperature, pressure)
        assert abs(apex(spectrum, expected) - expected) < spectrum.axis.step / 2


def test_warmer_gas_moves_the_peaks_and_not_their_mobility() -> None:
    bench = Bench().warmed().run(15)
    before, temperature, _ = next(bench.scans("negative"))
    bench.simulator.do("environment", temperature_k=387.0, pressure_hpa=1000.0)
    after, warmer, pressure = next(bench.forget().run(15).scans("negative"))
    assert warmer - temperature == pytest.approx(4.0, abs=0.1)
    expected = drift_time(1.652, warmer, pressure)
    moved = apex(after, expected) - apex(before, drift_time(1.652, temperature, 1008.0))
    assert moved < -0.1
    assert apex(after, expected) == pytest.approx(expected, abs=0.005)


def test_a_kelvin_of_sensor_error_costs_a_quarter_percent_of_absolute_mobility_and_nothing_of_the_relative_one() -> (
    None
):
    bench = Bench().warmed()
    bench.simulator.do("fault", kind="drift", amount=1.0)
    bench.swab("TNT", 20)
    absolute, relative = [], []
    for spectrum, temperature, pressure in list(bench.scans("negative"))[2:6]:
        calibrant = apex(spectrum, drift_time(1.652, temperature, pressure))
        analyte = apex(spectrum, drift_time(1.451, temperature, pressure))
        absolute.append(1.451 * drift_time(1.451, temperature, pressure) / analyte)
        relative.append(1.652 * calibrant / analyte)
    assert np.mean(absolute) / 1.451 - 1 == pytest.approx(-0.0026, abs=0.0002)
    assert np.mean(relative) == pytest.approx(1.451, abs=0.0005)


@pytest.mark.parametrize("substance", SUBSTANCES, ids=lambda substance: substance.name.replace(" ", "-"))
def test_each_substance_raises_its_own_group(substance: object) -> None:
    kind = next(known for known in SUBSTANCES if known is substance)
    bench = Bench().warmed().swab(kind.name, 30)
    (alarm,) = bench.seen(DeviceAlarm)
    assert (alarm.point, alarm.active, alarm.text) == (("explosives", "narcotics")[kind.group - 1], True, kind.name)


def test_more_substance_gives_more_signal_until_the_reactant_ion_is_used_up() -> None:
    heights, reactants = [], []
    for mass in (5, 10, 20, 1000, 2000):
        (result,) = Bench().warmed().swab("TNT", mass).seen(Result)
        heights.append(next(peak.amplitude for peak in result.peaks if peak.name == "TNT"))
        reactants.append(next((peak.amplitude for peak in result.peaks if peak.name == "chloride"), 0.0))
    assert heights[1] / heights[0] == pytest.approx(2, rel=0.2)
    assert heights[4] / heights[3] < 1.2
    assert reactants == sorted(reactants, reverse=True)


def test_a_heavy_swab_saturates_and_its_residue_forces_a_bake_out_that_ends() -> None:
    bench = Bench().warmed().swab("TNT", 1000).run(3)
    assert any(scan.cause is Cause.SATURATED for scan in bench.seen(Spectrum))
    assert bench.states() == ["sampling", "ready", "bake-out"]
    assert bench.seen(Capability)[-2] == Capability("explosives", Level.NONE, Cause.CONTAMINATED)
    bench.forget().simulator.do("sample")
    bench.run(1)
    assert not bench.seen(Result)
    bench.run(240)
    assert bench.states() == ["bake-out", "ready"]
    progress = [sample.value for sample in bench.seen(Measurement) if sample.channel == "progress"]
    assert progress[-1] > progress[0]
    assert bench.seen(Capability)[-2] == Capability("explosives", Level.FULL)


def test_a_little_residue_degrades_and_cleaning_cures() -> None:
    bench = Bench().warmed()
    bench.simulator.do("contaminate", substance="RDX", mass_ng=0.7)
    bench.run(11)
    assert bench.seen(Capability)[-2:] == [
        Capability("explosives", Level.DEGRADED, Cause.CONTAMINATED),
        Capability("narcotics", Level.FULL),
    ]
    bench.simulator.do("clean")
    bench.run(11)
    assert bench.seen(Capability)[-2] == Capability("explosives", Level.FULL)


def test_residue_makes_the_next_clean_swab_alarm() -> None:
    bench = Bench().warmed()
    bench.simulator.do("contaminate", substance="cocaine", mass_ng=2)
    (result,) = bench.swab().seen(Result)
    assert result.outcome is Outcome.ALARM


def test_a_harmless_interferent_raises_a_false_alarm_and_hand_cream_does_not() -> None:
    (false,) = Bench().warmed().swab("ascorbic acid", 40).seen(Result)
    (clear,) = Bench().warmed().swab("hand cream", 40).seen(Result)
    assert false.outcome is Outcome.ALARM
    assert clear.outcome is Outcome.CLEAR
    assert any(not peak.name and abs(peak.position - 1.29) < 0.005 for peak in clear.peaks)


@pytest.mark.parametrize(
    ("kind", "amount", "cause"),
    [("calibrant", 1.0, Cause.UNCALIBRATED), ("reactant", 1.0, Cause.NO_REACTANT), ("drift", 6.0, Cause.UNCALIBRATED)],
)
def test_without_its_references_it_gives_no_clear(kind: str, amount: float, cause: Cause) -> None:
    bench = Bench().warmed()
    bench.simulator.do("fault", kind=kind, amount=amount)
    bench.run(11)
    assert bench.seen(Capability)[-2:] == [
        Capability("explosives", Level.NONE, cause),
        Capability("narcotics", Level.NONE, cause),
    ]
    (result,) = bench.swab().seen(Result)
    assert (result.outcome, result.cause) == (Outcome.INCONCLUSIVE, cause)
    bench.simulator.do("fault", kind="none")
    bench.run(11)
    assert bench.seen(Capability)[-1] == Capability("narcotics", Level.FULL)


def test_a_heater_fault_aborts_the_run_cools_the_tube_and_needs_a_new_warm_up() -> None:
    bench = Bench().warmed()
    bench.simulator.do("sample")
    bench.run(1)
    bench.simulator.do("fault", kind="heater")
    bench.run(60)
    (result,) = bench.seen(Result)
    assert (result.outcome, result.cause) == (Outcome.ABORTED, Cause.FAULT)
    assert bench.seen(Capability)[-1] == Capability("narcotics", Level.NONE, Cause.SELF_TEST_FAILED)
    assert [sample.value for sample in bench.seen(Measurement) if sample.channel == "drift-temperature"][-1] < 30
    bench.simulator.do("fault", kind="none")
    bench.run(62)
    assert bench.states()[-3:] == ["fault", "warming-up", "ready"]


def test_the_operator_stops_a_run() -> None:
    bench = Bench().warmed()
    bench.simulator.do("sample")
    bench.run(2)
    bench.simulator.do("abort")
    bench.run(1)
    (result,) = bench.seen(Result)
    assert (result.outcome, result.cause) == (Outcome.ABORTED, Cause.NONE)
    assert result.duration == pytest.approx(2.0, abs=0.06)


def test_a_demo_is_mostly_clean_and_never_empty() -> None:
    bench = Bench(seed=8)
    bench.simulator.do("demo")
    outcomes = [result.outcome for result in bench.run(3600).seen(Result)]
    assert len(outcomes) > 40
    assert 0 < outcomes.count(Outcome.ALARM) < len(outcomes) / 2
    assert not bench.faults


def test_the_size_of_the_ticks_changes_nothing() -> None:
    def talk(dt: float) -> bytes:
        simulator = SIMULATOR(Random(5))
        simulator.do("warm", seconds=2)
        out = b"".join(simulator.advance(dt) for _ in range(round(4 / dt)))
        simulator.do("sample", substance="MDMA", mass_ng=4)
        return out + b"".join(simulator.advance(dt) for _ in range(round(12 / dt)))

    assert talk(0.25) == talk(4.0) == talk(0.03125)


def test_start_and_abort_are_done_once_for_one_sequence() -> None:
    simulator = ImsReference(Random(1))
    simulator.do("warm", seconds=0)
    simulator.advance(1.0)
    start = wire.frame(wire.START_SAMPLE, 9, b"")
    first = simulator.on_bytes(start)
    assert [first[3], first[12]] == [wire.ACK, wire.START_SAMPLE]
    assert first.count(b"\xa5\x5a\x01\x05") == 1
    again = simulator.on_bytes(start)
    assert again[3] == wire.ACK
    assert again.count(b"\xa5\x5a\x01\x05") == 0
    busy = simulator.on_bytes(wire.frame(wire.START_SAMPLE, 10, b""))
    assert (busy[3], busy[13]) == (wire.NAK, wire.NAK_BUSY)
    assert simulator.on_bytes(wire.frame(0xEE, 11, b""))[13] == wire.NAK_UNKNOWN
    assert simulator.on_bytes(wire.frame(wire.GET_STATE, 12, b"x"))[13] == wire.NAK_LENGTH


def test_noise_grows_with_the_signal() -> None:
    bench = Bench().warmed().run(100)
    traces = np.stack([points(spectrum) for spectrum, _, _ in bench.scans("negative")])
    spread = traces.std(axis=0)
    flat, top = traces.mean(axis=0) < 410, traces.mean(axis=0) > 10_000
    assert math.isclose(spread[flat].mean(), 12, rel_tol=0.2)
    assert spread[top].mean() > 2 * spread[flat].mean()


def test_unknown_verbs_substances_and_faults_are_refused() -> None:
    simulator = ImsReference(Random(1))
    for verb, values in (("fly", {}), ("sample", {"substance": "sugar"}), ("fault", {"kind": "tired"})):
        with pytest.raises(ValueError, match="no "):
            simulator.do(verb, **values)


def test_another_seed_is_another_device() -> None:
    serials = {facts(Bench(seed).seen(Identity)[0])["serial"] for seed in (1, 2, 3)}
    assert len(serials) == 3
