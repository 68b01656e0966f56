#!/usr/bin/env bash
# Whose account in Active Directory never expires has an account that expired in 1601, for ldap3 and msldap.
# The directory has two values of accountExpires for "never": 0, which an account has whose end was taken away, and the
# largest number of 63 bits, which a new account has. One would guess that a library with a converter for this attribute
# gives nothing for both, or leaves the numbers. ldap3 2.9.1 and msldap 0.5.15 (PyPI) count 100 nanoseconds from 1601 in
# both cases, which makes a date in the past of one "never" and the last day of 9999 of the other. msldap's own test of
# whether a person can log on says no for the first. In the same way pwdLastSet 0, "must be changed", and lockoutTime 0,
# "not locked", are dates, so that each attribute seems to have a value. A sync that sets "active" to false for accounts
# whose end has passed deactivates these people. It should compare the raw number, in ldap3 raw_values, with both.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check 'ldap3==2.9.1' 'msldap==0.5.15'
cat >try.py <<'END'
import datetime
from ldap3 import MOCK_SYNC, OFFLINE_AD_2012_R2, Connection, Server
from msldap.ldap_objects.aduser import MSADUser
from msldap.protocol.typeconversion import convert_attributes
ends = {"once had an end": "0", "never had one": str(2**63 - 1), "has one in 2089": "154302912000000000"}
connection = Connection(Server("directory", get_info=OFFLINE_AD_2012_R2), client_strategy=MOCK_SYNC)
for name, end in ends.items():
    connection.strategy.add_entry(f"cn={name},dc=example,dc=com", {"objectClass": "user", "cn": name, "accountExpires": end, "pwdLastSet": "0", "lockoutTime": "0"})
connection.bind()
for name, end in ends.items():
    connection.search("dc=example,dc=com", f"(cn={name})", attributes=["*"])
    entry = connection.entries[0]
    print("ldap3:", name, "=>", entry.accountExpires.value.date(), "from", entry.accountExpires.raw_values[0].decode())
    user = MSADUser()
    user.__dict__.update(convert_attributes([{"type": b"accountExpires", "attributes": [end.encode()]}]))
    user.userAccountControl = 512
    user.must_change_pw = datetime.datetime.max
    print("msldap:", name, "=>", user.accountExpires.date(), "- can log on:", user.calc_CanLogon())
print("ldap3: pwdLastSet 0 =>", entry.pwdLastSet.value.date(), "and lockoutTime 0 =>", entry.lockoutTime.value.date())
END
venv/bin/python try.py >seen
cat >expected <<'END'
ldap3: once had an end => 1601-01-01 from 0
msldap: once had an end => 1601-01-01 - can log on: False
ldap3: never had one => 9999-12-31 from 9223372036854775807
msldap: never had one => 9999-12-31 - can log on: True
ldap3: has one in 2089 => 2089-12-19 from 154302912000000000
msldap: has one in 2089 => 2089-12-19 - can log on: True
ldap3: pwdLastSet 0 => 1601-01-01 and lockoutTime 0 => 1601-01-01
END
diff -u expected seen && echo "unchanged: $(basename "$0")"
