// The drills of docs/drills.md that a participant's own keys do not cover (`keys.system.test.ts` has
// those), in the order of a bad week: an operator's key, root keys stolen and lost, the entry key, the
// keys of the key log and of checkpoints, a witness's key.
import { randomUUID } from "node:crypto";
import { copyFileSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { adapterClient } from "@sealane/client";
import { startStack, writeKeyLogFile, type Stack } from "@sealane/infra";
import { readKeyFile } from "@sealane/signer";
import {
  composeNote,
  formatAddCheckpoint,
  formatCheckpointText,
  formatProof,
  parseCheckpointText,
  parseNote,
  parseProof,
  sha256,
  signNoteLine,
} from "@sealane/tlog";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openAuditedLog } from "./audited-log.ts";
import { eventually } from "./eventually.ts";
import { runSealane, sealaneJson } from "./sealane.ts";
import { startWholeSystem, type WholeSystem } from "./whole-system.ts";

const hk = "hk-wallet.example";
const operators = "sealane.example/operators";
let system: WholeSystem;
let restarted: Stack | undefined;

beforeAll(async () => {
  system = await startWholeSystem();
});
afterAll(async () => {
  await restarted?.stop();
  await system.stop();
});

const sealane = (...args: string[]) => sealaneJson(system, args);
const path = (...parts: string[]): string => system.stack.home.path(...parts);
const by = (...people: string[]): string[] =>
  people.flatMap((person) => ["--operator", `keys/${person}/operator.key`]);

const clientOf = ({ urls }: Stack) => {
  const token = readFileSync(path("keys/hk-wallet/api.token"), "utf8").trim();
  return adapterClient({ baseUrl: urls["hk-wallet"] ?? "", token });
};

const send = async (client = system.hk): Promise<string> => {
  const request = {
    payer: { account: "+85290000001" },
    payee: { participant: "ph-wallet.example", account: "+639170000001" },
    amount: { currency: "HKD", amount: "100.00" },
  };
  const sent = await client.send(request, { idempotencyKey: randomUUID(), waitSeconds: 20 });
  expect(sent.status).toBe("sealed");
  return sent.transferId;
};

describe("an operator's key", () => {
  it("that is lost is replaced by the two others, and counts no more", async () => {
    const carol = "keys/bob/carol.key";
    await sealane("keys", "generate", carol, "--name", `${operators}/carol`);
    await sealane("keys", "ledger", "--add", carol, ...by("alice", "bob"));
    const two = ["--operator", carol, ...by("bob")];
    await sealane("keys", "ledger", "--remove", `${operators}/alice`, ...two);
    const refused = await runSealane(system, ["keys", "suspend", hk, ...by("alice")]);
    expect(refused.stderr).toContain("needs 1 operators' signatures, has 0");
    const list = (await sealane("keys", "list")) as { ledger: { operators: string[] } };
    expect(list.ledger.operators.map((vkey) => vkey.split("+")[0])).toEqual([
      `${operators}/bob`,
      `${operators}/carol`,
    ]);
    await send();
  });
});

describe("a participant's root key", () => {
  it("that was copied is replaced with the old one, the new one and an operator", async () => {
    await sealane("keys", "suspend", hk, ...by("bob"), "--reason", "root-stolen");
    const [old, next] = ["keys/hk-wallet/root.key", "keys/hk-wallet/root-2.key"];
    await sealane("keys", "generate", next, "--name", `${hk}/root-2`);
    await sealane("keys", "root", hk, "--new", next, "--root", old, ...by("bob"));
    const key = "keys/hk-wallet/transfer-2.key";
    await sealane("keys", "generate", key, "--name", `${hk}/k2`);
    const register = ["keys", "register", hk, "--key", key, "--root"];
    expect((await runSealane(system, [...register, old])).stderr).toContain("root key");
    await sealane(...register, next);
    await sealane("keys", "revoke", hk, "--key", `${hk}/k1`, "--root", next);
    const two = ["--operator", "keys/bob/carol.key", ...by("bob")];
    await sealane("keys", "resume", hk, ...two);
    await eventually("hk sends again", () => send().catch(() => undefined));
  });
});

const ph = "ph-wallet.example";

