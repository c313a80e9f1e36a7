// The ledger's signed refusals: believed only under the entry key in force, and only about the request
// that they name.
import { readNote, readStatement, refusalSchema } from "@sealane/protocol";
import { verifyOffThread } from "@sealane/signer";
import { utf8 } from "@sealane/tlog";
import type { KeyWatch } from "@sealane/client";
import type { TransferBook } from "./transfer-book.ts";
import type { ViewMover } from "./view-mover.ts";

export const makeRefusalTaker = (deps: {
  readonly participant: string;
  readonly origin: string;
  readonly keys: KeyWatch;
  readonly book: TransferBook;
  readonly clock: () => number;
  readonly mover: ViewMover;
}) => {
  const { origin, keys, book, clock } = deps;
  const { viewFor, move } = deps.mover;

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
      own !== request
    ) {
      if (!final) return;
    }
    if (code === "not-cancellable") return;
    const kept = await viewFor(id, "payer");
    kept.view.refusal = note;
    kept.view.code = code;
    kept.view.reason = reason;
    kept.view.detail = detail;
    kept.view.trace = trace ?? kept.view.trace;
    move(kept, code === "cancelled" ? "cancelled" : "rejected", clock(), final);
  };

  return takeRefusal;
};
