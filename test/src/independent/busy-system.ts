// A system of its own for verifiers to look at: every way a transfer ends has happened in it, and nothing
// is open any more.
import { randomUUID } from "node:crypto";
import { readFileSync } from "node:fs";
import { keepForVerifying, type Transfer, type TransferRequest } from "@sealane/client";
import { fromUtf8, parseProof } from "@sealane/tlog";
import { openAuditedLog } from "../audited-log.ts";
import { eventually } from "../eventually.ts";
import { startWholeSystem, type WholeSystem } from "../whole-system.ts";

export type BusySystem = {
  readonly system: WholeSystem;
  readonly logUrl: string;
  readonly policy: string;
  /** Receipts of transfers that ended in different ways. */
  readonly receipts: readonly Uint8Array[];
  /** Text of the copy of the key log that has what they cite. */
  readonly keys: string;
};

const request = (account: string, changes: Partial<TransferRequest> = {}): TransferRequest => ({
  payer: { account: "+85290000001" },
  payee: { participant: "ph-wallet.example", account },
  amount: { currency: "HKD", amount: "1000.00" },
  ...changes,
});

/** By the simulator's README: 991 is closed, 994 never answers. */
const endings: readonly [status: string, body: TransferRequest][] = [
  ["sealed", request("+639170000001")],
  ["sealed", request("+639170000002", { amount: { currency: "HKD", amount: "0.37" } })],
  [
    "sealed",
    request("+639170000003", {
      fixed: "receive",
      amount: { currency: "PHP", amount: "5000.00" },
      otherCurrency: "HKD",
    }),
  ],
  ["rejected", request("+639170000991")],
  ["expired", request("+639170000994", { expiresInSeconds: 2 })],
];

const cancelOne = async ({ hk }: WholeSystem): Promise<Transfer> => {
  const body = request("+639170000994", { expiresInSeconds: 60 });
  const { transferId } = await hk.send(body, { idempotencyKey: randomUUID() });
  await eventually("it is reserved", async () => (await hk.get(transferId)).status === "reserved");
  await hk.cancel(transferId, { waitSeconds: 10 });
  return hk.get(transferId);
};

const sendAll = async (system: WholeSystem): Promise<string[]> => {
  const ids: string[] = [];
  for (const [status, body] of endings) {
    const key = randomUUID();
    const sent = await system.hk.send(body, { idempotencyKey: key, waitSeconds: 10 });
    if (sent.status !== status && sent.status !== "credited") {
      throw new Error(`a transfer ended ${sent.status}, not ${status}`);
    }
    ids.push(sent.transferId);
  }
  ids.push((await cancelOne(system)).transferId);
  return ids;
};

/** Receipts come with the seal, a moment after the end. */
const fetchReceipt = ({ hk }: WholeSystem, id: string): Promise<string> =>
  eventually(`the receipt of ${id}`, () => hk.receipt(id));

/** Starts it, sends, and waits until nothing is open. Stop it when done. */
export const startBusySystem = async (): Promise<BusySystem> => {
  const system = await startWholeSystem();
  try {
    const ids = await sendAll(system);
    await eventually("everything has ended", () => openAuditedLog(system).nothingPending());
    const logUrl = `${system.stack.urls.ledger ?? ""}/log`;
    const path = system.stack.home.path("keylog");
    const receipts: Uint8Array[] = [];
    for (const id of ids) {
      const receipt = Buffer.from(await fetchReceipt(system, id), "utf8");
      const entry = fromUtf8(parseProof(fromUtf8(receipt)).extra ?? new Uint8Array());
      await keepForVerifying({ path, logUrl, ratesUrl: system.stack.urls["fx-desk"], entry });
      receipts.push(receipt);
    }
    return {
      system,
      logUrl,
      policy: readFileSync(system.stack.home.path("trust.policy"), "utf8"),
      receipts,
      keys: readFileSync(path, "utf8"),
    };
  } catch (error) {
    await system.stop();
    throw error;
  }
};
