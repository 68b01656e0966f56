#!/usr/bin/env bash
# cyclonedx-python-lib 11.12.0 (PyPI) leaves compositions, annotations, formulation, declarations and "provides" out
# of a CycloneDX document that it reads and writes again, and says nothing.
# A provider's SBOM is often merged, signed or enriched by a tool on the way, and "compositions" is where it says
# which dependencies are listed completely. The library supports CycloneDX 1.6, and its strict validator takes the
# document below. One would guess that from_json() keeps what the validator knows, or refuses what it doesn't. The
# five are gone after reading, in the output in JSON and in XML, with no warning, and the shorter document is valid
# too. Licences, pedigree, evidence, vulnerabilities and definitions stay. Who builds on the library should compare
# the fields before and after, and sign and publish the document that the build made, not one that went through it.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check 'cyclonedx-python-lib[json-validation]==11.12.0'
cat >try.py <<'END'
import json, warnings
from cyclonedx.model.bom import Bom
from cyclonedx.output.json import JsonV1Dot6
from cyclonedx.output.xml import XmlV1Dot6
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
warnings.simplefilter("error")
given = {
    "bomFormat": "CycloneDX", "specVersion": "1.6", "serialNumber": "urn:uuid:3e671687-395b-41f5-a30f-a58921a69b79", "version": 1,
    "metadata": {"timestamp": "2026-01-01T00:00:00Z", "component": {"type": "application", "bom-ref": "provider", "name": "provider"}},
    "components": [{"type": "library", "bom-ref": "tls", "name": "tls", "version": "1.0.0", "purl": "pkg:cargo/tls@1.0.0",
                    "licenses": [{"expression": "MIT OR Apache-2.0"}], "pedigree": {"notes": "patched"},
                    "evidence": {"identity": [{"field": "purl", "confidence": 1}]}},
                   {"type": "cryptographic-asset", "bom-ref": "aes", "name": "AES"}],
    "dependencies": [{"ref": "provider", "dependsOn": ["tls"]}, {"ref": "tls", "provides": ["aes"]}],
    "vulnerabilities": [{"bom-ref": "one", "id": "CVE-2026-1", "affects": [{"ref": "tls"}], "analysis": {"state": "not_affected"}}],
    "definitions": {"standards": [{"bom-ref": "standard", "name": "Standard"}]},
    "compositions": [{"aggregate": "complete", "dependencies": ["provider"]}],
    "annotations": [{"subjects": ["tls"], "annotator": {"organization": {"name": "Example"}}, "timestamp": "2026-01-01T00:00:00Z", "text": "reviewed"}],
    "formulation": [{"bom-ref": "build", "workflows": [{"bom-ref": "flow", "uid": "1", "taskTypes": ["build"]}]}],
    "declarations": {"assessors": [{"thirdParty": True}]}}
check = JsonStrictValidator(SchemaVersion.V1_6)
bom = Bom.from_json(given)
text = JsonV1Dot6(bom).output_as_string()
print("before:", check.validate_str(json.dumps(given)) or "valid", "after:", check.validate_str(text) or "valid")
written, xml = json.loads(text), XmlV1Dot6(bom).output_as_string()
for name in sorted(set(given) - {"bomFormat", "specVersion"}):
    print(name, "in JSON" if name in written else "gone", "in XML" if name in xml else "gone")
print("of the component:", *sorted(next(part for part in written["components"] if part["name"] == "tls")))
print("of the dependency:", *sorted(next(edge for edge in written["dependencies"] if edge["ref"] == "tls")))
END
venv/bin/python try.py >seen
cat >expected <<'END'
before: valid after: valid
annotations gone gone
components in JSON in XML
compositions gone gone
declarations gone gone
definitions in JSON in XML
dependencies in JSON in XML
formulation gone gone
metadata in JSON in XML
serialNumber in JSON in XML
version in JSON in XML
vulnerabilities in JSON in XML
of the component: bom-ref evidence licenses name pedigree purl type version
of the dependency: ref
END
diff -u expected seen && echo "unchanged: $(basename "$0")"
