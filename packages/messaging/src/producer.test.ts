import { describe, expect, it, vi } from "vitest";
import { fakeLink, protocolError, type FakeHandlers } from "./fake-link.ts";
import { createProducer } from "./producer.ts";

const STORED = new Map<string, unknown>();
const record = (value: string, topic = "t") => ({ topic, value });

/** A producer whose requests wait for the test: `requests[i].answer(faults)`. */
function heldProducer() {
  const requests: { values: string[]; answer: (faults: Map<string, unknown>) => void }[] = [];
  const produce: FakeHandlers["produce"] = (batches) =>
    new Promise((answer) => {
      const values = [...batches.values()].flat().map(({ value }) => value.toString());
      requests.push({ values, answer });
    });
  return { requests, producer: createProducer(() => fakeLink({ produce })) };
}

/** A producer whose nth request ends as the nth of `ends` says; later ones succeed. */
function scriptedProducer(ends: readonly (Map<string, unknown> | Error)[]) {
  const sent: string[][] = [];
  const links: ReturnType<typeof fakeLink>[] = [];
  const produce: FakeHandlers["produce"] = async (batches) => {
    sent.push([...batches.values()].flat().map(({ value }) => value.toString()));
    const end = ends[sent.length - 1] ?? STORED;
    if (end instanceof Error) throw end;
    return end;
  };
  const producer = createProducer(() => {
    const link = fakeLink({ produce });
    links.push(link);
    return link;
  });
  return { producer, sent, links };
}

describe("queueing", () => {
  it("sends what came during a request together in the next one, in order", async () => {
    const { producer, requests } = heldProducer();
    const sends = ["a", "b", "c"].map((value) => producer.send([record(value)]));
    await vi.waitFor(() => expect(requests).toHaveLength(1));
    expect(producer.pendingRecords()).toBe(3);
    requests[0]?.answer(STORED);
    await vi.waitFor(() => expect(requests).toHaveLength(2));
    requests[1]?.answer(STORED);
    await Promise.all(sends);
    expect(requests.map(({ values }) => values)).toEqual([["a"], ["b", "c"]]);
    expect(producer.pendingRecords()).toBe(0);
  });

  it("resolves an empty batch without a request", async () => {
    const { producer, requests } = heldProducer();
    await producer.send([]);
    expect(requests).toEqual([]);
  });

  it("refuses more when 64 MiB wait already", async () => {
    const { producer } = heldProducer();
    const big = Array.from({ length: 80 }, () => ({ topic: "t", value: new Uint8Array(880_000) }));
    const first = producer.send(big).catch((error: unknown) => error);
    await expect(producer.send([record("x")])).rejects.toMatchObject({ code: "queue-full" });
    await producer.stop(0);
    expect(await first).toBeInstanceOf(Error);
  });
});

describe("faults", () => {
  it("sends again over a new link until it is stored", async () => {
    const { producer, sent, links } = scriptedProducer([new Error("lost"), new Error("lost")]);
    await producer.send([record("a")]);
    expect(sent).toEqual([["a"], ["a"], ["a"]]);
    expect(links.map(({ closed }) => closed)).toEqual([true, true, false]);
  });

  it("keeps later sends behind one that is being repeated", async () => {
    const { producer, sent } = scriptedProducer([new Error("lost")]);
    await Promise.all([producer.send([record("a")]), producer.send([record("b")])]);
    expect(sent).toEqual([["a"], ["a"], ["b"]]);
  });

  it("rejects with failed what the broker refuses, and not its neighbours", async () => {
    const tooLarge = new Map([["t", protocolError("MESSAGE_TOO_LARGE")]]);
    const { producer, sent } = scriptedProducer([STORED, tooLarge, tooLarge]);
    const first = producer.send([record("first")]);
    const refused = producer.send([record("huge")]);
    const fine = producer.send([record("fine")]);
    await expect(refused).rejects.toMatchObject({ code: "failed" });
    await Promise.all([first, fine]);
    expect(sent).toEqual([["first"], ["huge", "fine"], ["huge"], ["fine"]]);
  });

  it("settles a send whose topics took it while another topic's leader moved", async () => {
    const moved = new Map([["b", protocolError("NOT_LEADER_FOR_PARTITION")]]);
    const { producer, sent } = scriptedProducer([STORED, moved]);
    const first = producer.send([record("first")]);
    await Promise.all([
      first,
      producer.send([record("1", "a")]),
      producer.send([record("2", "b")]),
    ]);
    expect(sent).toEqual([["first"], ["1", "2"], ["2"]]);
  });

  it("gives up a topic that does not exist, certainly not stored", async () => {
    const unknown = new Map([["t", protocolError("UNKNOWN_TOPIC_OR_PARTITION")]]);
    const { producer, sent } = scriptedProducer(Array.from({ length: 50 }, () => unknown));
    await expect(producer.send([record("x")])).rejects.toMatchObject({ code: "failed" });
    expect(sent.length).toBeLessThan(10);
  });
});

describe("deadlines", () => {
  it("rejects with unknown-outcome when a request may have been stored", async () => {
    const { producer } = scriptedProducer(Array.from({ length: 99 }, () => new Error("lost")));
    const send = producer.send([record("x")], { deadlineMs: 150 });
    await expect(send).rejects.toMatchObject({ code: "unknown-outcome", retryable: false });
    expect(producer.pendingRecords()).toBe(0);
  });

  it("rejects with unknown-outcome in the middle of a request without an answer", async () => {
    const { producer } = heldProducer();
    const send = producer.send([record("x")], { deadlineMs: 50 });
    await expect(send).rejects.toMatchObject({ code: "unknown-outcome" });
  });

  it("rejects with failed when the broker was never reached", async () => {
    const locate = (): Promise<void> => Promise.reject(new Error("refused"));
    const producer = createProducer(() => fakeLink({ locate }));
    const send = producer.send([record("x")], { deadlineMs: 50 });
    await expect(send).rejects.toMatchObject({ code: "failed", retryable: true });
  });

  it("rejects with failed what still waited behind another", async () => {
    const { producer } = heldProducer();
    const first = producer.send([record("first")]).catch(() => undefined);
    const second = producer.send([record("second")], { deadlineMs: 50 });
    await expect(second).rejects.toMatchObject({ code: "failed" });
    await producer.stop(0);
    await first;
  });
});

describe("stop", () => {
  it("waits for what is pending and refuses what comes later", async () => {
    const { producer, requests } = heldProducer();
    const send = producer.send([record("x")]);
    await vi.waitFor(() => expect(requests).toHaveLength(1));
    const stopped = producer.stop();
    requests[0]?.answer(STORED);
    await Promise.all([send, stopped]);
    await expect(producer.send([record("y")])).rejects.toMatchObject({ code: "closed" });
  });
});
