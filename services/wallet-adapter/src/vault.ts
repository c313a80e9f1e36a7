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

/** One transfer's openings and whom they are about. */
type Piece = {
  readonly id: string;
  readonly openings: Openings;
  readonly from: Buffer;
  readonly to: Buffer;
};

const mostRemembered = 20_000;
const saltBytes = 32;

const valueOf = (opening: string): string => fromUtf8(fromBase64(opening).subarray(saltBytes));

export const makeVault = (sql: Sql, keys: VaultKeys): Vault => {
  /** Keys of persons, by base64 of whom. */
  const remembered = new Map<string, Buffer>();
  let waiting = new Map<string, Openings>();
  let running: Promise<void> = Promise.resolve();

  const pieceOf = (id: string, openings: Openings): Piece => ({
    id,
    openings,
    from: keys.personOf(valueOf(openings.payer)),
    to: keys.personOf(valueOf(openings.payee)),
  });

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

  /** The key of what is about these persons; undefined when one of them was erased. */
  const keyOf = (persons: readonly Buffer[]): Uint8Array | undefined => {
    const found = persons.flatMap((person) => remembered.get(toBase64(person)) ?? []);
    return found.length === persons.length ? jointKey(found) : undefined;
  };

  const personsOf = (field: OpeningField, from: Buffer, to: Buffer): readonly Buffer[] => {
    if (field === "reference") return [from, to];
    return [field === "payer" ? from : to];
  };

  /** Erased this very moment: then there is nothing to keep. */
  const sealed = ({ id, openings, from, to }: Piece, field: OpeningField): Buffer | undefined => {
    const opening = openings[field];
    const key = opening === undefined ? undefined : keyOf(personsOf(field, from, to));
    if (opening === undefined || key === undefined) return undefined;
    return sealUnder(key, fromBase64(opening), openingAad(id, field));
  };

  const write = async (): Promise<void> => {
    const taken = waiting;
    if (taken.size === 0) return;
    waiting = new Map();
    try {
      const pieces = [...taken].map(([id, openings]) => pieceOf(id, openings));
      await ensure(pieces.flatMap(({ from, to }) => [from, to]));
      const column = (field: OpeningField): Buffer =>
        pgArray(
          "bytea",
          pieces.map((piece) => sealed(piece, field)),
        );
      await sql.query({
        name: "vault-keep",
        text: `insert into sealed_opening
            (transfer_id, payer_person, payee_person, payer, payee, reference)
          select * from unnest($1::uuid[], $2::bytea[], $3::bytea[], $4::bytea[], $5::bytea[],
            $6::bytea[])
          on conflict (transfer_id) do nothing`,
        values: [
          pgArray(
            "uuid",
            pieces.map(({ id }) => id),
          ),
          pgArray(
            "bytea",
            pieces.map(({ from }) => from),
          ),
          pgArray(
            "bytea",
            pieces.map(({ to }) => to),
          ),
          column("payer"),
          column("payee"),
          column("reference"),
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
      type Row = { [field in OpeningField]: Buffer | null } & {
        readonly payer_person: Buffer;
        readonly payee_person: Buffer;
      };
      const { rows } = await sql.query<Row>({
        name: "vault-read",
        text: `select payer_person, payee_person, payer, payee, reference
          from sealed_opening where transfer_id = $1`,
        values: [id],
      });
      const [row] = rows;
      if (row === undefined) return {};
      await load([row.payer_person, row.payee_person]);
      const found: Partial<Record<OpeningField, string>> = {};
      for (const field of ["payer", "payee", "reference"] as const) {
        const bytes = row[field];
        const key = keyOf(personsOf(field, row.payer_person, row.payee_person));
        if (bytes === null || key === undefined) continue;
        const opening = openUnder(key, bytes, openingAad(id, field));
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
