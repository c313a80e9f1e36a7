// Keys come and go while transfers run: rotated without a loss, revoked by position, participants
// suspended and resumed, and nobody's key registered over their head. With the log audited afterwards.
import { randomUUID } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { AdapterRefusal, AdapterUnavailable, type Transfer } from "@sealane/client";
import { createMessaging } from "@sealane/messaging";
import { laneTopic, statementText, transferIdOf, type Terms } from "@sealane/protocol";
import { readKeyFile } from "@sealane/signer";
import { composeNote, parseNote, parseProof, signNoteLine } from "@sealane/tlog";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openAuditedLog } from "./audited-log.ts";
import { eventually } from "./eventually.ts";
import { runSealane, sealaneJson } from "./sealane.ts";
import { startWholeSystem, type WholeSystem } from "./whole-system.ts";

const origin = "sealane.example/2026/0";
const hk = "hk-wallet.example";
const ph = "ph-wallet.example";
const root = "keys/hk-wallet/root.key";

let system: WholeSystem;
beforeAll(async () => {
  system = await startWholeSystem();
});
afterAll(() => system.stop());

const sealane = (...args: string[]) => sealaneJson(system, args);

const send = (): Promise<Transfer> =>
  system.hk.send(
    {
      payer: { account: "+85290000001" },
      payee: { participant: ph, account: "+639170000001" },
      amount: { currency: "HKD", amount: "100.00" },
      expiresInSeconds: 4,
    },
    { idempotencyKey: randomUUID(), waitSeconds: 20 },
  );

/** Four callers that send one transfer after the other until told to stop. */
const keepSending = () => {
  let going = true;
  const ended: Transfer[] = [];
  const refused: unknown[] = [];
  const caller = async (): Promise<void> => {
    while (going) {
      try {
        ended.push(await send());
      } catch (error) {
        if (!(error instanceof AdapterRefusal) && !(error instanceof AdapterUnavailable)) {
          throw error;
        }
        refused.push(error);
      }
    }
  };
  const callers = Promise.all([caller(), caller(), caller(), caller()]);
  return {
    ended,
    more: (count: number): Promise<unknown> => {
      const until = ended.length + count;
      return eventually(`${count} more transfers`, () => Promise.resolve(ended.length >= until));
    },
    stop: async () => {
      going = false;
      await callers;
      return { ended, refused };
    },
  };
};

/** The entry of a receipt and who signed the terms in it. */
const entryOf = async (id: string) => {
  const receipt = await system.hk.receipt(id, { waitSeconds: 10 });
  const entry = Buffer.from(parseProof(receipt).extra ?? []).toString();
  const inner = parseNote(parseNote(entry).text.split("\n").slice(2).join("\n"));
  const context = JSON.parse(entry.split("\n")[1] ?? "") as { keys: { size: number } };
  const terms = JSON.parse(inner.text.split("\n")[1] ?? "") as Terms;
  const signers = inner.signatures.map(({ name }) => name);
  return { receipt, terms, signers, keysSize: context.keys.size };
};

const payerKeyOf = async (id: string): Promise<string | undefined> =>
  (await entryOf(id)).signers.find((name) => name.startsWith(hk));

/** Terms like real ones, under an id of their own, signed by a key file and put on the lane. */
const sendSignedBy = async (like: Terms, keyFile: string): Promise<string> => {
  const id = transferIdOf(hk, randomUUID());
  const expiresAt = new Date(Date.now() + 30_000).toISOString();
  const text = statementText(origin, "transfer", { ...like, id, quote: id, expiresAt });
  const key = readKeyFile(system.stack.home.path(keyFile));
  const note = composeNote(text, [signNoteLine(key.name, key.seed, text)]);
  const messaging = createMessaging({ brokers: [system.stack.brokers], clientId: "old-key" });
  const producer = messaging.producer();
  const value = JSON.stringify({ v: 1, kind: "intent", note });
  await producer.send([{ topic: laneTopic(0), key: id, value }], { deadlineMs: 10_000 });
  await producer.stop();
  return id;
};

describe("rotating a key while transfers run", () => {
  it("loses none, and the old key is refused after its end", async () => {
    const running = keepSending();
    await running.more(5);
    const next = "keys/hk-wallet/transfer-2.key";
    await sealane("keys", "generate", next, "--name", `${hk}/k2`);
    const how = ["--new", next, "--root", root, "--overlap", "4s"];
    await sealane("keys", "rotate", hk, ...how);
    await running.more(5);
    const { ended, refused } = await running.stop();
    expect(refused).toEqual([]);
    expect(new Set(ended.map(({ status }) => status))).toEqual(new Set(["sealed"]));
    expect(await payerKeyOf(ended[0]?.transferId ?? "")).toBe(`${hk}/k1`);
    expect(await payerKeyOf(ended.at(-1)?.transferId ?? "")).toBe(`${hk}/k2`);

    const { terms } = await entryOf(ended[0]?.transferId ?? "");
    const late = await sendSignedBy(terms, "keys/hk-wallet/transfer.key");
    const told = await eventually("the old key's intent is answered", async () => {
      const transfer = await system.hk.get(late);
      return transfer.final ? transfer : undefined;
    });
    expect(told).toMatchObject({ status: "rejected", code: "key-revoked" });
  });
});

