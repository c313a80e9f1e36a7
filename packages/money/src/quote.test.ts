import { expect, test } from "vitest";
import { quoteFixedReceive, quoteFixedSend } from "./quote.ts";
import { BHD, HKD, JPY, PHP, rate } from "./test-currencies.ts";

const prices = {
  from: HKD,
  to: PHP,
  rate: rate("8.1165"),
  feeBasisPoints: "41",
  feeMinimum: 0n,
};

test("takes the fee off, then converts once, rounded down", () => {
  expect(quoteFixedSend({ ...prices, send: 100_000n })).toEqual({
    ok: true,
    send: 100_000n,
    fee: 410n,
    converted: 99_590n,
    receive: 808_322n,
    residue: "0.00235",
  });
});

test("charges at least the minimum fee", () => {
  expect(quoteFixedSend({ ...prices, send: 100_000n, feeMinimum: 500n })).toMatchObject({
    fee: 500n,
    converted: 99_500n,
  });
  expect(quoteFixedSend({ ...prices, send: 100_000n, feeMinimum: 410n })).toMatchObject({
    fee: 410n,
  });
});

test("finds the smallest amount to send for an exact amount received", () => {
  expect(quoteFixedReceive({ ...prices, receive: 811_650n })).toEqual({
    ok: true,
    send: 100_412n,
    fee: 412n,
    converted: 100_000n,
    receive: 811_650n,
    residue: "0",
  });
  expect(quoteFixedReceive({ ...prices, receive: 811_650n, feeMinimum: 500n })).toMatchObject({
    send: 100_500n,
    fee: 500n,
    residue: "0",
  });
});

test("keeps what a coarse currency converts beyond the asked amount", () => {
  const coarse = { from: JPY, to: BHD, rate: rate("0.0025"), feeBasisPoints: "0", feeMinimum: 0n };
  expect(quoteFixedReceive({ ...coarse, receive: 4n })).toEqual({
    ok: true,
    send: 2n,
    fee: 0n,
    converted: 2n,
    receive: 4n,
    residue: "0.001",
  });
});

test("gives no price where the fee leaves nothing", () => {
  const refused = { ok: false, code: "converted-not-positive" };
  expect(quoteFixedSend({ ...prices, send: 0n })).toEqual(refused);
  expect(quoteFixedSend({ ...prices, send: -5n })).toEqual(refused);
  expect(quoteFixedSend({ ...prices, send: 500n, feeMinimum: 500n })).toEqual(refused);
  expect(quoteFixedSend({ ...prices, send: 1n })).toEqual(refused);
  expect(quoteFixedSend({ ...prices, send: 100n, feeBasisPoints: "10000" })).toEqual(refused);
  expect(quoteFixedReceive({ ...prices, receive: 1n, feeBasisPoints: "10000" })).toEqual(refused);
});

test("gives no price where nothing would be paid out", () => {
  const refused = { ok: false, code: "receive-not-positive" };
  const tiny = { ...prices, rate: rate("0.001"), feeBasisPoints: "0" };
  expect(quoteFixedSend({ ...tiny, send: 999n })).toEqual(refused);
  expect(quoteFixedSend({ ...tiny, send: 1000n })).toMatchObject({ ok: true, receive: 1n });
  expect(quoteFixedReceive({ ...prices, receive: 0n })).toEqual(refused);
  expect(quoteFixedReceive({ ...prices, receive: -1n })).toEqual(refused);
});

test("refuses a price list that is broken", () => {
  expect(() => quoteFixedSend({ ...prices, send: 1n, feeMinimum: -1n })).toThrow(
    expect.objectContaining({ code: "amount-negative" }) as Error,
  );
  expect(() => quoteFixedReceive({ ...prices, receive: 1n, feeBasisPoints: "x" })).toThrow(
    expect.objectContaining({ code: "basis-points-malformed" }) as Error,
  );
});
