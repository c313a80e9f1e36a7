// Configuration: all faults at once, no values in messages, frozen result.
import { expect, test } from "vitest";
import { z } from "zod";
import { durationMs, filePath, flag, port, urlLoopbackOrHttps } from "./config-fields.ts";
import { ConfigError, loadConfig } from "./config.ts";

const schema = z.object({
  SEALANE_PORT: port.default(8083),
  SEALANE_KEY_FILE: filePath.describe("the key that signs entries"),
  SEALANE_LEDGER_URL: urlLoopbackOrHttps,
  SEALANE_WAIT: durationMs.default(250),
});

function faultsOf(env: Record<string, string>): ConfigError {
  try {
    loadConfig(schema, env);
  } catch (error) {
    if (error instanceof ConfigError) return error;
    throw error;
  }
  throw new Error("the configuration was accepted");
}

test("reads, defaults and freezes what is right", () => {
  const config = loadConfig(schema, {
    SEALANE_KEY_FILE: "/keys/op1",
    SEALANE_LEDGER_URL: "http://127.0.0.1:8083/",
    SEALANE_WAIT: "2s",
    UNRELATED: "ignored",
  });
  expect(config).toEqual({
    SEALANE_PORT: 8083,
    SEALANE_KEY_FILE: "/keys/op1",
    SEALANE_LEDGER_URL: "http://127.0.0.1:8083",
    SEALANE_WAIT: 2_000,
  });
  expect(Object.isFrozen(config)).toBe(true);
});

test("reports every fault in one error, each with its variable and what it is for", () => {
  const error = faultsOf({ SEALANE_PORT: "99999", SEALANE_LEDGER_URL: "http://ledger.example" });
  expect(error.faults.map((fault) => fault.variable)).toEqual([
    "SEALANE_PORT",
    "SEALANE_KEY_FILE",
    "SEALANE_LEDGER_URL",
  ]);
  expect(error.message).toContain("SEALANE_KEY_FILE: is not set (the key that signs entries)");
  expect(error.message).toContain("use https, or http on 127.0.0.1 only");
});

test("treats an empty value as unset and never repeats a value", () => {
  const error = faultsOf({ SEALANE_KEY_FILE: " ", SEALANE_LEDGER_URL: "ftp://user:hunter2@x" });
  expect(error.message).toContain("SEALANE_KEY_FILE: is not set");
  expect(error.message).not.toContain("hunter2");
});

test.each([
  ["0", 0],
  ["8083", 8083],
  ["65535", 65_535],
])("takes the port %s", (text, value) => {
  expect(port.parse(text)).toBe(value);
});

test.each(["", "-1", "65536", "80.5", "0x50", "8083 "])("refuses the port %j", (text) => {
  expect(port.safeParse(text).success).toBe(false);
});

test.each([
  ["250", 250],
  ["250ms", 250],
  ["5s", 5_000],
  ["2m", 120_000],
  ["1h", 3_600_000],
])("takes the duration %s", (text, value) => {
  expect(durationMs.parse(text)).toBe(value);
});

test.each(["5 s", "-5s", "1d", "1.5s", ""])("refuses the duration %j", (text) => {
  expect(durationMs.safeParse(text).success).toBe(false);
});

test.each([
  "https://ledger.example",
  "http://127.0.0.1:1",
  "http://localhost:1/log",
  "http://[::1]:1",
])("takes the URL %s", (text) => {
  expect(urlLoopbackOrHttps.parse(text)).toBe(text);
});

test.each([
  "http://10.0.0.1",
  "http://127.0.0.1.example",
  "file:///etc/passwd",
  "https://user@ledger.example",
  "https://ledger.example/?a=1",
  "ledger.example",
])("refuses the URL %s", (text) => {
  expect(urlLoopbackOrHttps.safeParse(text).success).toBe(false);
});

test("reads switches in the usual words", () => {
  expect(["1", "true", "on", "yes"].map((text) => flag.parse(text))).not.toContain(false);
  expect(["0", "false", "off", "no"].map((text) => flag.parse(text))).not.toContain(true);
  expect(flag.safeParse("maybe").success).toBe(false);
});
