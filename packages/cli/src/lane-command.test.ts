// The operators' way to set a command aside: two keys, one file, and a ledger that is only asked and told.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { readNote } from "@sealane/protocol";
import { origin, policyText, testKeys, type TestKey } from "@sealane/rules/testing";
import { toBase64, verifierFor } from "@sealane/tlog";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { makeProgram } from "./main.ts";

const hash = `${"A".repeat(43)}=`;
const stoppedAt = { offset: "17", hash, size: 12, detail: "fail point" };
let stopped: object | undefined;
let lane: string;
let taken: string[];
let answer: { readonly status: number; readonly body: object };
let folder: string;
let ledger: string;
const printed: string[] = [];
const stdout = process.stdout.write.bind(process.stdout);
const stderr = process.stderr.write.bind(process.stderr);

const server = createServer((req, res) => {
  const chunks: Buffer[] = [];
  req.on("data", (chunk: Buffer) => chunks.push(chunk));
  req.on("end", () => {
    const asks = req.method === "GET";
    if (!asks) taken.push(Buffer.concat(chunks).toString("utf8"));
    res.writeHead(asks ? 200 : answer.status, { "Content-Type": "application/json" });
    res.end(JSON.stringify(asks ? { lane: 0, origin: lane, size: 5, stopped } : answer.body));
  });
});

const keyFile = (owner: string, { name, key, seed }: TestKey): void => {
  const id = key.keyId.toString(16).padStart(8, "0");
  const secret = toBase64(Uint8Array.of(1, ...seed));
  writeFileSync(join(folder, owner), `PRIVATE+KEY+${name}+${id}+${secret}\n`);
};

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "sealane-lane-"));
  keyFile("alice", testKeys.alice);
  keyFile("bob", testKeys.bob);
  writeFileSync(join(folder, "trust.policy"), policyText);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  ledger = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(async () => {
  rmSync(folder, { recursive: true });
  await new Promise((resolve) => server.close(resolve));
});
beforeEach(() => {
  stopped = stoppedAt;
  lane = origin;
  taken = [];
  answer = { status: 202, body: { lane: 0, offset: "17" } };
  rmSync(join(folder, "decision"), { force: true });
  printed.length = 0;
  const keep = (text: string | Uint8Array): boolean => printed.push(String(text)) > 0;
  process.stdout.write = keep;
  process.stderr.write = keep;
  process.exitCode = undefined;
});
afterEach(() => {
  process.stdout.write = stdout;
  process.stderr.write = stderr;
  process.exitCode = undefined;
});

/** @returns the exit code and what was printed */
const sealane = async (...args: string[]) => {
  printed.length = 0;
  process.exitCode = undefined;
  await makeProgram().parseAsync(["node", "sealane", "lane", ...args, "--ledger", ledger]);
  return { code: process.exitCode ?? 0, text: printed.join("") };
};

const signing = (owner: string): string[] => [
  "--operator-key",
  join(folder, owner),
  "--policy",
  join(folder, "trust.policy"),
];
const decision = (): string => join(folder, "decision");
const setAside = (owner = "alice", offset = "17", reason = "decoder-bug-412") =>
  sealane(
    "set-aside",
    "--offset",
    offset,
    "--reason",
    reason,
    "--out",
    decision(),
    ...signing(owner),
  );
const cosign = (owner = "bob") => sealane("cosign", decision(), ...signing(owner));

describe("sealane lane", () => {
  test("status says where the lane stops, and fails if it does", async () => {
    expect(await sealane("status")).toMatchObject({
      code: 1,
      text: expect.stringContaining(`stops at offset 17: 12 bytes, SHA-256 ${hash}`),
    });
    stopped = undefined;
    expect(await sealane("status")).toMatchObject({ code: 0 });
  });

  test("takes two operators to decide, and sends nothing before the second", async () => {
    expect((await setAside()).code).toBe(0);
    expect(taken).toEqual([]);
    expect((await cosign()).code).toBe(0);
    expect(taken).toEqual([readFileSync(decision(), "utf8")]);
    const note = readNote(taken[0] ?? "");
    if (!note.ok) throw new Error(note.detail);
    expect(note.note.text).toBe(
      `${origin}/set-aside/v1\n{"lane":0,"offset":"17","hash":"${hash}","reason":"decoder-bug-412"}\n`,
    );
    const verified = [testKeys.alice, testKeys.bob].map(({ key }, at) =>
      verifierFor(key).verify(
        note.note.text,
        note.note.signatures[at]?.signature ?? new Uint8Array(),
      ),
    );
    expect(verified).toEqual([true, true]);
  });

  test("signs for no command but the one at which the lane stops", async () => {
    expect(await setAside("alice", "16")).toMatchObject({ code: 1 });
    expect((await setAside()).code).toBe(0);
    for (const elsewhere of [undefined, { ...stoppedAt, hash: `${"B".repeat(42)}A=` }]) {
      stopped = elsewhere;
      expect(await cosign()).toMatchObject({
        code: 1,
        text: expect.stringContaining("the lane stops"),
      });
    }
    expect(taken).toEqual([]);
  });

  test("signs for no log but the pinned one, and not twice as the same operator", async () => {
    lane = "sealane.example/2026/1";
    expect(await setAside()).toMatchObject({ code: 1, text: expect.stringContaining("pins") });
    lane = origin;
    expect((await setAside()).code).toBe(0);
    expect(await cosign("alice")).toMatchObject({
      code: 1,
      text: expect.stringContaining("has signed it already"),
    });
    expect((await setAside()).text).toContain("exists");
    expect(await setAside("alice", "17", "No Label")).toMatchObject({ code: 1 });
    expect(taken).toEqual([]);
  });

  test("says what the ledger says when the decision does not count", async () => {
    await setAside();
    answer = {
      status: 422,
      body: { code: "signature-missing", detail: "2 operators must sign", action: "Ask another." },
    };
    expect(await cosign()).toMatchObject({
      code: 1,
      text: expect.stringContaining("2 operators must sign"),
    });
  });
});
