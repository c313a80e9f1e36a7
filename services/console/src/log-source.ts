// Receipts, made from the published log as anybody reads it: the console has no way of its own into the
// ledger. What it shows as checked, it has checked here, by the pinned policy.
import { fetchProof, type LogReader } from "@sealane/client";
import { formatTime } from "@sealane/protocol";
import {
  checkCheckpoint,
  formatProof,
  leafHash,
  TlogError,
  utf8,
  verifyInclusion,
  type TlogPolicy,
} from "@sealane/tlog";
import type { CheckpointView, Verdict } from "./api-types.ts";

/**
 * A C2SP tlog-proof with the entry in it: what `sealane verify` takes.
 * @throws LogReadError when the log cannot be read
 */
export const makeReceipt = async (
  reader: Pick<LogReader, "fetch">,
  checkpoint: CheckpointView,
  seq: number,
  note: string,
): Promise<string> =>
  formatProof({
    extra: utf8(note),
    index: seq,
    hashes: await fetchProof(reader.fetch, seq, checkpoint.size),
    checkpoint: checkpoint.note,
  });

/** Whether an entry stands at its place under a checkpoint that a quorum has cosigned. */
export const judgeSeal = async (
  reader: Pick<LogReader, "fetch">,
  policy: TlogPolicy,
  checkpoint: CheckpointView | undefined,
  seq: number,
  note: string,
): Promise<Verdict> => {
  if (checkpoint === undefined || seq >= checkpoint.size) {
    return { ok: false, detail: "not sealed yet: no checkpoint with a quorum covers it" };
  }
  try {
    const { quorum, cosignedBy, checkpoint: head } = checkCheckpoint(policy, checkpoint.note);
    if (!quorum) return { ok: false, detail: "the checkpoint has too few cosignatures" };
    const hashes = await fetchProof(reader.fetch, seq, head.size);
    verifyInclusion(leafHash(utf8(note)), seq, head.size, hashes, head.root);
    const names = cosignedBy.map(({ name }) => name).join(", ");
    const times = cosignedBy.map(({ time }) => time).toSorted((a, b) => a - b);
    const at = formatTime((times[Math.floor((times.length - 1) / 2)] ?? 0) * 1_000);
    const proof = `${hashes.length} hashes lead to the root of ${head.size} entries`;
    return { ok: true, detail: `${proof}, cosigned by ${names} at ${at}` };
  } catch (error) {
    if (error instanceof TlogError) return { ok: false, detail: `${error.code}: ${error.message}` };
    return { ok: false, detail: "the log cannot be read: nothing is checked" };
  }
};
