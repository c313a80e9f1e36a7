// The simulated bank: books what it is told once, says so in valid files and signed statements that fit each
// other, and fails in just the way that was asked for.
import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { noteSigner } from "@sealane/client";
import {
  bankFileParts,
  settlementInstructions,
  writeMessage,
  type Camt053,
  type Pacs002,
} from "@sealane/iso20022";
import { readValid } from "@sealane/iso20022/schema";
import { bankStatementSchema, readNote, readStatement, transferIdOf } from "@sealane/protocol";
import { keyIdOf, publicKeyOf, toBase64 } from "@sealane/tlog";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { BankDocument, BankOptions } from "./bank-types.ts";
import { startBank, type RunningBank } from "./start-bank.ts";

const token = "bank-token-0123456789";
const clearing = "sealane.example:settlement";
const accounts = [
  { owner: "hk-wallet.example", account: "SEALHK0001HKD", currency: "HKD", opening: "5000.00" },
  { owner: "fx-desk.example", account: "SEALFX0003HKD", currency: "HKD", opening: "0.00" },
  { owner: "sealane.example", account: "SEALOP0000HKD", currency: "HKD", opening: "0.00" },
];
const uetr = (name: string): string => transferIdOf("test", name);
const leg = (participant: string, side: "pay" | "receive", amount: string) => ({
  participant,
  legs: [{ reference: uetr(participant), currency: "HKD", side, counterparty: clearing, amount }],
});

/** HKD 1,000.00 from the wallet: 995.00 to the desk, a fee of 5.00. */
const instructions = (number = 0, paid = "1000.00"): Uint8Array => {
  const message = settlementInstructions({
    window: { corridor: "hkd-php", number, attempt: 0 },
    nets: [
      leg("fx-desk.example", "receive", "995.00"),
      leg("hk-wallet.example", "pay", paid),
      leg("sealane.example", "receive", "5.00"),
    ],
    operator: "sealane.example",
    clearing,
    bank: "bank.example",
    createdAt: "2026-11-22T09:00:00.000Z",
    payBy: "2026-11-22T11:00:00.000Z",
    accountOf: (owner, currency) =>
      accounts.find((one) => one.owner === owner && one.currency === currency)?.account,
  });
  return new TextEncoder().encode(writeMessage("pacs.009", message));
};

const seed = new Uint8Array(32).fill(7);
const keyName = "bank.example/statements-1";
const keyId = keyIdOf(keyName, 1, publicKeyOf(seed)).toString(16).padStart(8, "0");
const keyLine = `PRIVATE+KEY+${keyName}+${keyId}+${toBase64(new Uint8Array([1, ...seed]))}`;

let directory: string;
let bank: RunningBank;
const options = (): BankOptions => ({
  bank: "bank.example",
  port: 0,
  token,
  directory,
  accounts,
  pollMs: 10,
  signing: { signer: noteSigner(keyLine), origin: "sealane.example/2026/0" },
});
beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), "sealane-bank-"));
  bank = await startBank(options());
});
afterEach(async () => {
  await bank.close();
  rmSync(directory, { recursive: true });
});

const balances = (): string[] => bank.accounts().map(({ minor }) => minor.toString());
const bytesOf = (document: BankDocument): Buffer => readFileSync(bank.path(document.name));
const newest = (kind: string): BankDocument => {
  const found = bank.documents().findLast((one) => one.kind === kind);
  if (found === undefined) throw new Error(`no ${kind}`);
  return found;
};
const count = (kind: string): number => bank.documents().filter((one) => one.kind === kind).length;
const take = async (xml = instructions()): Promise<Pacs002> => {
  const taken = await bank.take(xml);
  if (!taken.ok) throw new Error(taken.code);
  const read = readValid(new TextEncoder().encode(taken.xml));
  if (!read.ok || read.value.kind !== "pacs.002") throw new Error("no pacs.002");
  return read.value.body;
};
const statuses = ({ transactions }: Pacs002): string[] =>
  transactions.map(({ status, reason }) => [status, reason].filter(Boolean).join(" "));
