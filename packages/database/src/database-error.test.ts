import { describe, expect, it } from "vitest";
import {
  DatabaseError,
  isCertainlyUndone,
  isDatabaseError,
  translatePgError,
} from "./database-error.ts";

const pgError = (code: string, fields: object = {}): Error =>
  Object.assign(new Error("text of the server"), { code, ...fields });

describe("translatePgError", () => {
  it.each([
    ["23505", "unique-violation", false],
    ["23503", "foreign-key-violation", false],
    ["23514", "check-violation", false],
    ["40001", "serialization", true],
    ["40P01", "deadlock", true],
    ["55P03", "lock-timeout", true],
    ["57014", "timeout", true],
    ["57P01", "connection", true],
    ["08006", "connection", true],
    ["ECONNREFUSED", "connection", true],
    ["42501", "insufficient-privilege", false],
    ["53100", "disk-full", false],
    ["P0001", "raised", false],
  ])("maps %s to %s", (sqlState, code, retryable) => {
    expect(translatePgError(pgError(sqlState))).toMatchObject({ code, retryable, sqlState });
  });

  it("carries the constraint and the table, and the cause", () => {
    const cause = pgError("23505", { constraint: "transfer_id_key", table: "transfer" });
    const translated = translatePgError(cause);
    expect(translated).toMatchObject({ constraint: "transfer_id_key", table: "transfer", cause });
    expect(isDatabaseError(translated, "unique-violation", "transfer_id_key")).toBe(true);
    expect(isDatabaseError(translated, "unique-violation", "other_key")).toBe(false);
  });

  it("knows the codeless errors of a lost server", () => {
    const lost = translatePgError(new Error("Connection terminated unexpectedly"));
    expect(isDatabaseError(lost, "connection")).toBe(true);
  });

  it("gives back what it does not know, and what is translated already", () => {
    const bug = pgError("42601");
    const known = new DatabaseError("timeout", "x");
    expect([bug, known, "text"].map(translatePgError)).toEqual([bug, known, "text"]);
  });
});

describe("isCertainlyUndone", () => {
  it.each(["23505", "40001", "23514", "P0001"])("is sure of %s", (code) => {
    expect(isCertainlyUndone(pgError(code))).toBe(true);
  });

  it.each(["08006", "57P01", "58030", "XX000", "EPIPE", "ECONNRESET"])("doubts %s", (code) => {
    expect(isCertainlyUndone(pgError(code))).toBe(false);
  });

  it("doubts an error without a code", () => {
    expect(isCertainlyUndone(new Error("Connection terminated unexpectedly"))).toBe(false);
  });
});
