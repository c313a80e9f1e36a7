// The ledger's signed refusals: believed only under the entry key in force, and only about the request
// that they name.
import { httpStatusOf, readNote, readStatement, refusalSchema } from "@sealane/protocol";
import { verifyOffThread } from "@sealane/signer";
import { utf8 } from "@sealane/tlog";
import type { KeyWatch } from "@sealane/client";
import type { Persister } from "./persister.ts";
import type { TransferBook } from "./transfer-book.ts";
import type { ViewMover } from "./view-mover.ts";
import type { Kept } from "./view-store.ts";
import type { TransferView } from "./views.ts";

export const makeRefusalTaker = (deps: {
  readonly participant: string;
  readonly origin: string;
  readonly keys: KeyWatch;
  readonly book: TransferBook;
  readonly persister: Pick<Persister, "view">;
  readonly clock: () => number;
  readonly onTurnedAway: (view: TransferView) => void;
  readonly mover: ViewMover;
}) => {
  const { origin, keys, book, persister, clock } = deps;
  const { viewOf, move } = deps.mover;

  /** Shed: the id stays free, and a copy of the intent may still be decided. Never told as an end. */
  const turnAway = (kept: Kept, why: NonNullable<TransferView["turnedAway"]>): void => {
    if (kept.view.status !== "received") return;
    kept.view.turnedAway = why;
    // As if the topic had never had it: the next request under this key is sent again.
    delete kept.view.steps.accepted;
    // It waits no longer: what stays in that queue would keep the others out.
    deps.onTurnedAway(kept.view);
    persister.view(kept);
    book.changed(kept);
  };

  const takeRefusal = async (note: string, trace: string | undefined): Promise<void> => {
    const read = readNote(note);
    const key = keys.state().ledger?.entry;
    const line = read.ok
      ? read.note.signatures.find(({ name, keyId }) => name === key?.name && keyId === key.keyId)
      : undefined;
    if (!read.ok || line === undefined || key === undefined) return;
    if (!(await verifyOffThread(key.publicKey, utf8(read.note.text), line.signature))) return;
    const refusal = readStatement(read.note, "refusal", refusalSchema);
    if (!refusal.ok || refusal.statement.origin !== origin) return;
    const { id, request, code, reason, detail, final, participant } = refusal.statement.body;
    const known = await book.findKept(id);
    // Told as the payee: of a transfer that was not proposed to us there is nothing to end.
    if (participant !== deps.participant && known === undefined) return;
    const own = known?.view.request;
    // A refusal of another request under the same id says nothing about this one.
    if (
      code !== "cancelled" &&
      code !== "not-cancellable" &&
      own !== undefined &&
      own !== request &&
      // Returns and recalls name no request: their id is theirs alone.
      known?.view.returnOf === undefined &&
      known?.view.recallOf === undefined
    ) {
      if (!final) return;
    }
    // Of a transfer that says: it ended otherwise, and was told so. Of a recall it is the end.
    if (code === "not-cancellable" && known?.view.recallOf === undefined) return;
    const kept = viewOf(known, id, "payer");
    // Its slot has moved, or is moving: the same request again goes to the lane that has it by then.
    if (!final && (httpStatusOf(code) === 503 || code === "wrong-lane")) {
      turnAway(kept, { code, reason, detail });
      return;
    }
    kept.view.refusal = note;
    kept.view.code = code;
    kept.view.reason = reason;
    kept.view.detail = detail;
    kept.view.trace = trace ?? kept.view.trace;
    move(kept, code === "cancelled" ? "cancelled" : "rejected", clock(), final);
  };

  return takeRefusal;
};