const file = (): Camt053 => {
  const read = readValid(bytesOf(newest("camt.053")));
  if (!read.ok || read.value.kind !== "camt.053") throw new Error("no camt.053");
  return read.value.body;
};
const note = () => {
  const read = readNote(bytesOf(newest("note")).toString("utf8"));
  if (!read.ok) throw new Error(read.detail);
  const statement = readStatement(read.note, "bank-statement", bankStatementSchema);
  if (!statement.ok) throw new Error(statement.detail);
  return statement.statement.body;
};
const digestFits = (): boolean =>
  note().digest ===
  createHash("sha256")
    .update(bytesOf(newest("camt.053")))
    .digest("base64");

describe("the bank", () => {
  it("books instructions, answers, gives notice, and signs what its statement says", async () => {
    const report = await take();
    expect([report.original?.status, statuses(report)]).toEqual(["ACSC", ["ACSC", "ACSC", "ACSC"]]);
    expect(balances()).toEqual(["400000", "99500", "500"]);
    expect([count("camt.054"), count("camt.053"), count("note")]).toEqual([1, 1, 1]);
    const { window, lines } = note();
    expect(window).toEqual({ corridor: "hkd-php", number: 0, attempt: 0 });
    expect(bankFileParts({ kind: "camt.053", body: file() })).toEqual([{ window, lines }]);
    expect(lines.find(({ side }) => side === "debit")).toEqual({
      reference: uetr("hk-wallet.example"),
      account: "SEALHK0001HKD",
      currency: "HKD",
      side: "debit",
      amount: "1000.00",
      status: "booked",
    });
    expect(digestFits()).toBe(true);
  });

  it("books the same instructions once, also after a restart, and no others under their id", async () => {
    await take();
    await bank.close();
    bank = await startBank(options());
    expect(statuses(await take())).toEqual(["ACSC", "ACSC", "ACSC"]);
    const other = await take(instructions(0, "2000.00"));
    expect(other.original).toMatchObject({ status: "RJCT", reason: "AM05" });
    expect(balances()).toEqual(["400000", "99500", "500"]);
  });

  it("refuses a payment that it has seen under other instructions", async () => {
    await take();
    expect(statuses(await take(instructions(1)))).toEqual(["RJCT AM05", "RJCT AM05", "RJCT AM05"]);
    expect(balances()).toEqual(["400000", "99500", "500"]);
  });

  it("lets who is paid wait for who pays, until there is money", async () => {
    const report = await take(instructions(0, "6000.00"));
    expect(statuses(report)).toEqual(["PDNG AM04", "PDNG", "PDNG"]);
    expect(note().lines.map(({ status }) => status)).toEqual(["pending", "pending", "pending"]);
    const moved = await bank.move({
      reference: "DEPOSIT-1",
      account: "SEALHK0001HKD",
      side: "credit",
      minor: 100_000n,
    });
    expect(moved.ok).toBe(true);
    expect(balances()).toEqual(["0", "99500", "500"]);
    expect(note()).toMatchObject({ lines: [{ reference: "DEPOSIT-1", side: "credit" }] });
    expect(note().window).toBeUndefined();
    await bank.issue("hkd-php/0/0");
    expect(note().lines.every(({ status }) => status === "booked")).toBe(true);
  });

  it("takes files from its folder, and puts what is none aside", async () => {
    writeFileSync(join(directory, "in", "a.xml"), instructions());
    writeFileSync(join(directory, "in", "b.xml"), "<!DOCTYPE x><x/>");
    await expect.poll(() => count("pacs.002")).toBe(1);
    await expect
      .poll(() => readFileSync(join(directory, "in", "refused", "b.xml"), "utf8"))
      .toContain("DOCTYPE");
    expect(readFileSync(join(directory, "in", "taken", "a.xml"))).toEqual(
      Buffer.from(instructions()),
    );
  });

  it("answers over HTTP only to who has its token", async () => {
    const post = (bearer: string, body: Uint8Array) =>
      fetch(`${bank.url}/v1/instructions`, {
        method: "POST",
        body: Buffer.from(body),
        headers: { Authorization: `Bearer ${bearer}`, "Content-Type": "application/xml" },
      });
    expect((await post("another-token-0123456789", instructions())).status).toBe(401);
    const answer = await post(token, instructions());
    expect([answer.status, await answer.text()]).toEqual([
      200,
      expect.stringContaining("pacs.002.001.11"),
    ]);
    const bad = await post(token, new TextEncoder().encode("<x/>"));
    expect([bad.status, await bad.json()]).toMatchObject([422, { code: "message-unknown" }]);
  });
});

