// Whose token opens the entries, and from when until when.
import { auditorTokenText, formatTime, tokenOfNote } from "@sealane/protocol";
import { describe, expect, it } from "vitest";
import { auditorOf } from "./auditor-access.ts";
import type { KeyState } from "./key-state.ts";
import { genesisMs, makeGenesis, testKeys } from "./testing/genesis.ts";
import { lineOf, type TestKey } from "./testing/keys.ts";

const keyLog = makeGenesis();
const state = keyLog.history().states.at(-1) as KeyState;
const day = 24 * 3_600_000;

const tokenBy = (key: TestKey, days = 7, origin = state.origin): string => {
  const until = formatTime(genesisMs + days * day);
  const body = { auditor: "auditor.example", from: formatTime(genesisMs), until };
  const text = auditorTokenText(origin, body);
  return tokenOfNote(text, lineOf(key, text));
};

const at = (token: string, ms: number): string | undefined =>
  auditorOf(state, token, genesisMs + ms);

describe("an auditor's token", () => {
  it("counts from its first instant to its last, signed by one operator", () => {
    const token = tokenBy(testKeys.alice);
    expect(token).toMatch(/^[A-Za-z0-9_-]{200,600}$/);
    expect([-1, 0, 7 * day - 1, 7 * day].map((ms) => at(token, ms))).toEqual([
      undefined,
      "auditor.example",
      "auditor.example",
      undefined,
    ]);
  });

  it("counts for no other signer, log or time, and not when a character is changed", () => {
    expect(at(tokenBy(testKeys.hkRoot), 0)).toBeUndefined();
    expect(at(tokenBy(testKeys.entry), 0)).toBeUndefined();
    expect(at(tokenBy(testKeys.alice, 7, "other.example/keys"), 0)).toBeUndefined();
    expect(at(tokenBy(testKeys.alice, 31), 0)).toBe("auditor.example");
    expect(at(tokenBy(testKeys.alice, 32), 0)).toBeUndefined();
    const token = tokenBy(testKeys.bob);
    for (let place = 0; place < token.length; place += 1) {
      const other = token[place] === "A" ? "B" : "A";
      const changed = token.slice(0, place) + other + token.slice(place + 1);
      expect([place, at(changed, 0)]).toEqual([place, undefined]);
    }
    expect(at("", 0)).toBeUndefined();
  });
});