describe("a participant's root key that is lost", () => {
  it("is replaced by two operators after the wait that its owner agreed to; pins are told", async () => {
    const [old, next] = ["keys/ph-wallet/root.key", "keys/ph-wallet/root-2.key"];
    await sealane("keys", "recovery", ph, "--wait", "15s", "--root", old, ...by("bob"));
    rmSync(path(old));
    const two = ["--operator", "keys/bob/carol.key", ...by("bob")];
    await sealane("keys", "generate", next, "--name", `${ph}/root-2`);
    const replace = ["keys", "root", ph, "--new", next, ...two];
    const unannounced = await runSealane(system, replace);
    expect(unannounced.stderr).toContain("root key in force");
    await sealane("keys", "recover-root", ph, "--new", next, ...two);
    expect((await runSealane(system, replace)).stderr).toContain("not before");
    const done = await eventually(
      "the wait is over",
      async () => {
        const tried = await runSealane(system, [...replace, "--json"]);
        return tried.status === 0 ? (JSON.parse(tried.stdout) as { seq: number }) : undefined;
      },
      60_000,
    );
    const key = "keys/ph-wallet/transfer-2.key";
    await sealane("keys", "generate", key, "--name", `${ph}/k2`);
    await sealane("keys", "register", ph, "--key", key, "--root", next);
    await send();
    const url = `${system.stack.urls["ledger"]}/log`;
    const audit = (roots: string) => {
      const pins = ["--policy", "trust.policy", "--roots", roots];
      return runSealane(system, ["audit", url, ...pins]);
    };
    const before = await audit("roots");
    const said = `root replaced at key-log position ${done.seq}`;
    expect([before.status, before.stdout + before.stderr]).toEqual([
      1,
      expect.stringContaining(said),
    ]);
    const { vkey } = readKeyFile(path(next));
    const pinned = readFileSync(path("roots"), "utf8").split("\n");
    const anew = pinned.map((line) => (line.startsWith(`${ph} `) ? `${ph} ${vkey}` : line));
    writeFileSync(path("roots"), anew.join("\n"));
    expect((await audit("roots")).status).toBe(0);
    renameSync(path(next), path(old));
  }, 180_000);
});

describe("the entry key", () => {
  it("is replaced by two operators: the ledger stops, and goes on with the new file", async () => {
    const { stack } = system;
    const next = "keys/operator/entry-2.key";
    await sealane("keys", "generate", next, "--name", "sealane.example/entry-2");
    const two = ["--operator", "keys/bob/carol.key", ...by("bob")];
    await sealane("keys", "ledger", "--entry-key", next, ...two);
    // It signs nothing under the old key from the first entry on that would cite the new one.
    const late = system.hk.send(
      {
        payer: { account: "+85290000001" },
        payee: { participant: "ph-wallet.example", account: "+639170000001" },
        amount: { currency: "HKD", amount: "100.00" },
      },
      { idempotencyKey: randomUUID(), waitSeconds: 30 },
    );
    await eventually("the ledger stops", async () => {
      const ready = await fetch(`${stack.urls["ledger"]}/readyz`);
      return (await ready.text()).includes("names another entry key");
    });
    renameSync(path("keys/operator/entry.key"), path("keys/operator/entry-1.key"));
    copyFileSync(path(next), path("keys/operator/entry.key"));
    await stack.end("ledger");
    await stack.start("ledger");
    expect((await late).status).toBe("sealed");
    await send();
    const log = openAuditedLog(system);
    await eventually("everything has ended", () => log.nothingPending());
    expect((await log.audit()).findings).toEqual([]);
  });
});

