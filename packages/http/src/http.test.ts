// The whole room over a listening server: every kind of bad request, its status, code and pointer.
import { afterAll, expect, test } from "vitest";
import { CORE_TOKEN, logged, OPERATOR_TOKEN, rawRequest, startTestServer } from "./test-server.ts";

const server = await startTestServer();
afterAll(() => server.close());

type Init = { method?: string; headers?: Record<string, string>; body?: string | Uint8Array };
type Told = {
  code: string;
  type: string;
  instance?: string;
  detail?: string;
  position?: number;
  errors?: { pointer: string; code: string }[];
};

async function call(path: string, init: Init = {}) {
  const response = await fetch(server.url + path, { redirect: "manual", ...init });
  const text = await response.text();
  const type = response.headers.get("content-type") ?? "";
  const body = type.includes("json") ? (JSON.parse(text) as unknown) : text;
  return { status: response.status, type, headers: response.headers, body };
}

const json = { "content-type": "application/json", "idempotency-key": "k-1" };
const post = (body: string | Uint8Array, headers: Record<string, string> = json) =>
  call("/v1/orders", { method: "POST", headers, body });

const GOOD = '{"amount":"1.00"}';
const BAD_BODIES: [name: string, body: string, status: number, code: string, pointers: string[]][] =
  [
    ["no JSON", "hello", 400, "json-malformed", [""]],
    ["an empty body", "", 400, "body-missing", [""]],
    ["a cut-off body", '{"amount":', 400, "json-malformed", ["/amount"]],
    ["a duplicate key", '{"amount":"1","amount":"2"}', 400, "json-duplicate-key", ["/amount"]],
    ["a lone surrogate", '{"amount":"\\ud800"}', 400, "json-lone-surrogate", ["/amount"]],
    [
      "too deep nesting",
      '{"amount":' + "[".repeat(33),
      400,
      "json-too-deep",
      ["/amount" + "/0".repeat(31)],
    ],
    ["a field nobody knows", '{"amount":"1","fee":"0"}', 400, "unknown-field", ["/fee"]],
    ["a missing field", "{}", 400, "required", ["/amount"]],
    ["a number as amount", '{"amount":1}', 400, "wrong-type", ["/amount"]],
    [
      "an amount with a code of its own",
      '{"amount":"1.001"}',
      400,
      "amount-too-precise",
      ["/amount"],
    ],
    [
      "two faults",
      '{"amount":"1","note":"too long","x~/y":1}',
      400,
      "too-large",
      ["/note", "/x~0~1y"],
    ],
    [
      "a union that fits no branch",
      '{"amount":"1","to":{"account":7}}',
      400,
      "wrong-type",
      ["/to/account"],
    ],
    ["an array", "[]", 400, "wrong-type", [""]],
    ["too many bytes", `{"amount":"${"1".repeat(2_000)}"}`, 413, "body-too-large", [""]],
  ];

test.each(BAD_BODIES)("refuses %s", async (_name, body, status, code, pointers) => {
  const answer = await post(body);
  const told = answer.body as Told;
  expect(answer.status).toBe(status);
  expect(answer.type).toContain("application/problem+json");
  expect(told.type).toBe(`urn:sealane:problem:${told.code}`);
  expect(told.instance).toMatch(/^urn:uuid:/);
  expect([told.code, told.errors?.[0]?.code]).toContain(code);
  expect((told.errors ?? []).map((fault) => fault.pointer)).toEqual(pointers);
});

test("takes a good body and hands over its exact bytes", async () => {
  const answer = await post(` ${GOOD} `);
  expect(answer.status).toBe(200);
  expect(answer.body).toEqual({ body: { amount: "1.00" }, bytes: GOOD.length + 2, key: "k-1" });
});

test.each([
  ["text/plain", 415],
  ["application/json; charset=latin1", 415],
  ["application/x-www-form-urlencoded", 415],
  ["application/json; charset=utf-8", 200],
  ['application/json;charset="UTF-8"', 200],
  ["application/vnd.sealane+json", 200],
])("answers content type %s with %i", async (type, status) => {
  const answer = await post(GOOD, { ...json, "content-type": type });
  expect(answer.status).toBe(status);
});

test("refuses compressed and badly encoded bodies", async () => {
  const compressed = await post(GOOD, { ...json, "content-encoding": "gzip" });
  expect([compressed.status, (compressed.body as Told).code]).toEqual([
    415,
    "content-encoding-unsupported",
  ]);
  const latin1 = await post(Buffer.from('{"amount":"\xe9"}', "latin1"));
  expect([latin1.status, (latin1.body as Told).code]).toEqual([400, "utf8-malformed"]);
});

