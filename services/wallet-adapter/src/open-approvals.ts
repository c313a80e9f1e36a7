// Wires the desk of held transfers to what the adapter has: its tables, the lane's topic, the key log.
import type { KeyWatch } from "@sealane/client";
import type { Producer } from "@sealane/messaging";
import { makeApprovalDesk, type ApprovalDesk } from "./approval-desk.ts";
import type { ApprovalStore } from "./approval-store.ts";
import type { Lanes } from "./lanes.ts";
import type { Persister } from "./persister.ts";
import type { TransferBook } from "./transfer-book.ts";
import type { Vault } from "./vault.ts";

const produceDeadlineMs = 5_000;

export const openApprovals = async (deps: {
  readonly approvalStore: ApprovalStore;
  readonly book: TransferBook;
  readonly vault: Vault;
  readonly persister: Persister;
  readonly keys: KeyWatch;
  readonly producer: Producer;
  readonly lanes: Lanes;
  readonly clock: () => number;
  readonly log: { warn(fields: object, message: string): void };
}): Promise<ApprovalDesk> => {
  const { approvalStore, book, vault, persister, keys, producer, clock, log } = deps;
  const desk = makeApprovalDesk({
    store: approvalStore,
    book,
    keys: keys.state,
    flushVault: vault.flush,
    flushViews: persister.flush,
    produceIntent: (id, note, envelope) => {
      const sealed = envelope === undefined ? {} : { envelope };
      const value = JSON.stringify({ v: 1, kind: "intent", note, ...sealed });
      const { topic } = deps.lanes.of(id);
      return producer.send([{ topic, key: id, value }], { deadlineMs: produceDeadlineMs });
    },
    clock,
    log,
  });
  await desk.load();
  return desk;
};
