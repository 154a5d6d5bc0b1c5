"""Checks copies of records, one a line on standard input, by what others publish, and prints how many there were.

`schemas.py cloudevents` reads them with the SDK of the CloudEvents project; `schemas.py ocsf` compares them with the newest
schema that the package `ocsf-json-schema` has. Two members are younger than that: what they hold is compared as far as the
package knows its objects, and all else of an event is compared in full.
"""

import json
import sys

# Of the profiles `record_integrity` and `ai_operation`, which events name all the same.
YOUNGER = ["attestation_list", "ai_agent"]


def check_cloud_events(lines):
    from cloudevents.core.formats.json import JSONFormat
    from cloudevents.core.v1.event import CloudEvent

    form = JSONFormat()
    for line in lines:
        event, told = form.read(CloudEvent, line), json.loads(line)
        assert event.get_data() == told.pop("data"), line
        names = set(event.get_attributes())
        assert names == set(told), names ^ set(told)


def check_ocsf(lines):
    import jsonschema
    import ocsf_json_schema as ocsf

    versions = ocsf.get_packaged_versions()
    newest = max((v for v in versions if "-" not in v), key=lambda v: [int(part) for part in v.split(".")])
    schema = ocsf.OcsfJsonSchemaEmbedded(ocsf.get_ocsf_schema(newest))

    def compare(told, against):
        errors = list(jsonschema.Draft202012Validator(against).iter_errors(told))
        assert not errors, [error.message for error in errors]

    for line in lines:
        event = json.loads(line)
        younger = {name: event.pop(name) for name in YOUNGER if name in event}
        name = schema.lookup_class_name_from_uid(event["class_uid"])
        compare(event, schema.get_class_schema(name, event["metadata"]["profiles"]))
        fingerprints = [own["fingerprint"] for own in younger["attestation_list"]]
        assert len(fingerprints) == 1, line
        for own in fingerprints:
            known = {key: value for key, value in own.items() if not key.startswith(("encoding", "serialization"))}
            compare(known, schema.get_object_schema("fingerprint"))
    print(f"OCSF {newest}", file=sys.stderr)


lines = sys.stdin.read().splitlines()
{"cloudevents": check_cloud_events, "ocsf": check_ocsf}[sys.argv[1]](lines)
print(len(lines))
