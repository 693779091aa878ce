"""Compares what the tests' own AWS was asked, and what it answered, with the API models that botocore carries.

usage: shapes.py EXCHANGES.json

Says what does not fit, one a line, and ends with 1; else says how many operations fit. Every member must be in the model
of the shape, with its type; required members must be there; a word where the model has an enumeration must be one of it.
"""

import datetime
import io
import json
import re
import sys
from urllib.parse import parse_qsl, unquote
from xml.etree import ElementTree

import botocore.session
from botocore.parsers import RpcV2CBORParser

# Not of an API: files that anybody may fetch.
NO_API = {"pricing:GetOfferFile"}
# Words that services answer and that the models lack.
KNOWN_WORDS = {
    # GetBucketLocation answers nothing for us-east-1 (S3 API reference).
    ("BucketLocationConstraint", ""),
    # EC2 answers its states in small letters, whatever the model says (examples of DescribeVpcEndpoints).
    ("State", "available"),
}


def enumeration(shape, value, path, wrong):
    words = getattr(shape, "enum", None)
    if words and value not in words and (shape.name, value) not in KNOWN_WORDS:
        wrong.append(f"{path}: `{value}` is none of {shape.name}")


def data(shape, value, path, wrong, timestamps=(int, float)):
    """Checks JSON or CBOR."""
    if value is None:
        return
    kind = shape.type_name
    if kind == "structure":
        if not isinstance(value, dict):
            return wrong.append(f"{path}: not a structure")
        known = {member.serialization.get("name", name): member for name, member in shape.members.items()}
        for name, inner in value.items():
            if name not in known:
                wrong.append(f"{path}: {shape.name} has no member `{name}`")
            else:
                data(known[name], inner, f"{path}.{name}", wrong, timestamps)
        for name in shape.required_members:
            if value.get(shape.members[name].serialization.get("name", name)) is None:
                wrong.append(f"{path}: {shape.name} lacks `{name}`")
    elif kind == "list":
        if not isinstance(value, list):
            return wrong.append(f"{path}: not a list")
        for inner in value:
            data(shape.member, inner, f"{path}[]", wrong, timestamps)
    elif kind == "map":
        if not isinstance(value, dict):
            return wrong.append(f"{path}: not a map")
        for name, inner in value.items():
            enumeration(shape.key, name, path, wrong)
            data(shape.value, inner, f"{path}{{}}", wrong, timestamps)
    else:
        types = {
            "string": str,
            "character": str,
            "blob": (str, bytes),
            "boolean": bool,
            "integer": int,
            "long": int,
            "float": (int, float),
            "double": (int, float),
            "timestamp": timestamps,
        }[kind]
        if kind == "timestamp" and shape.serialization.get("timestampFormat") == "iso8601":
            return text(shape, value, path, wrong)
        if not isinstance(value, types) or (isinstance(value, bool) and kind != "boolean"):
            return wrong.append(f"{path}: {kind} expected, not {value!r}")
        if kind == "string":
            enumeration(shape, value, path, wrong)


def local(element):
    return element.tag.rsplit("}", 1)[-1]


def text(shape, words, path, wrong):
    """Checks a value that stands as text."""
    forms = {
        "integer": r"-?\d+",
        "long": r"-?\d+",
        "float": r"-?\d+(\.\d+)?([eE][-+]?\d+)?",
        "double": r"-?\d+(\.\d+)?([eE][-+]?\d+)?",
        "boolean": "true|false",
        "timestamp": r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z",
    }
    form = forms.get(shape.type_name)
    if form and not re.fullmatch(form, str(words)):
        wrong.append(f"{path}: {shape.type_name} expected, not `{words}`")
    if shape.type_name == "string":
        enumeration(shape, words, path, wrong)


