// Arrays as PostgreSQL's binary format has them. As text, each element would be escaped here and
// unescaped there, and as JSON it would be lexed once for every field that is asked of it: a third of
// what the servers spent on our statements. pg sends a Buffer in binary form, so the statement must
// name the type: `$1::text[]`. Source: array_send and array_recv of the server.
type Scalar = string | number | bigint | boolean | Uint8Array;

type ElementType = {
  readonly oid: number;
  readonly bytes: (value: Scalar) => number;
  /** Writes at `at`; `bytes` has said how much. */
  readonly put: (to: Buffer, at: number, value: Scalar) => void;
};

const int8 = (value: Scalar): bigint => BigInt(value as bigint | number);

const types = {
  bool: {
    oid: 16,
    bytes: () => 1,
    put: (to, at, value) => to.writeUInt8(value === true ? 1 : 0, at),
  },
  bytea: {
    oid: 17,
    bytes: (value) => (value as Uint8Array).length,
    put: (to, at, value) => to.set(value as Uint8Array, at),
  },
  int8: { oid: 20, bytes: () => 8, put: (to, at, value) => to.writeBigInt64BE(int8(value), at) },
  int4: { oid: 23, bytes: () => 4, put: (to, at, value) => to.writeInt32BE(Number(value), at) },
  text: {
    oid: 25,
    bytes: (value) => Buffer.byteLength(value as string),
    put: (to, at, value) => to.write(value as string, at),
  },
  uuid: {
    oid: 2950,
    bytes: () => 16,
    put: (to, at, value) => to.write((value as string).replaceAll("-", ""), at, "hex"),
  },
} as const satisfies Record<string, ElementType>;

const ARRAY_HEAD_BYTES = 12;
const DIMENSION_BYTES = 8;
const LENGTH_BYTES = 4;

/**
 * One parameter for `unnest($n::TYPE[])`. Null and undefined are SQL's null.
 * @param type the elements' type; `uuid` takes the usual text form, `int8` safe integers or bigint
 */
export const pgArray = (
  type: keyof typeof types,
  values: readonly (Scalar | null | undefined)[],
): Buffer => {
  const { oid, bytes, put }: ElementType = types[type];
  const lengths = values.map((value) =>
    value === null || value === undefined ? -1 : bytes(value),
  );
  const body = lengths.reduce((sum, length) => sum + LENGTH_BYTES + Math.max(0, length), 0);
  const head = ARRAY_HEAD_BYTES + (values.length === 0 ? 0 : DIMENSION_BYTES);
  const to = Buffer.allocUnsafe(head + body);
  let at = to.writeInt32BE(values.length === 0 ? 0 : 1, 0); // dimensions
  at = to.writeInt32BE(lengths.includes(-1) ? 1 : 0, at); // has nulls
  at = to.writeInt32BE(oid, at);
  if (values.length === 0) return to;
  at = to.writeInt32BE(values.length, at);
  at = to.writeInt32BE(1, at); // the first one's subscript
  for (const [index, value] of values.entries()) {
    const length = lengths[index] ?? -1;
    at = to.writeInt32BE(length, at);
    if (length < 0) continue;
    put(to, at, value as Scalar);
    at += length;
  }
  return to;
};
