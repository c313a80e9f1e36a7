#!/usr/bin/env python3
"""A published log: its entries, the tiles of hashes over them and its checkpoint, held together. Run by
itself it says of a lane's log and its key log that they are whole: cosigned, in one tree, in one chain."""
import argparse, functools, json, os, sys, urllib.request, zlib
from datetime import datetime
from verify import b64, checkpoint, note, sha, why

MOST = 2**25  # bytes: more than a bundle of the largest entries has

def reader(place, token=""):
    """Reads the files of an export, or of the URL of a log, by path."""
    @functools.cache  # a log that is running grows: one state of it
    def read(path):
        if not place.startswith(("http://", "https://")):
            with open(os.path.join(place, path), "rb") as file: return file.read()
        accepted = {"Accept-Encoding": "gzip, identity"}
        request = urllib.request.Request(f"{place.rstrip('/')}/{path}", headers=accepted)
        if token: request.add_unredirected_header("Authorization", f"Bearer {token}")
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:
                data, packed = answer.read(MOST), answer.headers.get("Content-Encoding") == "gzip"
            if packed: data = zlib.decompressobj(31).decompress(data, MOST)
        except (OSError, zlib.error) as error: raise OSError(f"{path}: {why(error)}") from error
        assert len(data) < MOST, f"{path}: it does not end"
        return data
    return read

def root_of(nodes):
    """The root of a tree (RFC 9162, 2.1.1) from its leaf hashes."""
    if len(nodes) < 2: return nodes[0] if nodes else sha()
    split = 1 << (len(nodes) - 1).bit_length() - 1
    return sha(b"\1", root_of(nodes[:split]), root_of(nodes[split:]))

def tile_path(index, width=256):
    path = f"{index % 1000:03}"
    while index := index // 1000: path = f"x{index % 1000:03}/{path}"
    return path if width == 256 else f"{path}.p/{width}"

def read_log(read, pol, older=None):
    """(entries, leaf hashes, checkpoint) of a published log that fits together."""
    origin, size, root, sealed, log = checkpoint(read("checkpoint").decode(), pol)
    entries, level = [], 0
    for n in range(0, size, 256):
        data, at = read(f"tile/entries/{tile_path(n // 256, min(256, size - n))}"), 0
        while at < len(data):
            end = at + 2 + int.from_bytes(data[at : at + 2], "big")
            assert at + 2 <= end <= len(data), f"bundle {n // 256}: cut short"
            entries.append(data[at + 2 : end])
            at = end
        assert len(entries) == min(n + 256, size), f"bundle {n // 256}: wrong number of entries"
    hashes = nodes = [sha(b"\0", entry) for entry in entries]
    assert root_of(hashes) == root, "the entries do not hash to the checkpoint's root"
    while nodes:
        tiles = [nodes[n : n + 256] for n in range(0, len(nodes), 256)]
        for n, tile in enumerate(tiles):
            path = f"tile/{level}/{tile_path(n, len(tile))}"
            assert read(path) == b"".join(tile), f"{path} is not made of the entries"
        nodes, level = [root_of(tile) for tile in tiles if len(tile) == 256], level + 1
    if older:
        assert older[0] == origin and older[1] <= size, f"an older state of {origin} than remembered"
        assert root_of(hashes[: older[1]]) == older[2], f"{origin} is not the log that is remembered"
    return entries, hashes, (origin, root, sealed, log)

def in_chain(entries, hashes, origin, sealed):
    """That each entry names its place and the hash of the one before, and none is newer than the seal."""
    for seq, entry in enumerate(entries):
        text, _ = note(entry.decode())
        head, line, *_ = text.split("\n", 2)
        context = json.loads(line)
        time = datetime.fromisoformat(context["time"][:-1] + "+00:00").timestamp() * 1000
        prev = b64(context["prev"], 32)
        assert head == f"{origin}/entry/v1" and context["seq"] == seq, f"entry {seq}: not in its place"
        assert prev == (hashes[seq - 1] if seq else bytes(32)), f"entry {seq}: it does not follow"
        assert time <= sealed + 2000, f"entry {seq}: it is newer than the seal"

def whole(place, pol, token=""):
    read = reader(place, token)
    def size(prefix):
        entries, hashes, (origin, root, sealed, _) = read_log(lambda path: read(prefix + path), pol)
        assert origin.endswith("/keys") == (prefix == "keys/"), f"{origin}: another log is expected here"
        in_chain(entries, hashes, origin, sealed)
        return f"{len(entries)} entries of {origin}"
    return f"{size('')}, {size('keys/')}; who had to sign them, and what they mean, was not checked"

def main():
    from policy import read_policy
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("policy", help="whom you trust: a C2SP tlog-policy")
    parser.add_argument("places", nargs="+", help="folders of exports, and URLs of logs")
    parser.add_argument("--token", help="file of an auditor's token, where entries are not open")
    options, refused = parser.parse_args(), False
    def text(path):
        with open(path, "rb") as file: return file.read()
    try: pol, token = read_policy(text(options.policy)), text(options.token or os.devnull).decode().strip()
    except Exception as error: sys.exit(f"cannot begin: {why(error)}")
    for place in options.places:
        try: print(f"ok {whole(place, pol, token)}", flush=True)
        except Exception as error: refused = not print(f"refused {why(error)}", flush=True)
    sys.exit(refused)

if __name__ == "__main__": main()