def xml(shape, element, path, wrong, names):
    """Checks one element; `names` says which name a member has."""
    kind = shape.type_name
    if kind == "structure":
        inside = {}
        for name, member in shape.members.items():
            if member.serialization.get("xmlAttribute") or member.serialization.get("location"):
                continue
            flat = member.type_name == "list" and names.flat(member)
            inside[names.of(member, name)] = (member, flat)
        found = set()
        for child in element:
            name = local(child)
            found.add(name)
            if name not in inside:
                wrong.append(f"{path}: {shape.name} has no member `{name}`")
                continue
            member, flat = inside[name]
            xml(member.member if flat else member, child, f"{path}.{name}", wrong, names)
        for name in shape.required_members:
            member = shape.members[name]
            if not member.serialization.get("location") and names.of(member, name) not in found:
                if not member.serialization.get("xmlAttribute"):
                    wrong.append(f"{path}: {shape.name} lacks `{name}`")
    elif kind == "list":
        wanted = shape.member.serialization.get("name", "member")
        for child in element:
            if local(child) != wanted:
                wrong.append(f"{path}: items are `{wanted}`, not `{local(child)}`")
            xml(shape.member, child, f"{path}[]", wrong, names)
    elif kind == "map":
        wrong.append(f"{path}: a map, which this script does not read")
    else:
        text(shape, (element.text or "").strip(), path, wrong)


class Names:
    """How members are named in XML."""

    @staticmethod
    def flat(shape):
        return shape.serialization.get("flattened", False)

    @staticmethod
    def of(shape, name):
        # The name of a flattened list is that of its items, where they have one.
        if shape.type_name == "list" and shape.serialization.get("flattened"):
            return shape.member.serialization.get("name") or shape.serialization.get("name", name)
        return shape.serialization.get("name", name)


def cbor(body):
    """Decodes CBOR with botocore's own reader; a time keeps its tag."""
    parser = RpcV2CBORParser()
    stream = io.BufferedReader(io.BytesIO(body))
    return parser.parse_data_item(stream)


def spoken(model, asked):
    """Returns the protocol of a request; some services have several."""
    headers = asked["headers"]
    if headers.get("smithy-protocol") == "rpc-v2-cbor":
        return "smithy-rpc-v2-cbor"
    return "json" if "x-amz-target" in headers else model.resolved_protocol


def answer(protocol, operation, said, wrong):
    """Checks an answer."""
    shape, path, body = operation.output_shape, f"{operation.name} answer", bytes.fromhex(said["body"])
    if shape is None:
        return
    payload = shape.serialization.get("payload")
    if protocol in ("json", "rest-json"):
        data(shape, json.loads(body), path, wrong, (int, float) if protocol == "json" else (int, float, str))
    elif protocol == "smithy-rpc-v2-cbor":
        data(shape, cbor(body), path, wrong, datetime.datetime)
    elif body:
        root = ElementTree.fromstring(body)
        if protocol == "query":
            wrapper = shape.serialization.get("resultWrapper", f"{operation.name}Result")
            inside = [child for child in root if local(child) == wrapper]
            if local(root) != f"{operation.name}Response" or len(inside) != 1:
                return wrong.append(f"{path}: not a `{operation.name}Response` with a `{wrapper}`")
            xml(shape, inside[0], path, wrong, Names)
        elif protocol == "ec2":
            if local(root) != f"{operation.name}Response":
                wrong.append(f"{path}: root is `{local(root)}`")
            for child in [child for child in root if local(child) == "requestId"]:
                root.remove(child)
            xml(shape, root, path, wrong, Names)
        elif operation.name == "GetBucketLocation":
            # Its document is the one member itself (a customization of S3's).
            text(shape.members["LocationConstraint"], (root.text or "").strip(), path, wrong)
        else:
            xml(shape.members[payload] if payload else shape, root, path, wrong, Names)
    for name, member in shape.members.items():
        if member.serialization.get("location") == "header":
            value = said["headers"].get(member.serialization["name"].lower())
            if value is not None:
                text(member, value, f"{path}.{name}", wrong)


def asked_members(protocol, asked):
    """Returns the names of the members that a request carries, and its body where that is a document."""
    body = bytes.fromhex(asked["body"])
    if protocol == "json":
        return set(), json.loads(body)
    if protocol == "smithy-rpc-v2-cbor":
        return set(), cbor(body)
    if protocol in ("query", "ec2"):
        form = dict(parse_qsl(body.decode(), keep_blank_values=True))
        form.pop("Action"), form.pop("Version")
        return {name.split(".")[0] for name in form}, None
    if protocol == "rest-json" and body:
        return set(), json.loads(body)
    return set(), None


