// Settlement windows: open ones with what they come to so far, and cut ones with how far they are settled.
import { useState } from "react";
import type { CutWindow, OpenWindowView, WindowTotals } from "../../src/desk-shapes.ts";
import { countText, groupDigits, netText, words } from "../../src/format.ts";
import { useWindows } from "../desk-api.ts";
import { Badge, Empty, Fault, Loading, PageHead, Panel, TableBox, Time } from "../parts.tsx";
import { Link } from "../router.tsx";

export const nameOf = ({
  corridor,
  number,
}: {
  readonly corridor: string;
  readonly number: number;
}): string => `${corridor}/${number}`;

export const short = (participant: string): string => participant.replace(/\.example$/, "");

export const isZero = (amount: string): boolean => /^-?0(\.0+)?$/.test(amount);

export const Net = ({ amount }: { readonly amount: string }) => (
  <span className={isZero(amount) ? "num muted" : "num"}>
    {amount.startsWith("-") ? "−" : isZero(amount) ? "" : "+"}
    {groupDigits(amount.replace("-", ""))}
  </span>
);

/** What all participants come to, by participant and currency. */
export const TotalsTable = ({
  nets,
  label,
}: {
  readonly nets: readonly { readonly participant: string; readonly totals: WindowTotals }[];
  readonly label: string;
}) => (
  <TableBox label={label}>
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
            Fees
          </th>
          <th scope="col" className="right">
            Net
          </th>
        </tr>
      </thead>
      <tbody>
        {nets.flatMap(({ participant, totals }) =>
          totals.map(({ currency, debits, credits, fees }, at) => (
            <tr key={`${participant} ${currency}`}>
              <th scope="row">
                {at > 0 ? <span className="visually-hidden">{participant}</span> : participant}
              </th>
              <td>{currency}</td>
              {[debits, credits, fees].map((amount, column) => (
                <td key={column} className={isZero(amount) ? "right num muted" : "right num"}>
                  {groupDigits(amount)}
                </td>
              ))}
              <td className="right">
                <Net amount={netText(credits, fees, debits)} />
              </td>
            </tr>
          )),
        )}
      </tbody>
    </table>
  </TableBox>
);

/** How far a window's participants are, in one badge. */
export const WindowState = ({ window }: { readonly window: CutWindow }) => {
  const { nets, status } = window;
  const count = (of: string): number => nets.filter((net) => net.status === of).length;
  if (count("defaulted") > 0 && status === "settled") {
    return <Badge tone="warn">{`Settled, ${count("defaulted")} defaulted`}</Badge>;
  }
  if (status === "settled") return <Badge tone="good">Settled</Badge>;
  if (count("held") > 0) return <Badge tone="bad">{`${count("held")} held`}</Badge>;
  return <Badge tone="info">Waits for the bank</Badge>;
};

const OpenWindows = ({ open }: { readonly open: readonly OpenWindowView[] }) => (
  <>
    {open.map((window) => (
      <Panel
        key={nameOf(window)}
        title={`${nameOf(window)}, open`}
        aside={
          <>
            <span className="muted num">
              {countText(window.transfers)} {window.transfers === 1 ? "transfer" : "transfers"}{" "}
              since entry {countText(window.from)}
            </span>
            <Link to={`/windows/${nameOf(window)}`}>Open {nameOf(window)}</Link>
          </>
        }
      >
        {window.nets.length === 0 ? (
          <Empty>Nothing is in it yet: no transfer was committed since the last cut.</Empty>
        ) : (
          <TotalsTable nets={window.nets} label={`Running totals of ${nameOf(window)}`} />
        )}
      </Panel>
    ))}
  </>
);

const CutTable = ({ windows }: { readonly windows: readonly CutWindow[] }) => (
  <TableBox label="Cut windows">
    <table>
      <thead>
        <tr>
          <th scope="col">Window</th>
          <th scope="col">Cut</th>
          <th scope="col">Netting</th>
          <th scope="col">Pay by</th>
          <th scope="col">Final</th>
          <th scope="col">Sums</th>
          <th scope="col">State</th>
        </tr>
      </thead>
      <tbody>
        {windows.map((window) => {
          const { nets, sums } = window;
          const final = nets.filter(({ status }) => status !== "open" && status !== "held").length;
          const off = sums.filter(({ sum }) => !isZero(sum));
          return (
            <tr key={nameOf(window)} className="linked">
              <th scope="row">
                <Link to={`/windows/${nameOf(window)}`} className="row-link">
                  {nameOf(window)}
                </Link>
              </th>
              <td className="nowrap">
                <Time at={window.cutTime} />
              </td>
              <td>{words(window.netting ?? "–")}</td>
              <td className="nowrap">
                {window.payBy === undefined ? "–" : <Time at={window.payBy} ago={false} />}
              </td>
              <td className="num">{`${final} of ${nets.length}`}</td>
              <td className="nowrap">
                {off.length === 0 ? (
                  <span className="muted">all zero</span>
                ) : (
                  <Badge tone="bad">
                    {off.map((one) => `${one.currency} ${one.sum}`).join(", ")}
                  </Badge>
                )}
              </td>
              <td>
                <WindowState window={window} />
              </td>
            </tr>
          );
        })}
      </tbody>
    </table>
  </TableBox>
);

export const Windows = () => {
  const [corridor, setCorridor] = useState("");
  const page = useWindows();
  const pages = page.data?.pages ?? [];
  const [first] = pages;
  const cut = pages.flatMap(({ windows }) => windows);
  const open = first?.open ?? [];
  const corridors = [...new Set([...open, ...cut].map((one) => one.corridor))].toSorted();
  const fits = (one: { readonly corridor: string }): boolean =>
    corridor === "" || one.corridor === corridor;
  return (
    <>
      <PageHead title="Windows">
        A window is what was committed between two cuts of a corridor. It is final for a participant
        when its bank's signed statement shows all of its payments.
      </PageHead>
      {corridors.length > 1 ? (
        <div className="filters">
          <label htmlFor="corridor">
            Corridor
            <select
              id="corridor"
              value={corridor}
              onChange={({ target }) => setCorridor(target.value)}
            >
              <option value="">All</option>
              {corridors.map((name) => (
                <option key={name} value={name}>
                  {name}
                </option>
              ))}
            </select>
          </label>
        </div>
      ) : null}
      {page.error === null ? null : <Fault error={page.error} />}
      {page.isPending ? <Loading lines={8} /> : null}
      {first === undefined ? null : (
        <>
          {open.length === 0 && cut.length === 0 ? (
            <Panel title="No window yet">
              <Empty>The first one begins with a corridor's first transfer.</Empty>
            </Panel>
          ) : null}
          <OpenWindows open={open.filter(fits)} />
          <Panel
            title="Cut, newest first"
            aside={<span className="muted num">{`as of entry ${countText(first.asOf)}`}</span>}
          >
            {cut.filter(fits).length === 0 ? (
              <Empty>
                None was cut yet. The corridor's schedule cuts, or an operator:{" "}
                <code>npx sealane window cut CORRIDOR --operator-key FILE</code>
              </Empty>
            ) : (
              <CutTable windows={cut.filter(fits)} />
            )}
            {page.hasNextPage ? (
              <div className="more">
                <button
                  type="button"
                  onClick={() => void page.fetchNextPage()}
                  disabled={page.isFetchingNextPage}
                >
                  Older windows
                </button>
              </div>
            ) : null}
          </Panel>
        </>
      )}
    </>
  );
};
