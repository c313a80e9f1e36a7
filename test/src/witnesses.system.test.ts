// Witnesses as processes on a whole system: one that lies, is slow or is down stops nothing while a quorum
// remains; without one the lane reserves no more and ends what is open; and a forked log is refused, with
// both checkpoints kept where anybody can judge them.
import { randomUUID } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { createServer, type Server, type ServerResponse } from "node:http";
import type { Transfer } from "@sealane/client";
import { readKeyFile } from "@sealane/signer";
import {
  composeNote,
  formatAddCheckpoint,
  formatCheckpointText,
  parseCheckpointText,
  parseNote,
  sha256,
  signNoteLine,
} from "@sealane/tlog";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openAuditedLog } from "./audited-log.ts";
import { eventually } from "./eventually.ts";
import { runSealane } from "./sealane.ts";
import { startWholeSystem, type WholeSystem } from "./whole-system.ts";

let system: WholeSystem;
let liar: Server | undefined;
beforeAll(async () => {
  system = await startWholeSystem();
});
afterAll(async () => {
  await stopLiar();
  await system.stop();
});

const requestOf = (expiresInSeconds: number) => ({
  payer: { account: "+85290000001" },
  payee: { participant: "ph-wallet.example", account: "+639170000001" },
  amount: { currency: "HKD", amount: "100.00" },
  expiresInSeconds,
});

const send = (expiresInSeconds = 30, waitSeconds = 20): Promise<Transfer> => {
  const options = { idempotencyKey: randomUUID(), waitSeconds };
  return system.hk.send(requestOf(expiresInSeconds), options);
};

/** In the auditor's witness's place; what it answers is the test's. */
const startLiar = (answer: (method: string, response: ServerResponse) => void): Promise<void> => {
  liar = createServer((request, response) => {
    request.resume().on("end", () => answer(request.method ?? "", response));
  });
  return new Promise((resolve) => liar?.listen(system.stack.ports.witness, "127.0.0.1", resolve));
};
const stopLiar = async (): Promise<void> => {
  const server = liar;
  liar = undefined;
  if (server === undefined) return;
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
};

const readyText = async (): Promise<string> =>
  (await fetch(`${system.stack.urls["ledger"]}/readyz`)).text();

describe("one witness of four", () => {
  it.each([
    [
      "says that it has seen far more",
      (method: string, response: ServerResponse) =>
        void (method === "POST"
          ? response.writeHead(409, { "Content-Type": "text/x.tlog.size" }).end("999999\n")
          : response.writeHead(200).end("sealane.example/2026/0\n999999\nAAAA\n\n— x AAAAAAAA\n")),
    ],
    [
      "gives cosignatures that are none",
      (_: string, response: ServerResponse) =>
        void response.writeHead(200).end("— auditor.example/witness AAAAAAAAAAAA\n"),
    ],
    ["never answers", () => undefined],
  ])(
    "that %s stops nothing, at a start of the ledger neither",
    async (_, answer) => {
      await system.stack.end("witness");
      await startLiar(answer);
      expect((await send()).status).toBe("sealed");
      await system.stack.end("ledger");
      await system.stack.start("ledger");
      expect((await send()).status).toBe("sealed");
      expect(await readyText()).not.toContain("witness");
      await stopLiar();
      await system.stack.start("witness");
    },
    120_000,
  );
});

describe("too few witnesses", () => {
  it("stop reservations after 5 s, not the ends; with one back everything goes on", async () => {
    const { stack } = system;
    await stack.end("ph-wallet");
    // Its witness is down with it: with the auditor's too there are two of the three that it takes.
    const open = await send(25, 0);
    await eventually("it is reserved", async () => {
      return (await system.hk.get(open.transferId)).status === "reserved";
    });
    await stack.end("witness");
    await eventually(
      "nothing is reserved",
      async () => {
        const answer = await system.call("hk-wallet", "/v1/transfers", {
          method: "POST",
          headers: {
            "Content-Type": "application/json",
            "Idempotency-Key": randomUUID(),
            Prefer: "wait=2",
          },
          body: JSON.stringify(requestOf(25)),
        });
        const { code } = (await answer.json()) as { code?: string };
        return answer.status === 503 && code === "lane-unsealed";
      },
      90_000,
    );
    const log = `${stack.urls["ledger"]}/v1/transfers/${open.transferId}`;
    const token = readFileSync(stack.home.keys("hk-wallet", "ledger.token"), "utf8").trim();
    await eventually(
      "what was open has ended",
      async () => {
        const answer = await fetch(log, { headers: { Authorization: `Bearer ${token}` } });
        return ((await answer.json()) as { state?: string }).state === "ended";
      },
      60_000,
    );
    await Promise.all([stack.start("witness"), stack.start("ph-wallet")]);
    const after = await eventually("transfers are sealed again", async () => {
      const answer = await send().catch(() => undefined);
      return answer?.status === "sealed" ? answer : undefined;
    });
    expect(after.final).toBe(true);
  }, 180_000);
});

describe("a log that forks", () => {
  it("is refused by a witness, and both checkpoints are evidence for anybody", async () => {
    const { stack } = system;
    const url = stack.urls["witness"] ?? "";
    const key = readKeyFile(stack.home.keys("operator", "checkpoint.key"));
    const origin = key.name;
    const hash = Buffer.from(sha256(origin)).toString("hex");
    const root = sha256("another history");
    // The log may grow between the look and the fork: then it is a fork of nothing, and told so.
    await eventually("the witness refuses the fork", async () => {
      const head = await (await fetch(`${url}/${hash}/checkpoint`)).text();
      const { size } = parseCheckpointText(parseNote(head).text);
      const text = formatCheckpointText({ origin, size, root, extensions: [] });
      const checkpoint = composeNote(text, [signNoteLine(key.name, key.seed, text)]);
      const body = formatAddCheckpoint({ oldSize: size, proof: [], checkpoint });
      const answer = await fetch(`${url}/add-checkpoint`, { method: "POST", body });
      expect(answer.status).not.toBe(200);
      return answer.status === 422;
    });
    const folder = stack.home.path("state", "auditor.witness.evidence");
    const files = readdirSync(folder).filter((name) => name.startsWith("two-roots-for-one-size"));
    expect(files.length).toBeGreaterThan(0);
    const file = stack.home.path("state", "auditor.witness.evidence", files[0] ?? "");
    const judged = await runSealane(system, ["verify", file, "--policy", "trust.policy"]);
    expect([judged.status, judged.stdout]).toEqual([0, expect.stringContaining("two histories")]);
    // The real log goes on, and audits.
    expect((await send()).status).toBe("sealed");
    const log = openAuditedLog(system);
    await eventually("everything has ended", () => log.nothingPending());
    expect((await log.audit()).findings).toEqual([]);
  }, 180_000);
});
