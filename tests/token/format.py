"""Verifies, narrows and presents tokens by docs/token-format.md, its one argument, alone; prints JSON."""
import base64, datetime, decimal, functools, hashlib, hmac, ipaddress, json, struct, sys
decimal.getcontext().prec = 80
def b64(data): return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
def unb64(text): return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
def mac(key, message): return hmac.new(key, message, hashlib.sha256).digest()
def i64(number): return int(number).to_bytes(8, "big", signed=True)
def leb(n): return bytes([int(n)]) if n < 0x80 else bytes([int(n) % 0x80 | 0x80]) + leb(int(n) >> 7)
def text(string): return leb(len(string.encode())) + string.encode()
def row(items): return leb(len(items)) + b"".join(items)
def parts(items): return row(sorted(set(items)))

def value(v):
    if v in (None, False, True) and not isinstance(v, decimal.Decimal):
        return bytes([[None, False, True].index(v)])
    if isinstance(v, decimal.Decimal):
        scale = -min(v.normalize().as_tuple().exponent, 0)
        return bytes([3, scale]) + int(v.scaleb(scale)).to_bytes(16, "big", signed=True)
    if isinstance(v, str): return b"\x04" + text(v)
    if isinstance(v, list): return b"\x05" + row([*map(value, v)])
    return b"\x06" + row([text(k) + value(v[k]) for k in sorted(v, key=str.encode)])
def how_many(c):
    c = c if isinstance(c, dict) else {"min": c, "max": c}
    return bytes(["max" in c]) + leb(c.get("min", 0)) + (leb(c["max"]) if "max" in c else b"")