test.each([
  [undefined, "idempotency-key-missing"],
  ['""', "idempotency-key-invalid"],
  ['"a b"', "idempotency-key-invalid"],
  ['"open', "idempotency-key-invalid"],
  ["k".repeat(256), "idempotency-key-invalid"],
])("refuses the idempotency key %s", async (key, code) => {
  const headers = { "content-type": "application/json", ...(key && { "idempotency-key": key }) };
  const { status, body } = await post(GOOD, headers);
  expect([status, (body as Told).code]).toEqual([400, code]);
});

test.each([
  ["plain-key", "plain-key"],
  ['"quoted"', "quoted"],
  ['"a\\"b\\\\c"', 'a"b\\c'],
  ["k".repeat(255), "k".repeat(255)],
])("takes the idempotency key %s", async (given, key) => {
  const { body } = await post(GOOD, { ...json, "idempotency-key": given });
  expect((body as { key: string }).key).toBe(key);
});

test.each([
  ["wait=5", 5_000, "wait=5"],
  ["respond-async, wait=100", 30_000, "wait=30"],
  ['WAIT = "7"; foo', 7_000, "wait=7"],
  ["wait=1, wait=9", 1_000, "wait=1"],
  ["wait=soon", undefined, null],
  ["return=minimal", undefined, null],
])("prefers %s", async (prefer, waitMs, applied) => {
  const { body, headers } = await post(GOOD, { ...json, prefer });
  expect((body as { waitMs?: number }).waitMs).toBe(waitMs);
  expect(headers.get("preference-applied")).toBe(applied);
});

const ID = "/v1/orders/7f6a2f0e-8f5f-4f0a-9a55-0d9f5f7b1c11";
const bearer = (token: string) => ({ headers: { authorization: `Bearer ${token}` } });

test("knows a caller by its token and says who it is", async () => {
  const { status, body } = await call(`${ID}?limit=3`, bearer(CORE_TOKEN));
  expect([status, body]).toEqual([
    200,
    { params: { id: ID.slice(11) }, query: { limit: 3 }, principal: "hk-core" },
  ]);
});

test.each([
  ["no token", {}, 401, "token-missing", 'Bearer realm="sealane"'],
  ["an unknown token", bearer("x".repeat(20)), 401, "token-invalid", "invalid_token"],
  ["another scheme", { headers: { authorization: "Basic eDp5" } }, 401, "token-invalid", "Bearer"],
  ["a token of another kind", bearer(OPERATOR_TOKEN), 403, "not-allowed", "insufficient_scope"],
])("refuses %s", async (_name, init, status, code, challenge) => {
  const answer = await call(ID, init);
  expect([answer.status, (answer.body as Told).code]).toEqual([status, code]);
  expect(answer.headers.get("www-authenticate")).toContain(challenge);
});

test.each([
  ["/v1/orders/7", "#/path/id"],
  [`${ID}?limit=11`, "#/query/limit"],
  [`${ID}?limit=1&limit=2`, "#/query/limit"],
  [`${ID}?page=1`, "#/query/page"],
])("points at what is wrong in %s", async (path, pointer) => {
  const { status, body } = await call(path, bearer(CORE_TOKEN));
  expect([status, (body as Told).errors?.[0]?.pointer]).toEqual([400, pointer]);
});

test("answers 404, 405 with Allow, OPTIONS and a malformed path", async () => {
  const nothing = await call("/v1/nothing");
  expect([nothing.status, (nothing.body as Told).code]).toEqual([404, "no-such-resource"]);
  const wrong = await call("/v1/orders", { method: "DELETE" });
  expect([wrong.status, wrong.headers.get("allow")]).toEqual([405, "POST, OPTIONS"]);
  const options = await call(ID, { method: "OPTIONS" });
  expect([options.status, options.headers.get("allow")]).toEqual([200, "GET, HEAD"]);
  const malformed = await call("/v1/orders/%ff", bearer(CORE_TOKEN));
  expect([malformed.status, (malformed.body as Told).code]).toEqual([400, "request-malformed"]);
});

test("a failure says nothing about us, and its instance is in the log", async () => {
  const answer = await call("/v1/throws");
  const told = answer.body as Told;
  expect([answer.status, told.code]).toEqual([500, "internal"]);
  expect(JSON.stringify(told)).not.toMatch(/hunter2|at .*\.ts|Error/);
  expect(logged.at(-1)).toMatchObject({ instance: told.instance });
  const later = await call("/v1/retryable");
  expect([later.status, later.headers.get("retry-after")]).toEqual([503, "1"]);
});

