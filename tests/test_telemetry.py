"""What a process counts, and how monitoring systems read it: with their own libraries."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator

import pytest
from opentelemetry.metrics import CallbackOptions, Observation
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.parser import text_string_to_metric_families

from livecounters.telemetry import COUNTED, Kind, Metric, Tally, exposition, of_process, tally


def test_what_is_counted_grows() -> None:
    counted = Tally()
    counted.add("frames", 3)
    counted.add("frames")
    counted.add("sockets")
    counted.add("sockets", -1)

    assert counted.values()["frames"] == 4
    assert counted.values()["sockets"] == 0
    with pytest.raises(KeyError):
        counted.add("nothing")


def test_many_threads_count_together() -> None:
    counted = Tally()

    def count() -> None:
        for _ in range(5_000):
            counted.add("frames")

    threads = [threading.Thread(target=count) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert counted.values()["frames"] == 20_000


def test_peaks_are_taken_once() -> None:
    counted = Tally()
    counted.peak("lag_seconds", 2.0)
    counted.peak("lag_seconds", 1.0)

    assert counted.take_peaks() == {"lag_seconds": 2.0}
    assert counted.take_peaks() == {}


def test_prometheus_reads_the_text() -> None:
    odd = 'a "b"\\\nc'
    given = [
        Metric("livecounters_sockets", Kind.GAUGE, "Open\nsockets \\.", 3.0),
        Metric("livecounters_leases", Kind.GAUGE, "Leases.", 1.0, {"kind": "pump"}),
        Metric("livecounters_leases", Kind.GAUGE, "Leases.", 0.5, {"kind": odd, "of": "x"}),
        Metric("livecounters_frames_total", Kind.COUNTER, "Frames.", 1e9),
    ]

    found = {family.name: family for family in text_string_to_metric_families(exposition(given))}

    assert found["livecounters_sockets"].type == "gauge"
    assert found["livecounters_sockets"].documentation == "Open\nsockets \\."
    assert found["livecounters_frames"].type == "counter"
    assert [(s.labels, s.value) for s in found["livecounters_leases"].samples] == [
        ({"kind": "pump"}, 1.0),
        ({"kind": odd, "of": "x"}, 0.5),
    ]
    assert found["livecounters_frames"].samples[0].value == 1e9


class Collector:
    """As the documentation says it."""

    def collect(self) -> Iterator[CounterMetricFamily | GaugeMetricFamily]:
        for metric in of_process():
            family = CounterMetricFamily if metric.kind == "counter" else GaugeMetricFamily
            yield family(metric.name, metric.help, value=metric.value)


def test_a_collector_of_prometheus_client() -> None:
    registry = CollectorRegistry()
    registry.register(Collector())
    before = registry.get_sample_value("livecounters_frames_total")
    assert before is not None
    tally.add("frames", 7)

    assert registry.get_sample_value("livecounters_frames_total") == before + 7
    assert b"# TYPE livecounters_sockets gauge" in generate_latest(registry)


def test_observable_instruments_of_opentelemetry() -> None:
    reader = InMemoryMetricReader()
    meter = MeterProvider([reader]).get_meter("livecounters")

    def observe(name: str) -> Iterable[Observation]:
        return [Observation(one.value) for one in of_process() if one.name == name]

    for metric in of_process():
        create = (
            meter.create_observable_counter
            if metric.kind == "counter"
            else meter.create_observable_gauge
        )

        def callback(options: CallbackOptions, name: str = metric.name) -> Iterable[Observation]:
            return observe(name)

        create(metric.name, [callback], description=metric.help)

    data = reader.get_metrics_data()
    assert data is not None
    found = {
        metric.name: metric.data.data_points[0].value
        for resource in data.resource_metrics
        for scope in resource.scope_metrics
        for metric in scope.metrics
    }
    assert len(found) == len(COUNTED)
    assert found["livecounters_frames_total"] == tally.values()["frames"]