def ec2_name(name, member):
    query = member.serialization.get("queryName")
    wire = member.serialization.get("name", name)
    return query or wire[0].upper() + wire[1:]


def question(protocol, operation, asked, wrong):
    """Checks a request: members that the model has, and those that it requires."""
    shape, path = operation.input_shape, f"{operation.name} question"
    if shape is None:
        return
    names, document = asked_members(protocol, asked)
    if protocol == "json" or protocol == "smithy-rpc-v2-cbor":
        times = (int, float) if protocol == "json" else datetime.datetime
        return data(shape, document, path, wrong, times)
    if protocol in ("query", "ec2"):
        known = {}
        for name, member in shape.members.items():
            wire = ec2_name(name, member) if protocol == "ec2" else member.serialization.get("name", name)
            known[wire] = name
        wrong.extend(f"{path}: no member `{name}`" for name in names - set(known))
        given = {known[name] for name in names if name in known}
        wrong.extend(f"{path}: lacks `{name}`" for name in shape.required_members if name not in given)
        return
    headers = {name.lower() for name in asked["headers"]}
    known = {}
    for name, member in shape.members.items():
        where = member.serialization.get("location")
        wire = member.serialization.get("name", name)
        if where == "querystring":
            known[wire] = name
        present = {
            "querystring": wire in asked["query"],
            "header": wire.lower() in headers,
            "uri": True,
        }.get(where, bool(document) and wire in document)
        if name in shape.required_members and not present:
            wrong.append(f"{path}: lacks `{name}`")
    fixed = {pair.split("=")[0] for pair in operation.http["requestUri"].partition("?")[2].split("&") if pair}
    strange = set(asked["query"]) - set(known) - fixed - {"x-id"}
    wrong.extend(f"{path}: no member `{name}`" for name in sorted(strange))
    pieces = re.split(r"\{[^}]+\}", operation.http["requestUri"].partition("?")[0])
    if not re.fullmatch(".+".join(map(re.escape, pieces)) + "/?", unquote(asked["path"])):
        wrong.append(f"{path}: `{asked['path']}` is not `{operation.http['requestUri']}`")


def unknown_actions(actions):
    """Returns the actions that IAM does not have, going by the list that cfn-lint carries; none where it is not there."""
    try:
        from importlib.resources import files

        known = json.loads((files("cfnlint") / "data/AdditionalSpecs/Policies.json").read_text())
    except (ImportError, FileNotFoundError):
        return []
    known = known.get("serviceMap", known)
    names = {service: {action.lower() for action in entry["Actions"]} for service, entry in known.items()}

    def there(action):
        service, name = action.split(":")
        return name.lower() in names.get(service, set())

    return [action for action in actions if not there(action)]


def main(path):
    with open(path, encoding="utf-8") as file:
        given = json.load(file)
    session, models, wrong, fit = botocore.session.get_session(), {}, [], set()
    for exchange in given["exchanges"]:
        service, name = exchange["operation"].split(":")
        if exchange["operation"] in NO_API:
            continue
        if service not in models:
            models[service] = session.get_service_model(service)
        model = models[service]
        if name not in model.operation_names:
            wrong.append(f"{service} has no operation `{name}`")
            continue
        operation, before = model.operation_model(name), len(wrong)
        protocol = spoken(model, exchange["request"])
        question(protocol, operation, exchange["request"], wrong)
        if exchange["answer"]["status"] == 200:
            answer(protocol, operation, exchange["answer"], wrong)
        wrong[before:] = [f"{service}: {line}" for line in wrong[before:]]
        fit.add(exchange["operation"])
    wrong.extend(f"IAM has no action `{action}`" for action in unknown_actions(given["actions"]))
    for line in sorted(set(wrong)):
        print(line)
    if not wrong:
        print(f"{len(fit)} operations fit")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
