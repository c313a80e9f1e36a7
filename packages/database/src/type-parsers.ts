// How values arrive, set per pool and never globally. Amounts and counters must not become floats, and
// a date has no time of day: int8 is a bigint, numeric and date are the server's own text, arrays too.
import pg from "pg";

const OID = {
  int8: 20,
  date: 1082,
  numeric: 1700,
  textArray: 1009,
  int8Array: 1016,
  dateArray: 1182,
  numericArray: 1231,
} as const;

type Parser = (text: string) => unknown;

const asText: Parser = (text) => text;
// pg's own parser of text[], asked for as text: its types list only scalar type numbers.
const parserOf = pg.types.getTypeParser as (oid: number) => Parser;
const asTextArray = parserOf(OID.textArray) as (text: string) => (string | null)[];
const asBigintArray: Parser = (text) =>
  asTextArray(text).map((element) => (element === null ? null : BigInt(element)));

const PARSERS: ReadonlyMap<number, Parser> = new Map<number, Parser>([
  [OID.int8, BigInt],
  [OID.date, asText],
  [OID.numeric, asText],
  [OID.int8Array, asBigintArray],
  [OID.dateArray, asTextArray],
  [OID.numericArray, asTextArray],
]);

/** For the `types` option of a pg pool or client. */
export const typeParsers: pg.CustomTypesConfig = {
  getTypeParser: (oid, format) =>
    (format === "binary" ? undefined : PARSERS.get(oid)) ?? pg.types.getTypeParser(oid, format),
};
