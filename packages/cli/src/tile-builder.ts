// The hash tiles of a tree, made from its leaf hashes alone and in order: what a published log must
// serve, byte by byte. Keeps one growing tile per level.
import { concatBytes, rootOf, tilePath, TILE_WIDTH } from "@sealane/tlog";

export type BuiltTile = {
  readonly path: string;
  readonly bytes: Uint8Array;
  /** Place of the first leaf that is below it. */
  readonly from: number;
};

export type TileBuilder = {
  /** Adds a leaf. @returns the tiles that it made full */
  readonly push: (leafHash: Uint8Array) => BuiltTile[];
  /** The partial tiles of the tree as it is. */
  readonly partials: () => BuiltTile[];
};

export const makeTileBuilder = (): TileBuilder => {
  const edges: { index: number; hashes: Uint8Array[] }[] = [];

  const tile = (level: number, index: number, hashes: readonly Uint8Array[]): BuiltTile => ({
    path: tilePath(level, index, hashes.length),
    bytes: concatBytes(...hashes),
    from: index * TILE_WIDTH ** (level + 1),
  });

  const pushAt = (level: number, hash: Uint8Array, made: BuiltTile[]): void => {
    const edge = (edges[level] ??= { index: 0, hashes: [] });
    edge.hashes.push(hash);
    if (edge.hashes.length < TILE_WIDTH) return;
    made.push(tile(level, edge.index, edge.hashes));
    const root = rootOf(edge.hashes);
    edges[level] = { index: edge.index + 1, hashes: [] };
    pushAt(level + 1, root, made);
  };

  return {
    push: (leafHash) => {
      const made: BuiltTile[] = [];
      pushAt(0, leafHash, made);
      return made;
    },
    partials: () =>
      edges.flatMap(({ index, hashes }, level) =>
        hashes.length === 0 ? [] : [tile(level, index, hashes)],
      ),
  };
};
