// One entry: a transfer with its steps and both sides, or any other statement; who signed, what was checked
// here, and what to take away to check it again without us.
import type { EntryDetail, OpenTransfer, Step } from "../../src/api-types.ts";
import { countText, groupDigits, words } from "../../src/format.ts";
import { useEntry, useTransfer } from "../api.ts";
import {
  Amount,
  Badge,
  Checked,
  Copy,
  Fault,
  Loading,
  Outcome,
  PageHead,
  Panel,
  TableBox,
  Time,
  type Tone,
} from "../parts.tsx";
import { Link } from "../router.tsx";
import { About, Links } from "./linked.tsx";

const stepTones: Readonly<Record<Step["state"], Tone>> = {
  done: "good",
  waiting: "quiet",
  failed: "bad",
  none: "quiet",
};
const stepWords: Readonly<Record<Step["state"], string>> = {
  done: "done",
  waiting: "waiting",
  failed: "failed",
  none: "",
};

const noTime = ({ name, state }: Step): string => {
  if (state === "waiting") return "waiting";
  return name === "Sealed" ? "before this console looked" : "no time in the log";
};

const Steps = ({ entry }: { readonly entry: EntryDetail }) => (
  <ol className="steps">
    {entry.steps.map((step) => (
      <li key={step.name} className={stepTones[step.state]}>
        <span className="name">
          {step.name}
          <span className="visually-hidden"> {stepWords[step.state]}</span>
        </span>
        <span className="when">
          {step.at === undefined ? (
            <span className="muted">{noTime(step)}</span>
          ) : (
            <Time at={step.at} />
          )}
        </span>
        <span className="detail muted">{step.detail}</span>
      </li>
    ))}
  </ol>
);

const Side = ({
  role,
  name,
  account,
  children,
}: {
  readonly role: string;
  readonly name: string;
  readonly account: string;
  readonly children: React.ReactNode;
}) => (
  <div className="side">
    <h3>{role}</h3>
    <p className="party">{name}</p>
    <p className="big">{children}</p>
    <p className="muted small">
      account:{" "}
      <span className="mono cut" title={account}>
        {account}
      </span>
      , salted commitment
    </p>
  </div>
);

const Sides = ({ entry }: { readonly entry: EntryDetail }) => {
  const { terms, payer, payee, sent, received } = entry;
  if (terms === undefined || sent === undefined || received === undefined) return null;
  const went = entry.outcome === "committed";
  return (
    <Panel
      title="Both sides"
      aside={
        <span className="muted">{`${terms.fixed === "send" ? "amount sent" : "amount received"} was fixed`}</span>
      }
    >
      <div className="sides">
        <Side role="Payer's provider" name={payer ?? ""} account={terms.payerAccount}>
          <Amount money={sent} strong />
        </Side>
        <div className="arrow" aria-hidden="true">
          →
        </div>
        <Side role="Payee's provider" name={payee ?? ""} account={terms.payeeAccount}>
          {went ? <Amount money={received} strong /> : <span className="muted">nothing</span>}
        </Side>
      </div>
      {went ? null : (
        <p className="pad muted">
          The terms were for <Amount money={received} />; no money moved.
        </p>
      )}
      <dl className="facts">
        {terms.fees.map((fee, at) => (
          <div key={at}>
            <dt>Fee</dt>
            <dd>
              <Amount money={fee.amount} /> <span className="muted">to {fee.to}</span>
            </dd>
          </div>
        ))}
        <div>
          <dt>Converted</dt>
          <dd>
            <Amount money={terms.converted} />
          </dd>
        </div>
        <div>
          <dt>Rate</dt>
          <dd className="num">
            {terms.rate}{" "}
            <span className="muted">{`sheet ${terms.sheetNumber} of ${terms.sheetProvider}`}</span>
          </dd>
        </div>
        <div>
          <dt>Residue</dt>
          <dd className="num">
            {terms.residue.currency} {groupDigits(terms.residue.amount)}{" "}
            <span className="muted">stays with the liquidity provider</span>
          </dd>
        </div>
        <div>
          <dt>Terms expire</dt>
          <dd>
            <Time at={terms.expiresAt} ago={false} />
          </dd>
        </div>
        <div>
          <dt>Policy</dt>
          <dd>{terms.policy}</dd>
        </div>
      </dl>
    </Panel>
  );
};

