// A desk that is busy is asked again under the same key; what it refuses is refused at once.
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { askDesk, tellDesk, type DeskFlags } from "./desk-door.ts";

let folder: string;
let flags: DeskFlags;
let answers: number[] = [];
let keys: (string | string[] | undefined)[] = [];

const server = createServer((req, res) => {
  keys.push(req.headers["idempotency-key"]);
  const status = answers.shift() ?? 200;
  res.writeHead(status, { "Content-Type": "application/json", "Retry-After": "0" });
  res.end(JSON.stringify(status === 200 ? { ok: true } : { code: `code-${status}`, title: "No" }));
});

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "sealane-desk-"));
  const tokenFile = join(folder, "token");
  writeFileSync(tokenFile, "x".repeat(40));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  flags = { desk: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, tokenFile };
});
afterAll(async () => {
  await new Promise((resolve) => server.close(resolve));
  rmSync(folder, { recursive: true });
});
beforeEach(() => {
  answers = [];
  keys = [];
});

test("what a busy desk has not answered is said again under the same key", async () => {
  answers = [503, 503];
  expect(await tellDesk(flags, "/v1/x", {})).toEqual({ ok: true });
  expect(keys).toHaveLength(3);
  expect(new Set(keys).size).toBe(1);
  expect(keys[0]).toBeTypeOf("string");
});

test("a refusal is an answer, and a desk that stays busy is given up", async () => {
  answers = [422];
  await expect(tellDesk(flags, "/v1/x", {})).rejects.toMatchObject({ code: "code-422" });
  expect(keys).toHaveLength(1);
  answers = Array.from({ length: 20 }, () => 503);
  await expect(askDesk(flags, "/v1/x")).rejects.toMatchObject({ code: "code-503" });
  expect(answers).toHaveLength(12);
});

test("a desk that is not there is not waited for", async () => {
  const gone = { ...flags, desk: "http://127.0.0.1:9" };
  await expect(askDesk(gone, "/v1/x")).rejects.toMatchObject({ code: "desk-unreachable" });
});
