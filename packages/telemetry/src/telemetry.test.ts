// Telemetry of one process: spans in a file, metrics in a scrape, logs without persons.
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test, vi } from "vitest";
import { createLogger } from "./logger.ts";
import { scrub } from "./scrub.ts";
import { startTelemetry } from "./telemetry.ts";
import { makeSampler } from "./sampler.ts";
import { contextFromTraceparent, isRecorded, recorded, traceparentOf } from "./traceparent.ts";
import { makeStartSpan } from "./spans.ts";
import { ROOT_CONTEXT, trace } from "@opentelemetry/api";

const directory = mkdtempSync(join(tmpdir(), "sealane-telemetry-"));
const tracesFile = join(directory, "traces.jsonl");
const telemetry = startTelemetry({ service: "test", version: "1", tracesFile, sampleRatio: 1 });
afterAll(() => rmSync(directory, { recursive: true }));

const UNSAMPLED = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00";

test("a scrape has what was counted, with its labels, and what the process costs", async () => {
  telemetry.counter("transfers", "Transfers").add(2, { outcome: "sealed" });
  telemetry.counter("transfers", "Transfers").add(1, { outcome: "sealed" });
  telemetry.histogram("seal_ms", "Time to seal", [10, 20]).record(15);
  telemetry.gauge("unsealed_age_ms", "Age of the oldest", () => 7);
  const server = createServer((req, res) => telemetry.metricsHandler(req, res));
  await new Promise<void>((resolve) => void server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  const response = await fetch(`http://127.0.0.1:${port}/metrics`);
  const text = await response.text();
  server.closeAllConnections();
  server.close();
  expect(response.headers.get("content-type")).toContain("version=0.0.4");
  expect(text).toContain('transfers_total{outcome="sealed"} 3');
  expect(text).toContain('seal_ms_bucket{le="20"} 1');
  expect(text).toContain("unsealed_age_ms 7");
  expect(text).toMatch(/process_cpu_seconds_total \d/);
  expect(text).toMatch(/nodejs_eventloop_lag_p99_ms \d/);
  expect(text).toMatch(/nodejs_active_resources\{type="TCPServerWrap"\} 1/);
});

test("spans of one trace reach the file with their parent, attributes and early start", async () => {
  const startTimeMs = Date.now() - 1_000;
  const parent = telemetry.startSpan("request", { attributes: { lane: 0 }, startTimeMs });
  const traceparent = traceparentOf(parent);
  const child = telemetry.startSpan("seal", { parent: traceparent });
  child.end();
  parent.end();
  await telemetry.shutdown();
  const lines = readFileSync(tracesFile, "utf8").trim().split("\n");
  const spans = lines.map((line) => JSON.parse(line) as Record<string, unknown>);
  const [seal, request] = [
    spans.find((one) => one.name === "seal"),
    spans.find((one) => one.name === "request"),
  ];
  expect(seal?.["parentSpanId"]).toBe(request?.["spanId"]);
  expect(seal?.["traceId"]).toBe(request?.["traceId"]);
  expect(request?.["attributes"]).toEqual({ lane: 0 });
  expect(request?.["durationMs"]).toBeGreaterThanOrEqual(1_000);
});

test("a span under an unsampled parent records nothing and hands the decision on", () => {
  const span = telemetry.startSpan("x", { parent: UNSAMPLED });
  expect(span.isRecording()).toBe(false);
  expect(traceparentOf(span)).toBe(UNSAMPLED);
});

test("an unsampled trace can be recorded from a place on, under its own number", () => {
  expect(isRecorded(UNSAMPLED)).toBe(false);
  expect(recorded(UNSAMPLED)).toBe(`${UNSAMPLED.slice(0, -2)}01`);
  expect(isRecorded(recorded(UNSAMPLED))).toBe(true);
  expect(recorded("not a traceparent")).toBe("not a traceparent");
});

test("one trace in a thousand is recorded, the same ones in every service", () => {
  const [ours, theirs] = [makeSampler(0.001), makeSampler(0.001)];
  const recordedOf = (sampler: typeof ours, id: number): boolean =>
    sampler.shouldSample(ROOT_CONTEXT, id.toString(16).padStart(32, "0"), "", 0, {}, []).decision >
    0;
  // Every 65,537th of the numbers that the decision is made by.
  const ids = Array.from({ length: 65_536 }, (_, at) => at * 65_537);
  const taken = ids.filter((id) => recordedOf(ours, id));
  expect(taken.length).toBeGreaterThan(60);
  expect(taken.length).toBeLessThan(72);
  expect(ids.filter((id) => recordedOf(theirs, id))).toEqual(taken);
});

test("without anybody to take spans, nothing starts a trace and a parent is passed through", () => {
  const startSpan = makeStartSpan(undefined);
  expect(traceparentOf(startSpan("x"))).toBeUndefined();
  expect(traceparentOf(startSpan("x", { parent: UNSAMPLED }))).toBe(UNSAMPLED);
});

test.each([
  "",
  "00-0-0-00",
  `${UNSAMPLED}-00`,
  `01${UNSAMPLED.slice(2)}`,
  `00-${"0".repeat(32)}-b7ad6b7169203331-01`,
])("takes no parent from the traceparent %j", (text) => {
  expect(trace.getSpanContext(contextFromTraceparent(text))).toBeUndefined();
});

test("personal fields and secrets are cut out at any depth, ids and outcomes stay", () => {
  const fields = {
    transferId: "7f6a",
    outcome: "sealed",
    amount: 12n,
    step: { name: "x" },
    payer: { account: "+85290000001", payerName: "Chan" },
    list: [{ msisdn: "1", seed: "s", nested: { adapterToken: "t", salt: "x" } }],
    detail: "credited +639170000001 at once",
    bytes: new Uint8Array(3),
  };
  expect(scrub(fields)).toEqual({
    transferId: "7f6a",
    outcome: "sealed",
    amount: "12",
    step: { name: "[redacted]" },
    payer: { account: "[redacted]", payerName: "[redacted]" },
    list: [
      {
        msisdn: "[redacted]",
        seed: "[redacted]",
        nested: { adapterToken: "[redacted]", salt: "[redacted]" },
      },
    ],
    detail: "credited [number] at once",
    bytes: "[3 bytes]",
  });
});

test("scrubbing ends on an object that holds itself", () => {
  const loop: Record<string, unknown> = { id: 1 };
  loop["self"] = loop;
  expect(JSON.stringify(scrub(loop))).toContain("[deeper]");
});

test("a log line has service, time, level and error, without the error's own properties", async () => {
  const file = join(directory, "service.log");
  const logger = createLogger({ service: "ledger", file });
  const cause = new Error("no answer from +85290000001");
  const err = Object.assign(new Error("failed", { cause }), {
    code: "x",
    request: { body: "hunter2" },
  });
  logger.info({ account: "+85290000001", outcome: "credited" }, "transfer credited");
  logger.error({ err }, "request failed");
  logger.debug("not written");
  const lines = await vi.waitFor(() => {
    const text = readFileSync(file, "utf8").trim().split("\n");
    if (text.length < 2) throw new Error("not written yet");
    return text.map((line) => JSON.parse(line) as Record<string, unknown>);
  });
  expect(lines).toHaveLength(2);
  expect(lines[0]).toMatchObject({
    level: "info",
    service: "ledger",
    account: "[redacted]",
    msg: "transfer credited",
  });
  expect(lines[1]?.["err"]).toMatchObject({
    type: "Error",
    code: "x",
    cause: { message: "no answer from [number]" },
  });
  expect(readFileSync(file, "utf8")).not.toMatch(/hunter2|85290000001/);
});