describe("the keys of the key log and of checkpoints", () => {
  const two = ["--operator", "keys/bob/carol.key", ...by("bob")];
  const base = "keys/operator";

  it("that are lost are replaced: a new policy, the new files, a record for each", async () => {
    const { stack } = system;
    const before = await send();
    const pinned = readFileSync(path("trust.policy"), "utf8");
    await runSealane(system, ["receipt", before, "--out", "old-key.tlog-proof"]);
    const [checkpoint, keyLog] = pinned.split("\n").map((line) => line.split(/[ +]/)[1] ?? "");
    await stack.stop();
    // Lost: nothing of the old keys is left. The new policy has their lines all the same.
    for (const [file, name] of [
      ["checkpoint.key", checkpoint],
      ["key-log.key", keyLog],
    ] as const) {
      rmSync(path(base, file));
      await sealane("keys", "generate", `${base}/${file}`, "--name", name ?? "");
    }
    const starting = startStack({ dir: stack.home.dir, ports: stack.ports });
    const url = stack.urls["ledger"] ?? "";
    await eventually("the ledger says what it waits for", async () => {
      const ready = await fetch(`${url}/readyz`).catch(() => undefined);
      const text = (await ready?.text()) ?? "";
      return text.includes("another checkpoint key") && text.includes("names our key-log key");
    });
    const replace = ["keys", "log-key", "--reason", "lost", ...two, "--new"];
    // Its own key first: until then it can sign nothing else.
    const early = await runSealane(system, [...replace, `${base}/checkpoint.key`]);
    expect(early.stderr).toContain("log-key-elsewhere");
    await sealane(...replace, `${base}/key-log.key`);
    await sealane(...replace, `${base}/checkpoint.key`);
    restarted = await starting;
    const after = await send(clientOf(restarted));
    await runSealane(system, ["receipt", after, "--out", "new-key.tlog-proof"]);
    await writeKeyLogFile(restarted.home, url);
    writeFileSync(path("pinned.policy"), pinned);
    const verify = (file: string, policy: string) =>
      runSealane(system, ["verify", file, "--policy", policy, "--keys", "keylog"]);
    expect((await verify("old-key.tlog-proof", "trust.policy")).status).toBe(0);
    expect((await verify("new-key.tlog-proof", "trust.policy")).status).toBe(0);
    const told = await verify("new-key.tlog-proof", "pinned.policy");
    expect([told.status, told.stdout + told.stderr]).toEqual([
      1,
      expect.stringContaining("Ask two operators"),
    ]);
    const audit = await runSealane(system, ["audit", `${url}/log`, "--policy", "trust.policy"]);
    expect([audit.status, audit.stderr]).toEqual([0, ""]);
  }, 180_000);

  it("that is stolen forks nothing, and counts for nothing that came after its record", async () => {
    const stack = restarted ?? system.stack;
    const thief = readKeyFile(path(base, "checkpoint.key"));
    const refused = await Promise.all(
      witnessUrls().map((witness) => offerFork(witness, thief.name, thief.seed)),
    );
    expect(refused).toEqual(refused.map(() => 422));
    await stack.stop();
    renameSync(path(base, "checkpoint.key"), path(base, "stolen.key"));
    await sealane("keys", "generate", `${base}/checkpoint.key`, "--name", thief.name);
    const starting = startStack({ dir: stack.home.dir, ports: stack.ports });
    const url = stack.urls["ledger"] ?? "";
    await eventually("the ledger says what it waits for", async () => {
      const ready = await fetch(`${url}/readyz`).catch(() => undefined);
      return ((await ready?.text()) ?? "").includes("another checkpoint key");
    });
    const keys = ["--old", `${base}/stolen.key`, "--new", `${base}/checkpoint.key`];
    await sealane("keys", "log-key", "--reason", "stolen", ...two, ...keys);
    restarted = await starting;
    const after = await send(clientOf(restarted));
    await runSealane(system, ["receipt", after, "--out", "ours.tlog-proof"]);
    await writeKeyLogFile(restarted.home, url);
    // Witnesses sign the text alone: with their lines the thief has all but a key that still counts.
    const proof = parseProof(readFileSync(path("ours.tlog-proof"), "utf8"));
    const { text, signatures } = parseNote(proof.checkpoint);
    const cosigned = signatures.filter(({ name }) => name !== thief.name).map(({ line }) => line);
    const own = signNoteLine(thief.name, thief.seed, text);
    const forged = formatProof({ ...proof, checkpoint: composeNote(text, [own, ...cosigned]) });
    writeFileSync(path("thief.tlog-proof"), forged);
    const verify = async (file: string) => {
      const args = ["verify", file, "--policy", "trust.policy", "--keys", "keylog", "--json"];
      return JSON.parse((await runSealane(system, args)).stdout) as { ok: boolean };
    };
    expect(await verify("ours.tlog-proof")).toMatchObject({ ok: true });
    expect(await verify("thief.tlog-proof")).toMatchObject({
      ok: false,
      checks: { keys: { status: "failed" } },
    });
  }, 180_000);
});

/** Of the policy's witnesses. */
const witnessUrls = (): string[] =>
  readFileSync(path("trust.policy"), "utf8")
    .split("\n")
    .flatMap((line) => (line.startsWith("witness ") ? [line.split(" ").at(-1) ?? ""] : []));

/** Shows a witness another tree of just its size, signed by the log's key. @returns what it answers */
const offerFork = (witness: string, origin: string, seed: Uint8Array): Promise<number> =>
  eventually("the log rests for so long", async () => {
    const hash = Buffer.from(sha256(origin)).toString("hex");
    const head = await (await fetch(`${witness}/${hash}/checkpoint`)).text();
    const { size } = parseCheckpointText(parseNote(head).text);
    const text = formatCheckpointText({
      origin,
      size,
      root: sha256("another history"),
      extensions: [],
    });
    const checkpoint = composeNote(text, [signNoteLine(origin, seed, text)]);
    const body = formatAddCheckpoint({ oldSize: size, proof: [], checkpoint });
    const { status } = await fetch(`${witness}/add-checkpoint`, { method: "POST", body });
    return status === 409 ? undefined : status;
  });

describe("a witness's key", () => {
  it("that is lost stops nothing; another one takes a policy that everybody pins anew", async () => {
    const stack = restarted ?? system.stack;
    await stack.end("witness");
    const before = await send(clientOf(stack));
    const bundled = ["receipt", before, "--bundle", "before.bundle"];
    expect((await runSealane(system, bundled)).status).toBe(0);
    copyFileSync(path("trust.policy"), path("before.policy"));
    await stack.stop();
    rmSync(path("keys/auditor/witness.key"));
    restarted = await startStack({ dir: stack.home.dir, ports: stack.ports });
    expect(readFileSync(path("trust.policy"), "utf8")).not.toBe(
      readFileSync(path("before.policy"), "utf8"),
    );
    const after = await send(clientOf(restarted));
    await runSealane(system, ["receipt", after, "--out", "after.tlog-proof"]);
    const verify = async (file: string, policy: string) => {
      const args = ["verify", file, "--policy", policy, "--json"];
      return JSON.parse((await runSealane(system, args)).stdout) as { ok: boolean };
    };
    // What was sealed under a policy is verified under it, with the key log that goes with it.
    expect(await verify("before.bundle", "before.policy")).toMatchObject({ ok: true });
    const { home, urls } = restarted;
    await eventually("the key log is cosigned under the new policy", async () => {
      await writeKeyLogFile(home, urls["ledger"] ?? "");
      return (await verify("after.tlog-proof", "trust.policy")).ok;
    });
  });
});
