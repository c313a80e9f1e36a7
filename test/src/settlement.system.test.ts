// Windows closed while transfers run and processes die: the ledger and reconciliation are killed with
// SIGKILL around a cut, two operators cut at once, and everybody repeats what they do not know. Then the
// oracle of promise 14: each transfer is in exactly one window, and windows sum to the log. And a whole
// settlement through the command line: the bank's signed statement, a refused one, exposure that goes.
import { randomUUID } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { makeLogReader, readKeyLog } from "@sealane/client";
import type { TransferRequest } from "@sealane/client";
import { auditEntry, beginAudit, minorOf, type VerifiedEntry } from "@sealane/rules";
import { startStackBank } from "@sealane/infra";
import { checkCheckpoint, parsePolicy } from "@sealane/tlog";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { eventually } from "./eventually.ts";
import { runSealane, sealaneJson } from "./sealane.ts";
import { startWholeSystem, type WholeSystem } from "./whole-system.ts";

let system: WholeSystem;
beforeAll(async () => {
  system = await startWholeSystem();
});
afterAll(async () => {
  await system.stop();
});

const request = (n: number): TransferRequest => ({
  payer: { account: `+8529${String(1 + (n % 900)).padStart(7, "0")}` },
  payee: {
    participant: "ph-wallet.example",
    account: `+63917${String(1 + (n % 900)).padStart(7, "0")}`,
  },
  amount: { currency: "HKD", amount: `${20 + (n % 50)}.00` },
  expiresInSeconds: 120,
});

/** Transfers from eight workers until told to stop; each is repeated until its outcome is known. */
const underLoad = async (during: (sent: () => number) => Promise<void>): Promise<number> => {
  let going = true;
  let sent = 0;
  const worker = async (at: number): Promise<void> => {
    for (let n = 0; going; n += 1) {
      const idempotencyKey = randomUUID();
      await eventually(
        "an outcome",
        async () => {
          const options = { idempotencyKey, waitSeconds: 5 };
          return (await system.hk.send(request(at * 1_000 + n), options)).final;
        },
        60_000,
      );
      sent += 1;
    }
  };
  const workers = Promise.all(Array.from({ length: 8 }, (_, at) => worker(at)));
  try {
    await eventually("transfers flow", () => Promise.resolve(sent > 40));
    await during(() => sent);
  } finally {
    going = false;
  }
  await workers;
  return sent;
};

const kill = async (name: "ledger" | "reconciliation"): Promise<void> => {
  const { exited } = system.stack.process(name);
  await system.stack.kill(name);
  await exited;
  await system.stack.start(name);
};

const key = (person: string): string => system.stack.home.keys(person, "operator.key");

const cut = (number: number, person = "alice") =>
  runSealane(
    system,
    `window cut hkd-php --number ${number} --operator-key ${key(person)} --json`.split(" "),
  );

/** Says it again until reconciliation shows the window as cut: a 202 is no decision. */
const cutForSure = (number: number): Promise<unknown> =>
  eventually(
    `window ${number} is cut`,
    async () => {
      const { stdout } = await cut(number);
      return stdout.includes('"already":true');
    },
    60_000,
  );

const readEntries = async (): Promise<VerifiedEntry[]> => {
  const policy = parsePolicy(readFileSync(system.stack.home.path("trust.policy"), "utf8"));
  const url = `${system.stack.urls["ledger"] ?? ""}/log`;
  const log = makeLogReader(url);
  const { checkpoint } = checkCheckpoint(policy, await log.checkpoint());
  const keys = await readKeyLog(makeLogReader(`${url}/keys`), policy);
  if (!keys.ok) throw new Error(`key log: ${keys.code} ${keys.detail}`);
  const options = { history: keys.history, signatures: true };
  const state = beginAudit({ origin: checkpoint.origin, ...options });
  const entries: VerifiedEntry[] = [];
  for (const note of await log.entries(0, checkpoint.size)) {
    const result = auditEntry(state, note);
    if (!result.ok) throw new Error(`${result.position}: ${result.code} ${result.detail}`);
    entries.push(result.entry);
  }
  return entries;
};

