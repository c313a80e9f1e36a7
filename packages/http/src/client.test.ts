// Outgoing calls: what counts as done, as never sent, and as unknown.
import { createServer, type RequestListener, type Server } from "node:http";
import { createServer as createTcpServer, type AddressInfo } from "node:net";
import { afterEach, expect, test } from "vitest";
import { httpClient } from "./client.ts";

const servers: Server[] = [];
afterEach(() => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections();
    server.close();
  }
});

async function serve(listener: RequestListener): Promise<string> {
  const server = createServer(listener);
  servers.push(server);
  await new Promise<void>((resolve) => void server.listen(0, "127.0.0.1", resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** A port on which nothing listens: it was free a moment ago. */
async function freePort(): Promise<number> {
  const probe = createTcpServer();
  await new Promise<void>((resolve) => void probe.listen(0, "127.0.0.1", resolve));
  const { port } = probe.address() as AddressInfo;
  await new Promise<void>((resolve) => void probe.close(() => resolve()));
  return port;
}

test("posts with the token, and hands on whatever status comes", async () => {
  const baseUrl = await serve((req, res) => {
    res.writeHead(409, { "X-Seen": `${req.headers.authorization} ${req.headers["content-type"]}` });
    req.on("data", (chunk: Buffer) => void res.write(chunk)).on("end", () => void res.end());
  });
  const client = httpClient({ baseUrl, token: "t-1", timeoutMs: 5_000 });
  const answer = await client.post("/x", '{"é":1}', { headers: { "X-More": "1" } });
  expect(answer).toMatchObject({ outcome: "ok", status: 409, body: '{"é":1}' });
  expect(answer.outcome === "ok" && answer.headers["x-seen"]).toBe("Bearer t-1 application/json");
  client.close();
});

test("keeps its connection", async () => {
  const ports = new Set<number | undefined>();
  const baseUrl = await serve((req, res) => {
    ports.add(req.socket.remotePort);
    res.end("ok");
  });
  const client = httpClient({ baseUrl, timeoutMs: 5_000, connections: 1 });
  for (let calls = 0; calls < 5; calls += 1) await client.get("/");
  expect(ports.size).toBe(1);
  client.close();
});

test("does not follow a redirect", async () => {
  const baseUrl = await serve((_req, res) => {
    res.writeHead(302, { Location: "http://127.0.0.1:1/" }).end();
  });
  const client = httpClient({ baseUrl, timeoutMs: 5_000 });
  expect(await client.get("/")).toMatchObject({ outcome: "ok", status: 302 });
  client.close();
});

test("a refused connection is a failure: nothing left", async () => {
  const client = httpClient({ baseUrl: `http://127.0.0.1:${await freePort()}`, timeoutMs: 5_000 });
  expect(await client.post("/x", "{}")).toMatchObject({ outcome: "failed" });
  client.close();
});

test.each<[name: string, listener: RequestListener]>([
  ["no answer within the deadline", () => {}],
  ["a connection cut before the answer", (req) => void req.socket.destroy()],
  [
    "an answer that is cut off",
    (req, res) => {
      res.writeHead(200, { "Content-Length": "100" });
      res.write("half");
      setImmediate(() => req.socket.destroy());
    },
  ],
  ["an answer larger than allowed", (_req, res) => void res.end("x".repeat(2_000))],
])("%s is unknown", async (_name, listener) => {
  const baseUrl = await serve(listener);
  const client = httpClient({ baseUrl, timeoutMs: 100, maxAnswer: 1_000 });
  expect(await client.post("/x", "{}")).toMatchObject({ outcome: "unknown" });
  client.close();
});
