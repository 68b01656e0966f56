#!/usr/bin/env bash
# The package URL of a Rust crate with build metadata has two spellings: packageurl-js writes "+", packageurl-python
# "%2B".
# Crates have versions such as 0.11.0+wasi-snapshot-preview1 or 2.0.16+zstd.1.5.7, and the SBOM of a provider written in
# Rust, like that of a component for WebAssembly, lists several. The purl specification asks for one canonical form, so
# that tools compare package URLs as text, and one would guess that the two libraries of the specification's own project
# agree. packageurl-python 0.17.6 (PyPI), on which CycloneDX's library for Python stands, encodes the plus.
# packageurl-js 2.0.1 (npm), on which cyclonedx-npm stands, doesn't, and undoes it in the text of the other. A component
# that somebody approved under one spelling is unknown under the other. In a qualifier the two even read different
# things: vcs_url=git+https://… keeps its plus in Python and has a space in it in JavaScript. A provider should encode
# each plus in the package URLs that it publishes, which both read alike, and compare them only after parsing.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init --yes >/dev/null
npm install --silent --no-audit --no-fund packageurl-js@2.0.1
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check 'packageurl-python==0.17.6'
cat >purls <<'END'
pkg:cargo/wasi@0.11.0+wasi-snapshot-preview1
pkg:cargo/wasi@0.11.0%2Bwasi-snapshot-preview1
pkg:cargo/scim@1.0.0?vcs_url=git+https://example.com/scim
pkg:cargo/scim@1.0.0?vcs_url=git%2Bhttps://example.com/scim
END
cat >try.mjs <<'END'
import { readFileSync } from 'node:fs';
import { PackageURL } from 'packageurl-js';
for (const text of readFileSync('purls', 'utf8').trim().split('\n')) {
  const purl = PackageURL.fromString(text);
  console.log('JavaScript reads', purl.qualifiers?.vcs_url ?? purl.version, 'and writes', purl.toString());
}
END
cat >try.py <<'END'
from packageurl import PackageURL
for text in open("purls").read().split():
    purl = PackageURL.from_string(text)
    print("Python reads", purl.qualifiers.get("vcs_url", purl.version), "and writes", purl.to_string())
END
node try.mjs >seen
venv/bin/python try.py >>seen
cat >expected <<'END'
JavaScript reads 0.11.0+wasi-snapshot-preview1 and writes pkg:cargo/wasi@0.11.0+wasi-snapshot-preview1
JavaScript reads 0.11.0+wasi-snapshot-preview1 and writes pkg:cargo/wasi@0.11.0+wasi-snapshot-preview1
JavaScript reads git https://example.com/scim and writes pkg:cargo/scim@1.0.0?vcs_url=git%20https%3A%2F%2Fexample.com%2Fscim
JavaScript reads git+https://example.com/scim and writes pkg:cargo/scim@1.0.0?vcs_url=git%2Bhttps%3A%2F%2Fexample.com%2Fscim
Python reads 0.11.0+wasi-snapshot-preview1 and writes pkg:cargo/wasi@0.11.0%2Bwasi-snapshot-preview1
Python reads 0.11.0+wasi-snapshot-preview1 and writes pkg:cargo/wasi@0.11.0%2Bwasi-snapshot-preview1
Python reads git+https://example.com/scim and writes pkg:cargo/scim@1.0.0?vcs_url=git%2Bhttps://example.com/scim
Python reads git+https://example.com/scim and writes pkg:cargo/scim@1.0.0?vcs_url=git%2Bhttps://example.com/scim
END
diff -u expected seen && echo "unchanged: $(basename "$0")"