describe("revoking a key in mid-flight", () => {
  it("is decided by position: each side of the place by the keys of its place", async () => {
    const running = keepSending();
    await running.more(5);
    const { seq } = await sealane("keys", "revoke", hk, "--key", `${hk}/k2`, "--root", root);
    const revokedAt = seq as number;
    await eventually("the adapter stops signing", async () => {
      const ready = await fetch(`${system.stack.urls["hk-wallet"]}/readyz`);
      return (await ready.text()).includes("no signing key is in force");
    });
    const next = "keys/hk-wallet/transfer-3.key";
    await sealane("keys", "generate", next, "--name", `${hk}/k3`);
    await sealane("keys", "register", hk, "--key", next, "--root", root);
    await running.more(5);
    const { ended } = await running.stop();
    // DS0B: the payee had read of the revocation before it was asked.
    const fateOf = ({ status, code, reason }: Transfer) =>
      code ?? (status === "rejected" ? reason : status);
    for (const fate of new Set(ended.map(fateOf))) {
      expect(["sealed", "expired", "key-revoked", "DS0B"]).toContain(fate);
    }
    const sealed = ended.filter(({ status }) => status === "sealed");
    const entries = await Promise.all(sealed.map(({ transferId }) => entryOf(transferId)));
    for (const { signers, keysSize } of entries) {
      expect(signers).toContain(keysSize <= revokedAt ? `${hk}/k2` : `${hk}/k3`);
    }
    expect(entries[0]?.signers).toContain(`${hk}/k2`);
    expect(entries.at(-1)?.signers).toContain(`${hk}/k3`);

    // What was sealed under the key stays sealed: its receipt verifies with the newest key log.
    const file = system.stack.home.path("receipts", "before.tlog-proof");
    writeFileSync(file, entries[0]?.receipt ?? "");
    const id = sealed.at(-1)?.transferId ?? "";
    await runSealane(system, ["receipt", id, "--out", "receipts/after.tlog-proof"]);
    for (const name of ["before", "after"]) {
      const checked = await sealane("verify", `receipts/${name}.tlog-proof`);
      expect(checked).toMatchObject({ ok: true, checks: { parties: { status: "checked" } } });
    }
  });
});

const sentOrCode = async (): Promise<string> => {
  try {
    const { status, code } = await send();
    return code ?? status;
  } catch (error) {
    if (error instanceof AdapterRefusal) return error.code;
    throw error;
  }
};

describe("a participant", () => {
  it("is suspended by one operator, and resumed by two, through a file", async () => {
    await sealane("keys", "suspend", hk, "--operator", "keys/alice/operator.key");
    await eventually("intents are refused", async () => (await sentOrCode()) === "payer-suspended");
    const list = (await sealane("keys", "list")) as {
      participants: { participant: string; suspended: boolean }[];
    };
    const suspended = list.participants.filter((one) => one.suspended);
    expect(suspended.map(({ participant }) => participant)).toEqual([hk]);

    const alone = ["keys", "resume", hk, "--operator", "keys/alice/operator.key"];
    expect((await runSealane(system, alone)).stderr).toContain("has 1");
    await sealane(...alone, "--out", "resume.statement");
    expect(await sentOrCode()).toBe("payer-suspended");
    await sealane("keys", "cosign", "resume.statement", "--key", "keys/bob/operator.key", "--send");
    await eventually("intents are accepted", async () => (await sentOrCode()) === "sealed");
    // The log is public: what was said once cannot be said again by others.
    const again = await fetch(`${system.stack.urls["ledger"]}/v1/key-log`, {
      method: "POST",
      body: readFileSync(system.stack.home.path("resume.statement")),
    });
    expect(again.status).toBe(422);
    expect(await again.json()).toMatchObject({ code: "replayed" });
  });

  it("gets no key without its root key", async () => {
    await sealane("keys", "generate", "keys/alice/theirs.key", "--name", `${hk}/k9`);
    const args = ["keys", "register", hk, "--key", "keys/alice/theirs.key"];
    const said = await runSealane(system, [...args, "--root", "keys/alice/operator.key"]);
    expect(said.status).toBe(1);
    expect(said.stderr).toContain(`the root key of ${hk} must sign`);
    const { file } = await sealane(...args, "--root", "keys/alice/operator.key", "--out", "k9");
    expect(file).toBe("k9");
    await sealane("keys", "cosign", "k9", "--key", "keys/bob/operator.key");
    const submitted = await runSealane(system, ["keys", "submit", "k9", "--json"]);
    expect(submitted.status).toBe(1);
    expect(JSON.parse(submitted.stdout)).toMatchObject({ ok: false, code: "signature-missing" });
  });
});

