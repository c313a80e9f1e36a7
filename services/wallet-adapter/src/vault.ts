// Personal data as the provider keeps it: the openings of its transfers' commitments, sealed under keys of
// the persons whom they are about. Written behind, but never after the inbox's position that covers it.
// `erase` takes a person's key away; what was sealed under it is noise from then on.
import { pgArray, type Sql } from "@sealane/database";
import { jointKey, openingAad, openUnder, sealUnder, type VaultKeys } from "@sealane/signer";
import { fromBase64, fromUtf8, toBase64 } from "@sealane/tlog";
import type { Openings } from "./terms-maker.ts";

export type OpeningField = keyof Openings;

export type Vault = {
  /** Takes a transfer's openings; they are stored by the next `flush`. */
  readonly keep: (transferId: string, openings: Openings) => void;
  readonly flush: () => Promise<void>;
  /** What can still be opened: base64 of `salt32 ‖ bytes`, exactly as they were hashed. */
  readonly read: (
    transferId: string,
  ) => Promise<{ readonly [field in OpeningField]?: string | undefined }>;
  /** Erases the person behind an account. @returns whether there was anything to erase */
  readonly erase: (account: string) => Promise<boolean>;
};

type Piece = {
  readonly id: string;
  readonly field: OpeningField;
  readonly opening: Uint8Array;
  readonly persons: readonly Buffer[];
};

const mostRemembered = 20_000;
const saltBytes = 32;
const personBytes = 32;

const valueOf = (opening: string): string => fromUtf8(fromBase64(opening).subarray(saltBytes));

export const makeVault = (sql: Sql, keys: VaultKeys): Vault => {
  /** Keys of persons, by base64 of whom. */
  const remembered = new Map<string, Buffer>();
  let waiting = new Map<string, Openings>();
  let running: Promise<void> = Promise.resolve();

  const piecesOf = (id: string, { payer, payee, reference }: Openings): Piece[] => {
    const from = keys.personOf(valueOf(payer));
    const to = keys.personOf(valueOf(payee));
    const piece = (field: OpeningField, opening: string, persons: readonly Buffer[]): Piece => ({
      id,
      field,
      opening: fromBase64(opening),
      persons,
    });
    return [
      piece("payer", payer, [from]),
      piece("payee", payee, [to]),
      ...(reference === undefined ? [] : [piece("reference", reference, [from, to])]),
    ];
  };

  /** Keys that exist, of these persons. */
  const load = async (persons: readonly Buffer[]): Promise<void> => {
    const unknown = persons.filter((person) => !remembered.has(toBase64(person)));
    if (unknown.length === 0) return;
    const { rows } = await sql.query<{ person: Buffer; wrapped: Buffer }>({
      name: "vault-keys",
      text: "select person, wrapped from person_key where person = any($1::bytea[])",
      values: [pgArray("bytea", unknown)],
    });
    for (const { person, wrapped } of rows) {
      const key = keys.unwrap(person, wrapped);
      if (key !== undefined) remembered.set(toBase64(person), key);
    }
  };

  /** Makes the keys that do not exist yet. */
  const ensure = async (persons: readonly Buffer[]): Promise<void> => {
    while (remembered.size > mostRemembered) {
      remembered.delete(remembered.keys().next().value as string);
    }
    await load(persons);
    const missing = new Map(
      persons.flatMap((person) => {
        const name = toBase64(person);
        return remembered.has(name) ? [] : [[name, person] as const];
      }),
    );
    if (missing.size === 0) return;
    const made = [...missing.values()];
    await sql.query({
      name: "vault-new-keys",
      text: `insert into person_key (person, wrapped) select * from unnest($1::bytea[], $2::bytea[])
        on conflict (person) do nothing`,
      values: [
        pgArray("bytea", made),
        pgArray(
          "bytea",
          made.map((person) => keys.wrap(person, keys.fresh())),
        ),
      ],
    });
    await load(made); // whoever was first
  };

  const keysOf = (persons: readonly Buffer[]): Buffer[] =>
    persons.flatMap((person) => remembered.get(toBase64(person)) ?? []);

  const write = async (): Promise<void> => {
    const taken = waiting;
    if (taken.size === 0) return;
    waiting = new Map();
    try {
      const pieces = [...taken].flatMap(([id, openings]) => piecesOf(id, openings));
      await ensure(pieces.flatMap(({ persons }) => persons));
      const sealed = pieces.flatMap(({ id, field, opening, persons }) => {
        const found = keysOf(persons);
        // Erased this very moment: then there is nothing to keep.
        if (found.length < persons.length) return [];
        const bytes = sealUnder(jointKey(found), opening, openingAad(id, field));
        return [{ id, field, persons: Buffer.concat(persons), bytes }];
      });
      await sql.query({
        name: "vault-keep",
        text: `insert into sealed_opening (transfer_id, field, persons, sealed)
          select * from unnest($1::uuid[], $2::text[], $3::bytea[], $4::bytea[])
          on conflict (transfer_id, field) do nothing`,
        values: [
          pgArray(
            "uuid",
            sealed.map(({ id }) => id),
          ),
          pgArray(
            "text",
            sealed.map(({ field }) => field),
          ),
          pgArray(
            "bytea",
            sealed.map(({ persons }) => persons),
          ),
          pgArray(
            "bytea",
            sealed.map(({ bytes }) => bytes),
          ),
        ],
      });
    } catch (error) {
      // Nothing is lost: the next flush has them again.
      for (const [id, openings] of taken) waiting.set(id, openings);
      throw error;
    }
  };

  const flush = (): Promise<void> => {
    running = running.catch(() => undefined).then(write);
    return running;
  };

  return {
    keep: (id, openings) => {
      waiting.set(id, openings);
    },
    flush,
    read: async (id) => {
      const known = waiting.get(id);
      if (known !== undefined) return known;
      type Row = { field: OpeningField; persons: Buffer; sealed: Buffer };
      const { rows } = await sql.query<Row>({
        name: "vault-read",
        text: "select field, persons, sealed from sealed_opening where transfer_id = $1",
        values: [id],
      });
      const found: Partial<Record<OpeningField, string>> = {};
      for (const { field, persons, sealed } of rows) {
        const all: Buffer[] = [];
        for (let at = 0; at < persons.length; at += personBytes) {
          all.push(persons.subarray(at, at + personBytes));
        }
        await load(all);
        const own = keysOf(all);
        if (own.length < all.length) continue;
        const opening = openUnder(jointKey(own), sealed, openingAad(id, field));
        if (opening !== undefined) found[field] = toBase64(opening);
      }
      return found;
    },
    erase: async (account) => {
      const person = keys.personOf(account);
      await flush();
      const { rowCount } = await sql.query({
        text: "delete from person_key where person = $1",
        values: [person],
      });
      remembered.delete(toBase64(person));
      return rowCount === 1;
    },
  };
};
