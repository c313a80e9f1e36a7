// The whole protocol of tlog-witness against a witness that listens, with real keys, files and forks.
import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createHttpApp, startHttp, type HttpServer } from "@sealane/http";
import { cosigner, fileSigner, generateKeyFile, KEY_TYPE, type Signer } from "@sealane/signer";
import {
  composeNote,
  consistencyProof,
  cosignatureTime,
  EMPTY_ROOT,
  formatAddCheckpoint,
  formatCheckpointText,
  leafHash,
  nodeHash,
  openNote,
  parseNote,
  parseVerifierKey,
  rootOf,
  sha256,
  toBase64,
  toHex,
  verifierFor,
} from "@sealane/tlog";
import { afterAll, afterEach, beforeEach, expect, test } from "vitest";
import { mountWitness } from "./mount.ts";
import { createWitness } from "./witness.ts";
import type { BeforeCosign, Witness } from "./witness-types.ts";

const directory = mkdtempSync(join(tmpdir(), "sealane-witness-"));
afterAll(() => rmSync(directory, { recursive: true }));

const vectors = new URL("../../tlog/vectors/go-vectors.json", import.meta.url);
const goVectors = JSON.parse(readFileSync(vectors, "utf8")) as { note: string; vkey: string };

const ORIGIN = "ledger.example/2026/0";
const OTHER = "ledger.example/keys";
const keyFile = join(directory, "witness-key");
const { vkey: witnessKey } = await generateKeyFile(
  keyFile,
  "auditor.example/w",
  KEY_TYPE.cosignature,
);
const log = await signer("log", ORIGIN);
const keyLog = await signer("keylog", OTHER);
const stranger = await signer("stranger", ORIGIN);

async function signer(file: string, name: string): Promise<Signer> {
  await generateKeyFile(join(directory, file), name);
  return fileSigner(join(directory, file));
}

/** Leaves of a log; `fork` makes other leaves from a place on. */
const leaves = (size: number, forkAt = size): Uint8Array[] =>
  Array.from({ length: size }, (_, at) => leafHash(at < forkAt ? `leaf ${at}` : `forged ${at}`));

function proof(oldSize: number, newSize: number, all: readonly Uint8Array[]): Uint8Array[] {
  const read = (level: number, index: number): Uint8Array => {
    if (level === 0) return all[index] as Uint8Array;
    return nodeHash(read(level - 1, 2 * index), read(level - 1, 2 * index + 1));
  };
  return consistencyProof(oldSize, newSize, read);
}

type Shape = {
  by?: Signer[];
  forkAt?: number;
  origin?: string;
  root?: Uint8Array;
  proof?: Uint8Array[];
};

/** The body of a request from `oldSize` to `newSize`. */
async function request(oldSize: number, newSize: number, shape: Shape = {}): Promise<string> {
  const all = leaves(newSize, shape.forkAt);
  const root = shape.root ?? rootOf(all);
  const origin = shape.origin ?? ORIGIN;
  const text = formatCheckpointText({ origin, size: newSize, root, extensions: [] });
  const lines = await Promise.all((shape.by ?? [log]).map((one) => one.signLine(text)));
  const path = shape.proof ?? (oldSize <= newSize ? proof(oldSize, newSize, all) : []);
  return formatAddCheckpoint({ oldSize, proof: path, checkpoint: composeNote(text, lines) });
}

let files = 0;
let stateFile = "";
let nowMs = 0;
let servers: HttpServer[] = [];

beforeEach(() => {
  stateFile = join(directory, `state-${(files += 1)}`);
  nowMs = 1_795_347_844_000;
});
afterEach(async () => {
  for (const server of servers) await server.close();
  servers = [];
});

/** Opens the witness on its state file; again after a restart. */
async function open(onBeforeCosign?: BeforeCosign) {
  const witness = await createWitness({
    cosigner: await cosigner(keyFile),
    stateFile,
    logs: [
      { origin: ORIGIN, vkey: log.vkey },
      { origin: OTHER, vkey: keyLog.vkey },
    ],
    clock: () => nowMs,
    ...(onBeforeCosign === undefined ? {} : { onBeforeCosign }),
  });
  const add = async (oldSize: number, newSize: number, shape?: Shape) =>
    witness.addCheckpoint(await request(oldSize, newSize, shape));
  return { witness, add };
}

const evidence = (): string[] => {
  try {
    return readdirSync(`${stateFile}.evidence`).map((name) => name.split(".")[0] ?? "");
  } catch {
    return [];
  }
};