const Signers = ({ entry }: { readonly entry: EntryDetail }) => (
  <Panel title="Signed by" className="signers">
    <TableBox label="Signatures">
      <table>
        <thead>
          <tr>
            <th scope="col">Who</th>
            <th scope="col">Signed</th>
            <th scope="col">Key</th>
          </tr>
        </thead>
        <tbody>
          {entry.signers.map(({ statement, key, keyId, party }) => (
            <tr key={`${statement} ${key} ${keyId}`}>
              <th scope="row">{party}</th>
              <td>{statement}</td>
              <td className="mono">
                {key} <span className="muted">{keyId}</span>
              </td>
            </tr>
          ))}
          {entry.cosignedBy.map(({ name, at }) => (
            <tr key={name}>
              <th scope="row">{name} (witness)</th>
              <td>a checkpoint of {countText(entry.checkpointSize ?? 0)}</td>
              <td>
                <Time at={at} />
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </TableBox>
  </Panel>
);

const Proof = ({ entry }: { readonly entry: EntryDetail }) => {
  const name = `${entry.transferId ?? `entry-${entry.seq}`}.tlog-proof`;
  const command = `npx sealane verify ${name} --policy .sealane/trust.policy`;
  return (
    <Panel title="Proof">
      <div className="pad">
        <Checked verdict={entry.seal} good="Sealed, checked here" bad="Seal not checked" />
        <Checked
          verdict={entry.signatures}
          good="Signatures, checked here"
          bad="Signatures not checked"
        />
      </div>
      <div className="take">
        {entry.sealed ? (
          <a className="button primary" href={`/api/entries/${entry.seq}/receipt`} download={name}>
            Download the receipt
          </a>
        ) : (
          <p className="muted">The receipt can be had when the entry is sealed.</p>
        )}
        <p className="muted">
          It verifies offline, without Sealane's servers and without trust in this page:
        </p>
        <div className="command">
          <code>{command}</code>
          <Copy text={command} label="the command" />
        </div>
      </div>
    </Panel>
  );
};

const Postings = ({ entry }: { readonly entry: EntryDetail }) =>
  entry.postings.length === 0 ? null : (
    <Panel title="Postings">
      <TableBox label="Postings">
        <table>
          <thead>
            <tr>
              <th scope="col">Debit</th>
              <th scope="col">Credit</th>
              <th scope="col" className="right">
                Amount
              </th>
            </tr>
          </thead>
          <tbody>
            {entry.postings.map(({ debit, credit, amount }, at) => (
              <tr key={at}>
                <td className="mono">{debit}</td>
                <td className="mono">{credit}</td>
                <td className="right">
                  <Amount money={amount} />
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </TableBox>
    </Panel>
  );

const Bytes = ({ entry }: { readonly entry: EntryDetail }) => (
  <Panel title="The entry, as it was signed" aside={<Copy text={entry.note} label="the entry" />}>
    <dl className="facts">
      <div>
        <dt>Place</dt>
        <dd className="num">{countText(entry.seq)}</dd>
      </div>
      <div>
        <dt>Size</dt>
        <dd className="num">{countText(entry.bytes)} bytes</dd>
      </div>
      <div>
        <dt>Leaf hash</dt>
        <dd className="mono break">{entry.leafHash}</dd>
      </div>
      <div>
        <dt>Key log cited</dt>
        <dd className="num">{entry.keysSize} entries</dd>
      </div>
      <div>
        <dt>Chains</dt>
        <dd>
          {entry.chains.map(({ participant, n }) => `${participant} ${countText(n)}`).join(", ") ||
            "none"}
        </dd>
      </div>
    </dl>
    <pre className="note" tabIndex={0} aria-label="The entry's text">
      {entry.note}
    </pre>
  </Panel>
);

const EntryView = ({ entry }: { readonly entry: EntryDetail }) => {
  const isTransfer = entry.transferId !== undefined;
  return (
    <>
      <div className="page-head">
        <p className="crumb">
          <Link to="/transfers">Transfers</Link> / entry {countText(entry.seq)}
        </p>
        <h1>
          {isTransfer && entry.linked === undefined ? "Transfer" : words(entry.kind)}{" "}
          <Outcome outcome={entry.outcome} sealed={entry.sealed} />
        </h1>
        {entry.transferId === undefined ? null : (
          <p className="mono id break">
            {entry.transferId} <Copy text={entry.transferId} label="the id" />
          </p>
        )}
        {entry.reason === undefined ? null : <p>Reason {entry.reason} (ISO 20022)</p>}
      </div>
      <div className="two wide-left">
        <div className="stack">
          <Sides entry={entry} />
          {entry.linked === undefined ? null : <About linked={entry.linked} />}
          <Links links={entry.links} />
          <Panel title="Steps">
            <Steps entry={entry} />
          </Panel>
        </div>
        <div className="stack">
          <Proof entry={entry} />
          <Signers entry={entry} />
        </div>
      </div>
      <Postings entry={entry} />
      <Bytes entry={entry} />
    </>
  );
};

const OpenView = ({ transfer }: { readonly transfer: OpenTransfer }) => (
  <>
    <PageHead title="Transfer" />
    <Panel title={transfer.transferId}>
      <div className="pad">
        {transfer.state === "reserved" ? (
          <>
            <Badge tone="info">Reserved</Badge>
            <p>
              The funds are held; the payee's provider has not answered yet.{" "}
              {transfer.time === undefined ? null : <Time at={transfer.time} />}
            </p>
          </>
        ) : (
          <>
            <Badge tone="bad">Refused</Badge>
            <p>
              The ledger refused it before anything was reserved: there is no entry, and no receipt.
              Its payer's provider holds the signed refusal.
            </p>
          </>
        )}
      </div>
    </Panel>
  </>
);

export const TransferPage = ({ id }: { readonly id: string }) => {
  const { data, error } = useTransfer(id);
  if (data?.found === "entry") return <EntryView entry={data.entry} />;
  if (data?.found === "open") return <OpenView transfer={data.transfer} />;
  return (
    <>
      <PageHead title="Transfer" />
      {error === null ? <Loading lines={8} /> : <Fault error={error} />}
    </>
  );
};

export const EntryPage = ({ seq }: { readonly seq: string }) => {
  const { data, error } = useEntry(seq);
  if (data !== undefined) return <EntryView entry={data} />;
  return (
    <>
      <PageHead title={`Entry ${seq}`} />
      {error === null ? <Loading lines={8} /> : <Fault error={error} />}
    </>
  );
};
