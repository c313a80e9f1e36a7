// Rows of the log, as a table: each row leads to its own page.
import type { EntryRow } from "../../src/api-types.ts";
import { countText, shortId, words } from "../../src/format.ts";
import { useOverview } from "../api.ts";
import { Amount, Outcome, TableBox, Time } from "../parts.tsx";
import { Link } from "../router.tsx";

/** What was told live, then what was asked for: newest first, nothing twice. */
export const mergeRows = (live: readonly EntryRow[], asked: readonly EntryRow[]): EntryRow[] => {
  const known = new Set(asked.map(({ seq }) => seq));
  return [...live.filter(({ seq }) => !known.has(seq)), ...asked].toSorted((a, b) => b.seq - a.seq);
};

const short = (participant: string | undefined): string =>
  participant?.replace(/\.example$/, "") ?? "";

/** Of a return or a recall: who signed it. */
const partiesOf = ({ payer, payee, kind }: EntryRow): string => {
  if (payer === undefined) return "–";
  return payee === undefined
    ? `${words(kind)} by ${short(payer)}`
    : `${short(payer)} → ${short(payee)}`;
};

const Subject = ({ row }: { readonly row: EntryRow }) => {
  const { transferId, seq, kind } = row;
  if (transferId === undefined) {
    return (
      <Link to={`/entries/${seq}`} className="row-link">
        {words(kind)}
      </Link>
    );
  }
  return (
    <Link to={`/transfers/${transferId}`} className="row-link mono" title={transferId}>
      {shortId(transferId)}
    </Link>
  );
};

export const EntryTable = ({
  rows,
  label,
}: {
  readonly rows: readonly EntryRow[];
  readonly label: string;
}) => {
  const sealedSize = useOverview().data?.log.sealedSize ?? 0;
  return (
    <TableBox label={label}>
      <table className="entries">
        <thead>
          <tr>
            <th scope="col" className="right">
              Entry
            </th>
            <th scope="col">Transfer</th>
            <th scope="col">Log time</th>
            <th scope="col">From, to</th>
            <th scope="col" className="right">
              Sent
            </th>
            <th scope="col" className="right">
              Received
            </th>
            <th scope="col">Outcome</th>
          </tr>
        </thead>
        <tbody>
          {rows.map((row) => (
            <tr key={row.seq} className="linked">
              <td className="right num muted">{countText(row.seq)}</td>
              <td>
                <Subject row={row} />
              </td>
              <td className="nowrap">
                <Time at={row.time} />
              </td>
              <td
                className="nowrap"
                title={row.payee === undefined ? row.payer : `${row.payer} to ${row.payee}`}
              >
                {partiesOf(row)}
              </td>
              <td className="right">
                {row.sent === undefined ? "–" : <Amount money={row.sent} />}
              </td>
              <td className="right">
                {row.received === undefined || row.outcome !== "committed" ? (
                  <span className="muted">–</span>
                ) : (
                  <Amount money={row.received} />
                )}
              </td>
              <td>
                <Outcome outcome={row.outcome} sealed={row.sealed || row.seq < sealedSize} />
                {row.reason === undefined ? null : <span className="under">{row.reason}</span>}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </TableBox>
  );
};