describe("a policy that binds a participant", () => {
  const sendLarge = (expiresInSeconds: number) => {
    const idempotencyKey = randomUUID();
    const request = {
      payer: { account: "+85290000001" },
      payee: { participant: ph, account: "+639170000001" },
      amount: { currency: "HKD", amount: "5000.00" },
      expiresInSeconds,
    };
    const ended = system.hk.send(request, { idempotencyKey, waitSeconds: 90 });
    return { id: transferIdOf(hk, idempotencyKey), ended };
  };
  const approve = (id: string, person: string) =>
    runSealane(system, [
      "approve",
      id,
      "--from",
      "hk-wallet",
      "--key",
      `keys/${person}/operator.key`,
    ]);
  const waits = (id: string) =>
    eventually("it waits for approval", async () =>
      (await runSealane(system, ["approve", "--from", "hk-wallet"])).stdout.includes(id),
    );

  it("takes its root key, is cited from then on, and holds what needs operators", async () => {
    const both = ["--operator", "keys/alice/operator.key", "--operator", "keys/bob/operator.key"];
    await sealane("keys", "policy", "large-2", "--operators-from", "HKD 5000.00 2", ...both);
    await sealane("keys", "bind", hk, "large-2", "--root", root, ...both);
    const cited = await eventually("the policy is cited", async () => {
      const sent = await send();
      if (sent.status !== "sealed") return undefined;
      const { terms } = await entryOf(sent.transferId);
      return terms.policy === "large-2" ? terms : undefined;
    });
    expect(cited.payer.participant).toBe(hk);
    // Nobody approves: it ends before its terms do, with the reason.
    expect(await sendLarge(3).ended).toMatchObject({ status: "rejected", code: "policy-unmet" });
  });

  it("lets through what two operators signed, though the adapter died in between", async () => {
    const { id, ended } = sendLarge(120);
    // The client repeats its request under the same key while the adapter is down.
    ended.catch(() => undefined);
    await waits(id);
    const other = ["--from", "hk-wallet", "--key", "keys/hk-wallet/root.key"];
    const stranger = await runSealane(system, ["approve", id, ...other]);
    expect([stranger.status, stranger.stderr]).toEqual([1, expect.stringContaining("no operator")]);
    expect((await approve(id, "alice")).stdout).toContain("it waits for the others");
    await system.stack.kill("hk-wallet");
    await system.stack.start("hk-wallet");
    // The same operator twice is one.
    expect((await approve(id, "alice")).stdout).toContain("1 of 2");
    expect((await approve(id, "bob")).stdout).toContain("it is on its way");
    await eventually("it is sealed", async () => {
      const { status } = await system.hk.get(id);
      return status === "sealed" || status === "credited";
    });
    const { signers } = await entryOf(id);
    const operators = signers.filter((name) => name.includes("/operators/"));
    expect(operators).toHaveLength(2);
    expect((await approve(id, "bob")).stderr).toContain("never had it");
  });

  it("does not send what its payer took back, whoever signs it then", async () => {
    const { id, ended } = sendLarge(120);
    await waits(id);
    await approve(id, "alice");
    await system.hk.cancel(id);
    expect((await approve(id, "bob")).status).toBe(1);
    expect(await ended).toMatchObject({ status: "cancelled" });
  });
});

describe("a key log that grows without a quorum", () => {
  it("stops the lane after 2 s: no entry leaves out what may be a revocation", async () => {
    const { stack } = system;
    const both = ["--operator", "keys/alice/operator.key", "--operator", "keys/bob/operator.key"];
    await sealane("keys", "policy", "unseen-1", ...both, "--out", "unseen");
    await Promise.all([stack.end("witness"), stack.end("fx-desk")]);
    const body = readFileSync(stack.home.path("unseen"));
    const url = stack.urls["ledger"] ?? "";
    const posted = await fetch(`${url}/v1/key-log`, { method: "POST", body });
    expect(posted.status).toBe(201);
    const running = keepSending();
    await eventually("the lane stops", async () => {
      const ready = await (await fetch(`${url}/readyz`)).text();
      return ready.includes("no quorum has cosigned for 2 s");
    });
    await Promise.all([stack.start("witness"), stack.start("fx-desk")]);
    await running.more(5);
    const { ended } = await running.stop();
    expect(ended.at(-1)?.status).toBe("sealed");
  });
});

describe("afterwards", () => {
  it("the log audits under all the keys it ever had", async () => {
    const log = openAuditedLog(system);
    await eventually("everything has ended", () => log.nothingPending());
    expect((await log.audit()).findings).toEqual([]);
    expect(await log.balancesDiffer()).toEqual([]);
  });
});
