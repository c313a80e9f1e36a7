// One window: its interval, what each participant comes to, what was paid of it, and what its bank said.
import type { ReactNode } from "react";
import type { OpenWindowView, WholeWindow, WindowNetView } from "../../src/desk-shapes.ts";
import { countText, groupDigits, words } from "../../src/format.ts";
import { useWindow } from "../desk-api.ts";
import {
  Amount,
  Badge,
  Copy,
  Empty,
  Fault,
  Loading,
  PageHead,
  Panel,
  TableBox,
  Time,
  type Tone,
} from "../parts.tsx";
import { Link } from "../router.tsx";
import { isZero, nameOf, short, TotalsTable, WindowState } from "./windows.tsx";

const netTones: Readonly<Record<WindowNetView["status"], readonly [Tone, string]>> = {
  open: ["info", "Waits for the bank"],
  held: ["bad", "Held"],
  settled: ["good", "Settled"],
  defaulted: ["warn", "Defaulted"],
};

const whyWords: Readonly<Record<string, string>> = {
  "line-rejected": "the bank rejected a payment",
  "line-pending": "a payment is pending at the bank",
  "partly-booked": "only some of its payments are booked",
};

const Head = ({
  window,
  children,
}: {
  readonly window: { readonly corridor: string; readonly number: number };
  readonly children: ReactNode;
}) => (
  <div className="page-head">
    <p className="crumb">
      <Link to="/windows">Windows</Link> / {window.corridor}
    </p>
    <h1>
      Window {nameOf(window)} {children}
    </h1>
  </div>
);

const Entry = ({ seq }: { readonly seq: number }) => (
  <Link to={`/entries/${seq}`} className="num">
    {countText(seq)}
  </Link>
);

const Facts = ({ window }: { readonly window: WholeWindow }) => {
  const { from, to, cutSeq, cutTime, netting, payBy, attempt } = window;
  const name = `${window.corridor}-${window.number}.pacs009.xml`;
  const pays = window.nets.some(({ legs }) => legs.length > 0);
  return (
    <Panel
      title="Interval"
      aside={
        pays ? (
          <a
            className="button"
            href={`/api/windows/${nameOf(window)}/instructions`}
            download={name}
          >
            Instructions (pacs.009)
          </a>
        ) : undefined
      }
    >
      <dl className="facts">
        <div>
          <dt>Entries</dt>
          <dd className="num">
            {from === undefined || to === undefined
              ? "none"
              : `${countText(from)} up to ${countText(to)}, not included`}
          </dd>
        </div>
        <div>
          <dt>Cut</dt>
          <dd>
            <Time at={cutTime} /> <span className="muted">by entry </span>
            <Entry seq={cutSeq} />
          </dd>
        </div>
        <div>
          <dt>Netting</dt>
          <dd>{words(netting ?? "–")}</dd>
        </div>
        <div>
          <dt>Pay by</dt>
          <dd>{payBy === undefined ? "–" : <Time at={payBy} ago={false} />}</dd>
        </div>
        <div>
          <dt>Instructions</dt>
          <dd>{attempt === 0 ? "given once" : `given again, attempt ${attempt + 1}`}</dd>
        </div>
        <div>
          <dt>As of</dt>
          <dd className="num">entry {countText(window.asOf)}</dd>
        </div>
      </dl>
    </Panel>
  );
};

const Sums = ({ window }: { readonly window: WholeWindow }) => (
  <ul className="plain sums">
    {window.sums.map(({ currency, sum }) => (
      <li key={currency}>
        <Badge tone={isZero(sum) ? "good" : "bad"}>
          {isZero(sum)
            ? `All nets in ${currency} sum to ${sum}`
            : `${currency} is off by ${groupDigits(sum)}: the books do not stand`}
        </Badge>
      </li>
    ))}
  </ul>
);

const NetRow = ({ net }: { readonly net: WindowNetView }) => {
  const { participant, status, why, reason, legs, finalSeq } = net;
  const [tone, word] = netTones[status];
  const booked = legs.filter((leg) => leg.booked).length;
  return (
    <tr>
      <th scope="row">{participant}</th>
      <td>
        <Badge tone={tone}>{word}</Badge>
        {why === undefined ? null : (
          <span className="under">
            {whyWords[why] ?? words(why)}
            {reason === undefined ? "" : `: ${reason} (ISO 20022)`}
          </span>
        )}
      </td>
      <td className="num nowrap">
        {legs.length === 0 ? (
          <span className="muted">nothing to pay</span>
        ) : (
          `${booked} of ${legs.length} booked`
        )}
      </td>
      <td>
        {finalSeq === undefined ? <span className="muted">not yet</span> : <Entry seq={finalSeq} />}
      </td>
    </tr>
  );
};

const Finality = ({ window }: { readonly window: WholeWindow }) => (
  <Panel title="How far each is">
    <TableBox label="How far each participant is">
      <table>
        <thead>
          <tr>
            <th scope="col">Participant</th>
            <th scope="col">State</th>
            <th scope="col">Payments</th>
            <th scope="col">Final by entry</th>
          </tr>
        </thead>
        <tbody>
          {window.nets.map((net) => (
            <NetRow key={net.participant} net={net} />
          ))}
        </tbody>
      </table>
    </TableBox>
  </Panel>
);