/** Added up anew from the transfers between two cuts, with nothing of the fold. */
const naiveNets = (entries: readonly VerifiedEntry[], from: number, to: number) => {
  const nets = new Map<string, bigint>();
  const add = (account: string, currency: string, by: bigint): void => {
    const id = `${account.split(":")[0] ?? ""} ${currency}`;
    nets.set(id, (nets.get(id) ?? 0n) + by);
  };
  for (const { context } of entries.slice(from, to)) {
    if (context.outcome !== "committed") continue;
    for (const { debit, credit, currency, amount } of context.postings) {
      add(debit, currency, -minorOf(amount, currency));
      add(credit, currency, minorOf(amount, currency));
    }
  }
  return nets;
};

describe("settlement windows", () => {
  it("are closed once each, whoever dies meanwhile; no transfer is in none or in two", async () => {
    const sent = await underLoad(async (count) => {
      await Promise.all([cut(0), kill("ledger")]);
      await cutForSure(0);
      const before = count();
      await eventually(
        "transfers flow again",
        () => Promise.resolve(count() > before + 20),
        60_000,
      );
      await Promise.all([cut(1, "alice"), cut(1, "bob"), kill("reconciliation")]);
      await cutForSure(1);
      await kill("reconciliation");
    });
    await cutForSure(2);
    const entries = await eventually("the cut is sealed", async () => {
      const all = await readEntries();
      const last = all.findLast(({ settlement }) => settlement?.kind === "window-cut");
      return last?.settlement?.kind === "window-cut" && last.settlement.body.number === 2
        ? all
        : undefined;
    });
    const cuts = entries.filter(({ settlement }) => settlement?.kind === "window-cut");
    expect(cuts).toHaveLength(3);
    let from = 0;
    let members = 0;
    for (const { context } of cuts) {
      const nets = naiveNets(entries, from, context.seq);
      const said = entries.flatMap(({ settlement: one }) =>
        one?.kind === "window-net" && one.body.to === context.seq ? one.body : [],
      );
      const sums = new Map<string, bigint>();
      for (const { participant, totals } of said) {
        for (const { currency, debits, credits, fees } of totals) {
          const [debit = 0n, credit = 0n, fee = 0n] = [debits, credits, fees].map((one) =>
            minorOf(one, currency),
          );
          const net = credit + fee - debit;
          expect(net).toBe(nets.get(`${participant} ${currency}`));
          sums.set(currency, (sums.get(currency) ?? 0n) + net);
        }
      }
      expect([...sums.values()].every((sum) => sum === 0n)).toBe(true);
      const between = entries.slice(from, context.seq);
      members += between.filter((one) => one.context.outcome === "committed").length;
      from = context.seq + 1;
    }
    expect(members).toBe(sent);
    const audit = await sealaneJson(system, ["audit", "--balances"]);
    expect(audit).toMatchObject({ ok: true });
  }, 240_000);

  it("settle by the bank's signed statement, and by nothing less", async () => {
    type Leg = { reference: string; currency: string; side: string; amount: string };
    type View = { status: string; nets: { participant: string; status: string; legs: Leg[] }[] };
    const show = async (number: number) =>
      (await sealaneJson(system, ["window", "show", `hkd-php/${number}`])) as unknown as View;
    const accounts = new Map([
      ["hk-wallet.example", "SEALHK0001"],
      ["ph-wallet.example", "SEALPH0002"],
      ["fx-desk.example", "SEALFX0003"],
      ["sealane.example", "SEALOP0000"],
    ]);
    const { nets } = await show(0);
    const lines = nets.flatMap(({ participant, legs }) =>
      legs.map(({ reference, currency, side, amount }) => ({
        reference,
        account: `${accounts.get(participant) ?? ""}${currency}`,
        currency,
        side: side === "pay" ? "debit" : "credit",
        amount,
        status: "booked",
      })),
    );
    const sign = async (name: string, changed: typeof lines, signer: string): Promise<string> => {
      const window = { corridor: "hkd-php", number: 0, attempt: 0 };
      const body = { bank: "bank.example", reference: name, window, lines: changed };
      const file = system.stack.home.path(`${name}.json`);
      writeFileSync(file, JSON.stringify(body));
      const out = system.stack.home.path(`${name}.note`);
      await sealaneJson(system, ["settle", "statement", file, "--bank-key", signer, "--out", out]);
      return out;
    };
    const bankKey = system.stack.home.keys("bank", "statements.key");
    const forged = await sign("FORGED", lines, key("alice"));
    expect(await runSealane(system, ["settle", "send", forged, "--json"])).toMatchObject({
      status: 1,
      stdout: expect.stringContaining("signature-missing"),
    });
    const short = await sign("SHORT", lines.slice(1), bankKey);
    expect(await runSealane(system, ["settle", "send", short, "--json"])).toMatchObject({
      status: 1,
      stdout: expect.stringContaining("account-missing"),
    });
    const exposure = async (): Promise<bigint> => {
      type Answer = { positions: { participant: string; currency: string; exposure: string }[] };
      const { positions } = (await sealaneJson(system, [
        "settle",
        "positions",
      ])) as unknown as Answer;
      const own = positions.find(({ participant }) => participant === "hk-wallet.example");
      return minorOf(own?.exposure ?? "0", "HKD");
    };
    const before = await exposure();
    const whole = await sign("STATEMENT-1", lines, bankKey);
    await sealaneJson(system, ["settle", "send", whole]);
    await eventually("the window is settled", async () => (await show(0)).status === "settled");
    const paid = lines.find(({ account }) => account === "SEALHK0001HKD");
    expect(before - (await exposure())).toBe(minorOf(paid?.amount ?? "0", "HKD"));

    // One that is longer than an entry: its parts alone are nothing, together they are taken once, as
    // one command of half a megabyte.
    const deposits = Array.from({ length: 2_600 }, (_, at) => ({
      reference: `IN-${at}`,
      account: "SEALHK0001HKD",
      currency: "HKD",
      side: "credit",
      amount: "10.00",
      status: "booked",
    }));
    const file = system.stack.home.path("LONG.json");
    const long = { bank: "bank.example", reference: "LONG-1", lines: deposits };
    writeFileSync(file, JSON.stringify(long));
    const out = system.stack.home.path("LONG.note");
    const making = ["settle", "statement", file, "--bank-key", bankKey, "--out", out];
    const { files } = (await sealaneJson(system, making)) as { files?: string[] };
    const parts = files ?? [];
    expect(parts).toHaveLength(26);
    expect(await runSealane(system, ["settle", "send", parts[0] ?? "", "--json"])).toMatchObject({
      status: 1,
      stdout: expect.stringContaining("part-missing"),
    });
    await sealaneJson(system, ["settle", "send", ...parts]);
    await eventually("all of it is cover", async () => {
      const { positions } = (await sealaneJson(system, ["settle", "positions"])) as unknown as {
        positions: { participant: string; liquidity: string; unbacked: string }[];
      };
      const own = positions.find(({ participant }) => participant === "hk-wallet.example");
      const backed = minorOf(own?.liquidity ?? "0", "HKD") - minorOf(own?.unbacked ?? "0", "HKD");
      return backed >= 2_600_000n;
    });
    expect(await sealaneJson(system, ["audit", "--balances"])).toMatchObject({ ok: true });
  }, 120_000);

  it("settle through a bank's files, whatever the bank does wrong meanwhile", async () => {
    const { home } = system.stack;
    const bank = await startStackBank(home);
    try {
      const instruct = async (number: number) => {
        const out = home.path(`instructions-${number}.xml`);
        await sealaneJson(system, ["settle", "instructions", `hkd-php/${number}`, "--out", out]);
        return bank.take(readFileSync(out));
      };
      const newest = (kind: string): string =>
        bank.path(bank.documents().findLast((one) => one.kind === kind)?.name ?? "");
      const send = async (): Promise<string> => {
        const camt = newest("camt.053");
        const args = ["settle", "send", newest("note"), "--camt", camt, "--json"];
        const { stdout } = await runSealane(system, args);
        return stdout;
      };
      type View = { status: string; nets: { participant: string; status: string }[] };
      const show = async (number: number) =>
        (await sealaneJson(system, ["window", "show", `hkd-php/${number}`])) as unknown as View;

      bank.inject({ kind: "wrong-amount" });
      expect(await instruct(1)).toMatchObject({ ok: true });
      expect(await send()).toContain("sum-not-zero");
      bank.inject({ kind: "duplicate-line" });
      await bank.issue("hkd-php/1/0");
      expect(await send()).toContain("line-twice");
      bank.inject({ kind: "wrong-file" });
      await bank.issue("hkd-php/1/0");
      expect(await send()).toContain("wrong-file");
      expect((await show(1)).nets.some(({ status }) => status === "settled")).toBe(false);
      await bank.issue("hkd-php/1/0");
      expect(await send()).toContain('"already":false');
      await eventually("window 1 is settled", async () => (await show(1)).status === "settled");
      expect(await send()).toContain('"already":true');

      bank.inject({ kind: "partial", account: "SEALPH0002PHP", reason: "AC06" });
      await instruct(2);
      expect(await send()).toContain('"already":false');
      const held = await eventually("the others of window 2 are settled", async () => {
        const { nets } = await show(2);
        return nets.some(({ status }) => status === "settled") ? nets : undefined;
      });
      expect(held.find(({ participant }) => participant === "ph-wallet.example")).toMatchObject({
        status: "held",
        why: "line-rejected",
        reason: "AC06",
      });
      await bank.retry("hkd-php/2/0");
      expect(await send()).toContain('"already":false');
      await eventually("window 2 is settled", async () => (await show(2)).status === "settled");
    } finally {
      await bank.close();
    }
    expect(await sealaneJson(system, ["audit", "--balances"])).toMatchObject({ ok: true });
    const day = new Date().toISOString().slice(0, 10);
    const hk = ["statement", "--participant", "hk-wallet.example", "--from", "2026-01-01"];
    const csv = await runSealane(system, [...hk, "--to", day, "--format", "csv"]);
    const lines = csv.stdout.trimEnd().split("\r\n");
    expect(lines.filter((line) => line.includes(",settlement,"))).toHaveLength(3);
    // Windows 0, 1 and 2 are settled for this wallet: nothing that was sent is owed any more.
    expect(lines.at(-1)).toMatch(/^position,HKD,.*,0\.00$/);
    expect(csv.stdout).not.toContain("+852");
  }, 120_000);

  it("a wallet's own books give a break, which two people resolve with money", async () => {
    await system.hk.send(request(7), { idempotencyKey: randomUUID(), waitSeconds: 10 });
    const { id, send } = await eventually("a transfer is committed", async () => {
      const entries = await readEntries();
      return entries.findLast(({ context }) => context.outcome === "committed")?.terms;
    });
    const more = minorOf(send.amount, "HKD") + 700n;
    const to = new Date().toISOString();
    const from = new Date(Date.now() - 3_600_000).toISOString();
    const amount = `${more / 100n},${String(more % 100n).padStart(2, "0")}`;
    const statement = system.stack.home.path("books.csv");
    writeFileSync(statement, `Txn,UETR,Betrag,bookedAt\nT-1,${id},"-${amount}",${from}\n`);
    const mapping = system.stack.home.path("mapping.json");
    const columns = { reference: "Txn", transfer: "UETR", amount: "Betrag" };
    writeFileSync(mapping, JSON.stringify({ columns, currency: "HKD", decimal: "," }));
    const reconcile = ["reconcile", "--statement", statement, "--mapping", mapping];
    const whose = ["--participant", "hk-wallet.example", "--from", from, "--to", to];
    expect(await sealaneJson(system, [...reconcile, ...whose])).toMatchObject({ newLines: 1 });
    type List = { breaks: { id: string; kind: string; found: string }[] };
    const { breaks } = (await sealaneJson(system, [
      "break",
      "list",
      "--kind",
      "amount",
    ])) as unknown as List;
    expect(breaks).toMatchObject([{ kind: "amount", expected: send.amount }]);
    const at = breaks[0]?.id ?? "";
    // Two people: each with a token and a key of their own.
    const by = (person: string): string[] => {
      const token = system.stack.home.keys(person, "staff.token");
      return ["--token-file", token, "--operator-key", key(person)];
    };
    const resolve = ["break", "resolve", at, "--as", "adjusted", "--credit", "7.00"];
    await sealaneJson(system, [...resolve, "--text", "our error", ...by("alice")]);
    const own = await runSealane(system, ["break", "approve", at, ...by("alice"), "--json"]);
    expect(own).toMatchObject({ status: 1, stdout: expect.stringContaining("signed-already") });
    await sealaneJson(system, ["break", "approve", at, ...by("bob")]);
    await eventually("the adjustment is in the log", async () => {
      const { state } = await sealaneJson(system, ["break", "show", at]);
      return state === "resolved";
    });
    expect(await sealaneJson(system, ["audit", "--balances"])).toMatchObject({ ok: true });
  }, 120_000);
});
