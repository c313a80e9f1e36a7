// A proof out of a log's own tiles, as anybody reads them: no way of one's own into the ledger.
import { hashReaderFromTiles, inclusionProof, tilePath, TILE_WIDTH } from "@sealane/tlog";

class TileWanted extends Error {
  readonly level: number;
  readonly index: number;

  constructor(level: number, index: number) {
    super(`tile ${level}/${index} is not at hand`);
    this.level = level;
    this.index = index;
  }
}

/** The hashes that lead from an entry to a tree's root: some two tiles for each level of tiles. */
export const fetchProof = async (
  fetchTile: (path: string) => Promise<Uint8Array>,
  seq: number,
  size: number,
): Promise<Uint8Array[]> => {
  const tiles = new Map<string, Uint8Array>();
  for (;;) {
    try {
      const read = hashReaderFromTiles((level, index) => {
        const tile = tiles.get(`${level}/${index}`);
        if (tile === undefined) throw new TileWanted(level, index);
        return tile;
      });
      return inclusionProof(seq, size, read);
    } catch (error) {
      if (!(error instanceof TileWanted)) throw error;
      const { level, index } = error;
      const hashes = Math.floor(size / TILE_WIDTH ** level) - index * TILE_WIDTH;
      const path = tilePath(level, index, Math.min(TILE_WIDTH, hashes));
      tiles.set(`${level}/${index}`, await fetchTile(path));
    }
  }
};
