"""A published log: its entries, the tiles of hashes over them and its checkpoint, held together."""
from verify import checkpoint, sha

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