test("cosigns a first checkpoint and each that grows, at its clock's time", async () => {
  const { witness, add } = await open();
  for (const [oldSize, newSize] of [
    [0, 1],
    [1, 2],
    [2, 7],
    [7, 8],
    [8, 100],
    [100, 100],
  ] as const) {
    nowMs += 1_500;
    const body = await request(oldSize, newSize);
    const answer = await witness.addCheckpoint(body);
    expect(answer.status).toBe(200);
    const checkpoint = body.slice(body.indexOf("\n\n") + 2);
    const keys = [witnessKey, log.vkey].map((vkey) => verifierFor(parseVerifierKey(vkey)));
    const { verified } = openNote(checkpoint + answer.body, keys);
    expect(verified).toHaveLength(2);
    const mine = verified.find((one) => one.name === "auditor.example/w");
    expect(cosignatureTime(mine?.signature ?? EMPTY_ROOT)).toBe(Math.floor(nowMs / 1_000));
  }
  expect((await add(100, 100)).status).toBe(200);
});

test("takes an empty log, with the empty root only", async () => {
  const { add } = await open();
  expect((await add(0, 0, { root: sha256("x") })).status).toBe(422);
  expect((await add(0, 0)).status).toBe(200);
  expect((await add(0, 3)).status).toBe(200);
});

test.each<[name: string, status: number, oldSize: number, newSize: number, shape: Shape]>([
  ["an origin it does not know", 404, 5, 6, { origin: "other.example" }],
  ["a checkpoint that only a stranger signed", 403, 5, 6, { by: [stranger] }],
  ["a checkpoint signed by the key of another log", 403, 5, 6, { by: [keyLog] }],
  ["an old size above the checkpoint's", 400, 7, 6, {}],
  ["an old size below what it has", 409, 4, 6, {}],
  ["an old size above what it has", 409, 6, 7, {}],
  ["a proof too long", 422, 5, 6, { proof: [EMPTY_ROOT, EMPTY_ROOT, EMPTY_ROOT, EMPTY_ROOT] }],
  ["no proof", 422, 5, 6, { proof: [] }],
  ["a fork that goes on", 422, 5, 9, { forkAt: 4 }],
  ["another root for the same size", 422, 5, 5, { forkAt: 4 }],
  ["a proof where none belongs", 422, 5, 5, { proof: [EMPTY_ROOT] }],
])("answers %s with %i and stays where it was", async (_name, status, oldSize, newSize, shape) => {
  const { witness, add } = await open();
  await add(0, 5);
  const state = readFileSync(stateFile, "utf8");
  const answer = await add(oldSize, newSize, shape);
  expect(answer.status).toBe(status);
  const sized = answer.contentType === "text/x.tlog.size" && answer.body === "5\n";
  expect(sized).toBe(status === 409);
  expect(witness.heads()).toMatchObject([{ origin: ORIGIN, size: 5 }]);
  expect(readFileSync(stateFile, "utf8")).toBe(state);
  expect((await add(5, 6)).status).toBe(200);
});

test("a first request with a proof is refused", async () => {
  const { add } = await open();
  expect((await add(0, 3, { proof: [EMPTY_ROOT] })).status).toBe(422);
});

test.each([
  ["nothing", ""],
  ["no old size", "\nx\n1\n"],
  ["a leading zero", "old 01\n\n"],
  ["no checkpoint", "old 0\n\n"],
  ["a hash that is none", "old 0\nAAAA\n\n"],
])("answers %s with 400", async (_name, body) => {
  const { witness } = await open();
  expect((await witness.addCheckpoint(body)).status).toBe(400);
});

test("ignores lines of keys it does not know, and drops them from what it serves", async () => {
  const { witness, add } = await open();
  expect((await add(0, 3, { by: [stranger, log, keyLog] })).status).toBe(200);
  const note = witness.latest(toHex(sha256(ORIGIN))) ?? "";
  const names = note.split("\n").filter((line) => line.startsWith("—"));
  expect(names.map((line) => line.split(" ")[1])).toEqual([ORIGIN, "auditor.example/w"]);
});

test("a broken signature of the log spoils the note, whatever else signed it", async () => {
  const { witness } = await open();
  const good = await request(0, 3);
  const at = good.length - 20;
  const bad = good.slice(0, at) + (good[at] === "A" ? "B" : "A") + good.slice(at + 1);
  expect((await witness.addCheckpoint(bad)).status).toBe(403);
});

