// A witness that lies: it cannot stop the ledger, neither by what it says nor by what it shows. One that is
// truly ahead can, since it shows a checkpoint that our own log has signed.
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { cosignedCheckpoint, lineOf, origin, testKeys, witnessKeys } from "@sealane/rules/testing";
import {
  appendLeaf,
  composeNote,
  emptyRange,
  formatCheckpointText,
  leafHash,
  OLD_ROOT_HEADER,
  parseNote,
  rangeRoot,
  toBase64,
} from "@sealane/tlog";
import { afterEach, beforeEach, expect, test } from "vitest";
import {
  makeWitnessClient,
  type Checkpoint,
  type GrowthReader,
  type WitnessClient,
} from "./witness-client.ts";

const [witness] = witnessKeys;
const logs = [{ key: testKeys.checkpoint.key }];
const rangeOf = (size: number) =>
  Array.from({ length: size }, (_, at) => leafHash(`leaf ${at}`)).reduce(appendLeaf, emptyRange());

const checkpointOf = (size: number, key = testKeys.checkpoint): Checkpoint => {
  const root = rangeRoot(rangeOf(size));
  const text = formatCheckpointText({ origin, size, root, extensions: [] });
  return { origin, size, text, note: composeNote(text, [lineOf(key, text)]) };
};

const roots = new Map([8].map((size) => [size, rangeRoot(rangeOf(size))]));
const tree: GrowthReader = { consistency: () => [], rootAt: (size) => roots.get(size)! };

const said: (string | undefined)[] = [];
let answer: { readonly status: number; readonly body: string };
let shown: { readonly status: number; readonly body: string };
let server: Server;
let client: WitnessClient;

beforeEach(async () => {
  said.length = 0;
  server = createServer((request, response) => {
    const { status, body } = request.method === "POST" ? answer : shown;
    if (request.method === "POST") said.push(String(request.headers[OLD_ROOT_HEADER]));
    request.resume().on("end", () => response.writeHead(status).end(body));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  const url = `http://127.0.0.1:${port}`;
  client = makeWitnessClient({ name: "w1", key: witness!.key, url }, logs);
});
afterEach(async () => {
  client.close();
  await new Promise((resolve) => server.close(resolve));
});

const cosign = () => client.cosign(checkpointOf(5), tree);
const unproven = [
  ["nothing", { status: 404, body: "" }],
  ["no checkpoint", { status: 200, body: "more than you have\n" }],
  ["one by another key", { status: 200, body: checkpointOf(9, testKeys.entry).note }],
  ["a smaller one", { status: 200, body: checkpointOf(4).note }],
] as const;

test.each(unproven)("says it is ahead and shows %s: it has failed, no more", async (_, body) => {
  answer = { status: 409, body: "999999\n" };
  shown = body;
  expect(await cosign()).toMatchObject({ outcome: "failed" });
  // What it said is not remembered either.
  answer = { status: 200, body: "— nobody AAAAAAAAAAAA\n" };
  expect(await cosign()).toMatchObject({ outcome: "failed", detail: "no valid cosignature" });
});

test("shows a checkpoint that the log has signed: then it is ahead", async () => {
  answer = { status: 409, body: "9\n" };
  shown = {
    status: 200,
    body: cosignedCheckpoint(testKeys.checkpoint, rangeOf(9), [witness!], 1_800_000_000),
  };
  expect(await cosign()).toEqual({ outcome: "ahead", size: 9 });
  expect(await client.sizeOf(origin)).toBe(9);
});

test("shows something that the log has not signed: it has not said what it has seen", async () => {
  const { text } = parseNote(checkpointOf(9).note);
  shown = { status: 200, body: composeNote(text, [lineOf(testKeys.stranger, text)]) };
  expect(await client.sizeOf(origin)).toBeUndefined();
  shown = { status: 404, body: "" };
  expect(await client.sizeOf(origin)).toBe(0);
});

test("was shown another history up to a power of two: it is told our root there, for its evidence", async () => {
  shown = { status: 200, body: checkpointOf(8).note };
  expect(await client.sizeOf(origin)).toBe(8);
  answer = { status: 422, body: "the consistency proof leads to another new root\n" };
  expect(await client.cosign(checkpointOf(11), tree)).toMatchObject({ outcome: "failed" });
  expect(said).toEqual(["undefined", toBase64(rangeRoot(rangeOf(8)))]);
  shown = { status: 200, body: checkpointOf(9).note };
  expect(await client.sizeOf(origin)).toBe(9);
  expect(await client.cosign(checkpointOf(11), tree)).toMatchObject({ outcome: "failed" });
  expect(said).toHaveLength(3);
});