describe("a fault that was asked for", () => {
  it("late: taken, and booked when it is released", async () => {
    bank.inject({ kind: "late" });
    expect(statuses(await take())).toEqual(["PDNG", "PDNG", "PDNG"]);
    expect([count("camt.053"), balances()[0]]).toEqual([0, "500000"]);
    await bank.release();
    expect([count("camt.053"), balances()]).toEqual([1, ["400000", "99500", "500"]]);
    expect(bytesOf(newest("pacs.002")).toString()).toContain("<GrpSts>ACSC</GrpSts>");
  });

  it("partial: one payment is refused with a reason, and who waits for it is not paid", async () => {
    bank.inject({ kind: "partial", account: "SEALFX0003HKD", reason: "AC06" });
    expect(statuses(await take())).toEqual(["ACSC", "RJCT AC06", "ACSC"]);
    expect(note().lines.map(({ status, reason }) => [status, reason])).toEqual([
      ["booked", undefined],
      ["rejected", "AC06"],
      ["booked", undefined],
    ]);
    await bank.retry("hkd-php/0/0");
    expect(note().lines.every(({ status }) => status === "booked")).toBe(true);
    expect(balances()).toEqual(["400000", "99500", "500"]);
  });

  it("cover: another account pays what was refused, once, and creditors have their money", async () => {
    await bank.move({
      reference: "IN",
      account: "SEALOP0000HKD",
      side: "credit",
      minor: 150_000n,
    });
    bank.inject({ kind: "partial", account: "SEALHK0001HKD", reason: "AM04" });
    await take();
    await bank.cover("hkd-php/0/0", "SEALOP0000HKD");
    await bank.cover("hkd-php/0/0", "SEALOP0000HKD");
    await bank.retry("hkd-php/0/0");
    expect(note().lines.map(({ status, reason }) => [status, reason])).toEqual([
      ["rejected", "AM04"],
      ["booked", undefined],
      ["booked", undefined],
    ]);
    expect(balances()).toEqual(["500000", "99500", "50500"]);
    // A restart finds it so.
    await bank.close();
    bank = await startBank(options());
    expect(balances()).toEqual(["500000", "99500", "50500"]);
  });

  it("wrong amount: the statement says a cent more than was booked", async () => {
    bank.inject({ kind: "wrong-amount" });
    await take();
    expect(note().lines[0]).toMatchObject({ amount: "1000.01" });
    expect([digestFits(), balances()[0]]).toEqual([true, "400000"]);
  });

  it("duplicate: a line twice, or the statement twice", async () => {
    bank.inject({ kind: "duplicate-line" });
    await take();
    expect(note().lines).toHaveLength(4);
    bank.inject({ kind: "duplicate-statement" });
    await bank.issue("hkd-php/0/0");
    const references = bank.documents().filter(({ kind }) => kind === "note");
    expect(new Set(references.map(({ reference }) => reference)).size).toBe(3);
  });

  it("wrong file: its digest is not the one that was signed", async () => {
    bank.inject({ kind: "wrong-file" });
    await take();
    expect(digestFits()).toBe(false);
  });
});

it("is a process of its own, with files beside its settings", async () => {
  writeFileSync(join(directory, "token"), `${token}\n`, { mode: 0o600 });
  writeFileSync(join(directory, "key"), `${keyLine}\n`, { mode: 0o600 });
  const settings = {
    bank: "bank.example",
    port: 0,
    tokenFile: "token",
    directory: "papers",
    accounts,
    signing: { keyFile: "key", origin: "sealane.example/2026/0" },
  };
  writeFileSync(join(directory, "bank.json"), JSON.stringify(settings));
  const main = new URL("./main.ts", import.meta.url).pathname;
  const env = { SEALANE_BANK: join(directory, "bank.json") };
  const child = spawn(process.execPath, [main], { env });
  const [line] = (await once(createInterface({ input: child.stdout }), "line")) as [string];
  const { url } = JSON.parse(line) as { url: string };
  const answer = await fetch(`${url}/v1/instructions`, {
    method: "POST",
    body: Buffer.from(instructions()),
    headers: { Authorization: `Bearer ${token}` },
  });
  expect(answer.status).toBe(200);
  child.kill("SIGTERM");
  expect(await once(child, "exit")).toEqual([0, null]);
});
