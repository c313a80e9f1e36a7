// Machines die in mid-flight: the ledger, an adapter, reconciliation, killed with SIGKILL under load and
// started again. The clients repeat what they do not know, with the same keys, as any core would. Then the
// oracles of `promises.md`: 1 (a 2xx is in the ledger once, or ended with a reason), 2 (at most one
// end), 3 (chain, signatures, policies), 6 (sums), 7 (Postgres equals the log).
import { randomUUID } from "node:crypto";
import { setTimeout as delay } from "node:timers/promises";
import type { Transfer, TransferRequest } from "@sealane/client";
import { transferIdOf } from "@sealane/protocol";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openAuditedLog, type LogAudit } from "./audited-log.ts";
import { eventually } from "./eventually.ts";
import { startWholeSystem, type WholeSystem } from "./whole-system.ts";

let system: WholeSystem;
beforeAll(async () => {
  system = await startWholeSystem();
});
afterAll(async () => {
  await system.stop();
});

type Journal = Map<string, { readonly request: TransferRequest; transfer: Transfer | undefined }>;

const bodyOf = (n: number): TransferRequest => ({
  payer: { account: `+8529${String(1 + (n % 900)).padStart(7, "0")}` },
  payee: {
    participant: "ph-wallet.example",
    account: `+63917${String(1 + (n % 900)).padStart(7, "0")}`,
  },
  amount: { currency: "HKD", amount: `${20 + (n % 50)}.${String(n % 100).padStart(2, "0")}` },
  expiresInSeconds: 120,
});

/** Sends until told to stop; every key is repeated until its outcome is known. */
const keepSending = async (journal: Journal, worker: number, going: () => boolean) => {
  for (let n = 0; going(); n += 1) {
    const key = randomUUID();
    const request = bodyOf(worker * 1_000 + n);
    const id = transferIdOf("hk-wallet.example", key);
    journal.set(id, { request, transfer: undefined });
    const transfer = await eventually(
      `an outcome of ${id}`,
      async () => {
        const answer = await system.hk.send(request, { idempotencyKey: key, waitSeconds: 5 });
        return answer.final ? answer : undefined;
      },
      60_000,
    );
    journal.set(id, { request, transfer });
  }
};

const underLoad = async (journal: Journal, during: () => Promise<void>): Promise<void> => {
  let going = true;
  const workers = Array.from({ length: 12 }, (_, worker) =>
    keepSending(journal, worker, () => going),
  );
  const settled = Promise.all(workers);
  try {
    await eventually("transfers flow", () => Promise.resolve(journal.size > 60));
    await during();
    const before = journal.size;
    await eventually(
      "transfers flow again",
      () => Promise.resolve(journal.size > before + 60),
      60_000,
    );
  } finally {
    going = false;
  }
  await settled;
};

const killAndRestart = async (
  name: "ledger" | "hk-wallet" | "ph-wallet" | "reconciliation",
): Promise<void> => {
  const child = system.stack.process(name);
  const ended = child.exited;
  // The stack is told first, so that it does not take the death for a fault of its own.
  await system.stack.kill(name);
  await ended;
  await system.stack.start(name);
};

const checkOracles = async (journal: Journal): Promise<void> => {
  const log = openAuditedLog(system);
  await eventually("everything has ended", () => log.nothingPending(), 60_000);
  const audit = await log.audit();
  expect(audit.findings).toEqual([]);
  for (const [id, { transfer }] of journal) {
    expect(transfer?.final, id).toBe(true);
    const logged = audit.transfers.get(id);
    const sealed = transfer?.status === "sealed" || transfer?.status === "credited";
    if (sealed) expect(logged?.outcome, id).toBe("committed");
    else expect(logged?.outcome ?? "refused", id).not.toBe("committed");
  }
  for (const [id, { outcome }] of audit.transfers) {
    if (outcome === "committed") expect(journal.has(id), `${id} was never sent`).toBe(true);
  }
  await eventually("the payee's core has credited all", async () => {
    return (await log.creditedByCore("PHP")) === audit.creditedExpected;
  });
  expect(await log.balancesDiffer()).toEqual([]);
  await checkCounts(audit);
};

/** Reconciliation counted each end once: as many as the log has, by outcome. */
const checkCounts = async ({ entries, transfers }: LogAudit): Promise<void> => {
  const counted = await eventually("reconciliation has read the whole log", async () => {
    const answer = await fetch(`${system.stack.urls["reconciliation"]}/v1/progress`, {
      signal: AbortSignal.timeout(5_000),
    });
    const body = (await answer.json()) as { applied: number; transfers: Record<string, number> };
    return body.applied >= entries ? body.transfers : undefined;
  });
  const ends: Record<string, number> = {};
  for (const { outcome } of transfers.values()) {
    ends[outcome] = (ends[outcome] ?? 0) + 1;
  }
  expect(counted).toEqual(expect.objectContaining(ends));
};

describe("killed with SIGKILL under load and started again", () => {
  const journal: Journal = new Map();

  it("the ledger loses nothing and decides nothing twice", async () => {
    await underLoad(journal, () => killAndRestart("ledger"));
    await checkOracles(journal);
  }, 180_000);

  it("the ledger, killed again and again at moments that nobody chose, writes one log", async () => {
    await underLoad(journal, async () => {
      for (let kill = 0; kill < 4; kill += 1) {
        await delay(Math.random() * 400);
        await killAndRestart("ledger");
      }
    });
    await checkOracles(journal);
  }, 180_000);

  it("the payer's adapter loses nothing it has accepted", async () => {
    await underLoad(journal, () => killAndRestart("hk-wallet"));
    await checkOracles(journal);
  }, 180_000);

  it("the payee's adapter credits everything, once", async () => {
    await underLoad(journal, () => killAndRestart("ph-wallet"));
    await checkOracles(journal);
  }, 180_000);

  it("reconciliation posts everything once, also when it dies while it catches up", async () => {
    await underLoad(journal, async () => {
      await killAndRestart("reconciliation");
      await killAndRestart("reconciliation");
    });
    await checkOracles(journal);
  }, 180_000);
});
