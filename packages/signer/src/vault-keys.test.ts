// What a vault keeps, and that taking away one person's key takes away what is about that person.
import { expect, it } from "vitest";
import { jointKey, makeVaultKeys, openingAad, openUnder, sealUnder } from "./vault-keys.ts";

const keys = makeVaultKeys(new Uint8Array(32).fill(7));
const [one, other] = [keys.fresh(), keys.fresh()];
const bytes = Buffer.from("salt and account");
const aad = openingAad("an id", "payer");

it("opens what it sealed, under the same key and for the same purpose only", () => {
  const sealed = sealUnder(one, bytes, aad);
  expect(openUnder(one, sealed, aad)).toEqual(bytes);
  expect(openUnder(other, sealed, aad)).toBeUndefined();
  expect(openUnder(one, sealed, openingAad("an id", "payee"))).toBeUndefined();
  expect(openUnder(one, sealed, openingAad("another id", "payer"))).toBeUndefined();
});

it("opens nothing of which a byte was changed, or which is too short", () => {
  const sealed = sealUnder(one, bytes, aad);
  for (let at = 0; at < sealed.length; at += 1) {
    const changed = Buffer.from(sealed);
    changed[at] = (changed[at] ?? 0) ^ 1;
    expect(openUnder(one, changed, aad), `byte ${at}`).toBeUndefined();
  }
  expect(openUnder(one, sealed.subarray(0, 39), aad)).toBeUndefined();
});

it("never seals twice alike", () => {
  expect(sealUnder(one, bytes, aad)).not.toEqual(sealUnder(one, bytes, aad));
});

it("needs both persons' keys, in their order, for what is about both", () => {
  const sealed = sealUnder(jointKey([one, other]), bytes, aad);
  expect(openUnder(jointKey([one, other]), sealed, aad)).toEqual(bytes);
  for (const key of [one, other, jointKey([one]), jointKey([other, one]), jointKey([one, one])]) {
    expect(openUnder(key, sealed, aad)).toBeUndefined();
  }
  expect(() => jointKey([])).toThrow(RangeError);
});

it("knows a person by its account without saying it, each provider by another name", () => {
  const account = "+85290000001";
  expect(keys.personOf(account)).toEqual(keys.personOf(account));
  expect(keys.personOf(account)).not.toEqual(keys.personOf("+85290000002"));
  const elsewhere = makeVaultKeys(new Uint8Array(32).fill(8));
  expect(elsewhere.personOf(account)).not.toEqual(keys.personOf(account));
});

it("unwraps a person's key for that person and by that provider only", () => {
  const [person, stranger] = [keys.personOf("one"), keys.personOf("two")];
  const wrapped = keys.wrap(person, one);
  expect(keys.unwrap(person, wrapped)).toEqual(one);
  expect(keys.unwrap(stranger, wrapped)).toBeUndefined();
  expect(makeVaultKeys(new Uint8Array(32).fill(8)).unwrap(person, wrapped)).toBeUndefined();
});
