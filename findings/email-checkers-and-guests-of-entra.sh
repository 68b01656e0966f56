#!/usr/bin/env bash
# The user name of a guest in Microsoft Entra ID is no email address for zod and valibot, and a person in Active
# Directory has none for joi.
# Entra's default mapping sends a person's userPrincipalName as the user name. A guest's is made of the invited address,
# "#EXT#" and the tenant's domain. "#" is an ordinary character of RFC 5322, section 3.2.3, and so is the apostrophe of
# O'Brien. One would guess that checkers of addresses differ about quotes and address literals, not about these. zod
# 4.6.7 and valibot 1.5.0 (npm) refuse "#", valibot the apostrophe too, and joi 18.3.2 (npm) a domain that ends in
# .local, which is no public one. validator 13.15.35, yup 1.7.1, ajv-formats 3.0.1, isemail 3.2.0 and email-validator
# 2.0.4 (npm) and Django 5.2.19 and marshmallow 4.4.0 (PyPI) take all four. Backends which check the user names that a
# provider hands on lose exactly the guests; the name should be treated as a text, and an address be read from "emails".
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init --yes >/dev/null
npm install --silent --no-audit --no-fund zod@4.6.7 valibot@1.5.0 joi@18.3.2 validator@13.15.35 yup@1.7.1 ajv@8.20.0 ajv-formats@3.0.1 isemail@3.2.0 email-validator@2.0.4
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check 'Django==5.2.19' 'marshmallow==4.4.0'
cat >addresses.json <<'END'
["jane_example.org#EXT#@contoso.onmicrosoft.com", "jane.o'brien@example.com", "jane@corp.local", "jane+scim@example.com"]
END
cat >try.mjs <<'END'
import { readFileSync } from 'node:fs';
import Ajv from 'ajv';
import addFormats from 'ajv-formats';
import other from 'email-validator';
import isemail from 'isemail';
import Joi from 'joi';
import * as v from 'valibot';
import validator from 'validator';
import * as yup from 'yup';
import { z } from 'zod';
const checkers = {
  zod: (text) => z.email().safeParse(text).success,
  valibot: (text) => v.safeParse(v.pipe(v.string(), v.email()), text).success,
  joi: (text) => !Joi.string().email().validate(text).error,
  validator: (text) => validator.isEmail(text),
  yup: (text) => yup.string().email().isValidSync(text),
  'ajv-formats': (text) => addFormats(new Ajv()).validate({ type: 'string', format: 'email' }, text),
  isemail: (text) => isemail.validate(text),
  'email-validator': (text) => other.validate(text),
};
for (const text of JSON.parse(readFileSync('addresses.json')))
  console.log(text, 'is refused by:', Object.keys(checkers).filter((name) => !checkers[name](text)).join(', ') || 'nobody');
END
cat >try.py <<'END'
import json
from django.core.validators import validate_email
from marshmallow.validate import Email
for text in json.load(open("addresses.json")):
    validate_email(text)
    Email()(text)
print("Django and marshmallow take all of them")
END
node try.mjs >seen
venv/bin/python try.py >>seen
cat >expected <<'END'
jane_example.org#EXT#@contoso.onmicrosoft.com is refused by: zod, valibot
jane.o'brien@example.com is refused by: valibot
jane@corp.local is refused by: joi
jane+scim@example.com is refused by: nobody
Django and marshmallow take all of them
END
diff -u expected seen && echo "unchanged: $(basename "$0")"