def network(n): return bytes([n.max_prefixlen // 8]) + n.network_address.packed + bytes([n.prefixlen])
def minutes(clock): return int(clock[:2]) * 60 + int(clock[3:])
def weekly(c):
    days = sum(1 << "mon tue wed thu fri sat sun".split().index(day) for day in c["days"])
    ahead = minutes(c["offset"][1:]) * (-1 if c["offset"][0] == "-" else 1)
    return struct.pack(">BHHh", days, minutes(c["from"]), minutes(c["until"]), ahead)

def host(h):
    return b"\0" if h == "any" else b"\x01" + text(h) if isinstance(h, str) else b"\x02" + text(h["subdomain_of"])
def url(c):
    c = {word: own if isinstance(own, list) else [own] for word, own in c.items()}
    paths = [(word, path) for table in c.get("path", []) for word, path in table.items()]
    paths = [bytes([["eq", "prefix", "under", "glob"].index(word)]) + text(path) for word, path in paths]
    ports = [struct.pack(">H", int(port)) for port in c.get("port", [])]
    return b"".join(map(parts, [map(host, c["host"]), paths, ports, map(text, c.get("scheme", []))]))

def instant(t): return i64(datetime.datetime.fromisoformat(t.replace("Z", "+00:00")).timestamp() * 1000)
ENDS = [(4, {"min": 3, "above": 1, "max": 12, "below": 4}, value), (23, {"after": 1, "before": 2}, instant)]

RELATIONS = "eq one_of min max above below after before prefix suffix contains under subset_of has_any has_all".split()
def argument(name): return b"\x01" + row([*map(text, name.split(".")[1:])])
def piece(p): return argument(p["ref"]) if isinstance(p, dict) else b"\x02" + text(p)
def operand(o): return argument(o["ref"]) if "ref" in o else b"\x02" + row([*map(piece, o["join"])])
def referred(c):
    if not isinstance(c, dict) or len(c) != 1: return None
    (word, own), = c.items()
    if word == "same_as": word, own = "eq", {"ref": own}
    is_operand = isinstance(own, dict) and own.keys() <= {"ref", "join"} and word in RELATIONS
    return bytes([27, 1 + RELATIONS.index(word)]) + operand(own) if is_operand else None

def constraint(c):
    if c == "any": return b"\x01"
    if said := referred(c): return said
    if isinstance(c, dict) and "items" in c:
        rest = [constraint(c["rest"])] if "rest" in c else []
        return b"\x1c" + row([*map(constraint, c["items"])]) + bytes([len(rest)]) + b"".join(rest)
    if isinstance(c, dict) and len(c) > 1 and any(referred({word: own}) for word, own in c.items()):
        apart = [{word: own} for word, own in c.items() if referred({word: own})]
        rest = {word: own for word, own in c.items() if not referred({word: own})}
        return b"\x11" + parts(map(constraint, apart + ([rest] if rest else [])))
    for kind, words, end in ENDS:
        if said := [word for word in words if word in c]:
            return bytes([kind, sum(map(words.get, said))]) + b"".join(end(c[word]) for word in said)
    if "fields" in c:
        named = sorted(c["fields"].items(), key=lambda own: own[0].encode())
        return bytes([10, "other_fields" in c]) + row([text(k) + constraint(own) for k, own in named])
    (kind, write), inner = next((KINDS[word], own) for word, own in c.items())
    return bytes([kind]) + write(inner)

def values(c): return parts(map(value, c))
def constraints(c): return parts(map(constraint, c))
TYPES = "text number integer bool list object null".split()
KINDS = {
    "present": (2, lambda c: bytes([c])), "eq": (3, lambda c: parts([value(c)])), "one_of": (3, values),
    "prefix": (5, text), "suffix": (6, text), "contains": (7, text), "glob": (8, text), "len": (9, how_many),
    "each": (11, constraint), "some": (12, constraint), "count": (13, how_many), "subset_of": (14, values),
    "has_any": (15, values), "has_all": (16, values), "all": (17, constraints), "any": (18, constraints),
    "type": (26, lambda c: bytes([TYPES.index(c)])), "not": (19, constraint), "under": (20, text), "json": (22, constraint), "weekly": (24, weekly), "url": (25, url),
    "cidr": (21, lambda c: parts(network(ipaddress.ip_network(n)) for n in c))}

def capability(c):
    args, resource = c["args"], c.get("resource", {})
    conditions = [] if args == "any" else [b"\x01" + text(name) + constraint(a) for name, a in args.items()]
    openness = (args == "any" or "other_args" in c) | (4 if resource == "any" else 2 if resource else 0)
    if openness & 2:
        conditions += [b"\x02" + constraint(resource["type"]), b"\x03" + constraint(resource["id"])]
        conditions += [b"\x04" + text(n) + constraint(a) for n, a in resource.get("attrs", {}).items()]
    return text(c["tool"]) + bytes([openness]) + parts(conditions)

def scope(vector):
    types = [text(tool) + text(arg) + leb(of) for tool, arg, of in vector.get("types", [])]
    return parts(map(capability, vector["scope"])) + (parts(types) if types else b"")

def parse(token):
    (_, body, seal), frames = token.split("."), []
    body = unb64(body)
    while body:
        length = 2 + int.from_bytes(body[:2], "big")
        frames, body = frames + [body[:length]], body[length:]
    return frames, unb64(seal)

def join(frames, seal, version="hp1"): return version + "." + b64(b"".join(frames)) + "." + b64(seal)
def chain(key, frames): return functools.reduce(mac, frames, key)
def attenuate(token, leaves):
    frames, tag = parse(token)
    frame = (lambda block: struct.pack(">H", len(block)) + block)(b"\x02\x00" + parts(map(capability, leaves)))
    return join(frames + [frame], mac(tag, frame))

def prove(tag, audience, tool, args, time, nonce):
    sized = [bytes([len(name.encode())]) + name.encode() for name in (audience, tool)]
    message = b"\0\0\1" + b"".join(sized) + hashlib.sha256(value(args)).digest() + i64(time) + nonce
    return i64(time) + nonce + mac(tag, message)

page = open(sys.argv[1], encoding="utf-8").read().split("```json\n")[1].split("\n```")[0]
page = json.loads(page, parse_int=decimal.Decimal, parse_float=decimal.Decimal)
roots = {own["audience"]: bytes.fromhex(own["root_key"]) for own in (page["gate"], page["verifier"])}
audience, bound = page["verifier"]["audience"], page["call_bound"]
for vector in page["scopes"] + page["urls"] + page["typed"]:
    assert scope(vector).hex() == vector["bytes"], vector
for vector in page["tokens"]:
    frames, tag = parse(vector["text"])
    assert chain(roots[vector["claims"]["audience"]], frames) == tag, vector
    assert hashlib.sha256(b64(b"".join(frames)).encode()).hexdigest()[:32] == vector["id"]
call = bound["tool"], bound["args"], bound["time"], bytes.fromhex(bound["nonce"])
frames, proof = parse(bound["text"])
assert proof == prove(chain(roots[audience], frames), audience, *call)
leaves = {"tool": "db.query", "args": {"table": {"eq": "orders"}, "limit": {"max": decimal.Decimal(100)}}}
narrowed = attenuate(page["tokens"][1]["text"], [leaves])
frames, tag = parse(narrowed)
changed = [frames[0], frames[1].replace(b"\x64", b"\x65", 1)]
proof = prove(tag, audience, "db.query", {**bound["args"], "limit": decimal.Decimal(77)}, *call[2:])
print(json.dumps({
    "narrowed": narrowed, "cut": join(frames[:1], tag), "changed": join(changed, tag),
    "rewidened": attenuate(narrowed, [{"tool": "db.query", "args": "any"}]),
    "presented": join(frames, proof, "hp1c")}))
