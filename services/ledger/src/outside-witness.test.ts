// Somebody else's witness on our logs: the ledger's own client gets cosignatures from it, as the lane and
// the key log grow, and it refuses what it should. Runs where it was built:
// `npm run verify:independent -- --build-witness`.
import { findOmniwitness, startOmniwitness, type Omniwitness } from "@sealane/infra";
import { keysOrigin, laneOrigin } from "@sealane/protocol";
import {
  appendLeaf,
  composeNote,
  consistencyProof,
  emptyRange,
  formatCheckpointText,
  formatVerifierKey,
  leafHash,
  parseVerifierKey,
  publicKeyOf,
  rangeRoot,
  rootOf,
  sha256,
  signNoteLine,
} from "@sealane/tlog";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { makeWitnessClient, type Checkpoint, type GrowthReader } from "./witness-client.ts";

const program = findOmniwitness();
if (program === undefined) {
  process.stderr.write("SKIPPED: an outside witness on our logs: omniwitness was not built\n");
}

const origins = [laneOrigin("ledger.example", "2026", 0), keysOrigin("ledger.example")];
const logs = origins.map((origin) => {
  const seed = sha256(`test log ${origin}`);
  return { key: parseVerifierKey(formatVerifierKey(origin, 1, publicKeyOf(seed))) };
});
const seedOf = (origin: string): Uint8Array => sha256(`test log ${origin}`);
const leaves = (size: number, forkAt = size): Uint8Array[] =>
  Array.from({ length: size }, (_, at) => leafHash(at < forkAt ? `leaf ${at}` : `forged ${at}`));

const checkpoint = (origin: string, size: number, forkAt?: number): Checkpoint => {
  const range = leaves(size, forkAt).reduce(appendLeaf, emptyRange());
  const text = formatCheckpointText({ origin, size, root: rangeRoot(range), extensions: [] });
  const note = composeNote(text, [signNoteLine(origin, seedOf(origin), text)]);
  return { origin, size, text, note };
};

const treeOf = (forkAt?: number): GrowthReader => ({
  consistency: (oldSize, newSize) => {
    const all = leaves(newSize, forkAt);
    return consistencyProof(oldSize, newSize, (level, index) =>
      rootOf(all.slice(index * 2 ** level, (index + 1) * 2 ** level)),
    );
  },
  rootAt: (size) => rootOf(leaves(size, forkAt)),
});

describe.skipIf(program === undefined)("an outside witness", () => {
  let outside: Omniwitness;
  beforeAll(async () => {
    const vkeys = origins.map((origin) =>
      formatVerifierKey(origin, 1, publicKeyOf(seedOf(origin))),
    );
    outside = await startOmniwitness(program ?? "", vkeys, sha256("outside witness"));
  });
  afterAll(async () => {
    await outside?.stop();
  });

  it.each(origins)("cosigns %s as it grows, and again at the same size", async (origin) => {
    const { url, key } = outside;
    const client = makeWitnessClient({ name: "outside", key, url }, logs);
    for (const size of [1, 2, 255, 256, 257, 1_000, 1_000]) {
      const answer = await client.cosign(checkpoint(origin, size), treeOf());
      expect([size, answer]).toMatchObject([size, { outcome: "cosigned" }]);
    }
    client.close();
  });

  it("tells a client that has forgotten where it is, and goes on from there", async () => {
    const { url, key } = outside;
    const client = makeWitnessClient({ name: "outside", key, url }, logs);
    const [origin = ""] = origins;
    const answer = await client.cosign(checkpoint(origin, 1_001), treeOf());
    expect(answer.outcome).toBe("cosigned");
    client.close();
  });

  it("cosigns no smaller log, no other past, and no log that it does not know", async () => {
    const { url, key } = outside;
    const [origin = ""] = origins;
    const client = makeWitnessClient({ name: "outside", key, url }, logs);
    const smaller = await client.cosign(checkpoint(origin, 700), treeOf());
    // With the checkpoint that it holds, where it shows that; else its word alone is believed by nobody.
    expect(["ahead", "failed"]).toContain(smaller.outcome);
    const forked = await client.cosign(checkpoint(origin, 1_002, 500), treeOf(500));
    expect(forked.outcome).toBe("failed");
    const unknown = await client.cosign(checkpoint("other.example/2026/0", 1), treeOf());
    expect(unknown.outcome).toBe("failed");
    client.close();
  });
});
