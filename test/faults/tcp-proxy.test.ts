// The proxy does what a case says it does, or the case shows nothing.
import { once } from "node:events";
import {
  createConnection,
  createServer,
  type AddressInfo,
  type Server,
  type Socket,
} from "node:net";
import { freePort } from "@sealane/infra";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { startTcpProxy, type TcpProxy } from "./tcp-proxy.ts";

let server: Server;
let proxy: TcpProxy;
const received: string[] = [];
const sockets: Socket[] = [];

beforeEach(async () => {
  received.length = 0;
  server = createServer((socket) => {
    socket.on("error", () => undefined);
    socket.on("data", (chunk) => {
      received.push(chunk.toString());
      socket.write(`echo ${chunk.toString()}`);
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  proxy = await startTcpProxy(await freePort(), (server.address() as AddressInfo).port);
});
afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.destroy();
  await proxy.stop();
  server.close();
});

const connect = () => {
  const socket = createConnection({ host: "127.0.0.1", port: proxy.port });
  sockets.push(socket);
  const told = { text: "", closed: false };
  socket.on("data", (chunk) => (told.text += chunk.toString()));
  socket.on("error", () => undefined);
  socket.on("close", () => (told.closed = true));
  return { socket, told };
};

const soon = (check: () => void): Promise<void> => vi.waitFor(check, { timeout: 5_000 });

describe("a proxy", () => {
  it("passes both ways, also when it is told to be slow, in order", async () => {
    const { socket, told } = connect();
    socket.write("one");
    await soon(() => expect(told.text).toBe("echo one"));
    proxy.set({ kind: "delay", ms: 20 });
    socket.write("two");
    await soon(() => expect(told.text).toBe("echo oneecho two"));
  });

  it("drops answers only, and lets no connection live that has lost some", async () => {
    const { socket, told } = connect();
    proxy.set({ kind: "drop-answers" });
    socket.write("one");
    await soon(() => expect(received).toEqual(["one"]));
    await new Promise((resolve) => setImmediate(resolve));
    expect(told).toEqual({ text: "", closed: false });
    proxy.set({ kind: "pass" });
    await soon(() => expect(told.closed).toBe(true));
    const again = connect();
    again.socket.write("two");
    await soon(() => expect(again.told.text).toBe("echo two"));
  });

  it("holds what comes, and cuts", async () => {
    const { socket, told } = connect();
    await once(socket, "connect");
    proxy.set({ kind: "hold" });
    socket.write("one");
    proxy.set({ kind: "cut" });
    await soon(() => expect(told.closed).toBe(true));
    const refused = connect();
    await soon(() => expect(refused.told.closed).toBe(true));
    expect(received).toEqual([]);
  });

  it("resets what is open, once or again and again", async () => {
    const one = connect();
    await once(one.socket, "connect");
    await soon(() => expect(proxy.reset()).toBeGreaterThan(0));
    await soon(() => expect(one.told.closed).toBe(true));
    const stop = proxy.resetEvery(5);
    const two = connect();
    await soon(() => expect(two.told.closed).toBe(true));
    stop();
    const three = connect();
    three.socket.write("three");
    await soon(() => expect(three.told.text).toBe("echo three"));
  });
});