const Payments = ({ window }: { readonly window: WholeWindow }) => {
  const rows = window.nets.flatMap(({ participant, legs }) =>
    legs.map((leg) => ({ participant, ...leg })),
  );
  return (
    <Panel title="Payments">
      {rows.length === 0 ? (
        <Empty>Nobody pays in this window: every net is zero.</Empty>
      ) : (
        <TableBox label="Payments">
          <table>
            <thead>
              <tr>
                <th scope="col">Participant</th>
                <th scope="col">Pays or gets</th>
                <th scope="col" className="right">
                  Amount
                </th>
                <th scope="col">Against</th>
                <th scope="col">Bank</th>
                <th scope="col">Reference (UETR)</th>
              </tr>
            </thead>
            <tbody>
              {rows.map(
                ({ participant, reference, side, currency, amount, counterparty, booked }) => (
                  <tr key={`${participant} ${reference} ${side}`}>
                    <th scope="row">{participant}</th>
                    <td>{side === "pay" ? "Pays" : "Gets"}</td>
                    <td className="right">
                      <Amount money={{ currency, amount }} />
                    </td>
                    <td className="nowrap">
                      {counterparty.endsWith(":settlement")
                        ? "clearing account"
                        : short(counterparty)}
                    </td>
                    <td>
                      <Badge tone={booked ? "good" : "quiet"}>
                        {booked ? "Booked" : "Not booked"}
                      </Badge>
                    </td>
                    <td className="mono nowrap">{reference}</td>
                  </tr>
                ),
              )}
            </tbody>
          </table>
        </TableBox>
      )}
    </Panel>
  );
};

const lineTones: Readonly<Record<string, Tone>> = { booked: "good", pending: "info" };

const Statements = ({ window }: { readonly window: WholeWindow }) => (
  <>
    {window.statements.length === 0 ? (
      <Panel title="Bank statements">
        <Empty>
          No bank has said anything yet. A statement is signed by the bank and handed in with{" "}
          <code>npx sealane settle send NOTE --camt FILE</code>
        </Empty>
      </Panel>
    ) : null}
    {window.statements.map(({ seq, time, bank, reference, attempt, lines }) => (
      <Panel
        key={seq}
        title={`Statement ${reference} of ${bank}`}
        aside={
          <>
            {attempt === window.attempt ? null : <Badge tone="warn">Of an earlier attempt</Badge>}
            <Time at={time} />
            <span className="muted">
              entry <Entry seq={seq} />
            </span>
          </>
        }
      >
        <TableBox label={`Lines of ${reference}`}>
          <table>
            <thead>
              <tr>
                <th scope="col">Account</th>
                <th scope="col">Booked as</th>
                <th scope="col" className="right">
                  Amount
                </th>
                <th scope="col">State</th>
                <th scope="col">Reference (UETR)</th>
              </tr>
            </thead>
            <tbody>
              {lines.map((line, at) => (
                <tr key={at}>
                  <td className="mono">{line.account}</td>
                  <td>{words(line.side)}</td>
                  <td className="right">
                    <Amount money={line} />
                  </td>
                  <td>
                    <Badge tone={lineTones[line.status] ?? "bad"}>{words(line.status)}</Badge>
                    {line.reason === undefined ? null : (
                      <span className="under">{line.reason} (ISO 20022)</span>
                    )}
                  </td>
                  <td className="mono nowrap">{line.reference}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </TableBox>
      </Panel>
    ))}
  </>
);

const Cut = ({ window }: { readonly window: WholeWindow }) => (
  <>
    <Head window={window}>
      <WindowState window={window} />
    </Head>
    <div className="two">
      <Finality window={window} />
      <Facts window={window} />
    </div>
    <Panel title="Nets">
      <Sums window={window} />
      <TotalsTable nets={window.nets} label="Nets" />
    </Panel>
    <Payments window={window} />
    <Statements window={window} />
  </>
);

const Open = ({ window, asOf }: { readonly window: OpenWindowView; readonly asOf: number }) => {
  const command = `npx sealane window cut ${window.corridor} --number ${window.number} --operator-key FILE`;
  return (
    <>
      <Head window={window}>
        <Badge tone="info">Open</Badge>
      </Head>
      <Panel
        title="What it comes to so far"
        aside={
          <span className="muted num">
            {`${countText(window.transfers)} transfers since entry ${countText(window.from)}, as of entry ${countText(asOf)}`}
          </span>
        }
      >
        {window.nets.length === 0 ? (
          <Empty>Nothing is in it yet: no transfer was committed since the last cut.</Empty>
        ) : (
          <TotalsTable nets={window.nets} label="Running totals" />
        )}
      </Panel>
      <Panel title="Cutting it">
        <div className="take">
          <p className="muted">
            The corridor's schedule cuts it when it is due. An operator may cut it now, with a key
            of their own; saying it twice cuts once:
          </p>
          <div className="command">
            <code>{command}</code>
            <Copy text={command} label="the command" />
          </div>
        </div>
      </Panel>
    </>
  );
};

export const WindowPage = ({
  corridor,
  number,
}: {
  readonly corridor: string;
  readonly number: string;
}) => {
  const { data, error } = useWindow(corridor, number);
  return (
    <>
      {error === null || data === undefined ? null : <Fault error={error} />}
      {data?.found === "cut" ? <Cut window={data.window} /> : null}
      {data?.found === "open" ? <Open window={data.window} asOf={data.asOf} /> : null}
      {data === undefined ? (
        <>
          <PageHead title={`Window ${corridor}/${number}`} />
          {error === null ? <Loading lines={8} /> : <Fault error={error} />}
        </>
      ) : null}
    </>
  );
};
