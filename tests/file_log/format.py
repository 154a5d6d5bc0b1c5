"""Verifies the files of a log by docs/log-format.md alone: FOLDER SECRET-IN-HEX ISSUER AUDIENCE; prints JSON."""
import hashlib, hmac, json, os, re, sys

def mac(key, *parts): return hmac.new(key, b"".join(parts), hashlib.sha256).digest()
def sized(text): return len(text.encode()).to_bytes(8, "big") + text.encode()
def link(key, before, line):
    number, rest = re.fullmatch(r'\{"seq":(0|[1-9][0-9]*),(".*)', line).groups()
    rest = rest.encode()
    zeros = bytes(-len(rest) % 64)
    return mac(key, rest, zeros, len(rest).to_bytes(8, "big"), int(number).to_bytes(8, "big"), before)
def derive(secret, label):
    info = len(label).to_bytes(2, "big") + label.encode() + bytes(2)
    return mac(mac(bytes(32), secret), info + b"\x01")

folder, secret, issuer, audience = sys.argv[1:]
key = derive(bytes.fromhex(secret), "hallpass/v1/log-chain")
names = sorted(name for name in os.listdir(folder) if re.fullmatch(r"log-\d{10}\.jsonl", name))
seq, tag, kinds, torn = 0, None, [], 0
for number, name in enumerate(names, 1):
    assert name == f"log-{number:010}.jsonl", f"file {number} is missing"
    with open(os.path.join(folder, name), "rb") as file:
        *lines, rest = file.read().split(b"\n")
    assert not rest or number == len(names), f"{name}: an incomplete line within the log"
    torn = len(rest)
    head = json.loads(lines[0])
    assert head["hallpass_log"] == 1 and head["file"] == number, f"{name}: its head"
    assert head["first"] == seq + 1, f"{name}: begins at {head['first']}, not at {seq + 1}"
    assert head.get("before") == (tag.hex() if tag else None), f"{name}: follows another file"
    for line in lines[1:]:
        record, found = re.fullmatch(r'(.*),"tag":"([0-9a-f]{64})"\}', line.decode()).groups()
        record += "}"
        said = json.loads(record)
        if tag is None:
            assert (said["issuer"], said["audience"]) == (issuer, audience)
            tag = mac(key, b"\0", bytes.fromhex(said["log"]), sized(issuer), sized(audience))
        tag = link(key, tag, record)
        assert hmac.compare_digest(tag.hex(), found), f"record {seq + 1}: changed"
        assert said.get("from", said["seq"]) == seq + 1, f"record {seq + 1}: missing"
        seq = said["seq"]
        kinds.append(said["kind"])
print(json.dumps({"seq": seq, "tag": tag.hex(), "files": len(names), "kinds": kinds, "torn": torn}))