test("remembers across a restart, for each log by itself", async () => {
  const first = await open();
  await first.add(0, 5);
  await first.add(0, 2, { origin: OTHER, by: [keyLog] });
  const again = await open();
  expect(again.witness.heads().map(({ origin, size }) => [origin, size])).toEqual([
    [ORIGIN, 5],
    [OTHER, 2],
  ]);
  expect((await again.add(0, 9)).status).toBe(409);
  expect((await again.add(5, 9, { forkAt: 3 })).status).toBe(422);
  expect((await again.add(5, 9)).status).toBe(200);
  expect((await again.add(2, 3, { origin: OTHER, by: [keyLog] })).status).toBe(200);
});

test.each([
  ["cut short", (text: string) => text.slice(0, -30)],
  ["edited to a smaller size", (text: string) => text.replace('"size":5', '"size":4')],
  ["emptied", () => ""],
])("does not start on a state file that was %s", async (_name, damage) => {
  await (await open()).add(0, 5);
  const damaged = damage(readFileSync(stateFile, "utf8"));
  expect(damaged).not.toBe(readFileSync(stateFile, "utf8"));
  writeFileSync(stateFile, damaged);
  await expect(open()).rejects.toMatchObject({ code: "witness-state-damaged" });
});

test("a state that cannot be written is an error, and nothing counts as cosigned", async () => {
  stateFile = join(directory, "missing-directory", "state");
  const { witness, add } = await open();
  await expect(add(0, 5)).rejects.toMatchObject({ code: "ENOENT" });
  expect(witness.heads()).toEqual([]);
});

test("keeps what the log signed against itself, beside what it contradicts", async () => {
  const { witness, add } = await open();
  await add(0, 5);
  const cosigned = witness.latest(toHex(sha256(ORIGIN)));
  await add(5, 5, { forkAt: 4 });
  await add(5, 5, { forkAt: 4 });
  expect(evidence()).toEqual(["two-roots-for-one-size"]);
  const [file] = readdirSync(`${stateFile}.evidence`);
  const kept = JSON.parse(
    readFileSync(join(`${stateFile}.evidence`, file ?? ""), "utf8"),
  ) as Record<string, string>;
  expect(kept["cosigned"]).toBe(cosigned);
  const keys = [verifierFor(parseVerifierKey(log.vkey))];
  const roots = [kept["cosigned"], kept["offered"]].map((note) => openNote(note ?? "", keys).text);
  expect(new Set(roots).size).toBe(2);
});

test("keeps a fork that comes with a wrong old size too, and a growth that is not proven", async () => {
  const { add } = await open();
  await add(0, 5);
  expect((await add(0, 5, { forkAt: 2 })).status).toBe(409);
  expect((await add(5, 9, { forkAt: 2 })).status).toBe(422);
  expect((await add(4, 9)).status).toBe(409);
  const fork = "two-roots-for-one-size"; // the larger's own proof says which root it has at five
  expect(evidence()).toEqual([fork, fork]);
  expect((await add(5, 10, { forkAt: 2, proof: [] })).status).toBe(422);
  expect(evidence().toSorted()).toEqual(["growth-not-proven", fork, fork]);
});

test("keeps nothing of what contradicts nothing; of a power of two a proof does not say the root", async () => {
  const { add } = await open();
  expect((await add(0, 4, { proof: [leafHash("x")] })).status).toBe(422);
  await add(0, 4);
  expect((await add(4, 4, { proof: [leafHash("x")] })).status).toBe(422);
  expect(evidence()).toEqual([]);
  expect((await add(4, 9, { forkAt: 2 })).status).toBe(422);
  expect(evidence()).toEqual(["growth-not-proven"]);
});

test("asks its owner before it cosigns, with what was cosigned before", async () => {
  const seen: unknown[] = [];
  let verdict: Awaited<ReturnType<BeforeCosign>> = { ok: true };
  const { witness, add } = await open(async ({ size, previous }) => {
    seen.push([size, previous?.size]);
    return verdict;
  });
  await add(0, 5);
  verdict = { ok: false, reason: "our entry 3 is missing", retryable: true };
  expect(await add(5, 6)).toMatchObject({ status: 503, body: "our entry 3 is missing\n" });
  expect(evidence()).toEqual([]);
  verdict = { ok: false, reason: "a signature that we did not make" };
  expect((await add(5, 6)).status).toBe(422);
  expect(evidence()).toEqual(["refused-by-owner"]);
  expect(witness.heads()[0]?.size).toBe(5);
  verdict = { ok: true };
  expect((await add(5, 6)).status).toBe(200);
  expect(seen).toEqual([
    [5, undefined],
    [6, 5],
    [6, 5],
    [6, 5],
  ]);
});

