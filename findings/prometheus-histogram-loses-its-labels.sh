#!/usr/bin/env bash
# parse-prometheus-text-format 1.1.1 (npm) makes one histogram of all those that differ by a label, and drops their sums
# and counts.
# Prometheus's text format repeats the lines of a histogram for each set of labels, and a SCIM provider writes one for
# each method, endpoint or sync job. One would guess that a parser which gives the labels of counters gives those of
# histograms. It has a single entry for the metric, without labels, in which each bucket has the number that came last,
# so that what it shows as all requests are those of the last endpoint; "sum" and "count" are there only if no line has
# a label. Nothing is refused. prometheus_client 0.26.0 (PyPI) reads the same text right. Who puts a provider's metrics
# on a page of his own with this parser should ask it for counters and gauges only.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init --yes >/dev/null
npm install --silent --no-audit --no-fund parse-prometheus-text-format@1.1.1
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check 'prometheus_client==0.26.0'
cat >metrics <<'END'
# TYPE scim_requests_total counter
scim_requests_total{endpoint="Users"} 90
scim_requests_total{endpoint="Groups"} 10
# TYPE scim_request_seconds histogram
scim_request_seconds_bucket{endpoint="Users",le="0.1"} 80
scim_request_seconds_bucket{endpoint="Users",le="+Inf"} 90
scim_request_seconds_sum{endpoint="Users"} 7
scim_request_seconds_count{endpoint="Users"} 90
scim_request_seconds_bucket{endpoint="Groups",le="0.1"} 5
scim_request_seconds_bucket{endpoint="Groups",le="+Inf"} 10
scim_request_seconds_sum{endpoint="Groups"} 3
scim_request_seconds_count{endpoint="Groups"} 10
# TYPE scim_sync_seconds histogram
scim_sync_seconds_bucket{le="+Inf"} 4
scim_sync_seconds_sum 9
scim_sync_seconds_count 4
END
cat >try.mjs <<'END'
import { readFileSync } from 'node:fs';
import parse from 'parse-prometheus-text-format';
for (const { name, metrics } of parse(readFileSync('metrics', 'utf8'))) console.log('npm', name, JSON.stringify(metrics));
END
cat >try.py <<'END'
from prometheus_client.parser import text_string_to_metric_families
for family in text_string_to_metric_families(open("metrics").read()):
    if family.name == "scim_request_seconds":
        for sample in family.samples:
            print("PyPI", sample.name, sample.labels, sample.value)
END
node try.mjs >seen
venv/bin/python try.py >>seen
cat >expected <<'END'
npm scim_requests_total [{"value":"90","labels":{"endpoint":"Users"}},{"value":"10","labels":{"endpoint":"Groups"}}]
npm scim_request_seconds [{"buckets":{"0.1":"5","+Inf":"10"}}]
npm scim_sync_seconds [{"buckets":{"+Inf":"4"},"count":"4","sum":"9"}]
PyPI scim_request_seconds_bucket {'endpoint': 'Users', 'le': '0.1'} 80
PyPI scim_request_seconds_bucket {'endpoint': 'Users', 'le': '+Inf'} 90
PyPI scim_request_seconds_sum {'endpoint': 'Users'} 7
PyPI scim_request_seconds_count {'endpoint': 'Users'} 90
PyPI scim_request_seconds_bucket {'endpoint': 'Groups', 'le': '0.1'} 5
PyPI scim_request_seconds_bucket {'endpoint': 'Groups', 'le': '+Inf'} 10
PyPI scim_request_seconds_sum {'endpoint': 'Groups'} 3
PyPI scim_request_seconds_count {'endpoint': 'Groups'} 10
END
diff -u expected seen && echo "unchanged: $(basename "$0")"
