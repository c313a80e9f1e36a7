// Seals checkpoints: rounds against all witnesses, always with the newest checkpoint. A round ends
// when a quorum has cosigned the same checkpoint; whoever is slow joins the round that is on when it
// is free again, and holds nobody up.
import { pause } from "@sealane/runtime";
import { composeNote, selectQuorum, type TlogPolicy } from "@sealane/tlog";
import type { Checkpoint, Cosignature, GrowthReader, WitnessClient } from "./witness-client.ts";

export type Sealed = {
  readonly checkpoint: Checkpoint;
  /** The log's line and exactly a quorum of cosignatures. */
  readonly note: string;
  /** Newest timestamp among the quorum, in ms. */
  readonly timeMs: number;
};

export type SealerDeps = {
  readonly policy: TlogPolicy;
  readonly witnesses: readonly WitnessClient[];
  readonly tree: GrowthReader;
  readonly onSealed: (sealed: Sealed) => void;
  /** A witness holds more than we do: a rolled-back database; the ledger must not sign on. */
  readonly onBehind: (witness: string, size: number) => void;
  readonly onFailure: (witness: string, detail: string) => void;
};

export type Sealer = {
  /** Offers a newer checkpoint; returns at once. */
  offer(checkpoint: Checkpoint): void;
  /** The size of the newest sealed checkpoint. */
  sealedSize(): number;
  stop(): void;
};

/** The log's own line with exactly a quorum, or undefined while there are too few. */
export const composeSealed = (
  policy: TlogPolicy,
  checkpoint: Checkpoint,
  cosignatures: ReadonlyMap<string, Cosignature>,
): Sealed | undefined => {
  const quorum = selectQuorum(policy, new Set(cosignatures.keys()));
  if (quorum === undefined) return undefined;
  const chosen = quorum.map((name) => cosignatures.get(name) as Cosignature);
  const own = checkpoint.note.slice(checkpoint.text.length + 1).trimEnd();
  return {
    checkpoint,
    note: composeNote(checkpoint.text, [own, ...chosen.map(({ line }) => line)]),
    timeMs: Math.max(0, ...chosen.map(({ timeMs }) => timeMs)),
  };
};

export const makeSealer = (deps: SealerDeps): Sealer => {
  const { policy, witnesses, tree } = deps;
  const stopping = new AbortController();
  let newest: Checkpoint | undefined;
  let round:
    | { readonly checkpoint: Checkpoint; readonly got: Map<string, Cosignature> }
    | undefined;
  let sealedSize = 0;
  const faults = new Map<string, number>();
  const resting = new Set<string>();

  const beginRound = (): void => {
    if (newest === undefined || newest.size <= sealedSize) return;
    if (round !== undefined && round.checkpoint.size > sealedSize) return;
    round = { checkpoint: newest, got: new Map() };
  };

  const rest = async (witness: WitnessClient): Promise<void> => {
    const attempts = (faults.get(witness.name) ?? 0) + 1;
    faults.set(witness.name, attempts);
    resting.add(witness.name);
    await pause(Math.min(50 * 2 ** Math.min(attempts, 6), 2_000), stopping.signal);
    resting.delete(witness.name);
    pump();
  };

  const ask = async (witness: WitnessClient): Promise<void> => {
    const current = round;
    if (current === undefined) return;
    const answer = await witness.cosign(current.checkpoint, tree);
    if (stopping.signal.aborted) return;
    if (answer.outcome === "ahead") {
      // It may have cosigned a newer round of ours already; only more than our newest is trouble.
      if (answer.size > (newest?.size ?? 0)) deps.onBehind(witness.name, answer.size);
      round = undefined;
      beginRound();
      if (answer.size > (newest?.size ?? 0)) await rest(witness);
      else pump();
      return;
    }
    if (answer.outcome === "failed") {
      deps.onFailure(witness.name, answer.detail);
      await rest(witness);
      return;
    }
    faults.delete(witness.name);
    current.got.set(witness.name, answer.cosignature);
    if (current === round) finish(current);
    pump();
  };

  const finish = (current: NonNullable<typeof round>): void => {
    const sealed = composeSealed(policy, current.checkpoint, current.got);
    if (sealed === undefined) return;
    sealedSize = current.checkpoint.size;
    round = undefined;
    deps.onSealed(sealed);
    beginRound();
  };

  const pump = (): void => {
    if (stopping.signal.aborted) return;
    beginRound();
    const current = round;
    if (current === undefined) return;
    for (const witness of witnesses) {
      if (witness.busy() || resting.has(witness.name) || current.got.has(witness.name)) continue;
      void ask(witness);
    }
  };

  return {
    offer: (checkpoint) => {
      if (newest === undefined || checkpoint.size > newest.size) newest = checkpoint;
      pump();
    },
    sealedSize: () => sealedSize,
    stop: () => stopping.abort(),
  };
};