test("of two requests at once for one log, one counts and the other gets the new size", async () => {
  const { witness } = await open();
  const bodies = await Promise.all([request(0, 5), request(0, 8), request(0, 5, { forkAt: 1 })]);
  const answers = await Promise.all(bodies.map((body) => witness.addCheckpoint(body)));
  expect(answers.map((answer) => answer.status)).toEqual([200, 409, 409]);
  expect(answers[1]?.body).toBe("5\n");
});

test("sheds when too many wait for a log whose owner is slow", async () => {
  let release = (): void => {};
  const slow = new Promise<void>((resolve) => (release = resolve));
  const { witness } = await open(async () => {
    await slow;
    return { ok: true };
  });
  const body = await request(0, 5);
  const answers = Array.from({ length: 17 }, () => witness.addCheckpoint(body));
  expect((await answers[16])?.status).toBe(503);
  release();
  const statuses = (await Promise.all(answers)).map((answer) => answer.status);
  expect(statuses.filter((status) => status === 200)).toHaveLength(1);
});

async function listen(witness: Witness): Promise<HttpServer> {
  const app = createHttpApp({ name: "test" });
  mountWitness(app, "/witness", witness);
  const server = await startHttp({ app, port: 0 });
  servers.push(server);
  return server;
}

test("speaks the protocol over HTTP", async () => {
  const { witness } = await open();
  const { url } = await listen(witness);
  const address = `${url}/witness/${toHex(sha256(ORIGIN))}/checkpoint`;
  expect((await fetch(address)).status).toBe(404);
  expect((await fetch(`${url}/witness/abc/checkpoint`)).status).toBe(404);
  const post = (body: string) => fetch(`${url}/witness/add-checkpoint`, { method: "POST", body });
  const answer = await post(await request(0, 5));
  const line = await answer.text();
  expect([answer.status, line.slice(0, 20)]).toEqual([200, "— auditor.example/w "]);
  const conflict = await post(await request(0, 5));
  expect([conflict.status, conflict.headers.get("content-type"), await conflict.text()]).toEqual([
    409,
    "text/x.tlog.size",
    "5\n",
  ]);
  const served = await fetch(address);
  const note = await served.text();
  const keys = [witnessKey, log.vkey].map((vkey) => verifierFor(parseVerifierKey(vkey)));
  expect(openNote(note, keys).verified).toHaveLength(2);
  expect(note).toContain(line);
  expect((await post("x".repeat(16_385))).status).toBe(413);
  expect((await fetch(`${url}/witness/add-checkpoint`)).status).toBe(405);
});

test("refuses to start with a log key that cosigns, or a cosigner key that others can read", async () => {
  const logs = [{ origin: ORIGIN, vkey: witnessKey }];
  const key = await cosigner(keyFile);
  await expect(createWitness({ cosigner: key, stateFile, logs })).rejects.toMatchObject({
    code: "witness-log-key",
  });
  chmodSync(keyFile, 0o644);
  await expect(cosigner(keyFile)).rejects.toMatchObject({ code: "secret-exposed" });
  chmodSync(keyFile, 0o600);
});

test("serves logs of others: one that Go wrote, and one named otherwise than its key, with extensions", async () => {
  const { note, vkey } = goVectors;
  const named = await signer("sumdb", "sum.example");
  const origin = "go.sum database tree";
  const witness = await createWitness({
    cosigner: await cosigner(keyFile),
    stateFile,
    logs: [
      { origin: vkey.slice(0, vkey.indexOf("+")), vkey },
      { origin, vkey: named.vkey },
    ],
    clock: () => nowMs,
  });
  const ask = (checkpoint: string) =>
    witness.addCheckpoint(formatAddCheckpoint({ oldSize: 0, proof: [], checkpoint }));
  const known = [verifierFor(parseVerifierKey(witnessKey))];
  const goAnswer = await ask(note);
  expect(goAnswer.status).toBe(200);
  const { text } = parseNote(note);
  expect(openNote(`${text}\n${goAnswer.body}`, known).verified).toHaveLength(1);
  const extended = `${origin}\n7\n${toBase64(rootOf(leaves(7)))}\nan extension line\n`;
  const answer = await ask(composeNote(extended, [await named.signLine(extended)]));
  expect(answer.status).toBe(200);
  expect(openNote(`${extended}\n${answer.body}`, known).verified).toHaveLength(1);
});
