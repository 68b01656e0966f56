#!/usr/bin/env bash
# prometheus_client 0.26.0 (PyPI) reads a counter without "_total" under a name that the server never wrote, and its
# second parser can't read a text that declares "_total".
# In Prometheus's text format a counter may have any name; OpenMetrics keeps "_total" for the sample and has it out of
# the declared name. One would guess that a parser gives the names that stand in the text. The library's parser of the
# text format appends "_total" to the sample and strips it from the name of the family, so that a check which looks for
# "scim_events" or for the family "scim_requests_total" finds nothing, without an error. The OpenMetrics parser of the
# same package refuses the whole text, also with its "# EOF", because of the counter that ends in "_total", and takes it
# when the declaration has the name without. A test of a provider's metrics should ask for samples by names with
# "_total", and a provider give all counters such names.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check 'prometheus_client==0.26.0'
cat >try.py <<'END'
from prometheus_client.openmetrics.parser import text_string_to_metric_families as read_open_metrics
from prometheus_client.parser import text_string_to_metric_families as read_text
text = "# TYPE scim_requests_total counter\nscim_requests_total 5\n# TYPE scim_events counter\nscim_events 3\n"
for family in read_text(text):
    print("text format: family", family.name, "has the sample", family.samples[0].name)
for name, given in (("as the server wrote it", text), ("without _total in the declarations", text.replace("_total counter", " counter").replace("events 3", "events_total 3"))):
    try:
        for family in list(read_open_metrics(given + "# EOF\n")):
            print("OpenMetrics,", name + ": family", family.name, "has the sample", family.samples[0].name)
    except ValueError as error:
        print("OpenMetrics,", name, "is refused:", error)
END
venv/bin/python try.py >seen
cat >expected <<'END'
text format: family scim_requests has the sample scim_requests_total
text format: family scim_events has the sample scim_events_total
OpenMetrics, as the server wrote it is refused: Clashing name: scim_requests_total
OpenMetrics, without _total in the declarations: family scim_requests has the sample scim_requests_total
OpenMetrics, without _total in the declarations: family scim_events has the sample scim_events_total
END
diff -u expected seen && echo "unchanged: $(basename "$0")"
