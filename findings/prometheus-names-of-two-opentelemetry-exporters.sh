#!/usr/bin/env bash
# The same instruments have other names in Prometheus when OpenTelemetry's exporter of npm shows them than when that
# of PyPI does, and two attributes that differ by a sign become one label with one value, or one label twice.
# OpenTelemetry's specification has an exporter add the unit to the name ("s" as "_seconds") and join the values of
# attributes whose names become the same with ";". One would guess that two exporters of one project write the same
# text, so that one dashboard serves a provider in either language. opentelemetry-exporter-prometheus 0.66b2 (PyPI)
# adds the units; @opentelemetry/exporter-prometheus 0.223.0 (npm) leaves the names alone and writes each unit into a
# comment. Of scim.op and scim_op the first keeps the last value, and the second writes the label twice, a line that
# prometheus_client 0.26.0 (PyPI) refuses, and the whole text with it. Whoever moves a provider or its sidecar from
# one to the other should compare /metrics before the alerts go silent, and name attributes with points only.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init --yes >/dev/null
npm install --silent --no-audit --no-fund @opentelemetry/api@1.9.1 @opentelemetry/sdk-metrics@2.12.1 @opentelemetry/exporter-prometheus@0.223.0
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check 'opentelemetry-sdk==1.45.2' 'opentelemetry-exporter-prometheus==0.66b2' 'prometheus_client==0.26.0'
cat >try.mjs <<'END'
import { PrometheusExporter, PrometheusSerializer } from '@opentelemetry/exporter-prometheus';
import { MeterProvider } from '@opentelemetry/sdk-metrics';
const reader = new PrometheusExporter({ preventServerStart: true });
const meter = new MeterProvider({ readers: [reader] }).getMeter('scim');
meter.createCounter('scim.requests', { unit: '{request}' }).add(3, { 'scim.op': 'create', scim_op: 'POST' });
meter.createHistogram('scim.duration', { unit: 's', advice: { explicitBucketBoundaries: [1] } }).record(0.5);
meter.createCounter('scim.answered', { unit: 'By' }).add(5);
meter.createGauge('scim.age', { unit: 'ms' }).record(7);
process.stdout.write(new PrometheusSerializer().serialize((await reader.collect()).resourceMetrics));
END
cat >try.py <<'END'
from opentelemetry.exporter.prometheus import PrometheusMetricReader
from opentelemetry.sdk.metrics import MeterProvider
from prometheus_client import REGISTRY, generate_latest
from prometheus_client.parser import text_string_to_metric_families
meter = MeterProvider(metric_readers=[PrometheusMetricReader()]).get_meter("scim")
meter.create_counter("scim.requests", unit="{request}").add(3, {"scim.op": "create", "scim_op": "POST"})
meter.create_histogram("scim.duration", unit="s", explicit_bucket_boundaries_advisory=[1]).record(0.5)
meter.create_counter("scim.answered", unit="By").add(5)
meter.create_gauge("scim.age", unit="ms").set(7)
for name, text in (("npm", open("npm.txt").read()), ("PyPI", generate_latest(REGISTRY).decode())):
    for line in text.splitlines():
        if line.startswith("scim_") and "_bucket" not in line:
            print(f"{name}:", line.split("{")[0], *(part for part in line.split("{")[1].split("}")[0].split(",") if part.startswith("scim_op")))
    try:
        print(f"{name}: read:", *(family.name for family in text_string_to_metric_families(text) if family.name.startswith("scim")))
    except ValueError as error:
        print(f"{name}: can't be read:", str(error).split(",otel")[0])
END
node try.mjs >npm.txt
venv/bin/python try.py >seen
cat >expected <<'END'
npm: scim_requests_total scim_op="create" scim_op="POST"
npm: scim_duration_count
npm: scim_duration_sum
npm: scim_answered_total
npm: scim_age
npm: can't be read: Invalid labels: scim_op="create",scim_op="POST"
PyPI: scim_requests_total scim_op="POST"
PyPI: scim_duration_seconds_count
PyPI: scim_duration_seconds_sum
PyPI: scim_answered_bytes_total
PyPI: scim_age_milliseconds
PyPI: read: scim_requests scim_duration_seconds scim_answered_bytes scim_age_milliseconds
END
diff -u expected seen && echo "unchanged: $(basename "$0")"
