// Witnesses as processes on a whole system: one that lies, is slow or is down stops nothing while a quorum
// remains; without one the lane reserves no more and ends what is open; and a forked log is refused, with
// both checkpoints kept where anybody can judge them.
import { randomUUID } from "node:crypto";
import { existsSync, readdirSync, readFileSync, renameSync } from "node:fs";
import { createServer, type Server, type ServerResponse } from "node:http";
import { adapterClient, makeLogReader, type Transfer } from "@sealane/client";
import { startStack, type Stack } from "@sealane/infra";
import { readKeyFile } from "@sealane/signer";
import {
  composeNote,
  consistencyProof,
  formatAddCheckpoint,
  formatCheckpointText,
  parseCheckpointText,
  leafHash,
  parseNote,
  rootOf,
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
let restarted: Stack | undefined;
beforeAll(async () => {
  system = await startWholeSystem();
});
afterAll(async () => {
  await stopLiar();
  await restarted?.stop();
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

describe("a thief with the checkpoint key", () => {
  /** What the auditor's witness has been shown, leaf by leaf: the log, then the thief's inventions. */
  let shown: Uint8Array[] = [];
  const hashes = (level: number, index: number): Uint8Array =>
    rootOf(shown.slice(index * 2 ** level, (index + 1) * 2 ** level));
  const keyFile = (name: string): string => system.stack.home.keys("operator", name);
  const evidence = (): string => system.stack.home.path("state", "auditor.witness.evidence");

  /** Of growth from a power of two the first file is inconclusive; the ledger says its root, and then there is one more. */
  const forks = (): string[] =>
    existsSync(evidence())
      ? readdirSync(evidence()).filter((name) => name.startsWith("two-roots-for-one-size"))
      : [];

  /** Has the witness cosign entries that nobody made. @returns what it answers */
  const invent = async (from: number, entries: number): Promise<number> => {
    const { name, seed } = readKeyFile(keyFile("checkpoint.key"));
    const inventions = Array.from({ length: entries }, (_, at) => leafHash(`thief's ${from + at}`));
    shown = [...shown.slice(0, from), ...inventions];
    const size = shown.length;
    const text = formatCheckpointText({ origin: name, size, root: rootOf(shown), extensions: [] });
    const checkpoint = composeNote(text, [signNoteLine(name, seed, text)]);
    const proof = consistencyProof(from, size, hashes);
    const body = formatAddCheckpoint({ oldSize: from, proof, checkpoint });
    const url = `${system.stack.urls["witness"]}/add-checkpoint`;
    return (await fetch(url, { method: "POST", body })).status;
  };

  const headOfWitness = async (): Promise<number> => {
    const hash = Buffer.from(sha256(readKeyFile(keyFile("checkpoint.key")).name)).toString("hex");
    const answer = await fetch(`${system.stack.urls["witness"]}/${hash}/checkpoint`);
    return parseCheckpointText(parseNote(await answer.text()).text).size;
  };

  it("leads one witness astray: the others go on, and both histories are evidence for anybody", async () => {
    const reader = makeLogReader(`${system.stack.urls["ledger"]}/log`);
    await eventually("the log rests while the thief reads it", async () => {
      const size = await headOfWitness();
      shown = (await reader.entries(0, size)).map((entry) => leafHash(entry));
      return (await invent(size, 1)) === 200;
    });
    expect((await send()).status).toBe("sealed");
    expect((await send()).status).toBe("sealed");
    await eventually("the witness keeps how the log really went on", () => {
      const kept = forks();
      const largest = Math.max(...kept.map((name) => Number(name.split(".")[1])));
      return Promise.resolve(largest > shown.length);
    });
    expect(await readyText()).not.toContain("witness");
    for (const name of forks()) {
      const file = `${evidence()}/${name}`;
      const judged = await runSealane(system, ["verify", file, "--policy", "trust.policy"]);
      expect([name, judged.status, judged.stdout]).toEqual([
        name,
        0,
        expect.stringContaining("two histories"),
      ]);
    }
  }, 120_000);

  it("leads it beyond the log: the ledger stops, and goes on with another key and another witness", async () => {
    const { home, ports } = system.stack;
    expect(await invent(shown.length, 1_000)).toBe(200);
    // A witness that was refused a moment ago rests: another transfer is sealed without it, and the next asks.
    await eventually("the ledger signs no more", async () => {
      await send(30, 1).catch(() => undefined);
      return /witness .* has .*entries/.test(await readyText());
    });
    // docs/drills.md, 6 and 5: the key is replaced, and the witness begins anew, without what it was shown.
    await system.stack.stop();
    renameSync(keyFile("checkpoint.key"), keyFile("stolen.key"));
    renameSync(home.keys("auditor", "witness.key"), home.keys("auditor", "astray.key"));
    renameSync(home.path("state", "auditor.witness"), home.path("state", "auditor.astray"));
    const { name } = readKeyFile(keyFile("stolen.key"));
    const next = "keys/operator/checkpoint.key";
    const sealane = async (...args: string[]): Promise<void> => {
      expect(await runSealane(system, args)).toMatchObject({ status: 0 });
    };
    await sealane("keys", "generate", next, "--name", name);
    const starting = startStack({ dir: home.dir, ports });
    const waits = async (): Promise<boolean> =>
      (await readyText().catch(() => "")).includes("another checkpoint key");
    await eventually("the ledger says what it waits for", waits, 90_000);
    const operators = ["alice", "bob"].flatMap((who) => ["--operator", `keys/${who}/operator.key`]);
    const keys = ["--old", "keys/operator/stolen.key", "--new", next];
    await sealane("keys", "log-key", "--reason", "stolen", ...operators, ...keys);
    restarted = await starting;
    const token = readFileSync(home.keys("hk-wallet", "api.token"), "utf8").trim();
    const client = adapterClient({ baseUrl: restarted.urls["hk-wallet"] ?? "", token });
    const options = { idempotencyKey: randomUUID(), waitSeconds: 20 };
    expect((await client.send(requestOf(30), options)).status).toBe("sealed");
    const log = openAuditedLog({ stack: restarted });
    await eventually("everything has ended", () => log.nothingPending());
    expect((await log.audit()).findings).toEqual([]);
    // The new witness has seen our log, and nothing of the thief's.
    expect(await headOfWitness()).toBeLessThan(shown.length);
  }, 180_000);
});
