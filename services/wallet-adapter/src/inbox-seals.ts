// Seals: which of our own entries a quorum has cosigned, each with its proof. Checked before they are
// believed, in order of our own chain, and fetched from the ledger where the topic has a gap.
import type { InboxSeal } from "@sealane/protocol";
import { checkCheckpoint, fromBase64, verifyInclusion, type TlogPolicy } from "@sealane/tlog";
import type { LedgerClient } from "./ledger-client.ts";
import type { Persister } from "./persister.ts";
import type { TransferBook } from "./transfer-book.ts";
import type { ViewMover } from "./view-mover.ts";
import type { ChainEntry, InboxPosition } from "./view-store.ts";

export const makeSealTaker = (deps: {
  readonly origin: string;
  readonly policy: TlogPolicy;
  readonly book: TransferBook;
  readonly persister: Persister;
  readonly ledger: LedgerClient;
  readonly position: InboxPosition;
  readonly chain: readonly ChainEntry[];
  readonly clock: () => number;
  readonly mover: ViewMover;
  readonly onSealed: () => void;
}) => {
  const { origin, book, persister, position, chain, clock } = deps;
  const { move } = deps.mover;

  const sealOne = async (
    own: ChainEntry,
    hashes: readonly string[],
    checkpoint: { readonly size: number; readonly root: Uint8Array; readonly note: string },
  ): Promise<void> => {
    const proof = hashes.map((hash) => fromBase64(hash));
    verifyInclusion(own.leafHash, own.seq, checkpoint.size, proof, checkpoint.root);
    if (own.transferId === undefined) return;
    const kept = await book.findKept(own.transferId);
    if (kept === undefined) return;
    const live = book.get(own.transferId) ?? book.adopt(kept);
    live.view.proof = { hashes, checkpoint: checkpoint.note };
    if (live.view.status === "committed") move(live, "sealed", clock());
    else persister.view(live);
  };

  const takeSeal = async (seal: InboxSeal): Promise<void> => {
    if (seal.toN < position.sealedTo) return;
    const checked = checkCheckpoint(deps.policy, seal.checkpoint);
    const { checkpoint, quorum } = checked;
    if (!quorum || checkpoint.origin !== origin) throw new Error("a seal without a quorum");
    if (seal.toN >= position.nextChain)
      throw new Error("a seal for entries that we were not shown");
    const proofs = new Map(seal.proofs.map(({ seq, hashes }) => [seq, hashes]));
    if (seal.fromN > position.sealedTo) await fetchSeals(seal.fromN);
    const at = { size: checkpoint.size, root: checkpoint.root, note: seal.checkpoint };
    for (const own of chain) {
      if (own.n < position.sealedTo || own.n > seal.toN) continue;
      const hashes = proofs.get(own.seq);
      if (hashes === undefined) throw new Error(`a seal without a proof for entry ${own.seq}`);
      await sealOne(own, hashes, at);
    }
    position.sealedTo = Math.max(position.sealedTo, seal.toN + 1);
    deps.onSealed();
    persister.position(position);
  };

  /** Seals that got lost on the way: asked for, by the places of our own entries. */
  const fetchSeals = async (upTo: number): Promise<void> => {
    const missing = chain.filter(({ n }) => n >= position.sealedTo && n < upTo);
    for (let at = 0; at < missing.length; at += 100) {
      const part = missing.slice(at, at + 100);
      const { checkpoint: note, proofs } = await deps.ledger.proofs(part.map(({ seq }) => seq));
      const { checkpoint, quorum } = checkCheckpoint(deps.policy, note);
      if (!quorum || checkpoint.origin !== origin) throw new Error("proofs without a quorum");
      const found = new Map(proofs.map(({ seq, hashes }) => [seq, hashes]));
      for (const own of part) {
        const hashes = found.get(own.seq);
        if (hashes === undefined) throw new Error(`the ledger gives no proof for ${own.seq}`);
        await sealOne(own, hashes, { size: checkpoint.size, root: checkpoint.root, note });
        position.sealedTo = own.n + 1;
      }
    }
  };

  return takeSeal;
};
