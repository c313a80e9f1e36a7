// The names that every party must derive alike: log origins, topics, transfer ids, slots.
// Nothing here is configurable: two programs that disagree on a name disagree on the ledger.
import { sha256, toHex, utf8 } from "@sealane/tlog";

/** A participant's id: a schema-less domain name, e.g. `hk-wallet.example`. */
export type ParticipantId = string;

/** RFC 1035-like names in lower case; also legal as part of a Kafka topic's name. */
export const participantPattern = /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?(?:\.[a-z0-9-]{1,63})+$/;

/** Origin of one lane's log for one period: terms signed for one log are void in another. */
export const laneOrigin = (base: string, period: string, lane: number): string =>
  `${base}/${period}/${lane}`;

/** Origin of the key log: one for all lanes and periods. */
export const keysOrigin = (base: string): string => `${base}/keys`;

export const laneTopic = (lane: number): string => `lane.${lane}`;
export const entriesTopic = (lane: number): string => `entries.${lane}`;
export const inboxTopic = (participant: ParticipantId): string => `inbox.${participant}`;
export const deadLetterTopic = (service: string): string => `deadletter.${service}`;

/**
 * A transfer's id: SHA-256(payer participant ‖ idempotency key), its first 16 bytes shaped as a
 * UUID version 4, so that it is also the ISO 20022 UETR (`decisions.md`, Transfers).
 */
export const transferIdOf = (payer: ParticipantId, idempotencyKey: string): string => {
  const hash = sha256(utf8(payer + idempotencyKey)).slice(0, 16);
  hash[6] = ((hash[6] ?? 0) & 0x0f) | 0x40;
  hash[8] = ((hash[8] ?? 0) & 0x3f) | 0x80;
  const hex = toHex(hash);
  return [
    hex.slice(0, 8),
    hex.slice(8, 12),
    hex.slice(12, 16),
    hex.slice(16, 20),
    hex.slice(20, 32),
  ].join("-");
};

export const transferIdPattern =
  /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

export const slotCount = 1024;

/** The slot of a transfer id: its first ten bits. The key log maps slots to lanes. */
export const slotOf = (transferId: string): number =>
  Number.parseInt(transferId.slice(0, 4), 16) >> 6;
