import {
  concatBytes,
  leafHash,
  parseProof,
  rootOf,
  tilePath,
  TILE_WIDTH,
  utf8,
  verifyInclusion,
} from "@sealane/tlog";
import { policy, makeLog } from "@sealane/rules/testing";
import { expect, it } from "vitest";
import { fetchProof } from "@sealane/client";
import { judgeSeal, makeReceipt } from "./log-source.ts";
import { viewCheckpoint } from "./watch-log.ts";

/** The tiles of a log, by path, as a ledger serves them at one size. */
const tilesOf = (leaves: readonly Uint8Array[]): Map<string, Uint8Array> => {
  const tiles = new Map<string, Uint8Array>();
  let hashes = leaves;
  for (let level = 0; hashes.length > 0; level += 1) {
    const above: Uint8Array[] = [];
    for (let at = 0; at < hashes.length; at += TILE_WIDTH) {
      const part = hashes.slice(at, at + TILE_WIDTH);
      tiles.set(tilePath(level, at / TILE_WIDTH, part.length), concatBytes(...part));
      if (part.length === TILE_WIDTH) above.push(rootOf(part));
    }
    hashes = above;
  }
  return tiles;
};

const fetchFrom = (tiles: ReadonlyMap<string, Uint8Array>) => (path: string) => {
  const tile = tiles.get(path);
  return tile === undefined ? Promise.reject(new Error(`no ${path}`)) : Promise.resolve(tile);
};

it.each([1, 2, 255, 256, 257, 511, 513, 700])(
  "proves any entry of %d from the tiles of exactly that size",
  async (size) => {
    const leaves = Array.from({ length: size }, (_, at) => leafHash(utf8(`entry ${at}`)));
    const fetchTile = fetchFrom(tilesOf(leaves));
    const root = rootOf(leaves);
    for (const seq of new Set([0, Math.floor(size / 2), size - 1])) {
      const hashes = await fetchProof(fetchTile, seq, size);
      expect(() => verifyInclusion(leaves[seq]!, seq, size, hashes, root)).not.toThrow();
    }
  },
);

const world = makeLog();
const reader = {
  fetch: fetchFrom(tilesOf(world.entries.map((entry) => leafHash(utf8(entry))))),
};
const checkpoint = viewCheckpoint(policy, world.checkpoint());
const note = world.entries[3]!;

it("makes a receipt that carries its entry and the cosigned checkpoint", async () => {
  const proof = parseProof(await makeReceipt(reader, checkpoint, 3, note));
  expect(proof).toMatchObject({ index: 3, checkpoint: checkpoint.note });
  expect(Buffer.from(proof.extra!).toString("utf8")).toBe(note);
});

it("calls an entry sealed only when its own bytes lead to a cosigned root", async () => {
  expect(await judgeSeal(reader, policy, checkpoint, 3, note)).toMatchObject({ ok: true });
  const forged = note.replace("committed", "cancelled");
  expect(await judgeSeal(reader, policy, checkpoint, 3, forged)).toMatchObject({ ok: false });
  expect(await judgeSeal(reader, policy, checkpoint, 4, note)).toMatchObject({ ok: false });
  expect(await judgeSeal(reader, policy, undefined, 3, note)).toMatchObject({ ok: false });
});

it("calls nothing sealed under a checkpoint without a quorum", async () => {
  const few = viewCheckpoint(policy, world.checkpoint(world.entries.length, 1));
  expect(few.quorum).toBe(false);
  const verdict = await judgeSeal(reader, policy, few, 3, note);
  expect(verdict).toEqual({ ok: false, detail: "the checkpoint has too few cosignatures" });
});

it("says that nothing is checked where the log cannot be read", async () => {
  const away = { fetch: () => Promise.reject(new Error("connect ECONNREFUSED")) };
  const verdict = await judgeSeal(away, policy, checkpoint, 3, note);
  expect(verdict).toEqual({ ok: false, detail: "the log cannot be read: nothing is checked" });
});
