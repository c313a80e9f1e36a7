// What services know of other people's tokens: their digests, in one file for each kind of caller. A token
// itself stays in the folder of whoever uses it.
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { demoWorld, operators, type World } from "./world.ts";

/** A principal, and where its token is. */
type Holder = readonly [principal: string, file: string];
type Keys = (...parts: string[]) => string;

/** Who may do what at reconciliation's desk, and whose folder holds the token. */
export const staff = [
  ["operator", operators[0]],
  ["approver", operators[1]],
  ["auditor", "auditor"],
] as const;

const digest = (token: string): string => createHash("sha256").update(token).digest("base64");

const digestsOf = (holders: readonly Holder[]): string =>
  JSON.stringify(
    Object.fromEntries(
      holders.map(([principal, file]) => [principal, digest(readFileSync(file, "utf8").trim())]),
    ),
  );

/** The files below `state/`, by name, with their texts. */
export const tokenDigests = (
  keys: Keys,
  { wallets, providers }: World = demoWorld,
): ReadonlyMap<string, string> => {
  const participants = [...wallets, ...providers].map(({ name, participant }): Holder => [
    participant,
    keys(name, "ledger.token"),
  ]);
  const screen = keys("operator", "console.token");
  return new Map([
    ["participant-tokens.json", digestsOf(participants)],
    [
      "service-tokens.json",
      digestsOf([
        ["reconciliation", keys("operator", "reconciliation.token")],
        ["console", screen],
      ]),
    ],
    // The console reads as an auditor does.
    [
      "staff-tokens.json",
      digestsOf([
        ...staff.map(([role, owner]): Holder => [`${role}/${owner}`, keys(owner, "staff.token")]),
        ["auditor/console", screen],
      ]),
    ],
    [
      "console-tokens.json",
      digestsOf(operators.map((person): Holder => [person, keys(person, "console.token")])),
    ],
  ]);
};