test("a handler may return its problem", async () => {
  const { status, body } = await call("/v1/returns");
  expect([status, (body as Told).errors]).toEqual([
    409,
    [{ pointer: "/a", detail: "Wait", code: "in-progress" }],
  ]);
});

test("reads lines with their numbers and skips blank ones", async () => {
  const { body } = await call("/v1/lines", { method: "POST", body: "a\r\n\n  \nlast" });
  expect(body).toEqual([
    { line: 1, text: "a" },
    { line: 4, text: "last" },
  ]);
});

test("refuses the first line too many", async () => {
  const answer = await call("/v1/lines", { method: "POST", body: "a\nb\nc\nd\ne\n" });
  const told = answer.body as Told;
  expect([answer.status, told.code]).toEqual([413, "too-many-lines"]);
  expect(told.detail).toContain("line 5");
});

test.each([
  [`ok\n${"x".repeat(11)}\nb\n`, "line-too-long"],
  [`ok\n${"x".repeat(300_000)}\nb`, "line-too-long"],
  [Buffer.from("6f6b0aff0a620a", "hex"), "utf8-malformed"],
])("a line that is no text is refused alone (%#)", async (body, code) => {
  const answer = await call("/v1/lines", { method: "POST", body });
  expect(answer.body).toEqual([
    { line: 1, text: "ok" },
    { line: 2, code },
    { line: 3, text: "b" },
  ]);
});

test("refuses a last line that is too long and has no end", async () => {
  const { body } = await call("/v1/lines", { method: "POST", body: "x".repeat(5_000) });
  expect(body).toEqual([{ line: 1, code: "line-too-long" }]);
});

test("says live, ready or why not, and hands metrics over", async () => {
  expect((await call("/livez")).status).toBe(200);
  expect((await call("/readyz")).status).toBe(200);
  const unready = await call("/readyz");
  expect([unready.status, unready.body]).toEqual([
    503,
    { ok: false, checks: { kafka: "no broker answers" } },
  ]);
  expect((await call("/metrics")).body).toContain("things_total 1");
});

test("takes no body as an empty one only where it may be left out", async () => {
  const closed = await call("/v1/orders/7/close", { method: "POST" });
  expect([closed.status, closed.body]).toEqual([200, { reason: "NARR" }]);
  const { status, body } = await call("/v1/orders/7/close", { method: "POST", body: "{}" });
  expect([status, (body as Told).code]).toEqual([415, "content-type-unsupported"]);
});

test("describes parts of a path, and bodies that are streams or may be left out", async () => {
  const { body } = await call("/v1/openapi.json");
  type Operation = { parameters?: object[]; requestBody?: object };
  const { paths } = body as { paths: Record<string, Record<string, Operation>> };
  const parameter = { in: "path", required: true };
  expect(paths["/v1/files/{path}"]?.["get"]?.parameters).toMatchObject([
    { name: "path", ...parameter },
  ]);
  expect(paths["/v1/orders/{number}/close"]?.["post"]).toMatchObject({
    parameters: [{ name: "number", ...parameter }],
    requestBody: { required: false },
  });
  expect(paths["/v1/lines"]?.["post"]).toMatchObject({
    requestBody: { required: true, content: { "application/x-ndjson": {} } },
  });
});

test("describes every route in OpenAPI 3.1", async () => {
  const { body } = await call("/v1/openapi.json");
  const document = body as { openapi: string; paths: Record<string, Record<string, unknown>> };
  expect(document.openapi).toBe("3.1.0");
  expect(Object.keys(document.paths)).toContain("/v1/orders/{id}");
  expect(document.paths["/v1/orders"]?.["post"]).toMatchObject({
    requestBody: { content: { "application/json": { schema: { additionalProperties: false } } } },
    responses: { default: { content: { "application/problem+json": {} } } },
  });
  expect(document.paths["/v1/orders/{id}"]?.["get"]).toMatchObject({ security: [{ bearer: [] }] });
});

test.each([
  ["not HTTP at all", "hello\r\n\r\n", "HTTP/1.1 400", "http-malformed"],
  [
    "headers over 8 KiB",
    `GET / HTTP/1.1\r\nHost: x\r\nX: ${"y".repeat(9_000)}\r\n\r\n`,
    "HTTP/1.1 431",
    "headers-too-large",
  ],
  [
    "a body that is announced as too large and never sent",
    "POST /v1/orders HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n" +
      "Content-Length: 999999\r\n\r\n",
    "HTTP/1.1 413",
    "body-too-large",
  ],
])("answers %s with a problem", async (_name, text, status, code) => {
  const answer = await rawRequest(server.port, text);
  expect(answer).toContain(status);
  expect(answer).toContain(`"code":"${code}"`);
});
