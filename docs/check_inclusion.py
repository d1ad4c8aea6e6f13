"""Whether an entry is in a seal: python3 check_inclusion.py PROOF.json [DIGEST].

PROOF.json is the answer of GET /v1/ledger/{entry_id}/proof. DIGEST is the seal's digest from somewhere else, such as
a newspaper: without it the proof is only known to agree with itself. Needs Python alone; RFC 6962 says the rest.
"""

import hashlib
import json
import sys


def sha256(data):
    return hashlib.sha256(data).digest()


proof = json.load(open(sys.argv[1], encoding="utf-8"))
seal, node = proof["seal"], sha256(b"\x00" + proof["entry"].encode())
digest, position, last = seal.pop("digest"), proof["position"], seal["entries"] - 1
path, fits = [bytes.fromhex(step) for step in proof["path"]], 0 <= position <= last
while fits and last > 0:
    if position % 2:
        node = sha256(b"\x01" + path.pop(0) + node) if path else b""
    elif position < last:
        node = sha256(b"\x01" + node + path.pop(0)) if path else b""
    position, last = position // 2, last // 2
said = json.dumps(seal, ensure_ascii=False, separators=(",", ":"), sort_keys=True).encode()
fits = fits and not path and node.hex() == seal["root"] and sha256(said).hex() == digest
if not fits or digest != (sys.argv[2] if len(sys.argv) > 2 else digest):
    sys.exit("NO: the entry is not in this seal")
print(f"Entry {json.loads(proof['entry'])['id']} is in seal {seal['number']} of {seal['city_id']}, {digest}")
