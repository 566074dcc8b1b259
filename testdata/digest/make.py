#!/usr/bin/env python3
"""make.py: writes digests.pcap, control connections of L2TPv3 whose digests and hidden AVPs are computed here, from the
text of RFC 3931 sections 4.3, 5.3 and 5.4.1, with Python's hmac and hashlib."""
import hashlib
import hmac
import pathlib
import struct

SECRET, OTHER = b"digest-s3cret", b"old-s3cret"
NAMES = {"md5": (0, 16), "sha1": (1, 20)}
SCCRQ, SCCRP, SCCCN, STOPCCN, HELLO, ICRQ, ICRP, ICCN, ACK = 1, 2, 3, 4, 6, 10, 11, 12, 20
ETHERNET = bytes.fromhex("0200000000020200000000010800") + bytes.fromhex(
    "4500001c00010000400166de0a0000010a0000020800f7fd00010001") + bytes(18)


def derived(secret, purpose):
    return hmac.new(secret, bytes([purpose]), "md5").digest()


def avp(attribute, value, hidden=False):
    return struct.pack("!HHH", 0x8000 | 0x4000 * hidden | 6 + len(value), 0, attribute) + value


def hide(secret, attribute, vector, value, padding):
    key = derived(secret, 1)
    plain = struct.pack("!H", len(value)) + value + padding
    out, seed = b"", struct.pack("!H", attribute) + key + vector
    for at in range(0, len(plain), 16):
        mask = hashlib.md5(seed).digest()
        block = bytes(a ^ b for a, b in zip(plain[at:at + 16], mask))
        out, seed = out + block, key + block
    return avp(attribute, out, True)


class Connection:
    """Two ends; each digest is (hash, secret), or (hash, None) for a check of integrity."""

    def __init__(self, wire, ends, ids, digests, nonces, over_ip):
        self.wire, self.ends, self.ids, self.over_ip = wire, ends, ids, over_ip
        self.digests, self.nonces = digests, nonces
        self.ns, self.nr = [0, 0], [0, 0]

    def send(self, by, kind, *avps, counts=True):
        if kind in (SCCRQ, SCCRP):
            avps = (avp(60, bytes([192, 0, 2, by])), avp(7, b"lcce%d" % by), avp(61, struct.pack("!I", self.ids[by])),
                    avp(62, struct.pack("!H", 5))) + avps
            if self.nonces[by]:
                avps = (avp(73, self.nonces[by]),) + avps
        digests = [avp(59, bytes([NAMES[name][0]]) + bytes(NAMES[name][1])) for name, _ in self.digests]
        body = avp(0, struct.pack("!H", kind)) + b"".join(digests) + b"".join(avps)
        to = 0 if kind == SCCRQ else self.ids[1 - by]
        message = bytearray(struct.pack("!HHIHH", 0xC803, 12 + len(body), to, self.ns[by], self.nr[by]) + body)
        blank, at = bytes(message), 12 + 8
        for name, secret in self.digests:
            key = derived(secret or b"", 2)
            nonces = b"" if kind == SCCRQ or secret is None else self.nonces[by] + self.nonces[1 - by]
            value = hmac.new(key, nonces + blank, name).digest()
            message[at + 7:at + 7 + len(value)] = value
            at += 7 + len(value)
        if counts:
            self.ns[by] += 1
            self.nr[1 - by] = self.ns[by]
        self.packet(by, (b"\0\0\0\0" if self.over_ip else b"") + bytes(message))

    def packet(self, by, payload):
        source, destination = self.ends[by], self.ends[1 - by]
        if not self.over_ip:
            payload = struct.pack("!HHHH", 1701, 1701, 8 + len(payload), 0) + payload
        header = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 20 + len(payload), len(self.wire) + 1, 0, 64,
                             115 if self.over_ip else 17, 0, bytes(source), bytes(destination))
        self.wire.append(header + payload)

    def up(self):
        self.send(0, SCCRQ)
        self.send(1, SCCRP)
        self.send(0, SCCCN)
        self.send(1, ACK, counts=False)

    def down(self):
        self.send(0, HELLO)
        self.send(1, ACK, counts=False)
        self.send(0, STOPCCN, avp(61, struct.pack("!I", self.ids[0])), avp(1, b"\0\1"))
        self.send(1, ACK, counts=False)


def session(connection):
    vector, cookie = bytes(range(16, 40)), bytes.fromhex("c00c1e00c00c1e01")
    connection.send(0, ICRQ, avp(36, vector),
                    hide(SECRET, 63, vector, struct.pack("!I", 0x1001), b"\xee" * 9), avp(64, bytes(4)),
                    avp(15, struct.pack("!I", 1)), avp(68, struct.pack("!H", 5)),
                    hide(SECRET, 66, vector, b"remote-end-with-a-long-name", b"\xdd" * 5),
                    hide(SECRET, 65, vector, cookie, b""), avp(69, struct.pack("!H", 0)), avp(71, struct.pack("!H", 3)))
    connection.send(1, ICRP, avp(63, struct.pack("!I", 0x2002)), avp(64, struct.pack("!I", 0x1001)),
                    avp(71, struct.pack("!H", 3)))
    connection.send(0, ICCN, avp(63, struct.pack("!I", 0x1001)), avp(64, struct.pack("!I", 0x2002)),
                    avp(71, struct.pack("!H", 3)))
    connection.send(1, ACK, counts=False)
    connection.packet(1, struct.pack("!I", 0x1001) + cookie + ETHERNET)
    connection.packet(0, struct.pack("!I", 0x2002) + ETHERNET)


def main():
    wire = []
    nonces = [bytes(range(0x40, 0x50)), bytes(range(0x80, 0x98))]
    end = lambda host: ([192, 0, 2, host], [198, 51, 100, host])
    over_udp = Connection(wire, end(1), (0x11110001, 0x22220001), [("md5", SECRET)], nonces, False)
    over_udp.up()
    over_udp.down()
    over_ip = Connection(wire, end(2), (0x11110002, 0x22220002), [("sha1", SECRET)], nonces, True)
    over_ip.up()
    session(over_ip)
    over_ip.down()
    bare = Connection(wire, end(3), (0x11110003, 0x22220003), [("md5", None)], [b"", b""], True)
    bare.up()
    bare.down()
    change = Connection(wire, end(4), (0x11110004, 0x22220004), [("sha1", OTHER), ("md5", SECRET)], nonces, False)
    change.up()
    change.down()
    out = struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 101)
    for at, packet in enumerate(wire):
        out += struct.pack("<IIII", 1_700_000_000, at * 5000, len(packet), len(packet)) + packet
    pathlib.Path(__file__).with_name("digests.pcap").write_bytes(out)


main()
