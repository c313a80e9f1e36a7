// What each participant owes and is owed, and what it may still owe; advances are shown as unbacked.
import type { PositionRow, PositionsAnswer } from "../../src/api-types.ts";
import { countText, groupDigits } from "../../src/format.ts";
import { usePositions } from "../api.ts";
import { Amount, Badge, Empty, Fault, Loading, PageHead, Panel, TableBox } from "../parts.tsx";

const isZero = (amount: string): boolean => /^-?0(\.0+)?$/.test(amount);

const Figure = ({ amount }: { readonly amount: string }) => (
  <span className={isZero(amount) ? "num muted" : "num"}>{groupDigits(amount)}</span>
);

const Meter = ({ row }: { readonly row: PositionRow }) => {
  const low = row.headroomPercent < 20;
  return (
    <div className="meter-box">
      <div
        className={low ? "meter low" : "meter"}
        role="meter"
        aria-valuenow={row.headroomPercent}
        aria-label={`Headroom of ${row.participant} in ${row.currency}`}
      >
        <div style={{ width: `${row.headroomPercent}%` }} />
      </div>
      <span className="num muted">{row.headroomPercent} %</span>
      {low ? <Badge tone="warn">Low</Badge> : null}
    </div>
  );
};

const Table = ({ rows }: { readonly rows: readonly PositionRow[] }) => (
  <TableBox label="Positions">
    <table>
      <thead>
        <tr>
          <th scope="col">Participant</th>
          <th scope="col">Currency</th>
          <th scope="col" className="right">
            Owes
          </th>
          <th scope="col" className="right">
            Is owed
          </th>
          <th scope="col" className="right">
            Liquidity
          </th>
          <th scope="col" className="right">
            Headroom
          </th>
          <th scope="col">Left</th>
        </tr>
      </thead>
      <tbody>
        {rows.map((row, at) => {
          const again = rows[at - 1]?.participant === row.participant;
          return (
            <tr key={`${row.participant} ${row.currency}`}>
              <th scope="row">
                {again ? (
                  <span className="visually-hidden">{row.participant}</span>
                ) : (
                  row.participant
                )}
                {again ? null : <span className="under">{row.role}</span>}
                {row.suspended ? <Badge tone="bad">Suspended</Badge> : null}
              </th>
              <td>{row.currency}</td>
              <td className="right">
                <Figure amount={row.owes} />
                {isZero(row.pending) ? null : (
                  <span className="under">{groupDigits(row.pending)} under way</span>
                )}
                {isZero(row.shortfall) ? null : (
                  <Badge tone="bad">{`${groupDigits(row.shortfall)} short`}</Badge>
                )}
              </td>
              <td className="right">
                <Figure amount={row.isOwed} />
              </td>
              <td className="right">
                <Figure amount={row.liquidity} />
                {isZero(row.unbacked) ? null : (
                  <span className="under">{groupDigits(row.unbacked)} unbacked</span>
                )}
                {row.cap === undefined ? null : (
                  <span className="under">cap {groupDigits(row.cap)}</span>
                )}
              </td>
              <td className="right">
                <Figure amount={row.headroom} />
              </td>
              <td>
                <Meter row={row} />
              </td>
            </tr>
          );
        })}
      </tbody>
    </table>
  </TableBox>
);

const Unbacked = ({ answer }: { readonly answer: PositionsAnswer }) => (
  <Panel title="Unbacked liquidity">
    {answer.unbacked.length === 0 ? (
      <Empty>All liquidity is covered by bank statements.</Empty>
    ) : (
      <ul className="plain">
        {answer.unbacked.map(({ currency, amount, liquidity, percent }) => (
          <li key={currency}>
            <Badge tone="warn">{`${percent} % unbacked`}</Badge>
            <p>
              <Amount money={{ currency, amount }} strong /> of {groupDigits(liquidity)} was
              advanced by two operators; no bank statement covers it yet.
            </p>
          </li>
        ))}
      </ul>
    )}
  </Panel>
);

const Books = ({ answer }: { readonly answer: PositionsAnswer }) => (
  <Panel title="The books">
    <ul className="plain">
      {answer.sums.map(({ currency, difference }) => (
        <li key={currency}>
          <Badge tone={isZero(difference) ? "good" : "bad"}>
            {isZero(difference)
              ? `${currency} balances to zero`
              : `${currency} is off by ${difference}`}
          </Badge>
        </li>
      ))}
      {answer.fees.map(({ participant, amount }) => (
        <li key={`${participant} ${amount.currency}`}>
          <Amount money={amount} /> <span className="muted">in fees for {participant}</span>
        </li>
      ))}
    </ul>
  </Panel>
);

export const Positions = () => {
  const { data, error } = usePositions();
  return (
    <>
      <PageHead title="Positions">
        What is committed and not settled yet. Headroom is what a participant may still owe: the
        smaller of liquidity and cap, less what it owes and what is under way.
      </PageHead>
      {error === null ? null : <Fault error={error} />}
      {data === undefined ? (
        error === null ? (
          <Loading lines={8} />
        ) : null
      ) : (
        <>
          <Panel
            title="By participant and currency"
            aside={<span className="muted num">{`as of entry ${countText(data.asOf)}`}</span>}
          >
            {data.pendingKnown ? null : (
              <p className="pad">
                <Badge tone="warn">What is under way is not known, and not counted</Badge>
              </p>
            )}
            {data.rows.length === 0 ? (
              <Empty>No participant yet.</Empty>
            ) : (
              <Table rows={data.rows} />
            )}
          </Panel>
          <div className="two">
            <Unbacked answer={data} />
            <Books answer={data} />
          </div>
        </>
      )}
    </>
  );
};
