// Who may write and read which topic (`decisions.md`, Kafka), and how much: one table, for every broker
// that asks who somebody is. A principal is a login's name; what no rule allows, the broker denies. The
// local stack has no logins: one machine, one owner.
import type { AccessRule } from "@sealane/messaging";
import { deadLetterTopic, entriesTopic, inboxTopic, laneTopic } from "@sealane/protocol";
import { lanesOf } from "./lanes.ts";
import { demoWorld, liquidityProvider, wallets, type World } from "./world.ts";

/** The operator's services, and its people, who share one login to send decisions and read dead letters. */
export const ledgerPrincipal = "ledger";
export const operatorsPrincipal = "operators";
/** Services of the operator that read the log; reconciliation keeps dead letters of its own. */
const readersOfEntries = ["reconciliation", "console"] as const;

const participants = [...wallets.map(({ participant }) => participant), liquidityProvider];
const letterWriters = [ledgerPrincipal, "reconciliation", ...participants];

const allow = (
  principal: string,
  operation: AccessRule["operation"],
  topic: string,
): AccessRule => ({ principal, operation, topic });

const laneRules = (lane: number): AccessRule[] => [
  allow(ledgerPrincipal, "read", laneTopic(lane)),
  // Reconciliation hands in what operators have signed, and its scheduler's cuts.
  ...[...participants, operatorsPrincipal, "reconciliation"].map((one) =>
    allow(one, "write", laneTopic(lane)),
  ),
  allow(ledgerPrincipal, "write", entriesTopic(lane)),
  // What it has published is what it is rebuilt from.
  allow(ledgerPrincipal, "read", entriesTopic(lane)),
  ...readersOfEntries.map((one) => allow(one, "read", entriesTopic(lane))),
];

/** Every rule of the world. */
export const accessRules = (world: Pick<World, "lanes"> = demoWorld): AccessRule[] => [
  ...lanesOf(world).flatMap(({ lane }) => laneRules(lane)),
  ...participants.flatMap((one) => [
    allow(ledgerPrincipal, "write", inboxTopic(one)),
    allow(one, "read", inboxTopic(one)),
  ]),
  ...letterWriters.flatMap((one) => [
    allow(one, "write", deadLetterTopic(one)),
    allow(operatorsPrincipal, "read", deadLetterTopic(one)),
  ]),
];

export type Quota = { readonly principal: string; readonly producerBytesPerSecond: number };

const mebibyte = 1 << 20;

/**
 * What each may write, in all: lanes, and a few dead letters. An intent is about 3.5 kB, so 20 MiB/s are
 * more than twice what a lane decides; beyond it the broker makes the sender wait, and nobody else.
 */
export const quotas = (): Quota[] => [
  ...participants.map((principal) => ({ principal, producerBytesPerSecond: 20 * mebibyte })),
  ...[operatorsPrincipal, "reconciliation"].map((principal) => ({
    principal,
    producerBytesPerSecond: mebibyte,
  })),
];
